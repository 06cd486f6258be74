# SPDX-License-Identifier: Apache-2.0
"""Frames of a fabric: those of a workload, addressed by a way."""

from __future__ import annotations

from gavel_model.config import SwitchConfig
from gavel_model.frame import build_header, read_field
from gavel_model.profiles import FABRIC_PREFIX
from gavel_tb.fabric.network import Network
from gavel_tb.workload.message import (
    ECN_CAPABLE,
    ECN_MARKED,
    INITIAL_TTL,
    FrameFormat,
    MessageHeader,
)

_ID_MASK = 0xFFFF
_MOST_KEPT = 1 << 16
"""Headers that are kept; an all-to-all of a thousand ranks has a million."""


class FabricFrames(FrameFormat):
    """Builds and checks frames; the destination of the header is the ID of rank and way.

    Parameters
    ----------
    config
        Gives profile, word width and longest frame, the same at every switch.
    network
        Gives the IDs, and how many switches take one off the TTL.
    mtu, seed
        As `FrameFormat`.
    """

    receiver = "rank"

    def __init__(
        self, config: SwitchConfig, network: Network, mtu: int | None = None, seed: int = 1
    ) -> None:
        super().__init__(config, mtu, seed)
        self._network = network
        self._fronts: dict[tuple[int, int, int, int], bytes] = {}
        self._good: dict[bytes, tuple[int, int, int]] = {}

    def message_words(self, size: int) -> tuple[int, int]:
        """Words of all frames of a message of ``size`` bytes, and of the last of them."""
        word = self.config.word_bytes
        full = max(0, size - 1) // self.mtu
        last = -(-self.frame_bytes(size - full * self.mtu) // word)
        return full * -(-self.frame_bytes(self.mtu) // word) + last, last

    def build_for(self, header: MessageHeader, traffic: int, way: int) -> bytes:
        """The frame, FCS included, that goes by one of `Network.ways_between`."""
        key = header.src, header.dst, traffic, way
        front = self._fronts.get(key)
        if front is None:
            if len(self._fronts) >= _MOST_KEPT:
                self._fronts.clear()
            front = self._fronts[key] = self._fabric_header(*key, ttl=INITIAL_TTL)
        return self._assemble(front, header)

    def _traffic_of(self, front: bytes, src: int, dst: int) -> int | None:
        known = self._good.get(front)
        if known is None:
            known = self._read(front, src, dst)
            if known is None:
                return None
            if len(self._good) >= _MOST_KEPT:
                self._good.clear()
            self._good[front] = known
        traffic, good_src, good_dst = known
        return traffic if (good_src, good_dst) == (src, dst) else None

    def _read(self, front: bytes, src: int, dst: int) -> tuple[int, int, int] | None:
        """Class, source and destination of a header that is as it was sent, but for what switches
        change."""
        network, profile = self._network, self._profile
        if not (src < network.accelerators and dst < network.accelerators):
            return None
        traffic = read_field(front, profile.traffic_class)
        number = read_field(front, profile.dst) & _ID_MASK
        way = 0 if network.leaf_of is None else number // network.accelerators
        if way >= network.ways_between(src, dst):
            return None
        ttl = INITIAL_TTL - network.hops(src, dst)
        allowed = [self._fabric_header(src, dst, traffic, way, ttl=ttl, ecn=ecn)
                   for ecn in (ECN_CAPABLE, ECN_MARKED)]
        return (traffic, src, dst) if front in allowed else None

    def _fabric_header(
        self, src: int, dst: int, traffic: int, way: int, *, ttl: int, ecn: int = ECN_CAPABLE
    ) -> bytes:
        profile = self._profile
        base = FABRIC_PREFIX << 16 if profile.dst.width == 48 else 0
        return build_header(
            profile.name, dst=base + self._network.address(dst, way), src=base + src,
            traffic_class=traffic, ecn=ecn if profile.ecn else 0, flow_label=0,
            ttl=ttl if profile.ttl else 0, esun_ethertype=self.config.esun_ethertype,
        )
