# SPDX-License-Identifier: Apache-2.0
"""Tables of the specification agree with the tables in the code: profiles, registers, counters,
probe points, settings of flow control."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gavel_model import load_config
from gavel_model.mac_control import MAC_CONTROL_ADDRESS, MAC_CONTROL_ETHERTYPE
from gavel_model.probes import probe_points
from gavel_model.profiles import (
    FABRIC_PREFIX,
    HEADER_BYTES,
    PROFILES,
    Field,
    Match,
    Profile,
)
from gavel_model.register_map import (
    PORT_BASE,
    PORT_STRIDE,
    Counter,
    Global,
    Port,
    reset_values,
    writable_masks,
)

DOCS = Path(__file__).resolve().parents[2] / "docs"
SPEC = (DOCS / "spec.md").read_text("utf-8")
FLOW_CONTROL = (DOCS / "flow_control.md").read_text("utf-8")
COLUMNS = ["no.", "profile", "match conditions", "destination", "source", "class",
           "class only if", "ECN", "flow label", "TTL"]
NOTHING = "–"


def chapter(title: str, text: str = SPEC) -> str:
    """Text of the chapter with this title."""
    return re.split(rf"^## \d+\. {title}$", text, flags=re.MULTILINE)[1].partition("\n## ")[0]


def rows(text: str) -> list[list[str]]:
    """Cells of the rows of all tables in a text, heads and rules included."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def names(cell: str) -> list[str]:
    """What stands between backquotes."""
    return re.findall(r"`([^`]+)`", cell)


def field(text: str) -> Field | None:
    """Field written as offset+width."""
    if text == NOTHING:
        return None
    offset, width = text.split("+")
    return Field(int(offset), int(width))


def conditions(text: str) -> tuple[Match, ...]:
    """Conditions written as offset+width = value, with commas between them."""
    found = []
    for condition in [] if text == NOTHING else text.split(", "):
        where, value = condition.split(" = ")
        place = field(where)
        assert place is not None
        found.append(Match(place, None if value == "`ESUN_ETHERTYPE`" else int(value, 0)))
    return tuple(found)


def table() -> list[list[str]]:
    """Cells of the profile table's rows, its head first."""
    cells = rows(chapter("Parser"))
    return [cells[0], *cells[2:]]


def test_the_table_has_every_profile_once():
    head, *rows = table()
    assert head == COLUMNS
    assert [int(row[0]) for row in rows] == list(range(len(PROFILES)))


@pytest.mark.parametrize("number", range(len(PROFILES)), ids=[p.name for p in PROFILES])
def test_row_is_the_profile(number):
    row = dict(zip(COLUMNS, table()[1 + number], strict=True))
    dst, src, traffic_class = (field(row[name]) for name in ("destination", "source", "class"))
    assert dst and src and traffic_class
    only_if = conditions(row["class only if"])
    assert PROFILES[number] == Profile(
        name=row["profile"].strip("`"),
        match=conditions(row["match conditions"]),
        dst=dst, src=src, traffic_class=traffic_class,
        class_when=only_if[0] if only_if else None,
        ecn=field(row["ECN"]), flow_label=field(row["flow label"]), ttl=field(row["TTL"]),
    )


def test_constants_stand_in_the_text():
    parser = chapter("Parser")
    address = MAC_CONTROL_ADDRESS.to_bytes(6, "big").hex("-").upper()
    assert f"DA = {address}" in parser
    assert f"bytes 12–13 = 0x{MAC_CONTROL_ETHERTYPE:04X}" in parser
    assert f"first {HEADER_BYTES} bytes" in parser
    prefix = FABRIC_PREFIX.to_bytes(4, "big").hex("-").upper()
    assert f"destinations {prefix}-hh-ll" in chapter("Lookup")


def test_counters_are_those_of_the_table():
    found: dict[int, str] = {}
    for number, name, _ in rows(chapter("Counters"))[2:]:
        numbers = [int(n) for n in re.findall(r"\d+", number)]
        if "…" in number:
            numbers = list(range(numbers[0], numbers[1] + 1))
        found |= dict(zip(numbers, names(name), strict=True))
    # Where a table row gives the end of a name only, the beginning is that of the one before.
    assert found.keys() == {int(counter) for counter in Counter}
    assert all(Counter(number).name.endswith(name.lstrip("_")) for number, name in found.items())


def test_registers_are_those_of_the_table():
    found: dict[str, int] = {}
    for address, name, _, _ in rows(chapter("Registers"))[2:]:
        first = re.search(r"0x([0-9A-Fa-f]+)(?: \+ 0x100·p)?$", address.split(",")[0])
        offsets = re.findall(r"\+0x([0-9A-Fa-f]+)", address)
        if "·p" in address:
            assert int(address[2:6], 16) == PORT_BASE
            assert int(address.split("0x")[2][:3], 16) == PORT_STRIDE
            found["CONTROL"] = 0
        elif offsets and "counter n" not in name:
            values = [int(offset, 16) for offset in offsets]
            if "…" in address:
                values = list(range(values[0], int(address.split("0x")[-1], 16) + 1))
            found |= dict(zip(names(name), values, strict=True))
        elif first and not offsets:
            assert Global[names(name)[0]] == int(first[1], 16)
    assert "+0x20 + n" in chapter("Registers")
    assert {**found, "COUNTERS": 0x20} == {offset.name: int(offset) for offset in Port}


def test_probe_points_are_those_of_the_table():
    config = load_config("pod", ["ports=5", "vcs=3", "buffer_cells=300"])
    values = {"P": 5, "V": 3, "vb": 2, "⌈log2(B+1)⌉": 9, "·": "*"}
    found = []
    for name, width, _ in rows(chapter("Probe points"))[2:]:
        for symbol in ("⌈log2(B+1)⌉", "vb", "P", "V", "·"):
            width = width.replace(symbol, str(values[symbol]))
        found.append((names(name)[0].replace("p<i>", "p0"), eval(width, {})))
    points = [(point.name, point.width) for point in probe_points(config)
              if point.name.startswith(("p0.", "scheduler."))]
    assert points == found


def test_settings_of_flow_control_are_those_of_the_table():
    config = load_config("pod", ["ports=5", "vcs=3", "buffer_cells=301"])
    reset = reset_values(config, 4)
    masks = writable_masks(config)
    described: set[str] = set()
    for name, bits, value, _ in rows(chapter("Settings", FLOW_CONTROL))[2:]:
        listed = ["MAC_ADDRESS_HI", "MAC_ADDRESS_LO"] if "_LO" in name else names(name)
        described |= set(listed)
        if bits.startswith("ro"):
            assert not {Port[item] for item in listed} & set(masks)
            continue
        widths = [int(width) for width in re.findall(r"\d+", bits)]
        for item, width in zip(listed, widths, strict=False):
            if re.fullmatch(r"\d+(, \d+)?", bits):
                assert masks[Port[item]] == (1 << width) - 1
        wanted = [{"`buffer_cells`": 301, "⌊`buffer_cells`/4⌋": 75, "⌊`buffer_cells`/8⌋": 37,
                   "⌊`buffer_cells` / V⌋": 100, "`cf_min_spacing`": config.cf_min_spacing,
                   "`cf_max_spacing`": config.cf_max_spacing, "`cc_period`": config.cc_period,
                   "0": 0, "0xFFFF": 0xFFFF, "0x1FFFF": 0x1FFFF}.get(part)
                  for part in value.split(", ")]
        for item, number in zip(listed, wanted, strict=False):
            if number is not None and item not in ("CBFC_SENDER", "CBFC_RECEIVER"):
                assert reset[Port[item]] == number
    assert described | {"VC_MATCH"} == {offset.name for offset in Port
                                        if offset >= Port.VC_WEIGHTS and offset != Port.COUNTERS}
    assert reset[Port.CBFC_CONTROL] == 1 << 17
    assert reset[Port.CBFC_SENDER] == reset[Port.CBFC_RECEIVER] == 1
    assert (reset[Port.MAC_ADDRESS_HI], reset[Port.MAC_ADDRESS_LO]) == (0x0200, 4)
    assert masks[Port.CBFC_CONTROL] == 0x30707
    assert masks[Port.VC_WEIGHTS] == 0xFFF
