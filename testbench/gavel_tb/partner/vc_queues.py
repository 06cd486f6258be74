# SPDX-License-Identifier: Apache-2.0
"""Frames that wait for their turn at a link partner, a queue for each VC."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from gavel_tb.partner.credit_sender import CreditSender
from gavel_tb.partner.misbehaviour import Fault, Switchboard
from gavel_tb.partner.outgoing import OutFrame
from gavel_tb.partner.pauses import PauseReceiver

Refill = Callable[[int, int], OutFrame | None]
"""(VC, cycle) -> the next frame of the VC, if there is one."""


class VcQueues:
    """Gives the next frame that may be sent; VCs take turns, and one that may not send holds up
    no other.

    Parameters
    ----------
    account, pauses
        Who may not send.
    faults
        What is to go wrong.

    Attributes
    ----------
    queues
        Frames to be sent, of each VC.
    refill
        Asked for a frame when the queue of a VC is empty that could send.
    refill_at
        First cycle in which it is asked. Whoever refills moves it on.
    """

    def __init__(
        self, account: CreditSender, pauses: PauseReceiver, faults: Switchboard
    ) -> None:
        self._account = account
        self._until = pauses.until
        self._faults = faults
        self.queues: list[deque[OutFrame]] = [deque() for _ in pauses.until]
        self.refill: Refill | None = None
        self.refill_at = 0
        self._turn = 0

    def __bool__(self) -> bool:
        """Whether any frame waits."""
        return any(self.queues)

    def take(self, now: int) -> tuple[int, OutFrame] | None:
        """Takes the frame whose turn it is: its VC, and the frame."""
        vcs, refill = len(self.queues), self.refill
        if (refill is None or now < self.refill_at) and not any(self.queues):
            return None
        for step in range(self._turn, self._turn + vcs):
            vc = step % vcs
            queue = self.queues[vc]
            if not queue:
                if refill is None or now < self.refill_at:
                    continue
                frame = refill(vc, now)
                if frame is None:
                    continue
                queue.append(frame)
            if now < self._until[vc]:
                continue
            frame = queue[0]
            if self._account.fits(vc, len(frame.data)) or (
                self._faults and self._faults.take(Fault.UNPAID) is not None
            ):
                self._turn = vc + 1
                return vc, queue.popleft()
        return None
