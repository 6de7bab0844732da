import numpy as np

from arch.presets import preset
from runtime.gemm import Gemm, blank_gemm, gemm_reference, randomised
from verif.bits import same_bits

NANO = preset("nano")


def test_integers_by_hand():
    a = np.array([[1, -128], [127, 2]], np.int8)
    b = np.array([[3, -128], [-128, 5]], np.int8)
    gemm = Gemm(a=a, b=b, bias=np.array([1, -1], np.int32))
    assert gemm_reference(gemm, NANO).tolist() == [[16388, -769], [126, -16247]]
    assert gemm_reference(gemm, NANO).dtype == np.int32
    assert gemm_reference(Gemm(a=a, b=b, relu=True), NANO).tolist() == [[16387, 0], [125, 0]]


def test_scaling_rounds_half_to_even_and_saturates():
    a = np.array([[1], [3], [5], [-1], [-3], [127], [-128]], np.int8)
    gemm = Gemm(a=a, b=np.array([[1, 4]], np.int8), scale=np.array([0.5], np.float32))
    found = gemm_reference(gemm, NANO)
    assert found.dtype == np.int8
    assert found.T.tolist() == [[0, 2, 2, 0, -2, 64, -64], [2, 6, 10, -2, -6, 127, -128]]


def test_sums_equal_numpys():
    gemm = randomised(blank_gemm(7, 300, 5), seed=1)
    same_bits(gemm_reference(gemm, NANO), gemm.a.astype(np.int32) @ gemm.b.astype(np.int32))
