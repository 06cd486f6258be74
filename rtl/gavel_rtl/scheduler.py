# SPDX-License-Identifier: Apache-2.0
"""Packet-mode iSLIP over all inputs and outputs."""

from collections.abc import Iterable

from amaranth.hdl import Cat, Module, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.probes import QUOTA_BITS
from gavel_rtl.block import place
from gavel_rtl.catch_up import BYPASS_BITS
from gavel_rtl.interfaces import Match
from gavel_rtl.scheduler_input import SchedulerInput
from gavel_rtl.scheduler_output import SchedulerOutput
from gavel_rtl.vc_turns import WEIGHTS_BITS


def _column(rows: Iterable[Value], number: int) -> Value:
    """Bit ``number`` of every row: a row of the transposed matrix."""
    return Cat(row[number] for row in rows)


class Scheduler(wiring.Component):
    """Matches free inputs with free outputs, once per cycle (docs/spec.md, Scheduler).

    All iterations are made in one cycle: each output grants (`SchedulerOutput`), each input
    accepts (`SchedulerInput`), and this component turns rows into columns between them.

    Parameters
    ----------
    config
        P, V and ``islip_iterations``.

    Members
    -------
    voq_ready
        For each input P*V bits: its VOQ j*V + v is shown, and is so until it is matched.
    voq_next
        With W < 512 and VOQs: ``voq_ready`` of the next cycle, if there is no match in this one.
    allow
        P*V bits: output j may send a frame of VC v.
    allow_next
        With ``gate_stages`` = 2, or 1 and W < 512: ``allow`` of the next cycle.
    ends
        P bits: the input's open transfer reads its last word: with W = 512 in this cycle, else in
        the next one, so that what is free comes from a register.
    hold
        P bits: no frame may be matched to the output in this cycle.
    claim
        P bits: the output is not free, because a control frame is wanted or under way.
    weights, strict
        For each output its registers: a nibble for each VC, and V bits.
    weighted
        P bits: ``weights`` of the output is not 0.
    strict_next, weighted_next
        With ``gate_stages`` > 0, W < 512 and VOQs: the same of the next cycle.
    bypass_limit
        Register ``BYPASS_LIMIT``.
    match
        For each input the decision.
    matched
        P bits: a frame is matched to the output in this cycle.
    matched_vc, vc_before
        For each output V bits, one-hot: VC of that frame; 0 without one. The same of the cycle
        before, from registers.
    idle
        P bits: the output has no open transfer, or its last word is read in this cycle, and is not
        on hold, whatever ``claim`` says.
    grant, accept, turn, catch_up, quota
        Probe points: P masks of P bits, P masks of P bits, P*V sets of P bits, P sets of P bits,
        P*V numbers of 4 bits.

    Cycle behaviour
    ---------------
    Combinational from ``voq_ready``, ``allow``, ``hold`` and ``claim`` to ``match``, cycle s, with
    W = 512 also from ``ends``; with ``match_stages`` = 1 there is a register between, and
    ``match`` is of registers alone. Its ``vc`` is of registers in s+1. The pair is busy from s+1
    on, up to and without the cycle that reads its last word. With W < 512 that is later than s+1,
    and in s+1 nothing depends on whether ``voq_ready`` still shows what was taken: the input is
    busy, and in no catch-up set of the output, which is busy, too.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        ports = config.ports
        super().__init__({
            "voq_ready": In(config.voqs).array(ports),
            "voq_next": In(config.voqs).array(ports),
            "allow": In(config.voqs),
            "allow_next": In(config.voqs),
            "ends": In(ports),
            "hold": In(ports),
            "claim": In(ports),
            "weights": In(WEIGHTS_BITS).array(ports),
            "strict": In(config.vcs).array(ports),
            "weighted": In(ports),
            "strict_next": In(config.vcs).array(ports),
            "weighted_next": In(ports),
            "bypass_limit": In(BYPASS_BITS),
            "match": Out(Match(config)).array(ports),
            "matched": Out(ports),
            "matched_vc": Out(config.vcs).array(ports),
            "vc_before": Out(config.vcs).array(ports),
            "idle": Out(ports),
            "grant": Out(ports * ports),
            "accept": Out(ports * ports),
            "turn": Out(config.voqs * ports),
            "catch_up": Out(ports * ports),
            "quota": Out(config.voqs * QUOTA_BITS),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        ports, vcs = self._config.ports, self._config.vcs
        inputs = [SchedulerInput(self._config) for _ in range(ports)]
        outputs = [SchedulerOutput(self._config) for _ in range(ports)]
        for i, side in enumerate(inputs):
            place(m, f"input{i}", side)
        for j, side in enumerate(outputs):
            place(m, f"output{j}", side)

        for j, side in enumerate(outputs):
            m.d.comb += [
                self.matched[j].eq(side.matched),
                self.matched_vc[j].eq(side.vc),
                self.vc_before[j].eq(side.vc_before),
                self.idle[j].eq(side.idle),
                side.allow.eq(self.allow.word_select(j, vcs)),
                side.allow_next.eq(self.allow_next.word_select(j, vcs)),
                side.inputs_free.eq(Cat(each.unmatched[0] for each in inputs)),
                side.busy.eq(_column([each.open for each in inputs], j).any()),
                side.busy_next.eq(_column([each.open_next for each in inputs], j).any()),
                side.hold.eq(self.hold[j]),
                side.claim.eq(self.claim[j]),
                side.weights.eq(self.weights[j]),
                side.strict.eq(self.strict[j]),
                side.weighted.eq(self.weighted[j]),
                side.strict_next.eq(self.strict_next[j]),
                side.weighted_next.eq(self.weighted_next[j]),
                side.bypass_limit.eq(self.bypass_limit),
                side.matched_before.eq(_column([each.matched_before for each in inputs], j)),
                side.moved_before.eq(_column([each.moved_before for each in inputs], j)),
            ]
            for rows, matrix in (
                (side.ready, self.voq_ready),
                (side.asks, [each.asks for each in inputs]),
                (side.ready_next, self.voq_next),
                (side.asks_next, [each.asks_next for each in inputs]),
            ):
                m.d.comb += [rows[vc].eq(_column(matrix, j * vcs + vc)) for vc in range(vcs)]
        for i, side in enumerate(inputs):
            m.d.comb += [
                side.ends.eq(self.ends[i]),
                side.voq_ready.eq(self.voq_ready[i]),
                side.voq_next.eq(self.voq_next[i]),
                side.waiting.eq(Cat(each.waiting for each in outputs)),
                side.waiting_next.eq(Cat(each.waiting_next for each in outputs)),
                self.match[i].valid.eq(side.match.valid),
                self.match[i].output.eq(side.match.output),
                self.match[i].vc.eq(side.match.vc),
                self.match[i].vc_if_output.eq(side.match.vc_if_output),
            ]
            for vc in range(vcs):
                m.d.comb += [
                    side.choice[vc].eq(_column((each.choice[vc] for each in outputs), i)),
                    side.choice_before[vc].eq(
                        _column((each.choice_before[vc] for each in outputs), i)),
                ]
        self._exchange(m, inputs, outputs)
        m.d.comb += [
            self.grant.eq(Cat(side.grant_mask for side in outputs)),
            self.accept.eq(Cat(side.accept_mask for side in inputs)),
            self.turn.eq(Cat(side.turn for side in outputs)),
            self.catch_up.eq(Cat(side.catch_up for side in outputs)),
            self.quota.eq(Cat(side.quota for side in outputs)),
        ]
        return m

    def _exchange(self, m: Module, inputs: list[SchedulerInput],
                  outputs: list[SchedulerOutput]) -> None:
        """Carries the grants of each iteration to the inputs and the accepts back."""
        for k in range(self._config.islip_iterations):
            grants = [side.granted[k] for side in outputs]
            accepts = [side.accepted[k] for side in inputs]
            unmatched = Cat(side.unmatched[k] for side in inputs)
            m.d.comb += [side.granted[k].eq(_column(grants, i)) for i, side in enumerate(inputs)]
            for j, side in enumerate(outputs):
                m.d.comb += [
                    side.accepted[k].eq(_column(accepts, j)),
                    side.unmatched[k].eq(unmatched),
                ]
