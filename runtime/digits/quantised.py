"""The INT8 network, and its answers in plain NumPy: the reference that neither golden model nor RTL had a part in."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from runtime.digits.mlp import Mlp

__all__ = ["QuantisedLayer", "QuantisedMlp", "quantise"]


@dataclass(frozen=True)
class QuantisedLayer:
    """A dense layer in integers: ``acc = x @ weights + bias``, exact in int32.

    Attributes
    ----------
    weights : ndarray of int8, shape (inputs, outputs)
    bias : ndarray of int32, shape (outputs,)
    scale : ndarray of float32, shape (outputs,), or None
        int8 result: ``relu(saturate(round(float32(acc) * scale)))``, to nearest even. None: acc is the result.
    """

    weights: npt.NDArray[np.int8]
    bias: npt.NDArray[np.int32]
    scale: npt.NDArray[np.float32] | None


@dataclass(frozen=True)
class QuantisedMlp:
    """Layers in order; the last has no scale, its int32 results are the logits."""

    layers: tuple[QuantisedLayer, ...]

    @property
    def macs_per_image(self) -> int:
        """Multiply-accumulates of one image."""
        return sum(layer.weights.size for layer in self.layers)

    def logits(self, pixels: npt.NDArray[np.int8]) -> npt.NDArray[np.int32]:
        """Return the int32 logits of int8 images: (images, 64) to (images, 10)."""
        value = pixels
        for layer in self.layers:
            total = value.astype(np.int32) @ layer.weights.astype(np.int32) + layer.bias
            if layer.scale is None:
                return total
            rounded = np.rint(total.astype(np.float32) * layer.scale)
            value = np.clip(rounded, 0, 127).astype(np.int8)
        raise AssertionError("the last layer has no scale")


def quantise(mlp: Mlp, pixels: npt.NDArray[np.int8]) -> QuantisedMlp:
    """Quantise a network, symmetric, weights and activations to int8, biases to int32.

    Hidden layers have a weight scale per neuron; the last layer has one for all, so that its logits compare.

    Parameters
    ----------
    mlp
        The network.
    pixels
        Training images, which tell how large the hidden activations get.
    """
    layers = []
    in_scale = 1.0
    outputs = mlp.layers(pixels)
    for number, (weights, bias) in enumerate(zip(mlp.weights, mlp.biases, strict=True)):
        last = number == len(mlp.weights) - 1
        largest = np.abs(weights).max()
        if not last:
            # A neuron that training switched off has weights of almost 0, and its bias must still fit int32.
            largest = np.maximum(np.abs(weights).max(axis=0), largest * 1e-3)
        weight_scale = largest / 127
        acc_scale = in_scale * weight_scale
        out_scale = float(outputs[number].max()) / 127
        layers.append(
            QuantisedLayer(
                weights=np.rint(weights / weight_scale).astype(np.int8),
                bias=np.rint(bias / acc_scale).astype(np.int32),
                scale=None if last else (acc_scale / out_scale).astype(np.float32),
            )
        )
        in_scale = out_scale
    return QuantisedMlp(tuple(layers))
