# SPDX-License-Identifier: Apache-2.0
"""Frozen counters of many bits, of which few are added to at once."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_rtl.lib.frozen_counters import FrozenCounters
from gavel_rtl.lib.high_bits import FROZEN_LOW_BITS, HighBits


class LargeFrozenCounters(wiring.Component):
    """As `FrozenCounters`, with short paths and less memory: the low bits are `FrozenCounters`, and
    the high bits get their carries later (`HighBits`).

    Parameters
    ----------
    entries
        Number of counters, at least 2.
    bits
        Width of a counter, more than 5 plus that of an amount; it wraps.
    amount_bits
        Width of what is added.

    Members
    -------
    address, amount
        Counter to add to, and what; 0 adds nothing, to no matter what address.
    freeze
        One pulse, more than 16 cycles after the last: the counters are frozen as they are then.
    shown
        Counter to read.
    value
        As it was at the last ``freeze``; 0 before the first, after reset.

    Cycle behaviour
    ---------------
    What is added with ``freeze`` belongs to what is frozen. ``value`` is combinational, and right
    from 19 cycles after ``freeze`` on. After reset every counter is 0, whatever the memories hold.
    """

    def __init__(self, entries: int, bits: int, amount_bits: int):
        self._entries, self._bits, self._amount_bits = entries, bits, amount_bits
        address_bits = (entries - 1).bit_length()
        super().__init__({
            "address": In(address_bits),
            "amount": In(amount_bits),
            "freeze": In(1),
            "shown": In(address_bits),
            "value": Out(bits),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        low_bits = FROZEN_LOW_BITS + (self._amount_bits if self._amount_bits > 1 else 0)
        m.submodules.low = low = FrozenCounters(self._entries, low_bits, self._amount_bits)
        # Which counter carried in the cycle before.
        rising, carry, carried = (Signal(1 << len(self.address)), Signal(),
                                  Signal.like(self.address))
        freeze = self.freeze
        for _ in range(2):
            later = Signal()
            m.d.sync += later.eq(freeze)
            freeze = later
        m.d.comb += [
            low.address.eq(self.address),
            low.amount.eq(self.amount),
            low.freeze.eq(self.freeze),
            low.shown.eq(self.shown),
            rising.eq(carry << carried),
        ]
        m.d.sync += [carry.eq(low.carry), carried.eq(self.address)]
        high = HighBits(m, rising, self._bits - low_bits, freeze=freeze)
        m.d.comb += self.value.eq(Cat(low.value, high.read_frozen(self.shown)))
        return m
