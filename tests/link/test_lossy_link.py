# SPDX-License-Identifier: Apache-2.0
"""What a lossy link does: rates, kinds, delay, failures, and an entry for everything."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

import pytest

from gavel_model.ordered_set import Kind, OrderedSet, decode, encode
from gavel_model.pins import IDLE, RxPins, TxPins
from gavel_tb.link_errors import Damage, LinkOptions
from gavel_tb.lossy_link import LOG_LENGTH, LossyLink
from gavel_tb.stimulus import derived_random

WIDTH = 64
ACK = encode(OrderedSet(Kind.ACK, 77), True)
FIRST = RxPins(1, 1, 0, 0, 0, 1, 0x12345, 0, 0, 1, 0x0123456789ABCDEF)
WORD = RxPins(1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xFEDCBA9876543210)
LAST = RxPins(1, 0, 1, 0, 5, 0, 0, 0, 0, 1, 0x112233)
SET = IDLE._replace(ctl_valid=1, ctl=ACK)
BOTH = WORD._replace(ctl_valid=1, ctl=ACK)
MIX = [FIRST, WORD, IDLE, WORD, BOTH, LAST, SET, IDLE]


def link(seed: int = 1, width: int = WIDTH, **options: object) -> LossyLink:
    chosen = LinkOptions(**options)  # type: ignore[arg-type]  # it checks its values
    return LossyLink(width, chosen, derived_random(seed, "link"))


def run(made: LossyLink, pins: list[RxPins]) -> list[RxPins]:
    return [made.step(item) for item in pins]


def test_a_perfect_link_changes_nothing():
    assert run(link(), MIX * 50) == MIX * 50
    sent = TxPins(*WORD)
    got = link().step(sent)
    assert type(got) is RxPins and got == WORD
    assert link().step(TxPins(up=1)) is IDLE
    assert link().step(TxPins(up=0)) == IDLE._replace(up=0)


@pytest.mark.parametrize("delay", [1, 2, 17, 300])
def test_delay(delay):
    made = link(delay=delay)
    got = run(made, MIX * 60)
    assert got == [IDLE] * delay + (MIX * 60)[:-delay]
    run(made, [WORD])
    assert not made.idle
    run(made, [IDLE] * delay)
    assert made.idle


@pytest.mark.parametrize("options", [
    {"bit_errors": 2e-4}, {"bit_errors": 1e-3, "burst": 9.0}, {"word_errors": 0.02},
    {"word_drops": 0.02}, {"set_drops": 0.05}, {"word_errors": 0.01, "word_drops": 0.02,
    "set_drops": 0.04, "bit_errors": 1e-4, "burst": 3.0},
], ids=str)
def test_nothing_changes_without_an_entry(options):
    made = link(**options)
    for cycle in range(20_000):
        before = len(made.events)
        sent = MIX[cycle % len(MIX)]
        got = made.step(sent)
        entries = list(made.events)[before:]
        assert (got != sent) == bool(entries)
        assert all(entry.cycle == cycle for entry in entries)
        flipped = (got.data ^ sent.data).bit_count() if got.valid else 0
        noted = {entry.kind: entry.bits for entry in entries}
        assert flipped == noted.get(Damage.DATA, 0)
        assert (got.valid == 0 and sent.valid == 1) == (Damage.WORD_LOST in noted)
        assert (got.ctl_valid == 0 and sent.ctl_valid == 1) == (Damage.SET_LOST in noted)
        assert (got.ctl ^ sent.ctl).bit_count() * got.ctl_valid == noted.get(Damage.SET, 0)
        assert got._replace(data=0, ctl=0) == sent._replace(data=0, ctl=0) or (
            noted.keys() & {Damage.WORD_LOST, Damage.SET_LOST, Damage.PREAMBLE})
    assert sum(made.counts.values()) == len(made.events) > 50


def test_lanes_that_are_not_used_have_nothing_to_hit():
    made = link(bit_errors=0.02)
    for _ in range(20_000):
        assert made.step(LAST).data < 1 << 24


def test_idle_pins_have_nothing_to_hit():
    made = link(bit_errors=0.5, word_errors=0.5, word_drops=0.4, set_drops=0.4)
    assert run(made, [IDLE] * 1000) == [IDLE] * 1000
    assert not made.events


def test_the_rate_of_bit_errors():
    made = link(bit_errors=1e-3)
    count = 100_000
    flipped = sum((made.step(WORD).data ^ WORD.data).bit_count() for _ in range(count))
    assert flipped == pytest.approx(1e-3 * WIDTH * count, rel=0.05)


def test_bursts_of_bits():
    made = link(bit_errors=1e-4, burst=16.0)
    count = 200_000
    words = [(made.step(WORD).data ^ WORD.data).bit_count() for _ in range(count)]
    assert sum(words) == pytest.approx(1e-4 * WIDTH * count * (1 + 15 / 2), rel=0.1)
    assert max(words) > 8


def test_the_rates_of_words_and_sets():
    made = link(word_errors=0.01, word_drops=0.02, set_drops=0.05, flips=1)
    count = 100_000
    run(made, [BOTH] * count)
    counts = made.counts
    control = 8 / 64  # a single flip in the control part loses the set
    assert counts[Damage.DATA] == pytest.approx(0.01 * count, rel=0.1)
    assert counts[Damage.WORD_LOST] == pytest.approx(0.02 * count, rel=0.1)
    assert counts[Damage.SET] == pytest.approx(0.01 * (1 - control) * count, rel=0.1)
    assert counts[Damage.SET_LOST] == pytest.approx((0.05 + 0.01 * control) * count, rel=0.1)


def test_flips_of_a_hit_are_bounded_and_spread():
    made = link(word_errors=0.5, flips=4)
    flips = Counter((made.step(WORD).data ^ WORD.data).bit_count() for _ in range(10_000))
    assert set(flips) == {0, 1, 2, 3, 4}
    assert min(flips[n] for n in (1, 2, 3, 4)) > 1000


def test_bursts_of_words():
    made = link(word_drops=0.001, burst=20.0)
    lost = [not made.step(WORD).valid for _ in range(200_000)]
    begins = sum(now and not before for before, now in pairwise(lost))
    assert sum(lost) / begins == pytest.approx(20, rel=0.2)
    assert begins == pytest.approx(200, rel=0.3)


def test_a_hit_preamble_is_refused():
    made = link(bit_errors=0.01)
    hits = 0
    for _ in range(5000):
        got = made.step(FIRST)
        if made.events and made.events[-1].cycle == made.cycle - 1 and any(
                event.kind is Damage.PREAMBLE and event.cycle == made.cycle - 1
                for event in list(made.events)[-2:]):
            hits += 1
            assert (got.llr, got.seq, got.err) == (0, 0, 1)
            assert got.valid == got.sop == 1
        else:
            assert (got.llr, got.seq, got.err) == (1, 0x12345, 0)
    assert hits > 1000


def test_without_protection_a_hit_preamble_may_show_another_number():
    made = link(bit_errors=0.01, protect=False)
    numbers = {made.step(FIRST).seq for _ in range(5000)}
    assert len(numbers) > 10
    assert 0x12345 in numbers


def test_a_hit_set_is_never_taken_for_another():
    made = link(word_errors=0.5)
    for _ in range(5000):
        got = made.step(SET)
        if got.ctl_valid and got.ctl != ACK:
            assert decode(got.ctl, True) is None


def test_planned_failures():
    made = link(delay=3, downs=((10, 5), (15, 2), (30, 1)))
    got = run(made, [WORD] * 40)
    down = [n for n, pins in enumerate(got) if not pins.up]
    assert down == [10, 11, 12, 13, 14, 15, 16, 30]
    assert got[17:20] == [IDLE] * 3, "what was under way is lost"
    assert got[20] == WORD
    assert [(event.cycle, event.bits) for event in made.events] == [(10, 5), (15, 2), (30, 1)]


def test_random_failures():
    made = link(down_rate=0.001, down_cycles=50.0)
    got = run(made, [WORD] * 200_000)
    down = sum(not pins.up for pins in got)
    times = made.counts[Damage.DOWN]
    assert times == pytest.approx(200_000 * 0.001 / (1 + 0.05), rel=0.25)
    assert down / times == pytest.approx(50, rel=0.25)
    assert down == sum(event.bits for event in made.events) or got[-1].up == 0


def test_a_failure_on_demand():
    made = link(delay=2)
    run(made, [WORD] * 5)
    assert made.up
    made.take_down(3)
    assert [pins.up for pins in run(made, [WORD] * 5)] == [0, 0, 0, 1, 1]


@pytest.mark.parametrize("delay", [1, 7, 20])
@pytest.mark.parametrize("options", [
    {"down_rate": 0.01, "down_cycles": 1.0}, {"down_rate": 0.01, "down_cycles": 12.0},
    {"downs": ((0, 2), (30, 1), (31, 50), (90, 3))},
    {"bit_errors": 1e-3, "burst": 3.0, "word_drops": 0.01, "set_drops": 0.02, "down_rate": 3e-3},
], ids=str)
def test_the_receiver_may_be_ahead_of_the_sender(seed, delay, options):
    sent = [IDLE._replace(up=0) if cycle % 53 == 7 else MIX[cycle % len(MIX)]
            for cycle in range(4000)]
    together, apart = (link(seed, delay=delay, **options) for _ in range(2))
    expected = run(together, sent)
    draw = derived_random(seed, "ahead")
    got: list[RxPins] = []
    while apart.cycle < len(sent):
        for _ in range(min(len(sent), apart.cycle + draw.randint(0, delay)) - len(got)):
            got.append(apart.pull())
        for pins in sent[apart.cycle : min(len(got), apart.cycle + draw.randint(1, delay))]:
            apart.push(pins)
    assert got == expected
    assert apart.counts == together.counts
    assert together.counts[Damage.DOWN] > 3
    assert sorted(apart.events) == sorted(together.events)


def test_the_seed_decides():
    options = {"bit_errors": 1e-3, "word_drops": 0.01, "down_rate": 0.001}
    assert run(link(7, **options), MIX * 500) == run(link(7, **options), MIX * 500)
    assert run(link(7, **options), MIX * 500) != run(link(8, **options), MIX * 500)


def test_the_log_is_bounded_and_the_counts_are_not():
    made = link(word_drops=0.9)
    run(made, [WORD] * 20_000)
    assert len(made.events) == LOG_LENGTH
    assert made.counts[Damage.WORD_LOST] > LOG_LENGTH


@pytest.mark.parametrize("width", [64, 128, 256, 512])
def test_every_bit_of_a_word_can_be_hit(width):
    made = link(width=width, bit_errors=0.01)
    seen = 0
    for _ in range(20_000):
        seen |= made.step(WORD._replace(data=0)).data
    assert seen == (1 << width) - 1


@pytest.mark.parametrize(("options", "message"), [
    ({"bit_errors": 1.0}, "bit_errors = 1.0: must be in 0...1, 1 excluded"),
    ({"word_errors": -0.1}, "word_errors = -0.1: must be in 0...1, 1 excluded"),
    ({"word_errors": 0.6, "set_drops": 0.5}, "word_errors + drops = 1.1: must be below 1"),
    ({"flips": 0}, "flips = 0: must be in 1...64"),
    ({"burst": 0.5}, "burst = 0.5: must be at least 1"),
    ({"delay": -1}, "delay = -1: must be in 0...1048576 cycles"),
    ({"down_rate": float("nan")}, "down_rate = nan: must be in 0...1, 1 excluded"),
    ({"downs": ((5, 3), (7, 1))}, "downs = ((5, 3), (7, 1)): must be pairs"),
])
def test_refusals(options, message):
    with pytest.raises(ValueError, match="^" + "".join(f"[{c}]" if c in "()+." else c
                                                       for c in message)):
        LinkOptions(**options)


def test_a_clean_cycle_draws_nothing():
    class Counting(random.Random):
        draws = 0

        def random(self) -> float:
            Counting.draws += 1
            return super().random()

    made = LossyLink(WIDTH, LinkOptions(bit_errors=1e-9, word_errors=1e-7), Counting(1))
    run(made, MIX * 1000)
    assert Counting.draws <= 4
