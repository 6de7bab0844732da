"""Programs as text and back."""

import numpy as np
import pytest

from arch.errors import TaktError
from arch.geometry import units
from arch.isa.encoding import encode
from arch.presets import preset
from compiler.emit.disassembly import assemble_text, disassemble_queues
from verif.compiler.layers import compile_layer

NANO = preset("nano")


def test_round_trip():
    image = compile_layer(NANO, 20, 30, 17, planes=4, bias=np.arange(17, dtype=np.int32), scale=0.1)
    text = disassemble_queues(NANO, image.queues)
    queues = assemble_text(NANO, text)
    assert queues.keys() == image.queues.keys()
    for queue, words in queues.items():
        np.testing.assert_array_equal(words, image.queues[queue])


def test_text():
    queue = next(unit.id for unit in units(NANO) if unit.name == "MXM_E0.W")
    words = [encode("NOP", count=7), encode("LW", stream=4, count=2), encode("REPEAT", count=3, interval=5), 63]
    text = disassemble_queues(NANO, {queue: np.array(words, np.uint64)})
    assert text.splitlines() == [
        "queue MXM_E0.W",
        "       0: NOP count=7",
        "       7: LW stream=4 count=2",
        "       8: REPEAT count=3 interval=5",
        "      23: .word 0x000000000000003f",
    ]
    np.testing.assert_array_equal(assemble_text(NANO, text)[queue], words)


def test_comments_and_empty_lines_do_not_count():
    text = "; a program\n\nqueue MEM_W0 ; west\n  END ; done\n"
    assert assemble_text(NANO, text)[0].tolist() == [encode("END")]
    assert assemble_text(NANO, disassemble_queues(NANO, {})) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("queue MEM_W99\n", "line 1: queue must be one of nano's, once, not 'MEM_W99'"),
        ("queue MEM_W0\nEND\nqueue MEM_W0\n", "line 3: queue must be one of nano's, once, not 'MEM_W0'"),
        ("END\n", "line 1: 'queue NAME' must come first, not 'END'"),
        ("queue MEM_W0\nFROB\n", "line 2: mnemonic must be one of"),
        ("queue MEM_W0\nNOP count\n", "line 2: instruction must be"),
    ],
)
def test_refusals(text, message):
    with pytest.raises(TaktError, match=message):
        assemble_text(NANO, text)
