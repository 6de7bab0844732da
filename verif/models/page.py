"""docs/onnx.md: what became of ONNX's node tests, as tables."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence

import onnx

from models.onnx_backend import MACHINE
from runtime.table import markdown_table
from verif.models.conformance import FAILED, KNOWN, PASSED, UNFINISHED, UNFIT, UNSUPPORTED, Outcome

_WHERE = re.compile(r"^(node '[^']*' \([^)]*\): |(input|graph) '[^']*':? )+")
_NAME = re.compile(r"'[^']*'")
_NUMBERS = re.compile(r"\b\d[\d,]*\b")
_TYPES = re.compile(r"element type must be one of .*, not (\w+)$")


def sections(outcomes: Sequence[Outcome]) -> dict[str, str]:
    """Return the generated parts of the page by name."""
    return {"summary": _summary(outcomes), "operators": _operators(outcomes), "reasons": _reasons(outcomes)}


def kind_of(reason: str) -> str:
    """Return a reason without what belongs to one test: node, names, numbers."""
    text = _WHERE.sub("", reason)
    if found := _TYPES.search(text):
        return f"element type {found[1]}: no unit of the chip computes in it"
    if "has no lowering" in text:
        return "operator has no lowering"
    if "must be known when the model is compiled" in text:
        return "a value that must be known when the model is compiled is computed from inputs"
    if "must be a tensor" in text:
        return "sequences and optional values"
    return _NUMBERS.sub("N", _NAME.sub("...", text))


def _summary(outcomes: Sequence[Outcome]) -> str:
    counts = Counter(outcome.status for outcome in outcomes)
    rows = [
        ("passed on the chip", str(counts[PASSED])),
        ("passed, all outputs known when the model is compiled", str(counts[KNOWN])),
        ("not supported", str(counts[UNSUPPORTED])),
        ("failed", str(counts[FAILED])),
        (
            "unfit: by float64 the chip is right, and the test off by more than its tolerance",
            str(counts[UNFIT]),
        ),
        ("not finished in time", str(counts[UNFINISHED])),
        ("all", str(len(outcomes))),
    ]
    head = (
        f"The {len(outcomes)} node tests of onnx {onnx.__version__} on the golden model of `{MACHINE.name}` "
        f'with `mem_depth={MACHINE.mem_depth}`, `precision="float32"`:'
    )
    return f"{head}\n\n{markdown_table(('node tests', 'number'), rows)}"


def _operators(outcomes: Sequence[Outcome]) -> str:
    by_operator: dict[str, Counter[str]] = defaultdict(Counter)
    cycles: dict[str, int] = defaultdict(int)
    for outcome in outcomes:
        by_operator[outcome.operator][outcome.status] += 1
        cycles[outcome.operator] = max(cycles[outcome.operator], outcome.cycles)
    rows = [
        (
            name,
            str(sum(counts.values())),
            *(str(counts[status] or "") for status in (PASSED, KNOWN, UNSUPPORTED, FAILED, UNFIT, UNFINISHED)),
            str(cycles[name] or ""),
        )
        for name, counts in sorted(by_operator.items(), key=lambda item: item[0].lower())
    ]
    columns = "operator", "tests", "passed", "known", "not supported", "failed", "unfit", "not finished", "most cycles"
    return markdown_table(columns, rows)


def _reasons(outcomes: Sequence[Outcome]) -> str:
    by_reason: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.status not in (PASSED, KNOWN):
            by_reason[kind_of(outcome.reason)].append(outcome)
    parts = []
    for reason, found in sorted(by_reason.items(), key=lambda item: (-len(item[1]), item[0])):
        names = ", ".join(f"`{outcome.name}`" for outcome in sorted(found, key=lambda outcome: outcome.name))
        operators = ", ".join(sorted({outcome.operator for outcome in found}, key=str.lower))
        text = reason.replace("<", "&lt;").replace("|", "\\|")
        parts.append(f"- **{len(found)}**: {text}. {operators}.\n  <details><summary>tests</summary>{names}</details>")
    return "\n".join(parts)


def named_on_page(text: str) -> dict[str, str]:
    """Return the tests that a page says have not passed, and why."""
    lists = re.findall(r"^- \*\*\d+\*\*: (.*)\n  <details><summary>tests</summary>(.*)</details>$", text, re.MULTILINE)
    return {name: reason for reason, names in lists for name in re.findall(r"`(\w+)`", names)}
