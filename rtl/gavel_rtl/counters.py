# SPDX-License-Identifier: Apache-2.0
"""The event counters of a port."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.register_map import COUNTER_BITS, COUNTERS, Counter
from gavel_rtl.interfaces import COUNTER_VALUES, CounterEvents
from gavel_rtl.lib.one_hot import encode, select

_LOW_BITS = 4
_ROW = 1 << _LOW_BITS
"""Counters in a memory: as many as cycles in which low bits can carry but once."""


class Counters(wiring.Component):
    """The counters of a port (docs/spec.md, Counters).

    Bytes are counted in registers. Of each other counter the low bits and a carry out of them are
    registers, and the high bits stand in one of four small memories. All memories are visited at
    one address a cycle, in turn, to add the carry of the counter there.

    Parameters
    ----------
    config
        Widths of the byte counts.

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

    Cycle behaviour
    ---------------
    An event is visible in the next cycle; ``value`` is combinational. Counters wrap. After reset
    all are 0: high bits count as 0 until every address has been visited, and is 0.
    """

    def __init__(self, config: SwitchConfig):
        self.values = Signal(COUNTER_VALUES, name="values")
        super().__init__({
            "events": In(CounterEvents(config)),
            "select": In(COUNTERS),
            "value": Out(COUNTER_BITS),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        amounts = {Counter.RX_BYTES: self.events.rx_bytes, Counter.TX_BYTES: self.events.tx_bytes}
        selected: Value = Const(0, COUNTER_BITS)
        for counter, amount in amounts.items():
            count = Signal(COUNTER_BITS, name=counter.name.lower())
            m.d.sync += count.eq(count + amount)
            self._show(m, counter, count)
            selected = selected | Mux(self.select[counter], count, 0)

        self._turn, self._cleared = Signal(_LOW_BITS, name="turn"), Signal(name="cleared")
        self._at = Signal(_ROW, name="at")
        m.d.comb += self._at.eq(1 << self._turn)
        m.d.sync += self._turn.eq(self._turn + 1)
        with m.If(self._turn.all()):
            m.d.sync += self._cleared.eq(1)
        counters = [counter for counter in Counter if counter not in amounts]
        low_and_carry: Value = Const(0, _LOW_BITS + 1)
        high: Value = Const(0, COUNTER_BITS - _LOW_BITS)
        for start in range(0, len(counters), _ROW):
            below, above = self._count(m, f"high_{start}", counters[start:start + _ROW])
            low_and_carry, high = low_and_carry | below, high | above
        low, carry = low_and_carry[:_LOW_BITS], low_and_carry[_LOW_BITS]
        m.d.comb += self.value.eq(selected | Cat(low, (high + carry)[:COUNTER_BITS - _LOW_BITS]))
        return m

    def _show(self, m: Module, counter: Counter, value: Value) -> None:
        m.d.comb += self.values.word_select(counter.value, COUNTER_BITS).eq(value)

    def _count(self, m: Module, name: str, counters: Sequence[Counter]) -> tuple[Value, Value]:
        """The counters of one memory; low bits with the carry, and high bits, of that selected."""
        m.submodules[name] = memory = Memory(
            shape=COUNTER_BITS - _LOW_BITS, depth=_ROW, init=[])
        carries = Signal(len(counters), name=f"{name}_carries")
        chosen = Signal(len(counters), name=f"{name}_chosen")
        m.d.comb += chosen.eq(Cat(self.select[counter] for counter in counters))
        lows = []
        for n, counter in enumerate(counters):
            low = Signal(_LOW_BITS, name=f"{counter.name.lower()}_low")
            lows.append(low)
            event = self.events.count[counter]
            with m.If(event):
                m.d.sync += low.eq(low + 1)
            m.d.sync += carries[n].eq((event & low.all()) | (carries[n] & ~self._at[n]))
            high = self._read(m, memory, Const(n, _LOW_BITS), Const(1))
            self._show(m, counter, Cat(low, (high + carries[n])[:len(high)]))

        write, carry = memory.write_port(), Signal(name=f"{name}_carry")
        m.d.comb += [
            carry.eq((carries & self._at).any()),
            write.addr.eq(self._turn),
            write.data.eq(self._read(m, memory, self._turn, Const(1)) + carry),
            write.en.eq(carry | ~self._cleared),
        ]
        below = select([(chosen[n], Cat(low, carries[n])) for n, low in enumerate(lows)])
        return below, self._read(m, memory, encode(chosen, _LOW_BITS), chosen.any())

    def _read(self, m: Module, memory: Memory, address: Value, wanted: Value) -> Value:
        """The high bits at ``address``; 0 if they are not ``wanted``."""
        port = memory.read_port(domain="comb")
        m.d.comb += port.addr.eq(address)
        return Mux(self._cleared & wanted, port.data, 0)
