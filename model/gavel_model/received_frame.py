# SPDX-License-Identifier: Apache-2.0
"""What the blocks know of a frame between its last word on the pins and its way out."""

from __future__ import annotations

from enum import Enum


class Fcs(Enum):
    """What the last four bytes of a frame say of it."""

    GOOD = 0
    POISONED = 1
    BAD = 2


class ReceivedFrame:
    """A frame that has ended; each block fills in what it finds.

    Attributes
    ----------
    words, data
        The frame as words and as bytes, FCS included. Complete only if ``reason`` is 0.
    length
        Bytes, FCS included.
    reason
        Number of the counter that counts it when it is dropped or consumed; 0 as long as
        nothing is wrong with it.
    refusal
        The same of `Parser` and `Lookup`, which counts if there is no other.
    llr, seq
        Link-level retry looks after it; its 20-bit sequence number.
    error, fcs
        A word had ``err``; verdict on the FCS. Only filled in if ``llr``.
    poisoned
        It was accepted with a poisoned FCS.
    profile
        Number of the header profile that `Parser` used.
    destination, is_address
        Destination, and whether it is a 48-bit address instead of an ID.
    vc, output, cells
        Virtual channel, output port, and cells in the buffer.
    """

    __slots__ = (
        "cells", "data", "destination", "error", "fcs", "is_address", "length", "llr", "output",
        "poisoned", "profile", "reason", "refusal", "seq", "vc", "words",
    )

    def __init__(self, words: list[int], data: bytes, length: int, reason: int) -> None:
        self.words = words
        self.data = data
        self.length = length
        self.reason = reason
        self.refusal = 0
        self.llr = 0
        self.seq = 0
        self.error = False
        self.fcs = Fcs.BAD
        self.poisoned = False
        self.profile = 0
        self.destination = 0
        self.is_address = False
        self.vc = 0
        self.output = 0
        self.cells = 0
