# SPDX-License-Identifier: Apache-2.0
"""Chooses the ordered set to be sent, and keeps the distance between sets."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, ValueLike
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import CF_SPACING_BITS, SwitchConfig
from gavel_model.ordered_set import Kind
from gavel_model.pins import CTL_BITS
from gavel_model.register_map import COUNTERS, SPACING_BITS, Counter
from gavel_rtl.block import connect, place
from gavel_rtl.control_stage import KIND_BITS, ControlStage
from gavel_rtl.flow_interfaces import CreditEntries, CreditRequest
from gavel_rtl.lib.one_hot import select
from gavel_rtl.llr_interfaces import ControlSent, InitRequest, LlrSettings, ReceiverRequests
from gavel_rtl.ordered_set import OrderedSetWriter

_FARTHEST = (1 << SPACING_BITS) - 1
_INIT_SPACINGS = 4
"""An INIT is repeated after so many spacings of ACKs."""


class ControlTransmitter(wiring.Component):
    """Loads the ordered-set register of LinkTx (docs/llr.md, ControlTransmitter;
    docs/flow_control.md, Receiver).

    Parameters
    ----------
    config
        W, S, ``control_stages``.

    Members
    -------
    settings
        Registers as visible in the cycle.
    receiver, init
        Requests of LlrReceiver and LlrTransmitter.
    credits, cf_min, cf_max
        Request of FlowControl, and its distances: with something pending, and without, as visible
        in the next cycle.
    free
        The register of LinkTx is empty, or taken in this cycle.
    load, ctl
        An ordered set goes into that register, if it is free; 0 without one.
    sent, cf_sent
        Which one does; CF_Update with ``cf_sent``. With ``control_stages`` = 1 which one is chosen.
    init_waiting
        The register of LinkTx holds an INIT, or the stage does.
    count
        Counter events.

    Cycle behaviour
    ---------------
    Combinational from requests to ``load``, and with ``free`` to what is sent. Of several requests
    the first of ECHO, INIT, NACK that may be sent is, and then ACK or CF_Update in turn. After
    reset every distance is the greatest, and ACK goes first. Distances are compared one cycle
    ahead, and every set that may be loaded is put together while it is decided which of them is.
    ``free`` comes late: nothing is behind it but one gate for each thing that it decides.

    With ``control_stages`` = 1 what is chosen goes to a register, the stage, and only what is
    loaded depends on ``free``. While the stage holds a set nothing is chosen, so distances may be
    counted from there: all that begins them are registers.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "settings": In(LlrSettings(config)),
            "receiver": In(ReceiverRequests(config)),
            "init": In(InitRequest(config)),
            "credits": In(CreditRequest()),
            "cf_min": In(SPACING_BITS),
            "cf_max": In(CF_SPACING_BITS),
            "free": In(1),
            "load": Out(1),
            "ctl": Out(CTL_BITS),
            "sent": Out(ControlSent()),
            "cf_sent": Out(1),
            "init_waiting": Out(1),
            "count": Out(COUNTERS),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        settings, receiver, init, sent = self.settings, self.receiver, self.init, self.sent
        coming = settings.coming
        init_spacing = Signal(SPACING_BITS)
        shift = _INIT_SPACINGS.bit_length() - 1
        m.d.comb += init_spacing.eq(Mux(coming.spacing[SPACING_BITS - shift:].any(), _FARTHEST,
                                        Cat(Const(0, shift), coming.spacing)))
        sent_any = Signal()
        # What distances are counted from, and whether a set may be chosen or loaded.
        spaces = sent_any, sent.ack | sent.nack, sent.init, self.cf_sent
        room = self.free
        if self._config.control_stages:
            self._stage = stage = place(m, "control_stage", ControlStage())
            spaces = stage.held, stage.holds_answer, stage.holds_init, stage.holds_credits
            room = ~stage.held
        # A minimum that is written is not more than the spacing that is written with it.
        (far,), _ = self._far(
            m, "since", spaces[0], (coming.min_spacing, coming.spacing), any_of=True)
        (ack_far,), (ack_far_next,) = self._far(m, "since_ack", spaces[1], (coming.spacing,))
        (init_far,), _ = self._far(m, "since_init", spaces[2], (init_spacing,))
        (cf_far, cf_too_far), _ = self._far(
            m, "since_cf", spaces[3], (self.cf_min, self.cf_max), CF_SPACING_BITS)

        init_due, ack_wanted, cf_due = Signal(), Signal(), Signal()
        # Of ACK and CF_Update, if both are asked for.
        ack_leads = Signal(init=1)
        echo, request, nack, ack, credit = chosen = [Signal(name=f"loads_{name}") for name in (
            "echo", "init", "nack", "ack", "credit")]
        # Nothing goes before NACK; before CF_Update but what does before NACK.
        others, not_acks = Signal(), Signal()
        m.d.comb += [
            init_due.eq(init.request & (init.first | init_far)),
            ack_wanted.eq(receiver.ack & ack_far),
            cf_due.eq(self.credits.enabled & ((self.credits.pending & cf_far) | cf_too_far)),
            others.eq(far & ~receiver.echo & ~init_due),
            not_acks.eq(~receiver.nack & cf_due & ~(receiver.ack & ack_leads)),
            echo.eq(far & receiver.echo),
            request.eq(far & ~receiver.echo & init_due),
            nack.eq(others & receiver.nack),
            ack.eq(others & ~receiver.nack & ack_wanted & ~not_acks),
            credit.eq(others & not_acks),
        ]
        if self._config.control_stages:
            self._take_turns(m, ack_leads, ack_far_next)
        else:
            ack_was_last = Signal()
            m.d.comb += ack_leads.eq(ack_far & ~ack_was_last)
            with m.If(room & (ack | credit)):
                m.d.sync += ack_was_last.eq(ack)
        before_acks, wanted = Signal(), Signal()
        m.d.comb += [
            before_acks.eq(receiver.echo | init_due),
            wanted.eq(far & (before_acks | receiver.nack | ack_wanted | cf_due)),
            sent_any.eq(room & wanted),
            *(event.eq(room & loads) for event, loads in zip(
                (sent.echo, sent.init, sent.nack, sent.ack, self.cf_sent), chosen, strict=True)),
            self.count[Counter.LLR_TX_INIT_ECHO_CTL_OS].eq(sent.echo),
            self.count[Counter.LLR_TX_INIT_CTL_OS].eq(sent.init),
            self.count[Counter.LLR_TX_NACK_CTL_OS].eq(sent.nack),
            self.count[Counter.LLR_TX_ACK_CTL_OS].eq(sent.ack),
            self.count[Counter.CBFC_TX_CF_UPDATE].eq(self.cf_sent),
        ]
        if self._config.control_stages:
            self._hold(m, sent_any, init_due, not_acks)
            return m
        with m.If(self.free):
            m.d.sync += self.init_waiting.eq(request)
        answers, odd = Signal(), Signal()
        m.d.comb += [
            self.load.eq(wanted),
            # Two bits tell three kinds of sets, and none, apart.
            answers.eq(others & (receiver.nack | ack_wanted | cf_due)),
            odd.eq(far & (before_acks | not_acks)),
            self.ctl.eq(Mux(answers, Mux(odd, self._credit_set(m), self._answer(m)),
                            Mux(odd, self._request(m), 0))),
        ]
        return m

    def _take_turns(self, m: Module, ack_leads: Signal, ack_far_next: Value) -> None:
        """Whether an ACK goes before a CF_Update: it is far enough, and was not the last of the
        two. Known a cycle ahead: while the stage holds what was chosen nobody looks."""
        was_ack, ack_was_last, following = (Signal(name=name) for name in (
            "was_ack", "ack_was_last", "ack_was_last_next"))
        m.d.comb += following.eq(was_ack | (ack_was_last & ~self._stage.holds_credits))
        m.d.sync += [
            was_ack.eq(self.sent.ack),
            ack_was_last.eq(following),
            ack_leads.eq(ack_far_next & ~following),
        ]

    def _hold(self, m: Module, chosen: Signal, init_due: Signal, not_acks: Signal) -> None:
        """What the stage takes, whether a set is chosen or not, and what it gives. What an ECHO
        says is 0 without one, so that it only has to be added. Whether it is a CF_Update is known
        last: what that says, and what another set says, have registers of their own."""
        receiver, init, stage = self.receiver, self.init, self._stage
        echo = receiver.echo
        request, later = (Signal(name=f"says_{name}") for name in ("init", "later"))
        connect(m, stage.credits, self.credits)
        m.d.comb += [
            request.eq(~echo & init_due),
            later.eq(~echo & ~init_due),
            stage.chosen.eq(chosen),
            stage.chosen_answer.eq(self.sent.ack | self.sent.nack),
            stage.chosen_init.eq(self.sent.init),
            stage.chosen_credits.eq(self.cf_sent),
            stage.is_credits.eq(later & not_acks),
            stage.kind.eq(select([
                (echo, Const(Kind.INIT_ECHO, KIND_BITS)), (request, Const(Kind.INIT, KIND_BITS)),
                (later, Mux(receiver.nack, Kind.NACK, Kind.ACK))])),
            stage.value.eq(select([
                (request, init.seq), (later, receiver.ack_seq)]) | receiver.echo_seq),
            stage.data.eq(select([(request, init.data)]) | receiver.echo_data),
            stage.protect.eq(self.settings.protect),
            stage.free.eq(self.free),
            self.load.eq(stage.held),
            self.ctl.eq(stage.ctl),
            self.init_waiting.eq(stage.init_waiting),
        ]

    def _request(self, m: Module) -> Value:
        """ECHO or INIT."""
        receiver, init = self.receiver, self.init
        return self._written(
            m, "request", kind=Mux(receiver.echo, Kind.INIT_ECHO, Kind.INIT),
            value=Mux(receiver.echo, receiver.echo_seq, init.seq),
            data=Mux(receiver.echo, receiver.echo_data, init.data))

    def _answer(self, m: Module) -> Value:
        """NACK or ACK."""
        receiver = self.receiver
        return self._written(m, "answer", kind=Mux(receiver.nack, Kind.NACK, Kind.ACK),
                             value=receiver.ack_seq)

    def _credit_set(self, m: Module) -> Value:
        """CF_Update."""
        return self._written(m, "credit", is_credits=1, **{
            name: getattr(self.credits, name) for name in CreditEntries().members})

    def _written(self, m: Module, name: str, **members: ValueLike) -> Value:
        """A set, put together by a writer of its own."""
        writer = place(m, f"{name}_writer", OrderedSetWriter())
        m.d.comb += writer.protect.eq(self.settings.protect)
        for member, value in members.items():
            of = writer.credits if member in writer.credits.signature.members else writer
            m.d.comb += Value.cast(getattr(of, member)).eq(value)
        return writer.ctl

    def _far(self, m: Module, name: str, restart: Value, spacings: Sequence[Value],
             bits: int = SPACING_BITS, *, any_of: bool = False) -> tuple[list[Signal], list[Value]]:
        """Whether the line time since ``restart`` is at least each spacing, in bytes as visible in
        the next cycle; with ``any_of`` whether it is at least one of them. And what that will be
        in the next cycle.

        What is kept is the distance of the next cycle, but for a restart in this one or the one
        before, in words; the highest bit: as many bytes as ``bits`` hold, than which no spacing is
        more. ``restart`` comes late, so that it does no more than choose. With a stage it is 1
        while that holds a set, and what is found counts only behind the last such cycle, as if the
        restart had been in the one before.
        """
        bits -= self._config.empty_bits
        later = Signal(bits + 1, init=1 << bits, name=name)
        restarted = Signal(name=f"{name}_restarted")
        held = self._config.control_stages
        m.d["comb" if held else "sync"] += restarted.eq(restart)
        with m.If(restarted):
            m.d.sync += later.eq(2)
        with m.Elif(~later[-1]):
            m.d.sync += later.eq(later + 1)
        whole_words = Cat(Const(0, self._config.empty_bits), later[:-1])
        at_once = [~spacing.any() for spacing in spacings]
        found = [Mux(restarted, self._within_word(spacing), later[-1] | (whole_words >= spacing))
                 for spacing in spacings]
        if any_of:
            at_once, found = ([Cat(values).any()] for values in (at_once, found))
        coming = [value if held else Mux(restart, zero, value)
                  for zero, value in zip(at_once, found, strict=True)]
        far = [Signal(name=f"{name}_far_{n}", init=1) for n in range(len(coming))]
        m.d.sync += [one.eq(value) for one, value in zip(far, coming, strict=True)]
        return far, coming

    def _within_word(self, spacing: Value) -> Value:
        """Whether a spacing is no more than a word."""
        bits = self._config.empty_bits
        return ~(spacing[bits + 1:].any() | (spacing[bits] & spacing[:bits].any()))
