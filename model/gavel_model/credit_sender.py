# SPDX-License-Identifier: Apache-2.0
"""Sender side of credits (docs/flow_control.md, Sender)."""

from __future__ import annotations

from collections import deque

from gavel_model.alarm import Alarm
from gavel_model.config import SwitchConfig
from gavel_model.counters import Counters
from gavel_model.credit_unit import CREDIT_MASK
from gavel_model.flow_settings import FlowSettings
from gavel_model.ordered_set import CF_BITS, CreditUpdate
from gavel_model.packed_elements import PackedElements
from gavel_model.probes import CREDIT_TX_BITS
from gavel_model.register_map import CREDIT_BITS, Counter

_CF_MASK = (1 << CF_BITS) - 1
_WAITING = 2 * CREDIT_BITS
_UNTIL_SUMMED = 1
"""Cycles from the first word of a frame in `Egress` to when the sum of all VCs has it."""


class CreditSender:
    """Counts the credits that frames to the peer consume, and says which VCs have enough.

    In a cycle `update` comes first, if a CF_Update takes effect; then `matched` and `sent`; then
    `step`, if the alarm of the port asks for it. Masks have bit v for VC v.

    Attributes
    ----------
    consumed, used
        S_CC, and S_CC - S_CF, of each VC.
    waiting
        VCs whose count is to be taken from the next CF_Update.
    fits
        VCs, of those with credits, that have credits for a longest frame in the next cycle.
    packed
        Probe point ``credit_tx``.
    """

    __slots__ = (
        "_alarm", "_counters", "_flying", "_limits", "_longest", "_new_settings", "_recent",
        "_recent_cycles", "_settings", "_sum", "_sum_next", "_total_limit", "_vcs", "consumed",
        "fits", "packed", "used", "waiting",
    )

    def __init__(
        self, config: SwitchConfig, settings: FlowSettings, counters: Counters, alarm: Alarm
    ) -> None:
        self._vcs = config.vcs
        self._recent_cycles = config.match_to_egress + _UNTIL_SUMMED
        self._settings = settings
        self._counters = counters
        self._alarm = alarm
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self.consumed = [0] * self._vcs
        self.used = [0] * self._vcs
        self.waiting = 0
        self.fits = 0
        # Matches whose first word has not come to `Egress`: they are not in `used` yet.
        self._flying = [0] * self._vcs
        self._recent: deque[int] = deque()
        self._sum = self._sum_next = 0
        self.packed = PackedElements(self._vcs, CREDIT_TX_BITS)
        self._new_settings = True
        self._adopt()

    def freed(self, vc: int) -> int:
        """S_CF of a VC."""
        return self.consumed[vc] - self.used[vc] & CREDIT_MASK

    def matched(self, vc: int, now: int) -> None:
        """A frame of a VC is matched to this output."""
        self._flying[vc] += 1
        if self._settings.sender >> vc & 1:
            self._forget(now)
            self._recent.append(now)
            self._look(vc)

    def sent(self, vc: int, length: int) -> None:
        """`Egress` gives the first word of a frame of ``length`` bytes."""
        self._flying[vc] -= 1
        self._consume(vc, self._settings.sender_unit.credits(length))

    def _consume(self, vc: int, amount: int) -> None:
        if self._settings.sender >> vc & 1:
            self.consumed[vc] = self.consumed[vc] + amount & CREDIT_MASK
            self.used[vc] = self.used[vc] + amount & CREDIT_MASK
            self._look(vc)

    def update(self, item: CreditUpdate) -> None:
        """A valid CF_Update takes effect in this cycle."""
        self._counters.add(Counter.CBFC_RX_CF_UPDATE, 1)
        taken = self._take(item.vc, item.freed)
        if item.second_vc != item.vc:
            taken = self._take(item.second_vc, item.second_freed) and taken
        if not taken:
            self._counters.add(Counter.CBFC_RX_CF_ERROR, 1)

    def _take(self, vc: int, freed: int) -> bool:
        """One entry; returns whether it is not refused."""
        settings = self._settings
        if vc >= self._vcs or not settings.sender >> vc & 1:
            return False
        if self.waiting >> vc & 1:
            used = self.consumed[vc] - freed & _CF_MASK
            if used > (settings.total_limit if settings.total else settings.limits[vc]):
                return False
            self.used[vc] = used
            self.waiting &= ~(1 << vc)
            self._alarm.now = True
        else:
            returned = freed - self.freed(vc) & _CF_MASK
            if returned > self.used[vc]:
                return False
            self.used[vc] -= returned
        self._look(vc)
        return True

    def _look(self, vc: int) -> None:
        """``used`` or the matches of a VC have changed: does it still fit, or again?"""
        self._show(vc)
        if self._settings.total:
            self._alarm.now = True
            return
        fits = self.used[vc] + (self._flying[vc] + 1) * self._longest <= self._limits[vc]
        if fits != self.fits >> vc & 1:
            self.fits ^= 1 << vc
            self._alarm.now = True

    def _show(self, vc: int) -> None:
        self.packed.put(vc, self.consumed[vc] | self.used[vc] << CREDIT_BITS
                        | (self.waiting >> vc & 1) << _WAITING)

    def before_write(self) -> None:
        """First part of a cycle at whose end settings may change."""
        self._sum_next = self._sum_of_all()

    def settings_changed(self, now: int) -> None:
        """New settings are visible after cycle ``now``. Limits count one cycle later still."""
        self._new_settings = True
        self._judge(now)
        self._sum_next = self._sum_of_all()

    def step(self, now: int, resynchronise: bool) -> None:
        """Last part of a cycle: ``resynchronise`` makes all VCs with credits wait."""
        settings = self._settings
        self._sum = self._sum_next
        judge = settings.total or self._new_settings
        self._settle(resynchronise)
        if judge:
            self._judge(now)
        if settings.total:
            self._sum_next = self._sum_of_all()
            if self._recent or self._sum != self._sum_next:
                self._alarm.now = True

    def _settle(self, resynchronise: bool) -> None:
        """New settings, and resynchronisation."""
        if self._new_settings:
            self._adopt()
        if resynchronise:
            self.waiting |= self._settings.sender
            for vc in range(self._vcs):
                self._show(vc)

    def _adopt(self) -> None:
        """Settings that became visible in this cycle take effect."""
        self._new_settings = False
        settings = self._settings
        self._limits = settings.limits
        self._total_limit = settings.total_limit
        self._longest = settings.longest
        self.waiting &= settings.sender
        for vc in range(self._vcs):
            if not settings.sender >> vc & 1:
                self.consumed[vc] = self.used[vc] = 0
                self._show(vc)

    def _sum_of_all(self) -> int:
        sender = self._settings.sender
        return sum(used for vc, used in enumerate(self.used) if sender >> vc & 1)

    def _judge(self, now: int) -> None:
        """``fits`` of all VCs in the cycle after ``now``."""
        settings = self._settings
        if settings.total:
            self._forget(now)
            wanted = (len(self._recent) + 1) * self._longest
            self.fits = settings.sender if self._sum + wanted <= self._total_limit else 0
            return
        self.fits = sum(
            1 << vc for vc in range(self._vcs) if settings.sender >> vc & 1
            and self.used[vc] + (self._flying[vc] + 1) * self._longest <= self._limits[vc]
        )

    def _forget(self, now: int) -> None:
        """Matches that are in the sum of all VCs in the cycle after ``now``."""
        recent = self._recent
        while recent and recent[0] <= now - self._recent_cycles:
            recent.popleft()
