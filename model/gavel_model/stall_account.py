# SPDX-License-Identifier: Apache-2.0
"""Why VCs do not send (docs/flow_control.md, Why a VC does not send), and table 4 of
telemetry that counts it."""

from __future__ import annotations

from gavel_model.config import SwitchConfig
from gavel_model.frozen_counts import FrozenCounts
from gavel_model.llr_timers import TransmitterState
from gavel_model.observation import Observation

STATES = (
    "sending", "empty", "link down", "replay buffer full", "paused", "no credit", "stopped",
    "output busy", "inputs busy", "not chosen",
)
"""States in the order in which they are looked at: the first that applies counts."""

STALLS = STATES[2:]
"""States in which a frame waits."""

(SENDING, EMPTY, LINK_DOWN, BUFFER_FULL, PAUSED, NO_CREDIT, STOPPED, OUTPUT_BUSY, INPUTS_BUSY,
 NOT_CHOSEN) = range(len(STATES))

BLOCKED = range(LINK_DOWN, STOPPED + 1)
"""States that the far end, the link or software is the cause of."""

_NOT_UP = (TransmitterState.INIT, TransmitterState.FLUSH)
_ROW = 16


def stall_state(seen: Observation, v: int) -> int:
    """State of VC v of the output observed: an index into `STATES`."""
    if seen.sending >> v & 1:
        return SENDING
    if not seen.shown >> v & 1:
        return EMPTY
    if not seen.up or seen.state in _NOT_UP:
        return LINK_DOWN
    if seen.hold:
        return BUFFER_FULL
    if seen.paused >> v & 1:
        return PAUSED
    if seen.no_credit >> v & 1:
        return NO_CREDIT
    if seen.stopped >> v & 1:
        return STOPPED
    if seen.sending or seen.claim:
        return OUTPUT_BUSY
    return NOT_CHOSEN if seen.startable >> v & 1 else INPUTS_BUSY


class StallAccount:
    """Counts the states of the VCs of one output; a snapshot freezes the counts.

    Parameters
    ----------
    config
        V.
    """

    def __init__(self, config: SwitchConfig) -> None:
        self._vcs = config.vcs
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self._counts = FrozenCounts(_ROW * self._vcs)
        self._observed = False

    def step(self, seen: Observation, freeze: int) -> int:
        """One cycle.

        Parameters
        ----------
        seen
            What was observed in the cycle before; in the first cycle after reset nothing was, and
            it is not looked at.
        freeze
            A snapshot was taken in the cycle before: it takes in ``seen``.

        Returns
        -------
        Whether any VC is in one of the states `BLOCKED`.
        """
        blocked = 0
        for v in range(self._vcs):
            state = stall_state(seen, v)
            if self._observed:
                self._counts.add(_ROW * v + state)
            blocked |= state in BLOCKED
        self._observed = True
        if freeze:
            self._counts.freeze()
        return int(blocked)

    def read(self, entry: int) -> int:
        """An entry of the table, as the last snapshot has it; 0 if there is none."""
        return self._counts.read(entry)
