# SPDX-License-Identifier: Apache-2.0
"""What the blocks know of a frame between its last word on the pins and its way out."""

from __future__ import annotations


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
    profile
        Number of the header profile that `Parser` used.
    destination, is_address
        Destination, and whether it is a 48-bit address instead of an ID.
    vc, output, cells
        Virtual channel, output port, and cells in the buffer.
    """

    __slots__ = (
        "cells", "data", "destination", "is_address", "length", "output", "profile", "reason",
        "vc", "words",
    )

    def __init__(self, words: list[int], data: bytes, length: int, reason: int) -> None:
        self.words = words
        self.data = data
        self.length = length
        self.reason = reason
        self.profile = 0
        self.destination = 0
        self.is_address = False
        self.vc = 0
        self.output = 0
        self.cells = 0
