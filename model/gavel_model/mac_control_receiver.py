# SPDX-License-Identifier: Apache-2.0
"""MAC Control frames that come in (docs/flow_control.md, MAC Control frames)."""

from __future__ import annotations

from gavel_model.credit_receiver import CreditReceiver
from gavel_model.mac_control import CreditCounts, Pause, decode
from gavel_model.pause_receiver import PauseReceiver


class MacControlReceiver:
    """Gives each MAC Control frame to the block that it is meant for."""

    __slots__ = ("_credits", "_pauses")

    def __init__(self, credit_receiver: CreditReceiver, pauses: PauseReceiver) -> None:
        self._credits = credit_receiver
        self._pauses = pauses

    def receive(self, data: bytes, now: int) -> None:
        """A good MAC Control frame acts in cycle ``now``."""
        content = decode(data)
        if isinstance(content, Pause):
            self._pauses.take(content, now)
        elif isinstance(content, CreditCounts):
            self._credits.take(content, now)
