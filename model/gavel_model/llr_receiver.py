# SPDX-License-Identifier: Apache-2.0
"""Receiver of link-level retry (docs/llr.md, LlrReceiver)."""

from __future__ import annotations

from enum import IntEnum

from gavel_model.config import SwitchConfig
from gavel_model.counters import Counters
from gavel_model.llr_settings import LlrSettings
from gavel_model.ordered_set import Kind, OrderedSet
from gavel_model.received_frame import Fcs, ReceivedFrame
from gavel_model.register_map import Counter


class ReceiverState(IntEnum):
    """States of `LlrReceiver`, with the numbers that the probe point shows."""

    OFF = 0
    SEND_ACKS = 1
    SEND_NACK = 2
    NACK_SENT = 3


_OFF = ReceiverState.OFF
_SEND_ACKS = ReceiverState.SEND_ACKS
_SEND_NACK = ReceiverState.SEND_NACK
_NACK_SENT = ReceiverState.NACK_SENT

_BY_CLASS = {
    Fcs.GOOD: (Counter.LLR_RX_OK, Counter.LLR_RX_EXPECTED_SEQ_GOOD),
    Fcs.POISONED: (Counter.LLR_RX_POISONED, Counter.LLR_RX_EXPECTED_SEQ_POISONED),
    Fcs.BAD: (Counter.LLR_RX_BAD, Counter.LLR_RX_EXPECTED_SEQ_BAD),
}
"""Counters of an eligible frame, and of one that has the expected number."""


class LlrReceiver:
    """Stands between `LinkRx` and `Parser`: decides which frames are kept, and what is answered.

    The steps of a cycle are `begin`, then `receive` if a frame ended, then `initialise` if a
    valid LLR_INIT came.

    Attributes
    ----------
    state
        State.
    next_rx
        Number of the next frame to be accepted.
    ack_pending, echo_pending
        An ACK, an INIT_ECHO is to be sent.
    echo_seq, echo_data
        What the INIT_ECHO says.
    """

    __slots__ = (
        "_counters", "_half", "_seq_mask", "_settings", "ack_pending", "echo_data",
        "echo_pending", "echo_seq", "next_rx", "state",
    )

    def __init__(self, config: SwitchConfig, settings: LlrSettings, counters: Counters) -> None:
        self._seq_mask = (1 << config.seq_bits) - 1
        self._half = 1 << config.seq_bits - 1
        self._settings = settings
        self._counters = counters
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self.state = _OFF
        self.next_rx = 0
        self.ack_pending = False
        self.echo_pending = False
        self.echo_seq = 0
        self.echo_data = 0

    @property
    def ack_request(self) -> bool:
        """An ACK is asked for, as visible in the cycle."""
        return self.ack_pending and self.state is _SEND_ACKS and self._settings.local

    @property
    def nack_request(self) -> bool:
        """A NACK is asked for."""
        return self.state is _SEND_NACK and self._settings.local

    @property
    def echo_request(self) -> bool:
        """An INIT_ECHO is asked for."""
        return self.echo_pending and self._settings.local

    @property
    def asking(self) -> bool:
        """Something is asked for, now or later, or the receiver is to be turned off."""
        return (self.ack_pending or self.echo_pending or self.state is _SEND_NACK
                or (self.state is not _OFF and not self._settings.local))

    @property
    def ack_seq(self) -> int:
        """Number of the newest frame accepted."""
        return self.next_rx - 1 & self._seq_mask

    def begin(self, sent: int | None) -> None:
        """First part of a cycle: setting ``local``, and the set that `ControlTransmitter` loads."""
        if not self._settings.local:
            self.state = _OFF
            self.ack_pending = self.echo_pending = False
        elif sent is Kind.NACK:
            self.ack_pending = False
            if self.state is _SEND_NACK:
                self.state = _NACK_SENT
        elif sent is Kind.ACK:
            self.ack_pending = False
        elif sent is Kind.INIT_ECHO:
            self.echo_pending = False

    def receive(self, frame: ReceivedFrame) -> None:
        """The frame that has ended: sets its reason if it is not to go on."""
        if not frame.llr or not self._settings.local:
            return
        if not self._keep(frame):
            frame.reason = Counter.RX_LLR
        elif frame.fcs is Fcs.POISONED:
            frame.poisoned = True
            if frame.reason == Counter.RX_FCS:
                # The only fault; what comes before the FCS in the order of verdicts stays.
                frame.reason = 0 if self._settings.forward_poisoned else Counter.RX_POISONED

    def initialise(self, item: OrderedSet) -> None:
        """A valid LLR_INIT has come."""
        if not self._settings.local:
            return
        self._counters.add(Counter.LLR_RX_INIT_CTL_OS, 1)
        self.next_rx = item.value
        self.state = _SEND_ACKS
        self.ack_pending = False
        self.echo_pending = True
        self.echo_seq = item.value
        self.echo_data = item.data

    def _keep(self, frame: ReceivedFrame) -> bool:
        count = self._counters.add
        quality = Fcs.BAD if frame.error or frame.seq > self._seq_mask else frame.fcs
        any_number, expected = _BY_CLASS[quality]
        count(any_number, 1)
        if self.state is _OFF:
            return False
        distance = frame.seq - self.next_rx & self._seq_mask
        if not distance:
            count(expected, 1)
            if quality is not Fcs.BAD:
                self.next_rx = self.next_rx + 1 & self._seq_mask
                self.ack_pending = True
                if self.state is _NACK_SENT:
                    count(Counter.LLR_RX_REPLAY, 1)
                self.state = _SEND_ACKS
                return True
        elif distance < self._half:
            count(Counter.LLR_RX_MISSING_SEQ, 1)
        else:
            count(Counter.LLR_RX_DUPLICATE_SEQ, 1)
            self.ack_pending = True
            return False
        if self.state is _SEND_ACKS:
            self.state = _SEND_NACK
        return False
