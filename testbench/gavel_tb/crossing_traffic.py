# SPDX-License-Identifier: Apache-2.0
"""Frames and ordered sets for the bench of the crossings, and what comes of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from gavel_model.config import SwitchConfig
from gavel_model.frame import append_fcs, split_words
from gavel_model.pins import CTL_BITS, SEQ_BITS
from gavel_tb.stimulus import CheckError

_QUIET = 10
"""Cycles after reset in which nothing is sent, as a switch does: the port's ``up`` must cross."""

Item = tuple[str, Any]
"""A frame, as ("frame", (llr, seq, bytes)), or a control ordered set, as ("set", D1...D7)."""


@dataclass
class Source:
    """Frames and sets on transmit pins.

    Attributes
    ----------
    sent
        What has been taken: sets, and frames of which the last word has been.
    """

    config: SwitchConfig
    rng: Random
    left: int
    sent: list[Item] = field(default_factory=list)
    _words: deque[dict[str, int]] = field(default_factory=deque)
    _frame: Item = ("", None)
    _ctl: int | None = None
    _gap: int = _QUIET

    def pins(self) -> dict[str, int]:
        """Pins of the cycle."""
        rng = self.rng
        if not self._words and self.left and not self._gap:
            self.left -= 1
            self._begin()
            self._gap = rng.choice((0, 0, 0, 5, 40))
        elif not self._words:
            self._gap = max(0, self._gap - 1)
        if self._ctl is None and self._has_sets and self.left and rng.random() < 0.1:
            self._ctl = rng.getrandbits(CTL_BITS)
        word = self._words[0] if self._words else dict.fromkeys(
            ("valid", "sop", "eop", "empty", "llr", "seq", "data"), 0)
        return {**word, "up": 1, "ctl_valid": int(self._ctl is not None), "ctl": self._ctl or 0}

    @property
    def _has_sets(self) -> bool:
        return self.config.mac == "preamble" and self._frame[0] != ""

    def _begin(self) -> None:
        rng, lanes = self.rng, self.config.word_bytes
        eligible = int(self.config.mac == "preamble" and rng.random() < 0.5)
        seq = rng.getrandbits(SEQ_BITS) if eligible else 0
        length = rng.choice((5, lanes, 2 * lanes, 64, 65, 256)) if rng.random() < 0.7 \
            else rng.randrange(5, 300)
        data = append_fcs(rng.randbytes(length - 4))
        words = split_words(data, lanes)
        self._frame = ("frame", (eligible, seq, data))
        last = len(words) - 1
        for n, word in enumerate(words):
            self._words.append({
                "valid": 1, "sop": int(n == 0), "eop": int(n == last), "data": word,
                "empty": -length % lanes if n == last else 0,
                "llr": eligible if n == 0 else 0, "seq": seq if n == 0 else 0})

    def take(self, ready: bool, ctl_ready: bool) -> None:
        """Ends the cycle with these pins."""
        if self._words and ready and self._words.popleft()["eop"]:
            self.sent.append(self._frame)
        if self._ctl is not None and ctl_ready:
            self.sent.append(("set", self._ctl))
            self._ctl = None

    def forget(self) -> None:
        """The switch was reset."""
        self._words.clear()
        self._ctl = None


@dataclass
class Sink:
    """What comes on receive pins.

    Attributes
    ----------
    good
        Sets, and frames without ``err``.
    bad
        Frames with ``err`` or without an end, and words without a frame.
    """

    config: SwitchConfig
    good: list[Item] = field(default_factory=list)
    bad: int = 0
    _open: bool = False
    _err: int = 0
    _head: tuple[int, int] = (0, 0)
    _data: bytes = b""

    def step(self, ctx: Any, link: Any) -> None:
        """Looks at the pins of the cycle."""
        if ctx.get(link.valid):
            self._word(ctx, link)
        if ctx.get(link.ctl_valid):
            self.good.append(("set", int(ctx.get(link.ctl))))

    def _word(self, ctx: Any, link: Any) -> None:
        word = {name: int(ctx.get(getattr(link, name)))
                for name in ("sop", "eop", "err", "empty", "llr", "seq", "data")}
        if word["sop"]:
            self.bad += self._open
            self._open, self._err, self._data = True, 0, b""
            self._head = (word["llr"], word["seq"])
        elif not self._open:
            self.bad += 1
            return
        lanes = self.config.word_bytes
        self._err |= word["err"]
        self._data += word["data"].to_bytes(lanes, "little")[:lanes - word["empty"]
                                                              if word["eop"] else lanes]
        if word["eop"]:
            self._open = False
            if self._err:
                self.bad += 1
            else:
                self.good.append(("frame", (*self._head, self._data)))


def expect_some(found: Iterable[Item], sent: Iterable[Item]) -> None:
    """Checks that all of ``found`` was sent, in this order.

    Raises
    ------
    CheckError
        If it was not.
    """
    remaining = iter(sent)
    for item in found:
        if item not in remaining:
            raise CheckError(f"a {item[0]} has come back that was not sent, or out of order")
