# SPDX-License-Identifier: Apache-2.0
"""From the transmit pins of a port to AXI4-Stream (docs/axi_stream.md, AxiStreamTx)."""

from __future__ import annotations

import zlib
from typing import NamedTuple

from gavel_model.axi_stream_rx import AxiStreamWord
from gavel_model.config import FCS_BYTES, SwitchConfig
from gavel_model.pins import TxPins

_GOOD = zlib.crc32(bytes(FCS_BYTES))
"""CRC over data and their good FCS: the same for all data."""


class _Word(NamedTuple):
    """A word of a frame, its used bytes; ``bad`` with the last one."""

    data: bytes
    last: bool
    bad: bool


class AxiStreamTx:
    """Transmit side of the adapter.

    Parameters
    ----------
    config
        W.
    strip
        The FCS is left away.

    Attributes
    ----------
    word
        The word on the stream, as visible in the cycle.
    discarded
        In the cycle before, the first word of a frame was thrown away.
    """

    __slots__ = ("_crc", "_early", "_error", "_lanes", "_late", "_open", "_strip", "discarded",
                 "word")

    def __init__(self, config: SwitchConfig, *, strip: bool) -> None:
        self._lanes = config.word_bytes
        self._strip = strip
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self._early: _Word | None = None
        self._late: _Word | None = None
        self._open = False
        self._crc = 0
        self._error = False
        self.word = AxiStreamWord()
        self.discarded = False

    def _throws(self, pins: TxPins, link_up: int) -> bool:
        if not pins.valid:
            return False
        closed = not (pins.up and link_up)
        return closed if pins.sop else not self._open

    def _advances(self, tready: int) -> bool:
        return not self.word.tvalid or bool(tready)

    def ready(self, pins: TxPins, tready: int, link_up: int) -> bool:
        """Pin ``ready``, with these on the other pins in the cycle."""
        return self._advances(tready) or self._throws(pins, link_up)

    def step(self, pins: TxPins, tready: int, link_up: int) -> None:
        """Takes the transmit pins, ``m_axis_tready`` and the link status."""
        throws = self._throws(pins, link_up)
        self.discarded = bool(throws and pins.sop)
        if not self._advances(tready):
            return
        early, late = self._early, self._late
        if late is not None and not late.last and early is None:
            self.word = AxiStreamWord()
        else:
            self.word = self._shown(late, early)
            self._late = early
        self._early = self._taken(pins) if pins.valid and not throws else None

    def _taken(self, pins: TxPins) -> _Word:
        if pins.sop:
            self._crc, self._error = 0, False
        data = pins.data.to_bytes(self._lanes, "little")[:self._lanes - pins.empty]
        self._crc = zlib.crc32(data, self._crc)
        self._error = self._error or bool(pins.err)
        self._open = not pins.eop
        return _Word(data, bool(pins.eop), self._error or self._crc != _GOOD)

    def _shown(self, word: _Word | None, following: _Word | None) -> AxiStreamWord:
        """The word ``word`` of a frame, of which ``following`` is the next."""
        if word is None:
            return AxiStreamWord()
        data, last, bad = word
        if self._strip:
            if last:
                data = data[:-FCS_BYTES]
            elif following is not None and following.last and len(following.data) <= FCS_BYTES:
                data = data[:self._lanes - FCS_BYTES + len(following.data)]
                last, bad = True, following.bad
        if not data:
            return AxiStreamWord()
        return AxiStreamWord(tvalid=1, tdata=int.from_bytes(data, "little"),
                             tkeep=(1 << len(data)) - 1, tlast=int(last), tuser=int(last and bad))
