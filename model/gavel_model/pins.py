# SPDX-License-Identifier: Apache-2.0
"""Pins of a port, and their order in the packed vectors of the simulation harness.

A packed vector holds one group of fields per port, port 0 in the low bits; within a group the
first field of the layout stands in the low bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from gavel_model.config import SwitchConfig

SEQ_BITS = 20
CTL_BITS = 56


class RxPins(NamedTuple):
    """Receive pins of one port in one cycle (docs/spec.md, Port pins)."""

    valid: int = 0
    sop: int = 0
    eop: int = 0
    err: int = 0
    empty: int = 0
    llr: int = 0
    seq: int = 0
    ctl_valid: int = 0
    ctl: int = 0
    up: int = 1
    data: int = 0


class TxPins(NamedTuple):
    """Transmit output pins of one port in one cycle; ``ready`` and ``ctl_ready`` are inputs."""

    valid: int = 0
    sop: int = 0
    eop: int = 0
    err: int = 0
    empty: int = 0
    llr: int = 0
    seq: int = 0
    ctl_valid: int = 0
    ctl: int = 0
    up: int = 0
    data: int = 0


class RegisterPins(NamedTuple):
    """Input pins of the register port in one cycle."""

    addr: int = 0
    wdata: int = 0
    we: int = 0
    re: int = 0


class Inputs(NamedTuple):
    """Everything that goes into the switch in one cycle.

    ``rx`` has one entry per port; bit i of ``ready`` is ``p<i>_tx_ready``, and bit i of
    ``ctl_ready`` is ``p<i>_tx_ctl_ready``.
    """

    rx: tuple[RxPins, ...]
    ready: int
    register: RegisterPins = RegisterPins()
    reset: int = 0
    ctl_ready: int = -1


IDLE = RxPins()
NO_ACCESS = RegisterPins()


@dataclass(frozen=True)
class PortLayout:
    """Bit positions of one port's fields in a packed vector."""

    names: tuple[str, ...]
    offsets: tuple[int, ...]
    widths: tuple[int, ...]
    width: int

    def pack(self, pins: RxPins | TxPins) -> int:
        """The fields of ``pins`` as one number of ``width`` bits."""
        packed = 0
        for value, offset in zip(pins, self.offsets, strict=True):
            packed |= value << offset
        return packed

    def unpack(self, packed: int) -> dict[str, int]:
        """Field values by name."""
        return {
            name: packed >> offset & (1 << width) - 1
            for name, offset, width in zip(self.names, self.offsets, self.widths, strict=True)
        }


def port_layout(config: SwitchConfig) -> PortLayout:
    """Layout of one port's receive pins, and of its transmit outputs: they have the same fields."""
    widths = {
        "valid": 1,
        "sop": 1,
        "eop": 1,
        "err": 1,
        "empty": config.empty_bits,
        "llr": 1,
        "seq": SEQ_BITS,
        "ctl_valid": 1,
        "ctl": CTL_BITS,
        "up": 1,
        "data": config.data_width,
    }
    offsets = []
    total = 0
    for width in widths.values():
        offsets.append(total)
        total += width
    return PortLayout(tuple(widths), tuple(offsets), tuple(widths.values()), total)
