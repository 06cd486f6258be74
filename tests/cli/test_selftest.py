# SPDX-License-Identifier: Apache-2.0
"""`gavel selftest`: table, JSON, what is injected and found, refusals. The board is the model."""

from __future__ import annotations

import json
from typing import Any, Self

import pytest

from gavel_cli import selftest
from gavel_model.config import SwitchConfig
from gavel_tb.build_cache import BuildCache
from gavel_tb.rdl import exports
from gavel_tb.selftest_model import ModelSelfTest

WORDS = ("selftest", "-c", "tiny", "--cycles", "2000", "--load", "0.5", "--size", "64:200")


class Board(ModelSelfTest):
    """The model in place of the Verilated switch."""

    def __init__(self, config: SwitchConfig, **_options: Any) -> None:
        super().__init__(config)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


@pytest.fixture(autouse=True)
def model(monkeypatch, sim_cache):
    monkeypatch.setattr(selftest, "NativeSelfTest", Board)
    monkeypatch.setattr(selftest, "BuildCache", lambda _folder: BuildCache(sim_cache))
    monkeypatch.setattr(selftest, "_STEPS", 5)
    monkeypatch.setattr(selftest, "_DRAIN", 300)


def test_a_table_of_ports(gavel):
    done = gavel(*WORDS)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["port", "sent", "received", "of", "line", "rate", "latency", "min",
                                "mean", "max", "bad", "FCS", "header", "payload", "lost", "out",
                                "of", "order"]
    assert [line.split()[0] for line in lines[1:3]] == ["0", "1"]
    assert lines[3].endswith("nothing lost")


@pytest.mark.parametrize(("inject", "mode", "found"), [
    ("fcs:5", "internal", "lost"), ("payload:5", "external", "payload_errors"),
    ("lost:5", "internal", "lost"), ("fcs:5", "link", "bad_fcs"),
])
def test_what_is_injected_is_found_and_no_failure(gavel, inject, mode, found):
    done = gavel(*WORDS, "--inject", inject, "--mode", mode, "--json")
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert said["passed"] and said["errors"] == []
    injected = sum(port["injected"] for port in said["ports"])
    assert injected > 5
    counted = sum(port[found] for port in said["ports"])
    assert counted == injected or (found == "lost" and injected - 4 <= counted < injected)


def test_a_loss_is_a_failure_and_named(gavel):
    # Two ports send all they have to one.
    done = gavel(*WORDS[:-4], "--load", "1", "--pattern", "port:1", "--size", "64:90")
    assert done.exit_code == 1
    assert done.stderr.startswith("gavel: error: ") and done.stderr.count("\n") == 1
    assert "lost instead of 0" in done.stderr and "frames never came; port 1: lost" in done.stderr


@pytest.mark.parametrize(("words", "message"), [
    (("--size", "12"), "--size: must be LOW:HIGH with 64 <= LOW <= HIGH"),
    (("--size", "big"), "'big': say BYTES or SHORTEST:LONGEST"),
    (("--pattern", "port:7"), "--pattern port:7: must be in 0...1"),
    (("--pattern", "ring"), "'ring': say uniform, turn, rotate:K or port:N"),
    (("--inject", "fcs"), "'fcs': say fcs:N, payload:N, lost:N, N in 1...16777215"),
    (("--load", "0"), "0.0 is not in the range"),
])
def test_refusals(gavel, words, message):
    done = gavel("selftest", "-c", "tiny", *words)
    assert done.exit_code == 2 and message in done.stderr and done.stderr.count("\n") == 1


def test_a_missing_exporter_is_named_with_its_cure(gavel, monkeypatch):
    monkeypatch.setattr(exports, "find_spec",
                        lambda name: None if name == "peakrdl_python" else True)
    done = gavel(*WORDS)
    assert (done.exit_code, done.stderr) == (
        3, "gavel: error: peakrdl_python not installed: pip install 'gavel[registers]'\n")
