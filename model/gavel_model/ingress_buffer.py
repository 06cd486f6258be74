# SPDX-License-Identifier: Apache-2.0
"""Cell pool, VOQs and the open transfer of an input (docs/spec.md, IngressBuffer)."""

from __future__ import annotations

from collections import deque

from gavel_model.config import SwitchConfig
from gavel_model.counters import Counters
from gavel_model.crossbar import CrossbarWord
from gavel_model.link_rx import ABORT, EOP, SOP, WORD
from gavel_model.outgoing_frame import OutgoingFrame
from gavel_model.received_frame import ReceivedFrame
from gavel_model.register_map import Counter

NEVER_MARK = 65535
"""Value of ``ECN_THRESHOLD`` that marks nothing."""

_FRAMES = int(Counter.RX_FRAMES)
_BYTES = int(Counter.RX_BYTES)
_NO_BUFFER = int(Counter.RX_NO_BUFFER)
_FRAGMENT = int(Counter.RX_FRAGMENT)


class IngressBuffer:
    """Buffer of one input.

    The words themselves stay with their frame; the buffer accounts for cells.

    Attributes
    ----------
    index
        Number of the input.
    free
        Free cells.
    voq_frames, voq_cells
        Filed frames of each VOQ, and the cells of the filed frames and of the one whose
        transfer has not opened yet. VOQ number = output * V + VC.
    voq_frames_packed
        ``voq_frames`` as one number, VOQ 0 in the low bits.
    ecn_threshold
        Register ``ECN_THRESHOLD`` as visible in the cycle.
    output
        Output of the open transfer.
    done
        All words of the transfer have been read.
    """

    __slots__ = (
        "_cell_mask", "_cells", "_count_bits", "_counters", "_end", "_max_words", "_outgoing",
        "_overflow", "_position", "_queues", "_size", "_stored", "_vcs", "_voqs", "_words", "done",
        "ecn_threshold", "free", "index", "output", "voq_cells", "voq_frames", "voq_frames_packed",
    )

    def __init__(self, config: SwitchConfig, index: int, counters: Counters) -> None:
        self.index = index
        self._size = config.buffer_cells
        self._voqs = config.voqs
        self._vcs = config.vcs
        self._max_words = config.max_frame_words
        self._cell_mask = config.words_per_cell - 1
        self._count_bits = config.count_bits
        self._counters = counters
        self.ecn_threshold = config.ecn_threshold
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self.free = self._size
        self.voq_frames = [0] * self._voqs
        self.voq_frames_packed = 0
        self.voq_cells = [0] * self._voqs
        self._queues: list[deque[ReceivedFrame]] = [deque() for _ in range(self._voqs)]
        self._cells = 0
        self._stored = 0
        self._overflow = False
        self.output = 0
        self.done = True
        self._outgoing = OutgoingFrame([], False, False)
        self._words = self._outgoing.words
        self._position = 0
        self._end = 0

    def write(self, event: int, decided: deque[ReceivedFrame]) -> ReceivedFrame | None:
        """Takes the word and the abort of cycle w = t+3; returns a frame to be filed, if any.

        Parameters
        ----------
        event
            Event bits of `LinkRx`, three cycles old.
        decided
            Frames that have a verdict; the one that ends in this cycle is taken out.
        """
        stored = self._stored
        if event == WORD and stored & self._cell_mask and stored < self._max_words:
            # A word inside of a cell, by far the most frequent. With an overflow the cells
            # that are stored are whole, so this is never one of the words not stored.
            self._stored = stored + 1
            return None
        if event & ABORT:
            self.free += self._cells
            self._cells = 0
            self._counters.add(_FRAGMENT, 1)
        if not event & WORD:
            return None
        if event & SOP:
            self._cells = 0
            self._stored = 0
            self._overflow = False
        stored = self._stored
        if stored < self._max_words and not self._overflow:
            if stored & self._cell_mask:
                self._stored = stored + 1
            elif self.free:
                self.free -= 1
                self._cells += 1
                self._stored = stored + 1
            else:
                self._overflow = True
        if not event & EOP:
            return None
        frame = decided.popleft()
        cells = self._cells
        self._cells = 0
        reason = frame.reason
        if not reason and self._overflow:
            reason = _NO_BUFFER
        if reason:
            self.free += cells
            self._counters.add(reason, 1)
            return None
        frame.cells = cells
        self._counters.add(_FRAMES, 1)
        self._counters.add(_BYTES, frame.length)
        return frame

    def file(self, frame: ReceivedFrame) -> bool:
        """Puts a frame at the tail of its VOQ; returns whether the VOQ was empty."""
        voq = frame.output * self._vcs + frame.vc
        self._queues[voq].append(frame)
        frames = self.voq_frames[voq]
        self.voq_frames[voq] = frames + 1
        self.voq_frames_packed += 1 << voq * self._count_bits
        self.voq_cells[voq] += frame.cells
        return not frames

    def take(self, voq: int) -> ReceivedFrame:
        """Takes the head out of a VOQ in cycle s. Its cells stay counted until `mark`."""
        self.voq_frames[voq] -= 1
        self.voq_frames_packed -= 1 << voq * self._count_bits
        return self._queues[voq].popleft()

    def mark(self, frame: ReceivedFrame) -> bool:
        """The ECN decision for a frame taken out, in cycle s+1."""
        voq = frame.output * self._vcs + frame.vc
        cells = self.voq_cells[voq]
        self.voq_cells[voq] = cells - frame.cells
        threshold = self.ecn_threshold
        return threshold != NEVER_MARK and cells > threshold

    def open(self, output: int, frame: OutgoingFrame) -> None:
        """Opens the transfer of a frame, in cycle s+1 before its first word is read."""
        self.output = output
        self._outgoing = frame
        self._words = frame.words
        self._position = 0
        self._end = len(frame.words)
        self.done = False

    def read(self) -> CrossbarWord:
        """Reads the next word of the open transfer."""
        position = self._position
        word = self._words[position]
        position += 1
        self._position = position
        if position == self._end:
            self.free += 1
            self.done = True
        elif not position & self._cell_mask:
            self.free += 1
        return self.output, word, self._outgoing
