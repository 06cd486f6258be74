# SPDX-License-Identifier: Apache-2.0
"""What a frame costs in credits."""

from amaranth.hdl import Cat, Const, Value, ValueLike
from amaranth.lib import wiring

from gavel_model.config import SwitchConfig
from gavel_model.register_map import LARGEST_CREDIT_SIZE
from gavel_rtl.flow_interfaces import OVERHEAD_BITS
from gavel_rtl.lib.one_hot import select

_LEAST_SIZE_BITS = 5
"""The least credit is 32 bytes."""

_MOST_OVERHEAD = (1 << OVERHEAD_BITS - 1) - 1


def cost_bits(config: SwitchConfig) -> int:
    """Width of what a frame costs, the longest in the least credits."""
    return ((config.max_frame_bytes + _MOST_OVERHEAD >> _LEAST_SIZE_BITS) + 1).bit_length()


def cost(length: ValueLike, size: wiring.PureInterface) -> Value:
    """credits(length) of docs/flow_control.md: (length + overhead) / size, rounded up.

    Parameters
    ----------
    length
        Bytes of a frame, FCS included.
    size
        A `CreditSize`.
    """
    halves = half_credits(length, size)
    return halves[1:] + halves[0]


def half_credits(length: ValueLike, size: wiring.PureInterface) -> Value:
    """Twice (length + overhead) / size rounded down, and 1 more if there is a remainder.

    So whole credits in bits [n:1], and in bit 0 whether one more is begun: (2 * count + 1 + this)
    / 2 is count + credits(length) in one sum, for which nothing has to be rounded up before.
    Parameters as of `cost`.
    """
    total = (Value.cast(length) + size.overhead).as_unsigned()
    return Cat((total & remainder_mask(size.exponent)).any(),
               total[_LEAST_SIZE_BITS:] >> size.exponent)


def remainder_mask(exponent: Value) -> Value:
    """The bits of a number of bytes that are the remainder of its division by a credit of
    32 * 2**``exponent``."""
    return Cat(Const(-1, _LEAST_SIZE_BITS), *(exponent > n for n in range(LARGEST_CREDIT_SIZE)))


def sizes_within(config: SwitchConfig, exponent: Value) -> Value:
    """``exponent`` one-hot, but for credits larger than any frame with its overhead."""
    quotients = config.length_bits + 1 - _LEAST_SIZE_BITS
    return (1 << exponent)[:min(LARGEST_CREDIT_SIZE + 1, quotients)]


def half_credits_at(total: Value, is_exponent: Value, remainder: Value) -> Value:
    """`half_credits` of (length + overhead), ``total``, with the exponent one-hot and its
    `remainder_mask`."""
    whole = total[_LEAST_SIZE_BITS:]
    return Cat((total & remainder).any(),
               select([(chosen, whole >> n) for n, chosen in enumerate(is_exponent)]))
