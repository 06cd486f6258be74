# SPDX-License-Identifier: Apache-2.0
"""Tables and constants of docs/spec.md, chapter Parser, agree with `gavel_model.profiles`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gavel_model.profiles import (
    FABRIC_PREFIX,
    HEADER_BYTES,
    MAC_CONTROL_ADDRESS,
    MAC_CONTROL_ETHERTYPE,
    PROFILES,
    Field,
    Match,
    Profile,
)

SPEC = (Path(__file__).resolve().parents[2] / "docs" / "spec.md").read_text("utf-8")
COLUMNS = ["no.", "profile", "match conditions", "destination", "source", "class",
           "class only if", "ECN", "flow label", "TTL"]
NOTHING = "–"


def chapter(title: str) -> str:
    """Text of the chapter with this title."""
    return re.split(rf"^## \d+\. {title}$", SPEC, flags=re.MULTILINE)[1].partition("\n## ")[0]


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
    lines = [line for line in chapter("Parser").splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
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
