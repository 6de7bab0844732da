"""Random calls of ``takt gemm`` and ``takt kernel``: legal ones, almost legal ones, and nonsense."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from arch.config import Config
from compiler.library.catalogue import KERNELS
from compiler.library.kernel import Argument

Generator = np.random.Generator

NUMBERS = ("0", "1", "2", "3", "4", "7", "8", "16", "20", "32")
WILD = (
    "-1",
    "-3",
    "21",
    "312",
    "132",
    "99",
    "65536",
    "1000000007",
    "-9223372036854775809",
    "1" + 30 * "0",
    "1.5",
    "1e300",
    "1e-60",
    "-0.0",
    "nan",
    "inf",
    "-inf",
    "0x10",
    "1_0",
    "true",
    "x",
    " ",
    "٣",
)
LEGAL_SETTINGS: dict[str, tuple[str, ...]] = {
    "superlanes": ("1", "2", "3"),
    "mem_depth": ("256", "1024", "2048"),
    "sram_latency": ("1", "2"),
    "planes": ("2", "4"),
    "acc_depth": ("4", "16", "256"),
    "alu_rows": ("2", "3", "4"),
    "alu_cols": ("2", "4"),
    "queue_depth": ("256", "1024"),
    "links": ("0", "2"),
    "ecc": ("true", "0"),
    "checks": ("false", "1"),
    "clock_hz": ("1e6", "2000000000"),
}
DTYPES = ("int8", "int16", "int32", "float16", "float32", "float64", "uint8", "bool", "complex64", ">f4", "<U3")


def chance(rng: Generator, share: float) -> bool:
    """Return True in a share of all cases."""
    return bool(rng.random() < share)


def a_number(rng: Generator, wild: float = 0.3) -> str:
    """Return a number as somebody types it."""
    return str(rng.choice(WILD if chance(rng, wild) else NUMBERS))


def machine(rng: Generator) -> list[str]:
    """Return the options of a machine."""
    found = ["--preset", str(rng.choice(["nano", "small"]) if chance(rng, 0.97) else rng.choice(["", "tiny", "NANO"]))]
    if chance(rng, 0.3):
        for name in rng.choice(list(LEGAL_SETTINGS), rng.integers(1, 4), replace=chance(rng, 0.1)):
            found += ["--set", f"{name}={rng.choice(LEGAL_SETTINGS[name])}"]
    elif chance(rng, 0.3):
        names = [*(field.name for field in dataclasses.fields(Config)), "", "lane"]
        found += ["--set", f"{rng.choice(names)}{rng.choice(['=', '=', '=', '', '=='])}{a_number(rng, 0.6)}"]
    return found


def product(rng: Generator) -> list[str]:
    """Return a call of ``takt gemm``."""
    found = ["gemm"]
    for name in "mkn":
        if chance(rng, 0.97):
            found += [f"-{name}", a_number(rng, 0.1)]
    for option, share in (("--seed", 0.3), ("--planes", 0.3)):
        if chance(rng, share):
            found += [option, a_number(rng)]
    if chance(rng, 0.4):
        found += ["--dtype", str(rng.choice(["int8", "fp16", "fp16", "float16", "INT8"]))]
    if chance(rng, 0.1):
        found.append("--relu")
    return [*found, *machine(rng), "--json", "-"]


def kernel(rng: Generator, folder: Path) -> list[str]:
    """Return a call of ``takt kernel``, having written its arrays into a folder."""
    item = KERNELS[str(rng.choice(list(KERNELS)))]
    found = ["kernel", item.name if chance(rng, 0.98) else item.name.upper()]
    sizes: dict[str, int] = {}
    dtype = str(rng.choice(item.arguments[0].dtypes))
    for argument in item.arguments:
        if chance(rng, 0.5 if argument.optional else 0.99):
            array = _array(rng, argument, sizes, dtype)
            np.save(folder / f"{argument.name}.npy", array)
            found += ["--in", f"{argument.name}={folder}/{argument.name}.npy"]
    for parameter in item.parameters:
        if chance(rng, 0.5):
            text = a_number(rng)
            if parameter.name == "axes" and chance(rng, 0.5):
                text = "".join(map(str, rng.permutation(sizes.get("...", 0) + 1) + 1))
            found += ["--param", f"{parameter.name}={text}"]
    if chance(rng, 0.03):
        found += ["--param", str(rng.choice(["axes=0", "axes", "=3", "epsilon=", "depth=3"]))]
    return [*found, *machine(rng), "--json", "-"]


def _array(rng: Generator, argument: Argument, sizes: dict[str, int], dtype: str) -> np.ndarray[Any, Any]:
    """Return an array that an argument takes, or now and then one that it does not."""
    shape: list[int] = []
    for part in (part.strip() for part in argument.shape.split(",")):
        if part == "...":
            shape += [int(size) for size in rng.integers(1, 4, sizes.setdefault(part, int(rng.integers(0, 3))))]
            continue
        times, _, name = part.rpartition("*")
        if name == "e" and "d" in sizes and argument.dtypes == ("float32",):  # of rope: half of d
            sizes.setdefault(name, max(sizes["d"] // 2, 1))
        size = sizes.setdefault(name, int(rng.integers(1, 10)))
        shape.append(size * int(times or 1))
    kind = dtype if dtype in argument.dtypes else argument.dtypes[0]
    if chance(rng, 0.02):
        kind = str(rng.choice(DTYPES))
    if chance(rng, 0.02):
        shape = [[], [0], [*shape, 1], shape[:-1], [size + 1 for size in shape]][int(rng.integers(5))]
    if kind in ("int32", "int16"):
        return rng.integers(-1 if chance(rng, 0.1) else 0, 5, shape).astype(kind)
    with np.errstate(all="ignore"):
        values = rng.normal(size=shape) * 10.0 ** rng.integers(-4, 5)
        if chance(rng, 0.1):
            values = np.where(rng.random(shape) < 0.3, rng.choice([np.nan, np.inf, -np.inf, -0.0]), values)
        return np.nan_to_num(values).astype(kind) if np.dtype(kind).kind in "iub" else values.astype(kind)


def parameter_set(rng: Generator, folder: Path) -> list[str]:
    """Return a random call of a command."""
    return product(rng) if chance(rng, 0.3) else kernel(rng, folder)
