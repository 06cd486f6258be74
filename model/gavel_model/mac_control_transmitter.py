# SPDX-License-Identifier: Apache-2.0
"""MAC Control frames that go out (docs/flow_control.md, MAC Control frames)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from gavel_model.alarm import NEVER, Alarm
from gavel_model.config import MIN_FRAME_BYTES, SwitchConfig
from gavel_model.counters import Counters
from gavel_model.credit_sender import CreditSender
from gavel_model.flow_settings import FlowSettings
from gavel_model.frame import split_words
from gavel_model.mac_control import cc_update_frame
from gavel_model.outgoing_frame import OutgoingFrame, outgoing_words
from gavel_model.pause_sender import PauseSender
from gavel_model.pins import TxPins
from gavel_model.register_map import Counter

_CONTENT_TO_WORD = 2
"""Cycles from the one in which the content of a control frame is visible, in which `Egress` would
give the first word of a frame, to its own first word in the place of those."""


class _ControlFrame:
    """A control frame on its way: the cycle in which it was taken, what makes it, and its words."""

    __slots__ = ("build", "frame", "taken_at")

    def __init__(self, taken_at: int, build: Callable[[], bytes]) -> None:
        self.taken_at = taken_at
        self.build = build
        self.frame: OutgoingFrame | None = None


class MacControlTransmitter:
    """Takes the output for control frames and makes them.

    In a cycle `step` comes last, if the alarm of the port asks for it; before it `take`, and
    `word` while there is one.

    Attributes
    ----------
    claim
        A control frame is wanted or under way, as visible in the cycle; after `step` in the next
        one. The output is not free for the scheduler.
    under_way
        Of the two, the latter.
    cc_wanted
        A CC_Update is to be sent.
    """

    __slots__ = (
        "_alarm", "_content_after", "_counters", "_credits", "_frames", "_free_at", "_pauses",
        "_settings", "_taken", "_word_bytes", "_words", "_zero", "cc_wanted", "claim", "under_way",
    )

    def __init__(
        self, config: SwitchConfig, settings: FlowSettings, counters: Counters, alarm: Alarm,
        credit_sender: CreditSender, pauses: PauseSender,
    ) -> None:
        self._word_bytes = config.word_bytes
        # What was matched before it is in S_CC by then.
        self._content_after = config.match_to_egress
        self._words = MIN_FRAME_BYTES // config.word_bytes
        self._settings = settings
        self._counters = counters
        self._alarm = alarm
        self._credits = credit_sender
        self._pauses = pauses
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self.claim = False
        self.under_way = False
        self.cc_wanted = False
        self._frames: deque[_ControlFrame] = deque()
        self._taken: Counter | None = None
        # Cycle in which the next match can be made after a control frame.
        self._free_at = 0
        # Cycle in which `cc_time` was 0.
        self._zero = 0

    @property
    def busy(self) -> bool:
        """A control frame has words to come."""
        return bool(self._frames)

    @property
    def taken_pause(self) -> bool:
        """A PFC frame is taken in this cycle."""
        return self._taken is Counter.PFC_TX

    def take(self, now: int) -> None:
        """The output is free but for the claim: a control frame is taken."""
        if self._pauses.wanted:
            self._taken = Counter.PFC_TX
            build = self._pauses.frame
        else:
            self._taken = Counter.CBFC_TX_CC_UPDATE
            build = self._cc_update
        self._counters.add(self._taken, 1)
        self._frames.append(_ControlFrame(now, build))
        self.under_way = True
        self._free_at = now + self._words + 2
        self._alarm.now = True

    def word(self, now: int) -> tuple[TxPins, OutgoingFrame] | None:
        """The word that comes in cycle ``now`` in the place of one of `Egress`."""
        current = self._frames[0]
        number = now - current.taken_at - self._content_after - _CONTENT_TO_WORD
        if number < 0 or current.frame is None:
            return None
        if number == self._words - 1:
            self._frames.popleft()
        return current.frame.words[number], current.frame

    def build(self, now: int) -> None:
        """First of a step: the content of a frame, of what is visible in the cycle."""
        for item in self._frames:
            if now == item.taken_at + self._content_after:
                words = split_words(item.build(), self._word_bytes)
                item.frame = OutgoingFrame(outgoing_words(words, 0), False, False)

    def step(self, now: int, resynchronise: bool) -> None:
        """Part of a cycle: ``resynchronise`` asks for a CC_Update."""
        settings = self._settings
        wanted = self.cc_wanted and self._taken is not Counter.CBFC_TX_CC_UPDATE
        if not (settings.sender and settings.cc_period):
            self._zero = now + 1
        elif now - self._zero + 1 >= settings.cc_period:
            self._zero = now + 1
            wanted = True
        self.cc_wanted = bool(settings.sender) and (wanted or resynchronise)
        self._taken = None
        self.under_way = now + 1 < self._free_at
        self.claim = self.cc_wanted or self._pauses.wanted or self.under_way

    def wake_at(self, now: int) -> int:
        """The next cycle after ``now`` with work, if nothing happens."""
        settings = self._settings
        at = self._free_at - 1 if self.under_way else NEVER
        if settings.sender and settings.cc_period:
            at = min(at, max(now + 1, self._zero + settings.cc_period - 1))
        for item in self._frames:
            if item.frame is None:
                at = min(at, item.taken_at + self._content_after)
        return at

    def _cc_update(self) -> bytes:
        """The CC_Update of what is visible in the cycle."""
        settings = self._settings
        return cc_update_frame(settings.mac_address, [
            count if settings.sender >> vc & 1 else 0
            for vc, count in enumerate(self._credits.consumed)
        ])
