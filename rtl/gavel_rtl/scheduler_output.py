# SPDX-License-Identifier: Apache-2.0
"""One output's share of the scheduler: VC choice, grants, catch-up set."""

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.probes import QUOTA_BITS
from gavel_rtl.lib.round_robin import pick_preferred, pointer_after

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
    choice
        V rows of P bits: bit i of row v, a match with input i is of VC v.
    matched
        A frame is matched to this output.
    vc
        V bits, one-hot: VC of the match; 0 without one.
    grant_mask, catch_up, turn, quota
        State, as at the probe points.

    Cycle behaviour
    ---------------
    ``ready`` to ``granted`` and ``choice``, and ``accepted`` to ``vc``, are combinational; all
    state changes at the end of the cycle. ``accepted`` is the last to come, so what follows from a
    match is made ready for each input beforehand. After reset every pointer is 0 and the catch-up
    set empty.
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
            "choice": Out(ports).array(config.vcs),
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
        requests, new_round = self._consider(m, allowed)
        self._grant(m, requests)
        match = Signal(ports)
        m.d.comb += [match.eq(reduce(or_, self.accepted)), self.matched.eq(match.any())]
        self._choose_vc(m, requests, match)
        self._account(m, new_round)
        self._wait_for_busy_inputs(m, queued, eligible, match)
        return m

    def _consider(self, m: Module, allowed: list[Signal]) -> tuple[list[Signal], Signal]:
        """For each VC the inputs that request, among them all whose requests count, and whether a
        new round begins with these."""
        vcs = self._config.vcs
        requested, urgent, left, considered = Signal(vcs), Signal(vcs), Signal(vcs), Signal(vcs)
        new_round = Signal()
        quotas = [self.quota.word_select(vc, QUOTA_BITS) for vc in range(vcs)]
        rows = [Signal.like(row, name=f"row_{vc}") for vc, row in enumerate(allowed)]
        m.d.comb += [
            self._weighted.eq(self.weights.any()),
            *(row.eq(of_vc & self.inputs_free) for row, of_vc in zip(rows, allowed, strict=True)),
            requested.eq(Cat(self._any_counts(row) for row in rows)),
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
            fresh, some_fresh = Signal.like(row, name=f"fresh_{vc}"), Signal(
                name=f"some_fresh_{vc}")
            counting = Signal.like(row, name=f"counting_{vc}")
            m.d.comb += [
                fresh.eq(row & ~self._turn(vc)),
                some_fresh.eq(self._any_counts(fresh)),
                counting.eq(Mux(considered[vc], row & ~Mux(
                    self._weighted & some_fresh, self._turn(vc), 0), 0)),
            ]
            requests.append(counting)
        return requests, new_round

    def _any_counts(self, inputs: Signal) -> Value:
        """1 if a request of ``inputs`` counts: all do, or with ``waiting`` those of the catch-up
        set, of which without it no member requests."""
        return (inputs & self.catch_up).any() | (~self.waiting & inputs.any())

    def _turn(self, vc: int) -> Value:
        """Inputs that have had their turn with a VC."""
        return self.turn.word_select(vc, self._config.ports)

    def _grant(self, m: Module, requests: list[Signal]) -> None:
        ports = self._config.ports
        wanted, available = Signal(ports), Signal(ports)
        m.d.comb += [
            wanted.eq(reduce(or_, requests)),
            # A request that does not count gives way to those that do, and is not granted.
            available.eq(Mux(self.idle & ~self.claim, self.catch_up
                             | (~self.waiting).replicate(ports), 0)),
        ]
        taken: Value = Const(0, 1)
        for k, granted in enumerate(self.granted):
            request = Signal(ports, name=f"request_{k}")
            m.d.comb += [
                request.eq(wanted if k == 0 else wanted & self.unmatched[k]),
                granted.eq(Mux(taken, 0, available & pick_preferred(
                    request, self.grant_mask, self.catch_up))),
            ]
            taken = taken | self.accepted[k].any()
        with m.If(self.accepted[0].any()):
            m.d.sync += self.grant_mask.eq(pointer_after(self.accepted[0]))

    def _choose_vc(self, m: Module, requests: list[Signal], match: Signal) -> None:
        """The VC of the pair, and the turns after it."""
        ports, vcs = self._config.ports, self._config.vcs
        fresh = [Signal(ports, name=f"fresh_of_{vc}") for vc in range(vcs)]
        none_fresh, had = Signal(ports), Signal(ports)
        had_turn = Signal()
        m.d.comb += [row.eq(request & ~self._turn(vc))
                     for vc, (row, request) in enumerate(zip(fresh, requests, strict=True))]
        # With weights every request that is left counts, whatever the input's other VCs had.
        m.d.comb += none_fresh.eq(Mux(self._weighted, ~0, ~reduce(or_, fresh)))
        lower: Value = Const(0, ports)
        for vc, request in enumerate(requests):
            counts = Signal(ports, name=f"counts_{vc}")
            m.d.comb += [
                counts.eq(fresh[vc] | (request & none_fresh)),
                self.choice[vc].eq(counts & ~lower),
                self.vc[vc].eq((self.choice[vc] & match).any()),
            ]
            lower = lower | counts
        m.d.comb += [
            had.eq(reduce(or_, (choice & self._turn(vc) for vc, choice in enumerate(self.choice)))),
            had_turn.eq((had & match).any()),
        ]
        for vc, choice in enumerate(self.choice):
            inputs = self._turn(vc)
            with m.If(self._weighted & self.vc[vc]):
                m.d.sync += inputs.eq(Mux(had_turn, 0, inputs) | match)
            with m.Elif(~self._weighted):
                m.d.sync += inputs.eq((match & (choice | (inputs & ~had))) | (inputs & ~match))

    def _account(self, m: Module, new_round: Signal) -> None:
        """Weights: what is left of this round of each VC."""
        with m.If(self._weighted & (self.vc & ~self.strict).any()):
            for vc in range(self._config.vcs):
                weight = self.weights.word_select(vc, QUOTA_BITS)
                quota = self.quota.word_select(vc, QUOTA_BITS)
                before = Signal(QUOTA_BITS, name=f"quota_before_{vc}")
                m.d.comb += before.eq(Mux(new_round, Mux(weight.any(), weight, 1), quota))
                m.d.sync += quota.eq(Mux(self.vc[vc], before - 1, before))

    def _wait_for_busy_inputs(self, m: Module, queued: Signal, eligible: Signal,
                              match: Signal) -> None:
        late = Signal(self._config.ports)
        bypass = Signal(BYPASS_BITS)
        passed_by = Signal(self._config.ports)
        bypass_plus_one = Signal(BYPASS_BITS + 1)
        turned_on, goes_past, turns_back = Signal(), Signal(), Signal()
        m.d.comb += [
            late.eq(self.catch_up & queued),
            passed_by.eq(eligible & ~self.inputs_free),
            bypass_plus_one.eq(bypass + 1),
            turned_on.eq(self.bypass_limit.any()),
            goes_past.eq(~self.waiting & (bypass_plus_one < self.bypass_limit)),
            turns_back.eq(~self.waiting & turned_on & (bypass_plus_one >= self.bypass_limit)),
        ]
        # Without a wait no member of the set can be matched, so it loses the match or nothing.
        m.d.sync += self.catch_up.eq(
            (late & ~match) | Mux(self.matched & turns_back, passed_by, 0))
        with m.If(self.matched & (self.waiting | ~turned_on | passed_by.any())):
            m.d.sync += bypass.eq(Mux(goes_past, bypass_plus_one, 0))
