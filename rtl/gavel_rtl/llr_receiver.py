# SPDX-License-Identifier: Apache-2.0
"""Receive side of link-level retry: which frames are accepted, and what the peer is told."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import enum, wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.ordered_set import DATA_BITS
from gavel_model.pins import SEQ_BITS
from gavel_model.register_map import COUNTERS, Counter
from gavel_rtl.interfaces import Reason, Verdict
from gavel_rtl.llr_interfaces import (
    ControlSent,
    ControlSet,
    FrameEnd,
    LlrSettings,
    ReceiverRequests,
)


class ReceiverState(enum.Enum, shape=unsigned(2)):
    """What the peer is told."""

    OFF = 0
    SEND_ACKS = 1
    SEND_NACK = 2
    NACK_SENT = 3


_NACK_WAS_SENT = ReceiverState.SEND_NACK.value ^ ReceiverState.NACK_SENT.value

PROBE_BITS = 2 + SEQ_BITS


class LlrReceiver(wiring.Component):
    """Accepts eligible frames in sequence (docs/llr.md, LlrReceiver).

    Parameters
    ----------
    config
        S.

    Members
    -------
    settings
        Registers as visible in r.
    end, i_verdict
        What LinkRx found of the frame whose last word was on the pins in t.
    control
        Ordered set that was on the pins in t.
    sent
        What ControlTransmitter loads in this cycle.
    o_verdict
        The verdict with RX_LLR and RX_POISONED.
    requests
        To ControlTransmitter.
    count
        Counter events.
    state
        For LLR_STATUS.
    probe
        Probe point ``llr_rx``: state, ``next_rx``.

    Cycle behaviour
    ---------------
    r for all of them, but for ``end.seq_coming``, which is compared in r-1 with what ``next_rx``
    can become, and ``control.coming_init``. ``o_verdict`` is combinational; ``requests`` is of
    registers. Steps of one cycle in this order: what was sent, the frame, an INIT. After reset the
    state is OFF.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "settings": In(LlrSettings(config)),
            "end": In(FrameEnd(config)),
            "i_verdict": In(Verdict(config)),
            "control": In(ControlSet(config)),
            "sent": In(ControlSent()),
            "o_verdict": Out(Verdict(config)),
            "requests": Out(ReceiverRequests(config)),
            "count": Out(COUNTERS),
            "state": Out(ReceiverState),
            "probe": Out(PROBE_BITS),
        })

    def elaborate(self, platform: object) -> Module:
        config, end, sent = self._config, self.end, self.sent
        m = Module()
        self._on = self.settings.local
        self._next_rx = Signal(config.seq_bits, name="next_rx")
        # One less, and one more.
        self._last_rx = Signal(config.seq_bits, name="last_rx", init=(1 << config.seq_bits) - 1)
        self._after_next = Signal(config.seq_bits, name="after_next", init=1)
        # An INIT while it is on; it is on, and not in OFF.
        begins_anew, has_agreed = Signal(), Signal()
        m.d.sync += [
            begins_anew.eq(self.control.coming_init & self.settings.coming.local),
            has_agreed.eq((begins_anew | has_agreed) & self.settings.coming.local),
        ]
        eligible, agreed = Signal(), Signal()
        accepted, missing, duplicate, spoilt = Signal(), Signal(), Signal(), Signal()
        expected, older = self._compare(m, accepted, begins_anew)
        m.d.comb += [
            eligible.eq(self._on & end.eligible),
            agreed.eq(end.eligible & has_agreed),
            # All at once, since most waits for it.
            accepted.eq(Cat(end.eligible, has_agreed, ~end.bad, expected).all()),
            spoilt.eq(agreed & expected & end.bad),
            missing.eq(agreed & ~expected & ~older),
            duplicate.eq(agreed & older),
        ]
        # Still a NACK is to be sent, unless it just is; what is sent is known last. ``init`` for
        # ``begins_anew``, which opens the registers of the numbers: no gate is shared with that.
        nack, stays = Signal(), Signal()
        state_unless_sent = Signal(ReceiverState)
        m.d.comb += [
            state_unless_sent.eq(self.state),
            nack.eq(self.state == ReceiverState.SEND_NACK),
            stays.eq(nack & self._on & ~self.control.init & ~accepted),
        ]
        with m.If(accepted):
            m.d.comb += state_unless_sent.eq(ReceiverState.SEND_ACKS)
        # What is not accepted and not older is spoilt or missing.
        with m.Elif(agreed & ~older & (self.state == ReceiverState.SEND_ACKS)):
            m.d.comb += state_unless_sent.eq(ReceiverState.SEND_NACK)
        with m.If(begins_anew):
            m.d.comb += state_unless_sent.eq(ReceiverState.SEND_ACKS)
        # While it is off none of them counts.
        first, value = self.control.init, self.control.value
        with m.If(accepted | begins_anew):
            m.d.sync += [
                self._next_rx.eq(Mux(first, value, self._after_next)),
                self._last_rx.eq(Mux(first, value - 1, self._next_rx)),
                self._after_next.eq(Mux(first, value + 1, self._after_next + 1)),
            ]
        with m.If(~self._on):
            m.d.comb += state_unless_sent.eq(ReceiverState.OFF)
        # From SEND_NACK to NACK_SENT it is one bit.
        m.d.sync += Value.cast(self.state).eq(
            Value.cast(state_unless_sent) | Mux(stays & sent.nack, _NACK_WAS_SENT, 0))

        self._request(m, accepted | duplicate, begins_anew)
        self._ask(m, accepted, duplicate, agreed & ~older, begins_anew, stays)
        self._judge(m, eligible, accepted)
        m.d.comb += [self.count[counter].eq(event) for counter, event in (
            (Counter.LLR_RX_INIT_CTL_OS, begins_anew),
            (Counter.LLR_RX_OK, eligible & ~end.poisoned & ~end.bad),
            (Counter.LLR_RX_POISONED, eligible & end.poisoned),
            (Counter.LLR_RX_BAD, eligible & end.bad),
            (Counter.LLR_RX_EXPECTED_SEQ_GOOD, accepted & ~end.poisoned),
            (Counter.LLR_RX_EXPECTED_SEQ_POISONED, accepted & end.poisoned),
            (Counter.LLR_RX_EXPECTED_SEQ_BAD, spoilt),
            (Counter.LLR_RX_MISSING_SEQ, missing),
            (Counter.LLR_RX_DUPLICATE_SEQ, duplicate),
            (Counter.LLR_RX_REPLAY, accepted & (
                (self.state == ReceiverState.NACK_SENT) | (nack & sent.nack))),
        )]
        m.d.comb += self.probe.eq(Cat(
            self.state, self._next_rx, Const(0, SEQ_BITS - config.seq_bits)))
        return m

    def _compare(self, m: Module, accepted: Signal, begins_anew: Signal) -> tuple[Signal, Signal]:
        """Whether the frame has the number that is expected, and an older one. Most waits for this,
        so in the cycle before it is compared with all that can be expected by then: what that is
        is known last. Behind a cycle that is off nobody asks."""
        seq = self.end.seq_coming
        expected, older = Signal(name="expected"), Signal(name="older")
        is_next, is_older, low_is_same = self._place(m, self._next_rx, "next")
        is_first, is_older_than_first, _ = self._place(m, self.control.value, "first")
        m.d.sync += [
            expected.eq(Mux(begins_anew, is_first,
                            Mux(accepted, seq == self._after_next, is_next))),
            # By one more, what was just not older is, and the other way round.
            older.eq(Mux(begins_anew, is_older_than_first, is_older ^ (accepted & low_is_same))),
        ]
        return expected, older

    def _place(self, m: Module, base: Signal, name: str) -> tuple[Value, Value, Value]:
        """Whether the number that comes is ``base``, is older, and is the same but perhaps for the
        highest bit."""
        seq = self.end.seq_coming
        differs, ahead = (Signal.like(seq, name=f"{name}_{what}") for what in ("differs", "ahead"))
        low_is_same = Signal(name=f"{name}_low_is_same")
        m.d.comb += [
            differs.eq(seq ^ base),
            ahead.eq(seq - base),
            low_is_same.eq(~differs[:-1].any()),
        ]
        return low_is_same & ~differs[-1], ahead[-1], low_is_same

    def _request(self, m: Module, acknowledge: Value, begins_anew: Signal) -> None:
        """What the peer is to be told."""
        sent, requests = self.sent, self.requests
        ack_pending, echo_pending = Signal(), Signal()
        echo_seq = Signal(self._config.seq_bits)
        echo_data = Signal(DATA_BITS)
        with m.If(begins_anew):
            m.d.sync += [
                ack_pending.eq(0),
                echo_pending.eq(1),
                echo_seq.eq(self.control.value),
                echo_data.eq(self.control.data),
            ]
        with m.Elif(~self._on):
            m.d.sync += [ack_pending.eq(0), echo_pending.eq(0)]
        with m.Else():
            m.d.sync += [
                ack_pending.eq(Mux(sent.ack | sent.nack, acknowledge, acknowledge | ack_pending)),
                echo_pending.eq(echo_pending & ~sent.echo),
            ]
        if self._config.control_stages:
            # While the stage holds an ECHO it takes nothing: there is a cycle to clear this.
            with m.If(~self.settings.coming.local | ~(begins_anew | requests.echo)):
                m.d.sync += [echo_seq.eq(0), echo_data.eq(0)]
        m.d.comb += [
            requests.ack_seq.eq(self._last_rx),
            requests.echo_seq.eq(echo_seq),
            requests.echo_data.eq(echo_data),
        ]
        self._ack_pending, self._echo_pending = ack_pending, echo_pending

    def _ask(self, m: Module, accepted: Signal, duplicate: Signal, gap: Value,
             begins_anew: Signal, stays: Signal) -> None:
        """What is asked for in the next cycle, by the states as they will be then. ``gap``: what is
        not accepted is to be sent again. What is sent is known last: it only chooses."""
        sent, requests, coming = self.sent, self.requests, self.settings.coming.local
        acks = self.state == ReceiverState.SEND_ACKS
        goes_on = self._on & coming & ~self.control.init
        new_ack, old_ack, new_nack, old_nack, new_echo, old_echo = (
            Signal(name=name) for name in ("new_ack", "old_ack", "new_nack", "old_nack",
                                           "new_echo", "old_echo"))
        m.d.comb += [
            new_ack.eq(goes_on & (accepted | (acks & ~gap & duplicate))),
            old_ack.eq(goes_on & (accepted | (acks & ~gap & (duplicate | self._ack_pending)))),
            new_nack.eq(goes_on & ~accepted & acks & gap),
            old_nack.eq(new_nack | (coming & stays)),
            new_echo.eq(coming & begins_anew),
            old_echo.eq(coming & (begins_anew | self._echo_pending)),
        ]
        m.d.sync += [
            requests.ack.eq(Mux(sent.ack | sent.nack, new_ack, old_ack)),
            requests.nack.eq(Mux(sent.nack, new_nack, old_nack)),
            requests.echo.eq(Mux(sent.echo, new_echo, old_echo)),
        ]

    def _judge(self, m: Module, eligible: Signal, accepted: Signal) -> None:
        """RX_LLR comes before every other reason, RX_POISONED after those of LinkRx."""
        found, verdict = self.i_verdict, self.o_verdict
        poisoned, refused = Signal(), Signal()
        m.d.comb += [
            refused.eq(eligible & ~accepted),
            # Looked at only if it is accepted, which is known later.
            poisoned.eq(eligible & self.end.poisoned),
            verdict.length.eq(found.length),
            verdict.poisoned.eq(poisoned),
            verdict.reason.eq(found.reason),
        ]
        with m.If(refused):
            m.d.comb += verdict.reason.eq(Reason.RX_LLR)
        # A wrong FCS is the last that LinkRx finds: all else of such a frame is well.
        with m.Elif(poisoned & (found.reason == Reason.FCS)):
            m.d.comb += verdict.reason.eq(
                Mux(self.settings.forward_poisoned, Reason.FILED, Reason.RX_POISONED))
