# SPDX-License-Identifier: Apache-2.0
"""Matches are one to one and only of what asks; and what asks is served in bounded time."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any, Literal

from amaranth.hdl import Cat, Const, Mux, Signal, Value

from gavel_model.config import SwitchConfig
from gavel_model.probes import QUOTA_BITS
from gavel_rtl.scheduler import Scheduler
from gavel_rtl.voq import allows_ahead, one_word_frames, shows_ahead
from gavel_tb.formal.design import Design, Fault
from gavel_tb.formal.harness import Harness, implies

Served = Literal["frame", "input", "VC"]
"""What ends the wait of a frame: a match of its VOQ; of its input to its output; of its VC to its
output."""


def _at_most_one(bits: Value) -> Value:
    return (bits & (bits - 1)) == 0


class SchedulerHarness(Harness):
    """The scheduler with buffers that may hold anything and end a transfer at any time.

    A VOQ is shown until it is matched, and the scheduler is told of it and of a transfer's end as
    early as the configuration says.
    """

    def build(self) -> None:
        """Free inputs, the claims, and what makes them inductive."""
        config, m = self.config, self.m
        ports = config.ports
        self.dut = dut = Scheduler(config)
        self.design = Design(dut, self.fault)
        m.submodules.dut = self.design.fragment
        self.at_once = one_word_frames(config)
        for port in range(ports):
            self._show(port)
            self._set(port)
        allow = Signal(config.voqs, init=-1)
        m.d.sync += allow.eq(dut.allow_next)
        m.d.comb += [
            dut.allow_next.eq(self.anything(config.voqs, "allow_next")),
            dut.allow.eq(allow if allows_ahead(config) else self.anything(config.voqs, "allow")),
            dut.hold.eq(self.anything(ports, "hold")),
            dut.claim.eq(self.anything(ports, "claim")),
            dut.ends.eq(self.anything(ports, "ends")),
            dut.bypass_limit.eq(self.anything(len(dut.bypass_limit), "bypass_limit")),
        ]
        # Output of each input's open transfer, one-hot.
        self.open = [Signal(ports, name=f"open{i}") for i in range(ports)]
        self._look_back()
        for i, output in enumerate(self.open):
            self.suppose(implies(dut.ends[i], output.any()))
            with m.If(dut.match[i].valid):
                m.d.sync += output.eq(dut.match[i].output)
            with m.Elif(dut.ends[i]):
                m.d.sync += output.eq(0)
        self._claim_inputs()
        self._claim_outputs()
        for i, output in enumerate(self.open):
            self.claim(f"transfer of input {i}",
                       self.design.part(f"input{i}").signal("transfer") == output)
            part = self.design.part(f"input{i}")
            self.claim(f"input {i} has a transfer", part.signal("free") == ~output.any())
            if not config.match_stages:
                self.claim(f"input {i} asks", part.member("asks") == Mux(
                    self._is_free(i), dut.voq_ready[i], 0))

    def _look_back(self) -> None:
        """What the requests of this cycle's matches are made of."""
        dut, m, config = self.dut, self.m, self.config
        self.allow, self.held = Signal(config.voqs, name="asked_allow"), Signal(
            config.ports, name="asked_hold")
        m.d["sync" if config.match_stages else "comb"] += [
            self.allow.eq(dut.allow), self.held.eq(dut.hold | dut.claim)]
        if config.match_stages:
            for j in range(config.ports):
                part = self.design.part(f"output{j}")
                may_match = part.signal("may_match")
                self.claim(f"output {j} knows that it is held", implies(may_match, ~self.held[j]))
                for i, output in enumerate(self.open):
                    self.claim(f"output {j} knows of the transfer of input {i}", implies(
                        may_match & output[j], part.member("matched_before")[i]))
                for v in range(config.vcs):
                    requests, voq = part.signal(f"requests_{v}"), j * config.vcs + v
                    self.claim(f"output {j} considers what might be sent in VC {v}",
                               implies(requests.any(), self.allow[voq]))
                    for i in range(config.ports):
                        self.claim(f"output {j} considers what input {i} shows in VC {v}", implies(
                            requests[i] & self._is_free(i), dut.voq_ready[i][voq]))

    def _show(self, i: int) -> None:
        """What input i shows."""
        dut, m = self.dut, self.m
        chosen = self.anything(self.config.voqs, f"shows{i}")
        kept, output = Signal(self.config.voqs, name=f"kept{i}"), dut.match[i].output
        stays = Cat(~(output[j] & dut.matched_vc[j][v]) for j in range(self.config.ports)
                    for v in range(self.config.vcs))
        if shows_ahead(self.config):
            m.d.comb += [dut.voq_next[i].eq(chosen), dut.voq_ready[i].eq(kept)]
            m.d.sync += kept.eq(chosen)
            self.suppose((kept & stays & ~chosen) == 0)
        else:
            m.d.comb += dut.voq_ready[i].eq(chosen)
            m.d.sync += kept.eq(chosen & stays)
            self.suppose((kept & ~chosen) == 0)

    def _set(self, j: int) -> None:
        """Registers of output j."""
        dut, m = self.dut, self.m
        weights, strict = (self.anything(bits, f"{name}{j}")
                           for name, bits in (("weights", 32), ("strict", self.config.vcs)))
        m.d.comb += dut.weighted[j].eq(dut.weights[j].any())
        if allows_ahead(self.config):
            m.d.comb += [dut.weighted_next[j].eq(weights.any()), dut.strict_next[j].eq(strict)]
            m.d.sync += [dut.weights[j].eq(weights), dut.strict[j].eq(strict)]
            considered = self.design.part(f"output{j}").signal("considered")
            self.claim(f"output {j} considers what may be sent",
                       (considered & ~dut.allow.word_select(j, self.config.vcs)) == 0)
        else:
            m.d.comb += [dut.weights[j].eq(weights), dut.strict[j].eq(strict)]

    def _is_free(self, i: int) -> Value:
        ended = self.dut.ends[i] if self.at_once else Const(0)
        return ~self.open[i].any() | ended

    def _claim_inputs(self) -> None:
        for i in range(self.config.ports):
            match = self.dut.match[i]
            vc = self._vc_of(i)
            self.claim(f"input {i} is matched to one output and VC", implies(match.valid, (
                match.output.any() & _at_most_one(match.output)
                & vc.any() & _at_most_one(vc))))
            self.claim(f"input {i} shows nothing without a match",
                       match.valid | ~match.output.any())
            matched, vc_before = Signal(name=f"matched{i}"), Signal.like(vc, name=f"before{i}")
            self.m.d.sync += [matched.eq(match.valid), vc_before.eq(vc)]
            self.claim(f"input {i} is told the VC of its match",
                       implies(matched, match.vc == vc_before))
            self.claim(f"input {i} is matched only when it is free",
                       implies(match.valid, self._is_free(i)))

    def _vc_of(self, i: int) -> Signal:
        """VC of the match of input i in this cycle, one-hot."""
        match = self.dut.match[i]
        return self.let(f"vc_of_input{i}", self.config.vcs, reduce(or_, (
            Mux(match.output[j], vc, 0) for j, vc in enumerate(self.dut.matched_vc))))

    def _claim_outputs(self) -> None:
        config, dut = self.config, self.dut
        for j in range(config.ports):
            vcs = slice(j * config.vcs, (j + 1) * config.vcs)
            taken = self.let(f"taken{j}", config.ports, Cat(
                match.valid & match.output[j] for match in dut.match))
            goes_on = self.let(f"goes_on{j}", config.ports, Cat(
                output[j] & ~self._is_free(i) for i, output in enumerate(self.open)))
            self.claim(f"output {j} is matched to one input",
                       _at_most_one(taken) & (dut.matched[j] == taken.any()))
            self.claim(f"output {j} is matched only when it is free", implies(
                taken.any(), ~goes_on.any() & ~self.held[j]))
            self.claim(f"output {j} is idle", dut.idle[j] == (~goes_on.any() & ~dut.hold[j]))
            self.claim(f"one transfer to output {j}", _at_most_one(Cat(
                output[j] for output in self.open)))
            vc = dut.matched_vc[j]
            self.claim(f"output {j} has a VC if it is matched", vc.any() == taken.any())
            vc_before = Signal(config.vcs, name=f"vc_before{j}")
            self.m.d.sync += vc_before.eq(vc)
            self.claim(f"VC of output {j} in the cycle before", dut.vc_before[j] == vc_before)
            self.claim(f"output {j} takes only what may be sent",
                       implies(taken.any(), (vc & self.allow[vcs]).any()))
            for i in range(config.ports):
                self.claim(f"output {j} takes from input {i} only what is there", implies(
                    taken[i], (vc & dut.voq_ready[i][vcs]).any()))


class SchedulerWaitHarness(SchedulerHarness):
    """A frame waits at input i for output j in VC v, all three symbolic, and may be sent.

    Frames may be a single word (W = 512), and are at most ``frame_cycles`` long; no VC has strict
    priority. All else is free: other frames, what other outputs may take, weights below
    ``heaviest`` + 1.

    Parameters
    ----------
    bound
        Cycles in which the frame is matched.
    bypass_limit
        Register ``BYPASS_LIMIT``.
    """

    def __init__(self, config: SwitchConfig, fault: Fault | None = None, *, bound: int,
                 frame_cycles: int, heaviest: int, bypass_limit: int,
                 served: Served = "frame") -> None:
        super().__init__(config, fault)
        self.served = served
        self.bound, self.frame_cycles = bound, frame_cycles
        self.heaviest, self.bypass_limit = heaviest, bypass_limit

    def build(self) -> None:
        """The wait."""
        super().build()
        config, dut, m = self.config, self.dut, self.m
        self.suppose(dut.bypass_limit == self.bypass_limit)
        for j in range(config.ports):
            fixed = self.constant(32, f"fixed_weights{j}")
            self.suppose(dut.strict[j] == 0)
            self.suppose(dut.weights[j] == fixed)
            # Weights of VCs that there are not are stored as 0.
            self.suppose(fixed[QUOTA_BITS * config.vcs:] == 0)
            for v in range(config.vcs):
                self.suppose(fixed.word_select(v, QUOTA_BITS) <= self.heaviest)
            output = self.design.part(f"output{j}")
            bypass = self.design.part(f"output{j}", "catch_up_set").signal("bypass")
            self.claim(f"bypass of output {j}", bypass < max(1, self.bypass_limit))
            for v in range(config.vcs):
                self.claim(f"quota of output {j} and VC {v}", output.member(
                    "quota").word_select(v, QUOTA_BITS) <= max(1, self.heaviest))
            mask = output.signal("grant_mask")
            self.claim(f"pointer of output {j}", self._is_mask(mask))
        for i, open_to in enumerate(self.open):
            self.claim(f"pointer of input {i}", self._is_mask(
                self.design.part(f"input{i}").signal("accept_mask")))
            spent = Signal(range(self.frame_cycles), name=f"spent{i}")
            self.claim(f"spent of input {i}", spent < self.frame_cycles)
            with m.If(dut.match[i].valid):
                m.d.sync += spent.eq(0)
            with m.Elif(open_to.any()):
                m.d.sync += spent.eq(spent + 1)
            self.suppose(implies(open_to.any() & (spent == self.frame_cycles - 1), dut.ends[i]))

        choices = [self.anything_constant(i, j, v) for i in range(config.ports)
                   for j in range(config.ports) for v in range(config.vcs)]
        chosen = Cat(choice for choice, *_ in choices)
        self.suppose(chosen.any() & _at_most_one(chosen))
        served = []
        for choice, i, j, v in choices:
            voq = j * config.vcs + v
            self.suppose(implies(choice, dut.voq_ready[i][voq] & dut.allow[voq]
                                 & ~dut.hold[j] & ~dut.claim[j]))
            match = dut.match[i]
            served.append(choice & {
                "frame": match.valid & match.output[j] & dut.matched_vc[j][v],
                "input": match.valid & match.output[j],
                "VC": dut.matched_vc[j][v],
            }[self.served])
        waited = Signal(range(self.bound + 2))
        m.d.sync += waited.eq(Mux(Cat(served).any(), 0, Mux(
            waited > self.bound, waited, waited + 1)))
        self.claim("the frame is matched in time", waited < self.bound)

    def anything_constant(self, i: int, j: int, v: int) -> tuple[Any, int, int, int]:
        """A symbolic constant: whether these are the i, j and v of the frame."""
        return self.constant(1, f"choice_{i}_{j}_{v}"), i, j, v

    @staticmethod
    def _is_mask(mask: Value) -> Value:
        """All bits from a place on and no others; never all."""
        return ~mask[0] & ((mask << 1)[:len(mask)] & ~mask == 0)
