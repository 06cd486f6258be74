# SPDX-License-Identifier: Apache-2.0
"""Pins to and from the bytes of the wrapper's ports."""

from __future__ import annotations

from collections.abc import Sequence

from gavel_model.config import SwitchConfig
from gavel_model.pins import RegisterPins, RxPins, TxPins
from gavel_tb.harness import harness_layout


class PinPacker:
    """Packs the pins of all ports of one direction; a port that did not change costs nothing.

    Parameters
    ----------
    config
        The switch.
    form
        Bit offsets of the fields, the first four of which are 0...3, and bytes of a group; None:
        those of the wrapper's ports.
    """

    def __init__(
        self, config: SwitchConfig, form: tuple[Sequence[int], int] | None = None
    ) -> None:
        layout = harness_layout(config)
        offsets, self._size = form or (layout.pins.offsets, layout.port_bytes)
        (_, _, _, _, self._empty, self._llr, self._seq, self._ctl_valid, self._ctl, self._up,
         self._data) = offsets
        blank: RxPins | TxPins = RxPins(up=0)
        self._last: list[RxPins | TxPins] = [blank] * config.ports
        self._groups = [bytes(self._size)] * config.ports
        self._ports = range(config.ports)

    def pack(self, pins: Sequence[RxPins] | Sequence[TxPins]) -> bytes:
        """The groups of all ports, port 0 first."""
        groups, last = self._groups, self._last
        for port in self._ports:
            now = pins[port]
            if now is not last[port]:
                last[port] = now
                valid, sop, eop, err, empty, llr, seq, ctl_valid, ctl, up, data = now
                value = (
                    valid | sop << 1 | eop << 2 | err << 3 | empty << self._empty
                    | up << self._up | data << self._data
                )
                if llr or seq or ctl_valid or ctl:
                    value |= (
                        llr << self._llr | seq << self._seq
                        | ctl_valid << self._ctl_valid | ctl << self._ctl
                    )
                groups[port] = value.to_bytes(self._size, "little")
        return b"".join(groups)


class TxUnpacker:
    """Unpacks transmit pins; a port that did not change costs nothing."""

    def __init__(self, config: SwitchConfig) -> None:
        layout = harness_layout(config)
        self._size = layout.port_bytes
        self._pins = tuple(
            (offset, (1 << width) - 1)
            for offset, width in zip(layout.pins.offsets, layout.pins.widths, strict=True)
        )
        self._last = [b""] * config.ports
        self._values = [TxPins()] * config.ports

    def unpack(self, packed: bytes) -> list[TxPins]:
        """Pins of all ports. The list is reused by the next call."""
        size, last = self._size, self._last
        for port in range(len(last)):
            group = packed[port * size : (port + 1) * size]
            if group != last[port]:
                last[port] = group
                value = int.from_bytes(group, "little")
                self._values[port] = TxPins(
                    *[value >> offset & mask for offset, mask in self._pins]
                )
        return self._values


def pack_register(pins: RegisterPins) -> int:
    """Value of ``reg_in``."""
    return pins.addr | pins.wdata << 16 | pins.we << 48 | pins.re << 49
