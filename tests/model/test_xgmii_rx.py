# SPDX-License-Identifier: Apache-2.0
"""docs/xgmii.md, XgmiiRx: one case per rule."""

from __future__ import annotations

import pytest

from gavel_model import preamble
from gavel_model.pins import RxPins
from gavel_model.xgmii import ERROR, IDLE, SEQUENCE, SIGNAL, START, TERMINATE, Fault, XgmiiWord
from gavel_model.xgmii_rx import XgmiiRx

GAP, S, T, E = (IDLE, 1), (START, 1), (TERMINATE, 1), (ERROR, 1)
PLAIN = [S, *((byte, 0) for byte in preamble.PLAIN[1:])]
BOTH_LANES = pytest.mark.parametrize("lane", [0, 4])


def data(count: int, first: int = 1) -> list[tuple[int, int]]:
    return [(first + n & 0xFF, 0) for n in range(count)]


def run(lanes: list[tuple[int, int]], protect: bool = True) -> list[RxPins]:
    """Pins in each cycle, the first word of ``lanes`` being on XGMII in cycle 0."""
    lanes = lanes + [GAP] * (-len(lanes) % 8 + 32)
    model = XgmiiRx()
    model.step(XgmiiWord(int.from_bytes([IDLE] * 8, "little"), 0xFF), protect)
    shown = []
    for start in range(0, len(lanes), 8):
        word = lanes[start:start + 8]
        shown.append(model.pins)
        model.step(XgmiiWord(int.from_bytes(bytes(byte for byte, _ in word), "little"),
                             sum(ctl << n for n, (_, ctl) in enumerate(word))), protect)
    return shown


def frames(pins: list[RxPins]) -> list[tuple[bytes, list[int]]]:
    """Data of each frame, and ``err`` of each of its words."""
    found: list[tuple[bytes, list[int]]] = []
    is_open = False
    for word in pins:
        if not word.valid:
            assert word._replace(data=0, ctl_valid=0, ctl=0) == RxPins(up=word.up)
            continue
        assert bool(word.sop) != is_open
        if word.sop:
            found.append((b"", []))
        is_open = not word.eop
        body, errors = found[-1]
        part = word.data.to_bytes(8, "little")[:8 - word.empty]
        found[-1] = (body + part, [*errors, word.err])
    assert not is_open
    return found


@BOTH_LANES
@pytest.mark.parametrize("length", range(1, 26))
def test_every_start_and_terminate_lane_takes_the_same_time(lane, length):
    shown = run([GAP] * lane + PLAIN + data(length) + [T])
    words = -(-length // 8)
    assert [n for n, pins in enumerate(shown) if pins.valid] == list(range(3, 3 + words))
    assert frames(shown) == [(bytes(range(1, length + 1)), [0] * words)]


@BOTH_LANES
@pytest.mark.parametrize("end", [IDLE, SEQUENCE, SIGNAL, 0x1C])
@pytest.mark.parametrize("length", range(1, 18))
def test_a_frame_without_terminate_ends_with_err(lane, end, length):
    shown = frames(run([GAP] * lane + PLAIN + data(length) + [(end, 1)]))
    assert shown == [(bytes(range(1, length + 1)), [0] * ((length - 1) // 8) + [1])]


@BOTH_LANES
@pytest.mark.parametrize("length", range(4, 36, 4))
def test_a_start_ends_the_open_frame_and_begins_another(lane, length):
    shown = frames(run([GAP] * lane + PLAIN + data(length) + PLAIN + data(9, 50) + [T]))
    words = -(-length // 8)
    assert shown == [(bytes(range(1, length + 1)), [0] * (words - 1) + [1]),
                     (bytes(range(50, 59)), [0, 0])]


@BOTH_LANES
@pytest.mark.parametrize("end", [T, GAP, S])
def test_a_frame_of_no_bytes_is_one_bad_word(lane, end):
    shown = [pins for pins in run([GAP] * lane + PLAIN + [end]) if pins.valid]
    assert [(p.sop, p.eop, p.err, p.empty) for p in shown[:1]] == [(1, 1, 1, 7)]


@BOTH_LANES
def test_a_start_in_any_other_lane_is_none(lane):
    assert frames(run([GAP] * (lane + 1) + PLAIN + data(9) + [T])) == []
    shown = frames(run([GAP] * lane + PLAIN + data(10) + [S] + data(20) + [T]))
    assert shown == [(bytes(range(1, 11)), [0, 1])]


@BOTH_LANES
def test_a_start_inside_a_preamble_is_none(lane):
    shown = frames(run([GAP] * lane + PLAIN[:4] + PLAIN + data(8) + [T]))
    assert [errors for _, errors in shown] == [[1, 0]]


@BOTH_LANES
@pytest.mark.parametrize("place", range(17))
def test_error_spoils_its_word_and_the_frame_goes_on(lane, place):
    body = data(17)
    body[place] = E
    (got, errors), = frames(run([GAP] * lane + PLAIN + body + [T]))
    assert len(got) == 17
    assert errors == [int(place // 8 == word) for word in range(3)]


@BOTH_LANES
@pytest.mark.parametrize("protect", [True, False])
def test_preambles(lane, protect):
    def first(made: bytes) -> tuple[int, int, int]:
        lanes = [S, *((byte, 0) for byte in made[1:])]
        word = run([GAP] * lane + lanes + data(8) + [T], protect)[3]
        assert word.sop
        return word.llr, word.seq, word.err

    assert first(preamble.encode(0xABCDE, protect)) == (1, 0xABCDE, 0)
    assert first(preamble.PLAIN) == (0, 0, 0)
    assert first(preamble.encode(0xABCDE, not protect)) == (0, 0, 1)
    for place in range(1, 8):
        spoilt = bytearray(preamble.encode(0x12345, True))
        spoilt[place] ^= 8
        assert first(bytes(spoilt)) == (0, 0, 1)


def test_a_control_character_in_a_preamble_makes_it_bad():
    for place in range(1, 8):
        lanes = list(PLAIN)
        lanes[place] = (lanes[place][0], 1)
        assert run(lanes + data(8) + [T])[3].err == 1


@pytest.mark.parametrize("lane", range(8))
def test_a_control_ordered_set_is_a_word_by_itself(lane):
    shown = run([GAP] * lane + [(SIGNAL, 1)] + data(7) + [GAP] * 8)
    sets = [(n, pins.ctl) for n, pins in enumerate(shown) if pins.ctl_valid]
    wanted = [(2, int.from_bytes(range(1, 8), "little"))] if lane == 0 else []
    assert sets == wanted
    spoilt = [(SIGNAL, 1), *data(7)]
    spoilt[max(lane, 1)] = GAP
    assert not any(pins.ctl_valid for pins in run(spoilt))


def test_signal_sets_of_a_column_are_none():
    shown = run(2 * [(SIGNAL, 1), *data(3)])
    assert not any(pins.ctl_valid for pins in shown)


LOCAL = [(SEQUENCE, 1), (0, 0), (0, 0), (1, 0)]
REMOTE = [(SEQUENCE, 1), (0, 0), (0, 0), (2, 0)]
COLUMN = [GAP] * 4


def fault_after(lanes: list[tuple[int, int]]) -> tuple[Fault, int]:
    """Link fault two cycles after the last word of ``lanes``, and ``up`` with it."""
    assert len(lanes) % 8 == 0
    model = XgmiiRx()
    for start in range(0, len(lanes) + 8, 8):
        word = (lanes + [GAP] * 8)[start:start + 8]
        model.step(XgmiiWord(int.from_bytes(bytes(byte for byte, _ in word), "little"),
                             sum(ctl << n for n, (_, ctl) in enumerate(word))), True)
    return model.fault, model.pins.up


@pytest.mark.parametrize(("lanes", "fault"), [
    (COLUMN + 3 * LOCAL, Fault.NONE),
    (4 * LOCAL, Fault.LOCAL),
    (4 * REMOTE, Fault.REMOTE),
    (3 * LOCAL + REMOTE + 3 * LOCAL + COLUMN, Fault.NONE),
    (3 * LOCAL + 4 * REMOTE + COLUMN, Fault.REMOTE),
    (4 * LOCAL + 3 * REMOTE + COLUMN, Fault.LOCAL),
    (4 * LOCAL + 4 * REMOTE, Fault.REMOTE),
    (3 * LOCAL + 127 * COLUMN + LOCAL + COLUMN, Fault.LOCAL),
    (3 * LOCAL + 128 * COLUMN + LOCAL, Fault.NONE),
    (3 * (LOCAL + 127 * COLUMN) + COLUMN + LOCAL, Fault.NONE),
    (3 * (LOCAL + 127 * COLUMN) + LOCAL + COLUMN, Fault.LOCAL),
    (4 * LOCAL + 126 * COLUMN, Fault.LOCAL),
    (COLUMN + 4 * LOCAL + 127 * COLUMN, Fault.LOCAL),
    (4 * LOCAL + 128 * COLUMN, Fault.NONE),
    (4 * LOCAL + 128 * COLUMN + 3 * LOCAL + COLUMN, Fault.NONE),
    (4 * [(SEQUENCE, 1), (0, 0), (0, 0), (3, 0)], Fault.NONE),
    (4 * [(SEQUENCE, 1), (0, 0), (1, 0), (1, 0)], Fault.NONE),
    (4 * [(SEQUENCE, 1), (0, 0), (0, 0), (1, 1)], Fault.NONE),
    (4 * [(SEQUENCE, 0), (0, 0), (0, 0), (1, 0)], Fault.NONE),
])
def test_link_faults(lanes, fault):
    assert fault_after(lanes) == (fault, int(fault is Fault.NONE))
