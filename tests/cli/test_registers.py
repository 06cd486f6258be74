# SPDX-License-Identifier: Apache-2.0
"""`gavel registers`: what it writes, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PROGRAM = """
#include "gavel_registers.h"
#include "gavel_selftest_registers.h"
#include "gavel_telemetry_registers.h"
#include <stddef.h>
_Static_assert(offsetof(gavel_t, PORT) == 0x1000, "ports");
_Static_assert(offsetof(gavel_t, PORT[1].COUNTERS.LLR_TX_OK) == 0x1400 + 0x80 + 4 * 24, "counter");
_Static_assert(offsetof(gavel_t, PORT[2].VC_CELLS[1]) == 0x1800 + 0x2E4, "array");
_Static_assert(GAVEL__PORTX__LLR_CONTROL__FLUSH_ACTION_bm == 0x30, "field");
_Static_assert(GAVEL__PORTX__CBFC_CONTROL__RECEIVER_bm == 0x700, "three VCs");
_Static_assert(GAVEL__PORTX__LLR_WINDOW_FRAMES__FRAMES_reset == 8, "reset value");
_Static_assert(offsetof(gavel_selftest_t, PORT[2].LOST) == 0x300 + 0x6C, "self-test");
_Static_assert(offsetof(gavel_telemetry_t, PORT[2].FROZEN[1].COUNT_HI)
               == 0x1FC00 + 0x800 + 0x100 + 12, "frozen counter");
_Static_assert(GAVEL_TELEMETRY__PORTX__EVENTS__CELLS_ALARM_bm == 0x800, "event");
"""
SESSION = """
from gavel.reg_model.gavel import gavel_cls
from gavel.lib import NormalCallbackSet
from gavel_selftest.reg_model.gavel_selftest import gavel_selftest_cls
from gavel_selftest.lib import NormalCallbackSet as SelfTestCallbacks
from gavel_telemetry.reg_model.gavel_telemetry import gavel_telemetry_cls
from gavel_telemetry.lib import NormalCallbackSet as TelemetryCallbacks
memory = {}
def read(addr, width, accesswidth):
    return memory.get(addr, 0)
def write(addr, width, accesswidth, data):
    memory[addr] = data
switch = gavel_cls(callbacks=NormalCallbackSet(read_callback=read, write_callback=write))
switch.PORT[1].CBFC_LIMIT[2].credits.write(77)
assert memory == {0x1400 + 0x208: 77}, memory
test = gavel_selftest_cls(address=0x2FF00, callbacks=SelfTestCallbacks(
    read_callback=read, write_callback=write))
test.PORT[2].CLASSES.write_fields(mask=7)
assert memory[0x30210] == 7, memory
telemetry = gavel_telemetry_cls(address=0x400, callbacks=TelemetryCallbacks(
    read_callback=read, write_callback=write))
telemetry.INDEX.write_fields(entry=5)
assert memory[0x424] == 5, memory
memory[0x20900] = 3
assert telemetry.PORT[2].FROZEN[0].COUNT.read() == 3
"""


def test_everything_is_written_and_works(gavel, tmp_path):
    folder = tmp_path / "out"
    done = gavel("registers", "-c", "tiny", "-P", "vcs=3", "-P", "ports=3", "-o", folder,
                 "--self-test", "--telemetry", "--json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["files"] == [
        str(folder / name) for name in (
            "rdl", "gavel_registers.h", "gavel_selftest_registers.h",
            "gavel_telemetry_registers.h", "html", "python")]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]
    assert "ports = 3," in (folder / "rdl" / "gavel.rdl").read_text("utf-8")
    assert (folder / "html" / "index.html").is_file()
    for page in ("gavel_selftest", "gavel_telemetry"):
        assert (folder / "html" / page / "index.html").is_file()
    subprocess.run(["gcc", "-fsyntax-only", "-Werror", "-x", "c", "-I", str(folder), "-"],
                   input=PROGRAM, text=True, check=True)
    subprocess.run([sys.executable, "-c", SESSION], cwd=folder / "python", check=True)

    again = gavel("registers", "-c", "tiny", "-o", folder)
    assert (again.exit_code, again.stderr) == (
        2, f"gavel: error: {folder}: is there already: name a new folder\n")


@pytest.mark.parametrize(("words", "code", "message"), [
    ((), 2, "say -o DIR"),
    (("--table", "-o", "x"), 2, "say -o DIR"),
    (("-c", "tiny", "-P", "ports=1", "-o", "x"), 2, "ports = 1: must be in 2...64"),
])
def test_refusals(gavel, words, code, message):
    done = gavel("registers", *words)
    assert done.exit_code == code
    assert done.stderr.startswith("gavel: error: ") and message in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_missing_exporter_is_named_with_its_cure(gavel, tmp_path, monkeypatch):
    from gavel_tb.rdl import exports

    monkeypatch.setattr(exports, "find_spec",
                        lambda name: None if name == "peakrdl_html" else True)
    done = gavel("registers", "-c", "tiny", "-o", tmp_path / "out")
    assert (done.exit_code, done.stderr) == (
        3, "gavel: error: peakrdl_html not installed: pip install 'gavel[registers]'\n")
    assert not (tmp_path / "out").exists()


def test_a_program_that_fails_leaves_nothing(gavel, tmp_path, monkeypatch):
    from gavel_tb.rdl import exports

    monkeypatch.setattr(exports, "_HEADER", ("no-such-exporter",))
    done = gavel("registers", "-c", "tiny", "-o", tmp_path / "out")
    assert done.exit_code == 3
    assert done.stderr.startswith("gavel: error: peakrdl no-such-exporter failed: ")
    assert list(tmp_path.iterdir()) == []
