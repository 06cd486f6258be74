# SPDX-License-Identifier: Apache-2.0
"""Frames that must not be forwarded, and disturbances of a link."""

from __future__ import annotations

import random
from collections.abc import Callable

from gavel_model.config import MIN_FRAME_BYTES, SwitchConfig
from gavel_model.frame import append_fcs, read_field, write_field
from gavel_model.mac_control import MAC_CONTROL_ADDRESS, MAC_CONTROL_ETHERTYPE
from gavel_model.pins import CTL_BITS, IDLE, RxPins
from gavel_model.profiles import PROFILES
from gavel_model.register_map import Counter
from gavel_tb.frames import FrameFactory, SentFrame, frame_words

_DOWN_CYCLES = 6
_STRAY_WORDS = 4


class FaultyInput:
    """Makes faulty frames for one port.

    Parameters
    ----------
    config
        The switch.
    factory
        Gives numbers to the frames.
    rng
        This port's generator.
    """

    def __init__(self, config: SwitchConfig, factory: FrameFactory, rng: random.Random) -> None:
        self.config = config
        self._factory = factory
        self._rng = rng
        self._kinds: tuple[Callable[[SentFrame], tuple[SentFrame | None, list[RxPins]]], ...] = (
            self._bad_fcs,
            self._error,
            self._undersize,
            self._oversize,
            self._unknown_destination,
            self._malformed_header,
            self._expired,
            self._mac_control,
            self._no_end,
            self._stray,
            self._link_down,
            self._idle_down,
        )

    def make(self, good: SentFrame) -> tuple[SentFrame | None, list[RxPins]]:
        """A fault of a random kind, made from a frame that has none.

        Returns
        -------
        The frame that begins with the first of the words that has ``sop``, and the words.
        """
        return self._rng.choice(self._kinds)(good)

    def _sent(
        self, good: SentFrame, data: bytes, reason: Counter | None
    ) -> tuple[SentFrame, list[RxPins]]:
        frame = self._factory.replace(good, data, reason)
        return frame, frame_words(self.config, data, self._rng)

    def _bad_fcs(self, good: SentFrame) -> tuple[SentFrame, list[RxPins]]:
        at = self._rng.randrange(32, len(good.data))
        flipped = good.data[at] ^ 1 << self._rng.randrange(8)
        data = good.data[:at] + bytes([flipped]) + good.data[at + 1 :]
        return self._sent(good, data, Counter.RX_FCS)

    def _error(self, good: SentFrame) -> tuple[SentFrame, list[RxPins]]:
        frame, words = self._sent(good, good.data, Counter.RX_ERR)
        at = self._rng.randrange(len(words))
        words[at] = words[at]._replace(err=1)
        return frame, words

    def _undersize(self, good: SentFrame) -> tuple[SentFrame, list[RxPins]]:
        size = self._rng.choice((1, 4, 5, 59, 60, 63, self._rng.randrange(5, MIN_FRAME_BYTES)))
        data = append_fcs(good.data[: max(0, size - 4)])[:size]
        return self._sent(good, data, Counter.RX_UNDERSIZE)

    def _oversize(self, good: SentFrame) -> tuple[SentFrame, list[RxPins]]:
        limit = self.config.max_frame_bytes
        size = limit + self._rng.choice((1, 2, self.config.word_bytes, 3 * self.config.word_bytes))
        body = good.data[:-4]
        body += self._rng.randbytes(size - 4 - len(body))
        return self._sent(good, append_fcs(body), Counter.RX_OVERSIZE)

    def _unknown_destination(self, good: SentFrame) -> tuple[SentFrame, list[RxPins]]:
        rng, field = self._rng, good.profile.dst
        if field.width == 48:
            # Unicast, and now and then an ID beyond the table.
            dst = rng.choice((rng.getrandbits(48) & ~(1 << 40), 0x0200_0000_FFFF))
        else:
            dst = rng.choice((self.config.id_entries, self.config.id_entries - 1,
                              (1 << field.width) - 1))
            dst &= (1 << field.width) - 1
        data = append_fcs(write_field(good.data[:-4], field, dst))
        frame, words = self._sent(good, data, None)
        frame.dst = dst
        return frame, words

    def _malformed_header(self, good: SentFrame) -> tuple[SentFrame, list[RxPins]]:
        condition = self._rng.choice(good.profile.match)
        field = condition.field
        right = read_field(good.data, field)
        wrong = right ^ self._rng.randrange(1, 1 << field.width)
        data = append_fcs(write_field(good.data[:-4], field, wrong))
        return self._sent(good, data, Counter.RX_HEADER)

    def _expired(self, good: SentFrame) -> tuple[SentFrame, list[RxPins]]:
        field = good.profile.ttl
        if field is None:
            return self._malformed_header(good)
        data = append_fcs(write_field(good.data[:-4], field, self._rng.randrange(2)))
        return self._sent(good, data, Counter.RX_TTL)

    def _mac_control(self, good: SentFrame) -> tuple[SentFrame, list[RxPins]]:
        ethernet = PROFILES[0]
        body = write_field(good.data[:-4], ethernet.dst, MAC_CONTROL_ADDRESS)
        body = body[:12] + MAC_CONTROL_ETHERTYPE.to_bytes(2, "big") + body[14:]
        return self._sent(good, append_fcs(body), Counter.RX_MAC_CONTROL)

    def _no_end(self, good: SentFrame) -> tuple[SentFrame, list[RxPins]]:
        frame, words = self._sent(good, good.data, None)
        return frame, [word._replace(eop=0) for word in words[: self._cut(words)]]

    def _stray(self, good: SentFrame) -> tuple[None, list[RxPins]]:
        words = frame_words(self.config, good.data, self._rng)[:_STRAY_WORDS]
        return None, [word._replace(sop=0, eop=self._rng.getrandbits(1)) for word in words]

    def _link_down(self, good: SentFrame) -> tuple[SentFrame, list[RxPins]]:
        frame, words = self._sent(good, good.data, None)
        at = self._cut(words)
        lost = self._rng.randrange(_DOWN_CYCLES)
        down = [word._replace(up=0) for word in words[at : at + lost]] or [IDLE._replace(up=0)]
        return frame, words[:at] + down + words[at + lost :]

    def _idle_down(self, good: SentFrame) -> tuple[None, list[RxPins]]:
        return None, [IDLE._replace(up=0)] * self._rng.randrange(1, _DOWN_CYCLES)

    def _cut(self, words: list[RxPins]) -> int:
        """Words before a cut: at least one, and one missing where there is more than one."""
        return self._rng.randrange(1, len(words)) if len(words) > 1 else 1


def control_set(rng: random.Random, pins: RxPins) -> RxPins:
    """The pins with a control ordered set beside the word."""
    return pins._replace(ctl_valid=1, ctl=rng.getrandbits(CTL_BITS))
