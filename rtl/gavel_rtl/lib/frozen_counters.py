# SPDX-License-Identifier: Apache-2.0
"""Counters in memories made of LUTs that can be read as they were at one moment."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out


class FrozenCounters(wiring.Component):
    """Counters of which one a cycle is added to, and a frozen view of them all: copy on write.

    A counter that is added to for the first time since the freeze leaves what it was in a second
    memory. What is read is that copy or, of a counter that is still as it was, the counter.

    Parameters
    ----------
    entries
        Number of counters, at least 2.
    bits
        Width of a counter; it wraps.
    amount_bits
        Width of what is added.

    Members
    -------
    address, amount
        Counter to add to, and what; 0 adds nothing, to no matter what address.
    freeze
        One pulse: from the next cycle on ``value`` is of the counters as they are then.
    carry
        The counter wraps with what is added.
    shown
        Counter to read.
    now
        As it is.
    value
        As it was at the last ``freeze``; 0 before the first, after reset.

    Cycle behaviour
    ---------------
    What is added in a cycle counts from the next one on; with ``freeze`` it belongs to what is
    frozen. ``carry``, ``now`` and ``value`` are combinational. After reset every counter is 0,
    whatever the memories hold.
    """

    def __init__(self, entries: int, bits: int, amount_bits: int):
        self._entries = entries
        address_bits = (entries - 1).bit_length()
        super().__init__({
            "address": In(address_bits),
            "amount": In(amount_bits),
            "freeze": In(1),
            "carry": Out(1),
            "shown": In(address_bits),
            "now": Out(bits),
            "value": Out(bits),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        entries, bits = self._entries, len(self.value)
        m.submodules.live = live = Memory(shape=bits, depth=entries, init=[])
        m.submodules.copies = copies = Memory(shape=bits, depth=entries, init=[])
        write, write_copy = live.write_port(), copies.write_port()
        read, read_shown, read_copy = (memory.read_port(domain="comb")
                                       for memory in (live, live, copies))
        counted = Signal(entries)  # since reset
        # Since the freeze, or since reset: so before the first freeze what is read is 0.
        copied = Signal(entries)
        adds = Signal()
        copies_now = Signal()
        before = Signal(bits)
        m.d.comb += [
            adds.eq(self.amount.any()),
            read.addr.eq(self.address),
            before.eq(Mux(counted.bit_select(self.address, 1), read.data, 0)),
            write.addr.eq(self.address),
            Cat(write.data, self.carry).eq(before + self.amount),
            write.en.eq(adds),
            write_copy.addr.eq(self.address),
            write_copy.data.eq(before),
            copies_now.eq(adds & ~copied.bit_select(self.address, 1)),
            write_copy.en.eq(copies_now),
        ]
        m.d.sync += counted.eq(counted | adds << self.address)
        with m.If(self.freeze):
            m.d.sync += copied.eq(0)
        with m.Else():
            m.d.sync += copied.eq(copied | adds << self.address)
        m.d.comb += [
            read_shown.addr.eq(self.shown),
            read_copy.addr.eq(self.shown),
        ]
        with m.If(counted.bit_select(self.shown, 1)):
            m.d.comb += self.now.eq(read_shown.data)
        m.d.comb += self.value.eq(Mux(
            copied.bit_select(self.shown, 1), read_copy.data, self.now))
        return m
