# SPDX-License-Identifier: Apache-2.0
"""Which ordered set a link partner sends when (docs/llr.md, chapter 5; docs/flow_control.md)."""

from __future__ import annotations

from collections import Counter as Tally
from collections import deque
from collections.abc import Callable

from gavel_model.ordered_set import CreditUpdate, Kind, OrderedSet, encode, encode_credits
from gavel_tb.partner.credit_reports import CreditReports
from gavel_tb.partner.misbehaviour import Fault, Switchboard
from gavel_tb.partner.receiver import Receiver, ReceiverState
from gavel_tb.partner.sender import Sender, SenderState
from gavel_tb.partner.settings import NEVER, PartnerSettings

_DATA_MASK = 0xFFFF
_INIT_SPACINGS = 4


class Controls:
    """Sends echo, INIT, NACK, ACK and CF_Update, in this order, no faster than allowed.

    Parameters
    ----------
    settings, sender, receiver
        Parts of the partner.
    faults
        What is to go wrong.
    reports
        What is said in CF_Updates; None: there are no credits.

    Attributes
    ----------
    due
        First cycle in which there may be something to send. Whoever changes what `load` looks at
        makes it 0.
    extras
        Sets that are sent as soon as an ACK may be: each gives the 56 bits of the pins then.
    storm
        So many cycles bring an ACK each.
    sent
        Sets of link-level retry that were sent, by kind.
    """

    def __init__(
        self, settings: PartnerSettings, sender: Sender, receiver: Receiver, faults: Switchboard,
        reports: CreditReports | None,
    ) -> None:
        self._settings = settings
        self._sender = sender
        self._receiver = receiver
        self._faults = faults
        self._reports = reports
        self._mask = (1 << settings.seq_bits) - 1
        self._between = max(1, settings.cycles(settings.min_spacing))
        self._between_acks = settings.cycles(settings.spacing)
        self._between_inits = settings.cycles(_INIT_SPACINGS * settings.spacing)
        self._free_at = 0
        self._ack_at = 0
        self._echo_at = 0
        self.due = 0
        self.extras: deque[Callable[[], int]] = deque()
        self.storm = 0
        self.sent: Tally[Kind] = Tally()

    @property
    def newest(self) -> int:
        """Number of the newest frame accepted."""
        return self._receiver.next_rx - 1 & self._mask

    def load(self, now: int) -> int | None:
        """The set of this cycle, as the 56 bits of the pins."""
        if self.storm:
            self.storm -= 1
            return self.encode(OrderedSet(Kind.ACK, self.newest))
        if now < self._free_at:
            self.due = self._free_at
            return None
        if self.extras and now >= self._ack_at:
            self._sent(now)
            self._ack_at = now + self._between_acks
            return self.extras.popleft()()
        item = self._next(now)
        if item is None:
            return None
        self._sent(now)
        if isinstance(item, CreditUpdate):
            ctl = encode_credits(item, self._settings.protect)
        else:
            self.sent[item.kind] += 1
            ctl = self.encode(item)
        if self._faults:
            flipped = self._faults.take(Fault.FLIPPED_SET)
            if flipped is not None:
                ctl ^= 1 << flipped
        return ctl

    def encode(self, item: OrderedSet) -> int:
        """A set as the 56 bits of the pins."""
        return encode(item, self._settings.protect)

    def _sent(self, now: int) -> None:
        self.due = self._free_at = now + self._between

    def _next(self, now: int) -> OrderedSet | CreditUpdate | None:
        receiver, sender = self._receiver, self._sender
        due = self._ack_at if self.extras else NEVER
        if receiver.echo is not None:
            echo = self._echo(now)
            if echo is not None:
                return echo
            if receiver.echo is not None:
                due = self._echo_at
        if sender.state is SenderState.INIT:
            if now >= sender.init_at:
                sender.init_at = now + self._between_inits
                return OrderedSet(Kind.INIT, sender.next, sender.init_data)
            due = min(due, sender.init_at)
        if receiver.state is ReceiverState.SEND_NACK:
            receiver.state = ReceiverState.NACK_SENT
            receiver.ack_pending = False
            self._ack_at = now + self._between_acks
            if not self._faults or self._faults.take(Fault.NO_NACK) is None:
                return OrderedSet(Kind.NACK, self.newest)
        elif receiver.state is ReceiverState.SEND_ACKS and receiver.ack_pending:
            if now >= self._ack_at:
                receiver.ack_pending = False
                self._ack_at = now + self._between_acks
                if not self._faults or self._faults.take(Fault.NO_ACK) is None:
                    return OrderedSet(Kind.ACK, self.newest)
            else:
                due = min(due, self._ack_at)
        if self._reports is not None:
            if now >= self._reports.due:
                update = self._reports.take(now)
                if update is not None:
                    return update
            due = min(due, self._reports.due)
        self.due = due
        return None

    def _echo(self, now: int) -> OrderedSet | None:
        receiver, faults = self._receiver, self._faults
        assert receiver.echo is not None
        value, data = receiver.echo
        if faults:
            late = faults.take(Fault.LATE_ECHO)
            if late is not None:
                self._echo_at = now + late
            if faults.take(Fault.NO_ECHO) is not None:
                receiver.echo = None
                return None
        if now < self._echo_at:
            return None
        receiver.echo = None
        if faults:
            value = value + (faults.take(Fault.ECHO_VALUE) or 0) & self._mask
            data = data + (faults.take(Fault.ECHO_DATA) or 0) & _DATA_MASK
        return OrderedSet(Kind.INIT_ECHO, value, data)
