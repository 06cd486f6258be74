# SPDX-License-Identifier: Apache-2.0
"""What two ends of a link have agreed about flow control, seen from one of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from gavel_model.config import CELL_BYTES, MAX_VCS
from gavel_model.mac_control import (
    MAC_CONTROL_ADDRESS,
    MAC_CONTROL_ETHERTYPE,
    OPCODE_OFFSET,
    PFC_CLASSES,
)

VcOf = Callable[[bytes], int]
"""The VC of a frame, FCS included, that is no MAC Control frame."""

_HEAD = MAC_CONTROL_ADDRESS.to_bytes(6, "big")
_TYPE = MAC_CONTROL_ETHERTYPE.to_bytes(2, "big")
_TYPE_OFFSET = OPCODE_OFFSET - len(_TYPE)


def is_mac_control(data: bytes) -> bool:
    """Whether a frame is a MAC Control frame."""
    return data.startswith(_HEAD) and data[_TYPE_OFFSET:OPCODE_OFFSET] == _TYPE


def cells_of(length: int) -> int:
    """Buffer cells of a frame of ``length`` bytes."""
    return -(-length // CELL_BYTES)


@dataclass(frozen=True)
class CreditSize:
    """What one credit stands for, bytes: a frame of n bytes costs ceil((n + overhead) / size)."""

    size: int = CELL_BYTES
    overhead: int = 0

    def credits(self, length: int) -> int:
        """Credits of a frame of ``length`` bytes."""
        return -(-(length + self.overhead) // self.size)


@dataclass(frozen=True, kw_only=True)
class BufferLimits:
    """What one end's buffer holds.

    Attributes
    ----------
    unit
        Of the credits.
    per_vc
        Credits of each VC.
    total
        Credits of all VCs together, which then take the place of those of each; 0: per VC.
    """

    unit: CreditSize
    per_vc: tuple[int, ...]
    total: int = 0

    def of(self, vc: int) -> int:
        """The limit in force for a VC, credits."""
        return self.total or self.per_vc[vc]


@dataclass(frozen=True, kw_only=True)
class FlowSettings:
    """Flow control of one end.

    Attributes
    ----------
    vcs
        Virtual channels; class n is on VC n mod ``vcs``, as after reset of a switch.
    credited
        Mask of the VCs with credits, in both directions.
    own, peer
        What the buffer of this end, and that of the other end, hold.
    cf_min, cf_max
        Bytes of line time between two CF_Updates.
    cc_period
        Cycles between two CC_Updates; 0: none but those that a new beginning needs.
    pause_receive, pause_send
        Masks of the VCs that are paused by PFC, and for which PFC is sent.
    xoff, xon
        Cells of one VC in the own buffer at which its pause begins and ends.
    pause_time
        Quanta that are asked for.
    address
        48-bit source address of MAC Control frames.

    Raises
    ------
    ValueError
        Names the setting, its value, and what it may be.
    """

    vcs: int
    credited: int = 0
    own: BufferLimits
    peer: BufferLimits
    cf_min: int = 800
    cf_max: int = 6400
    cc_period: int = 4000
    pause_receive: int = 0
    pause_send: int = 0
    xoff: int = 1 << 16
    xon: int = 0
    pause_time: int = 0xFFFF
    address: int = 0x0200_0000_0100

    def __post_init__(self) -> None:
        if not 1 <= self.vcs <= MAX_VCS:
            raise ValueError(f"vcs = {self.vcs}: must be in 1...{MAX_VCS}")
        for name in ("credited", "pause_receive", "pause_send"):
            if getattr(self, name) >> self.vcs:
                raise ValueError(f"{name} = {getattr(self, name):#x}: must name VCs below "
                                 f"vcs = {self.vcs}")
        for name in ("own", "peer"):
            if len(getattr(self, name).per_vc) != self.vcs:
                raise ValueError(f"{name}: must have a limit for each of {self.vcs} VCs")
        if not 0 <= self.xon < self.xoff:
            raise ValueError(f"xon = {self.xon}: must be in 0...{self.xoff - 1}, below xoff")

    def other_end(self, address: int) -> FlowSettings:
        """The same agreement from the other end, which has an address of its own."""
        return replace(self, own=self.peer, peer=self.own, pause_receive=self.pause_send,
                       pause_send=self.pause_receive, address=address)

    def vc_of_class(self, traffic_class: int) -> int:
        """VC of a class."""
        return traffic_class % self.vcs

    def classes(self, vcs: int) -> int:
        """Mask of the classes of a mask of VCs."""
        return sum(1 << n for n in range(PFC_CLASSES) if vcs >> self.vc_of_class(n) & 1)

    @property
    def channels(self) -> tuple[int, ...]:
        """The VCs with credits."""
        return tuple(vc for vc in range(self.vcs) if self.credited >> vc & 1)
