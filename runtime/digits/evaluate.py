"""Train, quantise, compile, run, compare: everything that ``takt digits`` reports."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from arch.config import Config
from arch.errors import TaktError
from arch.image import Image
from runtime.backend import Backend
from runtime.digits.data import HELD_OUT, load_digits_split
from runtime.digits.mlp import train
from runtime.digits.program import compile_digits
from runtime.digits.quantised import quantise
from runtime.measure import Measurement, measure

__all__ = ["DigitsResult", "evaluate_digits"]

BATCH = 60
"""Images per run: the held-out images are six full batches."""


@dataclass(frozen=True)
class DigitsResult:
    """What the network answered on a backend.

    Attributes
    ----------
    image
        The compiled program.
    pixels : ndarray of int8, shape (count, 64)
        Held-out images.
    labels, answers : ndarray of int64, shape (count,)
        What they show, and what the backend said.
    float_accuracy, numpy_accuracy, accuracy
        Shares of right answers: of the float network, of the plain-NumPy INT8 network, of the backend.
    measurement
        Of one batch; `matches_golden` and `matches_expected` (the plain-NumPy INT8 logits) hold for every image.
    batch
        Images per run.
    """

    image: Image
    pixels: npt.NDArray[np.int8]
    labels: npt.NDArray[np.int64]
    answers: npt.NDArray[np.int64]
    float_accuracy: float
    numpy_accuracy: float
    accuracy: float
    measurement: Measurement
    batch: int

    @property
    def cycles_per_image(self) -> float:
        """Cycles of a run divided by its images."""
        return self.measurement.cycles / self.batch


def evaluate_digits(config: Config, backend: Backend, count: int = HELD_OUT) -> DigitsResult:
    """Train, quantise and compile the network, and run held-out images on a backend.

    Parameters
    ----------
    config
        The machine.
    backend
        Where to run.
    count
        Held-out images, from the first.

    Raises
    ------
    TaktError
        For a count that is not 1 to :data:`~runtime.digits.data.HELD_OUT`.
    """
    if not 1 <= count <= HELD_OUT:
        raise TaktError(f"count must be 1 to {HELD_OUT}, not {count}")
    digits = load_digits_split()
    mlp = train(digits)
    network = quantise(mlp, digits.train)
    batch = min(BATCH, count)
    image = compile_digits(config, network, batch)
    pixels, labels = digits.held_out[:count], digits.held_out_labels[:count]
    runs = -(-count // batch)
    padded = np.zeros((runs * batch, pixels.shape[1]), np.int8)
    padded[:count] = pixels
    batches = padded.reshape(runs, batch, -1)
    result = measure(
        image,
        [{"pixels": part} for part in batches],
        backend,
        [{"logits": network.logits(part)} for part in batches],
    )
    logits = np.concatenate([outputs["logits"] for outputs in result.outputs])[:count]
    answers = np.argmax(logits, axis=1).astype(np.int64)
    plain = np.argmax(network.logits(pixels), axis=1)
    return DigitsResult(
        image=image,
        pixels=pixels,
        labels=labels,
        answers=answers,
        float_accuracy=float(np.mean(mlp.answers(pixels) == labels)),
        numpy_accuracy=float(np.mean(plain == labels)),
        accuracy=float(np.mean(answers == labels)),
        measurement=result,
        batch=batch,
    )
