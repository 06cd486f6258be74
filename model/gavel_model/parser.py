# SPDX-License-Identifier: Apache-2.0
"""Header profiles applied to a frame (docs/spec.md, Parser)."""

from __future__ import annotations

from gavel_model.config import SwitchConfig
from gavel_model.profiles import (
    HEADER_BYTES,
    MAC_CONTROL_ADDRESS,
    MAC_CONTROL_ETHERTYPE,
    PROFILES,
    Field,
    Match,
)
from gavel_model.received_frame import ReceivedFrame
from gavel_model.register_map import Counter

_MAC_CONTROL = int(Counter.RX_MAC_CONTROL)
_HEADER = int(Counter.RX_HEADER)
_TTL = int(Counter.RX_TTL)
_ADDRESS_BITS = 48


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


class Parser:
    """Reads destination and VC out of the first 24 bytes of a good frame.

    Attributes
    ----------
    number
        Number of the profile in use.
    """

    __slots__ = (
        "_class", "_class_when", "_destination", "_is_address", "_match", "_ttl", "_vc_of_class",
        "_vcs", "number",
    )

    def __init__(self, config: SwitchConfig) -> None:
        self._vcs = config.vcs

    def configure(self, profile: int, vc_map: int, esun_ethertype: int) -> None:
        """Values of the registers of these names, as visible from the next cycle on."""
        self.number = profile if profile < len(PROFILES) else 0
        row = PROFILES[self.number]
        self._match = _condition(row.match, esun_ethertype)
        self._destination = _shift(row.dst), _mask(row.dst)
        self._is_address = row.dst.width == _ADDRESS_BITS
        self._class = _shift(row.traffic_class), _mask(row.traffic_class)
        self._class_when: tuple[int, int] = (
            (0, 0) if row.class_when is None else _condition((row.class_when,), esun_ethertype)
        )
        self._ttl = None if row.ttl is None else (_shift(row.ttl), _mask(row.ttl))
        last = self._vcs - 1
        self._vc_of_class = [min(vc_map >> 4 * nibble & 15, last) for nibble in range(8)]

    def parse(self, frame: ReceivedFrame) -> None:
        """Sets profile, destination and VC of a good frame, or its reason if it is not to go on."""
        header = int.from_bytes(frame.data[:HEADER_BYTES], "big")
        if header & _CONTROL_MASK == _CONTROL_VALUE:
            frame.reason = _MAC_CONTROL
            return
        mask, value = self._match
        if header & mask != value:
            frame.reason = _HEADER
            return
        if self._ttl is not None:
            shift, mask = self._ttl
            if header >> shift & mask < 2:
                frame.reason = _TTL
                return
        frame.profile = self.number
        shift, mask = self._destination
        frame.destination = header >> shift & mask
        frame.is_address = self._is_address
        traffic_class = 0
        mask, value = self._class_when
        if header & mask == value:
            shift, mask = self._class
            traffic_class = header >> shift & mask
        frame.vc = self._vc_of_class[traffic_class]
