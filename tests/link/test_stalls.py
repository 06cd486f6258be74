# SPDX-License-Identifier: Apache-2.0
"""Why outputs wait: every cycle of every VC has one cause, and it is the right one."""

from __future__ import annotations

from typing import Any

import pytest

from gavel_model.config import MIN_FRAME_BYTES, SwitchConfig
from gavel_model.loader import load_config
from gavel_model.register_map import Counter
from gavel_model.stall_account import STATES
from gavel_model.switch import Switch
from gavel_tb.llr_traffic import LlrTraffic, LlrTrafficJob
from gavel_tb.stalls import MOST_BINS, StallAccount
from gavel_tb.traffic import TrafficJob

SMALL = ("ports=3", "vcs=2", "buffer_cells=64", "max_frame_bytes=256")


def play(config: SwitchConfig, **options: Any) -> tuple[dict[str, Any], Switch, int]:
    """Runs a job on the model; gives the stalls, the model, and the words that it sent."""
    stimulus = LlrTrafficJob(**options).session(config).stimulus
    assert isinstance(stimulus, LlrTraffic)
    switch, account = Switch(config), StallAccount(config)
    words = cycle = 0
    while not stimulus.finished:
        tx = switch.tx
        words += sum(pins.valid for pins in tx)
        inputs = stimulus.step(cycle, tx)
        stimulus.observe(cycle, inputs, tx)
        account.watch(switch)
        switch.step(inputs)
        cycle += 1
    return account.figures(), switch, words


def total(figures: dict[str, Any], state: str, outputs: Any = None) -> int:
    """Cycles of a state, of all outputs or of some."""
    place = STATES.index(state)
    return sum(row[place] for output, rows in enumerate(figures["totals"]) for row in rows
               if outputs is None or output in outputs)


@pytest.mark.parametrize(("preset", "changes"), [("tiny", SMALL), ("rack", ("ports=3",))])
@pytest.mark.parametrize("options", [
    {}, {"credits": True}, {"credits": True, "slow_ports": "0", "slow_rate": 0.05},
    {"pfc": True, "stuck_ports": "1", "stuck_cycles": 500},
], ids=["plain", "credits", "slow", "pfc"])
def test_states_add_up_to_the_cycles(
    preset: str, changes: tuple[str, ...], options: dict[str, Any]
) -> None:
    config = load_config(preset, changes)
    figures, switch, words = play(config, frames=600, cycles=3000, size="min", **options)
    for rows, binned in zip(figures["totals"], figures["bins"], strict=True):
        for row, parts in zip(rows, binned, strict=True):
            assert sum(row) == figures["cycles"]
            assert len(parts) <= MOST_BINS
            assert all(sum(part) == figures["bin_cycles"] for part in parts[:-1])
    control = sum(port.counters.values[counter] for port in switch.ports
                  for counter in (Counter.CBFC_TX_CC_UPDATE, Counter.PFC_TX))
    assert total(figures, "sending") == words - control * MIN_FRAME_BYTES // config.word_bytes


def test_a_link_that_is_up_is_never_seen_as_down() -> None:
    """Without link-level retry, too, where the transmitters of the model look at it rarely."""
    config = load_config("tiny", SMALL)
    stimulus = TrafficJob(cycles=600, load=0.3, backpressure="bursts").session(config).stimulus
    switch, account = Switch(config), StallAccount(config)
    while not stimulus.finished:
        inputs = stimulus.step(switch.cycle, switch.tx)
        account.watch(switch)
        switch.step(inputs)
    figures = account.figures()
    assert total(figures, "not chosen") and not total(figures, "link down")


def test_a_slow_receiver_is_seen_as_no_credit() -> None:
    config = load_config("tiny", SMALL)
    figures, _, _ = play(config, frames=400, credits=True, slow_ports="1", slow_rate=0.05)
    waiting = figures["cycles"] * config.vcs - total(figures, "empty", {1})
    assert total(figures, "no credit", {1}) > 0.8 * waiting
    others = total(figures, "no credit", {0, 2})
    assert others < 0.05 * total(figures, "no credit", {1})
    assert not total(figures, "paused") and not total(figures, "stopped")


def test_a_pause_is_seen_as_a_pause() -> None:
    config = load_config("tiny", SMALL)
    figures, _, _ = play(config, frames=400, pfc=True, stuck_ports="1", stuck_cycles=2000)
    assert total(figures, "paused", {1}) > 1000
    assert not total(figures, "paused", {0, 2}) and not total(figures, "no credit")


def test_errors_are_seen_as_a_full_replay_buffer_and_a_link_down() -> None:
    config = load_config("tiny", (*SMALL, "replay_frames=4"))
    figures, _, _ = play(config, frames=600, size="min", delay=40)
    assert total(figures, "replay buffer full") > 0.3 * total(figures, "sending")
    figures, _, _ = play(config, frames=600, down_rate=1e-3, down_cycles=200.0)
    assert total(figures, "link down") > 200


def test_two_channels_wait_for_each_other() -> None:
    config = load_config("tiny", SMALL)
    figures, _, _ = play(config, frames=600, pattern="incast", load=1.0)
    assert total(figures, "output busy") > total(figures, "sending") // 4
