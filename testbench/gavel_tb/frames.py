# SPDX-License-Identifier: Apache-2.0
"""Frames with a number of their own, and the words that bring them to a port."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import Enum

from gavel_model.config import FCS_BYTES, MIN_FRAME_BYTES, SwitchConfig
from gavel_model.frame import append_fcs, build_header, read_field, split_words, write_field
from gavel_model.pins import RxPins
from gavel_model.profiles import FABRIC_PREFIX, HEADER_BYTES, PROFILE_NAMES, PROFILES, Profile
from gavel_model.register_map import Counter

NUMBER_OFFSET = HEADER_BYTES
"""The frame's number stands right after the bytes that the parser looks at."""

NUMBER_BYTES = 8
_ECN_CAPABLE = (1, 2)
_ECN_CONGESTED = 3


@dataclass(slots=True)
class SentFrame:
    """A frame and what it is meant to be.

    Attributes
    ----------
    number
        Unique in a run; also in the frame's bytes.
    source
        Input port.
    data
        All bytes, FCS included.
    profile
        Header profile it was built for.
    dst, traffic_class
        Header fields.
    reason
        Counter of the fault that was put in, None for a frame without fault.
    """

    number: int
    source: int
    data: bytes
    profile: Profile
    dst: int
    traffic_class: int
    reason: Counter | None = None


class Edit(Enum):
    """What became of a frame in the switch."""

    PLAIN = "nothing but the edits that every frame of its profile gets"
    MARKED = "its ECN field is 11, too"
    WRONG = "something else"


def judge_edit(frame: SentFrame, data: bytes, *, may_mark: bool) -> Edit:
    """Compares what arrived with what may become of a frame: TTL one less where there is one, ECN
    marked where the sender allows it and the input port may mark, a good FCS, and no more."""
    body, profile = plain_body(frame), frame.profile
    if append_fcs(body) == data:
        return Edit.PLAIN
    if may_mark and profile.ecn is not None and read_field(body, profile.ecn) in _ECN_CAPABLE:
        marked = append_fcs(write_field(body, profile.ecn, _ECN_CONGESTED))
        return Edit.MARKED if marked == data else Edit.WRONG
    return Edit.WRONG


def plain_body(frame: SentFrame) -> bytes:
    """The frame without FCS as it leaves the switch unmarked."""
    body, ttl = frame.data[:-FCS_BYTES], frame.profile.ttl
    return body if ttl is None else write_field(body, ttl, read_field(body, ttl) - 1)


class FrameFactory:
    """Builds the frames of one run.

    Parameters
    ----------
    config
        The switch.
    """

    def __init__(self, config: SwitchConfig) -> None:
        self.config = config
        self._number = 0

    def address(self, profile: Profile, identifier: int) -> int:
        """Destination field for an ID."""
        return FABRIC_PREFIX << 16 | identifier if profile.dst.width == 48 else identifier

    def build(
        self,
        rng: random.Random,
        source: int,
        profile_number: int,
        *,
        dst: int,
        size: int,
        traffic_class: int = 0,
        ttl: int | None = None,
        good_fcs: bool = True,
    ) -> SentFrame:
        """A frame of ``size`` bytes, FCS included, with random payload, ECN and flow label."""
        profile = PROFILES[profile_number]
        optional: dict[str, int] = {}
        if profile.ecn is not None:
            optional["ecn"] = rng.randrange(4)
        if profile.flow_label is not None:
            optional["flow_label"] = rng.getrandbits(profile.flow_label.width)
        if profile.ttl is not None:
            optional["ttl"] = rng.randrange(2, 1 << profile.ttl.width) if ttl is None else ttl
        number = self._number
        self._number += 1
        header = build_header(
            PROFILE_NAMES[profile_number],
            dst=dst,
            src=self.address(profile, source),
            traffic_class=traffic_class,
            esun_ethertype=self.config.esun_ethertype,
            **optional,
        )
        body = header + rng.randbytes(NUMBER_OFFSET - len(header))
        body += number.to_bytes(NUMBER_BYTES, "big")
        fill = size - FCS_BYTES - len(body)
        body = body + rng.randbytes(fill) if fill > 0 else body[: max(0, size - FCS_BYTES)]
        data = append_fcs(body)[:size]
        if not good_fcs:
            data = spoil(rng, data)
        return SentFrame(number, source, data, profile, dst, traffic_class)

    def replace(self, frame: SentFrame, data: bytes, reason: Counter | None) -> SentFrame:
        """The frame with other bytes."""
        return SentFrame(
            frame.number, frame.source, data, frame.profile, frame.dst, frame.traffic_class, reason
        )


def spoil(rng: random.Random, data: bytes) -> bytes:
    """Changes one bit of the last 32 bytes, which no header reaches: the FCS is then wrong."""
    at = len(data) - 1 - rng.randrange(min(len(data), MIN_FRAME_BYTES // 2))
    return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]


def frame_words(
    config: SwitchConfig, data: bytes, rng: random.Random | None = None
) -> list[RxPins]:
    """Receive words of a frame.

    With ``rng`` everything that the switch must ignore holds noise: unused lanes of the last
    word, ``empty`` of other words, and the members that LLR will use.
    """
    size = config.word_bytes
    values = split_words(data, size)
    empty = -len(data) % size
    last = len(values) - 1
    if rng is None:
        return [
            RxPins(1, int(n == 0), int(n == last), 0, empty if n == last else 0, 0, 0, 0, 0, 1, v)
            for n, v in enumerate(values)
        ]
    if empty:
        values[last] |= rng.getrandbits(8 * empty) << (8 * (size - empty))
    llr, seq = rng.getrandbits(1), rng.getrandbits(20)
    noise = rng.randrange(size)
    return [
        RxPins(1, int(n == 0), int(n == last), 0, empty if n == last else noise, llr, seq, 0, 0,
               1, v)
        for n, v in enumerate(values)
    ]
