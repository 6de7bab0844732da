"""Hand-made timetables, each of which breaks one rule."""

from arch.faults import FaultKind
from arch.formats import DType
from arch.geometry import Direction, units
from arch.isa.codes import Source
from arch.isa.encoding import encode
from arch.presets import preset
from arch.timing import timing
from verif.compiler.timetables import timetable

NANO = preset("nano")
TIMES = timing(NANO)
EAST = int(Direction.EAST)
CHAINED = {"dtype": 2, "out_dtype": 2, "a_src": Source.ZERO, "b_src": Source.ZERO}


def read(stream=0, **fields):
    """Return mnemonic and fields of an eastward READ."""
    return "READ", {"dir": EAST, "stream": stream, **fields}


def distance(start, end):
    """Return the positions from one unit east to another, by name."""
    positions = {unit.name: unit.position for unit in units(NANO)}
    return positions[end] - positions[start]


CASES = {  # name: image, and what it raises: kind, unit, cycle
    "opcode of another unit": (timetable(NANO, (4, "VXM_0", "READ", {})), FaultKind.ILLEGAL, "VXM_0", 4),
    "opcode that is not built": (timetable(NANO, raw={"C2C_0": [encode("SEND")]}), FaultKind.ILLEGAL, "C2C_0", 0),
    "field out of range": (
        timetable(NANO, (7, "MEM_E0", *read(addr=2 * NANO.mem_depth))),
        FaultKind.ILLEGAL,
        "MEM_E0",
        7,
    ),
    "REPEAT of nothing": (
        timetable(NANO, raw={"MEM_W0": [encode("NOP", count=5), encode("REPEAT", count=1, interval=1)]}),
        FaultKind.ILLEGAL,
        "MEM_W0",
        5,
    ),
    "no END": (timetable(NANO, raw={"MEM_W5": [encode("NOP", count=9)]}), FaultKind.UNDERRUN, "MEM_W5", 9),
    "too many words": (
        timetable(NANO, (0, "MEM_W0", "WRITE", {}), raw={"MEM_W3": [encode("END")] * (NANO.queue_depth + 1)}),
        FaultKind.OVERRUN,
        "MEM_W3",
        0,
    ),
    "SYNC without NOTIFY": (
        timetable(
            NANO,
            (3, "VXM_1", "SYNC", {}),
            raw={
                "MEM_W4": [encode("NOP", count=7), encode("SYNC"), encode("SYNC")],
                "MEM_W5": [encode("NOTIFY"), encode("END")],
            },
        ),
        FaultKind.DEADLOCK,
        "MEM_W4",
        TIMES.barrier + 1,
    ),
    "burst upon burst": (
        timetable(NANO, (3, "MEM_W2", *read(count=4, interval=2)), (9, "MEM_W2", *read())),
        FaultKind.BUSY,
        "MEM_W2",
        9,
    ),
    "empty stream read": (timetable(NANO, (6, "MEM_E2", "WRITE", {})), FaultKind.UNWRITTEN, "MEM_E2", 7),
    "mesh result missed": (
        timetable(
            NANO,
            (3, "VXM_0", "ADD", CHAINED),
            (3 + TIMES.chain + 1, "VXM_1", "ADD", {**CHAINED, "a_src": Source.MESH}),
        ),
        FaultKind.OPERAND_MISSED,
        "VXM_1",
        3 + TIMES.chain + 2,
    ),
    "mask missed": (
        timetable(
            NANO,
            (3, "VXM_4", "ADD", CHAINED),
            (3 + TIMES.chain, "VXM_1", "SEL", {**CHAINED, "c_src": Source.MESH, "c_index": 0}),
        ),
        FaultKind.OPERAND_MISSED,
        "VXM_1",
        3 + TIMES.chain + 1,
    ),
    "mask on an empty stream": (
        timetable(NANO, (3, "VXM_4", "SEL", {**CHAINED, "c_src": Source.STREAM, "c_index": 5})),
        FaultKind.UNWRITTEN,
        "VXM_4",
        4,
    ),
    "ACC without a result": (
        timetable(NANO, (8, "MXM_E1.R", "ACC", {})),
        FaultKind.OPERAND_MISSED,
        "MXM_E1.R",
        9,
    ),
    "two drivers": (
        timetable(NANO, (10, "MEM_W6", *read()), (9, "MEM_W7", *read(count=3))),
        FaultKind.DOUBLE_DRIVE,
        "MEM_W7",
        10 + TIMES["READ"].d_func,
    ),
    "result without ACC": (
        timetable(
            NANO,
            (0, "MEM_E7", *read(stream=3)),
            (distance("MEM_E7", "MXM_E0.A") + TIMES["READ"].d_func - 1, "MXM_E0.A", "ABC", {"stream": 3}),
        ),
        FaultKind.OPERAND_MISSED,
        "MXM_E0.R",
        distance("MEM_E7", "MXM_E0.A") + TIMES["READ"].d_func + TIMES.acc_after_abc,
    ),
    "READ while a GATHER ends": (
        timetable(
            NANO,
            *((cycle, f"MEM_W{2 + stream}", *read(stream=stream)) for stream, cycle in ((0, 0), (1, 0))),
            (3, "MEM_W0", "GATHER", {"stream": 2, "count": 1, "interval": NANO.lanes}),
            (3 + NANO.lanes + 2, "MEM_W0", *read()),
        ),
        FaultKind.BUSY,
        "MEM_W0",
        3 + NANO.lanes + 2,
    ),
    "write of a bank that is gathered from": (
        timetable(
            NANO,
            *((cycle, f"MEM_W{2 + stream}", *read(stream=stream, count=8)) for stream, cycle in ((0, 0), (1, 0))),
            (3, "MEM_W0", "GATHER", {"stream": 2, "count": 1, "interval": NANO.lanes}),
            (3 + NANO.lanes, "MEM_W0", "WRITE", {"stream": 0}),
        ),
        FaultKind.BANK_CONFLICT,
        "MEM_W0",
        4 + NANO.lanes,
    ),
    "fp16 result without ACC": (
        timetable(
            NANO,
            (0, "MEM_E7", *read(stream=2)),
            (0, "MEM_E6", *read(stream=3)),
            (
                distance("MEM_E7", "MXM_E0.A") + TIMES["READ"].d_func - 1,
                "MXM_E0.A",
                "ABC",
                {"stream": 2, "dtype": DType.FP16, "interval": 2},
            ),
        ),
        FaultKind.OPERAND_MISSED,
        "MXM_E0.R",
        distance("MEM_E7", "MXM_E0.A") + TIMES["READ"].d_func + TIMES.acc_after_fp16_abc,
    ),
    "int8 ABC under an fp16 one": (
        timetable(
            NANO,
            (0, "MEM_E7", *read(stream=2, count=9)),
            (0, "MEM_E6", *read(stream=3, count=9)),
            (
                distance("MEM_E7", "MXM_E0.A") + TIMES["READ"].d_func - 1,
                "MXM_E0.A",
                "ABC",
                {"stream": 2, "dtype": DType.FP16, "interval": 2, "count": 2},
            ),
            (distance("MEM_E7", "MXM_E0.A") + TIMES["READ"].d_func + 2, "MXM_E1.A", "ABC", {"stream": 2}),
        ),
        FaultKind.BUSY,
        "MXM_E1.A",
        distance("MEM_E7", "MXM_E0.A") + TIMES["READ"].d_func + 2,
    ),
    "read and write of one bank": (
        timetable(
            NANO,
            (0, "MEM_W1", *read(stream=1, count=20)),
            (2, "MEM_W0", *read(stream=2, count=20)),
            (10, "MEM_W0", "WRITE", {"dir": EAST, "stream": 1, "addr": 5}),
        ),
        FaultKind.BANK_CONFLICT,
        "MEM_W0",
        11,
    ),
}
