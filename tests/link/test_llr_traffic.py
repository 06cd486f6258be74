# SPDX-License-Identifier: Apache-2.0
"""The whole switch between link partners over bad links, on the golden model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gavel_model.config import SwitchConfig
from gavel_model.loader import load_config
from gavel_tb.frames import FrameFactory, SentFrame
from gavel_tb.llr_deliveries import Deliveries
from gavel_tb.llr_on_model import traffic_on_model
from gavel_tb.llr_traffic import LlrTraffic, LlrTrafficJob
from gavel_tb.partner.misbehaviour import Extra, Fault
from gavel_tb.partner.receiver import Arrival, FrameClass
from gavel_tb.stimulus import CheckError, derived_random

BAD: dict[str, Any] = {"word_errors": 2e-3, "word_drops": 1e-3, "set_drops": 0.02,
                       "bit_errors": 1e-5, "delay": 15}


def tiny(**changes: object) -> SwitchConfig:
    return load_config("tiny", [f"{name}={value}" for name, value in changes.items()])


def play(config: SwitchConfig, prepare: Any = None, **options: Any) -> dict[str, Any]:
    """Runs a job on the model alone."""
    return traffic_on_model(config, LlrTrafficJob(**options), prepare=prepare)


def test_clean_links(seed):
    figures = play(tiny(ports=3), seed=seed, cycles=3000)
    assert figures["frames"] > 200
    assert figures["errors_injected"] == {}
    assert figures["partner_replays"] == figures["switch_replays"] == 0


@pytest.mark.parametrize("pattern", ["uniform", "permutation", "incast"])
@pytest.mark.parametrize("stalls", [False, True])
def test_bad_links(seed, pattern, stalls):
    figures = play(tiny(ports=3), seed=seed, cycles=6000, pattern=pattern, stalls=stalls, **BAD)
    assert figures["frames"] > 20
    assert sum(figures["errors_injected"].values()) > 3
    assert figures["partner_replays"] + figures["switch_replays"] > 0
    assert 0 < figures["goodput"] < 1


@pytest.mark.parametrize("changes", [
    {"ports": 4, "data_width": 512, "vcs": 3, "max_frame_bytes": 300, "replay_cells": 30},
    {"ports": 3, "data_width": 256, "seq_bits": 4, "buffer_cells": 40},
    {"ports": 5, "data_width": 128, "profile": "esun", "ecn_threshold": 4},
], ids=str)
def test_other_switches(seed, changes):
    assert play(tiny(**changes), seed=seed, cycles=2500, **BAD)["frames"] > 50


def test_every_profile_and_failures_of_links(seed):
    figures = play(tiny(ports=6, buffer_cells=32), seed=seed, cycles=3000, profile="mixed",
                   down_rate=2e-4, down_cycles=60.0, load=0.7, **BAD)
    assert figures["errors_injected"]["down"] > 0


def test_a_number_of_frames(seed):
    figures = play(tiny(), seed=seed, frames=100, size=64)
    assert 100 <= figures["frames"] <= 102
    assert figures["bytes"] == 64 * figures["frames"]


def test_the_seed_decides():
    options: dict[str, Any] = {"cycles": 1500, **BAD}
    assert play(tiny(), seed=3, **options) == play(tiny(), seed=3, **options)
    assert play(tiny(), seed=3, **options) != play(tiny(), seed=4, **options)


def test_misbehaving_partners_harm_nobody(seed):
    def prepare(traffic: LlrTraffic) -> None:
        first, second = traffic.around.partners
        for fault, times, value in ((Fault.SKIP, 5, 1), (Fault.REPEAT, 5, 1),
                                    (Fault.BAD_FCS, 5, 1), (Fault.NO_ACK, 9, 1),
                                    (Fault.NO_ECHO, 2, 1), (Fault.NO_NACK, 2, 1)):
            first.faults.arm(fault, times, value)
        second.faults.arm(Fault.ECHO_DATA, 1, 1)
        second.faults.arm(Fault.FLIPPED_SET, 4, 20)
        for extra, value in ((Extra.OLD_NACK, 3), (Extra.OLD_NACK, 0), (Extra.ACK_AHEAD, 500),
                             (Extra.NACK_AHEAD, 500), (Extra.UNKNOWN, 0x10)):
            second.inject(extra, value)
        second.storm(100)

    assert play(tiny(seq_bits=12), seed=seed, cycles=6000, prepare=prepare)["frames"] > 10


def test_a_limit_that_the_switch_does_not_keep_is_found(seed):
    def prepare(traffic: LlrTraffic) -> None:
        rules = traffic.around.checkers[0].sender
        rules._limits = replace(rules._limits, window_frames=2)

    with pytest.raises(CheckError, match=r'port 0, cycle \d+: rule "window"'):
        play(tiny(), seed=seed, cycles=4000, prepare=prepare, delay=30)


def test_a_standstill_is_found(seed):
    def prepare(traffic: LlrTraffic) -> None:
        traffic.around.to_switch[1].take_down(1 << 40)
        traffic._patience = traffic._overdue = 3000

    with pytest.raises(CheckError, match=r"nothing has arrived for 3000 cycles; \d+ frames .*"
                       r"partner 1: \w+ with \d+ frames from 0 on, SEND_ACKS expects"):
        play(tiny(), seed=seed, cycles=4000, prepare=prepare)


def test_loops_without_delay(seed):
    figures = play(tiny(data_width=512), seed=seed, cycles=3000, **{**BAD, "delay": 0})
    assert figures["frames"] > 100


@pytest.mark.parametrize(("config", "options", "message"), [
    (tiny(), {"load": 0.0}, "load = 0.0: must be above 0"),
    (tiny(), {"pattern": "odd"}, "pattern = 'odd': must be one of uniform"),
    (tiny(), {"profile": "odd"}, "profile = 'odd': must be one of mixed"),
    (tiny(), {"size": 63}, "size = 63: must be in 64...256 bytes"),
    (tiny(), {"size": "odd"}, "size = 'odd': must be a number"),
    (tiny(), {"cycles": 0}, "cycles = 0: must be at least 1"),
    (tiny(), {"frames": -1}, "frames = -1: must be at least 0"),
    (tiny(), {"delay": -1}, "delay = -1: must be in"),
    (tiny(max_frame_bytes=1000, replay_cells=80), {}, "buffer_cells = 16: must be at least 32"),
])
def test_refusals(config, options, message):
    with pytest.raises(ValueError) as caught:
        LlrTrafficJob(**options).session(config)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def sent(number: int = 1) -> tuple[Deliveries, list[SentFrame]]:
    config = tiny()
    factory = FrameFactory(config)
    deliveries = Deliveries(config)
    frames = []
    for _ in range(2):
        frame = factory.build(derived_random(number, "frame"), 0, 0, dst=0x0200_0000_0001, size=80)
        deliveries.sent(frame, 1)
        frames.append(frame)
    return deliveries, frames


def arrival(data: bytes, seq: int | None = 0, kind: FrameClass = FrameClass.GOOD) -> Arrival:
    return Arrival(data, seq, kind)


def test_deliveries_count():
    deliveries, frames = sent()
    assert deliveries.cells == [4, 0]
    for frame in frames:
        deliveries.arrived(1, arrival(frame.data))
    deliveries.finish()
    assert (deliveries.frames, deliveries.bytes, deliveries.cells) == (2, 160, [0, 0])
    assert (deliveries.frames_from, deliveries.frames_to) == ([2, 0], [0, 2])


@pytest.mark.parametrize(("port", "change", "message"), [
    (0, {}, "came here"),
    (1, {"seq": None}, "is ineligible"),
    (1, {"kind": FrameClass.POISONED}, "has a poisoned FCS"),
    (1, {"data": b"\xff" * 80}, "must not arrive"),
    (1, {"flip": 60}, "has changed on its way"),
])
def test_deliveries_find_what_is_wrong(port, change, message):
    deliveries, frames = sent()
    data = bytearray(frames[0].data)
    if "flip" in change:
        data[change["flip"]] ^= 1
    made = arrival(change.get("data", bytes(data)), change.get("seq", 0),
                   change.get("kind", FrameClass.GOOD))
    with pytest.raises(CheckError, match=message):
        deliveries.arrived(port, made)


def test_deliveries_find_order_doubles_and_losses():
    deliveries, frames = sent()
    with pytest.raises(CheckError, match="has overtaken another"):
        deliveries.arrived(1, arrival(frames[1].data))
    deliveries, frames = sent()
    deliveries.arrived(1, arrival(frames[0].data))
    with pytest.raises(CheckError, match="a second time"):
        deliveries.arrived(1, arrival(frames[0].data))
    with pytest.raises(CheckError, match="1 frames have not arrived, the first is frame 1"):
        deliveries.finish()
