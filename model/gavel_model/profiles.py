# SPDX-License-Identifier: Apache-2.0
"""Header profiles as data: what to recognise, and where each field lies.

Offsets count bits from the first bit of the frame as drawn in the standards: bit 0 is the most
significant bit of byte 0. A new header is a new row of `PROFILES`, not new logic.

Sources: Ethernet, IEEE 802.3 and 802.1Q. ESUN header from the public dissector and test-plan
descriptions. AFH-12 byte positions from the SONiC scale-up architecture document; the packing of
AFH-12/16 bytes 1...3 and 7...9, the byte order of AFH-6, the meaning of flags W and V, and the
class fields of AFH-12/32, AFH-6 and UFH are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

HEADER_BYTES = 24
"""Bytes of a frame that the parser sees; every field of every profile ends within them."""


class Field(NamedTuple):
    """A run of bits: ``offset`` of its first (most significant) bit, and ``width``, in bits."""

    offset: int
    width: int


class Match(NamedTuple):
    """A condition: the bits of ``field`` equal ``value``.

    ``value`` None stands for register ``ESUN_ETHERTYPE``.
    """

    field: Field
    value: int | None


@dataclass(frozen=True, kw_only=True)
class Profile:
    """One header format.

    Attributes
    ----------
    name
        What the config and the command line call it.
    match
        All conditions must hold, or the frame is dropped as malformed.
    dst, src
        Destination and source: 48-bit addresses, or 16- or 32-bit IDs.
    traffic_class
        3-bit (or narrower) class that ``VC_MAP`` turns into a VC.
    class_when
        The class is 0 unless this condition holds; None: always.
    ecn, flow_label, ttl
        None where the format has none.
    """

    name: str
    match: tuple[Match, ...]
    dst: Field
    src: Field
    traffic_class: Field
    class_when: Match | None = None
    ecn: Field | None = None
    flow_label: Field | None = None
    ttl: Field | None = None


_UNICAST = Match(Field(7, 1), 0)
_ETHERTYPE = Field(96, 16)

TAGGED = Match(_ETHERTYPE, 0x8100)
"""The frame has an 802.1Q tag."""

PROFILES: tuple[Profile, ...] = (
    Profile(
        name="ethernet",
        match=(_UNICAST,),
        dst=Field(0, 48),
        src=Field(48, 48),
        traffic_class=Field(112, 3),  # PCP of the 802.1Q tag
        class_when=TAGGED,
    ),
    Profile(
        name="esun",
        match=(_UNICAST, Match(_ETHERTYPE, None), Match(Field(112, 2), 0)),
        dst=Field(0, 48),
        src=Field(48, 48),
        traffic_class=Field(115, 3),  # CoS; bit 114 is F
        ecn=Field(118, 2),
        flow_label=Field(120, 16),
        ttl=Field(136, 4),
    ),
    Profile(
        name="afh12_16",
        match=(Match(Field(0, 8), 0x02), Match(Field(8, 2), 0)),
        dst=Field(32, 16),
        src=Field(80, 16),
        traffic_class=Field(12, 2),  # vc2
        ecn=Field(54, 2),
    ),
    Profile(
        name="afh12_32",
        match=(Match(Field(0, 8), 0x82), Match(Field(8, 8), 0), Match(Field(56, 8), 0)),
        dst=Field(16, 32),
        src=Field(64, 32),
        traffic_class=Field(48, 3),
        ecn=Field(54, 2),
    ),
    Profile(
        name="afh6",
        match=(Match(Field(0, 8), 0x42),),
        dst=Field(8, 16),
        src=Field(32, 16),
        traffic_class=Field(24, 3),
        ecn=Field(30, 2),
    ),
    Profile(
        name="ufh",
        match=(Match(Field(0, 2), 0), Match(Field(4, 4), 0x2)),
        dst=Field(32, 16),
        src=Field(80, 16),
        traffic_class=Field(48, 3),
        ecn=Field(54, 2),
    ),
)
"""Every known profile; a profile's index here is its number in register ``PROFILE``."""

PROFILE_NAMES = tuple(profile.name for profile in PROFILES)

PCP_DEI = Field(112, 4)
"""Priority and drop eligibility of the 802.1Q tag."""

TAG_BITS = 32
"""How much further everything lies in a tagged frame."""

DSCP_PLACES = (
    (Match(_ETHERTYPE, 0x0800), Field(120, 6)),  # IPv4, RFC 791 and 2474
    (Match(_ETHERTYPE, 0x86DD), Field(116, 6)),  # IPv6, RFC 8200
)
"""Where the DSCP lies in an untagged frame of which EtherType."""

FABRIC_PREFIX = 0x02000000
"""48-bit addresses 02-00-00-00-hh-ll stand for ID hhll in the direct table. Ours."""
