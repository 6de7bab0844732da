"""A block of a convolutional network in one program: every operation reads what the one before has made."""

import numpy as np

from compiler.expression.functions import cast, relu
from compiler.library.conv2d import conv
from compiler.library.pooling import maxpool
from compiler.library.work import work_bound
from golden.reference import conv2d as defined
from golden.reference.pooling import maxpool as defined_maxpool
from golden.reference.windows import Window
from verif.kernels.composed import BASE, Composition

SHARES = [np.float32(share) for share in (2e-4, 2e-3, 1 / 196)]
"""Scales of the convolution, of the one of 1x1, and of the mean."""


def rounded(values):
    return np.clip(np.rint(values), -128, 127).astype(np.int8)


def test_convolution_block():
    """3x3 convolution, relu, maxima of 3x3, 1x1 convolution and residual, mean of each channel, dense; int8."""
    made = Composition(BASE)
    x, w1, w2, w3 = (made.values(*shape, dtype="int8") for shape in ((14, 14, 64), (3, 3, 64, 64), (64, 64), (64, 10)))
    program, image = made.program, made.input(x)
    weights = made.constants({"w1": w1, "w2": w2, "w3": w3})
    first, second, mean = map(float, SHARES)
    y = conv(
        program,
        image,
        weights["w1"],
        padding=1,
        epilogue=lambda total: relu(cast(total, "float32") * first),
        dtype="int8",
    )
    y = program.matmul(
        maxpool(program, y, 3, 1, 1).reshape(196, 64),
        weights["w2"],
        epilogue=lambda total, skip: cast(total, "float32") * second + cast(skip, "float32"),
        operands=(image.reshape(196, 64),),
        dtype="int8",
    )
    means = program.reduce(y, "add", 0, finish=lambda total: cast(cast(total, "float32") * mean, "int8"))
    cycles = made.check({"y": program.matmul(means, weights["w3"])}, {"y": expected(x, w1, w2, w3)})
    # What is missing: pools begin when all rows of the convolution are there, and the product after them likewise.
    assert cycles <= 1.6 * work_bound(program).cycles


def expected(x, w1, w2, w3):
    """Return the block by its definitions."""
    first, second, mean = SHARES
    y = rounded(np.maximum(defined.conv2d_int8(x, w1, padding=1).astype(np.float32) * first, 0))
    y = defined_maxpool(y, Window(sizes=(3, 3), strides=1, padding=1)).reshape(196, 64).astype(np.int32)
    sums = (y @ w2.astype(np.int32)).astype(np.float32) * second
    y = rounded(sums + x.reshape(196, 64).astype(np.float32))
    means = rounded(y.astype(np.int32).sum(axis=0).astype(np.float32) * mean)
    return means.astype(np.int32) @ w3.astype(np.int32)
