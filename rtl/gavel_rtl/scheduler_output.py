# SPDX-License-Identifier: Apache-2.0
"""One output's share of the scheduler: VC choice, grants, catch-up set."""

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.probes import QUOTA_BITS
from gavel_rtl.lib.round_robin import first, pick, pointer_after

BYPASS_BITS = 8
WEIGHTS_BITS = 32


class SchedulerOutput(wiring.Component):
    """Grants of one output (docs/spec.md, Scheduler).

    Parameters
    ----------
    config
        P, V and ``islip_iterations``.

    Members
    -------
    ready
        V rows of P bits: bit i of row v, input i shows this output's VOQ of VC v.
    allow
        V bits: the VC may send.
    weights, strict
        Registers: nibble v is the weight of VC v; V bits, VCs that go before the others.
    inputs_free
        P bits: inputs without an open transfer, or with one that ends in this cycle.
    busy, hold, claim
        An open transfer of this output goes on; no frame may be matched to it; a control frame
        wants it or is under way.
    unmatched
        For each iteration P bits: free inputs that no earlier iteration matched.
    accepted
        For each iteration P bits, one-hot: the input that accepted this output's grant.
    granted
        For each iteration P bits, one-hot: the input granted.
    waiting
        1 if a member of the catch-up set has a frame for this output that may be sent.
    idle
        Only ``claim`` can keep this output from a match.
    matched
        A frame is matched to this output.
    vc
        V bits, one-hot: VC of the match; 0 without one.
    grant_mask, catch_up, turn, quota
        State, as at the probe points.

    Cycle behaviour
    ---------------
    ``ready`` to ``granted`` and ``accepted`` to ``vc`` are combinational; all state changes at
    the end of the cycle. After reset every pointer is 0 and the catch-up set empty.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        ports, iterations = config.ports, config.islip_iterations
        super().__init__({
            "ready": In(ports).array(config.vcs),
            "allow": In(config.vcs),
            "weights": In(WEIGHTS_BITS),
            "strict": In(config.vcs),
            "inputs_free": In(ports),
            "busy": In(1),
            "hold": In(1),
            "claim": In(1),
            "bypass_limit": In(BYPASS_BITS),
            "unmatched": In(ports).array(iterations),
            "accepted": In(ports).array(iterations),
            "granted": Out(ports).array(iterations),
            "waiting": Out(1),
            "idle": Out(1),
            "matched": Out(1),
            "vc": Out(config.vcs),
            "grant_mask": Out(ports),
            "catch_up": Out(ports),
            "turn": Out(ports * config.vcs),
            "quota": Out(config.vcs * QUOTA_BITS),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        ports = self._config.ports
        self._weighted = Signal(name="weighted")
        allowed = [Signal(ports, name=f"allowed_{vc}") for vc in range(self._config.vcs)]
        queued = Signal(ports)
        eligible = Signal(ports)
        none = Const(0, ports)
        for vc, row in enumerate(allowed):
            m.d.comb += row.eq(Mux(self.allow[vc], self.ready[vc], none))
        m.d.comb += [
            queued.eq(reduce(or_, self.ready)),
            eligible.eq(reduce(or_, allowed)),
            self.waiting.eq((self.catch_up & eligible).any()),
            self.idle.eq(~self.busy & ~self.hold),
        ]
        candidates = Signal(ports)
        everyone = Const((1 << ports) - 1, ports)
        m.d.comb += candidates.eq(Mux(self.idle & ~self.claim,
                                      Mux(self.waiting, self.catch_up, everyone), none))
        requests, new_round = self._consider(m, allowed, candidates)
        self._grant(m, requests)
        match = Signal(ports)
        m.d.comb += [match.eq(reduce(or_, self.accepted)), self.matched.eq(match.any())]
        self._choose_vc(m, requests, match)
        self._account(m, new_round)
        self._wait_for_busy_inputs(m, queued, eligible, match)
        return m

    def _consider(self, m: Module, allowed: list[Signal],
                  candidates: Signal) -> tuple[list[Signal], Signal]:
        """For each VC the inputs whose requests count, and whether a new round begins with them."""
        vcs = self._config.vcs
        requested, urgent, left, considered = Signal(vcs), Signal(vcs), Signal(vcs), Signal(vcs)
        new_round = Signal()
        quotas = [self.quota.word_select(vc, QUOTA_BITS) for vc in range(vcs)]
        free = Signal(self._config.ports)
        rows = [Signal.like(row, name=f"row_{vc}") for vc, row in enumerate(allowed)]
        m.d.comb += [
            self._weighted.eq(self.weights.any()),
            free.eq(candidates & self.inputs_free),
            *(row.eq(of_vc & free) for row, of_vc in zip(rows, allowed, strict=True)),
            requested.eq(Cat(row.any() for row in rows)),
            urgent.eq(requested & self.strict),
            left.eq(requested & Cat(quota.any() for quota in quotas)),
            new_round.eq(~left.any()),
        ]
        with m.If(urgent.any()):
            m.d.comb += considered.eq(Cat(urgent[vc] & ~urgent[vc + 1:].any()
                                          for vc in range(vcs)))
        with m.Elif(self._weighted & left.any()):
            m.d.comb += considered.eq(left)
        with m.Else():
            # VCs that nobody requests stand in the way of nothing.
            m.d.comb += considered.eq(~0)
        requests = []
        for vc, row in enumerate(rows):
            fresh = Signal.like(row, name=f"fresh_{vc}")
            counting = Signal.like(row, name=f"counting_{vc}")
            m.d.comb += [
                fresh.eq(row & ~self._turn(vc)),
                counting.eq(Mux(considered[vc], Mux(self._weighted & fresh.any(), fresh, row), 0)),
            ]
            requests.append(counting)
        return requests, new_round

    def _turn(self, vc: int) -> Value:
        """Inputs that have had their turn with a VC."""
        return self.turn.word_select(vc, self._config.ports)

    def _grant(self, m: Module, requests: list[Signal]) -> None:
        ports = self._config.ports
        wanted = Signal(ports)
        m.d.comb += wanted.eq(reduce(or_, requests))
        taken: Value = Const(0, 1)
        for k, granted in enumerate(self.granted):
            request = Signal(ports, name=f"request_{k}")
            m.d.comb += [
                request.eq(Mux(taken, 0, wanted & self.unmatched[k])),
                granted.eq(pick(request, self.grant_mask)),
            ]
            taken = taken | self.accepted[k].any()
        with m.If(self.accepted[0].any()):
            m.d.sync += self.grant_mask.eq(pointer_after(self.accepted[0]))

    def _choose_vc(self, m: Module, requests: list[Signal], match: Signal) -> None:
        """The VC of the pair, and the turns after it."""
        vcs = self._config.vcs
        backlogged, fresh, had = Signal(vcs), Signal(vcs), Signal()
        m.d.comb += [
            backlogged.eq(Cat((row & match).any() for row in requests)),
            fresh.eq(Cat((row & match & ~self._turn(vc)).any()
                         for vc, row in enumerate(requests))),
            self.vc.eq(first(Mux(~self._weighted & fresh.any(), fresh, backlogged))),
            had.eq((self.vc & ~fresh).any()),
        ]
        for vc in range(vcs):
            inputs = self._turn(vc)
            with m.If(self._weighted & self.vc[vc]):
                m.d.sync += inputs.eq(Mux(had, 0, inputs) | match)
            with m.Elif(~self._weighted & match.any()):
                m.d.sync += inputs.eq(Mux(had, inputs & ~match, inputs)
                                      | Mux(self.vc[vc], match, 0))

    def _account(self, m: Module, new_round: Signal) -> None:
        """Weights: what is left of this round of each VC."""
        with m.If(self._weighted & (self.vc & ~self.strict).any()):
            for vc in range(self._config.vcs):
                weight = self.weights.word_select(vc, QUOTA_BITS)
                quota = self.quota.word_select(vc, QUOTA_BITS)
                before = Signal(QUOTA_BITS, name=f"quota_before_{vc}")
                m.d.comb += before.eq(Mux(new_round, Mux(weight.any(), weight, 1), quota))
                m.d.sync += quota.eq(before - self.vc[vc])

    def _wait_for_busy_inputs(self, m: Module, queued: Signal, eligible: Signal,
                              match: Signal) -> None:
        late = Signal(self._config.ports)
        bypass = Signal(BYPASS_BITS)
        passed_by = Signal(self._config.ports)
        limit_reached = Signal()
        m.d.comb += [
            late.eq(self.catch_up & queued),
            passed_by.eq(eligible & ~self.inputs_free),
            limit_reached.eq(bypass + 1 >= self.bypass_limit),
        ]
        m.d.sync += self.catch_up.eq(late)
        with m.If(match.any()):
            with m.If(self.waiting):
                m.d.sync += [self.catch_up.eq(late & ~match), bypass.eq(0)]
            with m.Elif(self.bypass_limit == 0):
                m.d.sync += bypass.eq(0)
            with m.Elif(passed_by.any()):
                m.d.sync += bypass.eq(Mux(limit_reached, 0, bypass + 1))
                with m.If(limit_reached):
                    m.d.sync += self.catch_up.eq(late | passed_by)
