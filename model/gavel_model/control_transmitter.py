# SPDX-License-Identifier: Apache-2.0
"""Sends control ordered sets (docs/llr.md, ControlTransmitter)."""

from __future__ import annotations

from gavel_model.config import SwitchConfig
from gavel_model.counters import Counters
from gavel_model.credit_receiver import CreditReceiver
from gavel_model.link_tx import LinkTx
from gavel_model.llr_receiver import LlrReceiver
from gavel_model.llr_settings import LlrSettings
from gavel_model.llr_timers import TransmitterState
from gavel_model.llr_transmitter import LlrTransmitter
from gavel_model.ordered_set import (
    CF_UPDATE,
    CreditUpdate,
    Kind,
    OrderedSet,
    encode,
    encode_credits,
)
from gavel_model.register_map import Counter

_LONGEST = 65535
"""Where the counts of line time stop, bytes."""

_INIT_SPACINGS = 4
"""Spacing of LLR_INIT, in spacings of ACKs."""

_COUNTERS: dict[int, Counter] = {
    Kind.ACK: Counter.LLR_TX_ACK_CTL_OS,
    Kind.NACK: Counter.LLR_TX_NACK_CTL_OS,
    Kind.INIT: Counter.LLR_TX_INIT_CTL_OS,
    Kind.INIT_ECHO: Counter.LLR_TX_INIT_ECHO_CTL_OS,
    CF_UPDATE: Counter.CBFC_TX_CF_UPDATE,
}
"""By D1 of the set that is sent."""


class ControlTransmitter:
    """Chooses the ordered set that goes to the pins next.

    Counts of line time are kept as the cycle in which they were 0: ``since`` in cycle c is the
    bytes of c minus that cycle, up to 65535.

    Attributes
    ----------
    since, since_ack, since_init
        Cycle in which the count was 0 last; None: it is at its end, as after reset.
    chosen
        What the stage holds, with ``control_stages`` = 1; None: it is empty.
    """

    __slots__ = (
        "_ack_last", "_counters", "_credits", "_link_tx", "_receiver", "_settings", "_shown",
        "_stages", "_transmitter", "_word_bytes", "chosen", "since", "since_ack", "since_init",
    )

    def __init__(
        self, config: SwitchConfig, settings: LlrSettings, counters: Counters,
        receiver: LlrReceiver, transmitter: LlrTransmitter, link_tx: LinkTx,
        credit_receiver: CreditReceiver,
    ) -> None:
        self._word_bytes = config.word_bytes
        self._stages = config.control_stages
        self._settings = settings
        self._counters = counters
        self._receiver = receiver
        self._transmitter = transmitter
        self._link_tx = link_tx
        self._credits = credit_receiver
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self._shown: int | None = None
        self.chosen: OrderedSet | CreditUpdate | None = None
        # Of ACK and CF_Update the one that was loaded last.
        self._ack_last = False
        self.since: int | None = None
        self.since_ack: int | None = None
        self.since_init: int | None = None

    def idle(self, now: int) -> bool:
        """Nothing is asked for, and nothing is on the pins: a step changes nothing."""
        return not (self._link_tx.ctl is not None or self.chosen is not None
                    or self._receiver.asking
                    or self._transmitter.state is TransmitterState.INIT
                    or now >= self._credits.request_at)

    def step(self, now: int, ready: int) -> int | None:
        """One cycle; returns D1 of the set that is loaded in it, if any: a `Kind` or CF_UPDATE.

        With ``control_stages`` = 1 that of the set that is chosen in it.

        Parameters
        ----------
        now
            Cycles since reset.
        ready
            Pin ``ctl_ready`` (0 or not 0).
        """
        link_tx = self._link_tx
        link_tx.init_waiting = self._shown is Kind.INIT or _kind(self.chosen) is Kind.INIT
        free = link_tx.ctl is None or bool(ready)
        if self._stages:
            chosen = self.chosen
            if free:
                self._load(chosen)
            if chosen is not None:
                if free:
                    self.chosen = None
                    self._count_from(_kind(chosen), now)
                    if isinstance(chosen, CreditUpdate):
                        self._credits.put_off(now)
                return None
            self.chosen = chosen = self._next_set(now)
        elif free:
            chosen = self._next_set(now)
            self._load(chosen)
        else:
            return None
        return _kind(chosen)

    def _load(self, item: OrderedSet | CreditUpdate | None) -> None:
        """Into the register on the pins, which is free."""
        protect = self._settings.protect
        self._shown = _kind(item)
        if item is None:
            self._link_tx.ctl = None
        elif isinstance(item, CreditUpdate):
            self._link_tx.ctl = encode_credits(item, protect)
        else:
            self._link_tx.ctl = encode(item, protect)

    def _next_set(self, now: int) -> OrderedSet | CreditUpdate | None:
        """The set that is to be sent, if any, which answers its request."""
        kind = self._choose(now)
        if kind is None:
            return None
        self._counters.add(_COUNTERS[kind], 1)
        self._count_from(kind, now + 1)
        if kind == CF_UPDATE:
            self._ack_last = False
            item = self._credits.cf_update()
            self._credits.loaded()
            return item
        self._ack_last |= kind is Kind.ACK
        return self._content(kind)

    def _count_from(self, kind: int | None, zero: int) -> None:
        """The counts of line time behind a set of this kind are 0 in cycle ``zero``."""
        self.since = zero
        if kind is Kind.INIT:
            self.since_init = zero
        elif kind is Kind.ACK or kind is Kind.NACK:
            self.since_ack = zero

    def _choose(self, now: int) -> int | None:
        """The first request that holds."""
        receiver = self._receiver
        transmitter = self._transmitter
        settings = self._settings
        if self._bytes(now, self.since) < settings.min_spacing:
            return None
        if receiver.echo_request:
            return Kind.INIT_ECHO
        if transmitter.init_request:
            spacing = min(_INIT_SPACINGS * settings.spacing, _LONGEST)
            if transmitter.handshake.first or self._bytes(now, self.since_init) >= spacing:
                return Kind.INIT
        if receiver.nack_request:
            return Kind.NACK
        ack = receiver.ack_request and self._bytes(now, self.since_ack) >= settings.spacing
        update = now >= self._credits.request_at
        if ack and not (update and self._ack_last):
            return Kind.ACK
        return CF_UPDATE if update else None

    def _content(self, kind: int) -> OrderedSet:
        """The set of link-level retry of this kind."""
        receiver = self._receiver
        if kind is Kind.INIT_ECHO:
            return OrderedSet(Kind.INIT_ECHO, receiver.echo_seq, receiver.echo_data)
        if kind is Kind.INIT:
            transmitter = self._transmitter
            return OrderedSet(Kind.INIT, transmitter.window.oldest, transmitter.handshake.data)
        return OrderedSet(Kind(kind), receiver.ack_seq)

    def _bytes(self, now: int, zero: int | None) -> int:
        """Line time since a cycle in which a count was 0."""
        return _LONGEST if zero is None else min((now - zero) * self._word_bytes, _LONGEST)


def _kind(item: OrderedSet | CreditUpdate | None) -> int | None:
    """D1 of a set."""
    if item is None:
        return None
    return CF_UPDATE if isinstance(item, CreditUpdate) else item.kind
