# SPDX-License-Identifier: Apache-2.0
"""The event counters of a port."""

from collections.abc import Mapping
from typing import NamedTuple

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.register_map import COUNTER_BITS, COUNTERS, Counter
from gavel_rtl.interfaces import COUNTER_VALUES, CounterEvents
from gavel_rtl.lib.high_bits import FROZEN_LOW_BITS, ROW, HighBits

_BYTES = (Counter.RX_BYTES, Counter.TX_BYTES)
_EVENTS = Const(sum(1 << counter for counter in Counter if counter not in _BYTES), COUNTERS)

_PLACE_BITS = (ROW - 1).bit_length()
_ROWS = -(-COUNTERS // ROW)

COUNTER_NUMBER_BITS = (COUNTERS - 1).bit_length()
"""Width of the number of a counter."""

FROZEN_BITS = 64
"""Width of a counter in a snapshot."""


class _Octets(NamedTuple):
    """A count of bytes: as it is kept, what it gets in this cycle, and with that."""

    before: Signal
    added: Value
    shown: Signal


class _LowBits(NamedTuple):
    """The low bits of all counters, whole rows of the same bit at once.

    Attributes
    ----------
    before, added
        As they are kept, and what they get in this cycle.
    shown
        With that.
    carries
        Carries out of them.
    """

    before: list[Signal]
    added: Signal
    shown: list[Signal]
    carries: Signal


class CounterSelect(wiring.Signature):
    """A counter, or none, in the forms in which it is needed, so that nothing has to be decoded.

    Members
    -------
    counter
        One-hot, 0 for none.
    row, place
        Its memory, one-hot, and where in it; with 0 or without a meaning for none.
    """

    def __init__(self):
        super().__init__({
            "counter": Out(COUNTERS),
            "row": Out(_ROWS),
            "place": Out(_PLACE_BITS),
        })


class Counters(wiring.Component):
    """The counters of a port (docs/spec.md, Counters).

    Bytes are counted in registers. Of each other counter the low bits and a carry out of them are
    registers, and the high bits stand in one of four small memories (`HighBits`). Events are held
    for a cycle before they are counted, since they come late in theirs; what is shown is the count
    with them.

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
        The counter to read; 0 reads 0.
    value
        In the next cycle, the counter selected.
    values
        All counters, counter 0 in the low bits: the probe point. Not a pin, so that synthesis
        leaves out the read ports that it takes.
    freeze
        With a snapshot: one pulse, more than 17 cycles after the last; the counters as visible in
        this cycle are frozen.
    frozen_number, frozen
        With a snapshot: number of a counter, and what it was when it was frozen; 0 before the
        first time, and if there is no such counter.

    Cycle behaviour
    ---------------
    An event is visible in the next cycle. ``value`` is the counter as visible when it was selected,
    added up behind the registers that it was chosen for. Counters wrap. After reset
    all are 0: high bits count as 0 until every address has been visited, and is 0. ``frozen`` is
    combinational, and right from 18 cycles after ``freeze`` on.
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
            "select": In(CounterSelect()),
            "value": Out(COUNTER_BITS),
            **frozen,
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        low_bits = FROZEN_LOW_BITS if self._with_snapshot else _PLACE_BITS
        bits = COUNTER_BITS - low_bits
        octets, octet_carries = self._count_bytes(m)
        low = self._count_low(m, low_bits)
        rising = Signal(COUNTERS, name="rising")
        m.d.comb += rising.eq(
            low.carries | octet_carries if self._with_snapshot else low.carries)
        if self._with_snapshot:
            frozen_before = Signal(name="frozen_before")
            m.d.sync += frozen_before.eq(self.freeze)
            high = HighBits(m, rising, FROZEN_BITS - low_bits, freeze=frozen_before,
                            carry_to=dict.fromkeys(map(int, _BYTES), bits))
            self._freeze(m, octets, low.shown, high)
        else:
            high = HighBits(m, rising, bits)
        # Both may stand for the same counter: the carry that waits is being added then.
        waiting, now = high.carries & _EVENTS, rising & _EVENTS

        chosen = self.select.counter
        for counter, octet in octets.items():
            self._show(m, counter, octet.shown)
        above: Value = Const(0, bits)
        for row, start in enumerate(range(0, COUNTERS, ROW)):
            for counter in list(Counter)[start:start + ROW]:
                if counter not in octets:
                    upper = high.read(row, Const(counter % ROW, _PLACE_BITS))
                    self._show(m, counter, Cat(
                        *(plane[counter] for plane in low.shown),
                        (upper + waiting[counter] + now[counter])[:bits]))
            upper = high.read(row, self.select.place)
            above = above | Mux(self.select.row[row], upper[:bits], 0)
        # Added up once more: one chain behind the selection, instead of one before it.
        before, added, carry = ([(plane & chosen).any() for plane in planes]
                                for planes in (low.before, [low.added], [waiting]))
        kept, more = Cat(*before, above), Cat(*added, Const(0, low_bits - 1), *carry)
        for counter, octet in octets.items():
            kept = kept | Mux(chosen[counter], octet.before, 0)
            more = more | Mux(chosen[counter], octet.added, 0)
        chosen_kept, chosen_more = Signal(COUNTER_BITS), Signal(len(more))
        m.d.sync += [chosen_kept.eq(kept), chosen_more.eq(more)]
        m.d.comb += self.value.eq((chosen_kept + chosen_more)[:COUNTER_BITS])
        return m

    def _show(self, m: Module, counter: Counter, value: Value) -> None:
        m.d.comb += self.values.word_select(counter.value, COUNTER_BITS).eq(value)

    def _count_bytes(self, m: Module) -> tuple[Mapping[Counter, _Octets], Value]:
        """The counts of bytes, and a bit for each counter: a count of bytes carries."""
        counts, carries = {}, Const(0, COUNTERS)
        # Whether a frame was filed is known last, and much else follows it: a register that is the
        # other way round is none of those.
        no_frame = Signal(init=1)
        m.d.sync += no_frame.eq(~self.events.count[Counter.RX_FRAMES])
        for counter in _BYTES:
            name = counter.name.lower()
            event = getattr(self.events, name)
            held = Signal.like(event, name=f"{name}_added")
            added = Mux(no_frame, 0, held) if counter is Counter.RX_BYTES else held
            before = Signal(COUNTER_BITS, name=name)
            count = Signal(COUNTER_BITS, name=f"{name}_shown")
            counts[counter] = _Octets(before, added, count)
            carry = Signal(name=f"{name}_carry")
            m.d.comb += Cat(count, carry).eq(before + added)
            m.d.sync += [held.eq(event), before.eq(count)]
            carries = carries | carry << counter.value
        return counts, carries

    def _count_low(self, m: Module, low_bits: int) -> _LowBits:
        shown = [Signal(COUNTERS, name=f"low_{bit}_shown") for bit in range(low_bits)]
        kept = [Signal(COUNTERS, name=f"low_{bit}") for bit in range(low_bits)]
        rising = added = Signal(COUNTERS, name="added")
        m.d.sync += added.eq(self.events.count & _EVENTS)
        for bit, (plane, before) in enumerate(zip(shown, kept, strict=True)):
            carry = Signal(COUNTERS, name=f"carry_{bit}")
            m.d.comb += [plane.eq(before ^ rising), carry.eq(before & rising)]
            m.d.sync += before.eq(plane)
            rising = carry
        return _LowBits(kept, added, shown, rising)

    def _freeze(self, m: Module, octets: Mapping[Counter, _Octets], low: list[Signal],
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
        for counter, octet in octets.items():
            frozen = Signal(COUNTER_BITS, name=f"frozen_{counter.name.lower()}")
            with m.If(self.freeze):
                m.d.sync += frozen.eq(octet.shown)
            value = value | Mux(number == counter.value, frozen, 0)
        m.d.comb += self.frozen.eq(value)
