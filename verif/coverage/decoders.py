"""Which modules of the RTL decode an instruction."""

import sys
from types import FrameType
from typing import Any

import pytest
from amaranth.hdl import Fragment

from arch.config import Config
from arch.isa.instruction import Instruction
from arch.isa.table import BY_MNEMONIC
from hdl.chip import Chip
from hdl.shared import SharedModules
from verif.repo.files import ROOT

__all__ = ["rtl_decoders"]


_DECODER = ("hdl.icu.decode", "hdl.icu.legality")
"""What looks for rows in the name of its callers."""


class _Watched(dict[str, Instruction]):
    """The rows by mnemonic; notes who looks for which while a chip is elaborated."""

    def __init__(self, rows: dict[str, Instruction]) -> None:
        super().__init__(rows)
        self.found: dict[str, set[str]] = {}

    def __getitem__(self, mnemonic: str) -> Instruction:
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and frame.f_globals["__name__"] in _DECODER:
            if frame.f_code.co_name.startswith("is_legal"):
                return super().__getitem__(mnemonic)
            frame = frame.f_back
        assert frame is not None
        source = frame.f_code.co_filename.removeprefix(f"{ROOT}/")
        self.found.setdefault(mnemonic, set()).add(source)
        return super().__getitem__(mnemonic)


def rtl_decoders(config: Config) -> dict[str, set[str]]:
    """Return by mnemonic the files that look for its opcode or fields in a word, found by elaborating the chip.

    What only judges whether a word is legal does not count, nor does anything for instructions that are not built.
    """
    watched = _Watched(BY_MNEMONIC)
    with pytest.MonkeyPatch.context() as patch:
        for module in _users():
            patch.setattr(module, "BY_MNEMONIC", watched)
        modules = SharedModules()
        with modules.collecting():
            Fragment.get(Chip(config=config), None)
            for _, component in modules.drain():
                Fragment.get(component, None)
    return {mnemonic: files for mnemonic, files in watched.found.items() if BY_MNEMONIC[mnemonic].built}


def _users() -> list[Any]:
    return [
        module
        for name, module in sorted(sys.modules.items())
        if name.startswith("hdl.") and getattr(module, "BY_MNEMONIC", None) is BY_MNEMONIC
    ]
