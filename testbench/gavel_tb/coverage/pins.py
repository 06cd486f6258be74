# SPDX-License-Identifier: Apache-2.0
"""Functional coverage of the pins of a switch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gavel_model.config import SwitchConfig
from gavel_model.pins import IDLE, NO_ACCESS, Inputs, RegisterPins, RxPins, TxPins
from gavel_tb.register_kinds import addresses

Hit = Callable[[str], None]
"""Counts a hit of a bin."""


class PinCoverage:
    """Looks at the pins of each cycle."""

    def __init__(self, config: SwitchConfig, hit: Hit) -> None:
        self._ports = range(config.ports)
        self._hit = hit
        self._open = [False] * config.ports
        self._ended = [False] * config.ports
        self._kinds = {address: kind for kind, some in addresses(config).items()
                       for address in some}

    def observe(self, inputs: Inputs, tx: Sequence[TxPins]) -> None:
        """Sees the pins of a cycle."""
        rx, ready, register, reset, ctl_ready = inputs
        if register is not NO_ACCESS:
            self._access(register)
        for port in self._ports:
            pins = rx[port]
            if pins is not IDLE or self._open[port]:
                self._receive(port, pins)
            else:
                self._ended[port] = False
            out = tx[port]
            if out.valid and not ready >> port & 1:
                self._hit("tx_stall." + ("first word" if out.sop else "last word" if out.eop
                                         else "middle word"))
            if out.ctl_valid and not ctl_ready >> port & 1:
                self._hit("tx_stall.ordered set")
        if reset:
            self._open = [False] * len(self._open)

    def _access(self, register: RegisterPins) -> None:
        kind = self._kinds.get(register.addr, "unknown")
        if register.re:
            self._hit(f"register.{kind} read")
        if register.we:
            self._hit(f"register.{kind} written")

    def _receive(self, port: int, pins: RxPins) -> None:
        hit = self._hit
        was_open, had_ended = self._open[port], self._ended[port]
        self._ended[port] = False
        if not pins.up:
            hit("rx_words.link down")
            self._open[port] = False
            return
        if not pins.valid:
            if was_open:
                hit("rx_words.gap in a frame")
            return
        if pins.ctl_valid:
            hit("rx_words.ordered set beside a word")
        if pins.err:
            hit("rx_words.error")
        if pins.sop:
            if was_open:
                hit("rx_words.start in a frame")
            if had_ended:
                hit("rx_words.back to back")
            if pins.eop:
                hit("rx_words.frame of one word")
        elif not was_open:
            hit("rx_words.outside of a frame")
            return
        self._open[port] = not pins.eop
        self._ended[port] = bool(pins.eop)
