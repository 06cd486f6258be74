# SPDX-License-Identifier: Apache-2.0
"""What is reserved, held and waiting in a replay buffer, and whether one more frame fits."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_rtl.frame_record import frame_count_bits
from gavel_rtl.lib import ring
from gavel_rtl.lib.sums import add_three, less_both
from gavel_rtl.llr_interfaces import LlrSettings

UNSENT_WORDS = 8
"""So many words that were never launched hold back further frames."""


class ReplayOccupancy(wiring.Component):
    """Counts words and frames of an output, and holds back matches (docs/llr.md, 6.1).

    Parameters
    ----------
    config
        W, S, ``replay_cells``, ``replay_frames``, ``max_frame_bytes``.

    Members
    -------
    settings
        Registers as visible in the cycle.
    matched
        A frame was matched to this output, cycle s.
    written, written_sop, written_eop
        A word is written, cycle e.
    launched_first
        A word is launched for the first time, or dropped ...
    passed_by
        ... and it is the last one of a frame that is not kept.
    given_back, dropped, dropped_words
        Words given back, as of `ReplayBuffer`: the latter with ``dropped``, which comes late.
    progress, value, acked
        As of `RetryState`: ``oldest`` goes on, to v + 1, low bits. No frame ends then that is not
        kept.
    given_up, newest
        As of `RetryState`: ``oldest`` becomes ``next``, and no frame ends. Low bits.
    lets_come
        The state lets frames come.
    hold
        No frame may be matched to this output in this cycle.
    used
        Words reserved or held.

    Cycle behaviour
    ---------------
    ``hold`` is combinational; what happens in a cycle is counted in the next.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "settings": In(LlrSettings(config)),
            "matched": In(1),
            "written": In(1),
            "written_sop": In(1),
            "written_eop": In(1),
            "launched_first": In(1),
            "given_back": In(ring.pointer_bits(config.replay_words)),
            "dropped": In(1),
            "dropped_words": In(ring.pointer_bits(config.replay_words)),
            "passed_by": In(1),
            "progress": In(1),
            "given_up": In(1),
            **dict.fromkeys(("value", "acked", "newest"), In(frame_count_bits(config))),
            "lets_come": In(1),
            "hold": Out(1),
            "used": Out(config.replay_words.bit_length()),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        words_fit = self._count_words(m)
        keeps_up = self._count_unsent(m)
        frames_fit = self._count_frames(m)
        m.d.comb += self.hold.eq(~(words_fit & frames_fit & keeps_up & self.lets_come))
        return m

    def _count_words(self, m: Module) -> Value:
        """Words reserved or held; whether there is room for a longest frame."""
        config = self._config
        longest = config.max_frame_words
        # ``used``, and a longest frame.
        claimed = Signal(len(self.used) + 1, init=longest)
        spare = Signal(range(longest))
        spare_before = Signal(range(longest))
        not_needed = Signal(range(longest + 1))
        with_match, remaining = Signal.like(claimed), Signal.like(claimed)
        m.d.comb += [
            spare.eq(Mux(self.written_sop, longest - 1, spare_before)),
            not_needed.eq(Mux(self.written & self.written_eop, spare, 0)),
        ]
        with m.If(self.written):
            m.d.sync += spare_before.eq(spare - 1)
        # Every sum there may be is ready by the time at which one of them is known to count.
        reserving = Signal.like(claimed)
        m.d.comb += reserving.eq(claimed + longest)
        for after, before in ((remaining, claimed), (with_match, reserving)):
            m.d.comb += after.eq(Mux(self.dropped,
                                     less_both(before, not_needed, self.dropped_words),
                                     less_both(before, not_needed, self.given_back)))
        m.d.sync += claimed.eq(Mux(self.matched, with_match, remaining))
        position_bits = config.words_per_cell.bit_length() - 1
        window_words = Cat(Const(0, position_bits), self.settings.window_cells)
        m.d.comb += self.used.eq(claimed - longest)
        return claimed <= window_words

    def _count_unsent(self, m: Module) -> Value:
        """Words never launched; whether they are few."""
        unsent = Signal.like(self.used)
        m.d.sync += unsent.eq(Mux(self.launched_first,
                                  Mux(self.written, unsent, unsent - 1),
                                  Mux(self.written, unsent + 1, unsent)))
        return unsent < UNSENT_WORDS

    def _count_frames(self, m: Module) -> Value:
        """Frames outstanding or waiting; whether there may be one more."""
        frames = Signal(frame_count_bits(self._config))
        frames_fit = Signal()
        after = []
        for more in (0, 1):
            acked, given_up = (add_three(frames, ~number, self.acked, Const(1, 1),
                                         Const(more, 1))
                               for number in (self.value, self.newest))
            after.append(Mux(self.progress, acked, Mux(self.given_up, given_up, Mux(
                self.passed_by, frames if more else frames - 1, frames + 1 if more else frames))))
        m.d.sync += frames.eq(Mux(self.matched, after[1], after[0]))
        m.d.comb += frames_fit.eq(frames < self.settings.window_frames)
        return frames_fit
