"""What docs/compiler.md shows of the example, each part as Markdown."""

import inspect
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any

import numpy as np

from arch.config import Config
from arch.geometry import Direction, positions, units
from compiler.emit.disassembly import disassemble_queues
from compiler.ir.lanes import vector_count
from compiler.ir.matmul import MatMul
from compiler.lower.mxm.plan import Plan
from compiler.memory.copies import TensorCopy
from compiler.memory.words import NEVER
from compiler.place.lowering import Lowering
from compiler.place.lowerings import LOWERINGS
from compiler.program import Program
from compiler.schedule.macro import Macro
from runtime.table import markdown_table
from verif.walkthrough.example import residual_chain, residual_layer, score_chain
from verif.walkthrough.recorder import Recording, record
from verif.walkthrough.refusals import REFUSED, refusal

CYCLES = 12
"""Cycles of the picture of diagonals."""


def sections() -> dict[str, str]:
    """Return every generated part of docs/compiler.md by its name."""
    found = record(residual_layer)
    return {
        "example": f"```python\n{inspect.getsource(residual_layer)}```",
        "result": _result(found),
        "tensors": _tensors(found),
        "operations": _operations(found),
        "lowerings": _lowerings(),
        "protocol": _protocol(),
        "plans": _plans(found),
        "mesh": _mesh(found),
        "demands": _demands(found),
        "trials": _trials(found),
        "macro": _macro(found.core.committed[0].started[0][0].macro),
        "starts": _starts(found),
        "waits": _waits(found),
        "diagonals": _diagonals(found),
        "words": _words(found),
        "repairs": _repairs(),
        "queues": _queues(found),
        "text": _text(found),
        "verifier": _verifier(),
        "refusals": markdown_table(
            ("reason", "what the user reads"), [(why, f"`{refusal(REFUSED[why])}`") for why in REFUSED]
        ),
        "unsupported": _unsupported(),
    }


def _result(found: Recording) -> str:
    image = found.image
    return (
        f"It takes {image.cycles} cycles and {image.notes['instructions']} instruction words in {len(image.queues)} "
        f"queues, for {image.notes['macs']:,} multiply-accumulates on {image.notes['planes']} planes."
    )


def _tensors(found: Recording) -> str:
    core = found.core
    tensors = dict.fromkeys(tensor for op in core.operations for tensor in [*op.reads(), *op.writes()])
    rows = []
    for tensor in tensors:
        blocks, steps = vector_count(tensor, core.state.config.vector_length)
        kind = "constant" if tensor.data is not None else "result" if core.state.stored(tensor) else "input"
        rows.append(
            (
                f"`{tensor.name}`",
                kind,
                _shape(tensor.shape),
                tensor.dtype,
                f"{blocks} x {steps}",
                f"{blocks * steps * tensor.itemsize}",
            )
        )
    return markdown_table(("tensor", "what", "shape", "dtype", "vectors (blocks x steps)", "words of one copy"), rows)


def _operations(found: Recording) -> str:
    rows = []
    for op in found.core.operations:
        reads = ", ".join(f"`{tensor.name}`" for tensor in op.reads())
        rows.append((f"`{op.name}`", type(op).__name__, reads, ", ".join(f"`{tensor.name}`" for tensor in op.writes())))
    return markdown_table(("operation", "kind", "reads", "writes"), rows)


def _lowerings() -> str:
    rows = []
    for kind, lowering in LOWERINGS.items():
        rows.append(
            (
                f"`{kind.__name__}`",
                f"`{kind.__module__}`",
                f"`{type(lowering).__name__}`",
                _first(type(lowering).plans),
                _first(type(lowering).demands),
                _first(type(lowering).attempt),
            )
        )
    return markdown_table(("operation", "defined in", "lowering", "`plans`", "`demands`", "`attempt`"), rows)


def _protocol() -> str:
    methods = [
        (name, method) for name, method in vars(Lowering).items() if inspect.isfunction(method) and name[0] != "_"
    ]
    return markdown_table(("method", "what"), [(f"`{name}`", _first(method)) for name, method in methods])


def _plans(found: Recording) -> str:
    core = found.core
    rows = []
    for number, plan in enumerate(core.offered(core.operations[0])[:4]):
        assert isinstance(plan, Plan)
        for feeder in plan.feeders:
            planes = ", ".join(str(plane) for plane in feeder.planes)
            parts = ", ".join(f"{first} to {first + count - 1}" for first, count in feeder.blocks)
            groups = ", then ".join(" and ".join(str(block) for block in group) for group in feeder.groups)
            rows.append(
                (
                    str(number),
                    feeder.hemisphere.name,
                    planes,
                    parts,
                    groups,
                    str(feeder.ways),
                    str(plan.joint),
                    str(plan.estimate),
                )
            )
    columns = (
        "plan",
        "hemisphere",
        "planes",
        "rows",
        "column blocks",
        "ways of weights",
        "weights from the same slices",
        "estimate",
    )
    return markdown_table(columns, rows)


def _mesh(found: Recording) -> str:
    product = found.core.committed[0]
    mapping = product.choice.plan.feeders[0].chains[0]
    ports = [_operand(product.op, stream.port) for stream in mapping.streams]
    rows = []
    for cell in sorted(mapping.cells, key=lambda cell: (cell.level, cell.alu)):
        sources = []
        for source in cell.sources:
            kind = source.kind.value
            sources.append(
                ports[source.index] if kind == "port" else f"mesh row {source.index}" if kind == "node" else kind
            )
        node = cell.node
        what = f"{node.mnemonic} {node.dtype.numpy.name} -> {node.out_dtype.numpy.name}" + (
            ", held" if node.holds else ""
        )
        rows.append((str(cell.level), f"VXM_{cell.alu}", what, ", ".join(sources)))
    return markdown_table(("level", "ALU", "operation", "operands"), rows)


def _operand(op: Any, port: int) -> str:
    return f"stream of `{op.epilogue.operands[port].tensor.name}`"


def _demands(found: Recording) -> str:
    rows = []
    for op in found.core.operations:
        for demand in found.demands[op]:
            where = "any hemisphere" if demand.near is None else f"near the planes in the {demand.near.name}"
            if demand.in_mesh:
                where = "one hemisphere, for the mesh"
            how = "once per row block, latched" if demand.is_stationary else "every step"
            by = "a result" if demand.elements is None else "written by the host"
            rows.append(
                (
                    f"`{op.name}`",
                    f"`{demand.key}`",
                    f"`{demand.tensor.name}`",
                    f"{len(demand.used)} steps, {len(demand.order)} vectors",
                    how,
                    where,
                    by,
                )
            )
    return markdown_table(("operation", "port", "tensor", "reads", "when", "where", "whose"), rows)


def _trials(found: Recording) -> str:
    core = found.core
    rows = []
    for op, choice, trial in core.trials:
        number = next((n for n, plan in enumerate(core.offered(op)) if plan is choice.plan), 0)
        limit = "-" if choice.limit is None else f"before {choice.limit}"
        end = "no start in time" if trial is None else f"{trial.end}"
        rows.append(
            (f"`{op.name}`", str(number), limit, end, "yes" if any(trial is done for done in core.committed) else "")
        )
    return markdown_table(("operation", "plan", "must end", "results complete in cycle", "committed"), rows)


def _macro(macro: Macro) -> str:
    rows = []
    whose = {id(flow): _flow(flow.key) for flow in macro.flows}

    def kind(action: Any) -> tuple[str, str]:
        flows = dict.fromkeys(whose[id(flow)] for flow, _ in action.streams.values())
        return f"{action.mnemonic}", ", ".join(flows) or "-"

    actions = sorted(
        macro.actions, key=lambda action: (_ORDER.index(action.unit.kind.name), kind(action), action.cycle)
    )
    for (mnemonic, flows), group in groupby(actions, key=kind):
        mine = list(group)
        names = [unit.name for unit in sorted({action.unit for action in mine}, key=lambda unit: unit.id)]
        shown = ", ".join(names) if len(names) < 4 else f"{names[0]} ... {names[-1]}"
        last = max(action.work.last for action in mine)
        rows.append((shown, mnemonic, flows, str(len(mine)), f"{min(action.cycle for action in mine)} to {last}"))
    held = [(f"{key[0]} of {_unit(macro, key[1])}", f"{cycles.start} to {cycles.last}") for key, cycles in macro.holds]  # type: ignore[index]
    table = markdown_table(("queues", "instruction", "streams of", "words of text", "relative cycles"), rows)
    return f"{table}\n\nIt holds besides: {'; '.join(f'{what} in {when}' for what, when in dict.fromkeys(held))}."


_ORDER = ["MXM_WEIGHTS", "MXM_ACTIVATIONS", "MXM_RESULTS", "MEM", "VXM", "SXM", "C2C", "SXM_SHIFT"]


def _unit(macro: Macro, number: int) -> str:
    return next((action.unit.name for action in macro.actions if action.unit.id == number), f"queue {number}")


def _flow(key: Any) -> str:
    return str(key[0]) if isinstance(key, tuple) else str(key)


def _starts(found: Recording) -> str:
    rows = []
    for trial in found.core.committed:
        for number, (template, start) in enumerate(trial.started):
            macro = template.macro
            rows.append(
                (
                    f"`{trial.op.name}` {number}",
                    str(len(macro.actions)),
                    str(sum(flow.width for flow in macro.flows)),
                    str(template.needs),
                    str(start),
                    f"{start + macro.first} to {start + template.end}",
                )
            )
    return markdown_table(
        ("macro-operation", "words of text", "streams", "operands allow", "starts", "first issue to last result"), rows
    )


def _waits(found: Recording) -> str:
    """Return what of others each macro-operation meets if it starts a cycle sooner, streams apart."""
    config = found.core.state.config
    taken: dict[Any, set[int]] = {}
    lines = []
    for trial in found.core.committed:
        for number, (template, start) in enumerate(trial.started):
            sooner, own = _cells(template.macro, config, start - 1), _cells(template.macro, config, start)
            met = [key for key, cycles in sooner.items() if cycles & taken.get(key, set())]
            if start > template.needs and met:
                what = ", ".join(
                    f"{key[0]} {key[2] if key[0] == 'bank' else ''}".strip() + f" of {units(config)[key[1]].name}"
                    for key in met
                )
                lines.append(f"* `{trial.op.name}` {number} starts in {start}, not {start - 1}: taken would be {what}.")
            for key, cycles in own.items():
                taken.setdefault(key, set()).update(cycles)
    return "\n".join(lines)


def _cells(macro: Macro, config: Config, start: int) -> dict[Any, set[int]]:
    found: dict[Any, set[int]] = {}
    for key, cycles in [*macro.holds, *(need for action in macro.actions for need in action.needs(config))]:
        blocks = range(cycles.start + start, cycles.start + start + cycles.count * cycles.every, cycles.every)
        found.setdefault(key, set()).update(
            first + number * cycles.interval for first in blocks for number in range(cycles.length)
        )
    return found


def _diagonals(found: Recording) -> str:
    """Return the part of a stream that carries the results of the first macro-operation, as it is in the table."""
    core = found.core
    config = core.state.config
    placed = next(one for one in core.scheduled if one.macro is core.committed[0].started[0][0].macro)
    flow = next(flow for flow in placed.macro.flows if _flow(flow.key) == "out")
    stream, segment = placed.streams[id(flow)], flow.segments[0]
    taken = core.reserved(("stream", flow.direction, stream))
    first = placed.start + segment.cycles.start
    span = range(
        max(min(segment.source, segment.sink) - 2, 0), min(max(segment.source, segment.sink) + 3, positions(config))
    )
    names: dict[int, str] = {}
    for unit in units(config):
        names.setdefault(unit.position, unit.kind.name.partition("_")[0])

    def diagonal(cycle: int, position: int) -> int:
        return cycle + (positions(config) - position if flow.direction is Direction.EAST else position)

    lines = [
        f"stream {stream} going {flow.direction.name.lower()}",
        "position  " + "".join(f"{position:>5}" for position in span),
        "unit      " + "".join(f"{names[position]:>5}" for position in span),
    ]
    for cycle in range(first - 1, first + CYCLES):
        marks = []
        for position in span:
            number = diagonal(cycle, position) - diagonal(first, segment.source)
            value = str(number) if 0 <= number < segment.cycles.length else "#"
            marks.append(f"{value if taken[diagonal(cycle, position), position] else '.':>5}")
        lines.append(f"cycle {cycle:<4}" + "".join(marks))
    return "```\n" + "\n".join(lines) + "\n```"


def _words(found: Recording) -> str:
    core = found.core
    rows = []
    for trial in core.committed:
        storage = trial.storage
        items: list[tuple[str, str, TensorCopy]] = []
        for key, port in storage.ports.items():
            assert port.tensor is not None
            if port.elements is not None:
                items.append((port.tensor.name, f"read by `{trial.op.name}`, port {key}", port.copy))
        for side, copy in storage.weights.items():
            assert isinstance(trial.op, MatMul)
            items.append((trial.op.w.name, f"weights of the {side.name}", copy))
        for tensor, copies in zip(trial.op.writes(), storage.outputs, strict=True):
            items += [(tensor.name, f"written by `{trial.op.name}`", copy) for copy in copies]
        for name, what, copy in items:
            rows.append((f"`{name}`", what, *_lifetime(core.free_from, copy)))
    return markdown_table(
        ("tensor", "copy", "words (slice: addresses)", "written until", "read until", "free again from"), rows
    )


def _lifetime(free_from: Callable[[Any, Any], Any], copy: TensorCopy) -> tuple[str, str, str, str]:
    held = copy.slices >= 0
    slices, addrs = copy.slices[held], copy.addrs[held]
    numbers = np.unique(slices)
    shown = [f"{number}: {_ranges(addrs[slices == number])}" for number in numbers.tolist()]
    places = ", ".join(shown) if len(shown) < 4 else f"{shown[0]} ... {shown[-1]}"
    free = free_from(slices, addrs)
    again = "never" if (free == NEVER).all() else f"{int(free.min())} to {int(free.max())}"
    written = "before the run" if not copy.ready.any() else f"{int(copy.ready.max()) - 1}"
    return places, written, f"{int(copy.last.max())}" if (copy.last >= 0).any() else "by the host", again


def _ranges(addrs: Any) -> str:
    ordered = np.unique(addrs)
    parts = np.split(ordered, np.flatnonzero(np.diff(ordered) != 1) + 1)
    return " and ".join(f"{part[0]}-{part[-1]}" for part in parts)


def _repairs() -> str:
    programs: list[Callable[[], Program]] = [
        score_chain,
        lambda: residual_chain(90, 16, 128),
        lambda: residual_chain(240, 8, 64),
    ]
    rows = []
    for build in programs:
        found = record(build)
        config = found.image.config
        rows.append(
            (
                str(found.image.notes["work"]),
                f"`{config.name}`, {config.mem_bytes:,} bytes",
                ", ".join(found.core.repairs),
                str(found.image.cycles),
            )
        )
    return markdown_table(("program", "MEM", "repairs, in order", "cycles"), rows)


def _queues(found: Recording) -> str:
    image = found.image
    wanted = ("MXM_W0.W", "MXM_W0.A", "MXM_W0.R", "MEM_W0")
    queues = {unit.id: image.queues[unit.id] for unit in units(image.config) if unit.name in wanted}
    return f"```\n{disassemble_queues(image.config, queues)}```"


def _text(found: Recording) -> str:
    image = found.image
    lengths = {units(image.config)[queue].name: len(words) for queue, words in image.queues.items()}
    longest = max(lengths, key=lambda name: lengths[name])
    return (
        f"The longest queue of the example is that of {longest}, with {lengths[longest]} words; a queue of "
        f"`{image.config.name}` holds {image.config.queue_depth}. Nothing needs to be fetched."
    )


def _verifier() -> str:
    from compiler.verifier import banks, contents, engines, mesh, planes, queue_walk, stream_checks, text, walks

    modules = (queue_walk, walks, stream_checks, engines, banks, mesh, planes, text, contents)
    return markdown_table(("module", "what"), [(f"`{module.__name__}`", _first(module)) for module in modules])


def _unsupported() -> str:
    text = inspect.getdoc(Program) or ""
    listed = text.partition("Not supported, and why:\n\n")[2].partition("\n\n")[0]
    if not listed.startswith("* "):
        raise ValueError("docstring of Program must list what is not supported")
    return listed


def _first(thing: Any) -> str:
    """Return the first paragraph of a docstring, as a cell."""
    text = (inspect.getdoc(thing) or "").partition("\n\n")[0]
    return " ".join(text.split()).replace("``", "`").replace("|", "\\|")


def _shape(shape: Iterable[int]) -> str:
    return " x ".join(str(size) for size in shape)
