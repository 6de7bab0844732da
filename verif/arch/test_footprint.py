from typing import Any

import pytest

from arch.formats import DType
from arch.geometry import Direction, units
from arch.isa.codes import Source
from arch.isa.footprint import Footprint, StreamGroup, footprint
from arch.presets import preset
from verif.arch.words import BUILT, LEGAL, unit_for

NANO = preset("nano")
EAST, WEST = Direction.EAST, Direction.WEST


def touched(mnemonic: str, **fields: Any) -> Footprint:
    row = next(row for row in BUILT if row.mnemonic == mnemonic)
    values = dict.fromkeys(row.offsets, 0) | LEGAL[mnemonic] | fields
    return footprint(NANO, unit_for(NANO, mnemonic), mnemonic, values)


@pytest.mark.parametrize(
    "found,expected",
    [
        (touched("NOP"), Footprint((), ())),
        (touched("END"), Footprint((), ())),
        (touched("READ", dir=1, stream=7, count=5, interval=3), Footprint((), (StreamGroup(WEST, 7, 1),), 5, 3)),
        (touched("WRITE", dir=0, stream=7, count=5, interval=3), Footprint((StreamGroup(EAST, 7, 1),), (), 5, 3)),
        # The first unit of a kind is in the west: outward is west.
        (touched("LW", stream=4, count=2), Footprint((StreamGroup(WEST, 4, 4),), (), 2, 1)),
        (touched("ABC", stream=9, count=6, interval=2), Footprint((StreamGroup(WEST, 9, 1),), (), 6, 2)),
        (
            touched("ABC", stream=8, count=6, interval=2, dtype=DType.FP16),
            Footprint((StreamGroup(WEST, 8, 2),), (), 6, 2),
        ),
        (touched("ACC", stream=8, emit=1, count=6, interval=2), Footprint((), (StreamGroup(EAST, 8, 4),), 6, 2)),
        (touched("ACC", stream=8, emit=0, count=6, interval=2), Footprint((), (), 6, 2)),
        (
            touched("SHIFT", src_dir=1, src=1, dst_dir=0, dst=2),
            Footprint((StreamGroup(WEST, 1, 1),), (StreamGroup(EAST, 2, 1),)),
        ),
        (
            touched("SELECT", src_dir=1, src=1, low_dir=0, low=3, dst=2),
            Footprint((StreamGroup(WEST, 1, 1), StreamGroup(EAST, 3, 1)), (StreamGroup(EAST, 2, 1),)),
        ),
        (
            touched("TRANSPOSE", src_dir=1, src=4, dst_dir=1, dst=8),
            Footprint((StreamGroup(WEST, 4, 4),), (StreamGroup(WEST, 8, 4),)),
        ),
        (
            touched("ADD", a_index=4, b_src=Source.STREAM, b_dir=1, b_index=8, dst_dir=1, dst=12),
            Footprint((StreamGroup(EAST, 4, 4), StreamGroup(WEST, 8, 4)), (StreamGroup(WEST, 12, 4),)),
        ),
        (
            touched("CVT", dtype=DType.INT8, out_dtype=DType.FP32, a_index=3, b_src=Source.ZERO, dst=4),
            Footprint((StreamGroup(EAST, 3, 1),), (StreamGroup(EAST, 4, 4),)),
        ),
        (
            touched("PASS", dtype=DType.INT32, out_dtype=DType.INT16, a_src=Source.SELF, b_src=Source.MESH, dst=6),
            Footprint((), (StreamGroup(EAST, 6, 2),)),
        ),
        (touched("RELU", a_src=Source.MESH, b_src=Source.ZERO, drive=0), Footprint((), ())),
        (
            touched("SEL", a_index=4, c_dir=1, c_index=3, dtype=DType.INT16, out_dtype=DType.INT8, dst=5),
            Footprint((StreamGroup(EAST, 4, 2), StreamGroup(WEST, 3, 1)), (StreamGroup(EAST, 5, 1),)),
        ),
        # c of anything else is not read.
        (touched("ADD", a_src=Source.ZERO, c_src=Source.STREAM, c_index=3, drive=0), Footprint((), ())),
        (
            touched("CVT", dtype=DType.FP16, out_dtype=DType.FP32, a_index=6, dst=8),
            Footprint((StreamGroup(EAST, 6, 2),), (StreamGroup(EAST, 8, 4),)),
        ),
        # b of a unary operation is read like any operand.
        (
            touched("RELU", a_src=Source.ZERO, b_src=Source.STREAM, b_index=4, drive=0),
            Footprint((StreamGroup(EAST, 4, 4),), ()),
        ),
    ],
)
def test_streams_that_an_instruction_touches(found: Footprint, expected: Footprint) -> None:
    assert found == expected


def test_the_eastern_mxm_reads_eastward_and_emits_westward() -> None:
    by_name = {unit.name: unit for unit in units(NANO)}
    loads = footprint(NANO, by_name["MXM_E0.W"], "LW", {"stream": 0, "count": 1})
    assert loads.reads[0].direction is EAST
    results = footprint(NANO, by_name["MXM_E1.R"], "ACC", {"stream": 0, "emit": 1, "count": 1, "interval": 1})
    assert results.drives[0].direction is WEST
