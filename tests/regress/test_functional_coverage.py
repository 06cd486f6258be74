# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from gavel_model.config import SwitchConfig
from gavel_model.loader import load_config
from gavel_model.register_map import Counter
from gavel_tb.behaviour.job import SCENARIOS
from gavel_tb.behaviour.switches import behaviour_config
from gavel_tb.coverage.attach import with_coverage
from gavel_tb.coverage.bins import BINS, CROSSES, GROUPS, LEFT_OUT, LEVELS, chosen, holes, merge
from gavel_tb.coverage.collector import Collector, vc_bin
from gavel_tb.jobs import open_session
from gavel_tb.regress.on_model import run_on_model


def cover(kind: str, config: SwitchConfig | None = None, **parameters):
    config = config or load_config("tiny")
    session = open_session(config, kind, parameters)
    session, collector = with_coverage(session, config, kind, parameters)
    totals: dict[str, int] = {}
    finish = session.finish

    def keep(result):
        for counter in Counter:
            totals[counter.name] = sum(port[counter] for port in result.counters)
        return finish(result)

    session.finish = keep
    result = run_on_model(config, session)
    assert result.passed, result.report
    return collector.counts(), totals, result


def test_the_table_has_every_combination_that_can_be():
    assert len(BINS) == len(set(BINS)) >= 300
    groups = {group.name: group for group in GROUPS}
    for cross in CROSSES:
        assert set(cross.groups) <= set(groups)
        assert all(cross.without.values()), "each says why"
    assert "frame.64/4...7/esun" in BINS
    assert "frame.64/4...7/afh12_16" not in BINS, "its class has two bits"
    assert "frame.64/3/afh12_16" in BINS
    assert LEFT_OUT["frame.64/4...7/afh12_16"] == "its class has two bits"
    assert not set(BINS) & set(LEFT_OUT)


def test_patterns_choose_and_a_wrong_one_is_refused():
    assert chosen(["vc.*"]) == ["vc.0", "vc.1", "vc.2", "vc.3", "vc.4...7"]
    assert chosen(["vc.1", "length.64", "vc.1"]) == ["length.64", "vc.1"]
    with pytest.raises(ValueError, match=r"cover = 'vx\.\*': no bin has this name; groups: len"):
        chosen(["vx.*"])


def test_counts_add_up_and_holes_are_named():
    total = merge([{"vc.0": 1, "vc.1": 2}, {"vc.1": 3}])
    assert total == {"vc.0": 1, "vc.1": 5}
    assert holes(total, chosen(["vc.*"])) == ["vc.2", "vc.3", "vc.4...7"]


def test_hits_are_those_of_the_run():
    counts, totals, result = cover("traffic", cycles=600, size="min", load=0.6)
    frames = totals["RX_FRAMES"]
    assert counts["length.64"] == frames > 50
    assert counts["cell_end.exact"] == counts["profile.ethernet"] == frames
    assert sum(counts.get(f"vc.{vc_bin(vc)}", 0) for vc in range(2)) == frames
    assert counts["route.back to its port"] + counts["route.to another port"] == frames
    assert counts["counter.RX_BYTES"] == totals["RX_BYTES"] == 64 * frames
    assert counts["matches.1"] + 2 * counts["matches.2"] == frames
    assert counts["matches.all ports"] == counts["matches.2"]
    assert sum(counts.get(f"load.uniform/{level}", 0) for level in LEVELS) == (
        -(-result.cycles // 16))
    assert not [name for name in counts if name.startswith(("drop.", "llr_", "credits", "reset"))]


def test_drops_stalls_and_resets_are_told_apart():
    counts, _, _ = cover("traffic", cycles=1500, faults=0.4, backpressure="random",
                         resets=3, gaps=0.1)
    for name in ("drop.RX_FCS", "drop.RX_ERR", "drop.RX_OVERSIZE", "rx_words.gap in a frame",
                 "rx_words.start in a frame", "tx_stall.first word", "tx_stall.last word"):
        assert counts[name], name
    assert counts["drop.RX_FCS"] == counts["counter.RX_FCS"]
    assert sum(count for name, count in counts.items() if name.startswith("reset.")) >= 3


def test_retry_and_credits_are_followed_through_their_states():
    counts, totals, _ = cover("llr", frames=150, word_errors=4e-3, set_drops=0.02,
                              size="min", credits=True, slow_ports="all", slow_rate=0.2)
    assert counts["llr_tx.OFF to INIT"] == counts["llr_tx.INIT to ADVANCE"] == 2
    begun = counts["replay.NACK"] + counts.get("replay.replay timer", 0)
    assert counts["llr_tx.ADVANCE to REPLAY"] == begun
    assert begun + counts.get("replay.NACK in a replay", 0) == totals["LLR_TX_REPLAY"]
    assert counts["llr_rx.SEND_ACKS to SEND_NACK"] >= counts["llr_rx.SEND_NACK to NACK_SENT"] > 0
    assert counts["credits.gone"] and counts["credits.back"] and counts["stall.no credit"]
    assert counts["credits.gone"] == sum(
        count for name, count in counts.items() if name.startswith("credits_vc.gone/"))


@pytest.mark.parametrize(("scenario", "reason"), [
    ("given-up-in-replay-link-down", "peer is silent in REPLAY"),
    ("given-up-in-replay-data-age", "data too old in REPLAY"),
    ("given-up-in-replay-count", "too many replays in REPLAY"),
    ("link-down-long", "peer is silent in ADVANCE"),
    ("LLR-09-data-age-after", "data too old in ADVANCE"),
    ("LLR-07-replays-exhausted", "too many replays in ADVANCE"),
])
def test_why_and_where_a_transmitter_gives_up_is_told_apart(scenario: str, reason: str):
    counts, totals, _ = cover("behaviour", name=scenario,
                              config=behaviour_config(SCENARIOS[scenario].SWITCH, 512))
    state = reason.rpartition(" ")[2]
    assert totals["LLR_TX_FLUSH"] == counts[f"llr_tx.{state} to FLUSH"] == 1
    assert {name: count for name, count in counts.items() if name.startswith("flush.")} == {
        f"flush.{reason}": 1}


@pytest.mark.parametrize(("scenario", "move"), [
    ("remote-off-in-init", "llr_tx.INIT to OFF"),
    ("remote-off-on", "llr_tx.ADVANCE to OFF"),
    ("remote-off-in-replay", "llr_tx.REPLAY to OFF"),
    ("flush-blocks", "llr_tx.FLUSH to OFF"),
    ("local-off-on", "llr_rx.SEND_ACKS to OFF"),
    ("local-off-before-nack", "llr_rx.SEND_NACK to OFF"),
    ("local-off-after-nack", "llr_rx.NACK_SENT to OFF"),
])
def test_scenarios_turn_retry_off_in_the_state_that_they_mean(scenario: str, move: str):
    counts, _, _ = cover("behaviour", name=scenario,
                         config=behaviour_config(SCENARIOS[scenario].SWITCH, 512))
    off = {name: count for name, count in counts.items() if name.endswith(" to OFF")}
    assert off == {move: 1}


def test_a_bin_that_is_not_in_the_table_is_a_bug():
    with pytest.raises(KeyError, match=r"no coverage bin 'vc\.9'"):
        Collector(load_config("tiny")).hit("vc.9")


def test_coverage_changes_nothing():
    config = load_config("tiny")
    parameters = {"cycles": 500, "faults": 0.2}
    plain = run_on_model(config, open_session(config, "traffic", parameters))
    _, _, covered = cover("traffic", **parameters)
    assert (plain.cycles, plain.counters) == (covered.cycles, covered.counters)
