# SPDX-License-Identifier: Apache-2.0
"""Which frame of an input came first, for one queue per input (docs/spec.md, IngressBuffer)."""

from __future__ import annotations

from collections import deque


class HeadOrder:
    """VOQ numbers of the frames of one input that no match has taken, in the order of filing."""

    __slots__ = ("_voqs",)

    def __init__(self) -> None:
        self._voqs: deque[int] = deque()

    @property
    def head(self) -> int | None:
        """VOQ of the frame that was filed first, None if there is no frame."""
        return self._voqs[0] if self._voqs else None

    def file(self, voq: int) -> bool:
        """A frame is filed; returns whether it is the head."""
        self._voqs.append(voq)
        return len(self._voqs) == 1

    def take(self, voq: int) -> None:
        """The head is taken out of its VOQ.

        Raises
        ------
        ValueError
            If the head is not in that VOQ.
        """
        if self.head != voq:
            raise ValueError(f"a frame of VOQ {voq} is taken while the head is in {self.head}")
        self._voqs.popleft()
