# SPDX-License-Identifier: Apache-2.0
"""What a frame costs in credits."""

from amaranth.hdl import Cat, Const, Mux, Signal, Value, ValueLike
from amaranth.lib import wiring

from gavel_model.config import SwitchConfig
from gavel_model.register_map import LARGEST_CREDIT_SIZE
from gavel_rtl.flow_interfaces import OVERHEAD_BITS
from gavel_rtl.lib.one_hot import select
from gavel_rtl.lib.sums import not_zero

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


def evenly_divided(total: Signal, length: Value, overhead: Value,
                   exponent: Value) -> tuple[Value, Value]:
    """The first step of `half_credits`, of ``total``, which is (length + overhead): by a credit
    with the highest even exponent that is not above ``exponent``. The quotient, and whether there
    is a remainder, which does not wait for the sum."""
    whole = total[_LEAST_SIZE_BITS:]
    steps = exponent[1:]
    mask = Cat(Const(-1, _LEAST_SIZE_BITS), *(
        steps > n // 2 for n in range(LARGEST_CREDIT_SIZE // 2 * 2)))
    quotients = [whole >> 2 * n for n in range(LARGEST_CREDIT_SIZE // 2 + 1)]
    # Extended by their signs.
    summands = ((value | Const(0, len(mask)))[:len(mask)] for value in (length, overhead))
    return (select([(steps == n, quotient) for n, quotient in enumerate(quotients)]),
            (not_zero(*summands) & mask).any())


def oddly_divided(quotient: Value, begun: Value, is_odd: Value) -> Value:
    """The second step, for an exponent that ``is_odd`` or not."""
    return Cat(begun | (is_odd & quotient[0]), Mux(is_odd, quotient >> 1, quotient))
