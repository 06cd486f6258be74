# SPDX-License-Identifier: Apache-2.0
"""Credits under load with errors on all links, in lockstep: nothing is lost, nobody is held up who
need not be, everything drains. The long form is `gavel soak`, on the real presets.

That no lossless frame is dropped is a check of every run of the job.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gavel_model.config import SwitchConfig
from gavel_tb.credit_loop import CreditLoopJob, credits_for_line_rate

Simulate = Callable[..., dict[str, Any]]

ERRORS: dict[str, Any] = {"word_errors": 5e-4, "word_drops": 2e-4, "set_drops": 0.01}
FOREVER = 1 << 23


def run(simulate: Simulate, name: str, seed: int, **options: Any) -> dict[str, Any]:
    """Figures of a run that passed."""
    result = simulate(name, "llr", **{"seed": seed, "credits": True, "size": "min", "delay": 5,
                                      **options})
    assert result["passed"], result["report"]
    assert not result["mismatches"]
    figures: dict[str, Any] = result["figures"]
    return figures


@pytest.mark.parametrize(("name", "delay"), [
    ("tiny", 20), pytest.param("odd3", 0, marks=pytest.mark.long),
    pytest.param("odd5", 40, marks=pytest.mark.long), ("rack4", 100)])
def test_line_rate_with_the_credits_of_the_formula(
    simulate: Simulate, switch: Callable[[str], SwitchConfig], name: str, delay: int
) -> None:
    job = CreditLoopJob(delay=delay, cycles=2000)
    enough = credits_for_line_rate(switch(name), job.frame_bytes, job.loop)
    result = simulate(name, "credits", **{**job.parameters(), "credits": enough})
    assert result["passed"], result["report"]
    assert result["figures"]["rate"] == 1.0


@pytest.mark.parametrize("name", [
    # With 512 bits all send to one in CBFC-10-incast, and with errors in test_soak.py.
    pytest.param("rack4", marks=pytest.mark.long), "odd5"])
def test_incast(simulate: Simulate, seed: int, name: str) -> None:
    # Few words pass: some must be hit with every seed.
    figures = run(simulate, name, seed, cycles=2500, pattern="converge",
                  **{**ERRORS, "word_errors": 3e-3})
    assert min(figures["ports_without_credits"]) > 0
    assert figures["partner_replays"] + figures["switch_replays"] > 0


@pytest.mark.parametrize(("name", "cycles"), [("rack4", 1500), ("pod", 1500)])
def test_all_to_all_at_full_load(simulate: Simulate, seed: int, name: str, cycles: int) -> None:
    figures = run(simulate, name, seed, cycles=cycles, **ERRORS)
    assert figures["frames"] > 100
    assert figures["partner_replays"] + figures["switch_replays"] > 0


def test_a_receiver_that_is_stuck(simulate: Simulate, seed: int) -> None:
    figures = run(simulate, "rack4", seed, cycles=2000, stuck_ports="0", stuck_cycles=900, **ERRORS)
    assert figures["frames"] > 1000


def test_receivers_at_one_percent(simulate: Simulate, seed: int) -> None:
    figures = run(simulate, "tiny", seed, cycles=6000, slow_ports="all", slow_rate=0.01, **ERRORS)
    assert min(figures["ports_without_credits"]) == 2
    assert sum(figures["rate_of_vc"]) < 0.03


@pytest.mark.parametrize("name", [
    # With 512 bits a class is blocked in CBFC-08-choked-vc of test_flow_behaviour.py.
    pytest.param("rack4", marks=pytest.mark.long), "odd5", "tiny"])
def test_a_class_that_is_blocked_everywhere_holds_up_no_other(
    simulate: Simulate, switch: Callable[[str], SwitchConfig], seed: int, name: str
) -> None:
    """VC 1 fills the buffers of all partners and of all inputs; then nothing of it moves, until its
    receivers read again at the end."""
    config = switch(name)
    options = {"cycles": 4000, "pattern": "permutation"}
    free = run(simulate, name, seed, **options)
    blocked = run(simulate, name, seed, **options, stuck_ports="all", stuck_vcs="1",
                  stuck_cycles=FOREVER)
    assert blocked["ports_without_credits"][1] == config.ports
    assert blocked["rate_of_vc"][1] == 0
    for vc in range(config.vcs):
        if vc != 1:
            assert blocked["rate_of_vc"][vc] >= 0.99 * free["rate_of_vc"][vc] > 0


@pytest.mark.parametrize("slow", [{}, {"slow_ports": "all", "slow_rate": 0.1}],
                         ids=["fast", "slow"])
def test_responses_that_wait_for_requests(
    simulate: Simulate, seed: int, slow: dict[str, Any]
) -> None:
    """Requests back up to their senders, since responses are longer; no response waits for one."""
    figures = run(simulate, "odd5", seed, cycles=2400, requests=True, size=200, **slow, **ERRORS)
    assert figures["ports_without_credits"][0] == 5
    assert figures["request_holds"] > 10
    assert figures["responses"] == sum(row[1] for row in figures["frames_on"]) > 50
    assert figures["responses"] == sum(row[0] for row in figures["frames_on"])


@pytest.mark.parametrize("weights", [
    # The model has it, with as many ports and more, in tests/link/test_flow_load.py.
    pytest.param("", marks=pytest.mark.long), "1,2,1,4"])
def test_senders_share_an_output_and_vcs_go_by_their_weights(
    simulate: Simulate, seed: int, weights: str
) -> None:
    figures = run(simulate, "rack4", seed, cycles=3000, pattern="converge", weights=weights,
                  rules=False)
    fair = figures["frames"] / 4
    assert all(abs(sum(row) - fair) <= 0.01 * fair for row in figures["frames_on"])
    rates = figures["rate_of_vc"]
    if weights == "":
        assert all(abs(rate / sum(rates) - 1 / 4) < 0.003 for rate in rates)
