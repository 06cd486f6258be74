# SPDX-License-Identifier: Apache-2.0
"""Timers of the transmitter of link-level retry (docs/llr.md, 6.4)."""

from __future__ import annotations

from enum import IntEnum

from gavel_model.config import TIMER_BITS

TIMER_MASK = (1 << TIMER_BITS) - 1
"""Where timers stop, and where the count of cycles wraps."""


class TransmitterState(IntEnum):
    """States of `LlrTransmitter`, with the numbers that the probe point shows."""

    OFF = 0
    INIT = 1
    ADVANCE = 2
    REPLAY = 3
    FLUSH = 4


SENDING = (TransmitterState.ADVANCE, TransmitterState.REPLAY)
"""States in which frames are numbered and kept."""


class LlrTimers:
    """Counts of cycles.

    Attributes
    ----------
    replay_time
        Cycles in ADVANCE since progress with frames outstanding.
    down_time
        Cycles with the link down, or in INIT or FLUSH.
    """

    __slots__ = ("down_time", "replay_time")

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self.replay_time = 0
        self.down_time = 0

    def step(
        self, state: TransmitterState, after: TransmitterState, nothing_due: bool, link: bool
    ) -> None:
        """One cycle.

        Parameters
        ----------
        state, after
            State in the cycle, and in the next.
        nothing_due
            No frame is outstanding, or there is progress.
        link
            The link is up, as visible in the cycle.
        """
        if state is not TransmitterState.ADVANCE or nothing_due:
            self.replay_time = 0
        elif link:
            self.replay_time = min(self.replay_time + 1, TIMER_MASK)
        sending = state in SENDING
        changed = after is not state and not (sending and after in SENDING)
        if changed or state is TransmitterState.OFF or (sending and link):
            self.down_time = 0
        else:
            self.down_time = min(self.down_time + 1, TIMER_MASK)
