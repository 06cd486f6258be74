# SPDX-License-Identifier: Apache-2.0
"""Sender side of credits with registers before and behind it, ``gate_stages`` > 0
(docs/flow_control.md, Sender)."""

from __future__ import annotations

from collections import deque

from gavel_model.alarm import Alarm
from gavel_model.config import SwitchConfig
from gavel_model.counters import Counters
from gavel_model.credit_sender import CreditSender
from gavel_model.flow_settings import FlowSettings
from gavel_model.ordered_set import CreditUpdate

_SETTLED = 6
"""Cycles after an event from which on it changes nothing any more."""


class LateCreditSender(CreditSender):
    """Frames count one cycle later than they come, CF_Updates as many as there are stages, and
    ``fits`` is made of what is visible in the cycle before. With two stages `FlowControl` holds
    that for a cycle."""

    __slots__ = (
        "_back_to_back", "_busy_until", "_frame", "_frame_before", "_longests", "_matches",
        "_stages", "_update", "_updates",
    )

    def __init__(
        self, config: SwitchConfig, settings: FlowSettings, counters: Counters, alarm: Alarm
    ) -> None:
        # A frame may be matched in the cycle after another.
        self._back_to_back = config.words_per_cell == 1
        self._stages = config.gate_stages
        super().__init__(config, settings, counters, alarm)

    def reset(self) -> None:
        """Reset values."""
        super().reset()
        self._matches: deque[tuple[int, int, int]] = deque(maxlen=self._recent_cycles + 2)
        self._frame: tuple[int, int] | None = None
        self._frame_before: tuple[int, int] | None = None
        self._update: CreditUpdate | None = None
        # Those of the cycles before, the earliest first.
        self._updates: deque[CreditUpdate | None] = deque([None] * self._stages)
        # M of the cycles before, the earliest first.
        self._longests = deque([self._longest] * self._stages, self._stages)
        self._busy_until = 0

    def matched(self, vc: int, now: int) -> None:
        """A frame of a VC is matched to this output."""
        on = self._settings.sender >> vc & 1
        self._matches.append((now, vc, on))
        if on:
            self._stir(now)

    def sent(self, vc: int, length: int) -> None:
        """`Egress` gives the first word of a frame of ``length`` bytes."""
        self._frame = vc, self._settings.sender_unit.credits(length)
        self._alarm.now = True

    def update(self, item: CreditUpdate) -> None:
        """A valid CF_Update comes in this cycle."""
        self._update = item
        self._alarm.now = True

    def before_write(self) -> None:
        """Nothing: what `step` sees is enough."""

    def settings_changed(self, now: int) -> None:
        """New settings are visible after cycle ``now``."""
        self._new_settings = True
        self._stir(now)

    def step(self, now: int, resynchronise: bool) -> None:
        """Last part of a cycle: ``fits`` of the next one, of what is visible in this one; then what
        has come."""
        self._judge(now)
        self._sum = self._sum_of_all()
        self._longests.append(self._longest)
        update = self._updates.popleft()
        if update is not None:
            super().update(update)
            self._stir(now)
        if self._frame_before is not None:
            self._consume(*self._frame_before)
        if self._frame is not None or self._frame_before is not None:
            self._stir(now)
        if self._update is not None:
            self._stir(now)
        self._updates.append(self._update)
        self._update = None
        self._frame_before, self._frame = self._frame, None
        self._settle(resynchronise)
        if resynchronise:
            self._stir(now)
        if now < self._busy_until:
            self._alarm.now = True

    def _stir(self, now: int) -> None:
        self._busy_until = now + _SETTLED
        self._alarm.now = True

    def _look(self, vc: int) -> None:
        self._show(vc)

    def _judge(self, now: int) -> None:
        settings = self._settings
        self.fits = 0
        if not settings.sender:
            return
        # Not yet in ``used``, as visible in the cycle; in the sum of all VCs one more.
        first = now - self._recent_cycles - settings.total
        last = now if self._back_to_back else now - 1
        recent = [match for match in self._matches if first <= match[0] <= last]
        longest = self._longests[0]
        if settings.total:
            wanted = (sum(on for _, _, on in recent) + 1) * longest
            if self._sum + wanted <= self._total_limit:
                self.fits = settings.sender
            return
        for vc in range(self._vcs):
            wanted = (sum(of == vc for _, of, _ in recent) + 1) * longest
            if settings.sender >> vc & 1 and self.used[vc] + wanted <= self._limits[vc]:
                self.fits |= 1 << vc
