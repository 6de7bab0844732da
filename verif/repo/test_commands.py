"""The commands that the README tells a reader to type."""

import re
import shlex
import subprocess
from functools import cache

import click
import pytest

from runtime.cli import main
from verif.repo.files import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))


@cache
def readme() -> str:
    return (ROOT / "README.md").read_text()


def shell_lines() -> list[str]:
    """Return the lines of the README's shell blocks, comments and prompts removed."""
    blocks = re.findall(r"```(?:sh|bash|console|shell)\n(.*?)```", readme(), re.DOTALL)
    joined = "\n".join(blocks).replace("\\\n", " ")
    lines = [line.removeprefix("$ ").strip() for line in joined.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def takt_lines() -> list[list[str]]:
    """Return the words of every ``takt`` command in the README."""
    found = []
    for line in shell_lines():
        words = shlex.split(line, comments=True)
        if words and words[0].rpartition("/")[2] == "takt" and len(words) > 1:
            found.append(words[1:])
    return found


def subcommand(name: str) -> click.Command:
    command = main.get_command(click.Context(main), name)
    assert command is not None, f"takt {name} is not a command"
    return command


def test_readme_shows_how_to_start() -> None:
    lines = shell_lines()
    assert any(line.startswith("make sim") for line in lines)
    assert any(line.startswith("make test") for line in lines)
    assert takt_lines()


def test_readme_carries_the_patent_sentence() -> None:
    assert "patent" in readme()
    assert "Apache" in readme()


def test_make_targets_of_the_readme_exist() -> None:
    named = {word for line in shell_lines() for word in re.findall(r"\bmake ([a-z-]+)", line)}
    named |= set(re.findall(r"`make ([a-z-]+)", readme()))
    assert named - TARGETS == set()


def test_commands_of_the_readme_have_their_options() -> None:
    for words in takt_lines():
        command = subcommand(words[0])
        known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
        given = {word.partition("=")[0] for word in words[1:] if re.match(r"--?[a-z]", word)}
        assert given - known == set(), " ".join(words)


def test_help_lists_every_target() -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^  make ([a-z-]+)", listed, re.MULTILINE)) == TARGETS


@pytest.mark.parametrize(
    "target", ["sim", "test", "test-long", "lint", "synth", "waves", "docs", "bench", "clean", "help"]
)
def test_targets_exist(target: str) -> None:
    assert target in TARGETS
