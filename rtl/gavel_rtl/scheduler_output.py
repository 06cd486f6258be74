# SPDX-License-Identifier: Apache-2.0
"""One output's share of the scheduler: grants, catch-up set, VC choice."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_rtl.lib.round_robin import pick, pointer_after

BYPASS_BITS = 8


class SchedulerOutput(wiring.Component):
    """Grants of one output (docs/spec.md, Scheduler).

    Parameters
    ----------
    config
        P, V and ``islip_iterations``.

    Members
    -------
    ready
        V rows of P bits: bit i of row v, input i has a frame in this output's VOQ of VC v.
    allow
        V bits: the VC may send.
    inputs_free
        P bits: inputs without an open transfer, or with one that ends in this cycle.
    busy, hold
        An open transfer of this output goes on; no frame may be matched to it.
    unmatched
        For each iteration P bits: free inputs that no earlier iteration matched.
    accepted
        For each iteration P bits, one-hot: the input that accepted this output's grant.
    granted
        For each iteration P bits, one-hot: the input granted.
    waiting
        1 if a member of the catch-up set has a frame for this output.
    matched
        A frame is matched to this output.
    vc
        V bits, one-hot: VC of the match; 0 without one.
    grant_mask, catch_up, vc_pointer
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
            "inputs_free": In(ports),
            "busy": In(1),
            "hold": In(1),
            "bypass_limit": In(BYPASS_BITS),
            "unmatched": In(ports).array(iterations),
            "accepted": In(ports).array(iterations),
            "granted": Out(ports).array(iterations),
            "waiting": Out(1),
            "matched": Out(1),
            "vc": Out(config.vcs),
            "grant_mask": Out(ports),
            "catch_up": Out(ports),
            "vc_pointer": Out(config.vc_bits),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        ports = self._config.ports
        allowed = [Signal(ports, name=f"allowed_{vc}") for vc in range(self._config.vcs)]
        eligible = Signal(ports)
        late = Signal(ports)
        free = Signal()
        none = Const(0, ports)
        for vc, row in enumerate(allowed):
            m.d.comb += row.eq(Mux(self.allow[vc], self.ready[vc], none))
        any_vc: Value = allowed[0]
        for row in allowed[1:]:
            any_vc = any_vc | row
        m.d.comb += [
            eligible.eq(any_vc),
            late.eq(self.catch_up & eligible),
            self.waiting.eq(late.any()),
            free.eq(~self.busy & ~self.hold),
        ]
        self._grant(m, eligible, late, free)
        match = Signal(ports)
        total: Value = self.accepted[0]
        for accepted in self.accepted[1:]:
            total = total | accepted
        m.d.comb += [match.eq(total), self.matched.eq(match.any())]
        self._choose_vc(m, allowed, match)
        self._wait_for_busy_inputs(m, eligible, late, free, match)
        return m

    def _grant(self, m: Module, eligible: Signal, late: Signal, free: Signal) -> None:
        ports = self._config.ports
        candidates = Signal(ports)
        m.d.comb += candidates.eq(Mux(free, Mux(self.waiting, late, eligible), 0))
        taken: Value = Const(0, 1)
        for k, granted in enumerate(self.granted):
            request = Signal(ports, name=f"request_{k}")
            m.d.comb += [
                request.eq(Mux(taken, 0, candidates & self.unmatched[k])),
                granted.eq(pick(request, self.grant_mask)),
            ]
            taken = taken | self.accepted[k].any()
        with m.If(self.accepted[0].any()):
            m.d.sync += self.grant_mask.eq(pointer_after(self.accepted[0]))

    def _choose_vc(self, m: Module, allowed: list[Signal], match: Signal) -> None:
        vcs = self._config.vcs
        vc_mask = Signal(vcs)
        backlogged = Signal(vcs)
        m.d.comb += [
            backlogged.eq(Cat((row & match).any() for row in allowed)),
            self.vc.eq(pick(backlogged, vc_mask)),
        ]
        with m.If(match.any()):
            m.d.sync += vc_mask.eq(pointer_after(self.vc))
        for number in range(1, vcs):
            above = -1 << number & (1 << vcs) - 1
            with m.If(vc_mask == above):
                m.d.comb += self.vc_pointer.eq(number)

    def _wait_for_busy_inputs(self, m: Module, eligible: Signal, late: Signal, free: Signal,
                              match: Signal) -> None:
        ports = self._config.ports
        bypass = Signal(BYPASS_BITS)
        passed_by = Signal(ports)
        limit_reached = Signal()
        m.d.comb += [
            passed_by.eq(eligible & ~self.inputs_free),
            limit_reached.eq(bypass + 1 >= self.bypass_limit),
        ]
        m.d.sync += self.catch_up.eq(late)
        with m.If(free & match.any()):
            with m.If(self.waiting):
                m.d.sync += [self.catch_up.eq(late & ~match), bypass.eq(0)]
            with m.Elif(~passed_by.any() | (self.bypass_limit == 0)):
                m.d.sync += bypass.eq(0)
            with m.Elif(limit_reached):
                m.d.sync += [self.catch_up.eq(passed_by), bypass.eq(0)]
            with m.Else():
                m.d.sync += bypass.eq(bypass + 1)
