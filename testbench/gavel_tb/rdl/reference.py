# SPDX-License-Identifier: Apache-2.0
"""Writes docs/registers.md: the address maps for any number of ports and VCs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from gavel_model.register_entry import Amount, Field, Register
from gavel_tb.rdl.compiled import WORD_BYTES, Encoding, FieldText, MapText, RegisterText

_HEAD = (
    "# Registers\n\n"
    "Made from the SystemRDL in `model/gavel_model/rdl` by `make registers`; do not edit. What "
    "happens in which cycle: [spec.md](spec.md), chapter Registers; [llr.md](llr.md) and "
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
_WIDTHS = {
    "low_ports": "min(P, 32)−1", "high_ports": "P−33", "classes": "C−1",
}
"""Highest bit of a field at bit 0 of so many bits."""

_NEEDS = {"preamble": "Stays 0 with `mac` = `frames`."}
_ONLY = {"high_ports": "There if P > 32."}
_LARGE = 9
"""Larger numbers are written hexadecimal."""


def reference_text(maps: Sequence[MapText]) -> str:
    """Text of the page; the first map is that of the switch."""
    switch, *further = maps
    return "\n".join((
        _HEAD,
        "## Of the switch\n",
        *_table(switch.globals, 0),
        "",
        "## Of each port\n",
        _pages(switch) + " What stands once for each VC has the name of an array; the next VC is "
        "one word further.\n",
        *_table(switch.port),
        "",
        "## Counters of each port\n",
        "All `ro`, 32 bits, wrapping, 0 after reset. Names with SAI are those of the Switch "
        "Abstraction Interface.\n",
        "| n | byte | word | name | counts | SAI |",
        "|---|---|---|---|---|---|",
        *(_counter(switch, counter) for counter in switch.counters),
        "",
        "## Values\n",
        *(line for encoding in switch.encodings() for line in _encoding(encoding)),
        *(line for registers in further for line in _chapter(registers)),
        "## Free places\n",
        "What comes later has a place: of the switch behind the registers above up to word 0x00FF "
        "and from 0x0110 to 0x03FF, of each port behind its own. Read 0 until then.",
        "",
    ))


def _chapter(registers: MapText) -> Iterator[str]:
    """What a map has that stands beside that of the switch."""
    yield f"## {registers.title}\n"
    page = registers.source.document
    yield f"{registers.text} What they do: [{page}]({page}).\n"
    yield from _table(registers.globals, registers.base)
    yield ""
    if registers.port:
        yield _pages(registers) + "\n"
        yield from _table(registers.port)
        yield ""
    for encoding in registers.encodings():
        yield from _encoding(encoding)


def _pages(registers: MapText) -> str:
    base, stride = (WORD_BYTES * words for words in (registers.port_base, registers.port_stride))
    return (f"Port p begins at byte 0x{base:04X} + 0x{stride:X}·p, which is word "
            f"0x{registers.port_base:04X} + 0x{registers.port_stride:X}·p. The offsets here are "
            "from there.")


def _table(registers: Iterable[RegisterText], base: int | None = None) -> Iterator[str]:
    """Registers with their addresses, which count from ``base``; None: with offsets in a page."""
    yield "| byte | word | register | | bits | field | reset | meaning |"
    yield "|---|---|---|---|---|---|---|---|"
    for register in registers:
        entry = register.entry
        word = entry.address + (base or 0)
        byte = WORD_BYTES * word
        place = (f"+0x{byte:03X}" if base is None else f"0x{byte:04X}",
                 f"+0x{word:02X}" if base is None else f"0x{word:04X}",
                 f"**`{entry.name}`**" + _times(entry), register.access)
        text = " ".join(filter(None, (register.text, _ONLY.get(entry.needs or ""))))
        if len(register.fields) == 1:
            (field,) = register.fields
            yield _line(*place, *_field(field, text))
            continue
        yield _line(*place, "", "", "", text)
        for field in register.fields:
            yield _line("", "", "", "", *_field(field))


def _times(entry: Register) -> str:
    """What counts the registers of an array."""
    if entry.of_each_vc:
        return "[v]"
    return f"[n], n < {entry.elements}, {entry.stride} words apart" if entry.elements > 1 else ""


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
    if isinstance(entry.bits, str):
        return f"{_WIDTHS[entry.bits]}:{entry.low}"
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
