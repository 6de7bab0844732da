"""Operations that only the complete tensor interface has."""

from verif.compiler.fuzz.graph import Operation

__all__ = ["COMPLETE_OPERATIONS"]

COMPLETE_OPERATIONS: dict[str, Operation] = {}
