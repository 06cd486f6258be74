# SPDX-License-Identifier: Apache-2.0
"""Number of frames in each VOQ of an input."""

from amaranth.hdl import Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_rtl.interfaces import Match


class VoqCounters(wiring.Component):
    """Counts the frames of each VOQ, and knows which VOQs have any.

    Members
    -------
    filed
        P*V bits, one-hot: a frame is filed in this cycle.
    match
        A frame is taken out in this cycle.
    voq_frames
        Element n = frames in VOQ n, as visible in the cycle.
    voq_ready, voq_single
        Bit n: VOQ n is not empty; holds one frame.

    Cycle behaviour
    ---------------
    Both events of a cycle show in the next one. A VOQ that gains and loses a frame keeps its
    count. A match comes late in its cycle, so it decides only whether a VOQ changes.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "filed": In(config.voqs),
            "match": In(Match(config)),
            "voq_frames": Out(config.voqs * config.count_bits),
            "voq_ready": Out(config.voqs),
            "voq_single": Out(config.voqs),
        })

    def elaborate(self, platform):
        config = self._config
        m = Module()
        minus_one = Const((1 << config.count_bits) - 1, config.count_bits)
        for output in range(config.ports):
            filed = self.filed.word_select(output, config.vcs)
            taken = Signal(config.vcs, name=f"taken_{output}")
            changed = Signal(config.vcs, name=f"changed_{output}")
            m.d.comb += [
                taken.eq(self.match.voq.word_select(output, config.vcs)),
                changed.eq(filed ^ taken),
            ]
            # One test for the output spares a simulator the tests for its VCs.
            with m.If(changed.any()):
                for vc in range(config.vcs):
                    voq = output * config.vcs + vc
                    frames = self.voq_frames.word_select(voq, config.count_bits)
                    ready, single = self.voq_ready[voq], self.voq_single[voq]
                    with m.If(changed[vc]):
                        m.d.sync += [
                            frames.eq(frames + Mux(filed[vc], 1, minus_one)),
                            ready.eq(filed[vc] | ~single),
                            single.eq(Mux(filed[vc], ~ready, frames == 2)),
                        ]
        return m
