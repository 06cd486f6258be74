# SPDX-License-Identifier: Apache-2.0
"""Writes docs/registers.md: the register map for any number of ports and VCs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gavel_model.register_entry import Amount, Field
from gavel_tb.rdl.compiled import WORD_BYTES, Encoding, FieldText, MapText, RegisterText

_HEAD = (
    "# Registers\n\n"
    "Made from `model/gavel_model/rdl/gavel.rdl` by `make registers`; do not edit. What happens in "
    "which cycle: [spec.md](spec.md), chapter Registers; [llr.md](llr.md) and "
    "[flow_control.md](flow_control.md), Settings; [axi_lite.md](axi_lite.md).\n\n"
    "Every register has 32 bits and is accessed as a whole. P = `ports`, V = `vcs`; p counts "
    "ports, v counts VCs. *Byte* is the address on AXI4-Lite, *word* the one on the register port, "
    "which is a quarter of it. Bits without a field read 0, and so do addresses without a "
    "register. `ro`: a write changes nothing, and AXI4-Lite answers it with an error. In the "
    "column *reset*, `name` is a parameter of the configuration, and – says that the hardware "
    "decides what is read. Of a value beyond the limits of a field the limit is stored.\n\n"
    "`gavel registers -c NAME -o DIR` writes the map of one configuration as SystemRDL, C header, "
    "Python package and web page.\n"
)
_RESETS = {
    "profile_number": "`profile`",
    "vc_map": "n mod V in nibble n",
    "share_of_a_vc": "⌊`buffer_cells` / V⌋",
    "xoff": "⌊`buffer_cells` / 4⌋",
    "xon": "⌊`buffer_cells` / 8⌋",
    "ports": "P", "data_width": "`data_width`", "vcs": "V", "latency_cycles": "K",
    "port": "p", "vc": "v",
}
_NEEDS = {"preamble": "Stays 0 with `mac` = `frames`."}
_LARGE = 9
"""Larger numbers are written hexadecimal."""


def reference_text(registers: MapText) -> str:
    """Text of the page."""
    base, stride = (WORD_BYTES * words for words in (registers.port_base, registers.port_stride))
    return "\n".join((
        _HEAD,
        "## Of the switch\n",
        *_table(registers.globals, ""),
        "",
        "## Of each port\n",
        f"Port p begins at byte 0x{base:04X} + 0x{stride:X}·p, which is word "
        f"0x{registers.port_base:04X} + 0x{registers.port_stride:X}·p. The offsets here are from "
        "there. What stands once for each VC has the name of an array; the next VC is one word "
        "further.\n",
        *_table(registers.port, "+"),
        "",
        "## Counters of each port\n",
        "All `ro`, 32 bits, wrapping, 0 after reset. Names with SAI are those of the Switch "
        "Abstraction Interface.\n",
        "| n | byte | word | name | counts | SAI |",
        "|---|---|---|---|---|---|",
        *(_counter(registers, counter) for counter in registers.counters),
        "",
        "## Values\n",
        *(line for encoding in registers.encodings() for line in _encoding(encoding)),
        "## Free places\n",
        "What comes later has a place: of the switch behind the registers above up to word 0x03FF, "
        "of each port behind its own, and a second page of 0xC0 words for each port, 0x100 apart "
        "from 0x8000 on. Read 0 until then. 0xBFC0...0xCFFF are those of the self-test, where "
        "there is one: [selftest.md](selftest.md).",
        "",
    ))


def _table(registers: Iterable[RegisterText], sign: str) -> Iterator[str]:
    yield "| byte | word | register | | bits | field | reset | meaning |"
    yield "|---|---|---|---|---|---|---|---|"
    digits = 4 if not sign else 2
    for register in registers:
        entry = register.entry
        place = (f"{sign}0x{entry.address * WORD_BYTES:0{digits + (digits == 2)}X}",
                 f"{sign}0x{entry.address:0{digits}X}",
                 f"**`{entry.name}`**" + ("[v]" if entry.of_each_vc else ""),
                 "rw" if entry.writable else "ro")
        if len(register.fields) == 1:
            (field,) = register.fields
            yield _line(*place, *_field(field, register.text))
            continue
        yield _line(*place, "", "", "", register.text)
        for field in register.fields:
            yield _line("", "", "", "", *_field(field))


def _line(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def _field(field: FieldText, before: str = "") -> tuple[str, str, str, str]:
    entry = field.entry
    said = [before, field.text, _limits(entry), _NEEDS.get(entry.needs or "", "")]
    if field.encoding is not None:
        said.append("Values: " + ", ".join(
            f"{value} `{name}`" for name, value, _ in field.encoding.values) + ".")
    return _bits(entry), f"`{entry.name}`", _amount(entry.reset), " ".join(filter(None, said))


def _bits(entry: Field) -> str:
    if not entry.per_vc:
        high = entry.low + entry.bits - 1
        return str(high) if entry.bits == 1 else f"{high}:{entry.low}"
    vcs = "V" if entry.per_vc == 1 else f"{entry.per_vc}V"
    last = entry.low + entry.bits - 1
    more = "" if last == 0 else f"+{last}" if last > 0 else f"−{-last}"
    return f"{vcs}{more}:{entry.low}"


def _amount(amount: Amount | None) -> str:
    if amount is None:
        return "–"
    if isinstance(amount, str):
        return _RESETS.get(amount, f"`{amount}`")
    return f"0x{amount:X}" if amount > _LARGE else str(amount).replace("-", "−")


def _limits(entry: Field) -> str:
    said = [f"{what} {_amount(limit) if isinstance(limit, str) else limit}".replace("-", "−")
            for what, limit in (("at least", entry.at_least), ("at most", entry.at_most))
            if limit is not None]
    return f"Stored: {', '.join(said)}." if said else ""


def _counter(registers: MapText, counter: RegisterText) -> str:
    word = registers.counters_at + counter.entry.address
    return _line(str(counter.entry.address), f"+0x{word * WORD_BYTES:03X}", f"+0x{word:02X}",
                 f"`{counter.entry.name}`", counter.text, f"`{counter.sai}`" if counter.sai else "")


def _encoding(encoding: Encoding) -> Iterator[str]:
    yield f"`{encoding.name}`:\n"
    yield "| value | name | meaning |"
    yield "|---|---|---|"
    for name, value, text in encoding.values:
        yield _line(str(value), f"`{name}`", text)
    yield ""
