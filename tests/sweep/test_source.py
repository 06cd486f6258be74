# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections import Counter
from statistics import mean

import numpy as np
import pytest

from gavel_fast.pin_block import SOP, VALID
from gavel_model.frame import append_fcs, build_header
from gavel_model.profiles import FABRIC_PREFIX
from gavel_tb.sweep.options import TrafficMix
from gavel_tb.sweep.random64 import draw

CYCLES = 20_000
FINGERPRINT = 3708458700804759877


def target(frame: bytes) -> int:
    return int.from_bytes(frame[4:6], "big")


def share(sent) -> float:
    return float(np.mean((sent.block.rx.flags & VALID) != 0))


def test_draws_are_those_of_splitmix64():
    # First outputs of the published generator for seeds 0 and 1234567.
    with np.errstate(over="ignore"):
        drawn = [int(draw.py_func(np.uint64(seed), np.uint64(count)))
                 for seed, count in ((0, 0), (0, 1), (1234567, 0))]
    assert drawn == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 6457827717110365317]


@pytest.mark.parametrize(("name", "size"), [("pod", "uniform"), ("rack", "imix"), ("fpga", 65)])
def test_frames_are_good_and_say_what_they_are(send, name, size):
    sent = send(name, 4000, load=0.9, size=size)
    numbers: Counter[tuple[int, int, int]] = Counter()
    seen = 0
    for port in range(sent.config.ports):
        for cycle, data in sent.frames(port):
            to, vc = target(data), data[14] >> 5
            assert data[:18] == build_header(
                "ethernet", dst=FABRIC_PREFIX << 16 | to, src=FABRIC_PREFIX << 16 | port,
                traffic_class=vc)
            assert append_fcs(data[:-4]) == data
            assert data[18:21] == bytes((port, to, vc))
            assert int.from_bytes(data[21:23], "little") == len(data)
            assert int.from_bytes(data[24:32], "little") == numbers[port, to, vc]
            assert int.from_bytes(data[32:40], "little") == cycle
            numbers[port, to, vc] += 1
            seen += 1
    assert seen > 30
    assert int(sent.state.sent.sum()) - seen <= sent.config.ports  # not yet ended


@pytest.mark.parametrize("mix", [
    {"load": 0.3}, {"load": 0.9, "size": "imix"}, {"load": 0.7, "pattern": "bursty"},
    {"load": 0.6, "arrivals": "geometric", "size": 256}, {"load": 0.5, "size": "bimodal"},
])
def test_the_load_is_the_share_of_the_line(send, mix):
    sent = send("rack", CYCLES, overrides=("max_frame_bytes=1518",), **mix)
    assert share(sent) == pytest.approx(mix["load"], abs=0.03)


def test_a_full_load_leaves_no_cycle_idle(send):
    for mix in ({}, {"size": "imix"}, {"pattern": "bursty"}):
        assert share(send("pod", 3000, load=1.0, **mix)) == 1.0


def test_uniform_frames_come_in_independent_slots_to_all_outputs(send):
    sent = send("rack", CYCLES, load=0.4)
    starts = (sent.block.rx.flags & SOP) != 0
    counts = starts.reshape(-1, 20, sent.config.ports).sum(axis=1)
    # A binomial variance: what happens in one slot says nothing of the next.
    assert counts.var() == pytest.approx(20 * 0.4 * 0.6, rel=0.1)
    flows = sent.state.offered / sent.state.offered.sum()
    assert flows == pytest.approx(np.full((16, 16), 1 / 256), abs=0.0015)


def test_bursts_have_one_output_and_the_mean_length(send):
    sent = send("rack", CYCLES, load=0.5, pattern="bursty", burst=10, overrides=("ports=4",))
    lengths, before = [], None
    for port in range(4):
        for cycle, data in sent.frames(port):
            if before == (cycle - 1, target(data)):
                lengths[-1] += 1
            else:
                lengths.append(1)
            before = (cycle, target(data))
    # Bursts that follow each other to the same output at once look like one.
    assert 9 < mean(lengths) < 12.5


def test_geometric_arrivals_wait_in_the_source(send):
    sent = send("pod", CYCLES, load=0.8, arrivals="geometric", size=64)
    waits = [cycle - int.from_bytes(data[32:40], "little")
             for port in range(sent.config.ports) for cycle, data in sent.frames(port)]
    # Geometric arrivals of rate q to a server of n cycles, rho = q n: the mean wait is
    # rho (n - 1) / (2 (1 - rho)).
    assert min(waits) == 0
    assert mean(waits) == pytest.approx(0.8 * 7 / (2 * 0.2), rel=0.12)


def outputs(sent) -> list[list[int]]:
    return [[target(data) for _, data in sent.frames(port)] for port in range(sent.config.ports)]


def test_patterns(send):
    ports = 5
    five = {"overrides": (f"ports={ports}",), "load": 1.0}
    tornado = outputs(send("rack", 50, pattern="tornado", **five))
    assert [set(row) for row in tornado] == [{(port + 2) % ports} for port in range(ports)]
    permutation = outputs(send("rack", 50, pattern="permutation", **five))
    assert sorted(row[0] for row in permutation) == list(range(ports))
    assert all(len(set(row)) == 1 for row in permutation)
    incast = outputs(send("rack", 50, pattern="incast", **five))
    assert len({to for row in incast for to in row}) == 1
    turns = outputs(send("rack", 50, pattern="all-to-all", **five))
    for port, row in enumerate(turns):
        others = [(port + n) % ports for n in range(1, ports)]
        assert row == (others * 13)[: len(row)]
    hot = Counter(to for row in outputs(send("rack", 4000, pattern="hotspot", hot=0.5, **five))
                  for to in row)
    total = hot.total()
    assert max(hot.values()) / total == pytest.approx(0.5 + 0.5 / ports, abs=0.02)
    assert min(hot.values()) / total == pytest.approx(0.5 / ports, abs=0.02)


def test_frame_mixes(send):
    def lengths(**mix):
        sent = send("rack", 4000, load=1.0, overrides=("ports=4",), **mix)
        return Counter(len(data) for port in range(4) for _, data in sent.frames(port))

    imix = lengths(size="imix")
    assert set(imix) == {64, 594, 1518}
    assert imix[64] / imix[1518] == pytest.approx(7, rel=0.35)
    assert imix[594] / imix[1518] == pytest.approx(4, rel=0.35)
    assert set(lengths(size="bimodal")) == {64, 9216}
    assert set(lengths(size="min")) == {64}
    assert len(lengths(size="uniform")) > 100


def test_vcs_are_used_alike(send):
    sent = send("rack", 3000, load=1.0)
    per_vc = sent.state.numbers.sum(axis=(0, 1))
    assert per_vc / per_vc.sum() == pytest.approx(np.full(4, 0.25), abs=0.02)


def test_the_same_seed_gives_the_same_pins_however_blocks_are_cut(send):
    mix = {"load": 0.7, "size": "imix"}
    one, cut, other = (send("pod", 4096, **mix), send("pod", 4096, blocks=64, **mix),
                       send("pod", 4096, seed=2, **mix))
    assert np.array_equal(one.block.rx.flags, cut.block.rx.flags)
    assert np.array_equal(one.block.rx.data, cut.block.rx.data)
    assert not np.array_equal(one.block.rx.flags, other.block.rx.flags)
    # Whole numbers only, so every machine draws the same.
    words = one.block.rx.data.sum(dtype=np.uint64) + one.block.rx.flags.sum(dtype=np.uint64)
    assert int(words) == FINGERPRINT


@pytest.mark.parametrize(("options", "what"), [
    ({"load": 0.0}, "load = 0.0: must be above 0 and at most 1"),
    ({"load": 1.5}, "load = 1.5"),
    ({"pattern": "x"}, "pattern = 'x': must be one of uniform"),
    ({"arrivals": "x"}, "arrivals = 'x'"),
    ({"burst": 0.5}, "burst = 0.5: must be in 1"),
    ({"hot": 2.0}, "hot = 2.0: must be in 0...1"),
    ({"size": 63}, "size = 63: must be in 64...9216 bytes"),
    ({"size": "x"}, "size = 'x': must be a number of bytes or one of min, max"),
    ({"pattern": "bursty", "arrivals": "geometric"}, "bursts have slots"),
])
def test_what_cannot_be_sent_is_refused(send, options, what):
    with pytest.raises(ValueError, match=what.replace("(", r"\(")):
        send("pod", 10, **options)


def test_mean_words_of_a_mix(send):
    config = send("rack", 10).config
    assert TrafficMix(size="imix").mean_words(config) == pytest.approx((7 + 4 * 10 + 24) / 12)
    assert TrafficMix(size=65).mean_words(config) == 2
