# SPDX-License-Identifier: Apache-2.0
"""The event counters of a port."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.register_map import COUNTER_BITS, COUNTERS, Counter
from gavel_rtl.interfaces import COUNTER_VALUES, CounterEvents


class Counters(wiring.Component):
    """The counters of a port (docs/spec.md, Counters).

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
        All counters, counter 0 in the low bits: the probe point.

    Cycle behaviour
    ---------------
    An event is visible in the next cycle; ``value`` is combinational. Counters wrap.
    """

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "events": In(CounterEvents(config)),
            "select": In(COUNTERS),
            "value": Out(COUNTER_BITS),
            "values": Out(COUNTER_VALUES),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        amounts: dict[Counter, Value] = {
            Counter.RX_BYTES: self.events.rx_bytes,
            Counter.TX_BYTES: self.events.tx_bytes,
        }
        counts: list[Signal] = []
        selected: Value = Const(0, COUNTER_BITS)
        for counter in Counter:
            count = Signal(COUNTER_BITS, name=counter.name.lower())
            counts.append(count)
            amount = amounts.get(counter, self.events.count[counter])
            m.d.sync += count.eq(count + amount)
            gated = Signal(COUNTER_BITS, name=f"read_{counter.name.lower()}")
            m.d.comb += gated.eq(Mux(self.select[counter], count, 0))
            selected = selected | gated
        m.d.comb += [self.value.eq(selected), self.values.eq(Cat(counts))]
        return m
