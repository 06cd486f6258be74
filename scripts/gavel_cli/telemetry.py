# SPDX-License-Identifier: Apache-2.0
"""`gavel telemetry`: records of telemetry as a table, CSV or JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import BinaryIO

import click

from gavel_cli.errors import EXIT_CODES, InputError
from gavel_cli.options import json_option, print_json
from gavel_tb.telemetry_records import Record, RecordError, decode_records

COLUMNS = {
    "interval": "", "cycle": "", "cycles": "", "port": "", "rx_bytes": "B", "tx_bytes": "B",
    "cells": "largest", "blocked": "cycles", "corrected": "", "uncorrectable": "",
    "dropped": "frames", "events": "",
}
"""Values of a port in a record, and their units."""

CLOCKED = {"time_us": "us", "rx_gbps": "Gbit/s", "tx_gbps": "Gbit/s"}
"""What a clock adds."""

_LEFT = "events"


@click.command(epilog=EXIT_CODES)
@click.argument("file", type=click.File("rb"))
@click.option("--port", "ports", type=click.IntRange(min=0), multiple=True, metavar="PORT",
              help="Show this port alone; may be repeated.")
@click.option("--mhz", type=click.FloatRange(min=0, min_open=True),
              help="Clock of the switch: adds times and rates.")
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values.")
@json_option
def telemetry(file: BinaryIO, ports: tuple[int, ...], mhz: float | None, as_csv: bool,
              as_json: bool) -> None:
    """Print the records of telemetry in FILE (- is standard input), a line for each port.

    FILE holds the bytes of m_axis_telemetry as a collector got them, record behind record.
    Bytes are those of frames; cells is the largest level of the ingress buffer; blocked counts
    cycles in which link, peer or software kept a VC of the output from sending. With --mhz the
    rates are means over `cycles`, which are known from the second record on.
    """
    if as_csv and as_json:
        raise click.UsageError("say --csv or --json")
    try:
        records = list(decode_records(file.read()))
    except RecordError as error:
        raise InputError(f"{file.name}: {error}") from error
    if not records:
        raise InputError(f"{file.name}: there is no record in it")
    for port in ports:
        if port >= max(len(record.ports) for record in records):
            raise InputError(f"--port {port}: there is no such port in {file.name}")
    columns = COLUMNS | (CLOCKED if mhz else {})
    rows = list(_rows(records, frozenset(ports), mhz))
    if as_json:
        print_json(rows)
    elif as_csv:
        _print_csv(rows, columns)
    else:
        _print_table(rows, columns)


def _rows(records: list[Record], ports: frozenset[int],
          mhz: float | None) -> Iterator[dict[str, object]]:
    before = None
    for record in records:
        cycles = record.cycles_since(before)
        before = record
        for number, port in enumerate(record.ports):
            if ports and number not in ports:
                continue
            row: dict[str, object] = {
                "interval": record.interval, "cycle": record.cycle, "cycles": cycles,
                "port": number, **port._asdict(), "events": list(port.event_names)}
            if mhz:
                row["time_us"] = record.cycle / mhz
                for way in ("rx", "tx"):
                    octets = getattr(port, f"{way}_bytes")
                    row[f"{way}_gbps"] = octets * 8 * mhz / cycles / 1000 if cycles else None
            yield row


def _shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return " ".join(value)
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _print_csv(rows: list[dict[str, object]], columns: dict[str, str]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_shown(row[name]) for name in columns] for row in rows)
    click.echo(text.getvalue(), nl=False)


def _print_table(rows: list[dict[str, object]], columns: dict[str, str]) -> None:
    # Events last, as they are of any length.
    names = [name for name in columns if name != _LEFT] + [_LEFT]
    lines = [names, [columns[name] for name in names],
             *([_shown(row[name]) for name in names] for row in rows)]
    widths = [max(len(line[n]) for line in lines) for n in range(len(names) - 1)]
    for line in lines:
        numbers = (text.rjust(width) for text, width in zip(line, widths, strict=False))
        click.echo("  ".join((*numbers, line[-1])).rstrip())
