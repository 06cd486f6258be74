# SPDX-License-Identifier: Apache-2.0
"""Which word addresses have a register: the switch's own map, and those that stand beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gavel_model.register_entry import Register


@dataclass(frozen=True)
class AddressMap:
    """Registers that there are once, and a page of registers for each port.

    In all methods ``values`` are those of the configuration (`register_map.config_values`).

    Attributes
    ----------
    base
        Word address from which the addresses in ``globals`` count.
    globals
        Registers that there are once.
    port_base, port_stride
        Word address of port 0's page, and words to the next: a power of two, of which the base is
        a multiple.
    port
        Registers of each port; none if the map has no pages.
    """

    base: int
    globals: tuple[Register, ...]
    port_base: int = 0
    port_stride: int = 1
    port: tuple[Register, ...] = ()

    def global_addresses(self, values: Mapping[str, int], *, writable: bool = False,
                         ) -> frozenset[int]:
        """Word addresses of the registers that there are once: all, or those to be written."""
        return frozenset(self.base + offset
                         for offset in _offsets(self.globals, values, writable=writable))

    def port_offsets(self, values: Mapping[str, int], *, writable: bool = False) -> frozenset[int]:
        """Offsets of the registers of a port: all, or those to be written."""
        return _offsets(self.port, values, writable=writable)

    def port_address(self, port: int, offset: int) -> int:
        """Word address of a port's register."""
        return self.port_base + port * self.port_stride + offset

    def addresses(self, values: Mapping[str, int], *, writable: bool = False) -> frozenset[int]:
        """Word addresses of all registers, or of those to be written."""
        offsets = self.port_offsets(values, writable=writable)
        return self.global_addresses(values, writable=writable) | {
            self.port_address(port, offset)
            for port in range(values["ports"]) for offset in offsets}


def _offsets(registers: tuple[Register, ...], values: Mapping[str, int], *, writable: bool,
             ) -> frozenset[int]:
    return frozenset(
        address for register in registers
        if register.is_there(values) and (register.writable or not writable)
        for address in register.addresses(values))
