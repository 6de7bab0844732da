from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from arch.errors import TaktError
from arch.faults import FaultKind
from arch.image import Image
from arch.isa.encoding import encode
from arch.presets import preset
from hdl.chip import Chip
from runtime.backend import GoldenBackend, make_backend
from runtime.measure import measure
from runtime.report import show_wave_file
from runtime.run import RunResult, WaveFile
from verif.bits import same_bits
from verif.runtime.hand_made import ROWS, endless_image, relu_image

CONFIG = preset("nano")


def tensors(runs: int) -> list[dict[str, np.ndarray]]:
    rng = np.random.default_rng(runs)
    return [{"x": rng.integers(-128, 128, (ROWS, CONFIG.vector_length), dtype=np.int8)} for _ in range(runs)]


class Altered:
    """A backend whose results somebody tampered with."""

    name = "altered"

    def __init__(self, cycles: int = 0, flip: int = 0) -> None:
        self.cycles, self.flip = cycles, flip

    def run(self, image, inputs):
        results = GoldenBackend().run(image, inputs)
        y = results[-1].outputs["y"].copy()
        y[-1, -1] ^= self.flip
        return [*results[:-1], RunResult({"y": y}, results[-1].cycles + self.cycles, None, 1.0)]


def test_every_run_of_a_batch_is_its_own():
    inputs = tensors(3)
    results = make_backend("golden").run(relu_image(CONFIG), inputs)
    for result, given in zip(results, inputs, strict=True):
        same_bits(result.outputs["y"], np.maximum(given["x"], 0))
        assert result.fault is None
        assert result.cycles == relu_image(CONFIG).cycles
        assert result.cycles_per_second > 0


def test_a_fault_is_reported():
    image = relu_image(CONFIG)
    queues = {**image.queues, 0: np.array([encode("LW"), encode("END")], np.uint64)}
    broken = Image(**{**vars(image), "queues": queues})
    (result,) = GoldenBackend().run(broken, tensors(1))
    assert (result.fault.kind, result.fault.unit, result.fault.cycle) == (FaultKind.ILLEGAL, 0, 0)
    with pytest.raises(TaktError, match="ILLEGAL at unit MEM_W0, cycle 0"):
        measure(broken, tensors(1), GoldenBackend())


def test_one_wrong_bit_or_cycle_is_seen():
    image = relu_image(CONFIG)
    inputs = tensors(2)
    expected = [{"y": np.maximum(given["x"], 0)} for given in inputs]
    assert measure(image, inputs, Altered(), expected).right
    wrong_bit = measure(image, inputs, Altered(flip=1), expected)
    assert not wrong_bit.matches_golden
    assert not wrong_bit.matches_expected
    assert not wrong_bit.right
    late = measure(image, inputs, Altered(cycles=1), expected)
    assert late.cycles == image.cycles + 1
    assert late.matches_expected
    assert not late.matches_golden
    assert not late.right


def test_wrong_use_is_refused():
    with pytest.raises(TaktError, match="not 'verilog'"):
        make_backend("verilog")
    with pytest.raises(TaktError, match="waveform"):
        make_backend("golden", WaveFile(Path("x.fst")))
    with pytest.raises(TaktError, match="at least 1, not 0"):
        measure(relu_image(CONFIG), [], GoldenBackend())


@pytest.mark.parametrize("backend", ["golden", pytest.param("icarus", marks=pytest.mark.long)])
def test_a_program_without_end_is_given_up(backend):
    with pytest.raises(TaktError, match="^program must end within 10150 cycles, not run on$"):
        make_backend(backend).run(endless_image(CONFIG), [{}, {}])


class Chips:
    """Counts the chips that are made of their parameters, in place of `hdl.chip.Chip`."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self, *, config):
        self.made += 1
        return Chip(config=config)


def test_a_backend_makes_one_chip_and_prints_nothing(monkeypatch, capfd):
    """A chip is built once for all runs of a backend, and only commands write to the terminal."""
    told = []

    @contextmanager
    def progress(what):
        told.append(what)
        yield

    chips = Chips()
    monkeypatch.setattr("runtime.rtl_backend.Chip", chips)
    for backend in (make_backend("icarus", progress=progress), make_backend("icarus")):
        backend.run(relu_image(CONFIG), tensors(2))
        backend.run(relu_image(CONFIG), tensors(1))
    make_backend("golden", progress=progress).run(relu_image(CONFIG), tensors(1))
    assert chips.made == 2
    assert [text.startswith("building nano for ") for text in told] == [True]
    assert capfd.readouterr() == ("", "")


def test_a_waveform_that_cannot_be_written_loses_no_result(tmp_path):
    (tmp_path / "file").touch()
    wave_file = WaveFile(tmp_path / "file" / "x.fst")
    inputs = tensors(1)
    (result,) = make_backend("icarus", wave_file).run(relu_image(CONFIG), inputs)
    same_bits(result.outputs["y"], np.maximum(inputs[0]["x"], 0))
    with pytest.raises(TaktError, match="x.fst"):
        show_wave_file(wave_file)
