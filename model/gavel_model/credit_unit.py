# SPDX-License-Identifier: Apache-2.0
"""Credits of a frame (docs/flow_control.md, Credits of a frame)."""

from __future__ import annotations

from gavel_model.register_map import CREDIT_BITS
from gavel_model.register_map import CreditUnit as Bits

CREDIT_MASK = (1 << CREDIT_BITS) - 1
"""Where credit counters wrap."""

_SIZE_MASK = 7
_LEAST_SHIFT = 5
_BYTE = 0xFF
_SIGN = 0x80


class CreditUnit:
    """What one credit stands for.

    Attributes
    ----------
    shift
        Base-2 logarithm of the size in bytes, 5...11.
    overhead
        Bytes that count in addition to the frame, -16...127.
    """

    __slots__ = ("_round", "overhead", "shift")

    def __init__(self, register: int) -> None:
        """``register`` is ``CBFC_SENDER`` or ``CBFC_RECEIVER``."""
        self.shift = _LEAST_SHIFT + (register >> Bits.SIZE & _SIZE_MASK)
        self.overhead = _signed(register >> Bits.OVERHEAD & _BYTE)
        self._round = self.overhead + (1 << self.shift) - 1

    def credits(self, length: int) -> int:
        """Credits of a frame of ``length`` bytes, FCS included."""
        return length + self._round >> self.shift


def _signed(byte: int) -> int:
    return byte - 2 * _SIGN if byte & _SIGN else byte
