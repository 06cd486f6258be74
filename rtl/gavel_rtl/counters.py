# SPDX-License-Identifier: Apache-2.0
"""The event counters of a port."""

from collections.abc import Mapping

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.register_map import COUNTER_BITS, COUNTERS, Counter
from gavel_rtl.interfaces import COUNTER_VALUES, CounterEvents
from gavel_rtl.lib.high_bits import FROZEN_LOW_BITS, ROW, HighBits
from gavel_rtl.lib.one_hot import encode

_ROW_BITS = (ROW - 1).bit_length()
_BYTES = (Counter.RX_BYTES, Counter.TX_BYTES)
_EVENTS = Const(sum(1 << counter for counter in Counter if counter not in _BYTES), COUNTERS)

COUNTER_NUMBER_BITS = (COUNTERS - 1).bit_length()
"""Width of the number of a counter."""

FROZEN_BITS = 64
"""Width of a counter in a snapshot."""


class Counters(wiring.Component):
    """The counters of a port (docs/spec.md, Counters).

    Bytes are counted in registers. Of each other counter the low bits and a carry out of them are
    registers, and the high bits stand in one of four small memories (`HighBits`).

    Parameters
    ----------
    config
        Widths of the byte counts.
    with_snapshot
        Counters have 64 bits, to be read as they were frozen (docs/telemetry.md, Snapshot).

    Members
    -------
    events
        What to add in this cycle.
    select
        One bit per counter, one-hot: the counter to read; 0 reads 0.
    value
        The counter selected.
    values
        All counters, counter 0 in the low bits: the probe point. Not a pin, so that synthesis
        leaves out the read ports that it takes.
    freeze
        With a snapshot: one pulse, more than 16 cycles after the last; the counters as visible in
        this cycle are frozen.
    frozen_number, frozen
        With a snapshot: number of a counter, and what it was when it was frozen; 0 before the
        first time, and if there is no such counter.

    Cycle behaviour
    ---------------
    An event is visible in the next cycle; ``value`` is combinational. Counters wrap. After reset
    all are 0: high bits count as 0 until every address has been visited, and is 0. ``frozen`` is
    combinational, and right from 17 cycles after ``freeze`` on.
    """

    def __init__(self, config: SwitchConfig, *, with_snapshot: bool = False):
        self._with_snapshot = with_snapshot
        self.values = Signal(COUNTER_VALUES, name="values")
        frozen = {
            "freeze": In(1),
            "frozen_number": In(COUNTER_NUMBER_BITS),
            "frozen": Out(FROZEN_BITS),
        } if with_snapshot else {}
        super().__init__({
            "events": In(CounterEvents(config)),
            "select": In(COUNTERS),
            "value": Out(COUNTER_BITS),
            **frozen,
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        low_bits = FROZEN_LOW_BITS if self._with_snapshot else _ROW_BITS
        bits = COUNTER_BITS - low_bits
        octets, octet_carries = self._count_bytes(m)
        low, carries = self._count_low(m, low_bits)
        if self._with_snapshot:
            high = HighBits(m, carries | octet_carries, FROZEN_BITS - low_bits, freeze=self.freeze,
                            carry_to=dict.fromkeys(map(int, _BYTES), bits))
            self._freeze(m, octets, low, high)
        else:
            high = HighBits(m, carries, bits)
        waiting = high.carries & _EVENTS

        selected: Value = Const(0, COUNTER_BITS)
        for counter, count in octets.items():
            self._show(m, counter, count)
            selected = selected | Mux(self.select[counter], count, 0)
        above: Value = Const(0, bits)
        for row, start in enumerate(range(0, COUNTERS, ROW)):
            for counter in list(Counter)[start:start + ROW]:
                if counter not in octets:
                    upper = high.read(row, Const(counter % ROW, _ROW_BITS))
                    self._show(m, counter, Cat(*(plane[counter] for plane in low),
                                               (upper + waiting[counter])[:bits]))
            chosen = Signal(ROW, name=f"chosen_{start}")
            m.d.comb += chosen.eq(self.select[start:start + ROW])
            upper = high.read(row, encode(chosen, _ROW_BITS))
            above = above | Mux(chosen.any(), upper[:bits], 0)
        m.d.comb += self.value.eq(selected | Cat(
            *((plane & self.select).any() for plane in low),
            (above + (waiting & self.select).any())[:bits]))
        return m

    def _show(self, m: Module, counter: Counter, value: Value) -> None:
        m.d.comb += self.values.word_select(counter.value, COUNTER_BITS).eq(value)

    def _count_bytes(self, m: Module) -> tuple[Mapping[Counter, Signal], Value]:
        """The counts of bytes, and a bit for each counter: a count of bytes carries."""
        counts, carries = {}, Const(0, COUNTERS)
        for counter in _BYTES:
            name = counter.name.lower()
            counts[counter] = count = Signal(COUNTER_BITS, name=name)
            carry = Signal(name=f"{name}_carry")
            m.d.comb += carry.eq((count + getattr(self.events, name))[COUNTER_BITS])
            m.d.sync += count.eq(count + getattr(self.events, name))
            carries = carries | carry << counter.value
        return counts, carries

    def _count_low(self, m: Module, low_bits: int) -> tuple[list[Signal], Value]:
        """Each of the low bits of all counters, whole rows at once, and the carries out of them."""
        low = [Signal(COUNTERS, name=f"low_{bit}") for bit in range(low_bits)]
        rising = self.events.count & _EVENTS
        for bit, plane in enumerate(low):
            carry = Signal(COUNTERS, name=f"carry_{bit}")
            m.d.comb += carry.eq(plane & rising)
            m.d.sync += plane.eq(plane ^ rising)
            rising = carry
        return low, rising

    def _freeze(self, m: Module, octets: Mapping[Counter, Signal], low: list[Signal],
                high: HighBits) -> None:
        """What the low bits were; the high bits are copied when they are visited."""
        number = self.frozen_number
        below: list[Value] = []
        for bit, plane in enumerate(low):
            frozen = Signal(COUNTERS, name=f"frozen_low_{bit}")
            with m.If(self.freeze):
                m.d.sync += frozen.eq(plane)
            below.append(frozen.bit_select(number, 1))
        value = Cat(*below, high.read_frozen(number))
        for counter, count in octets.items():
            frozen = Signal(COUNTER_BITS, name=f"frozen_{counter.name.lower()}")
            with m.If(self.freeze):
                m.d.sync += frozen.eq(count)
            value = value | Mux(number == counter.value, frozen, 0)
        m.d.comb += self.frozen.eq(value)
