"""Footprint of an instruction: the streams that it reads and drives, element by element."""

from collections.abc import Mapping
from dataclasses import dataclass

from arch.config import Config
from arch.formats import DType
from arch.geometry import Direction, Unit, UnitKind
from arch.isa.codes import Source
from arch.isa.table import BY_MNEMONIC


@dataclass(frozen=True)
class StreamGroup:
    """`size` adjacent streams of one direction, from `first` up."""

    direction: Direction
    first: int
    size: int


@dataclass(frozen=True)
class Footprint:
    """Footprint of one element of an instruction, of which there are `elements`, `interval` cycles apart.

    Attributes
    ----------
    reads : tuple of StreamGroup
        Read at ``issue + k * interval + d_skew``, k from 0.
    drives : tuple of StreamGroup
        Driven at ``issue + k * interval + d_func``.
    elements, interval : int
    """

    reads: tuple[StreamGroup, ...]
    drives: tuple[StreamGroup, ...]
    elements: int = 1
    interval: int = 1


def footprint(config: Config, unit: Unit, mnemonic: str, fields: Mapping[str, int]) -> Footprint:
    """Return the streams that a legal instruction of `unit` touches."""
    f = fields
    reads: tuple[StreamGroup, ...]
    drives: tuple[StreamGroup, ...]
    if mnemonic in ("READ", "WRITE"):
        group = (StreamGroup(Direction(f["dir"]), f["stream"], 1),)
        reads, drives = ((), group) if mnemonic == "READ" else (group, ())
        return Footprint(reads, drives, f["count"], f["interval"])
    if mnemonic == "IFETCH":
        group = (StreamGroup(Direction(f["dir"]), f["stream"], 1),)
        return Footprint(group, (), f["count"], 2 * config.superlanes)
    if mnemonic in ("GATHER", "SCATTER"):
        group = (StreamGroup(Direction(f["dir"]), f["stream"], 1),)
        indices = (StreamGroup(Direction(f["map_dir"]), f["map"], 2),)
        reads, drives = (indices, group) if mnemonic == "GATHER" else (indices + group, ())
        return Footprint(reads, drives, f["count"], f["interval"])
    if mnemonic == "LW":
        return Footprint((StreamGroup(unit.outward, f["stream"], config.lanes),), (), f["count"])
    if mnemonic == "ABC":
        size = DType(f["dtype"]).size
        return Footprint((StreamGroup(unit.outward, f["stream"], size),), (), f["count"], f["interval"])
    if mnemonic == "ACC":
        drives = (StreamGroup(unit.inward, f["stream"], 4),) if f["emit"] else ()
        return Footprint((), drives, f["count"], f["interval"])
    if mnemonic in ("SHIFT", "SELECT"):
        reads = (StreamGroup(Direction(f["src_dir"]), f["src"], 1),)
        if mnemonic == "SELECT":
            reads += (StreamGroup(Direction(f["low_dir"]), f["low"], 1),)
        return Footprint(reads, (StreamGroup(Direction(f["dst_dir"]), f["dst"], 1),))
    if mnemonic in ("PERMUTE", "DISTRIBUTE", "LOADMAP"):
        lane_map = StreamGroup(Direction(f["map_dir"]), f["map"], 2 if unit.kind is UnitKind.SXM_PERMUTE else 1)
        if mnemonic == "LOADMAP":
            return Footprint((lane_map,), ())
        reads = (StreamGroup(Direction(f["src_dir"]), f["src"], 1), *((lane_map,) if f["streamed"] else ()))
        return Footprint(reads, (StreamGroup(Direction(f["dst_dir"]), f["dst"], 1),))
    if mnemonic == "ROTATE":
        return Footprint(
            (StreamGroup(Direction(f["src_dir"]), f["src"], 1),),
            (StreamGroup(Direction(f["dst_dir"]), f["dst"], f["size"] ** 2),),
        )
    if mnemonic == "TRANSPOSE":
        return Footprint(
            (StreamGroup(Direction(f["src_dir"]), f["src"], config.lanes),),
            (StreamGroup(Direction(f["dst_dir"]), f["dst"], config.lanes),),
        )
    if "out_dtype" in BY_MNEMONIC[mnemonic].offsets:
        size, out_size = DType(f["dtype"]).size, DType(f["out_dtype"]).size
        reads = tuple(
            StreamGroup(Direction(f[f"{x}_dir"]), f[f"{x}_index"], size) for x in "ab" if f[f"{x}_src"] == Source.STREAM
        )
        if mnemonic == "SEL" and f["c_src"] == Source.STREAM:
            reads += (StreamGroup(Direction(f["c_dir"]), f["c_index"], 1),)
        drives = (StreamGroup(Direction(f["dst_dir"]), f["dst"], out_size),) if f["drive"] else ()
        return Footprint(reads, drives)
    return Footprint((), ())
