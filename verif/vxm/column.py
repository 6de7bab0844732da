"""The VXM's position by itself: controllers, and the tiles of all superlanes."""

from amaranth.hdl import Cat, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from hdl.ecc.reader import ecc_ports
from hdl.shared import place
from hdl.stream.group import group_bits
from hdl.vxm.controller import VxmController
from hdl.vxm.tile import VxmTile

__all__ = ["VxmColumn"]


class VxmColumn(wiring.Component):
    """Controllers of all ALUs under a column of tiles; the bench stands for queues and stream registers.

    Parameters
    ----------
    config : Config

    Attributes
    ----------
    start : Signal(1), in
    issue_valid : Signal(alus), in
    issue_word : Signal(alus * 64), in
    issue_span : Signal(alus * superlanes.bit_length()), in
    east, west : Signal(superlanes * streams * stream_bits), in
        Stream registers, superlane 0 lowest.
    mask, direction, group, data : Signal, out
        Drivers of every superlane, in the same order.
    corrected, uncorrectable : Signal(superlanes * alus), out
        With ECC: reports of every superlane, in the same order.
    element, missed, result_valid : Signal(alus), out
    reads, drives : Signal(alus * 2 * streams), out
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        tiles = config.superlanes
        span_bits = config.superlanes.bit_length()
        bus = config.streams * config.stream_bits
        super().__init__(
            {
                "start": In(1),
                "issue_valid": In(config.alus),
                "issue_word": In(config.alus * 64),
                "issue_span": In(config.alus * span_bits),
                "east": In(tiles * bus),
                "west": In(tiles * bus),
                "mask": Out(tiles * config.alus * 4),
                "direction": Out(tiles * config.alus),
                "group": Out(tiles * config.alus * group_bits(config.streams, 4)),
                "data": Out(tiles * config.alus * 4 * config.lanes * 8),
                **ecc_ports(config, tiles * config.alus),
                "element": Out(config.alus),
                "missed": Out(config.alus),
                "result_valid": Out(config.alus),
                "reads": Out(config.alus * 2 * config.streams),
                "drives": Out(config.alus * 2 * config.streams),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        controllers = [VxmController(config) for _ in range(config.alus)]
        for alu, controller in enumerate(controllers):
            column = [other.result_valid for other in controllers[(alu - 1) % config.alu_cols :: config.alu_cols]]
            m.submodules[f"controller{alu}"] = place(
                controller,
                start=self.start,
                issue_valid=self.issue_valid[alu],
                issue_word=self.issue_word.word_select(alu, 64),
                issue_span=self.issue_span.word_select(alu, config.superlanes.bit_length()),
                mesh_valid=Cat(column),
            )
        op = Cat(controller.op for controller in controllers)
        tiles = [VxmTile(config) for _ in range(config.superlanes)]
        for superlane, tile in enumerate(tiles):
            m.submodules[f"tile{superlane}"] = place(
                tile,
                op_in=op,
                east=self.east.word_select(superlane, len(tile.east)),
                west=self.west.word_select(superlane, len(tile.west)),
            )
            op = tile.op_out
        for name in ("mask", "direction", "group", "data", *ecc_ports(config)):
            m.d.comb += getattr(self, name).eq(Cat(getattr(tile, name) for tile in tiles))
        for name, port in (
            ("element", "element"),
            ("missed", "operand_missed_fault"),
            ("result_valid", "result_valid"),
            ("reads", "reads"),
            ("drives", "drives"),
        ):
            m.d.comb += getattr(self, name).eq(Cat(getattr(controller, port) for controller in controllers))
        return m
