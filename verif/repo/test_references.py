"""What sources and documents refer to is here for their readers, or published."""

import re
from functools import cache

import pytest

from verif.repo.files import PACKAGES, ROOT, name_of, source_files

PUBLISHED = re.compile(r"IEEE 754|RISC-V F|ISCA 20\d\d|Hamming|Hendrycks and Gimpel")
"""What a section is cited of, beside documents of this repository."""

# Documents that a reader does not have. A letter of each in brackets, so that this file names none.
UNKNOWN_DOCUMENT = re.compile(
    r"\b(D[E]SIGN|(?!README|CHANGELOG|CONTRIBUTING)[A-Z]{4,}\.m[d])\b|\b(design|white) (p[a]per|d[o]c|d[o]cument)\b"
)
SECTION = re.compile(r"\bsections? (\d+(?:\.\d+)?)")
MACHINE_RULE = re.compile(r"machine\.md\)?,? (?:sections? )?(\d+)(?:\.(\d+)|, rule (\d+))?")
NAMED_PATH = re.compile(rf"(?<![\w/.-])((?:{'|'.join((*PACKAGES, 'docs', 'tools'))})(?:/[\w.-]+)+\.(?:md|py|sh|sv))\b")
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


@cache
def lines() -> list[tuple[str, str]]:
    """Return each line of the sources with its place."""
    return [
        (f"{name_of(path)}:{number}", line)
        for path in source_files()
        for number, line in enumerate(path.read_text().splitlines(), 1)
    ]


def rules_of_the_machine() -> dict[int, int]:
    """Return the number of rules of each section of docs/machine.md."""
    found: dict[int, int] = {}
    section = 0
    for line in (ROOT / "docs" / "machine.md").read_text().splitlines():
        if heading := re.match(r"## (\d+)\. ", line):
            section = int(heading[1])
            found[section] = 0
        elif rule := re.match(r"(\d+)\. ", line):
            found[section] = int(rule[1])
    return found


def test_no_document_that_readers_lack() -> None:
    assert [f"{place}: {line}" for place, line in lines() if UNKNOWN_DOCUMENT.search(line)] == []


def test_sections_are_of_documents_that_can_be_read() -> None:
    own = [(place, line) for place, line in lines() if not place.startswith("verif/repo/test_references.py")]
    unnamed = [
        f"{place}: {line}"
        for place, line in own
        if SECTION.search(line) and "machine.md" not in line and not PUBLISHED.search(line)
    ]
    assert unnamed == []


def test_rules_of_the_machine_that_are_cited_exist() -> None:
    rules = rules_of_the_machine()
    cited = [(place, found) for place, line in lines() for found in MACHINE_RULE.finditer(line)]
    assert len(cited) > 10
    for place, found in cited:
        section, rule = int(found[1]), int(found[2] or found[3] or 1)
        assert section in rules and 1 <= rule <= rules[section], f"{place}: {found[0]}"


def test_files_that_are_named_exist() -> None:
    named = [(place, path) for place, line in lines() for path in NAMED_PATH.findall(line)]
    assert len(named) > 100
    assert [f"{place}: {path}" for place, path in named if not (ROOT / path).exists()] == []


def test_links_of_documents_lead_somewhere() -> None:
    documents = [path for path in source_files(".md") if path.parent in (ROOT, ROOT / "docs")]
    broken = [
        f"{name_of(path)}: {target}"
        for path in documents
        for target in LINK.findall(path.read_text())
        if not (path.parent / target).exists()
    ]
    assert broken == []


@pytest.mark.parametrize(
    "pattern, text",
    [
        (UNKNOWN_DOCUMENT, "The products of D_ESIGN section 8"),
        (UNKNOWN_DOCUMENT, "see N_OTES.md"),
        (UNKNOWN_DOCUMENT, "as the design p_aper says"),
        (SECTION, "(reference design, section 8)"),
        (MACHINE_RULE, "(docs/machine.md, 3.10)"),
        (MACHINE_RULE, "[machine.md](machine.md), section 6, rule 8"),
        (NAMED_PATH, "the table `arch/functions/table.py`"),
        (LINK, "[machine.md](machine.md)"),
    ],
)
def test_patterns_find_what_they_look_for(pattern: re.Pattern[str], text: str) -> None:
    assert pattern.search(text.replace("_", ""))
