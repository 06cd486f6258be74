# SPDX-License-Identifier: Apache-2.0
"""Registers as the table says: what they keep, what a write leaves of them, how they are read."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from gavel_model.register_entry import Field, Register, amount
from gavel_rtl.lib.one_hot import select

REGISTER_BITS = 32


@dataclass(frozen=True)
class EarlyWrite:
    """A write, a cycle before it is made.

    Attributes
    ----------
    registers
        By name: the register will be written.
    wdata
        What will be written.
    limited
        Of a field with limits, (register, field), what of it will be stored.
    fields
        Fields of these registers of which somebody asks what is coming.
    """

    registers: Mapping[str, Value]
    wdata: Value
    limited: Mapping[tuple[str, str], Value]
    fields: Collection[tuple[str, str]]

    def has(self, register: Register, field: Field) -> bool:
        """What is coming of a field is a register."""
        name = register.name, field.name
        return name in self.fields or name in self.limited


class RegisterFields:
    """Registers in a module, all with the same write.

    A write is visible in the next cycle, and `value` follows the selection in the same.

    Parameters
    ----------
    m
        Where the registers stand.
    we, wdata
        Write to the register selected.
    values
        Of the configuration, for reset values and limits.
    index
        Number of the port, for a reset value that is this number: what is kept is the difference
        to it, so that the module is the same for all ports.
    early
        The write as it is known a cycle before. What is coming is a register then, and so is what
        is stored within limits.
    """

    def __init__(self, m: Module, we: Value, wdata: Value, values: Mapping[str, int],
                 index: Value | None = None, early: EarlyWrite | None = None):
        self._m = m
        self._we = we
        self._wdata = wdata
        self._values = values
        self._index = index
        self._early = early
        self._shown: list[tuple[Value, Value]] = []
        self._kept: dict[tuple[str, str], Value] = {}
        self._writes: dict[str, Value] = {}
        self._coming: dict[tuple[str, str], Signal] = {}

    def coming(self, register: Register, field: str) -> Value:
        """A field of a register that was added as it is visible in the next cycle; not limited by
        another field of the register, if it is being written."""
        found = next(item for item in register.fields if item.name == field)
        kept = self._kept[register.name, field]
        if not found.is_there(self._values):
            return kept
        if self._early is not None:
            return self._coming[register.name, field]
        alone = isinstance(found.at_most, str) and found.at_most not in self._values
        written = self._written(found) if alone else self._limited(register, found)
        return Mux(self._writes[register.name], written, kept)

    def coming_any(self, register: Register, field: str) -> Value:
        """Whether a field that was added is not 0 in the next cycle."""
        early = self._early
        found = next(item for item in register.fields if item.name == field)
        if early is None or not found.is_there(self._values):
            return self.coming(register, field).any()
        kept = self._kept[register.name, field]
        coming = Signal(name=f"{kept.name}_any_next", init=int(kept.init != 0))
        with self._m.If(early.registers[register.name]):
            self._m.d.sync += coming.eq(_part(found, early.wdata, self._values).any())
        return coming

    def add(self, register: Register, selected: Value, written: Value | None = None,
            ) -> dict[str, Value]:
        """A register, and the values of its fields by name; ``selected``: it is addressed;
        ``written``: and is written, if that is known by itself."""
        found = {}
        self._writes[register.name] = we = self._we & selected if written is None else written
        for field in register.fields:
            kept = self._keep(register, field, we)
            self._kept[register.name, field.name] = kept
            found[field.name] = shown = self._seen(field, kept)
            self._shown.append((selected, Cat(Const(0, field.low), shown)))
        return found

    def add_each(self, register: Register, selected: Value, of_vc: Value) -> dict[str, list[Value]]:
        """A register for each VC, and the values of its fields by name, for each VC; ``of_vc``:
        one-hot, of which VC the register addressed is."""
        found = {}
        for field in register.fields:
            found[field.name] = kept = [
                self._keep(register, field, self._we & selected & of, vc)
                for vc, of in enumerate(of_vc)]
            shown = select(list(zip(of_vc, kept, strict=True)))
            self._shown.append((selected, Cat(Const(0, field.low), shown)))
        return found

    def _keep(self, register: Register, field: Field, written: Value, vc: int | None = None,
              ) -> Value:
        """What is kept of a field, if the configuration has what it needs."""
        if not field.is_there(self._values):
            return Const(0, field.width(self._values))
        suffix = "" if vc is None else f"_{vc}"
        title = f"{register.name}_{field.name}{suffix}".lower()
        kept = Signal(kept_bits(field, self._values), name=title, init=amount(
            field.reset, {**self._values, "port": 0, "vc": vc or 0}))
        early, name = self._early, (register.name, field.name)
        if early is not None and early.has(register, field):
            self._coming[name] = coming = Signal.like(kept, name_suffix="_next")
            with self._m.If(early.registers[register.name]):
                self._m.d.sync += coming.eq(
                    early.limited.get(name, _part(field, early.wdata, self._values)))
            self._m.d.sync += kept.eq(coming)
            return kept
        with self._m.If(written):
            self._m.d.sync += kept.eq(self._seen(field, self._limited(register, field)))
        return kept

    def _seen(self, field: Field, value: Value) -> Value:
        """What is read of what is kept, and kept of what is written."""
        return value ^ self._index if field.reset == "port" else value

    def show(self, selected: Value, value: Value) -> None:
        """A register that is read only."""
        self._shown.append((selected, value))

    def value(self) -> Value:
        """Value of the register addressed, 0 if it is none of these."""
        return select(self._shown)

    def _written(self, field: Field) -> Value:
        return _part(field, self._wdata, self._values)

    def _limited(self, register: Register, field: Field) -> Value:
        """What is stored of a field of the write data."""
        return limited(register, field, self._wdata, self._values)


def kept_bits(field: Field, values: Mapping[str, int]) -> int:
    """Bits that are kept of a field: no more than its largest value needs."""
    bits = field.width(values)
    if field.at_most in values:
        return min(bits, amount(field.at_most, values).bit_length())
    return bits


def has_limits(field: Field) -> bool:
    """Not every value that is written of it is stored."""
    return field.at_least is not None or field.at_most is not None


def _part(field: Field, wdata: Value, values: Mapping[str, int]) -> Value:
    return wdata[field.low:field.low + field.width(values)]


def limited(register: Register, field: Field, wdata: Value, values: Mapping[str, int]) -> Value:
    """What a write stores of a field; ``values`` are those of the configuration."""
    written = value = _part(field, wdata, values)
    others = {other.name: _part(other, wdata, values) for other in register.fields}
    if field.at_most is not None:
        most = others.get(field.at_most) if isinstance(field.at_most, str) else None
        if most is None:
            most = amount(field.at_most, values)
        value = Mux(written > most, most, value)
    if field.at_least is not None:
        least = amount(field.at_least, values)
        if least < 0:
            # Two's complement: in the upper half, and there the order is the same.
            least &= (1 << len(written)) - 1
            return Mux(written[-1] & (written < least), least, value)
        return Mux(written < least, least, value)
    return value
