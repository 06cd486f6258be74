# SPDX-License-Identifier: Apache-2.0
"""Whose turn it is at an output, and what is left of a round of each VC."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.probes import QUOTA_BITS
from gavel_rtl.voq import one_word_frames

WEIGHTS_BITS = 32


class VcTurns(wiring.Component):
    """``turn`` and ``quota`` of one output (docs/spec.md, Scheduler).

    Parameters
    ----------
    config
        P, V, and whether a frame may be a single word.

    Members
    -------
    matched_before, vc_before
        P and V bits, one-hot: input and VC of the match of the cycle before; 0 without one.
    weights, strict, weighted
        As of SchedulerOutput.
    left
        V bits: VCs that request and have something left of the round.
    turn, quota
        State as at the probe points.
    turn_before, quota_before
        What it was in the cycle before.

    Cycle behaviour
    ---------------
    What a match does is made up in the next cycle, of what was known in its own: ``turn`` and
    ``quota`` are functions of registers and of the match of the cycle before, and
    ``turn_before`` and ``quota_before`` are registers that follow them. After reset all are 0.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        ports, vcs = config.ports, config.vcs
        super().__init__({
            "matched_before": In(ports),
            "vc_before": In(vcs),
            "weights": In(WEIGHTS_BITS),
            "strict": In(vcs),
            "weighted": In(1),
            "left": In(vcs),
            "turn": Out(ports * vcs),
            "turn_before": Out(ports * vcs),
            "quota": Out(vcs * QUOTA_BITS),
            "quota_before": Out(vcs * QUOTA_BITS),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._take_turns(m)
        self._account(m)
        return m

    def _take_turns(self, m: Module) -> None:
        """The turns after the match of the cycle before."""
        vcs, match = self._config.vcs, self.matched_before
        before = [self.turn_before.word_select(vc, self._config.ports) for vc in range(vcs)]
        had_turn, weighted_before = Signal(), Signal()
        m.d.comb += had_turn.eq(Cat(
            (turns & match).any() & self.vc_before[vc] for vc, turns in enumerate(before)).any())
        for vc, turns in enumerate(before):
            of_vc = self.vc_before[vc]
            m.d.comb += self.turn.word_select(vc, self._config.ports).eq(Mux(
                weighted_before,
                Mux(of_vc, Mux(had_turn, 0, turns) | match, turns),
                (turns & ~Mux(had_turn, match, 0)) | Mux(of_vc, match, 0)))
        m.d.sync += [self.turn_before.eq(self.turn), weighted_before.eq(self.weighted)]

    def _account(self, m: Module) -> None:
        """Weights: what is left of this round of each VC."""
        vcs = self._config.vcs
        counts = Signal(vcs)
        quotas = self.quota if one_word_frames(self._config) else self.quota_before
        m.d.sync += [
            counts.eq(Mux(self.weighted, ~self.strict, 0)),
            self.quota_before.eq(self.quota),
        ]
        for vc in range(vcs):
            weight = self.weights.word_select(vc, QUOTA_BITS)
            quota = self.quota.word_select(vc, QUOTA_BITS)
            in_round = Signal(QUOTA_BITS, name=f"in_round_{vc}")
            m.d.sync += in_round.eq(Mux(self.left.any(),
                                        quotas.word_select(vc, QUOTA_BITS),
                                        Mux(weight.any(), weight, 1)))
            m.d.comb += quota.eq(Mux(
                (self.vc_before & counts).any(), in_round - self.vc_before[vc],
                self.quota_before.word_select(vc, QUOTA_BITS)))
