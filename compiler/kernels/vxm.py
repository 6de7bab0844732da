"""A chain of ALUs as actions: results come in on streams and leave on streams."""

from dataclasses import dataclass

from arch.config import Config
from arch.formats import DType
from arch.geometry import Direction, Unit, UnitKind, units, vxm_position
from arch.isa.codes import Source
from arch.timing import timing
from compiler.kernels.epilogue import Chain, Step
from compiler.placement.layout import Numbers
from compiler.schedule.flow import Flow
from compiler.schedule.macro import Action, Macro
from compiler.schedule.pattern import Pattern
from compiler.schedule.transfer import Transfers


@dataclass(frozen=True)
class Exit:
    """Where results go for a while: rows ``first .. first + rows - 1`` onto `flow`."""

    first: int
    rows: int
    flow: Flow


class ChainBuilder:
    """Adds one chain's instructions to a macro-operation.

    Parameters
    ----------
    config : Config
    macro : Macro
    chain : Chain
    steps : tuple of Step
    constants : dict of str to (slices, addrs)
        Shape (4,): byte planes of each step's constant.
    ahead : bool
        Load the constants one chain delay ahead, so that two chains that start together read them one after the other.
    """

    def __init__(
        self,
        config: Config,
        macro: Macro,
        chain: Chain,
        steps: tuple[Step, ...],
        constants: dict[str, tuple[Numbers, Numbers]],
        ahead: bool,
    ) -> None:
        self._config = config
        self._timing = timing(config)
        self._macro = macro
        self._transfers = Transfers(config, macro)
        self._chain = chain
        self._steps = steps
        self._constants = constants
        self._ahead = ahead
        self._alus = [unit for unit in units(config) if unit.kind is UnitKind.VXM]

    def latency(self) -> int:
        """Cycles from a result's arrival at the VXM to the last step's value on the register there."""
        skew, func = self._timing["CVT"].d_skew, self._timing["CVT"].d_func
        assert skew is not None and func is not None
        return (len(self._steps) - 1) * self._timing.chain - skew + func

    def build(self, source: Flow, arrival: int, rows: int, exits: list[Exit]) -> None:
        """Process `rows` results that arrive on `source`, one per cycle from cycle `arrival` on."""
        skew = self._timing["CVT"].d_skew
        assert skew is not None
        last = len(self._steps) - 1
        for number, step in enumerate(self._steps):
            alu = self._chain.alus[number]
            at = arrival - skew + number * self._timing.chain
            fields = {"dtype": int(step.dtype), "out_dtype": int(step.out_dtype), "saturate": int(step.saturate)}
            streams = {}
            if number == 0:
                fields |= {"a_src": Source.STREAM, "a_dir": int(source.direction)}
                streams["a_index"] = (source, 0)
            else:
                fields |= {"a_src": Source.MESH, "a_index": self._row(self._chain.alus[number - 1])}
            keeper = self._chain.keepers[number]
            if keeper is None:
                fields["b_src"] = Source.ZERO
            else:
                fields |= {"b_src": Source.MESH, "b_index": self._row(keeper)}
                assert step.constant is not None
                self._keep(keeper, step.constant, at - self._timing.chain, rows)
            for part in exits if number == last else [None]:
                if part is None:
                    self._alu(alu, step.mnemonic, at, fields, streams, rows)
                else:
                    driven = fields | {"drive": 1, "dst_dir": int(part.flow.direction)}
                    onto = streams | {"dst": (part.flow, 0)}
                    self._alu(alu, step.mnemonic, at + part.first, driven, onto, part.rows)

    def _keep(self, alu: int, constant: str, at: int, rows: int) -> None:
        """Let an ALU present a constant in `rows` cycles: from streams until it holds it, then its own result."""
        skew = self._timing["PASS"].d_skew
        assert skew is not None
        held = self._timing.held
        start, fresh, own = (at - held, 1, rows) if self._ahead else (at, min(rows, held), rows - held)
        slices, addrs = self._constants[constant]
        position = vxm_position(self._config)
        unit = units(self._config)[int(slices[0])]
        flow = Flow(("constant", alu), unit.inward, 4)
        for member in range(4):
            cycles = Pattern(start + skew, 1, 1, fresh)
            self._transfers.read_constant(flow, member, int(slices[member]), int(addrs[member]), cycles, position)
        self._macro.flows.append(flow)
        fields = {"dtype": int(DType.INT32), "out_dtype": int(DType.INT32), "b_src": int(Source.ZERO)}
        first = fields | {"a_src": Source.STREAM, "a_dir": int(flow.direction)}
        self._alu(alu, "PASS", start, first, {"a_index": (flow, 0)}, fresh)
        if own > 0:
            self._alu(alu, "PASS", at + rows - own, fields | {"a_src": Source.SELF}, {}, own)
        if at > start + fresh:
            idle = Pattern(start + fresh, 1, 1, at - start - fresh)
            self._macro.holds.append((("issue", self._alus[alu].id), idle))

    def _row(self, alu: int) -> int:
        return alu // self._config.alu_cols

    def _alu(
        self,
        alu: int,
        mnemonic: str,
        at: int,
        fields: dict[str, int],
        streams: dict[str, tuple[Flow, int]],
        issues: int,
    ) -> None:
        unit: Unit = self._alus[alu]
        self._macro.actions.append(Action(unit, mnemonic, at, dict(fields), dict(streams), issues))


def towards(config: Config, number: int) -> Direction:
    """Return the direction from the VXM to a MEM slice."""
    return units(config)[number].outward
