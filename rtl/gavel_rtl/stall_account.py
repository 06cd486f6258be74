# SPDX-License-Identifier: Apache-2.0
"""Why the VCs of an output do not send, counted."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import enum, wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_rtl.block import place
from gavel_rtl.lib.frozen_counters import FrozenCounters
from gavel_rtl.retry_state import TransmitterState
from gavel_rtl.telemetry_interfaces import TABLE_BITS, Observation, TableRead

_ROW_BITS = 4
"""Width of the number of a state in the table."""


class StallState(enum.Enum, shape=_ROW_BITS):
    """What a VC does in a cycle: the first that applies (docs/flow_control.md, Why a VC does not
    send)."""

    SENDING = 0
    EMPTY = 1
    LINK_DOWN = 2
    REPLAY_BUFFER_FULL = 3
    PAUSED = 4
    NO_CREDIT = 5
    STOPPED = 6
    OUTPUT_BUSY = 7
    INPUTS_BUSY = 8
    NOT_CHOSEN = 9


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
    a snapshot from two cycles after ``freeze`` on.
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
        observed, counts, freeze = Signal(), Signal(), Signal()
        m.d.sync += [observed.eq(1), counts.eq(observed), freeze.eq(self.freeze)]
        not_up = Signal()
        m.d.comb += not_up.eq(~self.seen.up | (self.seen.state == TransmitterState.INIT)
                              | (self.seen.state == TransmitterState.FLUSH))
        vcs = self._config.vcs
        blocked = Signal(vcs)
        value: Value = Const(0, TABLE_BITS)
        state, entry = self.read.entry[:_ROW_BITS], self.read.entry[_ROW_BITS:]
        for v in range(vcs):
            counters = place(m, f"vc{v}", FrozenCounters(len(StallState), TABLE_BITS, 1))
            now = Signal(StallState, name=f"state_{v}")
            wanted = Signal(name=f"wanted_{v}")
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
                counters.address.eq(Value.cast(now)),
                counters.amount.eq(counts),
                counters.freeze.eq(freeze),
                counters.shown.eq(state),
                wanted.eq(self.read.stalls & (entry == v) & (state < len(StallState))),
            ]
            value = value | Mux(wanted, counters.value, 0)
        m.d.comb += [self.value.eq(value), self.blocked.eq(blocked.any())]
        return m

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
