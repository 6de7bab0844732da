"""The changelog's numbers are those of the sources."""

import re
import tomllib

from arch import image
from verif.repo.files import ROOT

TEXT = (ROOT / "CHANGELOG.md").read_text()
ROW = re.compile(r"^\| (\d+) \| (takt-\d+) \| (\d{4}-\d\d-\d\d) \| .+ \|$", re.MULTILINE)


def test_the_last_image_version_is_that_of_the_sources() -> None:
    rows = ROW.findall(TEXT)
    assert [row[2] for row in rows] == sorted(row[2] for row in rows)
    assert len({row[:2] for row in rows}) == len(rows) > 0
    assert int(rows[-1][0]) == image.VERSION
    source = (ROOT / "arch" / "config.py").read_text()
    assert f'"{rows[-1][1]};"' in source


def test_sections_are_those_of_keep_a_changelog() -> None:
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^#### (.*)$", TEXT, re.MULTILINE)) <= kinds
    versions = re.findall(r"^## \[(.*?)\]", TEXT, re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert versions[0] in ("Unreleased", project)
