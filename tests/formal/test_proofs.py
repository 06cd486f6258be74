# SPDX-License-Identifier: Apache-2.0
"""The proofs in their short form, and that each notices the faults that are planted."""

from __future__ import annotations

import pytest

from gavel_tb.formal.catalogue import PROOFS
from gavel_tb.formal.proof import run_proof

SHORT = [proof for proof in PROOFS if proof.short_depth]
PLANTED = [(proof, fault) for proof in PROOFS for fault in proof.faults]


def test_names_are_given_once():
    assert len({proof.name for proof in PROOFS}) == len(PROOFS)


@pytest.mark.parametrize("proof", SHORT, ids=[proof.name for proof in SHORT])
def test_the_property_holds(proof):
    result = run_proof(proof, short=True)
    assert result.outcome == "proved", result.failed


@pytest.mark.parametrize(("proof", "fault"), PLANTED,
                         ids=[f"{proof.name}-{fault}" for proof, fault in PLANTED])
def test_a_fault_is_noticed(proof, fault):
    result = run_proof(proof, fault=fault)
    assert result.outcome == "fails"
    assert result.failed, "the claim that fails is named"
