# SPDX-License-Identifier: Apache-2.0
"""One output's share of the scheduler: VC choice, grants, catch-up set."""

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.probes import QUOTA_BITS
from gavel_rtl.block import place
from gavel_rtl.catch_up import BYPASS_BITS, CatchUp
from gavel_rtl.lib.round_robin import (
    FEW,
    order_of_few,
    pick_of_few,
    pick_preferred,
    pointer_after,
)
from gavel_rtl.vc_turns import WEIGHTS_BITS, VcTurns
from gavel_rtl.voq import allows_ahead, allows_from_register, one_word_frames, shows_ahead


class SchedulerOutput(wiring.Component):
    """Grants of one output (docs/spec.md, Scheduler).

    Parameters
    ----------
    config
        P, V and ``islip_iterations``.

    Members
    -------
    ready
        V rows of P bits: bit i of row v, input i shows this output's VOQ of VC v, and does so until
        it is matched.
    asks
        The same of the inputs that are free; not looked at with ``match_stages`` = 1.
    allow
        V bits: the VC may send.
    weights, strict
        Registers: nibble v is the weight of VC v; V bits, VCs that go before the others.
    weighted
        ``weights`` is not 0.
    ready_next, asks_next, allow_next, strict_next, weighted_next
        Where `allows_ahead` holds: the same of the next cycle; ``ready`` as if there is no match in
        this one. With ``match_stages`` = 1 ``asks_next``, as of SchedulerInput, and
        where `allows_from_register` holds ``allow_next``, alone.
    inputs_free
        P bits: inputs without an open transfer, or with one that ends in this cycle.
    busy, hold, claim
        An open transfer of this output goes on; no frame may be matched to it; a control frame
        wants it or is under way.
    busy_next
        With ``match_stages`` = 1: ``busy`` of the next cycle, if there is no match in this one.
    unmatched
        For each iteration P bits: free inputs that no earlier iteration matched.
    accepted
        For each iteration P bits, one-hot: the input that accepted this output's grant.
    matched_before, moved_before
        P bits, one-hot: input of the match of the cycle before; the same if it moves pointers.
    granted
        For each iteration P bits, one-hot: the input granted.
    waiting, waiting_next
        1 if a member of the catch-up set has a frame for this output that may be sent. With
        ``match_stages`` = 1 the same of the next cycle.
    idle
        Only ``claim`` can keep this output from a match.
    choice, choice_before
        V rows of P bits: bit i of row v, a match with input i in this cycle is of VC v; the same of
        the cycle before, from registers.
    vc_before
        V bits, one-hot: VC of the match of the cycle before; 0 without one.
    matched
        A frame is matched to this output.
    vc
        V bits, one-hot: VC of the match; 0 without one.
    grant_mask, catch_up, turn, quota
        State, as at the probe points.

    Cycle behaviour
    ---------------
    ``ready`` to ``granted``, and ``accepted`` to ``vc``, are combinational.
    ``accepted`` is the last to come, so what a match does to the state is made up in the next
    cycle, of what was known in its own: the state that shows is a function of registers, and the
    registers follow it. An output is busy in the cycle behind its match, so its decisions use the
    registers; where a frame may be a single word they use what shows. Where ``allow_next`` is known
    they look one cycle ahead. With ``match_stages`` = 1 all but ``inputs_free``, ``busy`` and what
    is about a match counts one cycle later, but for ``idle``. After reset every pointer is 0 and
    the catch-up set empty.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        ports, iterations = config.ports, config.islip_iterations
        super().__init__({
            "ready": In(ports).array(config.vcs),
            "asks": In(ports).array(config.vcs),
            "ready_next": In(ports).array(config.vcs),
            "asks_next": In(ports).array(config.vcs),
            "allow": In(config.vcs),
            "allow_next": In(config.vcs),
            "weights": In(WEIGHTS_BITS),
            "strict": In(config.vcs),
            "weighted": In(1),
            "strict_next": In(config.vcs),
            "weighted_next": In(1),
            "inputs_free": In(ports),
            "busy": In(1),
            "busy_next": In(1),
            "hold": In(1),
            "claim": In(1),
            "bypass_limit": In(BYPASS_BITS),
            "unmatched": In(ports).array(iterations),
            "accepted": In(ports).array(iterations),
            "matched_before": In(ports),
            "moved_before": In(ports),
            "granted": Out(ports).array(iterations),
            "waiting": Out(1),
            "waiting_next": Out(1),
            "idle": Out(1),
            "choice": Out(ports).array(config.vcs),
            "choice_before": Out(ports).array(config.vcs),
            "vc_before": Out(config.vcs),
            "matched": Out(1),
            "vc": Out(config.vcs),
            "grant_mask": Out(ports),
            "catch_up": Out(ports),
            "turn": Out(ports * config.vcs),
            "quota": Out(config.vcs * QUOTA_BITS),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        ports, vcs = self._config.ports, self._config.vcs
        self._considered = Signal(vcs, name="considered")
        self._gives_way = Signal(vcs, name="gives_way")
        self._left = Signal(vcs, name="left")
        self._grant_before = Signal(ports, name="grant_before")
        self._counts = Signal(ports, name="counts_for_wait", init=-1)
        # For each VC the inputs that request, among them all whose requests count.
        self._requests = [Signal(ports, name=f"requests_{vc}") for vc in range(vcs)]
        self._catch_up_set = place(m, "catch_up_set", CatchUp(self._config))
        self._catch_up_before = self._catch_up_set.members_before
        self._vc_turns = place(m, "vc_turns", VcTurns(self._config))
        # An output is busy for four cycles behind a match.
        self._has_time = self._config.words_per_cell >= 4
        shows = one_word_frames(self._config)
        self._pointer = self.grant_mask if shows else self._grant_before
        self._members = self.catch_up if shows else self._catch_up_before
        self._turns = self.turn if shows else self._vc_turns.turn_before
        self._quotas = self.quota if shows else self._vc_turns.quota_before
        allowed = [Signal(ports, name=f"allowed_{vc}") for vc in range(vcs)]
        eligible = Signal(ports)
        self._late = bool(self._config.match_stages)
        self._allow: Value = self.allow
        if self._late and allows_from_register(self._config):
            # Many ask, and the port is far away: a register of the output's own. As its complement,
            # of which synthesis does not make one with the port's.
            forbidden = Signal(vcs, name="forbidden")
            m.d.sync += forbidden.eq(~self.allow_next)
            self._allow = ~forbidden
        # What comes with the requests.
        self._requesting = m.d["sync" if self._late else "comb"]
        self._may_match = Signal(name="may_match")
        # ``matched_before`` two by two: half of what is late in ``available``, and in the last
        # gate of a match.
        self._pairs_matched = Signal((ports + 1) // 2, name="pairs_matched")
        self._settings = {name: Signal.like(getattr(self, name), name=f"{name}_used")
                          for name in ("weights", "strict", "weighted", "bypass_limit")}
        self._requesting += [
            *(used.eq(getattr(self, name)) for name, used in self._settings.items()),
            self._may_match.eq(
                ~self.hold & ~self.claim & ~(self.busy_next if self._late else self.busy)),
        ]
        self._look_ahead(m, allows_ahead(self._config))
        none = Const(0, ports)
        for vc, row in enumerate(allowed):
            m.d.comb += row.eq(Mux(self._allow[vc], self.ready[vc], none))
        self._requesting += eligible.eq(reduce(or_, allowed))
        m.d.comb += self.idle.eq(~self.busy & ~self.hold)
        self._order_inputs(m)
        if not self._late:
            self._consider(m)
        self._grant(m)
        match = Signal(ports)
        m.d.comb += [match.eq(reduce(or_, self.accepted)), self.matched.eq(match.any())]
        if self._late:
            m.d.sync += self._pairs_matched.eq(
                Cat(match[n:n + 2].any() for n in range(0, ports, 2)))
        self._choose_vc(m, match)
        self._take_turns(m)
        self._wait_for_busy_inputs(m, eligible)
        return m

    def _look_ahead(self, m: Module, allows: bool) -> None:
        """Whether the output waits for the catch-up set, which VCs are considered, and in which of
        them inputs give way. Where ``allow_next`` is known, or requests are a cycle older, these
        are registers; if there was a match in the cycle before, they mean nothing: the output is
        busy."""
        ports, vcs = self._config.ports, range(self._config.vcs)
        soon = allows and not self._has_time
        members = self.catch_up if soon else self._members
        turns = self.turn if soon else self._turns
        quotas = self.quota if soon else self._quotas
        shown, asks, allow, strict, weighted = (
            (self.ready_next, self.asks_next, self.allow_next, self.strict_next,
             self.weighted_next) if allows else
            (self.ready, self.asks_next if self._late else self.asks, self._allow, self.strict,
             self.weighted))
        waits = Signal()
        requested, in_quota = Signal(len(vcs)), Signal(len(vcs))
        # VCs in which a member of the set is shown: a register where that is known a cycle ahead,
        # but for a match, behind which the output is busy, and long enough for the set to follow.
        shown_members = Signal(len(vcs))
        ahead = self._late and shows_ahead(self._config)
        m.d["sync" if ahead else "comb"] += shown_members.eq(Cat(
            (row & (self.catch_up if ahead and not self._has_time else members)).any()
            for row in (self.ready_next if ahead else shown)))
        # A request that does not count gives way to those that do, and is not granted.
        counts = members | (~waits).replicate(ports)

        def any_counts(row: Value) -> Value:
            # Mostly ``waits`` is the last to come, because of ``allow``.
            return (row & counts).any() if ahead else Mux(waits, (row & members).any(), row.any())

        def before(vc: int, other: int) -> Value:
            """A request of ``vc`` keeps ``other`` from being considered."""
            goes_first = strict[vc] if vc > other else strict[vc] & ~strict[other]
            return goes_first | (weighted & in_quota[vc] & ~(strict[other] | in_quota[other]))

        m.d.comb += [
            waits.eq((allow & shown_members).any()),
            requested.eq(allow & Cat(any_counts(row) for row in asks)),
            in_quota.eq(Cat(quotas.word_select(vc, QUOTA_BITS).any() for vc in vcs)),
        ]
        domain = m.d.sync if allows else self._requesting
        for vc in vcs:
            kept_off = Cat(requested[other] & before(other, vc) for other in vcs if other != vc)
            had_turn = turns.word_select(vc, ports)
            considered = allow[vc] & ~kept_off.any()
            # With weights an input that has had its turn gives way to those that have not.
            gives_way = weighted & any_counts(asks[vc] & ~had_turn)
            if self._late:
                m.d.sync += self._requests[vc].eq(Mux(
                    considered, shown[vc] & counts & ~Mux(gives_way, had_turn, 0), 0))
            else:
                domain += [self._considered[vc].eq(considered), self._gives_way[vc].eq(gives_way)]
        if self._late:
            m.d.comb += self.waiting_next.eq(waits)
            m.d.sync += [self._left.eq(requested & in_quota), self.waiting.eq(waits)]
        elif len(vcs) == 1:
            self._wait_for_one_vc(m)
        else:
            domain += [self.waiting.eq(waits), self._counts.eq(counts)]

    def _consider(self, m: Module) -> None:
        """The requests, of what `_look_ahead` has found."""
        for vc, considered in enumerate(self._considered):
            had_turn = Mux(self._gives_way[vc], self._turn(vc), 0)
            m.d.comb += [
                self._requests[vc].eq(Mux(considered, self.asks[vc] & ~had_turn, 0)),
                self._left[vc].eq(
                    self.allow[vc] & (self.asks[vc] & self._counts).any()
                    & self._quotas.word_select(vc, QUOTA_BITS).any()),
            ]

    def _turn(self, vc: int) -> Value:
        """Inputs that have had their turn with a VC."""
        return self._turns.word_select(vc, self._config.ports)

    def _grant(self, m: Module) -> None:
        ports = self._config.ports
        wanted, available = Signal(ports), Signal(ports)
        m.d.comb += [
            wanted.eq(reduce(or_, self._requests)),
            # Requests that are a cycle older are those that count, and come with all that keeps the
            # output from a match but that of the cycle before.
            available.eq((self._may_match & ~self._pairs_matched.any()).replicate(ports)
                         if self._late else Mux(self._may_match, self._counts, 0)),
        ]
        taken: Value = Const(0, 1)
        for k, granted in enumerate(self.granted):
            request = Signal(ports, name=f"request_{k}")
            m.d.comb += [
                # Requests that are a cycle older may be of an input that is busy by now.
                request.eq(wanted & self.unmatched[k] if k or self._late else wanted),
                granted.eq(Mux(taken, 0, available & self._first_of(request))),
            ]
            taken = taken | self.accepted[k].any()
        m.d.comb += self.grant_mask.eq(Mux(
            self.moved_before.any(), pointer_after(self.moved_before), self._grant_before))
        m.d.sync += self._grant_before.eq(self.grant_mask)

    def _wait_for_one_vc(self, m: Module) -> None:
        """With one VC a member has a frame that may be sent if any may: it shows one until it is
        matched and leaves the set."""
        some = Signal()
        m.d.comb += self.waiting.eq(some & self.allow[0])
        members = self._catch_up_before if self._has_time else self.catch_up
        values = [some.eq(members.any()),
                  self._counts.eq(members | (~members.any()).replicate(self._config.ports))]
        if one_word_frames(self._config):
            m.d.comb += values
        else:
            m.d.sync += values

    def _order_inputs(self, m: Module) -> None:
        """Which input goes before which: with few, and where no decision needs the state that
        shows, in registers."""
        ports = self._config.ports
        if ports > FEW or one_word_frames(self._config):
            self._first_of = lambda request: pick_preferred(request, self._pointer, self._members)
            return
        order = Signal(ports * (ports - 1) // 2, init=-1)
        m.d.sync += order.eq(order_of_few(self._grant_before, self._catch_up_before)
                             if self._has_time else
                             order_of_few(self.grant_mask, self.catch_up))
        self._first_of = lambda request: pick_of_few(request, order)

    def _choose_vc(self, m: Module, match: Signal) -> None:
        """For each input the VC of the pair, if there is one."""
        vcs = self._config.vcs
        weighted = self._settings["weighted"]
        for i in range(self._config.ports):
            request, fresh = (Signal(vcs, name=f"{name}_of_{i}") for name in ("request", "fresh"))
            m.d.comb += [
                request.eq(Cat(row[i] for row in self._requests)),
                # With weights every request that is left counts, whatever the input's other VCs
                # had.
                fresh.eq(Mux(weighted, 0, ~Cat(self._turn(vc)[i] for vc in range(vcs)))),
            ]
            chosen = pick_preferred(request, Const(-1, vcs), fresh)
            m.d.comb += [choice[i].eq(chosen[vc]) for vc, choice in enumerate(self.choice)]
        for vc, (choice, before) in enumerate(zip(self.choice, self.choice_before, strict=True)):
            m.d.comb += [
                self.vc[vc].eq((choice & match).any()),
                self.vc_before[vc].eq((before & self.matched_before).any()),
            ]
            m.d.sync += before.eq(choice)

    def _take_turns(self, m: Module) -> None:
        turns = self._vc_turns
        m.d.comb += [
            turns.matched_before.eq(self.matched_before),
            turns.vc_before.eq(self.vc_before),
            *(getattr(turns, name).eq(self._settings[name])
              for name in ("weights", "strict", "weighted")),
            turns.left.eq(self._left),
            self.turn.eq(turns.turn),
            self.quota.eq(turns.quota),
        ]

    def _wait_for_busy_inputs(self, m: Module, eligible: Value) -> None:
        m.d.comb += [
            self._catch_up_set.eligible.eq(eligible),
            self._catch_up_set.inputs_free.eq(self.inputs_free),
            self._catch_up_set.waiting.eq(self.waiting),
            self._catch_up_set.bypass_limit.eq(self._settings["bypass_limit"]),
            self._catch_up_set.matched_before.eq(self.matched_before),
            self.catch_up.eq(self._catch_up_set.members),
        ]
