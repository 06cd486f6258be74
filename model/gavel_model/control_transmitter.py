# SPDX-License-Identifier: Apache-2.0
"""Sends control ordered sets (docs/llr.md, ControlTransmitter)."""

from __future__ import annotations

from gavel_model.config import SwitchConfig
from gavel_model.counters import Counters
from gavel_model.link_tx import LinkTx
from gavel_model.llr_receiver import LlrReceiver
from gavel_model.llr_settings import LlrSettings
from gavel_model.llr_timers import TransmitterState
from gavel_model.llr_transmitter import LlrTransmitter
from gavel_model.ordered_set import Kind, OrderedSet, encode
from gavel_model.register_map import Counter

_LONGEST = 65535
"""Where the counts of line time stop, bytes."""

_INIT_SPACINGS = 4
"""Spacing of LLR_INIT, in spacings of ACKs."""

_COUNTERS = {
    Kind.ACK: Counter.LLR_TX_ACK_CTL_OS,
    Kind.NACK: Counter.LLR_TX_NACK_CTL_OS,
    Kind.INIT: Counter.LLR_TX_INIT_CTL_OS,
    Kind.INIT_ECHO: Counter.LLR_TX_INIT_ECHO_CTL_OS,
}


class ControlTransmitter:
    """Chooses the ordered set that goes to the pins next.

    Counts of line time are kept as the cycle in which they were 0: ``since`` in cycle c is the
    bytes of c minus that cycle, up to 65535.

    Attributes
    ----------
    since, since_ack, since_init
        Cycle in which the count was 0; None: it is at its end, as after reset.
    """

    __slots__ = (
        "_counters", "_link_tx", "_receiver", "_settings", "_shown", "_transmitter", "_word_bytes",
        "since", "since_ack", "since_init",
    )

    def __init__(
        self, config: SwitchConfig, settings: LlrSettings, counters: Counters,
        receiver: LlrReceiver, transmitter: LlrTransmitter, link_tx: LinkTx,
    ) -> None:
        self._word_bytes = config.word_bytes
        self._settings = settings
        self._counters = counters
        self._receiver = receiver
        self._transmitter = transmitter
        self._link_tx = link_tx
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self._shown: Kind | None = None
        self.since: int | None = None
        self.since_ack: int | None = None
        self.since_init: int | None = None

    @property
    def idle(self) -> bool:
        """Nothing is asked for, and nothing is on the pins: a step changes nothing."""
        return not (self._link_tx.ctl is not None or self._receiver.asking
                    or self._transmitter.state is TransmitterState.INIT)

    def step(self, now: int, ready: int) -> Kind | None:
        """One cycle; returns the kind of the set that is loaded in it, if any.

        Parameters
        ----------
        now
            Cycles since reset.
        ready
            Pin ``ctl_ready`` (0 or not 0).
        """
        link_tx = self._link_tx
        link_tx.init_waiting = self._shown is Kind.INIT
        if link_tx.ctl is not None and not ready:
            return None
        item = self._choose(now)
        self._shown = None if item is None else item.kind
        if item is None:
            link_tx.ctl = None
            return None
        link_tx.ctl = encode(item, self._settings.protect)
        kind = item.kind
        self._counters.add(_COUNTERS[kind], 1)
        self.since = now + 1
        if kind is Kind.INIT:
            self.since_init = now + 1
        elif kind is not Kind.INIT_ECHO:
            self.since_ack = now + 1
        return kind

    def _choose(self, now: int) -> OrderedSet | None:
        """The first request that holds."""
        receiver = self._receiver
        transmitter = self._transmitter
        settings = self._settings
        if self._bytes(now, self.since) < settings.min_spacing:
            return None
        if receiver.echo_request:
            return OrderedSet(Kind.INIT_ECHO, receiver.echo_seq, receiver.echo_data)
        if transmitter.init_request:
            spacing = min(_INIT_SPACINGS * settings.spacing, _LONGEST)
            if transmitter.handshake.first or self._bytes(now, self.since_init) >= spacing:
                return OrderedSet(Kind.INIT, transmitter.window.oldest, transmitter.handshake.data)
        if receiver.nack_request:
            return OrderedSet(Kind.NACK, receiver.ack_seq)
        if receiver.ack_request and self._bytes(now, self.since_ack) >= settings.spacing:
            return OrderedSet(Kind.ACK, receiver.ack_seq)
        return None

    def _bytes(self, now: int, zero: int | None) -> int:
        """Line time since a cycle in which a count was 0."""
        return _LONGEST if zero is None else min((now - zero) * self._word_bytes, _LONGEST)
