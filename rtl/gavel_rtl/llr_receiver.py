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
    r = t+2 for all of them, but for ``end.seq_coming``, which is compared in t+1 with what
    ``next_rx`` can become. ``o_verdict`` is combinational; ``requests`` is of registers. Steps
    of one cycle in this order: what was sent, the frame, an INIT. After reset the state is OFF.
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
        state = Signal(ReceiverState, name="state_after_sending")
        m.d.comb += state.eq(Mux(
            sent.nack & (self.state == ReceiverState.SEND_NACK),
            ReceiverState.NACK_SENT, self.state))

        eligible, agreed, begins_anew = Signal(), Signal(), Signal()
        accepted, missing, duplicate, spoilt = Signal(), Signal(), Signal(), Signal()
        m.d.comb += begins_anew.eq(self._on & self.control.init)
        expected, older = self._compare(m, accepted)
        m.d.comb += [
            eligible.eq(self._on & end.ended & end.llr),
            agreed.eq(eligible & (self.state != ReceiverState.OFF)),
            # All at once, since most waits for it.
            accepted.eq(Cat(self._on, end.ended, end.llr, Value.cast(self.state).any(), ~end.bad,
                            expected).all()),
            spoilt.eq(agreed & expected & end.bad),
            missing.eq(agreed & ~expected & ~older),
            duplicate.eq(agreed & older),
        ]
        m.d.sync += self.state.eq(state)
        with m.If(accepted):
            m.d.sync += [
                self._next_rx.eq(self._after_next),
                self._last_rx.eq(self._next_rx),
                self._after_next.eq(self._after_next + 1),
                self.state.eq(ReceiverState.SEND_ACKS),
            ]
        # What is not accepted and not older is spoilt or missing.
        with m.Elif(agreed & ~older & (self.state == ReceiverState.SEND_ACKS)):
            m.d.sync += self.state.eq(ReceiverState.SEND_NACK)
        with m.If(self.control.init):
            m.d.sync += self.state.eq(ReceiverState.SEND_ACKS)
        with m.If(begins_anew):
            m.d.sync += [
                self._next_rx.eq(self.control.value),
                self._last_rx.eq(self.control.value - 1),
                self._after_next.eq(self.control.value + 1),
            ]
        with m.If(~self._on):
            m.d.sync += self.state.eq(ReceiverState.OFF)

        self._request(m, accepted | duplicate)
        self._ask(m, accepted, duplicate, agreed & ~older)
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
            (Counter.LLR_RX_REPLAY, accepted & (state == ReceiverState.NACK_SENT)),
        )]
        m.d.comb += self.probe.eq(Cat(
            self.state, self._next_rx, Const(0, SEQ_BITS - config.seq_bits)))
        return m

    def _compare(self, m: Module, accepted: Signal) -> tuple[Signal, Signal]:
        """Whether the frame has the number that is expected, and an older one. Most waits for this,
        so in the cycle before it is compared with what can be expected by then: whether the frame
        before is ``accepted`` is known last. Behind a cycle that is off nobody asks."""
        seq, begins_anew = self.end.seq_coming, self.control.init
        expected, older = Signal(name="expected"), Signal(name="older")
        base, differs, ahead = (Signal.like(seq, name=name)
                                for name in ("base", "differs", "ahead"))
        low_is_same, moves = Signal(name="low_is_same"), Signal(name="moves")
        m.d.comb += [
            base.eq(Mux(begins_anew, self.control.value, self._next_rx)),
            differs.eq(seq ^ base),
            ahead.eq(seq - base),
            low_is_same.eq(~differs[:-1].any()),
            moves.eq(accepted & ~begins_anew),
        ]
        m.d.sync += [
            expected.eq(Mux(moves, seq == self._after_next, low_is_same & ~differs[-1])),
            # By one more, what was just not older is, and the other way round.
            older.eq(ahead[-1] ^ (moves & low_is_same)),
        ]
        return expected, older

    def _request(self, m: Module, acknowledge: Signal) -> None:
        """What the peer is to be told."""
        sent, requests = self.sent, self.requests
        ack_pending, echo_pending = Signal(), Signal()
        echo_seq = Signal(self._config.seq_bits)
        echo_data = Signal(DATA_BITS)
        with m.If(~self._on):
            m.d.sync += [ack_pending.eq(0), echo_pending.eq(0)]
        with m.Elif(self.control.init):
            m.d.sync += [
                ack_pending.eq(0),
                echo_pending.eq(1),
                echo_seq.eq(self.control.value),
                echo_data.eq(self.control.data),
            ]
        with m.Else():
            m.d.sync += [
                ack_pending.eq(acknowledge | (ack_pending & ~sent.ack & ~sent.nack)),
                echo_pending.eq(echo_pending & ~sent.echo),
            ]
        m.d.comb += [
            requests.ack_seq.eq(self._last_rx),
            requests.echo_seq.eq(echo_seq),
            requests.echo_data.eq(echo_data),
        ]
        self._ack_pending, self._echo_pending = ack_pending, echo_pending

    def _ask(self, m: Module, accepted: Signal, duplicate: Signal, gap: Value) -> None:
        """What is asked for in the next cycle, by the states as they will be then. ``gap``: what is
        not accepted is to be sent again."""
        sent, requests = self.sent, self.requests
        on = self._on & self.settings.coming.local
        acks, nack = (self.state == ReceiverState.SEND_ACKS), (
            self.state == ReceiverState.SEND_NACK)
        still_pending = duplicate | (self._ack_pending & ~sent.ack & ~sent.nack)
        m.d.sync += [
            requests.ack.eq(on & ~self.control.init & (accepted | (acks & ~gap & still_pending))),
            requests.nack.eq(on & ~self.control.init & ~accepted & (
                (acks & gap) | (nack & ~sent.nack))),
            requests.echo.eq(on & (self.control.init | (self._echo_pending & ~sent.echo))),
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
