"""``python -m verif.compiler.fuzz``: random programs on the golden machine and RTL, and what became of them."""

import sys
from pathlib import Path

import click

from arch.errors import TaktError
from arch.presets import preset
from verif.compiler.fuzz.campaign import Campaign, Job, Summary
from verif.compiler.fuzz.expressions import Illegal
from verif.compiler.fuzz.graph import Graph
from verif.compiler.fuzz.judge import Outcome, judge
from verif.compiler.fuzz.shrink import TRIALS, shrink_verdict


class Span(click.ParamType):
    """``FIRST..LAST``, both of them included, or one number."""

    name = "FIRST..LAST"

    def convert(
        self, value: "str | tuple[int, int]", param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Return both ends."""
        if isinstance(value, tuple):
            return value
        first, _, last = value.partition("..")
        try:
            found = int(first), int(last or first)
        except ValueError:
            self.fail(f"span must be FIRST..LAST, not {value!r}", param, ctx)
        if not 0 <= found[0] <= found[1]:
            self.fail(f"span must go up from 0 or more, not be {value!r}", param, ctx)
        return found


@click.command()
@click.option("--preset", "name", default="nano", show_default=True, help="The machine.")
@click.option("--set", "settings", multiple=True, metavar="PARAMETER=VALUE", help="A parameter of it; repeatable.")
@click.option("--seeds", type=Span(), default=(0, 99), help="Seeds of the graphs.  [default: 0..99]")
@click.option("--ops", type=Span(), default=(2, 40), help="Operations of a graph.  [default: 2..40]")
@click.option("--largest", type=click.IntRange(1), default=70, show_default=True, help="Largest size of an axis.")
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="Processes.")
@click.option("--rtl-every", type=click.IntRange(0), default=0, help="Run every K-th graph on RTL too.")
@click.option("--simulator", type=click.Choice(["icarus", "verilator"]), default="icarus", show_default=True)
@click.option("--limit", type=float, default=0.0, help="CPU seconds after which a graph is given up.")
@click.option("--complete/--whole-vectors", default=True, help="Graphs in which results are used as any view, or not.")
@click.option("--shrink", is_flag=True, help="Make each failing graph minimal, and print its program.")
@click.option("--refusals", is_flag=True, help="With --shrink: the first graph of each refusal too.")
@click.option("--trials", type=click.IntRange(0), default=TRIALS, show_default=True, help="Graphs tried to shrink one.")
@click.option("--print", "shown", is_flag=True, help="Print the programs of the seeds instead of running them.")
@click.option(
    "--graph", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Graphs, as printed."
)
def main(
    name: str,
    settings: tuple[str, ...],
    seeds: tuple[int, int],
    ops: tuple[int, int],
    largest: int,
    jobs: int,
    rtl_every: int,
    simulator: str,
    limit: float,
    complete: bool,
    shrink: bool,
    refusals: bool,
    trials: int,
    shown: bool,
    file: Path | None,
) -> None:
    """Compile and run random programs; exit with 1 if one is wrong or crashes the compiler.

    \b
    python -m verif.compiler.fuzz --preset small --seeds 7000..8000
    python -m verif.compiler.fuzz --set mem_depth=2048 --seeds 1..200 --ops 2..8 --rtl-every 10
    python -m verif.compiler.fuzz --preset base --seeds 7012 --print
    """
    try:
        preset(name, settings)
    except TaktError as error:
        raise click.UsageError(str(error)) from None
    campaign = Campaign(name, settings, ops, largest, limit, complete)
    numbers = range(seeds[0], seeds[1] + 1)
    summary, firsts = Summary(), dict[str, Job]()
    if shown:
        for seed in numbers:
            click.echo(f"# seed {seed}\n{campaign.graph(seed).text()}\n")
        return
    for count, job in enumerate(_judged(file) if file else campaign.run(numbers, jobs), 1):
        summary.add(job)
        _tell(job, count, len(numbers))
        if job.verdict.outcome is Outcome.REFUSED:
            firsts.setdefault(job.verdict.kind, job)
        if rtl_every and count % rtl_every == 0 and job.verdict.outcome is Outcome.RIGHT:
            summary.wait(job, simulator)
    summary.run_waiting(simulator)
    click.echo("\n".join(summary.lines()))
    for job in [*summary.failures, *(firsts.values() if refusals else ())] if shrink else ():
        _show(job, trials)
    sys.exit(1 if summary.failures else 0)


def _judged(file: Path) -> "list[Job]":
    """Return the graphs of a file's lines, judged."""
    lines = [line.removeprefix("# ") for line in file.read_text().splitlines() if line.startswith(("{", "# {"))]
    jobs = []
    for number, line in enumerate(lines):
        try:
            graph = Graph.from_json(line)
            jobs.append(Job(number, graph, judge(graph)))
        except (Illegal, LookupError, TaktError, TypeError, ValueError) as error:
            raise click.UsageError(f"graph {number} of {file} must be a line as --shrink prints it: {error}") from None
    return jobs


def _tell(job: Job, count: int, all_of_them: int) -> None:
    """Say on stderr how far it is, and at once what failed."""
    verdict = job.verdict
    if verdict.outcome in (Outcome.WRONG, Outcome.CRASHED):
        click.echo(
            f"seed {job.seed}, {job.graph.operations()} operations: {verdict.outcome}: {verdict.message}", err=True
        )
    elif count % 20 == 0:
        click.echo(f"{count} of {all_of_them}", err=True)


def _show(job: Job, trials: int) -> None:
    """Print the minimal program of a graph, to be pasted."""
    if job.verdict.message.startswith("on RTL"):
        # The golden machine is right: only the whole graph shows it.
        graph, verdict = job.graph, job.verdict
    else:
        graph = shrink_verdict(job.graph, trials)
        verdict = judge(graph)
    message = "\n# ".join(f"{verdict.outcome}: {verdict.message}".splitlines())
    click.echo(f"\n# seed {job.seed}, {graph.operations()} operations, {message}\n{graph.text()}\n# {graph.to_json()}")


if __name__ == "__main__":
    main()
