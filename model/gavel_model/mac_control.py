# SPDX-License-Identifier: Apache-2.0
"""MAC Control frames: the one place where they are made and read (docs/flow_control.md).

Sources: IEEE 802.3 annex 31, 802.1Qbb (PFC), UEC 1.0.x as its implementers describe it
(CC_Update; the order of the bits of its counts is ours).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gavel_model.config import FCS_BYTES, MIN_FRAME_BYTES
from gavel_model.frame import append_fcs

MAC_CONTROL_ADDRESS = 0x0180C2000001
"""Destination of MAC Control frames."""

MAC_CONTROL_ETHERTYPE = 0x8808

OPCODE_OFFSET = 14
"""First byte of the opcode, of two bytes."""

PFC_OPCODE = 0x0101

CC_UPDATE_OPCODE = 0xFFFE
"""MAC Control extension."""

CC_UPDATE_MESSAGE = 0xFA7ACB01
"""What follows the opcode in a CC_Update of VC 0...15: company ID of UEC, message number."""

MESSAGE_OFFSET = 16
MESSAGE_BYTES = 4

CC_OFFSET = 20
"""First byte of the counts of a CC_Update, one big-endian bit string, VC 0 first."""

CC_BITS = 20
CC_VCS = 16

PFC_VECTOR_OFFSET = 16
"""First byte of the class-enable vector, of two bytes; bit n = class n."""

PFC_TIMES_OFFSET = 18
PFC_TIME_BITS = 16
PFC_CLASSES = 8

_BODY_BYTES = MIN_FRAME_BYTES - FCS_BYTES
_CC_BYTES = CC_VCS * CC_BITS // 8
_CC_LIMIT = (1 << CC_BITS) - 1


class CreditCounts(NamedTuple):
    """A CC_Update: credits consumed so far, of VC 0...15."""

    consumed: tuple[int, ...]


class Pause(NamedTuple):
    """A PFC frame.

    Attributes
    ----------
    enabled
        Class-enable vector, bit n = class n.
    times
        Of the eight classes, in quanta of 512 bit times; 0 resumes.
    """

    enabled: int
    times: tuple[int, ...]


def cc_update_frame(source: int, consumed: Sequence[int]) -> bytes:
    """The 64 bytes of a CC_Update, FCS included.

    Parameters
    ----------
    source
        48-bit address of the sender.
    consumed
        20-bit counts of VC 0 and up, at most 16; what is left out is 0.

    Raises
    ------
    ValueError
        For more counts, or one that does not fit.
    """
    if len(consumed) > CC_VCS:
        raise ValueError(f"consumed has {len(consumed)} counts: must be at most {CC_VCS}")
    bits = 0
    for count in (*consumed, *[0] * (CC_VCS - len(consumed))):
        if not 0 <= count <= _CC_LIMIT:
            raise ValueError(f"count = {count}: must be in 0...{_CC_LIMIT}")
        bits = bits << CC_BITS | count
    message = CC_UPDATE_MESSAGE.to_bytes(MESSAGE_BYTES, "big")
    return _frame(source, CC_UPDATE_OPCODE, message + bits.to_bytes(_CC_BYTES, "big"))


def pfc_frame(source: int, enabled: int, times: Sequence[int]) -> bytes:
    """The 64 bytes of a PFC frame, FCS included.

    Parameters
    ----------
    source
        48-bit address of the sender.
    enabled
        Class-enable vector, 0...255.
    times
        Quanta of the eight classes, 0...65535 each.

    Raises
    ------
    ValueError
        For another number of times, or a value that does not fit.
    """
    if len(times) != PFC_CLASSES:
        raise ValueError(f"{len(times)} times: must be {PFC_CLASSES}")
    if not 0 <= enabled < 1 << PFC_CLASSES:
        raise ValueError(f"enabled = {enabled}: must be in 0...{(1 << PFC_CLASSES) - 1}")
    content = enabled.to_bytes(2, "big")
    for time in times:
        if not 0 <= time < 1 << PFC_TIME_BITS:
            raise ValueError(f"time = {time}: must be in 0...{(1 << PFC_TIME_BITS) - 1}")
        content += time.to_bytes(2, "big")
    return _frame(source, PFC_OPCODE, content)


def decode(data: bytes) -> CreditCounts | Pause | None:
    """What a MAC Control frame of 64 bytes or more says; None if it is neither of the two.

    Parameters
    ----------
    data
        The frame; its address, EtherType and FCS have been looked at before.
    """
    opcode = int.from_bytes(data[OPCODE_OFFSET:OPCODE_OFFSET + 2], "big")
    if opcode == PFC_OPCODE:
        enabled = int.from_bytes(data[PFC_VECTOR_OFFSET:PFC_TIMES_OFFSET], "big")
        times = tuple(
            int.from_bytes(data[place:place + 2], "big")
            for place in range(PFC_TIMES_OFFSET, PFC_TIMES_OFFSET + 2 * PFC_CLASSES, 2)
        )
        return Pause(enabled & (1 << PFC_CLASSES) - 1, times)
    message = int.from_bytes(data[MESSAGE_OFFSET:MESSAGE_OFFSET + MESSAGE_BYTES], "big")
    if opcode != CC_UPDATE_OPCODE or message != CC_UPDATE_MESSAGE:
        return None
    bits = int.from_bytes(data[CC_OFFSET:CC_OFFSET + _CC_BYTES], "big")
    return CreditCounts(tuple(
        bits >> CC_BITS * (CC_VCS - 1 - vc) & _CC_LIMIT for vc in range(CC_VCS)
    ))


def _frame(source: int, opcode: int, content: bytes) -> bytes:
    body = (MAC_CONTROL_ADDRESS.to_bytes(6, "big") + source.to_bytes(6, "big")
            + MAC_CONTROL_ETHERTYPE.to_bytes(2, "big") + opcode.to_bytes(2, "big") + content)
    return append_fcs(body.ljust(_BODY_BYTES, b"\0"))
