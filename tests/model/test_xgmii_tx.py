# SPDX-License-Identifier: Apache-2.0
"""docs/xgmii.md, XgmiiTx: one case per rule."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable

import pytest

from gavel_model import preamble
from gavel_model.pins import TxPins
from gavel_model.xgmii import (
    ERROR_WORD,
    IDLE_WORD,
    REMOTE_FAULT_WORD,
    START,
    TERMINATE,
    TERMINATE_WORD,
    Fault,
    XgmiiWord,
    ordered_set_word,
)
from gavel_model.xgmii_tx import XgmiiTx

NOTHING = TxPins(up=1)
CTL = 0x0123456789ABCD


def words(length: int, **first: int) -> list[TxPins]:
    """A frame of the bytes 0, 1, 2..."""
    body = bytes(n & 0xFF for n in range(length))
    parts = [body[start:start + 8] for start in range(0, length, 8)]
    made = [TxPins(valid=1, up=1, eop=int(n == len(parts) - 1), empty=8 - len(part),
                   data=int.from_bytes(part, "little")) for n, part in enumerate(parts)]
    made[0] = made[0]._replace(sop=1, **first)
    return made


def run(pins: Iterable[TxPins], cycles: int, *, sets: int = 0, fault: Fault = Fault.NONE,
        up: int = 1, model: XgmiiTx | None = None) -> list[XgmiiWord]:
    """XGMII in cycles 1 to ``cycles``; a word holds until it is taken, and so do the sets."""
    model = model or XgmiiTx()
    queue, out = deque(pins), []
    for _ in range(cycles):
        shown = (queue[0] if queue else NOTHING)._replace(up=up, ctl_valid=int(sets > 0), ctl=CTL)
        ready, ctl_ready = model.ready(shown, fault)
        model.step(shown, fault, True)
        if queue and ready:
            queue.popleft()
        sets -= ctl_ready and sets > 0
        out.append(model.word)
    return out


def gaps(out: list[XgmiiWord]) -> list[int]:
    """Bytes from each Terminate to the next Start."""
    found, end = [], None
    for number, word in enumerate(out):
        if word.character(0) == START and end is not None:
            found.append(8 * number - end)
        for lane in range(8):
            if word.character(lane) == TERMINATE:
                end = 8 * number + lane
    return found


@pytest.mark.parametrize("length", range(1, 25))
def test_start_data_terminate(length):
    out = run(words(length, llr=1, seq=0x54321), 8)
    lanes = b"".join(word.data.to_bytes(8, "little") for word in out)
    assert lanes[:8] == preamble.encode(0x54321, True)
    assert lanes[8:8 + length] == bytes(range(length))
    assert lanes[8 + length:] == bytes((TERMINATE,)).ljust(56 - length, b"\x07")
    control = "".join(f"{word.ctl:08b}"[::-1] for word in out)
    assert control == "1".ljust(8 + length, "0").ljust(64, "1")


def test_ordinary_preamble():
    assert run(words(9), 1)[0].data.to_bytes(8, "little") == preamble.PLAIN


@pytest.mark.parametrize(("rest", "wanted"), [
    (0, [8, 16, 8, 16]), (1, [7, 15, 7, 15]), (2, [6, 14, 14, 14]), (3, [5, 13, 13, 13]),
    (4, [12, 12, 12, 12]), (5, [11, 11, 11, 11]), (6, [10, 10, 10, 18]), (7, [9, 9, 17, 9]),
])
def test_first_gaps_at_full_load(rest, wanted):
    assert gaps(run(6 * words(8 + rest), 40))[:4] == wanted


def check_gaps(found: list[int]) -> None:
    total = 0
    assert min(found) >= 5
    for number, gap in enumerate(found, 1):
        total += gap
        assert 0 <= 12 * number - total <= 7


@pytest.mark.parametrize("first", [
    pytest.param(first, marks=[] if first < 400 or first > 1400 else [pytest.mark.long])
    for first in range(64, 1519, 97)])
def test_mean_gap_is_twelve_at_every_length(first):
    """The short run has the shortest and the longest frames: gaps follow from a length modulo 8."""
    for length in range(first, min(first + 97, 1519)):
        frame = words(length)
        found = gaps(run(9 * frame, 9 * (len(frame) + 4)))
        assert len(found) == 8
        check_gaps(found)
        # Eight frames of one length bring the deficit back to where it was.
        assert sum(found) == 12 * 8


def test_mean_gap_is_twelve_with_mixed_lengths(seed):
    rng = random.Random(seed)
    pins = [word for _ in range(2000) for word in words(rng.randrange(1, 40))]
    check_gaps(gaps(run(pins, 20000)))


def test_idle_time_pays_the_deficit_back():
    model = XgmiiTx()
    assert gaps(run(2 * words(11), 8, model=model)) == [5]
    run([], 9, model=model)
    assert gaps(run(3 * words(11), 16, model=model)) == [5, 13]


def test_a_set_is_a_part_of_the_gap():
    model = XgmiiTx()
    run(words(11), 3, model=model)
    out = run(3 * words(11), 16, sets=1, model=model)
    assert out[0] == ordered_set_word(CTL)
    # The set has paid the seven bytes that the first gap would have owed.
    assert gaps(out) == [5, 13]


def test_sets_leave_without_frames():
    assert run([], 4, sets=3) == 3 * [ordered_set_word(CTL)] + [IDLE_WORD]


def test_a_set_goes_before_a_frame_and_a_frame_before_a_second_set():
    out = run(2 * words(8), 12, sets=9)
    names = "".join("s" if word == ordered_set_word(CTL) else "P" if word.character(0) == START
                    else "T" if word == TERMINATE_WORD else "d" for word in out)
    assert names == "sPdTsPdTssss"


def test_a_set_waits_for_the_end_of_the_frame_under_way():
    model = XgmiiTx()
    out = run(words(30), 2, model=model)
    out += run(words(30)[1:], 6, sets=1, model=model)
    assert out.index(ordered_set_word(CTL)) == 5


def test_err_leaves_as_error_and_the_last_word_as_a_full_one():
    frame = words(20)
    assert run([frame[0]._replace(err=1), *frame[1:]], 3)[1:] == [
        ERROR_WORD, XgmiiWord(frame[1].data, 0)]
    assert run([*frame[:2], frame[2]._replace(err=1)], 6)[3:] == [
        ERROR_WORD, TERMINATE_WORD, IDLE_WORD]


@pytest.mark.parametrize("missing", [NOTHING, words(24)[0]])
def test_a_missing_word_cuts_the_frame(missing):
    model = XgmiiTx()
    frame = words(24)
    out = []
    aborted = []
    for pins in (frame[0], frame[0], missing, missing):
        model.step(pins, Fault.NONE, True)
        out.append(model.word)
        aborted.append(model.aborted)
    assert out[2:] == [ERROR_WORD, TERMINATE_WORD]
    assert aborted == [False, False, True, False]


def test_the_rest_of_a_cut_frame_is_thrown_away():
    model = XgmiiTx()
    for pins in (words(24)[0], words(24)[0], NOTHING, NOTHING):
        model.step(pins, Fault.NONE, True)
    assert run(words(24)[1:] + words(8), 4, model=model)[:2] == 2 * [IDLE_WORD]
    assert run(words(8), 3, model=model) != 3 * [IDLE_WORD]


@pytest.mark.parametrize(("up", "fault", "word"), [
    (0, Fault.NONE, REMOTE_FAULT_WORD),
    (0, Fault.LOCAL, REMOTE_FAULT_WORD),
    (0, Fault.REMOTE, REMOTE_FAULT_WORD),
    (1, Fault.LOCAL, REMOTE_FAULT_WORD),
    (1, Fault.REMOTE, IDLE_WORD),
])
def test_a_closed_port_sends_no_frame_and_no_set(up, fault, word):
    assert run(3 * words(24), 20, sets=3, up=up, fault=fault) == 20 * [word]


def test_a_closed_port_tells_each_frame_thrown_away():
    model = XgmiiTx()
    told = []
    for pins in 3 * words(24):
        assert model.ready(pins, Fault.LOCAL) == (True, True)
        model.step(pins, Fault.LOCAL, True)
        told.append(model.discarded)
    assert told == 3 * [True, False, False]


def test_a_frame_under_way_goes_to_its_end_when_the_port_closes():
    model = XgmiiTx()
    out = run(words(20), 2, model=model)
    out += run(words(20)[1:], 4, up=0, model=model)
    assert out[3].data & 0xFFFF_FFFF == words(20)[2].data
    assert out[4:] == 2 * [REMOTE_FAULT_WORD]
