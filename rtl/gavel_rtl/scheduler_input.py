# SPDX-License-Identifier: Apache-2.0
"""One input's share of the scheduler: accepts, and the open transfer."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_rtl.interfaces import Match
from gavel_rtl.lib.round_robin import pick_preferred, pointer_after


class SchedulerInput(wiring.Component):
    """Accepts of one input, and the output that it is sending to (docs/spec.md, Scheduler).

    Parameters
    ----------
    config
        P, V and ``islip_iterations``.

    Members
    -------
    done
        The open transfer reads its last word in this cycle.
    waiting
        P bits: outputs with a member of their catch-up set to serve now.
    granted
        For each iteration P bits: outputs that granted this input.
    accepted
        For each iteration P bits, one-hot: the output accepted.
    unmatched
        For each iteration: the input is free and no earlier iteration matched it.
    choice
        V rows of P bits: bit j of row v, a match with output j is of VC v.
    open
        P bits, one-hot: output of the open transfer, 0 if it ends in this cycle.
    match
        The decision for this input.
    accept_mask
        State, as at the probe point.

    Cycle behaviour
    ---------------
    Combinational from ``granted`` to ``accepted``. A match of cycle s is the open transfer from
    s+1 until the cycle with ``done``, in which the next match can be made. After reset no
    transfer is open.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        ports, iterations = config.ports, config.islip_iterations
        super().__init__({
            "done": In(1),
            "waiting": In(ports),
            "granted": In(ports).array(iterations),
            "accepted": Out(ports).array(iterations),
            "unmatched": Out(1).array(iterations),
            "choice": In(ports).array(config.vcs),
            "open": Out(ports),
            "match": Out(Match(config)),
            "accept_mask": Out(ports),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        ports = self._config.ports
        transfer = Signal(ports)
        is_open = Signal()
        m.d.comb += [
            self.open.eq(Mux(self.done, 0, transfer)),
            self.unmatched[0].eq(self.done | ~is_open),
        ]
        matched: Value = Const(0, 1)
        output: Value = Const(0, ports)
        for k, granted in enumerate(self.granted):
            m.d.comb += self.accepted[k].eq(
                pick_preferred(granted, self.accept_mask, self.waiting))
            matched = matched | granted.any()
            output = output | self.accepted[k]
            if k + 1 < len(self.granted):
                m.d.comb += self.unmatched[k + 1].eq(self.unmatched[0] & ~matched)
        m.d.comb += [
            self.match.valid.eq(matched),
            self.match.output.eq(output),
            self.match.vc.eq(Cat((row & self.match.output).any() for row in self.choice)),
            self.match.voq.eq(Cat(row[j] & self.match.output[j]
                                  for j in range(ports) for row in self.choice)),
        ]
        m.d.sync += is_open.eq(self.match.valid | (is_open & ~self.done))
        with m.If(self.unmatched[0]):
            m.d.sync += transfer.eq(self.match.output)
        with m.If(self.granted[0].any()):
            m.d.sync += self.accept_mask.eq(pointer_after(self.accepted[0]))
        return m
