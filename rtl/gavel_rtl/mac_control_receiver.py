# SPDX-License-Identifier: Apache-2.0
"""Reads MAC Control frames."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import MIN_FRAME_BYTES, SwitchConfig
from gavel_model.mac_control import (
    CC_BITS,
    CC_OFFSET,
    CC_UPDATE_MESSAGE,
    CC_UPDATE_OPCODE,
    MESSAGE_BYTES,
    MESSAGE_OFFSET,
    OPCODE_OFFSET,
    PFC_CLASSES,
    PFC_OPCODE,
    PFC_TIME_BITS,
    PFC_TIMES_OFFSET,
    PFC_VECTOR_OFFSET,
)
from gavel_model.register_map import COUNTERS, Counter
from gavel_rtl.flow_interfaces import PauseFrame
from gavel_rtl.interfaces import FrameWord

_OPCODE_BYTES = 2
_VECTOR_BYTES = 2


class MacControlReceiver(wiring.Component):
    """Tells what a MAC Control frame says (docs/flow_control.md, MAC Control frames).

    Parameters
    ----------
    config
        V, W.

    Members
    -------
    word
        Frame words, in w.
    accepted
        The frame that ends in this cycle, w, is a MAC Control frame, and not poisoned.
    pause
        It is a PFC frame.
    cc_update, cc
        A CC_Update ended in the cycle before: this is w+1. And its count for each VC.
    count
        Counter events of w.

    Cycle behaviour
    ---------------
    Words go to their places as they pass. The word that may be a frame's last one is looked at in
    the cycle itself, for ``pause``, which is combinational but for ``times``; what stands two words
    or more before that is looked at in the cycle before.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        times_end = PFC_TIMES_OFFSET + PFC_CLASSES * PFC_TIME_BITS // 8
        counts_end = CC_OFFSET + -(-config.vcs * CC_BITS // 8)
        self._end = max(times_end, counts_end)
        super().__init__({
            "word": In(FrameWord(config)),
            "accepted": In(1),
            "pause": Out(PauseFrame()),
            "cc_update": Out(1),
            "cc": Out(CC_BITS).array(config.vcs),
            "count": Out(COUNTERS),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        before, now = self._collect(m)
        opcode = self._number(now, OPCODE_OFFSET, _OPCODE_BYTES)
        message = self._number(now, MESSAGE_OFFSET, MESSAGE_BYTES)
        says_cc, says_pfc = Signal(), Signal()
        self._find(m, says_cc, (opcode == CC_UPDATE_OPCODE) & (message == CC_UPDATE_MESSAGE),
                   max(OPCODE_OFFSET + _OPCODE_BYTES, MESSAGE_OFFSET + MESSAGE_BYTES))
        self._find(m, says_pfc, opcode == PFC_OPCODE, OPCODE_OFFSET + _OPCODE_BYTES)
        is_cc_update = Signal()
        m.d.comb += [
            is_cc_update.eq(self.accepted & says_cc),
            self.pause.valid.eq(self.accepted & says_pfc),
            self.pause.enabled.eq(self._number(now, PFC_VECTOR_OFFSET, _VECTOR_BYTES)),
            self.count[Counter.CBFC_RX_CC_UPDATE].eq(is_cc_update),
            self.count[Counter.PFC_RX].eq(self.pause.valid),
        ]
        m.d.sync += self.cc_update.eq(is_cc_update)
        times_now, times_before = (
            self._number(frame, PFC_TIMES_OFFSET, PFC_CLASSES * PFC_TIME_BITS // 8)
            for frame in (now, before))
        for n in range(PFC_CLASSES):
            # The first one is the most significant.
            place = PFC_CLASSES - 1 - n
            lasts = Signal(name=f"lasts_{n}")
            self._find(m, lasts, times_now.word_select(place, PFC_TIME_BITS).any(),
                       PFC_TIMES_OFFSET + (n + 1) * PFC_TIME_BITS // 8)
            m.d.comb += [
                self.pause.lasts[n].eq(lasts),
                self.pause.times[n].eq(times_before.word_select(place, PFC_TIME_BITS)),
            ]
        counts = self._number(before, CC_OFFSET, self._end - CC_OFFSET)
        m.d.comb += [count.eq(counts[len(counts) - CC_BITS * (vc + 1):][:CC_BITS])
                     for vc, count in enumerate(self.cc)]
        return m

    def _find(self, m: Module, found: Signal, value: Value, end: int) -> None:
        """What the bytes before ``end`` say: as of the cycle before, if they are in their places in
        the one before the last word."""
        last_of_shortest, last = (
            (size - 1) // self._config.word_bytes for size in (MIN_FRAME_BYTES, end))
        m.d["sync" if last + 2 <= last_of_shortest else "comb"] += found.eq(value)

    def _collect(self, m: Module) -> tuple[Value, Value]:
        """The frame's first bytes, as they were before this word, and with it."""
        word, width = self.word, self._config.data_width
        last_of_shortest = MIN_FRAME_BYTES // self._config.word_bytes - 1
        parts_before, parts_now = [], []
        at = word.sop
        for number in range(-(-self._end * 8 // width)):
            if number:
                at_next = Signal(name=f"at_word_{number}")
                with m.If(word.valid):
                    m.d.sync += at_next.eq(at)
                at = at_next & ~word.sop
            # What stands before the opcode is not kept.
            low = max(0, min(width, OPCODE_OFFSET * 8 - number * width))
            high = min(width, self._end * 8 - number * width)
            received = Signal(high, name=f"received_{number}")
            with m.If(word.valid & at):
                m.d.sync += received[low:].eq(word.data[low:high])
            parts_before.append(received)
            # Words that stand before the last one of every frame are in their place by then.
            parts_now.append(Mux(at, word.data[:high], received)
                             if number >= last_of_shortest else received)
        return Cat(parts_before), Cat(parts_now)

    @staticmethod
    def _number(frame: Value, offset: int, size: int) -> Value:
        """The big-endian number of ``size`` bytes at ``offset``."""
        return Cat(frame.word_select(offset + size - 1 - n, 8) for n in range(size))
