# SPDX-License-Identifier: Apache-2.0
"""A frame on its way out, from the opening of its transfer to its acknowledgement."""

from __future__ import annotations

from gavel_model.pins import TxPins


class OutgoingFrame:
    """An edited frame.

    Attributes
    ----------
    words
        Finished words.
    marked
        Its ECN field was set to 11.
    poisoned
        Its FCS is poisoned, as it was when it came.
    sent_at
        Cycle in which its last word was launched for the first time.
    """

    __slots__ = ("marked", "poisoned", "sent_at", "words")

    def __init__(self, words: list[TxPins], marked: bool, poisoned: bool) -> None:
        self.words = words
        self.marked = marked
        self.poisoned = poisoned
        self.sent_at = 0
