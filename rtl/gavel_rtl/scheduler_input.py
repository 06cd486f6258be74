# SPDX-License-Identifier: Apache-2.0
"""One input's share of the scheduler: accepts, and the open transfer."""

from collections.abc import Callable

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_rtl.interfaces import Match
from gavel_rtl.lib.round_robin import (
    FEW,
    order_of_few,
    pick_of_few,
    pick_preferred,
    pointer_after,
)
from gavel_rtl.voq import one_word_frames, shows_ahead


class SchedulerInput(wiring.Component):
    """Accepts of one input, and the output that it is sending to (docs/spec.md, Scheduler).

    Parameters
    ----------
    config
        P, V and ``islip_iterations``.

    Members
    -------
    ends
        The open transfer reads its last word: with W = 512 in this cycle, else in the next one.
    voq_ready, voq_next
        P*V bits: VOQs shown; the same of the next cycle, if there is no match in this one.
    waiting, waiting_next
        P bits: outputs with a member of their catch-up set to serve now. With ``match_stages`` = 1
        the same of the next cycle.
    granted
        For each iteration P bits: outputs that granted this input.
    accepted
        For each iteration P bits, one-hot: the output accepted.
    asks, asks_next
        P*V bits: VOQs shown, if the input is free; where they are shown ahead, the same of the next
        cycle. With ``match_stages`` = 1 there is only the latter: those shown in this cycle, if the
        input is free in the next one but for a match of this one.
    unmatched
        For each iteration: the input is free and no earlier iteration matched it.
    choice, choice_before
        V rows of P bits: bit j of row v, a match with output j in this cycle is of VC v; the same
        of the cycle before. The former is looked at with ``match_stages`` = 1.
    open
        P bits, one-hot: output of the open transfer, 0 if it reads its last word in this cycle.
    open_next
        With W < 512: ``open`` of the next cycle, if there is no match in this one.
    match
        The decision for this input.
    matched_before, moved_before
        P bits, one-hot: output of the match of the cycle before; the same if it moves pointers.
    accept_mask
        State, as at the probe point.

    Cycle behaviour
    ---------------
    Combinational from ``granted`` to ``accepted``. A match of cycle s is the open transfer from
    s+1 until the cycle that reads its last word, in which the next match can be made. What it
    moves is made up in s+1 of what has come to registers; nobody needs it before, unless a
    transfer may be a single word. After reset no transfer is open.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        ports, iterations = config.ports, config.islip_iterations
        super().__init__({
            "ends": In(1),
            "voq_ready": In(config.voqs),
            "voq_next": In(config.voqs),
            "waiting": In(ports),
            "waiting_next": In(ports),
            "granted": In(ports).array(iterations),
            "accepted": Out(ports).array(iterations),
            "asks": Out(config.voqs),
            "asks_next": Out(config.voqs),
            "unmatched": Out(1).array(iterations),
            "choice": In(ports).array(config.vcs),
            "choice_before": In(ports).array(config.vcs),
            "open": Out(ports),
            "open_next": Out(ports),
            "match": Out(Match(config)),
            "matched_before": Out(ports),
            "moved_before": Out(ports),
            "accept_mask": Out(ports),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        ports = self._config.ports
        accept_before = Signal(ports)
        self._follow_transfer(m, accept_before)
        first_of = self._order_outputs(m, accept_before)
        matched: Value = Const(0, 1)
        output: Value = Const(0, ports)
        for k, granted in enumerate(self.granted):
            m.d.comb += self.accepted[k].eq(first_of(granted))
            matched = matched | granted.any()
            output = output | self.accepted[k]
            if k + 1 < len(self.granted):
                m.d.comb += self.unmatched[k + 1].eq(self.unmatched[0] & ~matched)
        m.d.comb += [
            self.match.valid.eq(matched),
            self.match.output.eq(output),
        ]
        return m

    def _order_outputs(self, m: Module, accept_before: Signal) -> Callable[[Value], Value]:
        """Which output goes before which: with few, and where what they wait for is known a cycle
        ahead, in registers."""
        ports = self._config.ports
        if ports > FEW or not self._config.match_stages:
            pointer = self.accept_mask if one_word_frames(self._config) else accept_before
            return lambda granted: pick_preferred(granted, pointer, self.waiting)
        order = Signal(ports * (ports - 1) // 2, init=-1)
        m.d.sync += order.eq(order_of_few(accept_before, self.waiting_next))
        return lambda granted: pick_of_few(granted, order)

    def _follow_transfer(self, m: Module, accept_before: Signal) -> None:
        """The open transfer, and the pointer that its match has moved."""
        free = Signal(init=1)
        transfer = Signal(self._config.ports)
        moves = Signal()
        if one_word_frames(self._config):
            m.d.comb += [self.unmatched[0].eq(free | self.ends),
                         self.open.eq(Mux(self.ends, 0, transfer))]
        else:
            m.d.comb += [self.unmatched[0].eq(free), self.open.eq(transfer),
                         self.open_next.eq(Mux(self.ends, 0, transfer))]
        m.d.comb += [
            self.moved_before.eq(Mux(moves, transfer, 0)),
            self.accept_mask.eq(Mux(moves, pointer_after(transfer), accept_before)),
        ]
        free_next = Signal()
        m.d.comb += free_next.eq((free | self.ends) & ~self.match.valid)
        if self._config.match_stages:
            m.d.comb += self.asks_next.eq(Mux(free | self.ends, self.voq_ready, 0))
        elif shows_ahead(self._config):
            # The match is the last to come.
            coming = Signal.like(self.voq_next)
            m.d.comb += [
                coming.eq(Mux(free | self.ends, self.voq_next, 0)),
                self.asks_next.eq(Mux(self.match.valid, 0, coming)),
            ]
            m.d.sync += self.asks.eq(self.asks_next)
        else:
            m.d.comb += self.asks.eq(Mux(self.unmatched[0], self.voq_ready, 0))
        m.d.sync += [
            free.eq(free_next),
            self.matched_before.eq(self.match.output),
            moves.eq(self.granted[0].any()),
            accept_before.eq(self.accept_mask),
        ]
        with m.If(free | self.ends):
            m.d.sync += transfer.eq(self.match.output)
        choices, output = list(self.choice_before), transfer
        if self._config.match_stages:
            # Much waits for the VC, far away: registers of its own, without a reset, so that
            # synthesis does not make one with those that are near.
            output = Signal(self._config.ports, name="opened", reset_less=True)
            choices = [Signal.like(row, name=f"opened_as_{vc}", reset_less=True)
                       for vc, row in enumerate(self.choice)]
            m.d.sync += [output.eq(self.match.output), *(
                later.eq(row) for later, row in zip(choices, self.choice, strict=True))]
        m.d.comb += [
            self.match.vc.eq(Cat((row & output).any() for row in choices)),
            self.match.vc_if_output.eq(Cat(
                row[j] for j in range(self._config.ports) for row in self.choice_before)),
        ]
