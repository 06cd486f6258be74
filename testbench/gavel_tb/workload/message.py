# SPDX-License-Identifier: Apache-2.0
"""Messages cut into frames, and the check of a received frame by its own content.

Frame: header of the profile, message header, message bytes, zeros up to 60 bytes, FCS. The
message header (24 bytes, big-endian, ours) holds source rank (2), destination rank (2), message
number of the source (4), tag (4), total bytes (4), offset (4), bytes in this frame (2), and a
sequence number of the flow (2), a flow being (source, destination, class).
"""

from __future__ import annotations

import random
import struct
import zlib
from typing import NamedTuple

from gavel_model.config import FCS_BYTES, MIN_FRAME_BYTES, SwitchConfig
from gavel_model.frame import append_fcs, build_header, split_words
from gavel_model.pins import RxPins
from gavel_model.profiles import FABRIC_PREFIX, PROFILE_NAMES, PROFILES
from gavel_tb.workload.errors import DeliveryError, WorkloadError

MESSAGE_HEADER = struct.Struct(">HHIIIIHH")
SEQUENCE_MASK = 0xFFFF
DEFAULT_MTU = 1024
"""Message bytes in one frame unless the frame is limited to less."""

ECN_CAPABLE, ECN_MARKED = 2, 3
INITIAL_TTL = 15
_PATTERN_SIZE = 1 << 16


class MessageHeader(NamedTuple):
    """Fields of the message header in wire order; sizes and offsets in bytes."""

    src: int
    dst: int
    message: int
    tag: int
    total: int
    offset: int
    length: int
    sequence: int


class FrameFormat:
    """Builds and checks the frames of one run.

    Parameters
    ----------
    config
        Gives profile, word width and longest frame.
    mtu
        Message bytes in one frame; None: `DEFAULT_MTU` or what the longest frame holds.
    seed
        Of the message bytes.

    Raises
    ------
    WorkloadError
        If a frame with ``mtu`` message bytes would be longer than ``max_frame_bytes``.
    """

    receiver = "port"
    """What a received frame is checked at, for people."""

    def __init__(self, config: SwitchConfig, mtu: int | None = None, seed: int = 1) -> None:
        self.config = config
        self._profile = PROFILES[PROFILE_NAMES.index(config.profile)]
        self._sent: dict[tuple[int, int, int], bytes] = {}
        self._expected: dict[tuple[int, int, int], tuple[bytes, ...]] = {}
        # Enough random bytes that every message offset can begin at its own place.
        table = random.Random(f"message pattern/{seed}").randbytes(_PATTERN_SIZE)
        self._pattern = table + table[: config.max_frame_bytes]
        self.header_bytes = len(self._header(0, 0, 0))
        self.overhead_bytes = self.header_bytes + MESSAGE_HEADER.size + FCS_BYTES
        room = config.max_frame_bytes - self.overhead_bytes
        if mtu is None:
            mtu = min(DEFAULT_MTU, room)
        if not 1 <= mtu <= room:
            raise WorkloadError(
                f"mtu = {mtu}: must be in 1...{room} bytes, so that a frame with "
                f"{self.overhead_bytes} bytes of headers fits max_frame_bytes = "
                f"{config.max_frame_bytes}"
            )
        self.mtu = mtu

    def frame_bytes(self, length: int) -> int:
        """Bytes of a frame that carries ``length`` message bytes."""
        return max(MIN_FRAME_BYTES, self.overhead_bytes + length)

    def frame_cells(self, length: int) -> int:
        """Buffer cells of that frame."""
        return -(-self.frame_bytes(length) // self.config.cell_bytes)

    def build(self, header: MessageHeader, traffic: int) -> bytes:
        """The frame, FCS included."""
        key = (header.src, header.dst, traffic)
        front = self._sent.get(key)
        if front is None:
            front = self._sent[key] = self._header(*key)
        return self._assemble(front, header)

    def _assemble(self, front: bytes, header: MessageHeader) -> bytes:
        body = front + MESSAGE_HEADER.pack(*header) + self._payload(header)
        body = body.ljust(MIN_FRAME_BYTES - FCS_BYTES, b"\0")
        return append_fcs(body)

    def words(self, frame: bytes) -> list[RxPins]:
        """The frame as receive pins, the last word first (so that ``pop`` gives the next)."""
        size = self.config.word_bytes
        words = split_words(frame, size)
        words.reverse()
        pins = [RxPins(1, 0, 0, 0, 0, 0, 0, 0, 0, 1, word) for word in words]
        pins[0] = pins[0]._replace(eop=1, empty=len(words) * size - len(frame))
        pins[-1] = pins[-1]._replace(sop=1)
        return pins

    def check(self, frame: bytes, port: int) -> tuple[MessageHeader, int]:
        """Checks a received frame alone; returns its message header and traffic class.

        Raises
        ------
        DeliveryError
            Bad FCS, wrong port, or header, payload or padding not as they were sent (TTL one
            less, and ECN marked, are as they must be).
        """
        here = f"{self.receiver} {port}: a frame of {len(frame)} bytes"
        if len(frame) < MIN_FRAME_BYTES:
            raise DeliveryError(f"{here} is shorter than {MIN_FRAME_BYTES}")
        if zlib.crc32(frame[:-FCS_BYTES]) != int.from_bytes(frame[-FCS_BYTES:], "little"):
            raise DeliveryError(f"{here} has a wrong FCS")
        start = self.header_bytes
        header = MessageHeader(*MESSAGE_HEADER.unpack_from(frame, start))
        if header.dst != port:
            raise DeliveryError(
                f"{here}, message {header.message} of rank {header.src} for rank {header.dst}, "
                f"came to the wrong {self.receiver}"
            )
        traffic = self._traffic_of(frame[:start], header.src, header.dst)
        if traffic is None:
            raise DeliveryError(f"{here} from rank {header.src} has a changed header")
        if len(frame) != self.frame_bytes(header.length):
            raise DeliveryError(f"{here} carries {header.length} message bytes: wrong length")
        start += MESSAGE_HEADER.size
        end = start + header.length
        if frame[start:end] != self._payload(header) or any(frame[end:-FCS_BYTES]):
            raise DeliveryError(
                f"{here}, message {header.message} of rank {header.src}, offset "
                f"{header.offset}, has changed payload"
            )
        return header, traffic

    def _payload(self, header: MessageHeader) -> bytes:
        place = header.src * 40503 + header.message * 30011 + header.offset & _PATTERN_SIZE - 1
        return self._pattern[place : place + header.length]

    def _traffic_of(self, front: bytes, src: int, dst: int) -> int | None:
        for traffic in range(4):
            key = (src, dst, traffic)
            allowed = self._expected.get(key)
            if allowed is None:
                allowed = self._expected[key] = self._allowed(*key)
            if front in allowed:
                return traffic
        return None

    def _allowed(self, src: int, dst: int, traffic: int) -> tuple[bytes, ...]:
        plain = self._header(src, dst, traffic, ttl=INITIAL_TTL - 1)
        if self._profile.ecn is None:
            return (plain,)
        return plain, self._header(src, dst, traffic, ttl=INITIAL_TTL - 1, ecn=ECN_MARKED)

    def _header(
        self, src: int, dst: int, traffic: int, *, ttl: int = INITIAL_TTL, ecn: int = ECN_CAPABLE
    ) -> bytes:
        profile = self._profile
        wide = profile.dst.width == 48
        base = FABRIC_PREFIX << 16 if wide else 0
        return build_header(
            profile.name,
            dst=base + dst,
            src=base + src,
            traffic_class=traffic,
            ecn=ecn if profile.ecn else 0,
            flow_label=0,
            ttl=ttl if profile.ttl else 0,
            esun_ethertype=self.config.esun_ethertype,
        )
