# SPDX-License-Identifier: Apache-2.0
"""`gavel bench`: keys, ratios, table, refusals, and one real measurement."""

from __future__ import annotations

import json

import pytest

from gavel_cli import bench
from gavel_model.loader import PRESETS, load_config

FIGURES = {"native": 1000.0, "cocotb": 250.0, "lockstep": 100.0, "compare": 750.0, "model": 500.0,
           "fast": 9000.0,
           "verilog_seconds": 1.5, "build_seconds": 20.0}


@pytest.fixture
def measured(monkeypatch):
    """Takes the measurement's place and notes what it was asked for."""
    asked = []

    def measure(config, *, cycles, native_cycles):
        asked.append((config, cycles, native_cycles))
        return dict(FIGURES)

    class Cache:
        def __init__(self, root):
            pass

        def design(self, config):
            return type("Design", (), {"verilog": "line\n" * 1234})

    monkeypatch.setattr(bench, "measure", measure)
    monkeypatch.setattr(bench, "BuildCache", Cache)
    return asked


def test_json_has_one_object_per_preset(gavel, measured):
    result = gavel("bench", "--json")
    assert result.exit_code == 0
    value = json.loads(result.stdout)
    assert list(value) == list(PRESETS)
    for figures in value.values():
        assert figures.items() >= FIGURES.items()
        assert figures["lockstep_ratio"] == pytest.approx(0.1)
        assert figures["model_ratio"] == pytest.approx(0.5)
        assert figures["verilog_lines"] == 1234
        assert figures["machine"] == bench.machine()


def test_table_is_markdown_and_names_the_machine(gavel, measured):
    result = gavel("bench", "-c", "pod")
    lines = result.stdout.splitlines()
    assert lines[0] == bench.machine()
    assert lines[-1] == ("| `pod` | 8 × 64 | 1,234 | 1.5 s | 20 s | 1,000 | 0.2500 | 0.1000 "
                         "| 0.7500 | 0.5000 | 9.0000 |")
    assert len({line.count("|") for line in lines[2:]}) == 1


def test_cycles_follow_the_size_unless_given(gavel, measured):
    gavel("bench", "-c", "tiny", "-c", "scale")
    gavel("bench", "-c", "tiny", "--cycles", 70)
    assert [(cycles, native) for _, cycles, native in measured] == [
        (78_125, 781_250), (1000, 10_000), (70, 700)]
    assert bench.cycles_for(load_config("pod")) == 19_531


def test_a_bad_configuration_is_refused_before_anything_runs(gavel, measured):
    result = gavel("bench", "-c", "tiny", "-c", "nope")
    assert result.exit_code == 2
    assert result.stderr.startswith("gavel: error: config = 'nope': must be a TOML file or one of")
    assert measured == []


def test_growth_fits_an_exponent(gavel, monkeypatch):
    monkeypatch.setattr(bench, "growth", lambda: {
        ports: {"model": 1e6 / ports ** 1.5, "fast": 1e7 / ports} for ports in (2, 8, 64)})
    monkeypatch.setattr(bench, "sweep_seconds",
                        lambda workers: {number: 12.0 / number for number in workers})
    lines = gavel("bench", "--growth").stdout.splitlines()
    assert "| 8 | 44,194 | 1,250,000 |" in lines
    assert "| time ~ ports^b, b = | 1.50 | 1.00 |" in lines
    value = json.loads(gavel("bench", "--growth", "--json").stdout)
    assert value["exponents"] == {"model": pytest.approx(1.5), "fast": pytest.approx(1.0)}


@pytest.mark.long
def test_a_real_measurement(gavel):
    result = gavel("bench", "-c", "tiny", "--cycles", 1000, "--json")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)["tiny"]
    for name in FIGURES:
        assert figures[name] > 0, name
