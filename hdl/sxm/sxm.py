"""The switch unit (SXM) of one hemisphere."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from arch.config import Config
from arch.geometry import SXM_QUEUES
from hdl.controller_port import controller_port
from hdl.stream_driver import stream_driver
from hdl.sxm.distribute_tile import DistributeTile
from hdl.sxm.mapped_controller import MappedController
from hdl.sxm.permute_unit import PermuteUnit
from hdl.sxm.rotate_controller import RotateController
from hdl.sxm.rotate_tile import RotateTile
from hdl.sxm.shift_unit import ShiftUnit
from hdl.sxm.tile_unit import TileUnit
from hdl.sxm.transpose_controller import TransposeController
from hdl.sxm.transpose_tile import TransposeTile

__all__ = ["Sxm", "sxm_drivers"]


def sxm_drivers(config: Config) -> dict[str, int]:
    """Return the streams that each unit drives at once, by name, in the order of `arch.geometry.SXM_QUEUES`."""
    return {
        "shift0": 1,
        "shift1": 1,
        "permute": 1,
        "distribute": 1,
        "rotate": config.lanes,
        "transpose": config.lanes,
    }


class Sxm(wiring.Component):
    """Two shift units and one each that permutes, distributes, rotates and transposes.

    An ordinary submodule, not to be placed.

    Parameters
    ----------
    config
        The machine; S is its `superlanes`.

    Attributes
    ----------
    start : in 1
        From a register.
    queues : controller_port, array of 6
        In the order of `arch.geometry.SXM_QUEUES`.
    east, west : in streams * stream_bits, arrays of S
        Stream registers of this position, by superlane.
    shift0, shift1, permute, distribute, rotate, transpose : stream_driver, arrays of S
        By superlane; of as many streams as `sxm_drivers` says.
    """

    def __init__(self, *, config: Config) -> None:
        self.config = config
        rows = config.superlanes
        super().__init__(
            {
                "start": In(1),
                "queues": Out(controller_port(config)).array(len(SXM_QUEUES)),
                "east": In(config.streams * config.stream_bits).array(rows),
                "west": In(config.streams * config.stream_bits).array(rows),
                **{name: Out(stream_driver(config, size)).array(rows) for name, size in sxm_drivers(config).items()},
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        units = {
            "shift0": ShiftUnit(config=config),
            "shift1": ShiftUnit(config=config),
            "permute": PermuteUnit(config=config),
            "distribute": TileUnit(
                config=config,
                size=1,
                controller=lambda: MappedController(config=config, mnemonic="DISTRIBUTE"),
                tile=lambda: DistributeTile(config=config),
            ),
            "rotate": TileUnit(
                config=config,
                size=config.lanes,
                controller=lambda: RotateController(config=config),
                tile=lambda: RotateTile(config=config),
            ),
            "transpose": TileUnit(
                config=config,
                size=config.lanes,
                controller=lambda: TransposeController(config=config),
                tile=lambda: TransposeTile(config=config),
            ),
        }
        for queue, name in enumerate(sxm_drivers(config)):
            m.submodules[name] = unit = units[name]
            m.d.comb += unit.start.eq(self.start)
            wiring.connect(m, wiring.flipped(self.queues[queue]), unit.queue)
            for row in range(config.superlanes):
                m.d.comb += [unit.east[row].eq(self.east[row]), unit.west[row].eq(self.west[row])]
                wiring.connect(m, wiring.flipped(getattr(self, name)[row]), unit.driver[row])
        return m
