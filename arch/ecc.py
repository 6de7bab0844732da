"""The error correcting code of streams and MEM words.

An extended Hamming code (Hamming, "Error Detecting and Error Correcting Codes", 1950, sections 3 and 4): single errors
are corrected, double errors detected (SECDED). A code word has the data bits lowest, then the Hamming check bits, then
a parity bit over all the others.

The Hamming part numbers its bits from 1 on: check bit i has the number ``2**i``, the data bits have the numbers in
between, in order. Check bit i is the parity of all data bits whose number has bit i; so that check bits which
disagree spell the number of a flipped bit.
"""

from functools import lru_cache

__all__ = ["check_bits", "check_masks", "data_number"]


@lru_cache
def data_number(bit: int) -> int:
    """Return the Hamming number of a data bit: the bits that are not powers of two, from 3 on."""
    number = bit + 1
    # As many powers of two lie at or below a number as it has bits.
    while number - number.bit_length() < bit + 1:
        number += 1
    return number


@lru_cache
def check_masks(data_bits: int) -> tuple[int, ...]:
    """Return the data bits that each Hamming check bit covers; the parity bit is not among them."""
    numbers = [data_number(bit) for bit in range(data_bits)]
    return tuple(
        sum(1 << bit for bit, number in enumerate(numbers) if number >> check & 1)
        for check in range(numbers[-1].bit_length())
    )


def check_bits(data: int, data_bits: int) -> int:
    """Return the check bits of a word of so many data bits, the parity bit highest."""
    checks = [(data & mask).bit_count() & 1 for mask in check_masks(data_bits)]
    parity = (data.bit_count() + sum(checks)) & 1
    return sum(bit << place for place, bit in enumerate([*checks, parity]))
