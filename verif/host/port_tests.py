"""The Wishbone slave: a bench that is the bus master, MEM, the queues and run control at once."""

from collections import deque
from typing import Any

import cocotb

from arch.config import Config
from arch.ecc import check_bits
from arch.host import FLIPS, Ctrl, Register, Status, mem_address, queue_address
from verif.bench import Bench


class Master:
    """Issues beats and checks that each is answered in its cycle; plays a MEM that answers reads.

    Attributes
    ----------
    words
        Contents of MEM by (slice, tile, address).
    pushes, controls
        ``(queue, word)`` and ``(go, clear)`` in the order in which they were seen.
    """

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.config = Config.from_dict(bench.parameters["config"])
        self.latency = 3 + self.config.sram_latency
        self.words: dict[tuple[int, int, int], int] = {}
        self.pushes: list[tuple[int, int]] = []
        self.controls: list[tuple[int, int]] = []
        self.accesses = 0
        self._due: dict[int, int | None] = {}
        self._reading = deque([0] * self.config.sram_latency)

    def coded(self, data: int) -> int:
        """Return a word as it is stored."""
        bits = 8 * self.config.lanes
        return data | check_bits(data, bits) << bits if self.config.ecc else data

    async def beat(self, address: int = 0, data: int | None = None, *, expected: int | None = None) -> None:
        """Write `data`, or read and expect `expected` (None: anything); the next beat may follow in the next cycle."""
        self.bench.drive(cyc=1, stb=1, we=data is not None, adr=address, dat_w=data or 0)
        self._due[self.bench.cycle + self.latency] = expected
        await self._tick()

    async def pause(self, cycles: int = 1, **lines: int) -> None:
        """Let cycles pass without a beat."""
        for _ in range(cycles):
            self.bench.drive(**{"cyc": 1, "stb": 0, **lines})
            await self._tick()

    async def _tick(self) -> None:
        bench = self.bench
        await bench.tick()
        self._answer_mem()
        if bench.read("push"):
            self.pushes.append((bench.read("push_queue"), bench.read("push_word")))
        if bench.read("go") or bench.read("clear"):
            self.controls.append((bench.read("go"), bench.read("clear")))
        answered = bench.cycle in self._due
        bench.check("ack", bench.read("ack"), int(answered))
        if answered and (expected := self._due.pop(bench.cycle)) is not None:
            bench.check("dat_r", bench.read("dat_r"), expected)

    def _answer_mem(self) -> None:
        """Behave as a single-port memory with the SRAM's latency."""
        bench = self.bench
        bench.drive(mem_read=self._reading.popleft())
        word = 0
        if bench.read("mem_en"):
            self.accesses += 1
            place = (bench.read("mem_slice"), bench.read("mem_tile"), bench.read("mem_addr"))
            if bench.read("mem_we"):
                self.words[place] = bench.read("mem_data")
            else:
                word = self.words.get(place, 0)
        self._reading.append(word)


async def start(dut: Any) -> Master:
    return Master(await Bench.start(dut))


@cocotb.test()
async def mem(dut: Any) -> None:
    """Random reads and writes, back to back and with pauses."""
    master = await start(dut)
    rng = master.bench.random
    expected: dict[tuple[int, int, int], int] = {}
    for _ in range(400):
        place = (rng.choice((0, 5, 87)), rng.choice((0, 19)), rng.choice((0, 1, 8191, 16383)))
        if rng.random() < 0.5:
            expected[place] = rng.getrandbits(8 * master.config.lanes)
            await master.beat(mem_address(*place), expected[place])
        else:
            await master.beat(mem_address(*place), expected=expected.get(place, 0))
        if rng.random() < 0.3:
            await master.pause(rng.randint(1, 6))
    await master.pause(master.latency)
    assert master.words == {place: master.coded(data) for place, data in expected.items()}
    assert not master.pushes and not master.controls


@cocotb.test()
async def flipped_bits(dut: Any) -> None:
    """The FLIP registers change what is stored; one bit is corrected when the host reads it back."""
    master = await start(dut)
    rng, bits = master.bench.random, master.config.stream_bits
    for bit in (*rng.sample(range(bits), 12), bits - 1):
        word, place = rng.getrandbits(8 * master.config.lanes), (1, 0, bit)
        flips = 1 << bit if master.config.ecc else 0
        for index, register in enumerate(FLIPS):
            await master.beat(register, 1 << bit >> 32 * index & 0xFFFFFFFF)
        await master.beat(mem_address(*place), word)
        await master.beat(mem_address(*place), expected=word)
        await master.pause(2)
        assert master.words[place] == master.coded(word) ^ flips
    for register in FLIPS:
        await master.beat(register, 0)
    await master.beat(mem_address(1, 0, 0), 5)
    await master.pause(master.latency)
    assert master.words[1, 0, 0] == master.coded(5)


@cocotb.test()
async def queues(dut: Any) -> None:
    """One push per 64-bit word, however many beats it takes."""
    master = await start(dut)
    rng = master.bench.random
    expected = []
    for _ in range(60):
        queue, word = rng.choice((0, 1, 83, 255)), rng.getrandbits(64)
        expected.append((queue, word))
        if master.config.lanes < 8:
            await master.beat(queue_address(queue, 0), word & 0xFFFFFFFF)
            await master.pause(rng.randrange(2))
            await master.beat(queue_address(queue, 1), word >> 32)
        else:
            await master.beat(queue_address(queue), word)
    await master.pause(master.latency)
    assert master.pushes == expected
    assert not master.accesses


@cocotb.test()
async def registers(dut: Any) -> None:
    master = await start(dut)
    rng = master.bench.random
    identity = master.config.fingerprint
    for _ in range(20):
        shown = {"busy": rng.getrandbits(1), "done": rng.getrandbits(1), "fault": rng.getrandbits(1)}
        shown |= {"cycle": rng.getrandbits(48), "fault_cycle": rng.getrandbits(48)}
        shown |= {"fault_kind": rng.getrandbits(4), "fault_unit": rng.getrandbits(8)}
        master.bench.drive(**shown)
        low = (1 << 32) - 1
        expected = {
            Register.ID_LO: identity & low,
            Register.ID_HI: identity >> 32,
            Register.CTRL: 0,
            Register.STATUS: shown["busy"] * Status.RUNNING
            | shown["done"] * Status.DONE
            | shown["fault"] * Status.FAULT,
            Register.CYCLES_LO: shown["cycle"] & low,
            Register.CYCLES_HI: shown["cycle"] >> 32,
            Register.FAULT_KIND: shown["fault_kind"],
            Register.FAULT_UNIT: shown["fault_unit"],
            Register.FAULT_CYCLE_LO: shown["fault_cycle"] & low,
            Register.FAULT_CYCLE_HI: shown["fault_cycle"] >> 32,
        }
        if master.config.ecc:
            found = {"ecc_count": rng.getrandbits(32), "ecc_unit": rng.getrandbits(8), "ecc_cycle": rng.getrandbits(48)}
            master.bench.drive(**found)
            expected |= {
                Register.ECC_COUNT: found["ecc_count"],
                Register.ECC_UNIT: found["ecc_unit"],
                Register.ECC_CYCLE_LO: found["ecc_cycle"] & low,
                Register.ECC_CYCLE_HI: found["ecc_cycle"] >> 32,
            }
        for register in rng.sample(list(Register), len(Register)):
            await master.beat(register, expected=int(expected.get(register, 0)))
        await master.pause(master.latency)
    assert not master.controls and not master.pushes and not master.accesses


@cocotb.test()
async def control(dut: Any) -> None:
    """START passes always (run control ignores it while busy), CLEAR only while stopped."""
    master = await start(dut)
    for busy in (0, 1):
        master.bench.drive(busy=busy)
        for bits in (Ctrl.START, Ctrl.CLEAR, 0, Ctrl.START | Ctrl.CLEAR):
            await master.beat(Register.CTRL, bits)
            await master.pause(3)
    assert master.controls == [(1, 0), (0, 1), (1, 1), (1, 0), (1, 0)]
    await master.pause(master.latency)


@cocotb.test()
async def a_busy_machine_is_left_alone(dut: Any) -> None:
    """Beats to MEM and queues are answered and have no effect."""
    master = await start(dut)
    master.bench.drive(busy=1)
    await master.beat(mem_address(1, 0, 7), 5)
    await master.beat(mem_address(1, 0, 7))
    for half in (0, 1):
        await master.beat(queue_address(3, half), 9)
    await master.pause(master.latency)
    assert not master.accesses and not master.pushes


@cocotb.test()
async def no_beat_without_cyc_and_stb(dut: Any) -> None:
    master = await start(dut)
    lines = {"we": 1, "adr": Register.CTRL, "dat_w": int(Ctrl.START)}
    await master.pause(3, cyc=0, stb=1, **lines)
    await master.pause(3, cyc=1, stb=0, **lines)
    await master.pause(master.latency)
    assert not master.controls
