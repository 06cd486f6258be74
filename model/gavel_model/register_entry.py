# SPDX-License-Identifier: Apache-2.0
"""A register and its fields: what the rows of `gavel_model.register_table` are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Amount = int | str
"""A number, or the name of a value of the configuration (`register_map.config_values`)."""


@dataclass(frozen=True)
class Field:
    """Bits of a register that belong together.

    Attributes
    ----------
    name
        In small letters.
    low
        Lowest bit.
    bits
        Width, and of a field with bits for each VC what is added to them.
    per_vc
        Bits for each VC.
    reset
        Reset value; None: it is what the hardware says.
    at_least, at_most
        Limits of what a write stores, or None. A negative one: the field is in two's complement.
        ``at_most`` may be the name of another field of the register.
    needs
        Value of the configuration without which the field stays 0.
    """

    name: str
    low: int
    bits: Amount = 0
    per_vc: int = 0
    reset: Amount | None = 0
    at_least: Amount | None = None
    at_most: Amount | None = None
    needs: str | None = None

    def width(self, values: Mapping[str, int]) -> int:
        """Bits; ``values`` are those of the configuration."""
        return amount(self.bits, values) + (self.per_vc and self.per_vc * values["vcs"])

    def mask(self, values: Mapping[str, int]) -> int:
        """Its bits in the register."""
        return (1 << self.width(values)) - 1 << self.low

    def is_there(self, values: Mapping[str, int]) -> bool:
        """The configuration has what the field needs."""
        return self.needs is None or bool(values[self.needs])

    def stored(self, value: int, values: Mapping[str, int]) -> int:
        """What a write of ``value`` leaves: ``values`` are those of the configuration, and the
        fields of the register with their stored values."""
        if not self.is_there(values):
            return 0
        width = self.width(values)
        value &= (1 << width) - 1
        least = None if self.at_least is None else amount(self.at_least, values)
        most = None if self.at_most is None else amount(self.at_most, values)
        if least is not None and least < 0 and value >> width - 1:
            value -= 1 << width
        if least is not None:
            value = max(value, least)
        if most is not None:
            value = min(value, most)
        return value & (1 << width) - 1


@dataclass(frozen=True)
class Register:
    """A register.

    Attributes
    ----------
    name
        In capital letters.
    address
        Word address, of a port's register from the port's base; that of VC 0.
    fields
        From the lowest bit up.
    writable
        It can be written.
    of_each_vc
        It stands once for each VC, in words that follow each other.
    needs
        Value of the configuration without which it is not there.
    elements, stride
        It stands so many times, so many words apart; not with ``of_each_vc``.
    """

    name: str
    address: int
    fields: tuple[Field, ...]
    writable: bool = True
    of_each_vc: bool = False
    needs: str | None = None
    elements: int = 1
    stride: int = 1

    def addresses(self, values: Mapping[str, int]) -> range:
        """Its word addresses; ``values`` are those of the configuration."""
        times = values["vcs"] if self.of_each_vc else self.elements
        return range(self.address, self.address + times * self.stride, self.stride)

    def is_there(self, values: Mapping[str, int]) -> bool:
        """The configuration has what the register needs."""
        return self.needs is None or bool(values[self.needs])

    def mask(self, values: Mapping[str, int]) -> int:
        """Bits that belong to a field; ``values`` are those of the configuration."""
        return sum(field.mask(values) for field in self.fields)

    def reset(self, values: Mapping[str, int]) -> int:
        """Reset value; fields of the hardware are 0."""
        return sum(amount(field.reset, values) << field.low for field in self.fields)

    def stored(self, value: int, values: Mapping[str, int]) -> int:
        """What a write of ``value`` leaves: no bits without a field, and no field beyond its
        limits. ``values`` are those of the configuration."""
        known, total = dict(values), 0
        for field in self.fields:
            known[field.name] = field.stored(value >> field.low, known)
            total |= known[field.name] << field.low
        return total


def amount(what: Amount | None, values: Mapping[str, int]) -> int:
    """The number that is meant, 0 if none is."""
    return values[what] if isinstance(what, str) else what or 0
