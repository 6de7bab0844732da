"""Takt for programs: compile an ONNX model, and run it on the golden model or the RTL.

```python
import takt

session = takt.Session("model.onnx", shapes={"x": (1, 128)})
(y,) = session.run(None, {"x": x})
print(session.cycles, session.predicted_cycles)
```

Needs the extra ``onnx``.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from takt.api import CompiledModel, Session, TaktError, compile, run, save  # noqa: A004

__all__ = ["CompiledModel", "Session", "TaktError", "compile", "run", "save"]


def __getattr__(name: str) -> Any:
    # Only what is asked for needs the extra: `takt run` runs images without it.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module("takt.api"), name)
