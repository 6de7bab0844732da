"""The floating-point network and its training."""

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from runtime.digits.data import PIXEL_MAX, Digits

__all__ = ["HIDDEN", "Mlp", "train"]

HIDDEN = (64, 32)
"""Neurons of the hidden layers."""

_EPOCHS = 60
_SEED = 0
_INTERRUPTED = "Training interrupted"

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Mlp:
    """Dense layers with relu between them.

    Attributes
    ----------
    weights : tuple of ndarray, shape (inputs, outputs)
    biases : tuple of ndarray, shape (outputs,)
        For pixels 0 to 16, as they are in the data set.
    """

    weights: tuple[Floats, ...]
    biases: tuple[Floats, ...]

    def layers(self, pixels: npt.NDArray[np.int8]) -> list[Floats]:
        """Return the output of every layer, the last without relu: shapes (images, outputs)."""
        value = pixels.astype(np.float64)
        outputs = []
        for number, (weights, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            value = value @ weights + bias
            if number < len(self.weights) - 1:
                value = np.maximum(value, 0.0)
            outputs.append(value)
        return outputs

    def answers(self, pixels: npt.NDArray[np.int8]) -> npt.NDArray[np.int64]:
        """Return the digit that each image is taken for."""
        answers: npt.NDArray[np.int64] = np.argmax(self.layers(pixels)[-1], axis=1).astype(np.int64)
        return answers


def train(digits: Digits) -> Mlp:
    """Train the network: the same data, order and seed every time; about two seconds."""
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier(HIDDEN, random_state=_SEED, alpha=0.01, batch_size=32, learning_rate_init=2e-3)
    classes = np.unique(digits.train_labels)
    with warnings.catch_warnings():
        # scikit-learn turns Ctrl-C into a warning, and goes on with what it has.
        warnings.filterwarnings("error", _INTERRUPTED, UserWarning)
        try:
            for _ in range(_EPOCHS):
                model.partial_fit(digits.train / PIXEL_MAX, digits.train_labels, classes=classes)
        except UserWarning as warning:
            if str(warning).startswith(_INTERRUPTED):
                raise KeyboardInterrupt from None
            raise
    weights = [np.asarray(matrix, np.float64) for matrix in model.coefs_]
    weights[0] = weights[0] / PIXEL_MAX
    return Mlp(tuple(weights), tuple(np.asarray(bias, np.float64) for bias in model.intercepts_))
