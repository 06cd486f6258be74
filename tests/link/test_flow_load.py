# SPDX-License-Identifier: Apache-2.0
"""Credits under load, on the golden model: shares of senders and VCs, a blocked class, requests."""

from __future__ import annotations

from typing import Any

import pytest

from gavel_model.config import MIN_FRAME_BYTES, SwitchConfig
from gavel_model.loader import load_config
from gavel_model.switch import Switch
from gavel_tb.llr_on_model import traffic_on_model
from gavel_tb.llr_traffic import LlrTraffic, LlrTrafficJob

FOREVER = 1 << 23


def small(**changes: object) -> SwitchConfig:
    """Four ports; each VC has credits for line rate over a short link."""
    base = {"ports": 4, "vcs": 4, "buffer_cells": 160, "replay_frames": 64, "replay_cells": 96}
    return load_config("tiny", [f"{name}={value}" for name, value in {**base, **changes}.items()])


def play(config: SwitchConfig, **options: Any) -> dict[str, Any]:
    return traffic_on_model(config, LlrTrafficJob(**{"credits": True, "size": "min", "delay": 2,
                                                     **options}))


@pytest.mark.parametrize(("changes", "weights"), [
    ({"data_width": 512, "vcs": 1}, ""),
    ({"data_width": 512, "ports": 8}, ""),
    ({"data_width": 512, "ports": 3, "vcs": 2}, "3,1"),
    ({"data_width": 512}, "1,2,1,4"),
    ({"data_width": 256, "ports": 5, "vcs": 3}, "1,1,1"),
], ids=str)
def test_senders_get_equal_shares_and_vcs_their_weights(
    seed: int, changes: dict[str, Any], weights: str
) -> None:
    """Of 10,000 frames to one output each sender has sent the same within 1 %; where buffers are
    full, VCs go exactly by their weights."""
    config = small(**changes)
    words = MIN_FRAME_BYTES // config.word_bytes
    figures = play(config, seed=seed, cycles=10_000 * words, pattern="converge", weights=weights,
                   rules=False)
    assert figures["frames"] >= 10_000
    fair = figures["frames"] / config.ports
    assert all(abs(sum(row) - fair) <= 0.01 * fair for row in figures["frames_on"])
    shares = [int(weight) for weight in weights.split(",")] if weights else [1] * config.vcs
    rates = figures["rate_of_vc"]
    for rate, share in zip(rates, shares, strict=True):
        assert abs(rate / sum(rates) - share / sum(shares)) < 0.001


@pytest.mark.parametrize(("changes", "weights"), [
    ({"data_width": 512}, ""),
    ({"data_width": 512, "ports": 2, "vcs": 2}, "1,1"),
    ({"data_width": 512}, "1,2,1,4"),
], ids=str)
def test_every_voq_gets_its_share(seed: int, changes: dict[str, Any], weights: str) -> None:
    config = small(**changes)
    figures = play(config, seed=seed, cycles=9000, pattern="converge", weights=weights,
                   rules=False)
    shares = [int(weight) for weight in weights.split(",")] if weights else [1] * config.vcs
    buffered = config.buffer_cells / config.vcs
    for row in figures["frames_on"]:
        for frames, share in zip(row, shares, strict=True):
            fair = figures["frames"] * share / sum(shares) / config.ports
            assert abs(frames - fair) <= 0.01 * fair + buffered, figures["frames_on"]


def test_a_blocked_class_leaves_the_others_the_whole_line(seed: int) -> None:
    """VC 1 fills all buffers; in the second half of the run the other VCs fill every link."""
    config = small()
    figures = play(config, seed=seed, cycles=10_000, pattern="permutation", stuck_ports="all",
                   stuck_vcs="1", stuck_cycles=FOREVER, cc_period=0)
    assert figures["ports_without_credits"][1] == config.ports
    assert figures["rate_of_vc"][1] == 0
    assert sum(figures["rate_of_vc"]) >= 0.999


def test_responses_never_wait_for_requests(seed: int) -> None:
    """Responses are longer than requests, so that requests back up to their senders."""
    config = small(vcs=2, buffer_cells=48)
    figures = play(config, seed=seed, cycles=6000, requests=True, size=200, pattern="incast")
    assert figures["request_holds"] > 20
    assert figures["ports_without_credits"][0] == config.ports
    requests, responses = (sum(row[vc] for row in figures["frames_on"]) for vc in (0, 1))
    assert requests == responses == figures["responses"] > 100


@pytest.mark.parametrize(("options", "message"), [
    ({"weights": "1,2"}, "weights = '1,2': must be 4 numbers in 0...15"),
    ({"weights": "1,2,3,16"}, "weights = '1,2,3,16': must be 4 numbers"),
    ({"stuck_vcs": "4"}, "stuck_vcs = '4': must be numbers in 0...3"),
    ({"requests": True, "credits": False, "pfc": True}, "requests = True: needs credits"),
    ({"requests": True, "best_effort": "3"}, "requests = True: needs credits on all VCs"),
])
def test_refusals(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        play(small(), **options)
    assert message in str(caught.value)


def test_every_vc_goes_on_after_a_new_beginning_under_load(seed: int) -> None:
    """Over a short link busy VCs have credits to be given back in each CF_Update."""
    config = small(data_width=512)
    job = LlrTrafficJob(seed=seed, cycles=FOREVER, credits=True, pattern="permutation", size="min",
                        rules=False, delay=1, cc_period=0)
    traffic = LlrTraffic(config, job)
    switch = Switch(config)
    accounts = [partner.flow.credits for partner in traffic.around.partners if partner.flow]
    for cycle in range(2500):
        inputs = traffic.step(cycle, switch.tx)
        traffic.observe(cycle, inputs, switch.tx)
        switch.step(inputs)
        if cycle == 1500:
            for partner in traffic.around.partners:
                assert partner.flow is not None
                partner.flow.restart()
    assert not any(any(account.waiting) for account in accounts)


def test_with_one_queue_per_input_a_slow_receiver_holds_up_all(seed: int) -> None:
    """Nothing is lost and everything drains, with errors on all links, too."""
    frames = {}
    for queueing in ("voq", "fifo"):
        config = small(data_width=512, vcs=2, queueing=queueing)
        figures = play(config, seed=seed, cycles=2500, slow_ports="0", slow_rate=0.1,
                       word_errors=2e-3, word_drops=5e-4, set_drops=0.01)
        assert figures["partner_replays"] + figures["switch_replays"] > 0
        frames[queueing] = figures["frames"]
    assert 0 < frames["fifo"] < 0.8 * frames["voq"]
