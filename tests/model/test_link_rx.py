# SPDX-License-Identifier: Apache-2.0
"""Chapter 4: framing, length, FCS, and the order of the verdicts."""

from __future__ import annotations

from typing import Any

import pytest

from gavel_model.frame import append_fcs
from gavel_model.pins import IDLE, RxPins
from gavel_model.register_map import Counter, Port, port_address

C = Counter
ORDERED_SET = RxPins(ctl_valid=1, ctl=0x123456789ABCDE)


def test_counters_of_a_good_frame_and_when_they_change(bench: Any) -> None:
    b = bench()
    t = b.send(0, b.frame(1, 100))
    b.until(t + 3)
    assert b.counters(0) == {}
    b.run(1)
    assert b.counters(0) == {C.RX_FRAMES: 1, C.RX_BYTES: 100}
    b.until(t + 7)
    assert b.counters(1) == {}
    b.run(1)
    assert b.counters(1) == {C.TX_BYTES: 8}
    b.run(12)
    assert b.counters(1) == {C.TX_FRAMES: 1, C.TX_BYTES: 100}


@pytest.mark.parametrize("bit", [0, 100, 479, 480, 511])
def test_one_wrong_bit_is_an_fcs_drop(bench: Any, bit: int) -> None:
    b = bench()
    frame = bytearray(b.frame(1))
    frame[bit // 8] ^= 1 << bit % 8
    b.send(0, bytes(frame))
    b.drain()
    assert b.counters(0) == {C.RX_FCS: 1}
    assert b.frames == [[], []]


@pytest.mark.parametrize("length", [1, 4, 5, 63])
def test_short_frames_are_undersize_even_with_a_good_fcs(bench: Any, length: int) -> None:
    b = bench()
    b.send(0, append_fcs(bytes(length - 4)) if length >= 4 else bytes(length))
    b.drain()
    assert b.counters(0) == {C.RX_UNDERSIZE: 1}


@pytest.mark.parametrize("width", [64, 128, 256, 512])
def test_lengths_at_the_limits(bench: Any, width: int) -> None:
    for length, counter in ((64, C.RX_FRAMES), (250, C.RX_FRAMES), (251, C.RX_OVERSIZE),
                            (256, C.RX_OVERSIZE), (257, C.RX_OVERSIZE), (600, C.RX_OVERSIZE)):
        b = bench("tiny", f"data_width={width}", "max_frame_bytes=250")
        b.send(0, b.frame(1, length))
        b.drain()
        assert b.counters(0)[counter] == 1
        assert b.switch.ports[0].ingress_buffer.free == 16


def test_an_endless_frame_takes_no_more_cells_than_the_longest(bench: Any) -> None:
    b = bench("tiny", "max_frame_bytes=128")
    words = b.words(b.frame(1, 1000))
    b.put(0, words[:-1])
    b.run(100)
    assert b.switch.ports[0].ingress_buffer.free == 14
    t = b.put(0, words[-1:])
    b.until(t + 4)
    assert b.switch.ports[0].ingress_buffer.free == 16
    assert b.counters(0) == {C.RX_OVERSIZE: 1}


def test_verdicts_go_by_their_order(bench: Any) -> None:
    b = bench("tiny", "profile=esun")
    # Every frame has all the faults that follow its own in the order of the specification.
    no_route = b.frame(9, 64, profile="esun")
    ttl = b.frame(9, 64, profile="esun", ttl=1)
    header = b.frame(9, 64, profile="esun", ttl=1, esun_ethertype=0x9999)
    bad_fcs = header[:-1] + bytes([header[-1] ^ 1])
    for frame in (no_route, ttl, header, bad_fcs, bad_fcs[:60], bytes(300)):
        b.send(0, frame)
    words = b.words(bytes(300))
    b.put(0, [words[0], words[1]._replace(err=1), *words[2:]])
    b.drain()
    assert b.counters(0) == {
        C.RX_NO_ROUTE: 1, C.RX_TTL: 1, C.RX_HEADER: 1, C.RX_FCS: 1, C.RX_UNDERSIZE: 1,
        C.RX_OVERSIZE: 1, C.RX_ERR: 1,
    }


@pytest.mark.parametrize("where", [0, 3, 7])
def test_err_in_any_word_drops_the_frame(bench: Any, where: int) -> None:
    b = bench()
    words = b.words(b.frame(1))
    words[where] = words[where]._replace(err=1)
    b.put(0, words)
    b.send(0, b.frame(1))
    b.drain()
    assert b.counters(0) == {C.RX_ERR: 1, C.RX_FRAMES: 1, C.RX_BYTES: 64}


def test_err_is_nothing_without_a_frame_word(bench: Any) -> None:
    b = bench()
    words = b.words(b.frame(1))
    b.put(0, [words[0], RxPins(err=1), *words[1:]])
    b.drain()
    assert b.counters(0) == {C.RX_FRAMES: 1, C.RX_BYTES: 64}


def test_empty_is_ignored_unless_eop_and_unused_lanes_are_cleared(bench: Any) -> None:
    b = bench()
    frame = b.frame(1, 69)
    words = [word._replace(empty=word.empty or 5) for word in b.words(frame)]
    words[-1] = words[-1]._replace(data=words[-1].data | 0xABCDEF << 40, empty=3)
    b.put(0, words)
    b.drain()
    assert [s.data for s in b.frames[1]] == [frame]


def test_sop_aborts_the_open_frame(bench: Any) -> None:
    b = bench()
    frame = b.frame(1, 100)
    b.put(0, b.words(b.frame(1, 200))[:9])
    t = b.send(0, frame)
    b.until(t - 12 + 3)
    assert b.switch.ports[0].ingress_buffer.free == 14
    b.until(t - 12 + 4)  # two cells back, one taken for the new frame
    assert b.switch.ports[0].ingress_buffer.free == 15
    b.drain()
    assert b.counters(0) == {C.RX_FRAGMENT: 1, C.RX_FRAMES: 1, C.RX_BYTES: 100}
    assert [s.data for s in b.frames[1]] == [frame]


def test_a_single_word_aborts_and_ends_at_once(bench: Any) -> None:
    b = bench("tiny", "data_width=512")
    frame = b.frame(1, 64)
    b.put(0, b.words(b.frame(1, 200))[:2])
    b.send(0, frame)
    b.drain()
    assert b.counters(0) == {C.RX_FRAGMENT: 1, C.RX_FRAMES: 1, C.RX_BYTES: 64}
    assert [s.data for s in b.frames[1]] == [frame]


def test_stray_words_are_counted_in_the_next_cycle(bench: Any) -> None:
    b = bench()
    words = b.words(b.frame(1))
    t = b.put(0, words[1:])
    b.until(1)
    assert b.counters(0) == {}
    b.run(1)
    assert b.counters(0) == {C.RX_STRAY_WORDS: 1}
    b.until(t + 2)
    assert b.counters(0) == {C.RX_STRAY_WORDS: 7}
    b.drain()
    assert b.switch.ports[0].ingress_buffer.free == 16


def test_ordered_sets_are_counted_beside_frame_words(bench: Any) -> None:
    b = bench()
    words = [w._replace(ctl_valid=1, ctl=7) for w in b.words(b.frame(1))]
    b.put(0, [*words, ORDERED_SET, ORDERED_SET._replace(up=0)])
    b.drain()
    assert b.counters(0) == {C.RX_FRAMES: 1, C.RX_BYTES: 64, C.RX_CTL_OS: 9}


def test_llr_and_seq_are_ignored(bench: Any) -> None:
    b = bench()
    frame = b.frame(1)
    b.put(0, [w._replace(llr=1, seq=99) for w in b.words(frame)])
    b.drain()
    assert [s.data for s in b.frames[1]] == [frame]


def test_link_down_aborts_and_the_rest_is_stray(bench: Any) -> None:
    b = bench()
    words = b.words(b.frame(1, 128))
    t = b.put(0, words[:10])
    b.put(0, [words[10]._replace(up=0), *words[11:]])
    b.until(t + 4)
    assert b.switch.ports[0].ingress_buffer.free == 14
    b.until(t + 5)
    assert b.switch.ports[0].ingress_buffer.free == 16
    assert b.counters(0)[C.RX_FRAGMENT] == 1
    b.drain()
    assert b.counters(0) == {C.RX_FRAGMENT: 1, C.RX_STRAY_WORDS: 5}


def test_words_of_a_link_that_is_down_are_nothing(bench: Any) -> None:
    b = bench()
    b.put(0, [w._replace(up=0) for w in b.words(b.frame(1))])
    b.drain()
    assert b.counters(0) == {}


def test_disabling_a_port_cuts_its_frame_two_cycles_later(bench: Any) -> None:
    b = bench()
    words = b.words(b.frame(1, 128))
    b.put(0, words)
    b.write(port_address(0, Port.CONTROL), 0, at=4)  # visible in 6
    b.write(port_address(0, Port.CONTROL), 1, at=8)  # visible in 10
    b.until(5)
    assert b.switch.tx[0].up == 1
    b.run(1)
    assert b.switch.tx[0].up == 0
    b.until(9)
    assert b.counters(0) == {}
    b.run(1)
    assert b.counters(0) == {C.RX_FRAGMENT: 1}
    assert b.switch.tx[0].up == 1
    b.drain()
    assert b.counters(0) == {C.RX_FRAGMENT: 1, C.RX_STRAY_WORDS: 6}


def test_disabling_a_port_in_a_gap_aborts_the_open_frame(bench: Any) -> None:
    b = bench()
    b.put(0, [*b.words(b.frame(1))[:3], *[IDLE] * 20])
    b.write(port_address(0, Port.CONTROL), 0, at=12)
    b.until(17)
    assert b.counters(0) == {}
    b.run(1)
    assert b.counters(0) == {C.RX_FRAGMENT: 1}
    assert b.switch.ports[0].ingress_buffer.free == 16


def test_a_disabled_port_still_transmits(bench: Any) -> None:
    b = bench()
    b.write(port_address(1, Port.CONTROL), 0)
    b.run(3)
    frame = b.frame(1)
    b.send(0, frame)
    b.send(1, frame)
    b.drain()
    assert [s.data for s in b.frames[1]] == [frame]
    assert b.counters(1) == {C.TX_FRAMES: 1, C.TX_BYTES: 64}
    assert b.switch.tx[1].up == 0
