# SPDX-License-Identifier: Apache-2.0
"""Receiving side of PFC, and its watchdog (docs/flow_control.md, PFC)."""

from __future__ import annotations

from gavel_model.alarm import NEVER, Alarm
from gavel_model.config import SwitchConfig
from gavel_model.counters import Counters
from gavel_model.flow_settings import FlowSettings
from gavel_model.mac_control import PFC_CLASSES, Pause
from gavel_model.register_map import Counter


class PauseReceiver:
    """Keeps VCs from sending while the peer asks for it.

    In a cycle `take` comes first, if a PFC frame ends in it; then `step`, if the alarm of the port
    asks for it. Timers and counts of cycles are kept as the cycles in which they are 0. Masks
    have bit v for VC v.

    Attributes
    ----------
    paused
        VCs that may not send, as visible in the cycle; after `step` in the next one.
    """

    __slots__ = (
        "_alarm", "_asked", "_asked_before", "_counters", "_ends", "_restored", "_settings", "_vcs",
        "_watched", "paused",
    )

    def __init__(
        self, config: SwitchConfig, settings: FlowSettings, counters: Counters, alarm: Alarm
    ) -> None:
        self._vcs = config.vcs
        self._settings = settings
        self._counters = counters
        self._alarm = alarm
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self.paused = 0
        # First cycle in which the timer of each class, and `restore` of each VC, is 0.
        self._ends = [0] * PFC_CLASSES
        self._restored = [0] * self._vcs
        # Cycle in which `watch` of each VC is 0, if it is asked for a pause since then.
        self._watched = [0] * self._vcs
        self._asked = 0
        self._asked_before = 0

    def take(self, pause: Pause, now: int) -> None:
        """A PFC frame ends in cycle ``now``."""
        self._counters.add(Counter.PFC_RX, 1)
        for n in range(PFC_CLASSES):
            if pause.enabled >> n & 1:
                self._ends[n] = now + 1 + pause.times[n] * self._settings.quantum
        self._alarm.now = True

    def step(self, now: int) -> None:
        """Part of a cycle: the watchdog, and what the timers say in the next."""
        self._asked_before = asked = self._asked
        if not (asked or self._settings.pfc_receive):
            return
        watchdog = self._settings.watchdog
        if asked and watchdog:
            bitten = False
            for vc in range(self._vcs):
                if asked >> vc & 1 and now >= self._watched[vc] + watchdog - 1:
                    bitten = True
                    self._restored[vc] = now + 1 + self._settings.restore
                    self._watched[vc] = self._restored[vc]
            if bitten:
                self._counters.add(Counter.PFC_WATCHDOG, 1)
        self._look(now + 1)

    def settings_changed(self, now: int) -> None:
        """New settings are visible after cycle ``now``, which is stepped."""
        self._look(now + 1)

    def wake_at(self, now: int) -> int:
        """The next cycle after ``now`` with work, if nothing happens."""
        if not self._asked:
            return NEVER
        times = [end - 1 for end in self._ends if end > now + 1]
        watchdog = self._settings.watchdog
        for vc in range(self._vcs):
            if self._asked >> vc & 1:
                if watchdog:
                    times.append(max(now + 1, self._watched[vc] + watchdog - 1))
                if self._restored[vc] > now + 1:
                    times.append(self._restored[vc] - 1)
        return min(times, default=NEVER)

    def _look(self, cycle: int) -> None:
        """``asked`` and ``paused`` as visible in a cycle."""
        settings = self._settings
        asked = 0
        for n, end in enumerate(self._ends):
            if cycle < end:
                asked |= 1 << settings.vc_of_class[n]
        self._asked = asked = asked & settings.pfc_receive
        begun = asked & ~self._asked_before
        paused = 0
        for vc in range(self._vcs):
            if begun >> vc & 1:
                self._watched[vc] = max(cycle, self._restored[vc])
            if asked >> vc & 1 and cycle >= self._restored[vc]:
                paused |= 1 << vc
        self.paused = paused
