"""What the instructions are in the published machine ("Think Fast", ISCA 2020, table of instructions)."""

from collections.abc import Mapping

from verif.coverage.forms import Form

__all__ = ["PUBLISHED", "published"]

PUBLISHED: Mapping[str, tuple[str, ...]] = {
    "NOP": ("NOP",),
    "Repeat": ("REPEAT",),
    "end of a program": ("END",),
    "Ifetch": ("IFETCH",),
    "Sync": ("SYNC",),
    "Notify": ("NOTIFY",),
    "Config": ("CONFIG",),
    "Read": ("READ",),
    "Write": ("WRITE",),
    "Gather": ("GATHER",),
    "Scatter": ("SCATTER",),
    "LW: load weights": ("LW",),
    "ABC: activations": ("ABC",),
    "ACC: accumulate": ("ACC",),
    "binary operation": ("ADD", "SUB", "MUL", "MAX", "MIN", "SHL", "SHR", "SHRL", "AND", "OR", "XOR"),
    "unary operation": ("PASS", "NOT"),
    "mask, select": ("CMP", "SEL"),
    "type conversion": ("CVT",),
    "ReLU": ("RELU",),
    "TanH": ("TANH",),
    "Exp": ("EXP",),
    "RSqrt": ("RSQRT",),
    "further functions": ("RECIP", "LOG", "SIGMOID"),
    "Shift up/down": ("SHIFT",),
    "select": ("SELECT",),
    "Permute": ("PERMUTE",),
    "Distribute": ("DISTRIBUTE",),
    "Rotate": ("ROTATE",),
    "Transpose": ("TRANSPOSE",),
    "map of Permute, Distribute": ("LOADMAP",),
}
"""Mnemonics by published function."""

_BY_MNEMONIC = {mnemonic: name for name, mnemonics in PUBLISHED.items() for mnemonic in mnemonics}


def published(form: Form) -> str:
    """Return the published function that a form belongs to.

    Raises
    ------
    KeyError
        For an instruction that `PUBLISHED` does not have.
    """
    if form.mnemonic == "ABC" and form.form.endswith("installs"):
        return "IW: install weights, ABC"
    return _BY_MNEMONIC[form.mnemonic]
