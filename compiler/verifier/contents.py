"""Contents of MEM: every READ finds what the operation that issues it means to read.

The machine reports accesses that meet. That a word was overwritten before its last reader came, or is read before it
is written, is no fault of a machine, which computes with what it finds: it is the compiler's, and goes unnoticed where
both words happen to be equal. So the accesses of an image, as they will be, are held against what operations say of
theirs.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.geometry import UnitKind, units
from compiler.ir.tensor import Tensor
from compiler.memory.accesses import Accesses, Contents, Meant, Places
from compiler.verifier.banks import word_accesses
from compiler.verifier.queue_walk import QueueWalk

Numbers = npt.NDArray[np.int64]

_HOST, _NOTHING, _CHANGING = 0, -1, -2
"""Tags of words that the host wrote, that nobody wrote, and that may change at any time."""

_NEXT = -1
"""Version of a state that is for the next run."""


class _Events(NamedTuple):
    """Accesses: numbers of words, cycles, and tags of what is written, or is to be found. Shape (n,) each."""

    words: Numbers
    cycles: Numbers
    tags: Numbers

    @classmethod
    def joined(cls, parts: "Iterable[_Events]") -> "_Events":
        """Return all of some events."""
        empty = np.zeros(0, np.int64)
        every = [(empty, empty, empty), *parts]
        return cls(*(np.concatenate(arrays) for arrays in zip(*every, strict=True)))


def check_contents(config: Config, walks: Mapping[int, QueueWalk], contents: Contents) -> None:
    """Check that accesses are those that are meant, and that each word holds what is meant when it is read.

    Parameters
    ----------
    config : Config
    walks : mapping of int to QueueWalk
        Of all queues, to their ends.
    contents : Contents

    Raises
    ------
    AssertionError
        Naming the word, the cycle and the tensors: it is the compiler that is wrong, not the program.
    """
    tags = _Tags(config, contents)
    wanted, writes, changes = tags.of_operations()
    reads = _matched(config, "READ", wanted, _issued(config, walks, "READ", "GATHER"), tags)
    writes = _matched(config, "WRITE", writes, _issued(config, walks, "WRITE", "SCATTER"), tags)
    last = _follow(reads, _Events.joined([writes, changes]), tags)
    _check_end(last, tags)


class _Tags:
    """Tags of what words hold: a tensor, a version of it, and one of its vectors.

    Only states have versions: 0 before the program, one more with each operation that changes rows of it in place, and
    the value for the next run.
    """

    def __init__(self, config: Config, contents: Contents) -> None:
        self._config = config
        self.contents = contents
        self._keys: dict[tuple[Tensor, int], int] = {}
        self._versions = dict.fromkeys(contents.states, 0)
        size = config.slices * 2 * config.mem_depth
        self.first = np.full(size, _NOTHING, np.int64)
        """What each word holds before the program."""
        self._is_state = np.zeros(size, np.bool_)
        for places in contents.hosted:
            self._begin(places, np.int64(_HOST))
        for tensor, copies in contents.states.items():
            for places in copies:
                self._is_state[self._begin(places, self.of(tensor, 0, np.arange(places[0].shape[-1])))] = True

    def _begin(self, places: Places, tags: Numbers | np.int64) -> Numbers:
        """Note what words hold before the program, and return them; slice -1 is none."""
        held = places[0] >= 0
        words = self.words(places)[held]
        if len(np.unique(words)) < len(words) or (self.first[words] != _NOTHING).any():
            raise AssertionError(f"word of {self.place(words[0])} and others must be written by the host once")
        self.first[words] = np.broadcast_to(tags, held.shape)[held]
        return words

    def of(self, tensor: Tensor, version: int, vectors: Numbers) -> Numbers:
        """Return the tags of vectors of one version of a tensor."""
        return (self._keys.setdefault((tensor, version), len(self._keys) + 1) << 32) + vectors

    def words(self, places: Places) -> Numbers:
        """Return the numbers of words."""
        return places[0].astype(np.int64) * (2 * self._config.mem_depth) + places[1]

    def of_operations(self) -> tuple[_Events, _Events, _Events]:
        """Return reads, writes, and changes in place, as operations mean them, in cycles of the program."""
        reads: list[_Events] = []
        writes: list[_Events] = []
        changes: list[_Events] = []
        for meant, start in self.contents.placed:
            for one in meant.reads:
                found = _HOST if one.tensor is None else self.of(one.tensor, self._version(one.tensor), one.vectors)
                reads.append(self._event(one, start, np.where(one.vectors < 0, _HOST, found)))
            self._count(meant)
            for one in meant.writes:
                assert one.tensor is not None
                tags = self.of(one.tensor, self._version(one.tensor), one.vectors)
                if one.in_place:
                    changing = np.full_like(tags, _CHANGING)
                    changes.append(self._event(one, start, np.stack([changing, tags])[:, None]))
                    continue
                # A copy of a state has its value of this moment; in the state itself comes the next one.
                if one.tensor in self.contents.states:
                    is_next = self._is_state[self.words((one.slices, one.addrs))]
                    tags = np.where(is_next, self.of(one.tensor, _NEXT, one.vectors), tags)
                writes.append(self._event(one, start, tags))
        return _Events.joined(reads), _Events.joined(writes), _Events.joined(changes)

    def _version(self, tensor: Tensor) -> int:
        return self._versions.get(tensor, 0)

    def _count(self, meant: Meant) -> None:
        for tensor in dict.fromkeys(one.tensor for one in meant.writes if one.in_place):
            assert tensor is not None
            self._versions[tensor] += 1

    def _event(self, one: Accesses, start: int, tags: Numbers) -> _Events:
        words, cycles, every = np.broadcast_arrays(self.words((one.slices, one.addrs)), one.cycles + start, tags)
        scheduled, actual = np.array(self.contents.starts).T
        segment = np.searchsorted(scheduled, cycles, "right") - 1
        return _Events(words.ravel(), (cycles + (actual - scheduled)[segment]).ravel(), every.ravel())

    def at_end(self, tensor: Tensor) -> Iterator[int]:
        """Yield the versions of a tensor that may be there when the program is over."""
        if tensor not in self.contents.states:
            yield 0
            return
        yield _NEXT
        # Rows of a state that are never changed keep their values, under the last number.
        if self._versions[tensor]:
            yield self._versions[tensor]

    def place(self, word: int) -> str:
        """Return what to call a word."""
        number, addr = divmod(int(word), 2 * self._config.mem_depth)
        return f"{units(self._config)[number].name} at {addr}"

    def what(self, tag: int) -> str:
        """Return what to call what a word holds."""
        if tag <= 0:
            return {_HOST: "what the host wrote", _NOTHING: "nothing", _CHANGING: "what a SCATTER may change"}[int(tag)]
        key, vector = divmod(int(tag), 1 << 32)
        tensor, version = [*self._keys][key - 1]
        return f"vector {vector} of {tensor.name}" + {0: "", _NEXT: " for the next run"}.get(version, f", {version}")


def _issued(config: Config, walks: Mapping[int, QueueWalk], plain: str, indexed: str) -> Numbers:
    """Return ``cycle * words + word`` of every READ or WRITE of an image, ascending."""
    each = 2 * config.mem_depth
    found = [np.zeros(0, np.int64)]
    for walk in walks.values():
        if walk.unit.kind is UnitKind.MEM:
            cycles, addrs = word_accesses(config, walk.issued, plain, indexed)
            found.append((cycles * config.slices + walk.unit.id) * each + addrs)
    return np.sort(np.concatenate(found))


def _matched(config: Config, name: str, meant: _Events, issued: Numbers, tags: _Tags) -> _Events:
    """Return the accesses of an image with the tags of what is meant; what nobody speaks of is the host's.

    That are READs of text, and of the indices of a GATHER. All WRITEs must be spoken of.
    """
    count = config.slices * 2 * config.mem_depth
    keys = meant.cycles * count + meant.words
    missing = np.flatnonzero(~np.isin(keys, issued))
    if len(missing):
        first = missing[np.argmin(keys[missing])]
        raise AssertionError(
            f"{tags.what(meant.tags[first])} must have its {name}, of {tags.place(meant.words[first])} in cycle "
            f"{meant.cycles[first]}"
        )
    found = np.full(len(issued), _HOST, np.int64)
    found[np.searchsorted(issued, keys)] = meant.tags
    other = issued[~np.isin(issued, keys)]
    if name == "WRITE" and len(other):
        cycle, word = divmod(int(other[0]), count)
        raise AssertionError(f"WRITE of {tags.place(word)} in cycle {cycle} must be some operation's")
    return _Events(issued % count, issued // count, found)


def _follow(reads: _Events, writes: _Events, tags: _Tags) -> Numbers:
    """Follow every word through time, check what READs find, and return what it holds in the end."""
    words, cycles, every = _Events.joined([reads, writes])
    is_write = np.arange(len(words)) >= len(reads.words)
    order = np.lexsort((cycles, words))
    words, cycles, every, is_write = words[order], cycles[order], every[order], is_write[order]
    # Of each access the last WRITE up to it, if that was of the same word.
    written = np.maximum.accumulate(np.where(is_write, np.arange(len(words)), 0))
    is_known = is_write[written] & (words[written] == words)
    held = np.where(is_known, every[written], tags.first[words])
    wrong = np.flatnonzero(~is_write & (held != every))
    if len(wrong):
        first = wrong[np.argmin(cycles[wrong])]
        raise AssertionError(
            f"READ of {tags.place(words[first])} in cycle {cycles[first]} must find {tags.what(every[first])}, "
            f"not {tags.what(held[first])}"
        )
    last = tags.first.copy()
    # Assigned in order of time: the last one stays.
    last[words[is_write]] = every[is_write]
    return last


def _check_end(last: Numbers, tags: _Tags) -> None:
    """Check what the host reads after the program, and what has to be there before the next run."""
    for final in tags.contents.final:
        words = tags.words(final.places)
        legal = [tags.of(tensor, number, final.vectors) for tensor in final.tensors for number in tags.at_end(tensor)]
        legal = legal or [np.full(len(words), _HOST)]
        wrong = np.flatnonzero((last[words] != np.array(legal)).all(axis=0))
        if len(wrong):
            first = wrong[0]
            raise AssertionError(
                f"{tags.place(words[first])} must hold {tags.what(legal[0][first])} in the end, "
                f"not {tags.what(last[words[first]])}"
            )
