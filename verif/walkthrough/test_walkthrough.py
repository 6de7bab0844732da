"""docs/compiler.md shows what the compiler does with its example today."""

import re

import numpy as np
import pytest
from click.testing import CliRunner

from arch.document import markers
from arch.image import Image
from compiler.ir.matmul import MatMul
from compiler.place.lowerings import LOWERINGS
from runtime.backend import make_backend
from verif.repo.files import ROOT
from verif.walkthrough.__main__ import main
from verif.walkthrough.example import residual_chain, residual_layer
from verif.walkthrough.recorder import APART, COPY, LOOSE, WAIT, Recording, record
from verif.walkthrough.sections import sections

DOCUMENT = ROOT / "docs" / "compiler.md"
AGAIN = "run: python -m verif.walkthrough --markdown docs/compiler.md"


@pytest.fixture(scope="module")
def parts() -> dict[str, str]:
    return sections()


@pytest.fixture(scope="module")
def found() -> Recording:
    return record(residual_layer)


def test_every_part_is_todays(parts: dict[str, str]) -> None:
    text = DOCUMENT.read_text()
    for name, part in parts.items():
        start, stop = markers(f"walkthrough {name}")
        assert text.count(start) == text.count(stop) == 1, name
        assert text.partition(start)[2].partition(stop)[0].strip("\n") == part.strip("\n"), f"{name}: {AGAIN}"
    assert set(re.findall(r"<!-- walkthrough (\w+) -->", text)) == set(parts)


def test_words_between_the_parts_hold_no_cycles(parts: dict[str, str]) -> None:
    text = DOCUMENT.read_text()
    for name in parts:
        start, stop = markers(f"walkthrough {name}")
        before, _, rest = text.partition(start)
        text = before + rest.partition(stop)[2]
    assert re.findall(r"\b\d+ (?:cycles|words|bytes|instructions)\b", text) == []


def test_recording_changes_nothing(found: Recording) -> None:
    plain = residual_layer().compile()
    assert plain.cycles == found.image.cycles
    assert {queue: words.tolist() for queue, words in plain.queues.items()} == {
        queue: words.tolist() for queue, words in found.image.queues.items()
    }


def test_the_example_does_what_the_page_says(found: Recording) -> None:
    """The image's result is that of the formula, in the cycles of the page."""
    rng = np.random.default_rng(0)
    w = rng.integers(-128, 128, (32, 32), dtype=np.int8).astype(np.int64)
    b = rng.integers(-999, 1000, 32, dtype=np.int32)
    x = np.random.default_rng(1).integers(-128, 128, (24, 32), dtype=np.int8)
    sums = (x.astype(np.int64) @ w + b).astype(np.float32)
    y = np.clip(np.rint(np.maximum(sums * np.float32(0.01), 0)), -128, 127).astype(np.int32)
    result = make_backend("golden").run(found.image, [{"x": x}])[0]
    assert result.cycles == found.image.cycles
    np.testing.assert_array_equal(result.outputs["z"], (y + x).astype(np.int8))


def test_every_kind_of_operation_has_a_row(parts: dict[str, str]) -> None:
    assert parts["lowerings"].count("\n") == len(LOWERINGS) + 1
    assert all(f"`{kind.__name__}`" in parts["lowerings"] for kind in LOWERINGS)


def test_every_repair_is_shown(parts: dict[str, str]) -> None:
    assert {kind for kind in (APART, COPY, LOOSE, WAIT) if kind in parts["repairs"]} == {APART, COPY, LOOSE, WAIT}
    assert all(f"* *{kind}*" in DOCUMENT.read_text() for kind in (APART, COPY, LOOSE, WAIT))


def test_a_repair_is_what_was_placed() -> None:
    """A product that is said to be apart has a pass of its own among what was committed."""
    found = record(lambda: residual_chain(90, 16, 128))
    assert APART in found.core.repairs
    bare = [trial.op for trial in found.core.committed if isinstance(trial.op, MatMul) and trial.op.epilogue is None]
    assert bare and all(op not in found.core.operations for op in bare)


def test_the_command_writes_what_it_prints(tmp_path, parts: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("verif.walkthrough.__main__.sections", lambda: parts)
    page = tmp_path / "page.md"
    enclosed = [markers(f"walkthrough {name}") for name in parts]
    page.write_text("\n".join(f"{start}\noutdated\n{stop}" for start, stop in enclosed))
    done = CliRunner().invoke(main, ["--markdown", str(page), "--save-image", str(tmp_path / "example.takt")])
    assert done.exit_code == 0, done.output
    assert "outdated" not in page.read_text() and parts["diagonals"] in page.read_text()
    assert Image.load(tmp_path / "example.takt").cycles == residual_layer().compile().cycles
    page.write_text("nothing")
    assert CliRunner().invoke(main, ["--markdown", str(page)]).exit_code == 2
