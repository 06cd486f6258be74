# SPDX-License-Identifier: Apache-2.0
"""What is reserved, held and waiting in a replay buffer, and whether one more frame fits."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
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
        ... and it is the last one of its frame.
    given_back, dropped, dropped_words
        Words given back, as of `ReplayBuffer`: the latter with ``dropped``, which comes late.
    outstanding
        Frames outstanding, as visible in the cycle.
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
            "outstanding": In(config.seq_bits),
            "lets_come": In(1),
            "hold": Out(1),
            "used": Out(config.replay_words.bit_length()),
        })

    def elaborate(self, platform: object) -> Module:
        config = self._config
        m = Module()
        longest = config.max_frame_words
        waiting = Signal(config.replay_frames.bit_length())
        unsent = Signal.like(self.used)
        spare = Signal(range(longest))
        spare_before = Signal(range(longest))
        reserved = Signal(range(longest + 1))
        not_needed = Signal(range(longest + 1))
        used_before = Signal.like(self.used)
        m.d.comb += [
            spare.eq(Mux(self.written_sop, longest - 1, spare_before)),
            reserved.eq(Mux(self.matched, longest, 0)),
            not_needed.eq(Mux(self.written & self.written_eop, spare, 0)),
            used_before.eq(self.used + reserved - not_needed),
        ]
        with m.If(self.written):
            m.d.sync += spare_before.eq(spare - 1)
        m.d.sync += [
            self.used.eq(Mux(self.dropped, used_before - self.dropped_words,
                             used_before - self.given_back)),
            unsent.eq(unsent + self.written - self.launched_first),
            waiting.eq(waiting + self.matched - self.finish),
        ]

        frames = Signal(config.seq_bits + 1)
        words_fit, frames_fit, keeps_up = Signal(), Signal(), Signal()
        position_bits = config.words_per_cell.bit_length() - 1
        window_words = Cat(Const(0, position_bits), self.settings.window_cells)
        m.d.comb += [
            frames.eq(self.outstanding + waiting),
            words_fit.eq(self.used + longest <= window_words),
            frames_fit.eq(frames < self.settings.window_frames),
            keeps_up.eq(unsent < UNSENT_WORDS),
            self.hold.eq(~(words_fit & frames_fit & keeps_up & self.lets_come)),
        ]
        return m
