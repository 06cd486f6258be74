# SPDX-License-Identifier: Apache-2.0
"""Why the VCs of an output do not send, counted."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_rtl.block import place
from gavel_rtl.lib.decode import is_one_of
from gavel_rtl.retry_state import TransmitterState
from gavel_rtl.stall_counts import MOST_VCS, STATE_BITS, StallCounts, StallState
from gavel_rtl.telemetry_interfaces import TABLE_BITS, Observation, TableRead


class StallAccount(wiring.Component):
    """Counts the cycles that each VC of an output is in each state (docs/telemetry.md, table 4).

    Parameters
    ----------
    config
        V.

    Members
    -------
    seen
        What was observed in the cycle before; in the first cycle after reset nothing was.
    freeze
        A snapshot was taken in the cycle before: it takes in ``seen``.
    read
        The entry wanted.
    value
        It, as the last snapshot has it; 0 if no entry of this table is wanted.
    blocked
        Some VC was in a state from ``link down`` to ``stopped`` in the cycle before.

    Cycle behaviour
    ---------------
    ``blocked`` follows ``seen``, and ``value`` follows ``read``, in the same cycle. ``value`` shows
    a snapshot from 23 cycles after ``freeze`` on.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "seen": In(Observation(config)),
            "freeze": In(1),
            "read": In(TableRead()),
            "value": Out(TABLE_BITS),
            "blocked": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        observed = Signal()
        counts = Signal()
        freeze = Signal()
        m.d.sync += [observed.eq(1), counts.eq(observed), freeze.eq(self.freeze)]
        not_up = Signal()
        m.d.comb += not_up.eq(~self.seen.up | (self.seen.state == TransmitterState.INIT)
                              | (self.seen.state == TransmitterState.FLUSH))
        vcs = self._config.vcs
        blocked = Signal(vcs)
        states = [Signal(StallState, name=f"state_{v}") for v in range(vcs)]
        for v, now in enumerate(states):
            with m.If(self.seen.sending[v]):
                m.d.sync += now.eq(StallState.SENDING)
            with m.Elif(~self.seen.shown[v]):
                m.d.sync += now.eq(StallState.EMPTY)
            with m.Elif(self._is_blocked(v, not_up)):
                m.d.comb += blocked[v].eq(1)
                m.d.sync += now.eq(self._why_blocked(v, not_up))
            with m.Else():
                m.d.sync += now.eq(Mux(
                    self.seen.sending.any() | self.seen.claim, StallState.OUTPUT_BUSY,
                    Mux(self.seen.startable[v], StallState.NOT_CHOSEN, StallState.INPUTS_BUSY)))
        m.d.comb += [
            self.value.eq(self._count(m, states, counts, freeze)),
            self.blocked.eq(blocked.any()),
        ]
        return m

    def _count(self, m: Module, states: list[Signal], counts: Signal, freeze: Signal) -> Value:
        """What is wanted of the counts, which are made for a few VCs at a time."""
        state, vc = self.read.entry[:STATE_BITS], self.read.entry[STATE_BITS:]
        value: Value = Const(0, TABLE_BITS)
        size = min(len(states), MOST_VCS)
        for start in range(0, len(states), size):
            # All parts are of one size, so the last may count for a VC that there is not.
            group = states[start:start + size]
            part = place(m, f"from_vc{start}", StallCounts(size))
            m.d.comb += [
                part.counts.eq(counts),
                part.freeze.eq(freeze),
                part.entry.eq(self.read.entry),
            ]
            m.d.comb += [Value.cast(to).eq(Value.cast(now))
                         for to, now in zip(part.states, group, strict=False)]
            wanted = Signal(name=f"wanted_{start}")
            m.d.comb += wanted.eq(self.read.stalls & (state < len(StallState))
                                  & is_one_of(vc, range(start, start + len(group))))
            value = value | Mux(wanted, part.value, 0)
        return value

    def _is_blocked(self, v: int, not_up: Signal) -> Value:
        seen = self.seen
        return Cat(not_up, seen.hold, seen.paused[v], seen.no_credit[v], seen.stopped[v]).any()

    def _why_blocked(self, v: int, not_up: Signal) -> Value:
        """The first state of those that `_is_blocked` looks for."""
        why: Value = Value.cast(StallState.STOPPED)
        for condition, state in (
            (self.seen.no_credit[v], StallState.NO_CREDIT),
            (self.seen.paused[v], StallState.PAUSED),
            (self.seen.hold, StallState.REPLAY_BUFFER_FULL), (not_up, StallState.LINK_DOWN),
        ):
            why = Mux(condition, state, why)
        return why
