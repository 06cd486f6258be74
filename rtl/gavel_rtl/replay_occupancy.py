# SPDX-License-Identifier: Apache-2.0
"""What is reserved, held and waiting in a replay buffer, and whether one more frame fits."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_rtl.lib import ring
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
    finish
        ... and it is the last one of its frame ...
    keep
        ... which is kept, and so outstanding from now on.
    given_back, dropped, dropped_words
        Words given back, as of `ReplayBuffer`: the latter with ``dropped``, which comes late.
    forgotten
        Frames that are outstanding no more in the next cycle; 0 if any frame ends that is not kept.
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
            "finish": In(1),
            "given_back": In(ring.pointer_bits(config.replay_words)),
            "dropped": In(1),
            "dropped_words": In(ring.pointer_bits(config.replay_words)),
            "keep": In(1),
            "forgotten": In(config.replay_frames.bit_length()),
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
                                     self._less(before, not_needed, self.dropped_words),
                                     self._less(before, not_needed, self.given_back)))
        m.d.sync += claimed.eq(Mux(self.matched, with_match, remaining))
        position_bits = config.words_per_cell.bit_length() - 1
        window_words = Cat(Const(0, position_bits), self.settings.window_cells)
        m.d.comb += self.used.eq(claimed - longest)
        return claimed <= window_words

    @staticmethod
    def _less(number: Signal, one: Signal, other: Signal) -> Value:
        """``number`` - ``one`` - ``other``, modulo its width, in one carry chain."""
        bits = len(number)
        a, b, c = number, *(~Cat(value, Const(0, bits - len(value))) for value in (one, other))
        total, carry = a ^ b ^ c, a & b | a & c | b & c
        # Each of the two that are taken away is one more than its inverse.
        return (Cat(Const(1, 1), total) + Cat(Const(3, 2), carry[:-1]))[1:bits + 1]

    def _count_unsent(self, m: Module) -> Value:
        """Words never launched; whether they are few."""
        unsent = Signal.like(self.used)
        m.d.sync += unsent.eq(Mux(self.launched_first,
                                  Mux(self.written, unsent, unsent - 1),
                                  Mux(self.written, unsent + 1, unsent)))
        return unsent < UNSENT_WORDS

    def _count_frames(self, m: Module) -> Value:
        """Frames outstanding or waiting; whether there may be one more."""
        frames = Signal(self._config.replay_frames.bit_length())
        forgets, passed_by = self.forgotten.any(), self.finish & ~self.keep
        m.d.sync += frames.eq(Mux(
            self.matched,
            Mux(forgets, frames + 1 - self.forgotten, Mux(passed_by, frames, frames + 1)),
            Mux(forgets, frames - self.forgotten, Mux(passed_by, frames - 1, frames))))
        return frames < self.settings.window_frames
