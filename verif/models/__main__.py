"""``python -m verif.models``: ONNX's node tests on this machine, and the page about them."""

import re
import sys
from collections import Counter
from pathlib import Path

import click

from arch.document import insert
from arch.errors import TaktError
from verif.models.conformance import FAILED, KNOWN, PASSED, Outcome, node_tests, run_tests
from verif.models.page import sections


def markers(name: str) -> tuple[str, str]:
    """Return what encloses a part in the document."""
    return f"<!-- onnx {name} -->", f"<!-- /onnx {name} -->"


@click.command()
@click.option("-k", "pattern", default="", help="Run tests whose name this regular expression finds.")
@click.option("--limit", default=60.0, show_default=True, help="Give a test up after so many CPU seconds.")
@click.option("--markdown", "document", type=click.Path(path_type=Path), help="Write each part between its markers.")
def main(pattern: str, limit: float, document: Path | None) -> None:
    """Run node tests, print what did not pass, and count."""
    if pattern and document is not None:
        raise click.UsageError("the document is of all tests: leave out -k")
    outcomes: list[Outcome] = []
    for outcome in run_tests((test for test in node_tests() if re.search(pattern, test.name)), limit):
        outcomes.append(outcome)
        if outcome.status not in (PASSED, KNOWN):
            print(f"{outcome.name}: {outcome.status}: {outcome.reason}", flush=True)
    counts = Counter(outcome.status for outcome in outcomes)
    print(", ".join(f"{number} {status}" for status, number in counts.most_common()))
    try:
        if document is not None:
            for name, text in sections(outcomes).items():
                insert(document, *markers(name), text)
    except TaktError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(2)
    if counts[FAILED]:
        sys.exit(1)


if __name__ == "__main__":
    main()
