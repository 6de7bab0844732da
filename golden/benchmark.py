"""Speed of the golden machine: ``python -m golden.benchmark [PRESET ...]``.

The program keeps one plane as busy as it can be: a weight load, an activation and a result in every cycle, from as many
MEM slices as a load has streams, through accumulator memory, a chain of six ALUs (bias, conversion, scale, conversion,
zero point, relu) and back into MEM.
"""

import sys
import time
from collections.abc import Sequence

from arch.config import Config
from arch.formats import DType
from arch.geometry import Direction, Hemisphere, Unit, mem_slice, mxm_position, units, vxm_position
from arch.isa.codes import Source
from arch.isa.encoding import encode
from arch.isa.timeline import queue_words
from arch.presets import preset
from arch.timing import timing
from golden.machine.latency import d_func, d_skew
from golden.machine.machine import Machine


def steady_state(config: Config, cycles: int) -> dict[int, list[int]]:
    """Return queue words of a program that does a bit of everything in each of about `cycles` cycles.

    East slices 0 .. lanes - 1 hold weights, slice `lanes` (or the last one there is) holds activations in its upper
    bank; west slices 4 .. 7 hold a scale in word 0, one byte of it each; results go to west slice 0. Every memory is
    read around and around.
    """
    table = timing(config)
    named = {unit.name: unit for unit in units(config)}
    lanes, blocks = config.lanes, config.superlanes
    middle, edge = vxm_position(config), mxm_position(config, Hemisphere.EAST)
    load = d_func(config, "READ") + (edge - middle)
    activate = load + blocks + table.install_after_load
    collect = activate + table.acc_after_abc
    result = collect + d_func(config, "ACC") + (edge - middle) - d_skew(config, "ADD")
    programs: dict[int, list[int]] = {}

    def put(unit: Unit, issue: int, word: int, length: int) -> None:
        again = encode("REPEAT", count=max(cycles // length - 1, 1), interval=length)
        programs[unit.id] = [*queue_words([(issue, word)], close=False), again, encode("END")]

    def read(index: int, stream: int, addr: int, arrival: int) -> None:
        unit = named[f"MEM_E{index}"]
        issue = arrival - d_func(config, "READ") - (edge - unit.position)
        word = encode("READ", dir=Direction.EAST, stream=stream, addr=addr, stride=1, count=length, interval=1)
        put(unit, issue, word, length)

    length = min(config.mem_depth, cycles // 2) // blocks * blocks
    cycles = cycles // length * length
    streams = min(lanes, config.mem_slices - 1)
    for stream in range(streams):
        read(stream, stream, 0, load + d_skew(config, "LW"))
    read(streams, lanes, config.mem_depth, activate + d_skew(config, "ABC"))
    put(named["MXM_E0.W"], load, encode("LW", stream=0, count=blocks), blocks)
    abc = encode("ABC", stream=lanes, count=blocks, interval=1, install=1)
    put(named["MXM_E0.A"], activate, abc, blocks)
    acc = encode("ACC", addr=0, stride=1, count=length, interval=1, add=1, emit=1, stream=0)
    put(named["MXM_E0.R"], collect, acc, length)
    for byte in range(4):
        unit = named[f"MEM_W{4 + byte}"]
        issue = result + 2 * table.chain + d_skew(config, "MUL") - d_func(config, "READ") - (middle - unit.position)
        word = encode("READ", dir=Direction.EAST, stream=byte, count=length, interval=1)
        put(unit, issue, word, length)
    for step, word in enumerate(_requantise(config)):
        put(named[f"VXM_{step}"], result + step * table.chain, word, 1)
    output = result + 5 * table.chain + d_func(config, "MAX")
    target = named[f"MEM_{Hemisphere.WEST.name[0]}0"]
    store = output + (middle - target.position) - d_skew(config, "WRITE")
    put(target, store, encode("WRITE", dir=Direction.WEST, stream=4, stride=1, count=length, interval=1), length)
    assert target.id == mem_slice(config, Hemisphere.WEST, 0)
    return programs


def _requantise(config: Config) -> Sequence[int]:
    int8, int32, fp32 = DType.INT8, DType.INT32, DType.FP32
    steps: tuple[tuple[str, dict[str, int]], ...] = (
        ("ADD", {"dtype": int32, "out_dtype": int32, "a_src": Source.STREAM, "a_dir": Direction.WEST}),
        ("CVT", {"dtype": int32, "out_dtype": fp32}),
        ("MUL", {"dtype": fp32, "out_dtype": fp32, "b_src": Source.STREAM, "b_dir": Direction.EAST}),
        ("CVT", {"dtype": fp32, "out_dtype": int32}),
        ("ADD", {"dtype": int32, "out_dtype": int8, "saturate": 1}),
        ("MAX", {"dtype": int8, "out_dtype": int8, "drive": 1, "dst_dir": Direction.WEST, "dst": 4}),
    )
    words = []
    for step, (mnemonic, fields) in enumerate(steps):
        previous = {"a_src": Source.MESH, "a_index": (step - 1) // config.alu_cols, "b_src": Source.ZERO}
        words.append(encode(mnemonic, **{**(previous if step else {"b_src": Source.ZERO}), **fields}))
    return words


def measure(config: Config, cycles: int) -> tuple[float, float]:
    """Return machine cycles per second, and per second of processor time, on the steady-state program.

    The two differ where other processes have the processor.
    """
    machine = Machine(config)
    machine.set_queues(steady_state(config, cycles))
    wall, processor = time.perf_counter(), time.process_time()
    ran = machine.run()
    return ran / (time.perf_counter() - wall), ran / (time.process_time() - processor)


def main(names: Sequence[str]) -> None:
    """Print the speed of each named preset."""
    for name in names:
        wall, processor = measure(preset(name), 8192)
        print(f"{name:>9} {wall:10,.0f} cycles/s {processor:10,.0f} cycles per processor second")


if __name__ == "__main__":
    main(sys.argv[1:] or ("small", "base"))
