# SPDX-License-Identifier: Apache-2.0
"""Sending side of PFC (docs/flow_control.md, PFC)."""

from __future__ import annotations

from gavel_model.alarm import NEVER, Alarm
from gavel_model.config import SwitchConfig
from gavel_model.flow_settings import FlowSettings
from gavel_model.mac_control import PFC_CLASSES, pfc_frame

_LONGEST = 1 << 19
"""``since_pfc`` ends just below."""


class PauseSender:
    """Asks the peer to pause VCs that fill the ingress buffer.

    In a cycle `step` comes first, if the alarm of the port asks for it, then `look` for each VC
    whose cells change. Masks have bit v for VC v.

    Attributes
    ----------
    xoff
        VCs that are to pause.
    wanted
        ``pfc_wanted``: a PFC frame is to be sent.
    """

    __slots__ = ("_alarm", "_changed", "_late", "_settings", "_vcs", "_zero", "wanted",
                 "xoff")

    def __init__(self, config: SwitchConfig, settings: FlowSettings, alarm: Alarm) -> None:
        self._vcs = config.vcs
        # A change is told one cycle later.
        self._late = config.gate_stages > 1
        self._settings = settings
        self._alarm = alarm
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self.xoff = 0
        self.wanted = False
        self._changed = False
        # Cycle in which `since_pfc` was 0. After reset it is at its end.
        self._zero = -_LONGEST

    def look(self, vc: int, cells: int) -> None:
        """A VC has so many cells from the next cycle on."""
        settings = self._settings
        if settings.pfc_transmit >> vc & 1:
            self._alarm.now |= bool(
                cells <= settings.pfc_xon if self.xoff >> vc & 1 else cells >= settings.pfc_xoff
            )

    def step(self, now: int, vc_cells: list[int], taken: bool) -> None:
        """Part of a cycle: ``taken`` tells that a PFC frame is taken in it."""
        settings = self._settings
        before = self.xoff
        if not (before or taken or settings.pfc_transmit or self._changed):
            return
        self.xoff = sum(self._judge(vc, cells) << vc for vc, cells in enumerate(vc_cells))
        if taken:
            self._zero = now + 1
        changed = self.xoff != before
        if self._late:
            changed, self._changed = self._changed, changed
            self._alarm.now |= self._changed
        if changed:
            self.wanted = True
        elif taken:
            self.wanted = False
        elif before and now - self._zero >= settings.refresh:
            self.wanted = True

    def wake_at(self, now: int) -> int:
        """The next cycle after ``now`` with work, if nothing happens."""
        if not self.xoff or self.wanted:
            return NEVER
        return max(now + 1, self._zero + self._settings.refresh)

    def _judge(self, vc: int, cells: int) -> int:
        settings = self._settings
        if not settings.pfc_transmit >> vc & 1:
            return 0
        if cells >= settings.pfc_xoff:
            return 1
        return 0 if cells <= settings.pfc_xon else self.xoff >> vc & 1

    def frame(self) -> bytes:
        """The PFC frame of what is visible in the cycle."""
        settings = self._settings
        enabled = 0
        times = [0] * PFC_CLASSES
        for n, vc in enumerate(settings.vc_of_class):
            if settings.pfc_transmit >> vc & 1:
                enabled |= 1 << n
                if self.xoff >> vc & 1:
                    times[n] = settings.pfc_time
        return pfc_frame(settings.mac_address, enabled, times)
