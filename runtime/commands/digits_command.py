"""``takt digits``."""

from pathlib import Path
from typing import Any

import click

from arch.config import Config
from runtime.backend import make_backend
from runtime.console import show_table, terminal_width, working, write_json
from runtime.digits.data import HELD_OUT
from runtime.digits.draw import DIGIT_WIDTH, draw_digits
from runtime.digits.evaluate import DigitsResult, evaluate_digits
from runtime.options import Command, OutputFile, backend_option, check_apart, examples, json_option, machine_options
from runtime.report import show_mismatches, show_wave_file
from runtime.run import WaveFile

__all__ = ["command", "digits_figures", "show_digits"]

_DRAWN = 5

_EPILOG = examples(
    "takt digits",
    "takt digits --backend golden --count 60",
    "takt digits --preset nano --backend icarus --count 10 --json digits.json",
)


@click.command("digits", cls=Command, epilog=_EPILOG)
@machine_options()
@backend_option()
@click.option("--count", type=int, default=HELD_OUT, show_default=True, help="Held-out images to run.")
@click.option("--wave", type=OutputFile(".fst"), help="Record the RTL run, with a GTKWave save file beside it.")
@click.option("--save-image", "image_file", type=OutputFile(), help="Write the program, for disasm, timetable and run.")
@json_option
def command(
    config: Config,
    backend: str,
    count: int,
    wave: Path | None,
    image_file: Path | None,
    json_file: Path | None,
) -> None:
    """Read handwritten digits: train a small network, quantise it to INT8, compile it, run images it never saw.

    Every logit is compared with the golden model and with plain NumPy.
    """
    check_apart({"--wave": wave, "--save-image": image_file, "--json": json_file})
    wave_file = WaveFile(wave) if wave is not None else None
    machine = make_backend(backend, wave_file, working)
    with working(f"digits: training, compiling, running {count} images on {backend}"):
        result = evaluate_digits(config, machine, count)
    if image_file is not None:
        result.image.save(image_file)
    figures = digits_figures(result)
    if json_file is not None:
        write_json(json_file, figures)
    if str(json_file) != "-":
        show_digits(result)
    show_mismatches(result.measurement, err=str(json_file) == "-")
    show_wave_file(wave_file)
    if not result.measurement.right:
        raise click.exceptions.Exit(1)


def digits_figures(result: DigitsResult) -> dict[str, Any]:
    """Return the figures of a run, for JSON."""
    run = result.measurement
    return {
        "preset": run.config_name,
        "backend": run.backend,
        "count": len(result.labels),
        "batch": result.batch,
        "accuracy": result.accuracy,
        "float_accuracy": result.float_accuracy,
        "numpy_int8_accuracy": result.numpy_accuracy,
        "predicted_cycles": run.predicted_cycles,
        "golden_cycles": run.golden_cycles,
        "cycles": run.cycles,
        "cycles_per_image": result.cycles_per_image,
        "utilisation": run.utilisation,
        "matches_golden": run.matches_golden,
        "matches_numpy": run.matches_expected,
        "mismatches": list(run.mismatches),
        "sim_cycles_per_s": run.sim_cycles_per_s,
    }


def show_digits(result: DigitsResult) -> None:
    """Print a few images with their answers, and the accuracies."""
    run = result.measurement
    wrong = (result.answers != result.labels).nonzero()[0]
    fit = max(1, ((terminal_width() or _DRAWN * DIGIT_WIDTH) + 2) // DIGIT_WIDTH)
    drawn = [*range(min(_DRAWN, fit, len(result.labels)))]
    if wrong.size and int(wrong[0]) not in drawn:
        drawn[-1] = int(wrong[0])
    said = [(int(result.answers[i]), int(result.labels[i])) for i in drawn]
    captions = [str(answer) if answer == label else f"{answer}, is {label}" for answer, label in said]
    click.echo(draw_digits(result.pixels[drawn], captions))
    click.echo()
    rows = [
        ("float, NumPy", f"{result.float_accuracy:.2%}", "-", "-"),
        ("INT8, NumPy", f"{result.numpy_accuracy:.2%}", "-", "-"),
        (
            f"INT8, {run.backend}",
            f"{result.accuracy:.2%}",
            "yes" if run.matches_expected else "NO",
            "yes" if run.matches_golden else "NO",
        ),
    ]
    columns = ("network", "accuracy", "logits = NumPy", "logits = golden")
    show_table(columns, rows, f"{len(result.labels)} held-out images")
    click.echo()
    click.echo(
        f"{result.cycles_per_image:.1f} cycles per image: {run.cycles:,} for a batch of {result.batch} "
        f"({run.predicted_cycles:,} predicted), {run.sim_cycles_per_s:,.0f} cycles/s on {run.backend}"
    )
