# SPDX-License-Identifier: Apache-2.0
"""Link partners that speak XGMII with a port, over wires that flip bits."""

from __future__ import annotations

import random
from collections import Counter as Tally
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from gavel_model.pins import RxPins, TxPins
from gavel_model.xgmii import LANES, SEQUENCE, Fault, XgmiiWord
from gavel_model.xgmii_rx import XgmiiRx
from gavel_model.xgmii_tx import XgmiiTx
from gavel_tb.partner.device import LlrPartner
from gavel_tb.partner.receiver import Arrival
from gavel_tb.partner.settings import PartnerSettings

LOCAL_FAULT_WORD = XgmiiWord((SEQUENCE | Fault.LOCAL << 24) * (1 << 32 | 1), 0x11)
_WORD_BITS = 8 * LANES
_GAP = 3
"""Cycles between two frames of a partner: it works on receive pins, and knows nothing of the
preamble and the gap that go with each frame."""


class XgmiiWire:
    """One direction, with bit errors.

    Parameters
    ----------
    rate
        Probability that a word is hit.
    rng
        Own generator.

    Attributes
    ----------
    hits
        Words hit.
    cut
        Words for which the wire is cut from now on: a PCS shows a local fault then.
    """

    def __init__(self, rate: float, rng: random.Random) -> None:
        self.rate = rate
        self.hits = 0
        self.cut = 0
        self._rng = rng

    def carry(self, word: XgmiiWord) -> XgmiiWord:
        """What arrives: of a word that is hit one to three bits are flipped, control bits, too."""
        rng = self._rng
        if self.cut:
            self.cut -= 1
            return LOCAL_FAULT_WORD
        if rng.random() >= self.rate:
            return word
        self.hits += 1
        for bit in rng.sample(range(_WORD_BITS + LANES), rng.randint(1, 3)):
            if bit < _WORD_BITS:
                word = word._replace(data=word.data ^ 1 << bit)
            else:
                word = word._replace(ctl=word.ctl ^ 1 << bit - _WORD_BITS)
        return word


class XgmiiPartner:
    """A link partner behind an XGMII adapter of its own.

    Parameters
    ----------
    settings
        Of the partner.
    deliver
        Called with each frame that it accepts.
    rate
        Probability that a word is hit, in both directions.
    rng
        Own generator.

    Attributes
    ----------
    partner
        The partner.
    to_switch, from_switch
        The two directions.
    kinds
        What was put on the wire: words and sets.
    """

    def __init__(self, settings: PartnerSettings, deliver: Callable[[Arrival], None],
                 rate: float, rng: random.Random) -> None:
        self.partner = LlrPartner(replace(settings, gap=_GAP), deliver)
        self.to_switch, self.from_switch = (XgmiiWire(rate, rng) for _ in range(2))
        self.kinds: Tally[str] = Tally()
        self._protect = settings.protect
        self._receive, self._transmit = XgmiiRx(), XgmiiTx()
        self._line: deque[TxPins] = deque()
        self._late_sets: deque[TxPins] = deque()
        self._open = False

    def step(self, word: XgmiiWord) -> XgmiiWord:
        """Takes the word that the switch shows in this cycle; gives what the switch sees in it."""
        shown = self.to_switch.carry(self._transmit.word)
        self._send()
        self._queue(self.partner.step(self._receive.pins))
        self._receive.step(self.from_switch.carry(word), self._protect)
        return shown

    def _queue(self, pins: RxPins) -> None:
        """A set that comes beside a word of a frame goes behind the frame: order is kept."""
        if pins.valid:
            self._line.append(TxPins(valid=1, sop=pins.sop, eop=pins.eop, empty=pins.empty,
                                     llr=pins.llr, seq=pins.seq, data=pins.data, up=1))
            self._open = not pins.eop
        if pins.ctl_valid:
            self._late_sets.append(TxPins(ctl_valid=1, ctl=pins.ctl, up=1))
        if not self._open:
            self._line += self._late_sets
            self._late_sets.clear()

    def _send(self) -> None:
        pins = self._line[0] if self._line else TxPins(up=1)
        fault = self._receive.fault
        ready, ctl_ready = self._transmit.ready(pins, fault)
        if (pins.valid and ready) or (pins.ctl_valid and ctl_ready):
            self._line.popleft()
            self.kinds["words" if pins.valid else "sets"] += 1
        self._transmit.step(pins, fault, self._protect)
