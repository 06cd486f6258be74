# SPDX-License-Identifier: Apache-2.0
"""Chapter 6 of llr.md: windows in frames and in cells, the wrap of numbers, poisoned frames."""

from __future__ import annotations

from typing import Any

import pytest

from gavel_model.llr_timers import TransmitterState
from gavel_model.ordered_set import Kind
from gavel_model.register_map import Counter, Port

C = Counter
S = TransmitterState


def test_the_window_in_frames(retry: Any) -> None:
    b = retry(settings={Port.LLR_WINDOW_FRAMES: 3})
    b.feed(5)
    b.drain(40)
    assert len(b.frames[1]) == 3
    assert sum(b.switch.ports[0].voq_frames) == 2
    n = b.ordered_set(1, Kind.ACK, 0)
    b.until(n + 2)
    assert b.tx.hold
    b.run(1)
    assert not b.tx.hold  # oldest is 1: a match in n+3, the first word on the pins in n+9
    b.drain(40)
    assert len(b.frames[1]) == 4
    assert b.frames[1][3].first == n + 9
    b.ordered_set(1, Kind.ACK, 3)
    b.drain(40)
    assert [s.seq for s in b.frames[1]] == [0, 1, 2, 3, 4]


def test_the_window_in_cells(retry: Any) -> None:
    b = retry(settings={Port.LLR_WINDOW_CELLS: 6})  # 48 words, a longest frame has 32
    b.feed(5)
    b.drain(40)
    # A match needs 32 words of room: with 16 in use there are, with 24 there are not.
    assert len(b.frames[1]) == 3
    n = b.ordered_set(1, Kind.ACK, 0)
    b.until(n + 4)
    assert b.tx.hold
    b.run(1)
    assert not b.tx.hold  # used is 16 in n+5
    b.drain(40)
    assert len(b.frames[1]) == 4
    assert b.frames[1][3].first == n + 11


@pytest.mark.parametrize("window", [Port.LLR_WINDOW_FRAMES, Port.LLR_WINDOW_CELLS])
def test_a_window_made_narrower_closes_at_once(retry: Any, window: Port) -> None:
    b = retry()
    b.feed(2)
    b.drain(20)
    assert not b.tx.hold
    at = b.setting(1, window, 0)
    b.until(at + 2)
    assert b.tx.hold


def test_the_windows_hold_with_retry_off(retry: Any) -> None:
    b = retry(advance=False)
    b.ready = lambda _: 0b01
    b.setting(1, Port.LLR_WINDOW_FRAMES, 1)
    b.run(3)
    b.feed(3)
    b.drain(40)
    assert sum(b.switch.ports[0].voq_frames) == 2
    b.ready = lambda _: 0b11
    b.drain(80)
    assert [s.data for s in b.frames[1]] == b.expected(1, 2, 3)


@pytest.mark.parametrize("seed", range(4))
def test_numbers_wrap(retry: Any, seed: int) -> None:
    b = retry("seq_bits=4", settings={Port.LLR_INIT_SEQ: 3 * seed})
    acknowledged = 0
    for n in range(1, 41):
        b.feed()
        b.drain(30)
        assert b.frames[1][-1].seq == n - 1 + 3 * seed & 15
        if n - acknowledged > seed + 1:
            kind = Kind.NACK if n % 3 == 0 else Kind.ACK
            acknowledged += 1
            b.ordered_set(1, kind, acknowledged - 1 + 3 * seed & 15)
            b.run(80)
    assert C.LLR_RX_ACK_NACK_SEQ_ERROR not in b.counters(1)
    assert b.tx.state is S.ADVANCE
    first = {data: None for _, data in b.shown()}
    assert list(first) == b.expected(*range(1, 41))
    assert b.tx.buffer.used == 8 * (40 - acknowledged)


def test_poisoned_frames_are_counted_apart(retry: Any) -> None:
    b = retry()
    b.wrong_fcs = {0, 0xAAAAAAAA}
    b.llr(0, local=1, forward_poisoned=1)
    b.run(2)
    b.ordered_set(0, Kind.INIT, 0)
    b.run(3)
    frame = b.frame(1)
    crc = int.from_bytes(frame[-4:], "little") ^ 0xAAAAAAAA
    b.put(0, b.eligible(frame[:-4] + crc.to_bytes(4, "little"), 0))
    b.put(0, b.eligible(frame, 1))
    b.drain(40)
    b.ordered_set(1, Kind.NACK, (1 << 20) - 1)
    b.run(60)
    counters = b.counters(1)
    assert (counters[C.LLR_TX_OK], counters[C.LLR_TX_POISONED]) == (2, 2)
    assert [s.seq for s in b.frames[1]] == [0, 1, 0, 1]
