# SPDX-License-Identifier: Apache-2.0
"""Credits on cases worked out by hand: limits, cycles, counts that wrap, resynchronisation."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from gavel_model.credit_unit import CreditUnit
from gavel_model.mac_control import CreditCounts, cc_update_frame, decode
from gavel_model.ordered_set import CreditUpdate, Kind, decode_credits, encode_credits
from gavel_model.register_map import PORT_OF, Counter, Port

C = Counter
SENDER, RECEIVER, TOTAL, RESYNC = 1, 1 << 8, 1 << 16, 1 << 17
M20 = (1 << 20) - 1


def cf_update(b: Any, port: int, *entries: int, at: int | None = None) -> int:
    """Puts a CF_Update on receive pins: VC, count, VC, count (the second as the first)."""
    at = b.cycle if at is None else at
    b.ctl[port, at] = encode_credits(CreditUpdate(*(entries * 2)[:4]), True)
    return at


def cf_updates(b: Any, port: int) -> list[tuple[int, CreditUpdate]]:
    """Cycle and contents of the CF_Updates taken from a port."""
    found = [(cycle, decode_credits(ctl, True)) for cycle, ctl in b.sets[port]]
    return [(cycle, item) for cycle, item in found if item is not None]


@pytest.mark.parametrize(
    ("register", "length", "expected"),
    [(0x0001, 64, 1), (0x0001, 65, 2), (0x0001, 9216, 144), (0x0000, 64, 2), (0x0006, 2048, 1),
     (0x0006, 2049, 2), (0x1401, 64, 2), (0x1401, 108, 2), (0x1401, 109, 3), (0xFC01, 68, 1),
     (0xFC01, 69, 2), (0xF000, 64, 2), (0x7F01, 64, 3)],
)
def test_credits_of_a_frame(register: int, length: int, expected: int) -> None:
    assert CreditUnit(register).credits(length) == expected


@pytest.mark.parametrize(
    ("value", "stored"),
    [(7, 6), (0xFFFFFFFF, 0xFF06), (0xEF01, 0xF001), (0x8000, 0xF000), (0x7F05, 0x7F05)],
)
def test_credit_units_are_stored_within_their_limits(value: int, stored: int) -> None:
    for unit in (Port.CBFC_SENDER, Port.CBFC_RECEIVER):
        assert PORT_OF[unit].stored(value, {"vcs": 2}) == stored


def sending(bench: Any, *overrides: str, limit: int = 8, control: int = SENDER | RESYNC) -> Any:
    """Frames from port 0 leave by port 1, whose VC 0 has credits: four for a longest frame."""
    b = bench("tiny", "buffer_cells=64", *overrides)
    b.setting(1, Port.CBFC_CC_PERIOD, 0)
    b.setting(1, Port.CBFC_LIMIT, limit)
    b.setting(1, Port.CBFC_CONTROL, control)
    b.run(6)
    return b


def test_what_is_allowed_is_what_leaves_room_for_a_longest_frame(bench: Any) -> None:
    b = sending(bench)
    for n in range(10):
        b.send(0, b.frame(1, seed=n))
    b.drain()
    # The fifth is matched with four of eight credits used; with five none is.
    assert len(b.frames[1]) == 5
    sender = b.switch.ports[1].flow_control.credit_sender
    assert (sender.consumed, sender.used) == ([5, 0], [5, 0])
    assert b.read(0x500 + Port.CBFC_S_CC) == 5
    assert b.read(0x500 + Port.CBFC_S_CF) == 0
    cf_update(b, 1, 0, 3)
    b.run(60)
    assert len(b.frames[1]) == 8
    assert b.read(0x500 + Port.CBFC_S_CF) == 3


def test_a_limit_below_a_longest_frame_never_sends(bench: Any) -> None:
    b = sending(bench, limit=3)
    b.send(0, b.frame(1))
    b.drain()
    assert not b.frames[1]


def test_a_vc_without_credits_holds_up_no_other(bench: Any) -> None:
    b = sending(bench, limit=4)
    for n in range(6):
        b.send(0, b.frame(1, seed=n, traffic_class=n % 2))
    b.drain()
    assert [s.data for s in b.frames[1]] == [
        b.frame(1, seed=n, traffic_class=n % 2) for n in (0, 1, 3, 5)
    ]


@pytest.mark.parametrize("receive", [0, 1])
@pytest.mark.parametrize("width", [64, 128, 256, 512])
@pytest.mark.parametrize("total", [0, 1])
def test_a_cf_update_lets_a_frame_be_matched_in_r_plus_1(
    bench: Any, width: int, total: int, receive: int
) -> None:
    b = sending(bench, f"data_width={width}", f"receive_stages={receive}", limit=4,
                control=SENDER | RESYNC | total * TOTAL)
    b.setting(1, Port.CBFC_TOTAL_LIMIT, 4)
    b.run(4)
    for n in range(2):
        b.send(0, b.frame(1, seed=n))
    b.drain(40)
    assert len(b.frames[1]) == 1
    t = cf_update(b, 1, 0, 1)
    b.run(30)
    assert b.frames[1][1].first == t + 2 + receive + 1 + total + 6


@pytest.mark.parametrize("width", [256, 512])
@pytest.mark.parametrize("total", [0, 1])
def test_matches_under_way_count_for_a_longest_frame_each(
    bench: Any, width: int, total: int
) -> None:
    b = sending(bench, f"data_width={width}", limit=7, control=SENDER | RESYNC | total * TOTAL)
    b.setting(1, Port.CBFC_TOTAL_LIMIT, 7)
    b.run(4)
    for n in range(6):
        b.send(0, b.frame(1, seed=n), at=b.cycle if n == 0 else None)
    b.drain(60)
    first = b.frames[1][0].first
    # Room for one longest frame and three credits more: each match waits until the one before it
    # costs only what it is.
    gap = 5 if total else 4
    assert [s.first - first for s in b.frames[1]] == [gap * n for n in range(4)]


def test_refused_entries_change_nothing_and_count_once(bench: Any) -> None:
    b = sending(bench)
    b.send(0, b.frame(1))
    b.drain(40)
    sender = b.switch.ports[1].flow_control.credit_sender
    for entries in ((0, 2), (1, 1), (5, 1), (7, 0, 5, 0), (0, 0x7FFF)):
        cf_update(b, 1, *entries)
        b.run(4)
        assert sender.used == [1, 0]
    assert b.counters(1)[C.CBFC_RX_CF_UPDATE] == b.counters(1)[C.CBFC_RX_CF_ERROR] == 5
    # The second entry stands even if the first is refused, and is passed over for the same VC.
    cf_update(b, 1, 1, 0, 0, 1)
    b.run(4)
    assert sender.used == [0, 0]
    cf_update(b, 1, 0, 1, 0, 5)
    b.run(4)
    assert b.counters(1)[C.CBFC_RX_CF_UPDATE] == 7
    assert b.counters(1)[C.CBFC_RX_CF_ERROR] == 6


def test_counts_wrap(bench: Any) -> None:
    b = sending(bench, limit=64)
    sender = b.switch.ports[1].flow_control.credit_sender
    sender.consumed[0] = M20 - 1
    for n in range(6):
        b.send(0, b.frame(1, 128, seed=n))
    b.drain(40)
    assert (sender.consumed[0], sender.used[0], sender.freed(0)) == (10, 12, M20 - 1)
    cf_update(b, 1, 0, 9)
    b.run(4)
    assert (sender.used[0], sender.freed(0)) == (1, 9)


def test_cf_updates_are_neither_sets_of_retry_nor_unknown(bench: Any) -> None:
    b = sending(bench)
    b.llr(1, local=1)
    b.run(4)
    at = cf_update(b, 1, 0, 0)
    b.ctl[1, at + 1] = b.ctl[1, at] ^ 1 << 48
    b.run(6)
    assert b.counters(1) == {C.RX_CTL_OS: 2, C.CBFC_RX_CF_UPDATE: 1, C.LLR_RX_CTL_UNKNOWN: 1}


def test_turning_a_sender_off_clears_it(bench: Any) -> None:
    b = sending(bench)
    b.send(0, b.frame(1))
    b.drain(40)
    b.setting(1, Port.CBFC_CONTROL, RESYNC)
    b.run(3)
    sender = b.switch.ports[1].flow_control.credit_sender
    assert (sender.consumed, sender.used, sender.waiting) == ([0, 0], [0, 0], 0)


def receiving(bench: Any, *overrides: str, **settings: int) -> Any:
    """Frames come in at port 0, whose VCs have credits; output 1 stands still."""
    b = bench("tiny", "buffer_cells=64", *overrides)
    b.setting(0, Port.LLR_SPACING, 2048)
    for name, value in {"CBFC_CF_MIN": 800, "CBFC_CF_MAX": (1 << 21) - 1, **settings}.items():
        b.setting(0, Port[name], value)
    b.setting(0, Port.CBFC_CONTROL, 3 * RECEIVER)
    b.run(150)
    b.sets[0].clear()
    return b


def test_a_frame_is_given_back_when_its_last_word_is_read(bench: Any) -> None:
    b = receiving(bench)
    t = b.send(0, b.frame(1, 100))
    b.run(t + 5 - b.cycle)
    receiver = b.switch.ports[0].flow_control.credit_receiver
    # Ends in t+3, counts in t+4; thirteen words are read in t+5...t+17, given back in t+18.
    seen = []
    while b.cycle < t + 21:
        seen.append((receiver.consumed[0], receiver.stored[0], receiver.freed(0)))
        b.run(1)
    assert seen == [(2, 2, 0)] * 14 + [(2, 0, 2)] * 2
    b.run(20)
    # Visible in t+19, chosen in t+20, loaded then.
    assert cf_updates(b, 0) == [(t + 21, CreditUpdate(0, 2, 1, 0))]
    assert b.counters(0)[C.CBFC_TX_CF_UPDATE] == 2


def test_frames_that_are_dropped_here_are_given_back_and_bad_ones_are_not(bench: Any) -> None:
    b = receiving(bench)
    b.send(0, b.frame(9))
    b.send(0, b.frame(1)[:-1] + b"\0")
    b.send(0, b"\xff" + b.frame(1)[1:])
    b.drain(20)
    receiver = b.switch.ports[0].flow_control.credit_receiver
    assert (receiver.consumed, receiver.stored) == ([1, 0], [0, 0])


def test_cf_updates_are_spaced_and_repeated(bench: Any) -> None:
    b = receiving(bench, CBFC_CF_MIN=800, CBFC_CF_MAX=1600)
    b.run(1000)
    first, *rest = cf_updates(b, 0)
    # Nothing to say: every 1600 bytes, 200 cycles, and the one of loading.
    assert [cycle - first[0] for cycle, _ in rest] == [201 * n for n in range(1, len(rest) + 1)]
    b.sets[0].clear()
    for n in range(60):
        b.send(0, b.frame(1, seed=n))
    b.drain(0)
    first, *rest = cf_updates(b, 0)
    assert [cycle - first[0] for cycle, _ in rest][:3] == [101, 202, 303]


def test_the_first_cf_update_waits_for_a_choice(bench: Any) -> None:
    b = bench("tiny", "buffer_cells=64")
    at = b.setting(0, Port.CBFC_CONTROL, 2 * RECEIVER)
    b.run(10)
    # Visible in at+2, chosen then, asked for and loaded in at+3.
    assert cf_updates(b, 0) == [(at + 4, CreditUpdate(1, 0, 1, 0))]


@pytest.mark.parametrize(("between", "waits"), [(2 * RECEIVER, 0), (0, 2)])
def test_a_cf_update_needs_a_receiver_in_two_cycles(
    bench: Any, between: int, waits: int
) -> None:
    b = receiving(bench, CBFC_CF_MIN=64, CBFC_CF_MAX=800)
    b.run(300)
    last = cf_updates(b, 0)[-1][0] + 101
    b.until(last + 80)
    b.sets[0].clear()
    # Asked for in the cycle before it is on the pins: now one in which another VC, or none, is on.
    asked = last + 101 - 1
    b.setting(0, Port.CBFC_CONTROL, between, at=asked - 2)
    b.setting(0, Port.CBFC_CONTROL, RECEIVER, at=asked - 1)
    b.until(asked + 10)
    assert [cycle for cycle, _ in cf_updates(b, 0)] == [asked + 1 + waits]


@pytest.mark.parametrize(("late", "distance"), [(0, 201), (1, 101)])
def test_a_cc_update_while_a_cf_update_is_loaded_is_answered(
    bench: Any, late: int, distance: int
) -> None:
    b = receiving(bench, CBFC_CF_MIN=800, CBFC_CF_MAX=1600)
    b.run(300)
    loaded = cf_updates(b, 0)[-1][0] - 1 + 201
    # What ends in t is due in t+5: seen by the set that is loaded then, or not.
    b.send(0, cc_update_frame(7, (0, 0)), at=loaded - 5 - 7 + late)
    b.until(loaded + 250)
    after = [cycle - 1 for cycle, _ in cf_updates(b, 0)]
    assert after[after.index(loaded) + 1] == loaded + distance


def test_the_two_vcs_with_most_to_say_go_first_and_ties_take_turns(bench: Any) -> None:
    b = receiving(bench, "vcs=4", CBFC_CF_MIN=800)
    b.setting(0, Port.CBFC_CONTROL, 15 * RECEIVER)
    b.run(300)
    b.sets[0].clear()
    for vc in (3, 1, 3, 2, 0):
        b.send(0, b.frame(9, traffic_class=vc))
    b.run(600)
    # The first goes out for VC 3 alone, with the VC whose turn it is beside it; then all have one
    # credit to say, and the turn is that of VC 3.
    assert [item for _, item in cf_updates(b, 0)] == [
        CreditUpdate(3, 1, 2, 0), CreditUpdate(3, 2, 0, 1), CreditUpdate(1, 1, 2, 1),
    ]


def test_a_vc_with_little_to_say_is_told_whatever_the_others_do(bench: Any) -> None:
    b = receiving(bench, "vcs=3", CBFC_CF_MIN=800)
    b.setting(0, Port.CBFC_CONTROL, 7 * RECEIVER)
    b.run(300)
    b.sets[0].clear()
    t = b.send(0, b.frame(9, traffic_class=2))
    for n in range(60):
        b.send(0, b.frame(9, 256, traffic_class=n % 2))
    b.drain(0)
    told = {cycle: {item.vc: item.freed, item.second_vc: item.second_freed}
            for cycle, item in cf_updates(b, 0) if cycle > t + 5}
    assert len(told) > 10
    assert any(update.get(2) == 1 for update in list(told.values())[:3])


def test_acks_and_cf_updates_take_turns(bench: Any) -> None:
    b = receiving(bench, CBFC_CF_MIN=64, CBFC_CF_MAX=64)
    b.setting(0, Port.LLR_SPACING, 400 << 16 | 400)
    b.llr(0, local=1)
    b.run(4)
    b.ordered_set(0, Kind.INIT, 0)
    b.run(20)
    b.sets[0].clear()
    for n in range(200):
        b.put(0, b.eligible(b.frame(1, seed=n), n))
    b.drain(0)
    kinds = [ctl & 0xFF for _, ctl in b.sets[0]]
    assert len(kinds) > 20
    assert set(itertools.pairwise(kinds[2:])) == {(0x10, 0x01), (0x01, 0x10)}


def test_a_cc_update_recovers_credits(bench: Any) -> None:
    b = receiving(bench)
    receiver = b.switch.ports[0].flow_control.credit_receiver
    for counts, recovered, wrong in (((5, 0), 1, 0), ((5, 0), 1, 0), ((4, 1), 2, 1)):
        t = b.send(0, cc_update_frame(7, counts))
        b.until(t + 5)
        assert receiver.consumed == list(counts)
        b.run(10)
        assert b.counters(0).get(C.CBFC_RX_RECOVERED, 0) == recovered
        assert b.counters(0).get(C.CBFC_RX_CC_ERROR, 0) == wrong
    assert b.counters(0)[C.CBFC_RX_CC_UPDATE] == b.counters(0)[C.RX_MAC_CONTROL] == 3
    b.run(400)
    # Both are answered, also the one with nothing new.
    assert {vc for _, item in cf_updates(b, 0) for vc in (item.vc, item.second_vc)} == {0, 1}


def test_resynchronisation_takes_the_count_as_it_is(retry: Any) -> None:
    b = retry("buffer_cells=64", settings={
        Port.CBFC_CC_PERIOD: 0, Port.CBFC_LIMIT: 32, Port.CBFC_CONTROL: SENDER | RESYNC,
    })
    sender = b.switch.ports[1].flow_control.credit_sender
    b.run(60)
    # The first agreement also resynchronises.
    assert sender.waiting == 1
    assert b.counters(1)[C.CBFC_TX_CC_UPDATE] == 1
    b.feed(1)
    b.run(60)
    assert len(b.frames[1]) == 1, "only the CC_Update"
    cf_update(b, 1, 0, 33)
    b.run(4)
    assert sender.waiting == 1, "refused: more used than the limit"
    cf_update(b, 1, 0, M20 - 6 & 0x7FFF)
    b.run(4)
    assert (sender.waiting, sender.used[0]) == (0, 7)
    b.run(60)
    assert next(decode(s.data) for s in b.frames[1]) == CreditCounts((0,) * 16)
    assert [s.seq for s in b.frames[1]] == [0, 1]
    assert sender.consumed[0] == 1
    assert sender.used[0] == 8


def test_replays_cost_nothing(retry: Any) -> None:
    b = retry("buffer_cells=64", settings={Port.CBFC_CC_PERIOD: 0, Port.CBFC_LIMIT: 60})
    b.setting(1, Port.CBFC_CONTROL, SENDER)
    b.run(4)
    b.feed(3)
    b.run(60)
    b.ordered_set(1, Kind.NACK, (1 << 20) - 1)
    b.run(60)
    assert [s.seq for s in b.frames[1]] == [0, 1, 2, 0, 1, 2]
    assert b.switch.ports[1].flow_control.credit_sender.consumed[0] == 3
