"""``takt gemm``."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from arch.config import Config
from arch.errors import TaktError
from runtime.backend import make_backend
from runtime.console import show_table, working, write_json
from runtime.gemm import FORMATS, Gemm, blank_gemm, compile_gemm, gemm_reference, randomised
from runtime.measure import Measurement, measure
from runtime.npy import load_array, save_array
from runtime.options import Command, OutputFile, backend_option, check_apart, examples, json_option, machine_options
from runtime.report import show_mismatches, show_wave_file
from runtime.run import WaveFile

__all__ = ["command"]

_EPILOG = examples(
    "takt gemm -m 64 -k 64 -n 64",
    "takt gemm -m 37 -k 129 -n 83 --preset nano --backend icarus",
    "takt gemm --a A.npy --b B.npy --bias bias.npy --scale scale.npy --relu --out C.npy",
    "takt gemm -m 128 -k 128 -n 128 --dtype fp16",
    "takt gemm -m 8 -k 8 -n 8 --preset nano --backend icarus --wave gemm.fst",
    "takt gemm -m 512 -k 512 -n 512 --set superlanes=2 --set mem_depth=2048 --planes 1 --json -",
)


@click.command("gemm", cls=Command, epilog=_EPILOG)
@click.option("--a", "a_file", metavar="A.npy", help="Matrix (m, k).")
@click.option("--b", "b_file", metavar="B.npy", help="Matrix (k, n).")
@click.option("-m", type=int, help="Rows of a random A.")
@click.option("-k", type=int, help="Columns of A, rows of B.")
@click.option("-n", type=int, help="Columns of a random B.")
@click.option("--seed", type=int, help="Of the random matrices.  [default: 0]")
@click.option("--bias", "bias_file", metavar="B.npy", help="int32 (n,), added to every row.")
@click.option("--scale", "scale_file", metavar="S.npy", help="float32 () or (n,): the result is int8. Else int32.")
@click.option("--relu", is_flag=True, help="Negative results become 0.")
@click.option("--dtype", default="int8", show_default=True, help="Format of A and B: int8 or fp16.")
@machine_options()
@backend_option("golden")
@click.option("--planes", type=int, help="MXM planes to use; else as many as pay.")
@click.option("--out", "out_file", type=OutputFile(".npy"), help="Write the result (m, n).")
@click.option("--wave", type=OutputFile(".fst"), help="Record the RTL run, with a GTKWave save file beside it.")
@click.option("--save-image", "image_file", type=OutputFile(), help="Write the program, for disasm, timetable and run.")
@json_option
def command(
    config: Config,
    backend: str,
    seed: int | None,
    dtype: str,
    planes: int | None,
    out_file: Path | None,
    wave: Path | None,
    image_file: Path | None,
    json_file: Path | None,
    **problem: Any,
) -> None:
    """Multiply two matrices: compile, run, and compare with the golden model and NumPy.

    The result of int8 matrices is int32 without a scale, int8 with one: saturate(round(float32(A @ B + bias) * scale)).
    That of float16 matrices (--dtype fp16) is float32: exact sums of as many products as a vector is long, rounded
    once and added up.
    """
    if dtype not in FORMATS:
        raise TaktError(f"dtype must be {' or '.join(FORMATS)}, not {dtype!r}")
    if planes is not None and not 1 <= planes <= config.planes:
        raise TaktError(f"planes must be 1 to {config.planes}, not {planes}")
    check_apart(
        {"--out": out_file, "--wave": wave, "--save-image": image_file, "--json": json_file},
        {f"--{name}": problem[f"{name}_file"] for name in ("a", "b", "bias", "scale")},
    )
    if seed is not None and seed < 0:
        raise TaktError(f"seed must be at least 0, not {seed}")
    wave_file = WaveFile(wave) if wave is not None else None
    machine = make_backend(backend, wave_file, working)
    gemm = _problem(dtype=dtype, seed=seed, **problem)
    m, k, n = gemm.shape
    with working(f"compiling {m}x{k}x{n} for {config.name}"):
        image = compile_gemm(config, gemm, planes)
    if image_file is not None:
        image.save(image_file)
    if problem["a_file"] is None:
        gemm = randomised(gemm, seed or 0)
    with working(f"running {image.cycles:,} cycles on {backend}"):
        result = measure(image, [{"a": gemm.a, "b": gemm.b}], machine, [{"c": gemm_reference(gemm, config)}])
    if out_file is not None:
        save_array(out_file, result.outputs[0]["c"])
    figures = _figures(result, gemm, dtype, seed or 0 if problem["a_file"] is None else None)
    if json_file is not None:
        write_json(json_file, figures | {"mismatches": list(result.mismatches)})
    if str(json_file) != "-":
        show_table(("", result.work), [(name.replace("_", " "), _text(name, value)) for name, value in figures.items()])
    show_mismatches(result, err=str(json_file) == "-")
    show_wave_file(wave_file)
    if not result.right:
        raise click.exceptions.Exit(1)


def _problem(
    *,
    dtype: str,
    a_file: str | None,
    b_file: str | None,
    m: int | None,
    k: int | None,
    n: int | None,
    seed: int | None,
    bias_file: str | None,
    scale_file: str | None,
    relu: bool,
) -> Gemm:
    sizes = (m, k, n)
    if a_file and b_file:
        if any(size is not None for size in sizes) or seed is not None:
            raise TaktError("--a and --b already say what to multiply: leave out -m, -k, -n and --seed")
        gemm = Gemm(a=load_array(a_file, "A", FORMATS[dtype], 2), b=load_array(b_file, "B", FORMATS[dtype], 2))
    elif a_file or b_file:
        raise TaktError(f"--a and --b must be given together, not only {'--a' if a_file else '--b'}")
    elif m is None or k is None or n is None:
        raise TaktError("what to multiply must be given by --a and --b, or by -m, -k and -n")
    else:
        gemm = blank_gemm(m, k, n, dtype)
    return replace(
        gemm,
        bias=load_array(bias_file, "bias", "int32", 1) if bias_file else None,
        scale=load_array(scale_file, "scale", "float32") if scale_file else None,
        relu=relu,
    )


def _figures(result: Measurement, gemm: Gemm, dtype: str, seed: int | None) -> dict[str, Any]:
    m, k, n = gemm.shape
    return {
        "preset": result.config_name,
        "backend": result.backend,
        "dtype": dtype,
        "m": m,
        "k": k,
        "n": n,
        "planes": result.planes,
        "predicted_cycles": result.predicted_cycles,
        "golden_cycles": result.golden_cycles,
        "cycles": result.cycles,
        "macs": gemm.macs,
        "utilisation": result.utilisation,
        "matches_golden": result.matches_golden,
        "matches_numpy": result.matches_expected,
        "seed": seed,
        "sim_cycles_per_s": result.sim_cycles_per_s,
    }


def _text(name: str, value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "NO"
    if isinstance(value, str):
        return value
    return f"{value:.2%}" if name == "utilisation" else f"{value:,.0f}"
