# SPDX-License-Identifier: Apache-2.0
"""`gavel telemetry`: records of the model as table, CSV and JSON, and what is refused."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from gavel_model.loader import load_config
from gavel_model.record_sums import Sample
from gavel_model.telemetry_names import TelemetryPortEvents
from gavel_model.telemetry_stream import TelemetryStream
from gavel_tb.telemetry_records import Record, decode_records

PERIOD = 20
PORTS = 3
FIRST = 1000
EVENTS = 1 << TelemetryPortEvents.LINK_UP | 1 << TelemetryPortEvents.CELLS_ALARM


def stream(cycles: int) -> bytes:
    """What the model sends in so many cycles; the sink does not listen for a while."""
    model = TelemetryStream(load_config("tiny", (f"ports={PORTS}",)))
    data = b""
    for now in range(cycles):
        ready = int(not 2 * PERIOD < now < 4 * PERIOD)
        if model.tvalid and ready:
            data += model.tdata.to_bytes(8, "little")
        samples = [Sample(rx_bytes=p, tx_bytes=8, cells=now % PERIOD + p, blocked=p & 1,
                          dropped=int(p == 2)) for p in range(PORTS)]
        model.step(samples, [0, EVENTS, 0], FIRST + now, period=PERIOD,
                   period_written=int(now == 0), tready=ready)
    return data


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Three whole records: of intervals 0, 1 and 4."""
    path = tmp_path / "records.bin"
    path.write_bytes(stream(5 * PERIOD + 15))
    return path


def test_records_say_what_was_observed(file: Path) -> None:
    records = list(decode_records(file.read_bytes()))
    assert [record.interval for record in records] == [0, 1, 4]
    before: Record | None = None
    for record in records:
        assert record.cycle == FIRST + PERIOD * (record.interval + 1) - 1
        cycles = record.cycles_since(before)
        assert cycles == (None if before is None
                          else PERIOD * (record.interval - before.interval))
        before = record
        for p, port in enumerate(record.ports):
            length = PERIOD if cycles is None else cycles
            assert port == (p * length, 8 * length, PERIOD - 1 + p, (p & 1) * length,
                            EVENTS * (p == 1), 0, 0, length * (p == 2))
    assert records[0].ports[1].event_names == ("link_up", "cells_alarm")


def test_table_csv_and_json_say_the_same(gavel, file):
    table = gavel("telemetry", file, "--mhz", "100")
    assert table.exit_code == 0, table.output
    lines = [line.split() for line in table.stdout.splitlines()]
    assert lines[0][:4] == ["interval", "cycle", "cycles", "port"] and "B" in lines[1]
    rows = json.loads(gavel("telemetry", file, "--mhz", "100", "--json").stdout)
    given = gavel("telemetry", file, "--mhz", "100", "--csv").stdout
    read = list(csv.DictReader(io.StringIO(given)))
    assert len(rows) == len(read) == len(lines) - 2 == 3 * PORTS
    for row, line in zip(rows, read, strict=True):
        assert all(line[name] == str(row[name]) for name in ("cycle", "port", "rx_bytes", "cells"))
        assert line["events"] == " ".join(row["events"])
    # 8 bytes a cycle at 100 MHz.
    assert rows[-1]["tx_gbps"] == pytest.approx(6.4) and read[-1]["tx_gbps"] == "6.400"
    assert rows[0]["tx_gbps"] is None and read[0]["tx_gbps"] == read[0]["cycles"] == ""
    assert rows[-1]["time_us"] == pytest.approx(rows[-1]["cycle"] / 100)


def test_one_port(gavel, file):
    rows = json.loads(gavel("telemetry", file, "--port", 2, "--json").stdout)
    assert [row["port"] for row in rows] == [2] * 3
    assert "tx_gbps" not in rows[0]


@pytest.mark.parametrize(("change", "what"), [
    (lambda data: data[:-1], "the data end at byte 263, within a record of 88 bytes that begins at "
                             "byte 176"),
    (lambda data: data[:90], "the data end at byte 90, within the head of a record that begins at "
                             "byte 88"),
    (lambda data: data[:88] + b"PNG" + data[91:], "no record of telemetry at byte 88: it begins "
                                                  "with 0x4E50, not 0x5447"),
    (lambda data: data[:2] + b"\2" + data[3:], "record of version 2 at byte 0"),
    (lambda data: data[:3] + b"\0" + data[4:], "record of no ports at byte 0"),
    (lambda _: b"hello", "no record of telemetry: it does not begin with 'GT'"),
    (lambda _: b"", "there is no record in it"),
])
def test_other_data_are_refused_in_one_line(gavel, file, change, what):
    file.write_bytes(change(file.read_bytes()))
    result = gavel("telemetry", file)
    assert result.exit_code == 2 and result.stdout == ""
    assert result.stderr.startswith(f"gavel: error: {file}: {what}")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(("words", "what"), [
    (("--port", "3"), "--port 3: there is no such port in"),
    (("--csv", "--json"), "say --csv or --json"),
    (("--mhz", "0"), "0.0 is not in the range x>0"),
])
def test_options_that_make_no_sense_are_refused(gavel, file, words, what):
    result = gavel("telemetry", file, *words)
    assert result.exit_code == 2 and result.stdout == ""
    assert what in result.stderr and result.stderr.count("\n") == 1


def test_a_file_that_is_not_there_is_refused(gavel, tmp_path):
    result = gavel("telemetry", tmp_path / "none.bin")
    assert result.exit_code == 2 and "No such file" in result.stderr


def test_a_run_on_the_model_is_recorded(gavel, tmp_path):
    gavel("trace", "all-to-all", "--ranks", 2, "--size", "4KiB", "-o", tmp_path / "traces")
    file = tmp_path / "records.bin"
    words = ("run", tmp_path / "traces", "-c", "tiny", "--model", "--json")
    plain, recorded = (json.loads(gavel(*words, *more).stdout)
                       for more in ((), ("--records", file, "--record-cycles", 20)))
    for result in (plain, recorded):
        del result["simulated_cycles_per_second"]
    assert recorded == plain
    records = list(decode_records(file.read_bytes()))
    # The last one may still be sent when the run ends, and the last interval is not over.
    assert [record.interval for record in records] == list(range(len(records)))
    assert 0 <= plain["cycles"] - records[-1].cycle < 2 * 20
    sent = sum(port.tx_bytes for record in records for port in record.ports)
    assert 0.8 * plain["wire_bytes"] < sent <= plain["wire_bytes"]


@pytest.mark.parametrize(("words", "what"), [
    ((), "--records: records are of the model; add --model"),
    (("--model", "--record-cycles", 13), "--record-cycles 13: must be 14 to 16777215 with 2 ports"),
])
def test_what_cannot_be_recorded_is_refused(gavel, tmp_path, words, what):
    gavel("trace", "all-to-all", "--ranks", 2, "--size", "4KiB", "-o", tmp_path)
    file = tmp_path / "records.bin"
    result = gavel("run", tmp_path, "-c", "tiny", "--records", file, *words)
    assert result.exit_code == 2 and not file.exists()
    assert result.stderr == f"gavel: error: {what}\n"


def test_a_run_that_is_shorter_than_a_record_says_so(gavel, tmp_path):
    gavel("trace", "all-to-all", "--ranks", 2, "--size", "4KiB", "-o", tmp_path)
    file = tmp_path / "records.bin"
    result = gavel("run", tmp_path, "-c", "tiny", "--model", "--records", file,
                   "--record-cycles", 100_000)
    assert result.exit_code == 2 and not file.exists()
    assert result.stderr.startswith("gavel: error: --record-cycles 100000: the run was over after")
