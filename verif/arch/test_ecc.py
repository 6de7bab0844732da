"""The code of `arch.ecc`: a distance of 4."""

from itertools import combinations

import pytest

from arch.ecc import check_bits, check_masks, data_number
from arch.presets import preset


@pytest.mark.parametrize("lanes,bits", [(4, 7), (8, 8), (16, 9)])
def test_as_many_check_bits_as_published(lanes: int, bits: int) -> None:
    config = preset("nano", [f"lanes={lanes}", "mem_slices=16", "ecc=true"])
    assert config.ecc_bits == len(check_masks(8 * lanes)) + 1 == bits
    assert config.stream_bits == 8 * lanes + bits
    assert config.replace(ecc=False).stream_bits == 8 * lanes


def test_data_bits_have_the_numbers_between_powers_of_two() -> None:
    expected = [number for number in range(1, 140) if number & (number - 1)]
    assert [data_number(bit) for bit in range(128)] == expected[:128]


@pytest.mark.parametrize("data_bits", [32, 64, 128])
def test_any_two_words_differ_in_four_bits(data_bits: int) -> None:
    """A linear code: as the check bits of a sum are the sum of the check bits, the lightest word has the distance."""
    checks = [check_bits(1 << bit, data_bits) for bit in range(data_bits)]
    assert check_bits(0, data_bits) == 0
    assert min(1 + check.bit_count() for check in checks) >= 4
    assert min(2 + (a ^ b).bit_count() for a, b in combinations(checks, 2)) >= 4
    pairs = {a ^ b for a, b in combinations(checks, 2)}
    assert not pairs & set(checks), "three data bits with check bits of weight 0"


def test_check_bits_are_linear(rng) -> None:
    for _ in range(50):
        a, b = (int.from_bytes(rng.bytes(16), "little") for _ in range(2))
        assert check_bits(a ^ b, 128) == check_bits(a, 128) ^ check_bits(b, 128)
