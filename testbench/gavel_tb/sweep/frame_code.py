# SPDX-License-Identifier: Apache-2.0
"""Frames that say what they are: built and taken apart by compiled code, in lanes of 8 bytes.

A tagged Ethernet frame of `gavel_model.frame.build_header`, then from byte 18 on: source port,
destination port, VC (one byte each), length (2 bytes), a zero byte, the frame's number within its
(source, destination, VC) and the cycle of its arrival (8 bytes each), then bytes that follow from
all these, then the FCS. Numbers are little-endian. So a frame can be built again from its own
bytes and compared whole.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gavel_fast import crc32
from gavel_fast.compiled import compiled
from gavel_model.config import FCS_BYTES, SwitchConfig
from gavel_model.frame import PAYLOAD_ETHERTYPE
from gavel_model.profiles import FABRIC_PREFIX
from gavel_tb.sweep.random64 import draw

LANE_BYTES = 8
SOURCE, TARGET, VC, LENGTH, NUMBER, ARRIVAL = range(6)
"""Places in what `decode` writes."""

_PLACE_LANE, _NUMBER_LANE, _ARRIVAL_LANE, _FILL_LANE = 2, 3, 4, 5


def _lane(data: bytes) -> np.uint64:
    return np.uint64(int.from_bytes(data, "little"))


_PREFIX = FABRIC_PREFIX.to_bytes(4, "big")
_LANE_0 = _lane(_PREFIX + bytes(2) + _PREFIX[:2])
_LANE_1 = _lane(_PREFIX[2:] + bytes(2) + b"\x81\0")
_LANE_2 = _lane(PAYLOAD_ETHERTYPE.to_bytes(2, "big"))
_TARGET_AT, _SOURCE_AT, _CLASS_AT = np.uint64(40), np.uint64(24), np.uint64(53)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_BYTE, _LENGTH_MASK = np.uint64(0xFF), np.uint64(0xFFFF)
_16, _24, _32, _40, _64 = (np.uint64(bits) for bits in (16, 24, 32, 40, 64))


def lane_count(config: SwitchConfig) -> int:
    """Lanes of the longest frame, and of one word more."""
    return (config.max_frame_words + 1) * config.word_bytes // LANE_BYTES


@compiled
def fcs_of(lanes: npt.NDArray[np.uint64], length: int) -> np.uint64:
    """CRC-32 of the first ``length`` bytes."""
    register = crc32.FIRST
    whole = length // LANE_BYTES
    for n in range(whole):
        register = crc32.add_lane(register, int(np.int64(lanes[n])))
    rest = length - whole * LANE_BYTES
    if rest:
        register = crc32.add_bytes(register, int(np.int64(lanes[whole])), rest)
    return np.uint64(register ^ crc32.FIRST)


@compiled
def build(lanes: npt.NDArray[np.uint64], key: np.uint64, fields: npt.NDArray[np.int64]) -> None:
    """Writes a frame; unused bytes of its last lane are 0.

    Parameters
    ----------
    key
        Of the run: the bytes behind the arrival follow from it.
    fields
        Source, target, VC, length in bytes with FCS (at least 64), number, arrival.
    """
    source, target = np.uint64(fields[SOURCE]), np.uint64(fields[TARGET])
    vc, length = np.uint64(fields[VC]), fields[LENGTH]
    lanes[0] = _LANE_0 | target << _TARGET_AT
    lanes[1] = _LANE_1 | source << _SOURCE_AT | vc << _CLASS_AT
    lanes[_PLACE_LANE] = (_LANE_2 | source << _16 | target << _24 | vc << _32
                          | np.uint64(length) << _40)
    number = np.uint64(fields[NUMBER])
    lanes[_NUMBER_LANE] = number
    lanes[_ARRIVAL_LANE] = np.uint64(fields[ARRIVAL])
    body = length - FCS_BYTES
    last = (length - 1) // LANE_BYTES
    flow = draw(key, source << _32 | target << _16 | vc) + (number << _16)
    for n in range(_FILL_LANE, last + 1):
        lanes[n] = draw(flow, np.uint64(n))
    full = body // LANE_BYTES
    used = np.uint64(8 * (body - full * LANE_BYTES))
    lanes[full] &= ~(_ALL << used)
    fcs = fcs_of(lanes, body)
    lanes[full] |= fcs << used
    if last > full:
        lanes[last] = fcs >> (_64 - used)


@compiled
def decode(lanes: npt.NDArray[np.uint64], fields: npt.NDArray[np.int64]) -> None:
    """Reads what `build` got; the frame has at least 40 bytes."""
    place = lanes[_PLACE_LANE]
    fields[SOURCE] = np.int64(place >> _16 & _BYTE)
    fields[TARGET] = np.int64(place >> _24 & _BYTE)
    fields[VC] = np.int64(place >> _32 & _BYTE)
    fields[LENGTH] = np.int64(place >> _40 & _LENGTH_MASK)
    fields[NUMBER] = np.int64(lanes[_NUMBER_LANE])
    fields[ARRIVAL] = np.int64(lanes[_ARRIVAL_LANE])
