"""The host's side of the Wishbone port."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, Timer

from arch.config import Config
from arch.host import Ctrl, Register, mem_address, queue_address
from arch.image import Bytes
from runtime.run import PERIOD

__all__ = ["HostBus"]

_HALF = (1 << 32) - 1


class HostBus:
    """Drives the host port of the chip, a beat per cycle; acts on falling edges.

    Parameters
    ----------
    dut
        cocotb's handle of the chip.
    config
        Its configuration.

    Attributes
    ----------
    clock
        cocotb's clock; the period is 1 ns.
    """

    def __init__(self, dut: Any, config: Config) -> None:
        self._config = config
        self._ports = {name: getattr(dut, name) for name in ("rst", "cyc", "stb", "we", "adr", "dat_w", "ack", "dat_r")}
        self._fall = FallingEdge(dut.clk)
        self.clock = Clock(dut.clk, PERIOD, unit="ps")

    async def start(self) -> None:
        """Start the clock and reset the chip."""
        self._set(rst=1, cyc=0, stb=0, we=0, adr=0, dat_w=0)
        await Timer(1, unit="ns")
        self.clock.start(start_high=False)
        await self.wait(3)
        self._set(rst=0)
        await self.wait(1)

    async def wait(self, cycles: int) -> None:
        """Let cycles pass at full speed."""
        await self.clock.cycles(cycles, FallingEdge)

    async def write(self, beats: Iterable[tuple[int, int]]) -> None:
        """Write ``(address, data)`` beats, one per cycle, and wait until the last is answered."""
        adr, dat_w, fall = self._ports["adr"], self._ports["dat_w"], self._fall
        self._set(cyc=1, stb=1, we=1)
        for address, data in beats:
            adr.value = address
            dat_w.value = data
            await fall
        self._set(stb=0, we=0)
        await self.wait(4 + self._config.sram_latency)
        self._set(cyc=0)

    async def read(self, addresses: Sequence[int]) -> list[int]:
        """Return the data of read beats, one per cycle."""
        adr, ack, dat_r, fall = self._ports["adr"], self._ports["ack"], self._ports["dat_r"], self._fall
        found: list[int] = []
        pending = iter(addresses)
        self._set(cyc=1, stb=1, we=0)
        waited = 0
        while len(found) < len(addresses):
            address = next(pending, None)
            if address is None:
                self._set(stb=0)
                waited += 1
                assert waited < 100, f"host port answered {len(found)} of {len(addresses)} reads"
            else:
                adr.value = address
            await fall
            if ack.value:
                found.append(int(dat_r.value))
        self._set(stb=0, cyc=0)
        return found

    async def control(self, bits: Ctrl) -> None:
        """Write the CTRL register."""
        await self.write([(Register.CTRL, bits)])

    async def register(self, low: Register, high: Register | None = None) -> int:
        """Return a register, or a pair of them as one number."""
        addresses = [low] if high is None else [low, high]
        return sum((value & _HALF) << 32 * index for index, value in enumerate(await self.read(addresses)))

    async def push(self, queue: int, words: Iterable[int]) -> None:
        """Append words to a queue."""
        if self._config.lanes >= 8:
            await self.write((queue_address(queue), int(word)) for word in words)
        else:
            halves = ((half, int(word) >> 32 * half & _HALF) for word in words for half in (0, 1))
            await self.write((queue_address(queue, half), data) for half, data in halves)

    async def write_mem(self, slices: npt.NDArray[np.int32], addrs: npt.NDArray[np.int32], words: Bytes) -> None:
        """Write MEM words, shape (n, vector_length) uint8."""
        data = words.reshape(-1, self._config.lanes)
        beats = zip(self._mem_addresses(slices, addrs), data, strict=True)
        await self.write((address, int.from_bytes(lanes.tobytes(), "little")) for address, lanes in beats)

    async def read_mem(self, slices: npt.NDArray[np.int32], addrs: npt.NDArray[np.int32]) -> Bytes:
        """Return MEM words, shape (n, vector_length) uint8."""
        beats = await self.read(self._mem_addresses(slices, addrs))
        data = b"".join(beat.to_bytes(self._config.lanes, "little") for beat in beats)
        return np.frombuffer(data, np.uint8).reshape(len(slices), self._config.vector_length)

    def _mem_addresses(self, slices: npt.NDArray[np.int32], addrs: npt.NDArray[np.int32]) -> list[int]:
        tiles = range(self._config.superlanes)
        return [mem_address(int(s), tile, int(a)) for s, a in zip(slices, addrs, strict=True) for tile in tiles]

    def _set(self, **values: int) -> None:
        for name, value in values.items():
            self._ports[name].value = value
