"""From issues to the words of the queues, short ones where words repeat."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.isa.encoding import encode
from arch.isa.table import BY_MNEMONIC
from arch.isa.timeline import NOP_LIMIT
from arch.timing import timing
from compiler.schedule.issue import Issue

Cycles = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]

SYNC, NOTIFY = (np.uint64(encode(name)) for name in ("SYNC", "NOTIFY"))


def assemble_queues(config: Config, issues: Iterable[Issue]) -> dict[int, Words]:
    """Return the words of every queue that has any, however many a queue holds.

    A word that issues several times at equal distances becomes one word and a REPEAT; so that MEM words repeat while
    their addresses advance, they continue (``cont``) from the burst before where that is where they would start.
    """
    by_queue: dict[int, list[Issue]] = {}
    for issue in issues:
        by_queue.setdefault(issue.queue, []).append(issue)
    queues = {}
    for queue, items in sorted(by_queue.items()):
        queues[queue] = np.array(_compress(*_expand(config, items), timing(config).barrier), np.uint64)
    return queues


def _expand(config: Config, items: list[Issue]) -> tuple[Cycles, Words]:
    """Return the issue cycles and words of one queue, in order."""
    cycles = np.concatenate([item.cycles for item in items])
    words = np.concatenate([_issue_words(config, item) for item in items])
    order = np.argsort(cycles, kind="stable")
    cycles, words = cycles[order], words[order]
    assert (np.diff(cycles) > 0).all()
    for mnemonic in ("READ", "WRITE"):
        _continue(config, words, mnemonic)
    return cycles, words


def _issue_words(config: Config, item: Issue) -> Words:
    word = np.uint64(encode(item.mnemonic, **item.fields))
    words = np.full(item.issues, word)
    if item.advance:
        addrs = item.fields["addr"] + item.advance * np.arange(item.issues)
        words &= ~np.uint64(_mask(item.mnemonic, "addr"))
        words |= addrs.astype(np.uint64) << np.uint64(_bit(item.mnemonic, "addr"))
    return words


def _continue(config: Config, words: Words, mnemonic: str) -> None:
    """Let bursts of one engine continue from the burst before wherever they do."""
    mine = np.flatnonzero((words & np.uint64(63)) == BY_MNEMONIC[mnemonic].opcode)
    if len(mine) < 2:
        return
    addr, count, stride = (_field(words[mine], mnemonic, name) for name in ("addr", "count", "stride"))
    following = (addr + count * stride) % (2 * config.mem_depth)
    continues = (addr[1:] == following[:-1]) & (stride[1:] == stride[:-1])
    # A GATHER leaves its own address in the engine that reads, a SCATTER in the one that writes.
    indexed = BY_MNEMONIC["GATHER" if mnemonic == "READ" else "SCATTER"].opcode
    before = np.cumsum((words & np.uint64(63)) == indexed)[mine]
    continues &= before[1:] == before[:-1]
    chosen = mine[1:][continues]
    words[chosen] &= ~np.uint64(_mask(mnemonic, "addr"))
    words[chosen] |= np.uint64(_mask(mnemonic, "cont"))


def _compress(cycles: Cycles, words: Words, wait: int) -> list[int]:
    """Return queue words that issue each word in its cycle; SYNC is followed by the next one `wait` cycles later."""
    out: list[int] = []
    now = 0
    first = 0
    # Words that end a queue's wait, or begin one, cannot be repeated.
    same = (words[1:] == words[:-1]) & ~np.isin(words[1:], [SYNC, NOTIFY])
    gaps = np.where(same, np.diff(cycles), -1)
    changes = np.append(np.flatnonzero(np.diff(gaps)), len(gaps) - 1)
    while first < len(words):
        pause = int(cycles[first]) - now
        while pause:
            step = min(pause, NOP_LIMIT)
            out.append(encode("NOP", count=step))
            pause -= step
        out.append(int(words[first]))
        last = first
        if first < len(gaps) and 1 <= gaps[first] <= _REPEAT_INTERVAL:
            last = int(changes[np.searchsorted(changes, first)]) + 1
            remaining = last - first
            while remaining:
                step = min(remaining, _REPEAT_LIMIT)
                out.append(encode("REPEAT", count=step, interval=int(gaps[first])))
                remaining -= step
        now = int(cycles[last]) + (wait if words[last] == SYNC else 1)
        first = last + 1
    out.append(encode("END"))
    return out


def _bit(mnemonic: str, name: str) -> int:
    return BY_MNEMONIC[mnemonic].offsets[name][0]


def _mask(mnemonic: str, name: str) -> int:
    bit, field = BY_MNEMONIC[mnemonic].offsets[name]
    return ((1 << field.width) - 1) << bit


def _field(words: Words, mnemonic: str, name: str) -> Cycles:
    bit, field = BY_MNEMONIC[mnemonic].offsets[name]
    values = ((words >> np.uint64(bit)) & np.uint64((1 << field.width) - 1)).astype(np.int64)
    if field.signed:
        values -= (values >> (field.width - 1)) << field.width
    return values


_REPEAT_LIMIT = BY_MNEMONIC["REPEAT"].offsets["count"][1].maximum
_REPEAT_INTERVAL = BY_MNEMONIC["REPEAT"].offsets["interval"][1].maximum
