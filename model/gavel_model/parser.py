# SPDX-License-Identifier: Apache-2.0
"""Header profiles applied to a frame (docs/spec.md, Parser)."""

from __future__ import annotations

from collections.abc import Sequence

from gavel_model.config import SwitchConfig
from gavel_model.flow_settings import classes_of
from gavel_model.mac_control import MAC_CONTROL_ADDRESS, MAC_CONTROL_ETHERTYPE
from gavel_model.profiles import (
    DSCP_PLACES,
    HEADER_BYTES,
    PCP_DEI,
    PROFILES,
    TAG_BITS,
    TAGGED,
    Field,
    Match,
)
from gavel_model.received_frame import ReceivedFrame
from gavel_model.register_map import CLASS_FROM_SHIFT, ClassFrom, Counter, VcMatch

_MAC_CONTROL = int(Counter.RX_MAC_CONTROL)
_HEADER = int(Counter.RX_HEADER)
_TTL = int(Counter.RX_TTL)
_ADDRESS_BITS = 48
_NUMBER_MASK = 7
_CLASS_FROM_MASK = 3
_CODE_MASK = 63
_ETHERNET = 0


def _shift(field: Field) -> int:
    return 8 * HEADER_BYTES - field.offset - field.width


def _mask(field: Field) -> int:
    return (1 << field.width) - 1


def _condition(matches: tuple[Match, ...], esun_ethertype: int) -> tuple[int, int]:
    """Mask and value over the whole header: all conditions hold if header & mask == value."""
    mask = value = 0
    for match in matches:
        wanted = esun_ethertype if match.value is None else match.value
        mask |= _mask(match.field) << _shift(match.field)
        value |= wanted << _shift(match.field)
    return mask, value


_CONTROL_MASK, _CONTROL_VALUE = _condition(
    (Match(Field(0, 48), MAC_CONTROL_ADDRESS), Match(Field(96, 16), MAC_CONTROL_ETHERTYPE)), 0
)


_TAGGED_MASK, _TAGGED_VALUE = _condition((TAGGED,), 0)


def _moved(field: Field, bits: int) -> Field:
    return Field(field.offset + bits, field.width)


def _dscp_places(bits: int) -> list[tuple[int, int, int]]:
    """Mask and value that an EtherType wants, and shift of the DSCP; all so many bits further."""
    return [
        (*_condition((Match(_moved(match.field, bits), match.value),), 0),
         _shift(_moved(field, bits)))
        for match, field in DSCP_PLACES
    ]


_UNTAGGED_DSCP = _dscp_places(0)
_TAGGED_DSCP = _dscp_places(TAG_BITS)


class Parser:
    """Reads destination and VC out of the first 24 bytes of a good frame.

    Attributes
    ----------
    number
        Number of the profile in use.
    """

    __slots__ = (
        "_class", "_class_from", "_class_when", "_destination", "_is_address", "_match", "_ttl",
        "_vc_match", "_vc_of_class", "_vcs", "number",
    )

    def __init__(self, config: SwitchConfig) -> None:
        self._vcs = config.vcs

    def configure(
        self, profile: int, vc_map: int, vc_match: Sequence[int], esun_ethertype: int
    ) -> None:
        """Values of the registers of these names, as visible from the next cycle on."""
        number = profile & _NUMBER_MASK
        self.number = number if number < len(PROFILES) else _ETHERNET
        class_from = profile >> CLASS_FROM_SHIFT & _CLASS_FROM_MASK
        self._class_from = class_from if self.number == _ETHERNET else ClassFrom.PROFILE
        # Mask, and masked value, of each VC.
        self._vc_match = [
            (item >> VcMatch.MASK & _CODE_MASK,
             item >> VcMatch.VALUE & item >> VcMatch.MASK & _CODE_MASK)
            for item in vc_match
        ]
        row = PROFILES[self.number]
        self._match = _condition(row.match, esun_ethertype)
        self._destination = _shift(row.dst), _mask(row.dst)
        self._is_address = row.dst.width == _ADDRESS_BITS
        self._class = _shift(row.traffic_class), _mask(row.traffic_class)
        self._class_when: tuple[int, int] = (
            (0, 0) if row.class_when is None else _condition((row.class_when,), esun_ethertype)
        )
        self._ttl = None if row.ttl is None else (_shift(row.ttl), _mask(row.ttl))
        self._vc_of_class = classes_of(vc_map, self._vcs)

    def parse(self, frame: ReceivedFrame) -> None:
        """Sets profile, destination and VC of a good frame, or its reason if it is not to go on.

        The VC is also set if the reason is the TTL.
        """
        header = int.from_bytes(frame.data[:HEADER_BYTES], "big")
        if header & _CONTROL_MASK == _CONTROL_VALUE:
            frame.reason = _MAC_CONTROL
            return
        mask, value = self._match
        if header & mask != value:
            frame.reason = _HEADER
            return
        frame.vc = self._vc(header)
        if self._ttl is not None:
            shift, mask = self._ttl
            if header >> shift & mask < 2:
                frame.reason = _TTL
                return
        frame.profile = self.number
        shift, mask = self._destination
        frame.destination = header >> shift & mask
        frame.is_address = self._is_address

    def _vc(self, header: int) -> int:
        class_from = self._class_from
        if class_from == ClassFrom.PCP_DEI or class_from == ClassFrom.DSCP:
            return self._vc_of(_code(header, class_from))
        mask, value = self._class_when
        if header & mask != value:
            return self._vc_of_class[0]
        shift, mask = self._class
        return self._vc_of_class[header >> shift & mask]

    def _vc_of(self, code: int) -> int:
        """The lowest VC that a code of six bits matches; 0 if there is none."""
        for vc, (mask, value) in enumerate(self._vc_match):
            if code & mask == value:
                return vc
        return 0


def _code(header: int, class_from: int) -> int:
    """The six bits that ``VC_MATCH`` looks at; 0 if the frame does not have them."""
    tagged = header & _TAGGED_MASK == _TAGGED_VALUE
    if class_from == ClassFrom.PCP_DEI:
        return header >> _shift(PCP_DEI) & _mask(PCP_DEI) if tagged else 0
    for mask, value, shift in _TAGGED_DSCP if tagged else _UNTAGGED_DSCP:
        if header & mask == value:
            return header >> shift & _CODE_MASK
    return 0
