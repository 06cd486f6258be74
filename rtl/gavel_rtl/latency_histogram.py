# SPDX-License-Identifier: Apache-2.0
"""How long frames took from one end of the switch to the other."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_rtl.lib.collisions import NO_COLLISION
from gavel_rtl.lib.delay import delayed
from gavel_rtl.lib.large_frozen_counters import LargeFrozenCounters
from gavel_rtl.telemetry_interfaces import TABLE_BITS, Observation, TableRead
from gavel_rtl.voq import vc_of_voq

TIME_BITS = 32
_BIN_BITS = 4
_BINS = 1 << _BIN_BITS
_SHORTEST = 3
"""Bin 0 has latencies whose logarithm is up to this, bin 1 begins with the next."""

_AT_LEAST = 1
"""Cycles from *filed* to *opened* that are in K, but for those of ``match_stages``."""

_OPENED_TO_LATENCY = 2
"""Cycles from *opened* to when the time of filing is there to be subtracted."""

_LATENCY_TO_COUNT = 2


class LatencyHistogram(wiring.Component):
    """Counts the frames of an input by VC and by the logarithm of their latency
    (docs/telemetry.md, table 2).

    When a frame was filed stands in a memory under the number of its first cell, which nobody else
    can have until it is opened.

    Parameters
    ----------
    config
        V, K, the number of cells.

    Members
    -------
    seen
        What was observed in the cycle before.
    freeze
        A snapshot was taken in the cycle before: it takes in ``seen``.
    read
        The entry wanted.
    value
        It, as the last snapshot has it; 0 if no entry of this table is wanted.

    Cycle behaviour
    ---------------
    A frame is counted four cycles after it was seen opened: read, subtract, find the bin, add.
    ``value`` follows ``read`` in the same cycle, and shows a snapshot from 23 cycles after
    ``freeze`` on; the next ``freeze`` comes no sooner. After reset all counters are 0.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "seen": In(Observation(config)),
            "freeze": In(1),
            "read": In(TableRead()),
            "value": Out(TABLE_BITS),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config, seen = self._config, self.seen
        # A cell is filed again only long after it was opened.
        m.submodules.filed_at = filed_at = Memory(
            shape=TIME_BITS, depth=config.buffer_cells, init=[], attrs=NO_COLLISION)
        write, read = filed_at.write_port(), filed_at.read_port()
        filed, opened, latency = (Signal(TIME_BITS, name=name)
                                  for name in ("filed", "opened", "latency"))
        # Time as it is written, and as it is when that is subtracted, with the constant part of
        # the latency.
        time = Signal(TIME_BITS)
        later = Signal(TIME_BITS, init=config.latency_cycles - config.match_stages - _AT_LEAST
                       - _OPENED_TO_LATENCY)
        m.d.comb += [
            write.addr.eq(seen.filed_cell),
            write.data.eq(time),
            write.en.eq(seen.filed),
            read.addr.eq(seen.opened_cell),
            read.en.eq(seen.opened),
            filed.eq(read.data),
        ]
        m.d.sync += [
            time.eq(time + 1),
            later.eq(later + 1),
            opened.eq(filed),
            latency.eq(later - opened),
        ]
        vc = Signal(config.vc_bits)
        m.d.comb += vc.eq(vc_of_voq(config, seen.opened_voq))
        before = delayed(m, Cat(seen.opened, self.freeze, vc), "counts",
                         _OPENED_TO_LATENCY + _LATENCY_TO_COUNT)
        number = Signal(_BIN_BITS)
        m.d.sync += number.eq(self._bin(latency))

        vc_bits = (config.vcs - 1).bit_length()
        m.submodules.counters = counters = LargeFrozenCounters(_BINS << vc_bits, TABLE_BITS, 1)
        entry = self.read.entry
        named = self.read.latency & ~entry[len(counters.shown):].any()
        m.d.comb += [
            counters.amount.eq(before[0]),
            counters.freeze.eq(before[1]),
            counters.address.eq(Cat(number, before[2:])),
            counters.shown.eq(entry),
            self.value.eq(Mux(named, counters.value, 0)),
        ]
        return m

    @staticmethod
    def _bin(latency: Signal) -> Value:
        """The logarithm of the latency less `_SHORTEST`, from 0 to the last bin."""
        last = _SHORTEST + _BINS - 1
        number: Value = Const(0, _BIN_BITS)
        for logarithm in range(_SHORTEST + 1, last):
            number = Mux(latency[logarithm], logarithm - _SHORTEST, number)
        return Mux(latency[last:].any(), _BINS - 1, number)
