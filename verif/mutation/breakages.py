"""Places in the RTL to break, and the tests that must notice."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Breakage:
    """One change of one line.

    Attributes
    ----------
    name
    file
        Source to change, from the project's folder.
    right, wrong
        Text that occurs once in the file, and what to put in its place.
    tests
        Arguments for pytest: where the breakage must show.
    """

    name: str
    file: str
    right: str
    wrong: str
    tests: tuple[str, ...]


_CHIP = ("verif/chip",)

BREAKAGES = (
    Breakage(
        "REPEAT issues one time too many",
        "hdl/icu/queue.py",
        "repeats + 1 == repeat_fields.count",
        "repeats == repeat_fields.count",
        ("verif/icu",),
    ),
    Breakage(
        "a burst's second element comes a cycle late",
        "hdl/icu/burst.py",
        "wait.eq(self.interval - 1)",
        "wait.eq(self.interval)",
        (*_CHIP, "-k", "awkward"),
    ),
    Breakage(
        "the stream register takes the western neighbour for both directions",
        "hdl/stream/hop.py",
        "(1, self.west_in, self.west_out),",
        "(1, self.east_in, self.west_out),",
        (*_CHIP, "-k", "awkward"),
    ),
    Breakage(
        "a write lands in the other bank",
        "hdl/mem/slice_tile.py",
        '("writing", write.valid, write.addr, 1)',
        '("writing", write.valid, Cat(write.addr[:-1], ~write.addr[-1]), 1)',
        (*_CHIP, "-k", "random_programs"),
    ),
    Breakage(
        "bank conflicts go unseen",
        "hdl/mem/controller.py",
        "(read_banks & write_banks).any()",
        "(read_banks & write_banks).all()",
        (*_CHIP, "-k", "illegal"),
    ),
    Breakage(
        "SCATTER changes every lane but its own",
        "hdl/mem/indexed_tile.py",
        "Mux(op.lane == lane, byte,",
        "Mux(op.lane != lane, byte,",
        (*_CHIP, "-k", "gather_and_scatter"),
    ),
    Breakage(
        "unwritten streams go unseen",
        "hdl/checks/stream_checks.py",
        'getattr(self, f"reads_{i}") & ~written',
        'getattr(self, f"reads_{i}") & written',
        (*_CHIP, "-k", "illegal"),
    ),
    Breakage(
        "the run ends a cycle early",
        "hdl/host/run_control.py",
        "(remaining == 0))",
        "(remaining <= 1))",
        (*_CHIP, "-k", "awkward"),
    ),
    Breakage(
        "back-to-back sums of one address miss each other",
        "hdl/mxm/accumulator.py",
        "s1_forward.eq(self.op.valid & (self.op.addr == self.op_in.addr))",
        "s1_forward.eq(0)",
        ("verif/mxm",),
    ),
    Breakage(
        "weights are installed a cycle late",
        "hdl/mxm/supercell.py",
        "with m.If(self.install_in):",
        "with m.If(self.install):",
        ("verif/mxm",),
    ),
    Breakage(
        "large fp16 products are lost",
        "hdl/mxm/fp16_cell.py",
        "Mux(is_high, term[:_HIGH_TERM], 0)",
        "Mux(is_high, term[1 : _HIGH_TERM + 1], 0)",
        ("verif/mxm/test_pair.py", "-k", "nano"),
    ),
    Breakage(
        "an fp16 burst leaves the other plane free",
        "hdl/mxm/pair.py",
        "other.busy_fault | (other.issue_valid & occupied)",
        "other.busy_fault",
        ("verif/mxm/test_pair.py", "-k", "nano"),
    ),
    Breakage(
        "an fp32 sum misses the int32 sum just before it",
        "hdl/sv/takt_sram_1r1w.sv",
        "we && waddr == raddr ? wdata : words[raddr]",
        "words[raddr]",
        ("verif/mxm/test_pair.py", "-k", "nano"),
    ),
    Breakage(
        "ties round up",
        "hdl/vxm/fp32_round.py",
        "guard & (sticky | kept[0])",
        "guard",
        ("verif/vxm/test_alu.py",),
    ),
    Breakage(
        "an fp16 subnormal counts its hidden bit",
        "hdl/vxm/fp16_fields.py",
        "normal.eq(exponent != 0)",
        "normal.eq(1)",
        ("verif/vxm/test_alu.py",),
    ),
    Breakage(
        "CMP holds with a NaN",
        "hdl/vxm/lane_control.py",
        "relation.unordered.eq(op.relation == Relation.NE)",
        "relation.unordered.eq(1)",
        ("verif/vxm/test_alu.py",),
    ),
    Breakage(
        "the function lanes' clock stops a cycle early",
        "hdl/vxm/tile.py",
        "alu.function_op | alu.function_busy",
        "alu.function_op",
        ("verif/vxm/test_column.py",),
    ),
    Breakage(
        "a mesh operand is taken whenever it comes",
        "hdl/vxm/controller.py",
        "(source == Source.MESH) & ~self.mesh_valid",
        "(source == Source.ZERO) & ~self.mesh_valid",
        (*_CHIP, "-k", "illegal"),
    ),
    Breakage(
        "a lane too many moves in with SHIFT",
        "hdl/sxm/lane_shifter.py",
        "(lane < self.op.bound)",
        "(lane <= self.op.bound)",
        ("verif/sxm",),
    ),
    Breakage(
        "a window turns down by as much as it turns right",
        "hdl/sxm/rotate_tile.py",
        "(row + down) % size",
        "(row + right) % size",
        ("verif/sxm",),
    ),
    Breakage(
        "map registers forget at start",
        "hdl/sxm/mapped_tile.py",
        'name=f"map{index}", reset_less=True',
        'name=f"map{index}"',
        ("verif/sxm",),
    ),
    Breakage(
        "a map's number of a lane that does not exist is not seen as one",
        "hdl/sxm/mapped_tile.py",
        "Mux(number < self.choices, number, self.choices)",
        "number",
        ("verif/sxm",),
    ),
    Breakage(
        "a superlane waits for the wrong one above",
        "hdl/sxm/deskew.py",
        "self.valid[above - 1]",
        "self.valid[above]",
        ("verif/sxm",),
    ),
    Breakage(
        "an ALU reports flipped bits of streams that are not its operand's",
        "hdl/vxm/operand.py",
        "_streams(op, index, size), 0)",
        "Const(15, size), 0)",
        ("verif/vxm/test_column.py", "-k", "icarus and settings2"),
    ),
    Breakage(
        "an ALU takes operands as they come, with their flipped bits",
        "hdl/vxm/operand.py",
        "Mux(read[stream], corrected, word",
        "Mux(Const(0, 1), corrected, word",
        ("verif/vxm/test_operand.py", "-k", "icarus"),
    ),
    Breakage(
        "the clock of an ALU stops before its report is gone",
        "hdl/vxm/alu.py",
        "busy |= s4_valid",
        "busy |= s3_valid",
        ("verif/vxm/test_column.py", "-k", "icarus and settings2"),
    ),
    Breakage(
        "flipped bits of text are reported for a superlane a cycle late",
        "hdl/icu/fetch_port.py",
        "readers[REPORT_DELAY - 1 + row][queue]",
        "readers[REPORT_DELAY - 1][queue]",
        ("verif/icu/test_fetch.py", "-k", "ecc and icarus"),
    ),
    Breakage(
        "words for the SXM that were flipped are reported a cycle early",
        "hdl/sxm/tile.py",
        "ecc.read(word, en=en)",
        "ecc.read(word, en=en, after=1)",
        ("verif/sxm", "-k", "ecc"),
    ),
    Breakage(
        "flipped bits of fp16 activations are corrected but not reported",
        "hdl/mxm/pair.py",
        "getattr(first.activations, name) | getattr(array, name)",
        "getattr(first.activations, name)",
        ("verif/mxm/test_pair.py", "-k", "ecc"),
    ),
    Breakage(
        "sums of a plane are off by one on their way to the streams",
        "hdl/mxm/accumulator.py",
        "self.driver.data.eq(Cat(",
        "self.driver.data.eq(1 ^ Cat(",
        ("verif/mxm/test_mxm.py", "-k", "nano"),
    ),
)
