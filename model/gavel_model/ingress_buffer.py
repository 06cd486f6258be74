# SPDX-License-Identifier: Apache-2.0
"""Cell pool, VOQs and the open transfer of an input (docs/spec.md, IngressBuffer)."""

from __future__ import annotations

from collections import deque

from gavel_model.config import SwitchConfig
from gavel_model.counters import Counters
from gavel_model.crossbar import CrossbarWord
from gavel_model.head_order import HeadOrder
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
_VC_LIMIT = int(Counter.RX_VC_LIMIT)
_LOSSLESS_DROP = int(Counter.RX_LOSSLESS_DROP)


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
    vc_cells
        Cells of the frames of each VC, filed and not read to their end.
    voq_frames_packed, vc_cells_packed
        ``voq_frames`` and ``vc_cells`` as one number, element 0 in the low bits.
    ecn_threshold
        Register ``ECN_THRESHOLD`` as visible in the cycle.
    lossless
        Mask of VCs in which a drop is an error, as visible in the cycle.
    output, frame
        Output of the open transfer, and its frame as it was filed.
    done
        All words of the transfer have been read.
    """

    __slots__ = (
        "_cell_mask", "_cells", "_cells_before", "_changed_at", "_count_bits", "_counters", "_end",
        "_fifo", "_limits", "_limits_before", "_limits_from", "_max_words", "_order", "_outgoing",
        "_overflow", "_position", "_queues", "_size", "_stored", "_vcs", "_voqs", "_words", "done",
        "ecn_threshold", "frame", "free", "index", "lossless", "output", "vc_cells",
        "vc_cells_packed", "voq_cells", "voq_frames", "voq_frames_packed",
    )

    def __init__(self, config: SwitchConfig, index: int, counters: Counters) -> None:
        self.index = index
        self._size = config.buffer_cells
        self._voqs = config.voqs
        self._vcs = config.vcs
        self._fifo = config.queueing == "fifo"
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
        self.vc_cells = [0] * self._vcs
        self.vc_cells_packed = 0
        # A drop is decided by what was visible one cycle before.
        self._cells_before = [0] * self._vcs
        self._changed_at = [-1] * self._vcs
        self._limits = self._limits_before = [self._size] * self._vcs
        self._limits_from = 0
        self.lossless = 0
        self._queues: list[deque[ReceivedFrame]] = [deque() for _ in range(self._voqs)]
        self._order = HeadOrder() if self._fifo else None
        self._cells = 0
        self._stored = 0
        self._overflow = False
        self.output = 0
        self.frame = ReceivedFrame([], b"", 0, 0)
        self.done = True
        self._outgoing = OutgoingFrame([], False, False)
        self._words = self._outgoing.words
        self._position = 0
        self._end = 0

    def limit_vcs(self, limits: list[int], now: int) -> None:
        """Registers ``RX_VC_LIMIT`` as visible after cycle ``now``."""
        if limits != self._limits:
            self._limits_before = self._limits_of(now)
            self._limits = limits
            self._limits_from = now + 1

    def write(
        self, event: int, decided: deque[ReceivedFrame], now: int
    ) -> ReceivedFrame | None:
        """Takes the word and the abort of cycle w; returns the frame that ends, if any.

        If it is to be filed its reason is 0.

        Parameters
        ----------
        event
            Event bits of `LinkRx` for the cycle t that w belongs to.
        decided
            Frames that have a verdict; the one that ends in this cycle is taken out.
        now
            Cycle w.
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
        if not frame.reason:
            if self._is_full(frame.vc, now - 1):
                self._lose(frame, _VC_LIMIT)
            elif self._overflow:
                self._lose(frame, _NO_BUFFER)
        if frame.reason:
            self.free += cells
            self._counters.add(frame.reason, 1)
            return frame
        frame.cells = cells
        self._counters.add(_FRAMES, 1)
        self._counters.add(_BYTES, frame.length)
        return frame

    def _lose(self, frame: ReceivedFrame, reason: int) -> None:
        """There is no room for a good frame."""
        frame.reason = reason
        if self.lossless >> frame.vc & 1:
            self._counters.add(_LOSSLESS_DROP, 1)

    def _is_full(self, vc: int, cycle: int) -> bool:
        """Whether a VC had reached its limit, by what was visible in a cycle just past."""
        changed = self._changed_at[vc] == cycle
        cells = self._cells_before[vc] if changed else self.vc_cells[vc]
        return cells >= self._limits_of(cycle)[vc]

    def _limits_of(self, cycle: int) -> list[int]:
        return self._limits if cycle >= self._limits_from else self._limits_before

    def _add_cells(self, vc: int, cells: int, now: int) -> None:
        if self._changed_at[vc] != now:
            self._changed_at[vc] = now
            self._cells_before[vc] = self.vc_cells[vc]
        self.vc_cells[vc] += cells
        self.vc_cells_packed += cells << vc * self._count_bits

    def file(self, frame: ReceivedFrame, now: int) -> bool:
        """Puts a frame at the tail of its VOQ in cycle ``now``; returns whether that VOQ is shown
        from the next cycle on and was not before."""
        self._add_cells(frame.vc, frame.cells, now)
        voq = frame.output * self._vcs + frame.vc
        self._queues[voq].append(frame)
        frames = self.voq_frames[voq]
        self.voq_frames[voq] = frames + 1
        self.voq_frames_packed += 1 << voq * self._count_bits
        self.voq_cells[voq] += frame.cells
        return not frames if self._order is None else self._order.file(voq)

    def take(self, voq: int) -> ReceivedFrame:
        """Takes the head out of a VOQ in cycle s. Its cells stay counted until `mark`."""
        self.voq_frames[voq] -= 1
        self.voq_frames_packed -= 1 << voq * self._count_bits
        if self._order is not None:
            self._order.take(voq)
        return self._queues[voq].popleft()

    def shown_after(self, voq: int) -> int | None:
        """The VOQ that is shown in place of one that was, now that its frame has been taken: with
        VOQs no other than itself; None if there is none."""
        if self._order is not None:
            return self._order.head
        return voq if self.voq_frames[voq] else None

    def drained(self, frame: ReceivedFrame, now: int) -> None:
        """The last word of a frame was read in the cycle before ``now``."""
        self._add_cells(frame.vc, -frame.cells, now)

    def mark(self, frame: ReceivedFrame) -> bool:
        """The ECN decision for a frame taken out, in cycle s+1."""
        voq = frame.output * self._vcs + frame.vc
        cells = self.voq_cells[voq]
        self.voq_cells[voq] = cells - frame.cells
        threshold = self.ecn_threshold
        return threshold != NEVER_MARK and cells > threshold

    def open(self, output: int, frame: ReceivedFrame, outgoing: OutgoingFrame) -> None:
        """Opens the transfer of a frame, in cycle s+1 before its first word is read."""
        self.output = output
        self.frame = frame
        self._outgoing = outgoing
        self._words = outgoing.words
        self._position = 0
        self._end = len(outgoing.words)
        self.done = False

    @property
    def at_last(self) -> bool:
        """The next word of the open transfer is its last."""
        return self._position + 1 == self._end

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
