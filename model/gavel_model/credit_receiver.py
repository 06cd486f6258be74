# SPDX-License-Identifier: Apache-2.0
"""Receiver side of credits (docs/flow_control.md, Receiver)."""

from __future__ import annotations

from collections import deque

from gavel_model.alarm import NEVER, Alarm
from gavel_model.config import CF_SPACING_BITS, SwitchConfig
from gavel_model.counters import Counters
from gavel_model.credit_unit import CREDIT_MASK
from gavel_model.flow_settings import FlowSettings
from gavel_model.mac_control import CreditCounts
from gavel_model.ordered_set import CF_BITS, CreditUpdate
from gavel_model.packed_elements import PackedElements
from gavel_model.probes import CREDIT_RX_BITS
from gavel_model.register_map import CREDIT_BITS, Counter

_CF_MASK = (1 << CF_BITS) - 1
_HALF = 1 << CREDIT_BITS - 1

Choice = tuple[int, int, bool]
"""``first``, ``second`` and ``some``."""


class CreditReceiver:
    """Counts the credits that the peer's frames consume and free, and chooses what CF_Update says.

    In a cycle `take` comes first, if a CC_Update ends in it, and `loaded`, if a CF_Update is chosen
    for the pins; then `step`, if the alarm of the port asks for it; then `count` and `free`. Masks
    have bit v for VC v.

    Attributes
    ----------
    consumed, stored
        R_CC, and the credits of stored frames, of each VC.
    request_at
        First cycle in which a CF_Update is asked for, if nothing happens.
    packed
        Probe point ``credit_rx``.
    """

    __slots__ = (
        "_alarm", "_arrived", "_chosen", "_counters", "_due", "_forced", "_from", "_loaded",
        "_new_settings", "_on", "_reported", "_settings", "_stale", "_turn", "_vcs", "_word_bytes",
        "_zero", "consumed", "packed", "request_at", "stored",
    )

    def __init__(
        self, config: SwitchConfig, settings: FlowSettings, counters: Counters, alarm: Alarm
    ) -> None:
        self._vcs = config.vcs
        self._word_bytes = config.word_bytes
        self._settings = settings
        self._counters = counters
        self._alarm = alarm
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self.consumed = [0] * self._vcs
        self.stored = [0] * self._vcs
        self._reported = [0] * self._vcs
        self._due = 0
        self._turn = 0
        self._chosen: Choice = (0, 0, False)
        self._stale = True
        self._forced = False
        self._new_settings = True
        self._loaded = False
        self._on = False
        self._from = 0
        # Cycle in which `since_cf` was 0. After reset it is at its end.
        self._zero = -(1 << CF_SPACING_BITS)
        # CC_Updates that have ended, and the cycles in which they did.
        self._arrived: deque[tuple[int, CreditCounts]] = deque()
        self.request_at = NEVER
        self.packed = PackedElements(self._vcs, CREDIT_RX_BITS)

    def freed(self, vc: int) -> int:
        """R_CF of a VC."""
        return self.consumed[vc] - self.stored[vc] & CREDIT_MASK

    def cf_update(self) -> CreditUpdate:
        """What it says."""
        first, second, _ = self._chosen
        return CreditUpdate(first, self.freed(first) & _CF_MASK,
                            second, self.freed(second) & _CF_MASK)

    def loaded(self) -> None:
        """It is loaded in this cycle."""
        self._loaded = True
        self._alarm.now = True

    def put_off(self, now: int) -> None:
        """The CF_Update that was loaded is on the pins only from cycle ``now`` + 1 on."""
        self._zero = now
        self._plan()

    def take(self, counts: CreditCounts, now: int) -> None:
        """A CC_Update ends in cycle ``now``; it takes effect in the next."""
        self._counters.add(Counter.CBFC_RX_CC_UPDATE, 1)
        while self._arrived and self._arrived[0][0] < now - 1:
            self._arrived.popleft()
        self._arrived.append((now, counts))
        self._alarm.now = True

    def before_write(self) -> None:
        """First part of a cycle at whose end settings may change."""
        # The choice that is visible with the new settings was made with the old ones.
        self._forced = True

    def settings_changed(self, now: int) -> None:
        """New settings are visible from cycle ``now`` + 1 on."""
        self._stale = True
        if self._settings.receiver and not self._on:
            # In the first cycle the choice is still that of a time without a receiver.
            self._from = now + 2
        self._on = bool(self._settings.receiver)
        self._new_settings = True
        self._plan()

    def step(self, now: int, vc_cells: list[int]) -> None:
        """Part of a cycle: the work of `FlowControl` on what is visible in it."""
        chosen = self._next_choice(now)
        self._forced = False
        if self._loaded:
            self._report(now)
        while self._arrived and self._arrived[0][0] < now:
            ended, counts = self._arrived.popleft()
            if ended == now - 1:
                self._apply(counts)
        if self._arrived:
            self._alarm.now = True
        if self._new_settings:
            self._clear(vc_cells)
        self._chosen = chosen
        self._plan()

    def _next_choice(self, now: int) -> Choice:
        """What shows in the next cycle: as it is, unless it has to be made."""
        if not self._stale or not (self._forced or now + 1 >= self._earliest):
            return self._chosen
        self._stale = False
        return self._choose(self._keys())

    def wake_at(self, now: int) -> int:
        """The next cycle after ``now`` with work, if nothing happens."""
        return max(now + 1, self._earliest - 1) if self._stale else NEVER

    def count(self, vc: int, length: int, filed: bool, now: int) -> None:
        """A good frame of ``length`` bytes ended in the cycle before."""
        amount = self._settings.receiver_unit.credits(length)
        if self._settings.receiver >> vc & 1:
            self.consumed[vc] = self.consumed[vc] + amount & CREDIT_MASK
            if not filed:
                self._changed(now)
        if filed:
            self.stored[vc] = self.stored[vc] + amount & CREDIT_MASK
        self._show(vc)

    def free(self, vc: int, length: int, cells: int, now: int) -> None:
        """The last word of a frame was read in the cycle before; ``cells`` of its VC are left."""
        amount = self._settings.receiver_unit.credits(length)
        self.stored[vc] = self.stored[vc] - amount & CREDIT_MASK
        self._show(vc)
        if self._settings.receiver >> vc & 1:
            self._changed(now)
        elif self.stored[vc] and not cells:
            # The unit was changed while the frame was stored.
            self._new_settings = True
            self._alarm.now = True

    def _show(self, vc: int) -> None:
        self.packed.put(vc, self.consumed[vc] | self.stored[vc] << CREDIT_BITS)

    @property
    def _earliest(self) -> int:
        """First cycle in which a CF_Update may be asked for."""
        return self._reached(min(self._settings.cf_min, self._settings.cf_max))

    def _reached(self, spacing: int) -> int:
        """First cycle in which ``since_cf`` is at least so many bytes."""
        return self._zero - (-spacing // self._word_bytes)

    def _plan(self) -> None:
        if not self._settings.receiver:
            self.request_at = NEVER
        elif self._chosen[2]:
            self.request_at = max(self._from, self._earliest)
        else:
            self.request_at = max(self._from, self._reached(self._settings.cf_max))

    def _changed(self, now: int) -> None:
        """What the choice depends on has changed, after the step of cycle ``now``."""
        if not self._stale:
            self._stale = True
            self._alarm.by(self.wake_at(now))

    def _keys(self) -> list[int]:
        """How much there is to tell of each VC, of what is visible."""
        return [2 * (self.freed(vc) - self._reported[vc] & _CF_MASK) + (self._due >> vc & 1)
                for vc in range(self._vcs)]

    def _choose(self, keys: list[int]) -> Choice:
        """``first``, ``second``, ``some`` of what is visible, and of these keys."""
        receiver = self._settings.receiver
        if not receiver:
            return 0, 0, False
        around = ((self._turn + n) % self._vcs for n in range(self._vcs))
        order = [vc for vc in around if receiver >> vc & 1]
        first = max(order, key=keys.__getitem__)
        order.remove(first)
        second = next((vc for vc in order if keys[vc]), order[0] if order else first)
        return first, second, keys[first] > 0

    def _report(self, now: int) -> None:
        """A CF_Update is loaded."""
        self._loaded = False
        first, second, _ = self._chosen
        for vc in (first, second):
            self._reported[vc] = self.freed(vc) & _CF_MASK
            self._due &= ~(1 << vc)
        self._turn = (second + 1) % self._vcs
        self._zero = now + 1
        self._stale = True

    def _apply(self, counts: CreditCounts) -> None:
        """The CC_Update of the cycle before."""
        recovered = wrong = False
        for vc in range(self._vcs):
            if self._settings.receiver >> vc & 1:
                missing = counts.consumed[vc] - self.consumed[vc] & CREDIT_MASK
                recovered |= 0 < missing < _HALF
                wrong |= missing >= _HALF
                self.consumed[vc] = counts.consumed[vc]
                self._due |= 1 << vc
                self._show(vc)
        if recovered:
            self._counters.add(Counter.CBFC_RX_RECOVERED, 1)
        if wrong:
            self._counters.add(Counter.CBFC_RX_CC_ERROR, 1)
        self._stale = True

    def _clear(self, vc_cells: list[int]) -> None:
        """VCs without credits."""
        self._new_settings = False
        for vc in range(self._vcs):
            if self._settings.receiver >> vc & 1:
                continue
            self.consumed[vc] = self._reported[vc] = 0
            self._due &= ~(1 << vc)
            if not vc_cells[vc]:
                self.stored[vc] = 0
            self._show(vc)
