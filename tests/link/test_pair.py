# SPDX-License-Identifier: Apache-2.0
"""Partner against partner: nothing is lost, doubled or overtaken, and no rule is broken."""

from __future__ import annotations

import pytest

from gavel_tb.link_errors import LinkOptions

FAST = {"spacing": 256, "min_spacing": 64, "replay_timer": 1500}


def both(**options: object) -> tuple[LinkOptions, LinkOptions]:
    link = LinkOptions(**options)  # type: ignore[arg-type]  # it checks its values
    return link, link


def test_clean_links_carry_every_word_without_replays(pair):
    p = pair()
    p.load(0, 200)
    p.load(1, 200)
    p.drain()
    p.check()
    for end in p.ends:
        assert end.sender.replays == 0
        assert end.sender.all_words == end.sender.first_words
        assert end.receiver.duplicates == end.receiver.missing == end.receiver.bad == 0


@pytest.mark.parametrize("delay", [0, 1, 37, 300])
@pytest.mark.parametrize("rate", [1e-3, 1e-2])
def test_errors_in_both_directions(pair, delay, rate):
    p = pair(links=both(word_errors=rate / 2, word_drops=rate / 2, set_drops=rate, delay=delay),
             **FAST)
    for end in (0, 1):
        p.load(end, 300)
    p.drain()
    p.check()
    assert all(sum(link.counts.values()) for link in p.links)
    assert all(checker.sender.replays for checker in p.checkers)


@pytest.mark.parametrize("width", [64, 128, 256, 512])
def test_every_width(pair, width):
    p = pair(data_width=width, links=both(word_errors=5e-3, bit_errors=1e-5, delay=20), **FAST)
    for end in (0, 1):
        p.load(end, 300, longest=200)
    p.drain()
    p.check()


@pytest.mark.parametrize(("bits", "response"), [(4, 10), (6, 0)])
def test_sequence_numbers_wrap(pair, bits, response):
    p = pair(seq_bits=bits, window_frames=1 << bits - 1, init_seq=(1 << bits) - 4,
             response=response, links=both(word_errors=2e-3, set_drops=0.02, delay=40), **FAST)
    for end in (0, 1):
        p.load(end, 600, longest=100)
    p.drain()
    p.check()
    assert all(checker.sender.frames == 600 for checker in p.checkers)


def test_lost_answers_are_repaired_by_the_replay_timer(pair):
    p = pair(links=(LinkOptions(word_errors=2e-3), LinkOptions(set_drops=0.5)), **FAST)
    p.load(0, 500)
    p.drain()
    p.check()


def test_link_failures(pair):
    p = pair(links=(LinkOptions(delay=50, downs=((500, 300), (4000, 20), (9000, 2000))),
                    LinkOptions(delay=50, down_rate=2e-4, down_cycles=200)), **FAST)
    for end in (0, 1):
        p.load(end, 500)
    p.drain()
    p.check()


def test_bursts(pair):
    p = pair(links=both(word_errors=1e-3, word_drops=1e-3, burst=6.0, delay=10), **FAST)
    for end in (0, 1):
        p.load(end, 400)
    p.drain()
    p.check()


def test_windows_hold_back(pair):
    p = pair(window_frames=4, links=both(delay=100), **FAST)
    most = 0

    def watch(cycle, shown):
        nonlocal most
        most = max(most, p.ends[0].sender.outstanding)

    p.watch = watch
    p.load(0, 100)
    p.drain()
    p.check()
    assert most == 4
    q = pair(window_bytes=1000, links=both(delay=100), **FAST)
    q.load(0, 100)
    q.drain()
    q.check()


def test_ineligible_and_poisoned_frames(pair):
    p = pair()
    p.load(0, 3)
    poisoned, plain = p.sent[0][1], p.sent[0][2]
    p.ends[0].sender.queue.clear()
    p.ends[0].send(p.sent[0][0])
    p.ends[0].send(poisoned, poisoned=True)
    p.ends[0].send(plain, eligible=False)
    p.drain()
    p.run(200)
    kinds = [(arrival.seq, arrival.kind.value) for arrival in p.arrived[1]]
    assert kinds == [(0, "good"), (1, "poisoned"), (None, "good")]
    assert p.ends[1].receiver.poisoned == 1
    assert p.ends[0].sender.replays == 0


def test_without_retry_frames_go_out_as_they_are(pair):
    p = pair(llr=False)
    p.load(0, 20)
    p.run(2000)
    assert p.delivered(1) == p.sent[0]
    assert all(arrival.seq is None for arrival in p.arrived[1])


def test_response_and_gap_are_kept(pair):
    p = pair(response=25, gap=7, **FAST)
    p.load(0, 50)
    p.load(1, 50)
    words = []
    p.watch = lambda cycle, shown: words.append(shown[0])
    p.drain()
    p.check()
    ends = [n for n, pins in enumerate(words) if pins.valid and pins.eop]
    starts = [n for n, pins in enumerate(words) if pins.valid and pins.sop]
    assert all(start - end - 1 == 7 for end, start in zip(ends, starts[1:], strict=False))


def test_a_limit_of_replays_gives_up_and_begins_again(pair):
    p = pair(replay_limit=2, checked=False, **FAST)
    p.load(0, 10)
    p.drain()
    p.ends[1].silence(20_000)
    p.load(0, 2)
    p.run(22_000)
    assert p.ends[0].sender.lost == [10, 11]
    assert p.ends[0].sender.init_data == 1
    p.load(0, 5)
    p.drain()
    assert p.delivered(1)[-5:] == p.sent[0][-5:]
