import numpy as np
import pytest

from runtime.digits.data import HELD_OUT, load_digits_split
from runtime.digits.draw import draw_digits
from runtime.digits.mlp import train
from runtime.digits.quantised import quantise


@pytest.fixture(scope="module")
def digits():
    return load_digits_split()


@pytest.fixture(scope="module")
def mlp(digits):
    return train(digits)


def test_no_held_out_image_is_trained_on(digits):
    train_set = {image.tobytes() for image in digits.train}
    assert len(digits.held_out) == HELD_OUT
    assert len(digits.train) + HELD_OUT == 1797
    assert not any(image.tobytes() in train_set for image in digits.held_out)


def test_training_is_repeatable(digits, mlp):
    """Training twice gives the same weights, so that figures can be compared between machines."""
    again = train(digits)
    for first, second in zip((*mlp.weights, *mlp.biases), (*again.weights, *again.biases), strict=True):
        np.testing.assert_array_equal(first, second)


def test_int8_is_as_good_as_float(digits, mlp):
    network = quantise(mlp, digits.train)
    right = np.mean(np.argmax(network.logits(digits.held_out), axis=1) == digits.held_out_labels)
    float_right = np.mean(mlp.answers(digits.held_out) == digits.held_out_labels)
    assert right >= 0.95
    assert abs(right - float_right) <= 0.01


def test_quantised_layers_fit_their_formats(digits, mlp):
    network = quantise(mlp, digits.train)
    assert [layer.scale is None for layer in network.layers] == [False, False, True]
    for layer in network.layers:
        assert layer.weights.dtype == np.int8
        assert abs(layer.weights.astype(int)).max() == 127
        assert layer.bias.dtype == np.int32
    assert network.macs_per_image == 64 * 64 + 64 * 32 + 32 * 10


def test_drawing_has_a_caption_below_each_digit():
    pixels = np.zeros((2, 64), np.int8)
    pixels[1] = 16
    lines = draw_digits(pixels, ["3", "5"]).splitlines()
    assert lines[0] == " " * 18 + "@" * 16
    assert lines[-1].split() == ["3", "5"]
