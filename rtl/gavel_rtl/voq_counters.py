# SPDX-License-Identifier: Apache-2.0
"""Number of frames in each VOQ of an input."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_rtl.voq import one_word_frames, voq_number_bits


class VoqCounters(wiring.Component):
    """Counts the frames of each VOQ, and knows which VOQs have any.

    Members
    -------
    filed
        P*V bits, one-hot: a frame is filed in this cycle.
    filed_voq
        The VOQ asked for, as a number.
    taken, taken_vcs
        A match of the cycle before (s) took a frame out: P bits, one-hot, to this output, 0 if none
        did; for each output V bits, one-hot, of this VC, meaningless for the other outputs.
    voq_frames
        Element n = frames in VOQ n, as visible in the cycle.
    voq_filled
        Bit n: VOQ n is not empty, as visible in the cycle.
    behind, second
        VOQ ``filed_voq`` is not empty, as visible in the cycle; holds one frame, which is
        meaningless for a VOQ that loses one where no frame is a single word.
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
    VOQ that gains and loses a frame keeps its count. The counts follow a cycle behind the bits that
    say whether a VOQ has none, one or more frames: who gains and who loses is known late.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "filed": In(config.voqs),
            "filed_voq": In(voq_number_bits(config)),
            "taken": In(config.ports),
            "taken_vcs": In(config.voqs),
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
        taken, pair = Signal(config.voqs, name="taken_of_voq"), Signal(config.voqs)
        ready, single = Signal(config.voqs, name="ready"), Signal(config.voqs, name="single")
        m.d.comb += taken.eq(Cat(output.replicate(config.vcs) for output in self.taken)
                             & self.taken_vcs)
        self._count(m, taken, pair)
        for output in range(config.ports):
            # One test for the output spares a simulator the tests for its VCs.
            changed = Signal(config.vcs, name=f"changed_{output}")
            m.d.comb += changed.eq((self.filed ^ taken).word_select(output, config.vcs))
            with m.If(changed.any()):
                for vc in range(config.vcs):
                    voq = output * config.vcs + vc
                    with m.If(changed[vc]):
                        m.d.sync += [
                            ready[voq].eq(~taken[voq] | ~single[voq]),
                            single[voq].eq(Mux(taken[voq], pair[voq], ~ready[voq])),
                        ]
        here_ready, here_single, here_pair = (
            bits.bit_select(self.filed_voq, 1) for bits in (ready, single, pair))
        here_taken = taken.bit_select(self.filed_voq, 1)
        m.d.comb += [
            self.voq_filled.eq(ready & ~(taken & single)),
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

    def _count(self, m: Module, taken: Signal, pair: Signal) -> None:
        """The counts, a cycle behind; and ``pair``, which VOQs hold two frames in this cycle: a bit
        means nothing but for a VOQ that loses one."""
        config = self._config
        bits = config.count_bits
        minus_one = Const((1 << bits) - 1, bits)
        gained, lost = (Signal(config.voqs, name=name) for name in ("gained", "lost"))
        m.d.sync += [gained.eq(self.filed), lost.eq(taken)]
        for output in range(config.ports):
            changed = Signal(config.vcs, name=f"changes_{output}")
            m.d.comb += changed.eq((gained ^ lost).word_select(output, config.vcs))
            counts = [Signal(bits, name=f"frames_{output}_{vc}") for vc in range(config.vcs)]
            for vc, frames in enumerate(counts):
                voq = output * config.vcs + vc
                holds_two: Value = Mux(gained[voq], frames == 1, frames == 2)
                if one_word_frames(config):
                    # A VOQ can lose a frame in every cycle.
                    holds_two = Mux(lost[voq], Mux(gained[voq], frames == 2, frames == 3),
                                    holds_two)
                m.d.comb += [
                    pair[voq].eq(holds_two),
                    self.voq_frames.word_select(voq, bits).eq(
                        frames + gained[voq] - lost[voq] - taken[voq]),
                ]
            with m.If(changed.any()):
                for vc, frames in enumerate(counts):
                    with m.If(changed[vc]):
                        m.d.sync += frames.eq(frames + Mux(
                            lost[output * config.vcs + vc], minus_one, 1))
