# SPDX-License-Identifier: Apache-2.0
"""Credits and priority flow control of a port."""

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.mac_control import PFC_CLASSES
from gavel_model.probes import CREDIT_RX_BITS, CREDIT_TX_BITS, PAUSE_BITS
from gavel_model.register_map import COUNTERS, CREDIT_BITS, vc_map_reset
from gavel_rtl.block import connect, place
from gavel_rtl.credit_gate import CreditGate
from gavel_rtl.credit_receiver import CreditReceiver
from gavel_rtl.credit_reporter import CreditReporter
from gavel_rtl.credit_sender import CreditSender
from gavel_rtl.flow_interfaces import (
    VC_OF_CLASS_BITS,
    CreditRequest,
    CreditUpdate,
    FlowSelect,
    FlowSettings,
)
from gavel_rtl.flow_status import FlowStatus
from gavel_rtl.interfaces import CountedFrame, EgressWord, FrameWord, FreedFrame
from gavel_rtl.mac_control_receiver import MacControlReceiver
from gavel_rtl.mac_control_transmitter import MacControlTransmitter
from gavel_rtl.pause_receiver import PauseReceiver
from gavel_rtl.pause_sender import PauseSender
from gavel_rtl.register_fields import REGISTER_BITS
from gavel_rtl.retry_state import TransmitterState
from gavel_rtl.voq import one_word_frames


class FlowControl(wiring.Component):
    """Holds back what the peer has no room for, and tells it what it may send
    (docs/flow_control.md).

    Wiring of the two sides, and which class belongs to which VC.

    Parameters
    ----------
    config
        W, V, B and the longest frame.

    Members
    -------
    settings
        Registers as visible in the cycle.
    sent, sent_vc, sent_length
        Egress gives the first word of a frame, cycle e.
    credits
        CF_Update received, cycle r.
    retry_state
        State of LlrTransmitter.
    vc_before
        One-hot: VC of the match for this output in the cycle before; 0 without one.
    allow, no_credit
        Bit v: VC v may send; it has no credits for a longest frame, though it needs them.
    allow_next
        With ``gate_stages`` > 0 and W < 512: ``allow`` of the next cycle.
    counted, freed, vc_cells
        From IngressBuffer, w+1 and c+1; cells of each VC.
    i_word, mac_control
        Frame word of w, and whether a MAC Control frame ends with it.
    idle, claim, taken
        Control frames: the scheduler could match a frame to this output, and must not; one is
        taken in this cycle, s.
    o_word
        Words of control frames, from s + 5 + ``read_stages`` on; all members 0 without one.
    request, cf_sent
        To and from ControlTransmitter.
    select, status
        Read-only register addressed, and its value, 0 if none is.
    count
        Counter events.
    used
        Credits in use, for each VC.
    paused, stopped
        Bit v: the peer, or management, keeps VC v from sending: with ``no_credit`` and a replay
        buffer that is full all that does.
    credit_tx, credit_rx, cells, pause
        Probe points; ``cells`` is `vc_cells`.

    Cycle behaviour
    ---------------
    ``allow`` is combinational from registers, ``claim`` as well, and ``taken`` from ``idle``. With
    ``gate_stages`` = 1 ``allow``, ``no_credit``, ``paused`` and ``stopped`` are registers, and say
    what is known in the cycle before; where a frame may be a single word the match of that cycle
    is added behind them. With 2 there are two of them in a row. After reset every VC may send.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        vcs = config.vcs
        super().__init__({
            "settings": In(FlowSettings(config)),
            "sent": In(1),
            "sent_vc": In(config.vc_bits),
            "sent_length": In(config.length_bits),
            "credits": In(CreditUpdate()),
            "retry_state": In(TransmitterState),
            "vc_before": In(vcs),
            "allow": Out(vcs),
            "allow_next": Out(vcs),
            "no_credit": Out(vcs),
            "counted": In(CountedFrame(config)),
            "freed": In(FreedFrame(config)),
            "vc_cells": In(config.count_bits).array(vcs),
            "i_word": In(FrameWord(config)),
            "mac_control": In(1),
            "idle": In(1),
            "claim": Out(1),
            "taken": Out(1),
            "o_word": Out(EgressWord(config)),
            "request": Out(CreditRequest()),
            "cf_sent": In(1),
            "select": In(FlowSelect(config)),
            "status": Out(REGISTER_BITS),
            "count": Out(COUNTERS),
            "used": Out(CREDIT_BITS).array(vcs),
            "paused": Out(vcs),
            "stopped": Out(vcs),
            "credit_tx": Out(vcs * CREDIT_TX_BITS),
            "credit_rx": Out(vcs * CREDIT_RX_BITS),
            "cells": Out(vcs * config.count_bits),
            "pause": Out(vcs * PAUSE_BITS),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config, settings = self._config, self.settings
        self._sender = place(m, "credit_sender", CreditSender(config))
        self._gate = place(m, "credit_gate", CreditGate(config))
        self._receiver = place(m, "credit_receiver", CreditReceiver(config))
        self._reporter = place(m, "credit_reporter", CreditReporter(config))
        self._pauses = place(m, "pause_receiver", PauseReceiver(config))
        self._pauser = place(m, "pause_sender", PauseSender(config))
        self._frames_in = place(m, "mac_control_receiver", MacControlReceiver(config))
        self._frames_out = place(m, "mac_control_transmitter", MacControlTransmitter(config))
        parts = (self._sender, self._gate, self._receiver, self._pauses, self._pauser,
                 self._frames_out)
        for part in parts:
            connect(m, part.settings, settings)
        self._map(m)
        self._hold_back(m)
        self._tell(m)
        self._exchange(m)
        self._show(m)
        count = self._frames_in.count
        for counting in (self._sender, self._receiver, self._pauses, self._frames_out):
            count = count | counting.count
        m.d.comb += self.count.eq(count)
        return m

    def _map(self, m: Module) -> None:
        """Which classes belong to which VC, in registers that follow VC_MAP at once; pauses are
        told what goes into them."""
        vcs = self._config.vcs
        nibbles = [self.settings.coming.vc_map.word_select(n, VC_OF_CLASS_BITS)
                   for n in range(PFC_CLASSES)]
        at_reset = vc_map_reset(self._config)
        lower: Value = Const(0, PFC_CLASSES)
        for vc in range(vcs):
            classes = Signal(PFC_CLASSES, name=f"classes_{vc}", init=sum(
                1 << n for n in range(PFC_CLASSES)
                if at_reset >> n * VC_OF_CLASS_BITS & (1 << VC_OF_CLASS_BITS) - 1 == vc))
            mine = Cat(nibble == vc for nibble in nibbles) if vc < vcs - 1 else ~lower
            lower = lower | mine
            m.d.sync += classes.eq(mine)
            m.d.comb += [
                self._pauses.classes[vc].eq(mine),
                self._frames_out.classes[vc].eq(classes),
            ]

    def _hold_back(self, m: Module) -> None:
        """What may be sent to the peer."""
        settings, sender, gate = self.settings, self._sender, self._gate
        was_in_init = Signal()
        connect(m, sender.credits, self.credits)
        m.d.sync += was_in_init.eq(self.retry_state == TransmitterState.INIT)
        m.d.comb += [
            sender.sent.eq(self.sent),
            sender.sent_vc.eq(self.sent_vc),
            sender.sent_length.eq(self.sent_length),
            sender.established.eq(was_in_init & (self.retry_state == TransmitterState.ADVANCE)),
            sender.cc_taken.eq(self._frames_out.cc_taken),
            gate.vc_before.eq(self.vc_before),
        ]
        m.d.comb += [gate.used[vc].eq(used) for vc, used in enumerate(sender.used)]
        no_credit, lacking = Signal(self._config.vcs), Signal(self._config.vcs)
        may_send = Signal(self._config.vcs, init=-1)
        known = settings.sender, sender.waiting, settings.stop, self._pauses.paused
        if self._config.gate_stages > 1:
            # The gate's ``fits`` is of the cycle before.
            before = [Signal.like(value, name=f"{name}_before") for name, value in zip(
                ("sender", "waiting", "stop", "paused"), known, strict=True)]
            m.d.sync += [register.eq(value) for register, value in zip(before, known, strict=True)]
            known = tuple(before)
        has_sender, waiting, stop, paused = known
        m.d.comb += [
            no_credit.eq(has_sender & (waiting | ~gate.fits)),
            self.allow_next.eq(~stop & ~paused & ~no_credit),
        ]
        m.d["sync" if self._config.gate_stages else "comb"] += [
            may_send.eq(self.allow_next),
            lacking.eq(no_credit),
            self.paused.eq(paused),
            self.stopped.eq(stop),
        ]
        m.d.comb += [
            self.allow.eq(may_send & ~gate.overdrawn),
            self.no_credit.eq(lacking | gate.overdrawn),
        ]

    def _tell(self, m: Module) -> None:
        """What the peer is told of our buffer."""
        receiver, reporter, pauser = self._receiver, self._reporter, self._pauser
        connect(m, receiver.counted, self.counted)
        connect(m, receiver.freed, self.freed)
        connect(m, self.request, reporter.request)
        m.d.comb += [
            receiver.cc_update.eq(self._frames_in.cc_update),
            reporter.cc_update.eq(self._frames_in.cc_update),
            reporter.receiver.eq(self.settings.receiver),
            reporter.receives.eq(self.settings.receives),
            reporter.sent.eq(self.cf_sent),
            pauser.taken.eq(self._frames_out.pfc_taken),
        ]
        for vc, cells in enumerate(self.vc_cells):
            m.d.comb += [
                receiver.vc_cells[vc].eq(cells),
                receiver.cc[vc].eq(self._frames_in.cc[vc]),
                reporter.released[vc].eq(receiver.released[vc]),
                pauser.vc_cells[vc].eq(cells),
            ]

    def _exchange(self, m: Module) -> None:
        """Control frames, in both directions."""
        frames_in, frames_out = self._frames_in, self._frames_out
        # A frame matched in the cycle before would not be in S_CC yet when it is told; only where
        # a frame may be a single word is the output idle then.
        too_early = Signal()
        if self._config.gate_stages and one_word_frames(self._config):
            m.d.comb += too_early.eq(self.vc_before.any())
        may_take = ~too_early
        if self._config.match_stages:
            # What was not claimed in the cycle before may be matched in this one.
            claimed = Signal()
            m.d.sync += claimed.eq(frames_out.claim)
            may_take = may_take & claimed
        connect(m, frames_in.word, self.i_word)
        connect(m, self._pauses.pause, frames_in.pause)
        connect(m, self.o_word, frames_out.word)
        m.d.comb += [
            frames_in.accepted.eq(self.mac_control),
            frames_out.pfc_wanted.eq(self._pauser.wanted),
            frames_out.cc_wanted.eq(self._sender.cc_wanted),
            frames_out.idle.eq(self.idle & may_take),
            frames_out.xoff.eq(self._pauser.xoff),
            self.claim.eq(frames_out.claim),
            self.taken.eq(frames_out.pfc_taken | frames_out.cc_taken),
        ]
        m.d.comb += [frames_out.consumed[vc].eq(consumed)
                     for vc, consumed in enumerate(self._sender.consumed)]

    def _show(self, m: Module) -> None:
        """Registers to be read, and probe points."""
        sender, receiver = self._sender, self._receiver
        waiting, paused, xoff = sender.waiting, self._pauses.paused, self._pauser.xoff
        status = place(m, "flow_status", FlowStatus(self._config))
        connect(m, status.select, self.select)
        m.d.comb += [
            status.waiting.eq(waiting),
            status.paused.eq(paused),
            status.xoff.eq(xoff),
            self.status.eq(status.value),
        ]
        vcs = range(self._config.vcs)
        for vc in vcs:
            m.d.comb += [
                status.consumed[vc].eq(sender.consumed[vc]),
                status.used[vc].eq(sender.used[vc]),
                status.received[vc].eq(receiver.received[vc]),
                status.stored[vc].eq(receiver.stored[vc]),
                status.vc_cells[vc].eq(self.vc_cells[vc]),
                self.used[vc].eq(sender.used[vc]),
            ]
        m.d.comb += [
            self.credit_tx.eq(Cat(
                Cat(sender.consumed[vc], sender.used[vc], waiting[vc]) for vc in vcs)),
            self.credit_rx.eq(Cat(
                Cat(receiver.received[vc], receiver.stored[vc]) for vc in vcs)),
            self.cells.eq(Cat(self.vc_cells[vc] for vc in vcs)),
            self.pause.eq(Cat(Cat(paused[vc], xoff[vc]) for vc in vcs)),
        ]
