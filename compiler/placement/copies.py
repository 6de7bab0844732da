"""Which words the copies of a result or a state take."""

from collections.abc import Callable

from arch.config import Config
from arch.geometry import Hemisphere
from compiler.placement.allocator import Bank, OutOfMemory
from compiler.placement.demand import Demand, Vectors, Work
from compiler.placement.layout import Layout, Numbers
from compiler.placement.placed import slices_of_layouts
from compiler.placement.policy import Policy
from compiler.placement.products import ProductStorage
from compiler.tensor import Tensor
from compiler.vector.lanes import vector_count
from compiler.vector.operation import Pass


class CopyStorage(ProductStorage):
    """Takes words for copies of vectors that passes write: each for its reader, or for several."""

    def __init__(self, config: Config, work: Work, outputs: list[Tensor], policy: Policy) -> None:
        super().__init__(config, work, outputs, policy)
        results = [id(result.tensor) for op, _ in work if isinstance(op, Pass) for result in op.results]
        # Several results make parts of these.
        self._parted = {number for number in results if results.count(number) > 1}
        # Slices that are read now and then.
        self._seldom: set[int] = set()

    def _take_copies(
        self,
        tensor: Tensor,
        wants: list[tuple[Demand | None, Vectors]],
        sides: list[Hemisphere],
        written: set[int],
        read: set[Bank],
        turns: Callable[[Vectors], tuple[Numbers, int]] | None,
        writer: Pass | None,
    ) -> list[tuple[Layout, Demand | None]]:
        """Take words for copies on the first side that has room; adds their slices to `written`.

        At best dense ones change between slices that nobody reads beside their readers.
        """
        sides = next(([want.side] for want, _ in wants if want is not None and want.side is not None), sides)
        first = wants[0][0]
        if self._policy.pooled and first is not None:
            sides = sorted(sides, key=lambda side: not self._rare_banks(first, [side], written))
        saved = self.allocator.save()
        attempts: list[tuple[tuple[Hemisphere, ...], bool]] = [
            ((side,), quiet) for quiet in (True, False) for side in sides
        ]
        if len(wants) == 1 and wants[0][0] is not None and wants[0][0].columns:
            # An ALU can change its direction from one vector to the next.
            attempts.append((tuple(sides), False))
        for chosen, quiet in attempts:
            found: list[tuple[Layout, Demand | None]] = []
            mine: set[int] = set()
            try:
                for want, order in wants:
                    theirs = set() if want is None else self._busy(want.op)
                    shared = self._shareable(found, want, order, theirs)
                    if shared is not None:
                        found.append((shared, want))
                        continue
                    busy = written | mine | theirs
                    layout = Layout.empty(tensor.itemsize, *vector_count(tensor, self._config.vector_length))
                    reader = None if want is None else want.op
                    many = want is not None and want.columns > 0
                    banks = [bank for side in chosen for bank in self._ordered(side, busy, read, reader, writer, many)]
                    if self._policy.copied and want is not None and want.is_rare:
                        # Others that are read now and then leave time.
                        banks.sort(key=lambda bank: bank.slice not in self._seldom)
                    if self._policy.pooled and want is not None:
                        banks = [*self._rare_banks(want, chosen, written | mine), *banks]
                    size = tensor.itemsize
                    if want is not None and want.columns:
                        self._fill_loaded(layout, want, banks)
                        mine |= layout.used
                        found.append((layout, want))
                        continue
                    if want is not None and turns is not None and not self._policy.dense:
                        places, each = turns(order)
                        idle = len({bank.slice for bank in banks} - self._read_beside(want.op))
                        if each > 1 and idle < each * size:
                            if quiet:
                                raise OutOfMemory(tensor.name, 0, self._config)
                            each = 1
                        slices, addrs = self.allocator.take_striped(tensor.name, size, places, banks, each)
                    else:
                        slices, addrs = self.allocator.take(tensor.name, size, len(order), banks)
                    layout.flat[0][:, order] = slices
                    layout.flat[1][:, order] = addrs
                    mine |= slices_of_layouts([layout])
                    found.append((layout, want))
                    if want is not None and want.is_rare:
                        self._seldom |= slices_of_layouts([layout])
            except OutOfMemory:
                self.allocator.restore(saved)
                if (chosen, quiet) == attempts[-1]:
                    raise
                continue
            break
        written |= mine
        return found

    def _shareable(
        self, found: list[tuple[Layout, Demand | None]], want: Demand | None, order: Vectors, busy: set[int]
    ) -> Layout | None:
        """Return a copy that another operation reads and that will do for a reader too."""
        if want is not None and (id(want.tensor) in self._parted or want.columns):
            return None
        mine = [layout for layout, other in found if want and other and want.op is other.op]
        for layout, other in found:
            if (other and other.columns) or any(layout is taken for taken in mine):
                continue
            slices = slices_of_layouts([layout])
            if self._policy.pooled and want is not None and want.is_rare and other is not None and other.is_rare:
                fits = self._is_apart(want, slices)
            else:
                fits = self._policy.dense and not slices & busy
            if fits and (layout.flat[0][0, order] >= 0).all():
                return layout
        return None
