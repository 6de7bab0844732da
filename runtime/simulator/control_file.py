"""Verilator control files: which signals stay visible to Python."""

from collections.abc import Iterable

from hdl.emit import Emitted

__all__ = ["control_file"]


def control_file(emitted: Emitted, probes: Iterable[str] = ()) -> str:
    """Name the ports of the top module, and probes, as visible; all else is left to the optimiser.

    Parameters
    ----------
    emitted
        The design.
    probes
        ``"module.signal"``: a signal of every instance of a module, readable; ``*`` stands for any text.

    Returns
    -------
    str
        Text of a ``.vlt`` file.

    Raises
    ------
    ValueError
        If a probe has no dot.
    """
    lines = ["`verilator_config"]
    for port in emitted.ports:
        kind = "public_flat_rw" if port.is_input else "public_flat_rd"
        lines.append(f'{kind} -module "{emitted.top}" -var "{port.name}"')
    for probe in sorted(probes):
        module, dot, signal = probe.rpartition(".")
        if not dot:
            raise ValueError(f"probe must be 'module.signal', not {probe!r}")
        lines.append(f'public_flat_rd -module "{module}" -var "{signal}"')
    return "\n".join(lines) + "\n"
