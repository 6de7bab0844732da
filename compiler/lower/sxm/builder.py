"""A switch operation as a macro-operation: words from MEM through the SXM to MEM."""

import numpy as np
import numpy.typing as npt

from arch.geometry import Direction, Hemisphere, Unit, sxm_position, units
from arch.timing import timing
from compiler.ir.lanes import Numbers
from compiler.ir.switch import Switch
from compiler.lower.storage import OperationStorage
from compiler.lower.vxm.builder import runs_of
from compiler.memory.copies import Cycles, ReadPort, Template, TensorCopy
from compiler.schedule.flow import Flow
from compiler.schedule.macro import Action, Macro
from compiler.schedule.pattern import Pattern
from compiler.schedule.transfer import Transfers


def switch_templates(op: Switch, placed: OperationStorage) -> list[Template]:
    """Return the macro-operations of a switch operation, one for each queue that can execute it."""
    able = [unit for unit in units(op.config) if unit.kind is op.kind]
    return [SwitchBuilder(op, placed, unit).build() for unit in able]


class SwitchBuilder:
    """Builds the macro-operation of a switch operation in one queue.

    Words move outward to the SXM, from slices of both hemispheres, and inward from there.
    """

    def __init__(self, op: Switch, placed: OperationStorage, unit: Unit) -> None:
        assert unit.hemisphere is not None
        self._op = op
        self._placed = placed
        self._unit = unit
        self._position = sxm_position(op.config, unit.hemisphere)
        self._outward = Direction.EAST if unit.hemisphere is Hemisphere.EAST else Direction.WEST
        self._timing = timing(op.config)
        self._template = Template(Macro(op.name))
        self._macro = self._template.macro
        self._transfers = Transfers(op.config, self._macro)
        bytes_of = np.arange(op.interval)
        self._cycles: Numbers = (op.times[:, None] + bytes_of).reshape(-1)

    def build(self) -> Template:
        """Return the operation's template."""
        op = self._op
        streams: dict[str, tuple[Flow, int]] = {}
        fields = dict(op.fields)
        for name in dict.fromkeys(op.sources):
            numbers = [number for number, source in enumerate(op.sources) if source == name]
            flow = self._read(name, numbers)
            if name == "map" and op.register is not None:
                self._load(flow)
                continue
            streams[name] = flow, 0
            fields[f"{name}_dir"] = int(self._outward)
        inward = Direction.WEST if self._outward is Direction.EAST else Direction.EAST
        flow = self._flow("dst", inward, len(op.results))
        nothing = np.full(op.steps, -1, np.int64)
        for member in range(self._driven):
            self._write(flow, member, op.results[member].steps if member < len(op.results) else nothing)
        streams["dst"] = flow, 0
        fields["dst_dir"] = int(inward)
        self._macro.actions.append(Action(self._unit, op.mnemonic, 0, fields, streams, len(self._cycles), 1))
        self._macro.flows.sort(key=lambda flow: -flow.width)
        return self._template

    @property
    def _driven(self) -> int:
        """Streams that every issue drives, whoever reads them."""
        return self._op.config.lanes if self._op.mnemonic == "TRANSPOSE" else len(self._op.results)

    def _flow(self, name: str, direction: Direction, width: int) -> Flow:
        # Groups of streams are aligned to powers of two.
        aligned = 1 << (width - 1).bit_length()
        if name == "dst" and self._op.mnemonic in ("TRANSPOSE", "ROTATE"):
            aligned = self._op.config.lanes
        flow = Flow(("switch", name, aligned), direction, aligned)
        self._macro.flows.append(flow)
        return flow

    def _read(self, name: str, numbers: list[int]) -> Flow:
        op = self._op
        skew = self._timing[op.mnemonic].d_skew
        assert skew is not None
        size = op.operands[numbers[0]].tensor.itemsize
        serial = op.is_serial(numbers[0])
        flow = self._flow(name, self._outward, len(numbers) if serial else size)
        for member, number in enumerate(numbers):
            port = self._placed.ports[number]
            if serial:
                steps, bytes_of = np.divmod(np.arange(op.steps * size), size)
                self._words(flow, member, self._cycles + skew, port, bytes_of, steps)
                continue
            for byte in range(size):
                if op.register is not None:
                    first = np.zeros(1, np.int64)
                    self._words(flow, byte, first, port, byte, first)
                else:
                    steps = np.repeat(np.arange(op.steps), op.interval)
                    self._words(flow, byte, self._cycles + skew, port, byte, steps)
        return flow

    def _words(
        self,
        flow: Flow,
        member: int,
        arrival: Cycles,
        port: ReadPort,
        byte: int | npt.NDArray[np.int64],
        steps: npt.NDArray[np.int64],
    ) -> None:
        """Read a byte of the vectors of some steps, each its own where they differ, so that they arrive in time."""
        slices, addrs, ready = port.words()
        self._transfers.read(flow, member, slices[byte, steps], addrs[byte, steps], arrival, self._position)
        access = arrival - self._transfers.read_travel(slices[byte, steps], self._position)
        self._template.reads(port.copy, port.accesses(byte, steps, access), ready[steps])

    def _load(self, flow: Flow) -> None:
        """Load the map register just before the first step, and keep others from it until the last one."""
        skew = self._timing["LOADMAP"].d_skew
        register = self._op.register
        assert skew is not None and register is not None
        fields = {"map_dir": int(self._outward), "register": register}
        self._macro.actions.append(Action(self._unit, "LOADMAP", -skew, fields, {"map": (flow, 0)}))
        held = Pattern(-skew, length=skew + len(self._cycles))
        self._macro.holds.append((("map", self._unit.id, register), held))

    def _write(self, flow: Flow, member: int, steps: Numbers) -> None:
        """Write a result's words, to every copy that has them; words that none has keep others off all the same."""
        op = self._op
        func = self._timing[op.mnemonic].d_func
        assert func is not None
        outputs = self._placed.outputs[0]
        vectors = np.where(steps < 0, 0, steps)
        holds = np.stack([(output.slices[0, vectors] >= 0) & (steps >= 0) for output in outputs])
        for start, end in runs_of(holds):
            copies = [output for output, held in zip(outputs, holds[:, start], strict=True) if held]
            cycles = self._cycles[start * op.interval : end * op.interval] + func
            if copies:
                self._store(flow, member, copies, vectors[start:end], cycles)
            else:
                driven = Pattern(int(cycles[0]), length=len(cycles))
                flow.carry(member, self._position, self._position, driven)

    def _store(self, flow: Flow, member: int, outputs: list[TensorCopy], vectors: Numbers, cycles: Cycles) -> None:
        size = self._op.interval
        words = [
            (output.slices[:, vectors].T.reshape(-1), output.addrs[:, vectors].T.reshape(-1)) for output in outputs
        ]
        done = self._transfers.write(flow, member, words, cycles, self._position)
        for output, ready in zip(outputs, done, strict=True):
            self._template.writes(output, self._op.results[0].tensor, vectors, ready.reshape(-1, size).T)
