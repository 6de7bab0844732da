"""Base of every column: queues and checks at the foot, stream registers in the tiles above."""

from collections.abc import Mapping, Sequence
from typing import Any

from amaranth.hdl import Cat, ClockSignal, Const, Instance, Module, Mux, ResetSignal, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from arch.faults import FaultKind
from arch.geometry import UnitKind, units
from arch.isa.instruction import OPCODE_BITS, WORD_BITS
from hdl.checks.stream_checks import StreamChecks
from hdl.controller_port import controller_port
from hdl.ecc.reader import ecc_ports
from hdl.icu.fetch_op import fetch_op
from hdl.icu.fetch_port import FIELD_BITS, FetchPort
from hdl.icu.fetch_tile import FetchTile
from hdl.icu.queue import InstructionQueue
from hdl.shared import place
from hdl.stream.hop import StreamHop

__all__ = ["Column"]


class Column(wiring.Component):
    """Everything at one position; the base of a class per kind of column.

    The component itself, an ordinary submodule of the chip, is the foot: queues, controllers, checks. The tiles above
    it are put into the chip by `add_tile`, so that the stream registers' many wires run in one module only.

    Parameters
    ----------
    config
    position

    Attributes
    ----------
    units : list of Unit
        In queue order.
    classes : tuple of str
        Mnemonics whose retirement latency stands for the elements performed here.
    start, run : in 1
        See `hdl.host.run_control`.
    clear, push, push_queue, push_word : in
        Host's access to the queues.
    release, deadlock : in 1; notify, idle, parked : out 1
        See `hdl.icu.barrier`.
    closed, pending : out 1
        All queues are closed; an engine has elements to come.
    elements : out len(classes)
        An element of each class is performed in this cycle.
    fetched : out 1
        A vector of an IFETCH is performed in this cycle.
    fetch_op, fetch_portion
        Between the fetch port and tile 0, see `hdl.icu.fetch_tile`.
    fetch_clk, fetch_rst : out 1
        Clock and reset of the fetch tiles.
    faults_0, faults_1, ... : out
        Faults of each unit in this cycle; bit ``code - 1`` per `FaultKind`.
    corrected_0, corrected_1, ..., uncorrectable_0, ... : out superlanes
        With ECC only: what each unit in the foot reports, see `hdl.ecc.reader`.
    tile_corrected, tile_uncorrectable, fetch_corrected, fetch_uncorrectable
        With ECC only: what the fetch tiles report, and the same by unit, see `hdl.icu.fetch_port`.
    written_east_in, written_west_in, written_east_out, written_west_out
        Shadow bits, see `hdl.checks.stream_checks`.
    """

    classes: tuple[str, ...] = ()

    def __init__(self, *, config: Config, position: int) -> None:
        self.config = config
        self.position = position
        self.units = [unit for unit in units(config) if unit.position == position]
        super().__init__(
            {
                "start": In(1),
                "run": In(1),
                "clear": In(1),
                "push": In(1),
                "push_queue": In(8),
                "push_word": In(WORD_BITS),
                "release": In(1),
                "deadlock": In(1),
                "notify": Out(1),
                "idle": Out(1),
                "parked": Out(1),
                "closed": Out(1),
                "pending": Out(1),
                "elements": Out(len(self.classes)),
                "fetched": Out(1),
                "fetch_op": Out(fetch_op(config)),
                "fetch_portion": In(8 * config.lanes),
                "fetch_clk": Out(1),
                "fetch_rst": Out(1),
                **{f"faults_{index}": Out(len(FaultKind)) for index in range(len(self.units))},
                **{
                    f"{name}_{index}": Out(config.superlanes)
                    for index in range(len(self.units))
                    for name in ecc_ports(config)
                },
                **{f"tile_{name}": In(config.superlanes) for name in ecc_ports(config)},
                **{f"fetch_{name}": Out(len(self.units) * config.superlanes) for name in ecc_ports(config)},
                "written_east_in": In(config.streams),
                "written_west_in": In(config.streams),
                "written_east_out": Out(config.streams),
                "written_west_out": Out(config.streams),
                **self.own_ports(),
            }
        )
        self._fetch_tiles: list[FetchTile] = []

    def own_ports(self) -> Mapping[str, wiring.Member]:
        """Return what the foot of this kind of column has beside the ports above, for its tiles."""
        return {}

    def build_units(self, m: Module, controllers: Sequence[Any]) -> None:
        """Add the units' controllers to the foot.

        Parameters
        ----------
        m
            The foot.
        controllers
            A `controller_port` per unit, to be met from the controller's side; what is left alone stays 0.
        """

    def ecc_reports(self, name: str, index: int) -> Value:
        """Return what unit `index` reports as ``corrected`` or ``uncorrectable``, a bit per superlane.

        Called after `add_tile`. Here that of the foot; a kind of column whose units are in the tiles has its own.
        """
        report: Value = getattr(self, f"{name}_{index}")
        return report

    def fetch_reports(self, name: str, index: int) -> Value:
        """Return what is reported of the text of unit `index`, as `ecc_reports`."""
        reports: Value = getattr(self, f"fetch_{name}")
        return reports.word_select(index, self.config.superlanes)

    def add_tile(self, m: Module, row: int, streams: Mapping[str, Signal]) -> None:
        """Add the tile of superlane `row` to the chip; superlane 0 first.

        Parameters
        ----------
        m
            The chip.
        row
        streams
            ``east_in``, ``west_in``, and to be driven ``east_out``, ``west_out``: see `hdl.stream.hop.StreamHop`.
        """
        self.add_hop(m, row, streams, [])

    def add_hop(self, m: Module, row: int, streams: Mapping[str, Signal], drivers: Sequence[Any]) -> None:
        """Add a tile of nothing but stream registers; the `stream_driver` interfaces are this column's, not `coded`."""
        hop = StreamHop(config=self.config, drivers=tuple(len(driver.mask) for driver in drivers))
        parts = {
            f"{part}{index}": getattr(driver, part)
            for index, driver in enumerate(drivers)
            for part in ("mask", "direction", "group", "data")
        }
        m.submodules[self.tile_name(row)] = place(hop, **streams, **parts)

    def add_fetch_tile(self, m: Module, row: int, streams: Mapping[str, Signal]) -> None:
        """Add the way of program text in superlane `row` to the chip; as `add_tile`."""
        tile = FetchTile(config=self.config)
        below = self._fetch_tiles[-1] if self._fetch_tiles else None
        self._fetch_tiles.append(tile)
        m.submodules[f"fetch_{self.position}_{row}"] = place(
            tile,
            clk=self.fetch_clk,
            rst=self.fetch_rst,
            op_in=self.fetch_op if below is None else below.op_out,
            east=streams["east_out"],
            west=streams["west_out"],
        )
        m.d.comb += [
            (self.fetch_portion if below is None else below.down_in).eq(tile.down_out),
            *(getattr(self, f"tile_{name}")[row].eq(getattr(tile, name)) for name in ecc_ports(self.config)),
        ]

    def tile_name(self, row: int) -> str:
        """Return the name of a tile in the chip."""
        return f"tile_{self.position}_{row}"

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        ports = [
            controller_port(config).create(path=(f"unit_{unit.name.replace('.', '_').lower()}",)) for unit in self.units
        ]
        fetch = FetchPort(config=config, queues=len(self.units))
        queues = [self._queue(m, index, port, fetch) for index, port in enumerate(ports)]
        self._fetch_port(m, fetch, queues)
        m.d.comb += [
            self.closed.eq(Cat(queue.closed for queue in queues).all()),
            self.idle.eq(Cat(queue.idle for queue in queues).all()),
            self.parked.eq(Cat(queue.parked for queue in queues).any()),
            self.notify.eq(Cat(queue.notify for queue in queues).any()),
            self.pending.eq(Cat(port.pending for port in ports).any()),
        ]

        self.build_units(m, ports)
        m.submodules.checks = checks = StreamChecks(config=config, units=len(self.units))
        m.d.comb += [
            checks.start.eq(self.start),
            checks.east_in.eq(self.written_east_in),
            checks.west_in.eq(self.written_west_in),
            self.written_east_out.eq(checks.east_out),
            self.written_west_out.eq(checks.west_out),
        ]
        for index, (port, queue) in enumerate(zip(ports, queues, strict=True)):
            faults = {
                FaultKind.ILLEGAL: queue.illegal_fault,
                FaultKind.UNDERRUN: queue.underrun_fault,
                FaultKind.OVERRUN: queue.overrun_fault,
                FaultKind.BUSY: port.busy_fault | fetch.busy_fault[index],
                FaultKind.BANK_CONFLICT: port.bank_conflict_fault,
                FaultKind.UNWRITTEN: checks.unwritten[index],
                FaultKind.OPERAND_MISSED: port.operand_missed_fault,
                FaultKind.DOUBLE_DRIVE: checks.double_drive[index],
                FaultKind.DEADLOCK: self.deadlock & queue.parked,
            }
            reads = port.reads | fetch.reads.word_select(index, len(port.reads))
            m.d.comb += [
                getattr(checks, f"reads_{index}").eq(reads),
                getattr(checks, f"drives_{index}").eq(port.drives),
                *(getattr(self, f"faults_{index}")[kind - 1].eq(fault) for kind, fault in faults.items()),
                *(getattr(self, f"{name}_{index}").eq(getattr(port, name)) for name in ecc_ports(config)),
            ]
        return m

    def _queue(self, m: Module, index: int, port: Any, fetch: FetchPort) -> InstructionQueue:
        """Add a unit's queue; its clock stops while it is closed or parked and everybody leaves it alone."""
        unit = self.units[index]
        if unit.kind is UnitKind.VXM:
            column = unit.index % self.config.alu_cols
        else:
            column = unit.index if unit.kind is UnitKind.MXM_ACTIVATIONS else 0
        queue = InstructionQueue(config=self.config, kind=unit.kind, column=column)
        push = Signal(name=f"push_{index}")
        m.d.comb += push.eq(self.push & (self.push_queue == Const(unit.id, 8)))
        # A closed queue never wakes by itself, and a parked one with a release only: whatever else could reach them is
        # named here.
        active = self.start | self.clear | push | fetch.push[index] | self.release | ~queue.idle
        m.submodules[f"queue_{index}"] = place(
            queue,
            clk=self._gated(m, f"queue_{index}", active),
            push=push,
            fetch=fetch.push[index],
            # Never both: the host writes while the machine is stopped, text arrives while it runs.
            push_word=Mux(self.run, fetch.push_word, self.push_word),
            clear=self.clear,
            start=self.start,
            run=self.run,
            release=self.release,
        )
        for name in ("issue_valid", "issue_word", "issue_span"):
            m.d.comb += getattr(port, name).eq(getattr(queue, name))
        return queue

    def _fetch_port(self, m: Module, fetch: FetchPort, queues: Sequence[InstructionQueue]) -> None:
        """Add the fetch port; its clock stops while no queue can ask for text, that of its tiles while none comes."""
        m.submodules.fetch_port = place(
            fetch,
            clk=self._gated(m, "fetch_port", self.start | fetch.under_way | ~self.idle),
            start=self.start,
            request=Cat(queue.fetch_valid for queue in queues),
            op=self.fetch_op,
            portion=self.fetch_portion,
            element=self.fetched,
            **{f"tile_{name}": getattr(self, f"tile_{name}") for name in ecc_ports(self.config)},
            **{name: getattr(self, f"fetch_{name}") for name in ecc_ports(self.config)},
            **{
                f"fields_{index}": queue.issue_word[OPCODE_BITS : OPCODE_BITS + FIELD_BITS]
                for index, queue in enumerate(queues)
            },
        )
        m.d.comb += [
            self.fetch_clk.eq(self._gated(m, "fetch", self.start | fetch.under_way)),
            self.fetch_rst.eq(ResetSignal() | self.start),
        ]

    def _gated(self, m: Module, name: str, active: Value) -> Signal:
        """Return the clock, gated: edges that end a cycle with `active` or a reset pass."""
        clock = Signal(name=f"{name}_clk")
        m.submodules[f"{name}_gate"] = Instance(
            "takt_clock_gate", i_clk=ClockSignal(), i_en=active | ResetSignal(), o_gclk=clock
        )
        return clock
