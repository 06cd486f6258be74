# SPDX-License-Identifier: Apache-2.0
"""What has happened at a port, kept until software has seen it."""

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.register_map import CELL_LIMIT_BITS, DROPS, Counter
from gavel_model.telemetry_map import TelemetryPortEvents as Event
from gavel_rtl.retry_state import TransmitterState
from gavel_rtl.telemetry_interfaces import Observation

EVENT_BITS = len(Event)


class PortEvents(wiring.Component):
    """Register ``EVENTS`` of a port (docs/telemetry.md, Events).

    Parameters
    ----------
    config
        Widths of what is observed.

    Members
    -------
    seen
        What was observed in the cycle before.
    cells_limit
        Register ``CELLS_LIMIT``.
    corrected_alarm, uncorrectable_alarm
        Alarms of this cycle.
    clear
        Bits that a write clears in this cycle.
    events
        The register.

    Cycle behaviour
    ---------------
    An event shows in the next cycle, and goes before a bit of ``clear``. In the first cycle after
    reset ``seen`` is 0, as what is compared with it.
    """

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "seen": In(Observation(config)),
            "cells_limit": In(CELL_LIMIT_BITS),
            "corrected_alarm": In(1),
            "uncorrectable_alarm": In(1),
            "clear": In(EVENT_BITS),
            "events": Out(EVENT_BITS),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        seen = self.seen
        was_up, was_in_init, were_too_many, too_many = Signal(), Signal(), Signal(), Signal()
        m.d.comb += too_many.eq(seen.cells >= self.cells_limit)
        m.d.sync += [
            was_up.eq(seen.up),
            was_in_init.eq(seen.state == TransmitterState.INIT),
            were_too_many.eq(too_many),
        ]
        happens = Signal(EVENT_BITS)
        m.d.comb += [happens[event].eq(condition) for event, condition in (
            (Event.LINK_DOWN, was_up & ~seen.up),
            (Event.LINK_UP, seen.up & ~was_up),
            (Event.LLR_FLUSH, self._counts(Counter.LLR_TX_FLUSH)),
            (Event.LLR_ESTABLISHED, was_in_init & (seen.state == TransmitterState.ADVANCE)),
            (Event.LOSSLESS_DROP, self._counts(Counter.RX_LOSSLESS_DROP)),
            (Event.CREDIT_ERROR,
             self._counts(Counter.CBFC_RX_CF_ERROR, Counter.CBFC_RX_CC_ERROR)),
            (Event.CREDITS_RECOVERED, self._counts(Counter.CBFC_RX_RECOVERED)),
            (Event.PFC_WATCHDOG, self._counts(Counter.PFC_WATCHDOG)),
            (Event.CORRECTED_ALARM, self.corrected_alarm),
            (Event.UNCORRECTABLE_ALARM, self.uncorrectable_alarm),
            (Event.FRAME_DROPPED, self._counts(*DROPS)),
            (Event.CELLS_ALARM, too_many & ~were_too_many),
        )]
        m.d.sync += self.events.eq((self.events & ~self.clear) | happens)
        return m

    def _counts(self, *counters: Counter) -> Value:
        """One of these counters counts."""
        return Cat(self.seen.count[counter] for counter in counters).any()
