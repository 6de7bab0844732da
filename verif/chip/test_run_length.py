"""The cycle in which a run ends: the last thing under way in each unit, long pauses within bursts, a second run."""

from arch.config import Config
from arch.formats import DType
from arch.geometry import Direction, units
from arch.image import Image
from arch.isa.codes import Source
from arch.isa.encoding import encode
from arch.presets import preset
from arch.timing import timing
from runtime.rtl_backend import run_jobs_on_rtl
from verif.bench import each_simulator
from verif.compiler.timetables import golden, timetable, verified

NANO = preset("nano")
WEST = int(Direction.WEST)
LONG = {"count": 3, "interval": 60}


def feed(config: Config, consumer: str, streams: int, cycle: int, **burst: int) -> list[tuple]:
    """Return lines that read MEM onto the westward streams from 0 up, for an issue of `consumer` in `cycle`."""
    positions = {unit.name: unit.position for unit in units(config)}
    times = timing(config)
    lines = []
    for stream in range(streams):
        source = f"MEM_E{stream}"
        way = positions[source] - positions[consumer] + times["READ"].d_func - 1
        lines.append((cycle - way, source, "READ", {"dir": WEST, "stream": stream, **burst}))
    return lines


def programs(config: Config) -> dict[str, Image]:
    """Return programs that end with one unit's last element each."""
    times = timing(config)
    after = times.acc_after_abc
    return {
        "nothing": timetable(config),
        "END alone": timetable(config, raw={"VXM_3": [encode("END")]}),
        "END late": timetable(config, raw={"C2C_0": [encode("NOP", count=77), encode("END")]}),
        "READ": timetable(config, (3, "MEM_W2", "READ", {})),
        "READ, long interval": timetable(config, (3, "MEM_W2", "READ", LONG)),
        "WRITE": timetable(config, *feed(config, "MEM_W1", 1, 40), (40, "MEM_W1", "WRITE", {"dir": WEST})),
        "WRITE, long interval": timetable(
            config, *feed(config, "MEM_W1", 1, 40, **LONG), (40, "MEM_W1", "WRITE", {"dir": WEST, **LONG})
        ),
        "PASS": timetable(config, (5, "VXM_2", "PASS", {"a_src": Source.ZERO, "b_src": Source.ZERO})),
        "SHIFT": timetable(
            config, *feed(config, "SXM_W.SHIFT0", 1, 40), (40, "SXM_W.SHIFT0", "SHIFT", {"src_dir": WEST})
        ),
        "TRANSPOSE": timetable(
            config,
            *feed(config, "SXM_W.TRANSPOSE", config.lanes, 40),
            (40, "SXM_W.TRANSPOSE", "TRANSPOSE", {"src_dir": WEST}),
        ),
        **{
            f"{mnemonic}, {unit}": timetable(
                config, *feed(config, unit, 2, 40), (40, unit, mnemonic, {f"{read}_dir": WEST, **fields})
            )
            for mnemonic, unit, read, fields in (
                ("PERMUTE", "SXM_W.PERMUTE", "src", {}),
                ("DISTRIBUTE", "SXM_W.DISTRIBUTE", "src", {}),
                ("ROTATE", "SXM_W.ROTATE", "src", {"size": 2}),
                ("LOADMAP", "SXM_W.PERMUTE", "map", {}),
                ("LOADMAP", "SXM_W.DISTRIBUTE", "map", {}),
            )
        },
        "LW": timetable(config, *feed(config, "MXM_W0.W", config.lanes, 40), (40, "MXM_W0.W", "LW", {"count": 1})),
        "ABC": timetable(
            config,
            *feed(config, "MXM_W1.A", 1, 40),
            (40, "MXM_W1.A", "ABC", {}),
            (40 + after, "MXM_W1.R", "ACC", {}),
        ),
        "ABC of fp16": timetable(
            config,
            *feed(config, "MXM_W0.A", 2, 40),
            (40, "MXM_W0.A", "ABC", {"dtype": DType.FP16, "interval": 2}),
            (40 + times.acc_after_fp16_abc, "MXM_W0.R", "ACC", {"float": 1, "interval": 2}),
        ),
        "ABC and ACC of fp16, long interval": timetable(
            config,
            *feed(config, "MXM_W0.A", 2, 40, **LONG),
            (40, "MXM_W0.A", "ABC", {"dtype": DType.FP16, **LONG}),
            (40 + times.acc_after_fp16_abc, "MXM_W0.R", "ACC", {"float": 1, "emit": 1, **LONG}),
        ),
        "ABC and ACC, long interval": timetable(
            config,
            *feed(config, "MXM_W1.A", 1, 40, **LONG),
            (40, "MXM_W1.A", "ABC", LONG),
            (40 + after, "MXM_W1.R", "ACC", {"emit": 1, **LONG}),
        ),
    }


@each_simulator
def test_run_length(simulator: str) -> None:
    """Each program twice: a second START runs the same words again."""
    made = programs(NANO)
    results = run_jobs_on_rtl([(image, [{}, {}]) for image in made.values()], simulator)
    for (name, image), runs in zip(made.items(), results, strict=True):
        expected = golden(image)
        assert isinstance(expected, int), f"{name}: {expected}"
        assert verified(image) == expected, name
        for result in runs:
            assert result.fault is None, f"{name}: {result.fault}"
            assert result.cycles == expected, name
