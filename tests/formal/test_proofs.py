# SPDX-License-Identifier: Apache-2.0
"""The proofs in their short form, and that each notices the faults that are planted."""

from __future__ import annotations

from typing import Any

import pytest

from gavel_tb.formal.catalogue import PROOFS
from gavel_tb.formal.proof import run_proof

LONG = {"wait-vc", "credits-loop", "retry-running-takes_older_frames",
        "retry-running-takes_spoilt_frames", "check-family-checks_no_acks"}
"""Those that take longest. Each harness has another fault, or its planted one, in the short run;
the claim of `credits-loop` is that of `credits-loop-vcs`."""


def each(name: str, *values: Any) -> Any:
    return pytest.param(*values, id=name, marks=[pytest.mark.long] if name in LONG else [])


SHORT = [each(proof.name, proof) for proof in PROOFS if proof.short_depth]
PLANTED = [each(f"{proof.name}-{fault}", proof, fault) for proof in PROOFS
           for fault in proof.faults]


def test_names_are_given_once():
    assert len({proof.name for proof in PROOFS}) == len(PROOFS)


@pytest.mark.parametrize("proof", SHORT)
def test_the_property_holds(proof):
    result = run_proof(proof, short=True)
    assert result.outcome == "proved", result.failed


@pytest.mark.parametrize(("proof", "fault"), PLANTED)
def test_a_fault_is_noticed(proof, fault):
    result = run_proof(proof, fault=fault)
    assert result.outcome == "fails"
    assert result.failed, "the claim that fails is named"
