# SPDX-License-Identifier: Apache-2.0
"""The event counters of a port."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.register_map import COUNTER_BITS, COUNTERS, Counter
from gavel_rtl.interfaces import COUNTER_VALUES, CounterEvents
from gavel_rtl.lib.one_hot import encode

_LOW_BITS = 4
_ROW = 1 << _LOW_BITS
"""Counters in a memory: as many as cycles in which low bits can carry but once."""

_HIGH_BITS = COUNTER_BITS - _LOW_BITS


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

        turn, at = Signal(_LOW_BITS), Signal(_ROW)
        self._cleared = Signal(name="cleared")
        m.d.comb += at.eq(1 << turn)
        m.d.sync += turn.eq(turn + 1)
        with m.If(turn.all()):
            m.d.sync += self._cleared.eq(1)
        low, carries = self._count_low(m, at, Const(sum(
            1 << counter for counter in Counter if counter not in amounts), COUNTERS))
        high: Value = Const(0, _HIGH_BITS)
        for start in range(0, COUNTERS, _ROW):
            counters = [counter for counter in Counter
                        if counter >> _LOW_BITS == start >> _LOW_BITS and counter not in amounts]
            memory = self._count_high(m, start, carries, turn, at)
            for counter in counters:
                above = self._read(m, memory, Const(counter % _ROW, _LOW_BITS), Const(1))
                self._show(m, counter, Cat(*(bits[counter] for bits in low),
                                           (above + carries[counter])[:_HIGH_BITS]))
            chosen = Signal(_ROW, name=f"chosen_{start}")
            m.d.comb += chosen.eq(self.select[start:start + _ROW])
            high = high | self._read(m, memory, encode(chosen, _LOW_BITS), chosen.any())
        m.d.comb += self.value.eq(selected | Cat(
            *((bits & self.select).any() for bits in low),
            (high + (carries & self.select).any())[:_HIGH_BITS]))
        return m

    def _show(self, m: Module, counter: Counter, value: Value) -> None:
        m.d.comb += self.values.word_select(counter.value, COUNTER_BITS).eq(value)

    def _count_low(self, m: Module, at: Signal, counted: Value) -> tuple[list[Signal], Signal]:
        """Each of the low bits, and the carry, of all counters; whole rows at once."""
        low = [Signal(COUNTERS, name=f"low_{bit}") for bit in range(_LOW_BITS)]
        carries = Signal(COUNTERS)
        rising = self.events.count & counted
        for bit, bits in enumerate(low):
            carry = Signal(COUNTERS, name=f"carry_{bit}")
            m.d.comb += carry.eq(bits & rising)
            m.d.sync += bits.eq(bits ^ rising)
            rising = carry
        m.d.sync += carries.eq(rising | (carries & ~at.replicate(-(-COUNTERS // _ROW))))
        return low, carries

    def _count_high(self, m: Module, start: int, carries: Signal, turn: Signal,
                    at: Signal) -> Memory:
        """The memory of the counters from ``start`` on."""
        m.submodules[f"high_{start}"] = memory = Memory(shape=_HIGH_BITS, depth=_ROW, init=[])
        write, carry = memory.write_port(), Signal(name=f"high_{start}_carry")
        m.d.comb += [
            carry.eq((carries[start:start + _ROW] & at).any()),
            write.addr.eq(turn),
            write.data.eq(self._read(m, memory, turn, Const(1)) + carry),
            write.en.eq(carry | ~self._cleared),
        ]
        return memory

    def _read(self, m: Module, memory: Memory, address: Value, wanted: Value) -> Value:
        """The high bits at ``address``; 0 if they are not ``wanted``."""
        port = memory.read_port(domain="comb")
        m.d.comb += port.addr.eq(address)
        return Mux(self._cleared & wanted, port.data, 0)
