# SPDX-License-Identifier: Apache-2.0
"""A place on a wire where chosen frames and ordered sets are lost, changed or put in."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from gavel_model.mac_control import MAC_CONTROL_ADDRESS
from gavel_model.pins import IDLE, RxPins, TxPins

_KIND = 0xFF
_ADDRESS_MASK = (1 << 48) - 1
_CONTROL_ADDRESS = int.from_bytes(MAC_CONTROL_ADDRESS.to_bytes(6, "big"), "little")
_new_tuple = tuple.__new__  # half the time of RxPins(...)


def taken(pins: TxPins, ready: int, ctl_ready: int) -> TxPins:
    """What goes out in a cycle in which not everything is taken."""
    if pins.valid and not ready:
        pins = TxPins(up=pins.up, ctl_valid=pins.ctl_valid, ctl=pins.ctl)
    if pins.ctl_valid and not ctl_ready:
        pins = pins._replace(ctl_valid=0, ctl=0)
    return pins


@dataclass
class _SetRule:
    """What happens to the next ``times`` ordered sets of a kind."""

    kind: int | None
    times: int
    flip: int | None = None
    repeat: bool = False


class Tap:
    """At the switch's end of one direction, without delay.

    Attributes
    ----------
    frames_blocked, sets_blocked
        None gets through.
    inserts
        Ordered sets to be put in, each in the first cycle without another one.
    spoil_if
        Asked at the beginning of each frame whether a bit of its last word is to be flipped.
    spoil_next, lose_controls
        So many of the next frames are spoilt; so many of the next MAC Control frames are lost.
    lost_frames, lost_sets
        How many were lost here.
    """

    def __init__(self) -> None:
        self.frames_blocked = self.sets_blocked = False
        self.inserts: deque[int] = deque()
        self.spoil_if: Callable[[], bool] | None = None
        self.spoil_next = self.lose_controls = 0
        self.lost_frames = self.lost_sets = 0
        self._lose: dict[int, int] = {}
        self._spoil: dict[int, int] = {}
        self._rules: list[_SetRule] = []
        self._again: deque[int] = deque()
        self._losing = self._spoiling = False

    def lose_frame(self, seq: int, times: int = 1) -> None:
        """The frame with this number is lost, the next ``times`` times that it comes."""
        self._lose[seq] = times

    def spoil_frame(self, seq: int, times: int = 1) -> None:
        """A bit of its last word is flipped."""
        self._spoil[seq] = times

    def lose_sets(self, kind: int | None, times: int = 1) -> None:
        """The next ordered sets of a kind (D1; None: of any) are lost."""
        self._rules.append(_SetRule(kind, times))

    def flip_sets(self, kind: int | None, bit: int, times: int = 1) -> None:
        """A bit of each of the next ordered sets is flipped."""
        self._rules.append(_SetRule(kind, times, flip=bit))

    def repeat_sets(self, kind: int, times: int = 1) -> None:
        """Each of the next ordered sets comes twice."""
        self._rules.append(_SetRule(kind, times, repeat=True))

    def clear(self) -> None:
        """No further ordered set of a kind is lost, changed or repeated."""
        self._rules.clear()

    def step(self, pins: TxPins | RxPins) -> RxPins:
        """What comes out in this cycle."""
        if not (pins[0] or pins[7] or self.inserts or self._again):
            return pins if pins is IDLE else _new_tuple(RxPins, pins)
        out: RxPins = _new_tuple(RxPins, pins)
        if out.valid:
            out = self._word(out)
        if out.ctl_valid:
            out = self._set(out)
        if self._again:
            # What comes behind a set that is repeated stays behind it.
            if out.ctl_valid:
                self._again.append(out.ctl)
            return out._replace(ctl_valid=1, ctl=self._again.popleft())
        if out.ctl_valid:
            return out
        if self.inserts:
            out = out._replace(ctl_valid=1, ctl=self.inserts.popleft())
        return out

    def _word(self, pins: RxPins) -> RxPins:
        if pins.sop:
            seq = pins.seq if pins.llr else -1
            self._losing = self.frames_blocked or _take(self._lose, seq)
            self._spoiling = _take(self._spoil, seq) or (
                self.spoil_if is not None and self.spoil_if())
            if self.spoil_next:
                self.spoil_next -= 1
                self._spoiling = True
            if self.lose_controls and pins.data & _ADDRESS_MASK == _CONTROL_ADDRESS:
                self.lose_controls -= 1
                self._losing = True
            self.lost_frames += self._losing
        if self._losing:
            return IDLE._replace(ctl_valid=pins.ctl_valid, ctl=pins.ctl, up=pins.up)
        if self._spoiling and pins.eop:
            pins = pins._replace(data=pins.data ^ 1)
        return pins

    def _set(self, pins: RxPins) -> RxPins:
        rule = next((rule for rule in self._rules
                     if rule.kind is None or rule.kind == pins.ctl & _KIND), None)
        lost = self.sets_blocked
        if rule is not None and not lost:
            rule.times -= 1
            if not rule.times:
                self._rules.remove(rule)
            if rule.flip is not None:
                return pins._replace(ctl=pins.ctl ^ 1 << rule.flip)
            if rule.repeat:
                self._again.append(pins.ctl)
                return pins
            lost = True
        if lost:
            self.lost_sets += 1
            return pins._replace(ctl_valid=0, ctl=0)
        return pins


def _take(table: dict[int, int], seq: int) -> bool:
    times = table.get(seq, 0)
    if times:
        table[seq] = times - 1
    return times > 0
