# SPDX-License-Identifier: Apache-2.0
"""Rules of priority flow control, checked from outside."""

from __future__ import annotations

from gavel_model.mac_control import PFC_CLASSES, Pause, pfc_frame
from gavel_model.register_map import QUANTUM_BITS
from gavel_tb.partner.flow_settings import FlowSettings
from gavel_tb.partner.rules import RuleLimits, broken
from gavel_tb.partner.settings import NEVER

_ADDRESS = slice(6, 12)
_WORDS_UNDER_WAY = 16


class _Paused:
    """The pause of a VC."""

    __slots__ = ("begin", "end", "words")

    def __init__(self) -> None:
        self.begin = self.end = 0
        self.words = 0


class PauseRules:
    """What a device may send while it is paused, and how it asks for pauses.

    * *pause*: on a paused VC no more begins than was under way to the pins: a longest frame and
      the words between match and pins.
    * *PFC frame*: nothing but what the standard says is in it, for the VCs that send PFC.
    * *PFC refresh*: a pause is asked for again before it is over.

    Attributes
    ----------
    deadline
        Cycle in which the next PFC frame must have begun.
    pauses
        Pauses that were to be kept.
    """

    def __init__(self, port: int | str, limits: RuleLimits, flow: FlowSettings) -> None:
        self._port = port
        self._limits = limits
        self._flow = flow
        self._quantum = QUANTUM_BITS // limits.data_width
        self._class_end = [0] * PFC_CLASSES
        self._paused = [_Paused() for _ in range(flow.vcs)]
        self._classes = [flow.classes(1 << vc) for vc in range(flow.vcs)]
        self.deadline = NEVER
        self.pauses = 0

    def received(self, cycle: int, frame: Pause) -> None:
        """The device receives a PFC frame well and in order."""
        for n, time in enumerate(frame.times):
            if frame.enabled >> n & 1:
                self._class_end[n] = cycle + time * self._quantum
        for vc, paused in enumerate(self._paused):
            if not self._flow.pause_receive >> vc & 1:
                continue
            end = max(end for n, end in enumerate(self._class_end) if self._classes[vc] >> n & 1)
            if end > cycle >= paused.end:
                paused.begin = cycle + self._limits.pause_cycles
                paused.words = self._limits.max_frame_words + _WORDS_UNDER_WAY
                self.pauses += 1
                paused.end = end
            elif paused.end > cycle:
                paused.end = end

    def frame(self, cycle: int, vc: int, words: int) -> None:
        """The device has sent a frame of so many words that began in ``cycle``."""
        paused = self._paused[vc]
        if not paused.begin <= cycle < paused.end:
            return
        paused.words -= words
        if paused.words < 0:
            raise broken(self._port, cycle, "pause", f"a frame begins on VC {vc}, which is paused "
                         f"in cycles {paused.begin}...{paused.end - 1}")

    def sent(self, cycle: int, data: bytes, frame: Pause) -> None:
        """The device has sent a PFC frame that began in ``cycle``."""
        flow, times = self._flow, frame.times
        source = int.from_bytes(data[_ADDRESS], "big")
        proper = data == pfc_frame(source, flow.classes(flow.pause_send), times)
        for vc, classes in enumerate(self._classes):
            allowed = {0, flow.pause_time} if flow.pause_send >> vc & 1 else {0}
            of_vc = {time for n, time in enumerate(times) if classes >> n & 1}
            proper = proper and len(of_vc) == 1 and of_vc <= allowed
        if not proper:
            raise broken(self._port, cycle, "PFC frame", f"enabled {frame.enabled:#x}, times "
                         f"{', '.join(map(str, times))}, for VCs {flow.pause_send:#x} and pauses "
                         f"of {flow.pause_time} quanta")
        self.deadline = NEVER
        slack = self._limits.refresh_slack
        if slack and any(times):
            self.deadline = cycle + flow.pause_time * self._quantum // 2 + slack

    def late(self, cycle: int) -> None:
        """The deadline is over."""
        raise broken(self._port, cycle, "PFC refresh", "a pause is not asked for again, although "
                     "half of it and more is over")
