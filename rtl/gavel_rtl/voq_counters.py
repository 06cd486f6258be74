# SPDX-License-Identifier: Apache-2.0
"""Number of frames in each VOQ of an input."""

from amaranth.hdl import Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_rtl.voq import one_word_frames, voq_number_bits


class VoqCounters(wiring.Component):
    """Counts the frames of each VOQ, and knows which VOQs have any.

    Members
    -------
    filed, filed_voq
        P*V bits, one-hot: a frame is filed in this cycle. The VOQ asked for, as a number.
    taken
        P*V bits, one-hot: a match of the cycle before (s) took a frame out.
    voq_frames
        Element n = frames in VOQ n, as visible in the cycle.
    voq_filled
        Bit n: VOQ n is not empty, as visible in the cycle.
    behind, second
        VOQ ``filed_voq`` is not empty, as visible in the cycle; holds one frame, which is
        meaningless for a VOQ in ``taken`` where no frame is a single word.
    voq_ready
        As ``voq_filled``; where no frame is a single word a VOQ that is empty since the match in s
        still shows in s+1, when its input is busy.
    voq_next
        Where no frame is a single word: ``voq_ready`` of the next cycle. With four words to a cell
        or more, a VOQ that is empty since the match in s still shows: there it is of s+2, when
        input and output are busy as well.

    Cycle behaviour
    ---------------
    A frame filed in w shows in w+1. A match comes late in its cycle s, so its frame is taken out of
    the registers with the end of s+1, and ``voq_frames`` and ``voq_filled`` are made up in s+1. A
    VOQ that gains and loses a frame keeps its count.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "filed": In(config.voqs),
            "filed_voq": In(voq_number_bits(config)),
            "taken": In(config.voqs),
            "voq_frames": Out(config.voqs * config.count_bits),
            "voq_filled": Out(config.voqs),
            "behind": Out(1),
            "second": Out(1),
            "voq_ready": Out(config.voqs),
            "voq_next": Out(config.voqs),
        })

    def elaborate(self, platform):
        config = self._config
        m = Module()
        minus_one = Const((1 << config.count_bits) - 1, config.count_bits)
        ready, single = Signal(config.voqs, name="ready"), Signal(config.voqs, name="single")
        pair = Signal(config.voqs)
        for output in range(config.ports):
            filed = self.filed.word_select(output, config.vcs)
            taken = self.taken.word_select(output, config.vcs)
            changed = Signal(config.vcs, name=f"changed_{output}")
            counts = [Signal(config.count_bits, name=f"frames_{output}_{vc}")
                      for vc in range(config.vcs)]
            m.d.comb += changed.eq(filed ^ taken)
            for vc, frames in enumerate(counts):
                voq = output * config.vcs + vc
                m.d.comb += [
                    pair[voq].eq(frames == 2),
                    self.voq_frames.word_select(voq, config.count_bits).eq(frames - taken[vc]),
                ]
            # One test for the output spares a simulator the tests for its VCs.
            with m.If(changed.any()):
                for vc, frames in enumerate(counts):
                    voq = output * config.vcs + vc
                    with m.If(changed[vc]):
                        m.d.sync += [
                            frames.eq(frames + Mux(taken[vc], minus_one, 1)),
                            ready[voq].eq(~taken[vc] | ~single[voq]),
                            single[voq].eq(Mux(taken[vc], pair[voq], ~ready[voq])),
                        ]
        here_ready, here_single, here_pair, here_taken = (
            bits.bit_select(self.filed_voq, 1) for bits in (ready, single, pair, self.taken))
        m.d.comb += [
            self.voq_filled.eq(ready & ~(self.taken & single)),
            self.behind.eq(here_ready & ~(here_taken & here_single)),
        ]
        if one_word_frames(config):
            m.d.comb += [
                self.voq_ready.eq(self.voq_filled),
                self.second.eq(Mux(here_taken, here_pair, here_single)),
            ]
        else:
            m.d.comb += [
                self.voq_ready.eq(ready),
                # ``taken`` waits for the VC of the match.
                self.voq_next.eq(
                    (ready if config.words_per_cell >= 4 else self.voq_filled) | self.filed),
                self.second.eq(here_single),
            ]
        return m
