# SPDX-License-Identifier: Apache-2.0
"""Rules for frames that a device sends, checked from outside."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from gavel_model.frame import join_words
from gavel_model.ordered_set import Kind, OrderedSet
from gavel_model.pins import RxPins, TxPins
from gavel_tb.partner.flow_rules import FlowRules
from gavel_tb.partner.rules import RuleLimits, broken


class _Sent(NamedTuple):
    """A frame as it was first sent."""

    values: list[int]
    empty: int


class SenderRules:
    """What a device may send, given the ordered sets that it has received.

    * *eligible*: no eligible frame before an INIT of the device has been echoed.
    * *sequence*: first transmissions are numbered one after the other from INIT's number on.
    * *window*: no more outstanding frames, or words, than the window holds.
    * *replay start*: numbers go on, or else at the frame after the last acknowledged one.
    * *replay cause*: going back needs a NACK, or the replay timer.
    * *replay bytes*: a frame is the same each time.
    * *framing*: no frame begins inside another, no word is outside of one.

    Parameters
    ----------
    port, limits
        As in `RuleChecker`.
    flow
        Is told of the frames first sent.

    Attributes
    ----------
    frames, replays
        Frames first sent, and times that the device went back.
    """

    def __init__(
        self, port: int | str, limits: RuleLimits, flow: FlowRules | None = None
    ) -> None:
        self._port = port
        self._flow = flow
        self._began = 0
        self._limits = limits
        self._mask = (1 << limits.seq_bits) - 1
        self._half = 1 << limits.seq_bits - 1
        self._init: OrderedSet | None = None
        self._agreed = False
        self._sent: dict[int, _Sent] = {}
        self._open: int | None = None
        self._inside = False
        self._values: list[int] = []
        self._words_out = 0
        self._nack = False
        self._since = 0
        self.frames = self.replays = 0
        self._restart(0)

    def _restart(self, first: int) -> None:
        self._oldest = self._next = self._floor = first
        self._last = first - 1 & self._mask
        # What the device may still take for the oldest frame: (cycle, number), and `_floor` before.
        self._changes: deque[tuple[int, int]] = deque()
        self._sent.clear()
        self._words_out = 0

    def set_sent(self, cycle: int, item: OrderedSet) -> None:
        """The device begins to show an INIT."""
        if item != self._init:
            if self._init is not None and self._flow is not None:
                self._flow.use.restart()
            self._init = item
            self._agreed = False
            self._restart(item.value)

    def set_received(self, cycle: int, item: OrderedSet) -> bool:
        """The device receives an echo, ACK or NACK. False: it does not fit what was sent."""
        if item.kind is Kind.INIT_ECHO:
            init = self._init
            fits = init is not None and (item.value, item.data) == (init.value, init.data)
            self._agreed = self._agreed or fits
            return fits
        ahead = item.value + 1 - self._oldest & self._mask
        if not self._agreed:
            return True
        if ahead > (self._next - self._oldest & self._mask):
            return False
        if ahead:
            for _ in range(ahead):
                sent = self._sent.get(self._oldest)
                self._words_out -= len(sent.values) if sent is not None else 0
                self._oldest = self._oldest + 1 & self._mask
            self._changes.append((cycle, self._oldest))
        if item.kind is Kind.NACK:
            self._nack = True
        return True

    def word(self, cycle: int, pins: RxPins | TxPins) -> None:
        """The device begins to show a word."""
        if pins[1]:
            if self._inside and self._agreed:
                raise broken(self._port, cycle, "framing", "a frame begins inside another")
            self._inside = True
            self._values = []
            self._open = None
            if pins[5]:
                self._begin(cycle, pins[6])
                self._open = pins[6]
        elif not self._inside:
            if self._agreed:
                raise broken(self._port, cycle, "framing", "a word belongs to no frame")
            return
        self._values.append(pins[10])
        if pins[2]:
            self._inside = False
            if self._open is not None:
                self._end(cycle, self._open, _Sent(self._values, pins[4]))

    def _age(self, cycle: int) -> None:
        """Forgets frames that were acknowledged so long ago that the device knows."""
        changes, limit = self._changes, cycle - self._limits.skew
        while changes and changes[0][0] < limit:
            when, number = changes.popleft()
            self._since = max(self._since, when)
            while self._floor != number:
                self._sent.pop(self._floor, None)
                self._floor = self._floor + 1 & self._mask

    def _begin(self, cycle: int, seq: int) -> None:
        port, mask = self._port, self._mask
        if not self._agreed:
            raise broken(port, cycle, "eligible",
                         f"frame {seq} is sent before an INIT was echoed")
        self._age(cycle)
        first = seq == self._next
        if not first and (seq - self._floor & mask) >= (self._next - self._floor & mask):
            raise broken(port, cycle, "sequence", f"frame {seq} is sent, the next one is "
                         f"{self._next} and the oldest {self._oldest}")
        if seq != self._last + 1 & mask:
            starts = {self._floor, self._oldest, *(number for _, number in self._changes)}
            if seq not in starts:
                raise broken(port, cycle, "replay start", f"frame {seq} follows frame "
                             f"{self._last}, the oldest one is {self._oldest}")
            if (self._last - seq & mask) < self._half:
                self._back(cycle, seq)
        self._last = seq
        if first:
            outstanding = self._next - self._oldest & mask
            if not outstanding:
                self._since = cycle
            if outstanding >= self._limits.window_frames:
                raise broken(port, cycle, "window", f"frame {seq} is sent with {outstanding} "
                             f"frames outstanding, the window is {self._limits.window_frames}")
            self._next = self._next + 1 & mask
            self.frames += 1
            self._began = cycle
            if self._flow is not None:
                self._flow.frame_begins()

    def _back(self, cycle: int, seq: int) -> None:
        timer = self._limits.replay_timer
        # Progress so new that the device may not have seen it is not in `_since` yet.
        silent = cycle - self._since + self._limits.skew
        if not self._nack and not (timer and silent >= timer):
            raise broken(self._port, cycle, "replay cause", f"frame {seq} is sent again without "
                         f"a NACK, {cycle - self._since} cycles after the last progress, the "
                         f"replay timer is {timer}")
        self._nack = False
        self._since = cycle
        self.replays += 1

    def _end(self, cycle: int, seq: int, frame: _Sent) -> None:
        known = self._sent.get(seq)
        if known is None:
            if (self._next - 1 - seq & self._mask) >= (self._next - self._floor & self._mask):
                return  # the numbers were agreed anew while it was under way
            self._sent[seq] = frame
            if self._flow is not None:
                data = join_words(frame.values, self._limits.word_bytes)
                self._flow.frame_sent(self._began, data[: len(data) - frame.empty],
                                      len(frame.values))
            if (self._next - 1 - seq & self._mask) < (self._next - self._oldest & self._mask):
                self._words_out += len(frame.values)
            limit = self._limits.window_words
            if limit and self._words_out > limit:
                raise broken(self._port, cycle, "window", f"{self._words_out} words are "
                             f"outstanding with frame {seq}, the window is {limit}")
        elif known != frame:
            at = next((n for n, (old, new) in enumerate(zip(known.values, frame.values,
                                                            strict=False)) if old != new),
                      min(len(known.values), len(frame.values)))
            raise broken(self._port, cycle, "replay bytes",
                         f"frame {seq} differs from its first transmission in word {at}")
