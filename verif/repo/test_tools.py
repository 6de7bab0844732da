"""The scripts that set a machine up, on machines that lack something."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from verif.repo.files import ROOT


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Return a folder of programs that is all of PATH: a shell's own, and no more."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "env", "id", "cat", "rm", "touch", "chmod", "true"):
        found = shutil.which(name)
        assert found is not None
        (programs / name).symlink_to(found)
    return programs


def program(machine: Path, name: str, text: str) -> None:
    """Add a program to a machine."""
    path = machine / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def run(machine: Path, script: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a script of ``tools`` in an empty folder beside the machine's programs."""
    command = [str(ROOT / "tools" / script), *words]
    environment = {**os.environ, "PATH": str(machine)}
    return subprocess.run(command, cwd=machine.parent, env=environment, capture_output=True, text=True, check=False)


def test_icarus_is_left_alone_where_it_is(machine: Path) -> None:
    program(machine, "iverilog", "exit 0")
    program(machine, "apt-get", "exit 9")
    result = run(machine, "iverilog.sh")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_icarus_without_apt_says_what_to_do(machine: Path) -> None:
    result = run(machine, "iverilog.sh")
    assert result.returncode == 1
    assert result.stderr.endswith("\n    sudo apt-get install iverilog\n")


def test_icarus_without_rights_says_what_to_do(machine: Path) -> None:
    (machine / "id").unlink()
    program(machine, "id", "echo 1000")
    program(machine, "sudo", "exit 1")
    program(machine, "apt-get", f"touch {machine}/called")
    result = run(machine, "iverilog.sh")
    assert result.returncode == 1
    assert result.stderr.endswith("\n    sudo apt-get install iverilog\n")
    assert not (machine / "called").exists()


@pytest.mark.parametrize("user", ["0", "1000"])
def test_icarus_is_installed_after_an_update_if_need_be(machine: Path, user: str) -> None:
    (machine / "id").unlink()
    program(machine, "id", f"echo {user}")
    program(machine, "sudo", 'test "$1" = -n && shift && exec "$@"')
    installed = f"cd {machine} && test -e updated && echo '#!/bin/sh' >iverilog && chmod +x iverilog"
    program(machine, "apt-get", f'if test "$1" = update; then touch {machine}/updated; else {installed}; fi')
    result = run(machine, "iverilog.sh")
    assert result.returncode == 0, result.stderr
    assert (machine / "updated").exists()


def test_icarus_that_cannot_be_installed_says_what_to_do(machine: Path) -> None:
    program(machine, "apt-get", "exit 100")
    program(machine, "sudo", 'test "$1" = -n && shift && exec "$@"')
    result = run(machine, "iverilog.sh")
    assert result.returncode == 1
    assert result.stderr.endswith("\n    sudo apt-get install iverilog\n")


def test_environment_needs_python(machine: Path) -> None:
    result = run(machine, "venv.sh", "python3")
    assert result.returncode == 1
    assert result.stderr == ("python3 was not found. Install Python 3.11 or newer: sudo apt-get install python3\n")


def test_environment_needs_a_new_python(machine: Path) -> None:
    program(machine, "python3", 'if test "$1" = --version; then echo Python 3.8.1; else exit 1; fi')
    result = run(machine, "venv.sh", "python3")
    assert result.returncode == 1
    assert result.stderr == (
        "Takt needs Python 3.11 or newer, not Python 3.8.1. Name another one: make PYTHON=python3.12 ...\n"
    )


def test_environment_without_ensurepip_and_network_says_what_to_do(machine: Path) -> None:
    # A Python new enough that knows neither ensurepip nor pip, and whose environments reach no network.
    program(
        machine,
        "python3",
        'case "$*" in *version_info*) exit 0;; --version) echo Python 3.11.2;; *ensurepip*|"-m pip"*) exit 1;; esac\n'
        'test "$2" = venv && { mkdir -p .venv/bin; printf "#!/bin/sh\\nexit 1\\n" >.venv/bin/python; '
        "chmod +x .venv/bin/python; }\nexit 0",
    )
    for name in ("mkdir", "basename"):
        found = shutil.which(name)
        assert found is not None
        (machine / name).symlink_to(found)
    result = run(machine, "venv.sh", "python3")
    assert result.returncode == 1
    assert "sudo apt-get install python3-venv" in result.stderr
    assert not (machine.parent / ".venv").exists()
