# SPDX-License-Identifier: Apache-2.0
"""Credits of the other end's buffer: what has been used, and what has come back."""

from __future__ import annotations

from gavel_model.mac_control import CC_BITS
from gavel_model.ordered_set import CF_BITS
from gavel_tb.partner.flow_settings import FlowSettings

_COUNT = (1 << CC_BITS) - 1
_FREED = (1 << CF_BITS) - 1


class CreditSender:
    """Counts credits; a frame may go if the buffer of the other end has room for all of it.

    Parameters
    ----------
    flow
        What was agreed.

    Attributes
    ----------
    consumed
        Credits of all frames sent, of each VC, cyclic in 20 bits.
    used
        Credits not known to be freed, of each VC.
    waiting
        After a new beginning: the first CF_Update is taken as it is.
    refused
        Entries of CF_Updates with counts that cannot be, or of a VC without credits.
    """

    def __init__(self, flow: FlowSettings) -> None:
        self._flow = flow
        self.consumed = [0] * flow.vcs
        self.used = [0] * flow.vcs
        self.waiting = [False] * flow.vcs
        self.refused = 0

    def fits(self, vc: int, length: int) -> bool:
        """Whether there are credits for a frame of ``length`` bytes."""
        flow = self._flow
        if not flow.credited >> vc & 1:
            return True
        if self.waiting[vc]:
            return False
        peer = flow.peer
        held = sum(self.used) if peer.total else self.used[vc]
        return held + peer.unit.credits(length) <= peer.of(vc)

    def consume(self, vc: int, cost: int) -> None:
        """A frame goes out for the first time."""
        if self._flow.credited >> vc & 1:
            self.consumed[vc] = self.consumed[vc] + cost & _COUNT
            self.used[vc] += cost

    def free(self, vc: int, count: int) -> None:
        """An entry of a CF_Update: the low bits of all credits that were freed."""
        flow = self._flow
        if vc >= flow.vcs or not flow.credited >> vc & 1:
            self.refused += 1
        elif self.waiting[vc]:
            held = self.consumed[vc] - count & _FREED
            if held > flow.peer.of(vc):
                self.refused += 1
            else:
                self.used[vc] = held
                self.waiting[vc] = False
        else:
            freed = count - (self.consumed[vc] - self.used[vc]) & _FREED
            if freed > self.used[vc]:
                self.refused += 1
            else:
                self.used[vc] -= freed

    def restart(self) -> None:
        """What was under way is lost, and nobody knows how much that was."""
        for vc in self._flow.channels:
            self.waiting[vc] = True

    @property
    def home(self) -> bool:
        """All credits have come back."""
        return not any(self.used) and not any(self.waiting)
