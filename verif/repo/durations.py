"""``python -m verif.repo.durations``: the tests that cost most, and what each is for.

``make test`` leaves what each test cost in ``build/tests.xml``. What a test is for is the first paragraph of its
docstring, or of its file's where the test's name says the rest.
"""

import ast
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from arch.document import insert
from arch.errors import TaktError
from verif.cost import PROPERTY
from verif.repo.files import ROOT

__all__ = ["Cost", "costs", "purpose", "table"]

START, STOP = "<!-- verif durations -->", "<!-- /verif durations -->"
"""What encloses the table in a document."""

REPORT = ROOT / "build" / "tests.xml"


@dataclass(frozen=True)
class Cost:
    """What the cases of one test function took.

    Attributes
    ----------
    test
        ``path::function``.
    cases
        How many sets of parameters it ran with.
    seconds
        CPU seconds of all cases.
    """

    test: str
    cases: int
    seconds: float


def costs(report: Path) -> list[Cost]:
    """Return the cost of every test function of a JUnit report, the highest first.

    Raises
    ------
    ValueError
        If the report has no costs.
    """
    found: dict[str, list[float]] = {}
    for case in ET.parse(report).iter("testcase"):
        seconds = [item.get("value", "") for item in case.iter("property") if item.get("name") == PROPERTY]
        if seconds:
            path = case.get("classname", "").replace(".", "/") + ".py"
            function = case.get("name", "").partition("[")[0]
            found.setdefault(f"{path}::{function}", []).append(float(seconds[-1]))
    if not found:
        raise ValueError(f"{report} must hold {PROPERTY} of tests, not none")
    listed = [Cost(test, len(each), sum(each)) for test, each in found.items()]
    return sorted(listed, key=lambda cost: (-cost.seconds, cost.test))


def purpose(test: str) -> str:
    """Return the first paragraph of a test's docstring, or else of its file's, as one line; empty if both lack one.

    Raises
    ------
    LookupError
        If there is no such test.
    """
    path, _, name = test.partition("::")
    if (ROOT / path).is_file():
        file = ast.parse((ROOT / path).read_text())
        for node in file.body:
            if isinstance(node, ast.FunctionDef) and node.name == name:
                text = ast.get_docstring(node) or ast.get_docstring(file) or ""
                return " ".join(text.partition("\n\n")[0].split())
    raise LookupError(f"{test} must be a test of this folder")


def table(found: list[Cost], count: int) -> str:
    """Return the first of `found` as a Markdown table, and what all of them took."""
    return "\n".join(_lines(found, count))


def _lines(found: list[Cost], count: int) -> Iterator[str]:
    everything = sum(cost.seconds for cost in found)
    cases = sum(cost.cases for cost in found)
    first = sum(cost.seconds for cost in found[:count])
    yield f"The {cases:,} tests of the report took {everything / 60:.0f} minutes of CPU, {first / 60:.0f} in the"
    yield f"{count} functions below, out of {len(found)}."
    yield ""
    yield "| CPU s | cases | test | what it is for |"
    yield "| ---: | ---: | --- | --- |"
    for cost in found[:count]:
        path, _, name = cost.test.partition("::")
        text = purpose(cost.test).replace("|", "\\|")
        yield f"| {cost.seconds:.0f} | {cost.cases} | [`{name}`](../{path}) | {text} |"


@click.command()
@click.option("--report", type=click.Path(exists=True, path_type=Path), default=REPORT, help="build/tests.xml.")
@click.option("--count", type=click.IntRange(min=1), default=30, show_default=True, help="How many tests to list.")
@click.option("--markdown", "document", type=click.Path(path_type=Path), help=f"Write between {START} and {STOP}.")
def main(report: Path, count: int, document: Path | None) -> None:
    """Print the tests that cost most CPU, with what each is for; fail if one of them does not say so."""
    try:
        found = costs(report)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    text = table(found, count)
    print(text)
    if document is not None:
        try:
            insert(document, START, STOP, text)
        except TaktError as error:
            raise click.ClickException(str(error)) from None
    silent = [cost.test for cost in found[:count] if not purpose(cost.test)]
    if silent:
        raise click.ClickException(
            f"docstrings must say what every test listed is for, which is not so of {', '.join(silent)}"
        )


if __name__ == "__main__":
    main()
