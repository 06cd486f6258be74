# SPDX-License-Identifier: Apache-2.0
"""Register ``EVENTS`` of a port (docs/telemetry.md, Events)."""

from __future__ import annotations

from gavel_model.llr_timers import TransmitterState
from gavel_model.observation import Observation
from gavel_model.register_map import DROPS, Counter
from gavel_model.telemetry_map import TelemetryPortEvents as Event

_COUNTED = {
    Event.LLR_FLUSH: (Counter.LLR_TX_FLUSH,),
    Event.LOSSLESS_DROP: (Counter.RX_LOSSLESS_DROP,),
    Event.CREDIT_ERROR: (Counter.CBFC_RX_CF_ERROR, Counter.CBFC_RX_CC_ERROR),
    Event.CREDITS_RECOVERED: (Counter.CBFC_RX_RECOVERED,),
    Event.PFC_WATCHDOG: (Counter.PFC_WATCHDOG,),
    Event.FRAME_DROPPED: DROPS,
}
"""Events that are there when one of some counters counts."""

_MASKS = {event: sum(1 << counter for counter in counters) for event, counters in _COUNTED.items()}


class PortEvents:
    """Keeps what has happened until software has seen it.

    Attributes
    ----------
    events
        Register ``EVENTS`` as visible in the cycle.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self.events = 0
        self._up = 0
        self._state = 0
        self._too_many = False

    def step(self, seen: Observation, *, cells_limit: int, corrected_alarm: bool,
             uncorrectable_alarm: bool, clear: int = 0) -> None:
        """One cycle.

        Parameters
        ----------
        seen
            What was observed in the cycle before.
        cells_limit
            Register ``CELLS_LIMIT`` as visible in this cycle.
        corrected_alarm, uncorrectable_alarm
            Alarms of this cycle.
        clear
            Bits that a write clears.
        """
        too_many = seen.cells >= cells_limit
        happened = {
            Event.LINK_DOWN: self._up and not seen.up,
            Event.LINK_UP: seen.up and not self._up,
            Event.LLR_ESTABLISHED: (self._state == TransmitterState.INIT
                                    and seen.state == TransmitterState.ADVANCE),
            Event.CORRECTED_ALARM: corrected_alarm,
            Event.UNCORRECTABLE_ALARM: uncorrectable_alarm,
            Event.CELLS_ALARM: too_many and not self._too_many,
            **{event: seen.count & mask for event, mask in _MASKS.items()},
        }
        self.events = self.events & ~clear | sum(
            1 << event for event, is_so in happened.items() if is_so)
        self._up, self._state, self._too_many = seen.up, seen.state, too_many
