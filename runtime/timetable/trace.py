"""A timetable as Chrome trace events, which Perfetto and ``chrome://tracing`` open."""

from typing import Any

from arch.image import Image
from runtime.timetable.activity import activities

__all__ = ["trace_events"]


def trace_events(image: Image) -> dict[str, Any]:
    """Return the timetable of an image in the Chrome trace event format.

    Returns
    -------
    dict
        Ready for JSON. One process per kind of unit, one thread per queue; a microsecond on the viewer's time axis is
        a cycle. The predicted end of the run is an instant event.
    """
    events: list[dict[str, Any]] = []
    kinds: dict[str, int] = {}
    seen: set[int] = set()
    for activity in activities(image):
        unit = activity.unit
        kind = unit.name.partition("_")[0]
        process = kinds.setdefault(kind, len(kinds) + 1)
        if process not in seen:
            seen.add(process)
            events.append(_name("process_name", process, 0, kind))
        if unit.id + 1000 not in seen:
            seen.add(unit.id + 1000)
            events.append(_name("thread_name", process, unit.id, unit.name))
        events.append(
            {
                "name": activity.mnemonic,
                "cat": kind,
                "ph": "X",
                "ts": activity.start,
                "dur": activity.stop - activity.start,
                "pid": process,
                "tid": unit.id,
                "args": {
                    "instruction": activity.text,
                    "elements": activity.elements,
                    "interval": activity.interval,
                },
            }
        )
    end = {"name": f"end: {image.cycles} cycles", "ph": "i", "ts": image.cycles, "pid": 1, "tid": 0, "s": "g"}
    return {
        "traceEvents": [*events, end],
        "displayTimeUnit": "ns",
        "otherData": {
            "work": image.notes.get("work", ""),
            "preset": image.config.name,
            "cycles": image.cycles,
            "unit": "1 us is 1 cycle",
        },
    }


def _name(what: str, process: int, thread: int, text: str) -> dict[str, Any]:
    return {"name": what, "ph": "M", "pid": process, "tid": thread, "args": {"name": text}}
