# SPDX-License-Identifier: Apache-2.0
"""A frame on its way out, from the opening of its transfer to its acknowledgement."""

from __future__ import annotations

from collections.abc import Sequence

from gavel_model.pins import TxPins

_new_tuple = tuple.__new__  # half the time of TxPins(...)


def outgoing_words(words: Sequence[int], empty: int) -> list[TxPins]:
    """The words of a frame as transmit pins; ``empty`` lanes of the last are unused."""
    last = len(words) - 1
    pins = [
        _new_tuple(TxPins, (1, 0, 0, 0, 0, 0, 0, 0, 0, 1, word))
        for word in words
    ]
    pins[0] = _new_tuple(TxPins, (1, 1, 0, 0, 0, 0, 0, 0, 0, 1, words[0]))
    pins[last] = _new_tuple(TxPins, (1, int(not last), 1, 0, empty, 0, 0, 0, 0, 1, words[last]))
    return pins


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
    vc, length
        Virtual channel, and bytes with FCS; 0 in a control frame, which costs no credits.
    sent_at
        Cycle in which its last word was launched for the first time.
    """

    __slots__ = ("length", "marked", "poisoned", "sent_at", "vc", "words")

    def __init__(
        self, words: list[TxPins], marked: bool, poisoned: bool, vc: int = 0, length: int = 0
    ) -> None:
        self.words = words
        self.marked = marked
        self.poisoned = poisoned
        self.vc = vc
        self.length = length
        self.sent_at = 0
