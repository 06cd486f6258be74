# SPDX-License-Identifier: Apache-2.0
"""The self-test's model by hand-made cases."""

from __future__ import annotations

import zlib
from collections import Counter

import pytest

from gavel_model.config import SwitchConfig
from gavel_model.frame import join_words, read_field
from gavel_model.loader import load_config
from gavel_model.pins import RxPins
from gavel_model.profiles import PROFILE_NAMES, PROFILES
from gavel_model.selftest_checker import SelfTestChecker
from gavel_model.selftest_format import LINE_RATE, xorshift
from gavel_model.selftest_frame import Frames, Stamp, finished, payload_end, prbs
from gavel_model.selftest_generator import SelfTestGenerator
from gavel_model.selftest_map import SelfTestFault, SelfTestMode, SelfTestPayload
from gavel_model.selftest_settings import SelfTestSettings

GOOD_CRC = zlib.crc32(bytes(4))


def config(width: int = 64, **overrides: object) -> SwitchConfig:
    values = {"ports": 3, "vcs": 2, "data_width": width, "max_frame_bytes": 300, **overrides}
    return load_config("tiny", tuple(f"{name}={value}" for name, value in values.items()))


def generator(switch: SwitchConfig, **settings: int) -> SelfTestGenerator:
    made = SelfTestGenerator(switch, 1)
    made.settings = SelfTestSettings(**{
        "mode": SelfTestMode.INTERNAL, "destinations": 7, "classes": 3, "longest": 300,
        **settings})
    return made


def play(made: SelfTestGenerator, cycles: int) -> list[RxPins | None]:
    """What is on the pins in each cycle, the first being that in which ``run`` is first 1."""
    shown = []
    # Before, the counts of the run are set.
    made.step(0, 0, 0, 1)
    for cycle in range(cycles):
        shown.append(made.word)
        made.step(1, 0, cycle, 1)
    return shown


def frames_of(shown: list[RxPins | None], size: int) -> list[bytes]:
    found: list[bytes] = []
    words: list[int] = []
    for word in shown:
        if word is None:
            continue
        if word.sop:
            words = []
        words.append(word.data)
        if word.eop:
            data = join_words(words, size)
            found.append(data[:len(data) - word.empty])
    return found


def test_random_numbers_are_xorshift32():
    assert [xorshift(1), xorshift(270369)] == [270369, 67634689]


def test_prbs31_is_that_of_the_standard():
    sequence = prbs(1, 4000) << 31 | 1
    bits = [sequence >> n & 1 for n in range(4031)]
    assert all(bits[n] == bits[n - 31] ^ bits[n - 28] for n in range(31, 4031))


@pytest.mark.parametrize("kind", SelfTestPayload)
@pytest.mark.parametrize("width", [64, 512])
def test_payload_continues_the_seed(width, kind):
    frames = frames_of(play(generator(config(width), payload=kind, seed=0xA5A50F31), 200),
                       width // 8)
    for frame in frames[:5]:
        end = payload_end(len(frame))
        bits = [frame[36:][n // 8] >> n % 8 & 1 for n in range(8 * (end - 36))]
        for n in range(32, len(bits)):
            if kind == SelfTestPayload.INCREMENT:
                assert frame[36 + n // 8] == 36 + n // 8
            else:
                assert bits[n] == (bits[n - 32] if kind == SelfTestPayload.CONSTANT
                                   else bits[n - 31] ^ bits[n - 28]), n
    assert len(frames) > 5


@pytest.mark.parametrize("length", range(64, 80))
def test_tail_only_shifts_the_register(length):
    data = bytes(range(3, 3 + payload_end(length)))
    frame = finished(data, length)
    assert len(frame) == length and zlib.crc32(frame) == GOOD_CRC
    register = (~zlib.crc32(data) & 0xFFFF_FFFF).to_bytes(11, "little")
    tail = length - 4 - len(data)
    assert frame[len(data):] == register[:tail] + bytes(
        byte ^ 0xFF for byte in register[tail:tail + 4])


@pytest.mark.parametrize("profile", PROFILE_NAMES)
def test_header_is_one_that_the_switch_forwards(profile):
    frames = Frames(config(profile=profile))
    stamp = Stamp(source=2, destination=1, class_=1, payload=SelfTestPayload.PRBS, length=99,
                  sequence=7, time=9, seed=0x1234_5678)
    data = finished(frames.head(stamp) + frames.payload(stamp), 100)
    row = PROFILES[PROFILE_NAMES.index(profile)]
    assert read_field(data, row.dst) & 0xFFFF == 1
    assert read_field(data, row.src) & 0xFFFF == 2
    assert read_field(data, row.traffic_class) == 1
    assert frames.stamp(data) == stamp
    assert not frames.header_error(data, 1) and not frames.payload_error(data)
    assert frames.header_error(data, 0)


@pytest.mark.parametrize("width", [64, 128, 256, 512])
@pytest.mark.parametrize("shortest", [64, 65, 100])
def test_line_rate_has_no_bubble(width, shortest):
    shown = play(generator(config(width), shortest=shortest, order=1, seed=5), 200)
    assert shown[:6] == [None] * 6
    assert all(shown[6:])
    lengths = {len(frame) for frame in frames_of(shown, width // 8)}
    assert len(lengths) > 5 and min(lengths) >= shortest and max(lengths) <= 300


@pytest.mark.parametrize("load", [LINE_RATE // 10, LINE_RATE // 2, LINE_RATE - 1000])
def test_load_is_a_share_of_line_rate(load):
    shown = play(generator(config(), load=load, seed=3), 20_000)
    words = sum(word is not None for word in shown)
    assert abs(words - 20_000 * load / LINE_RATE) < 40


def test_in_turn_every_pair_has_its_turn():
    made = generator(config(), longest=64)
    heads = [made._frames.stamp(frame) for frame in frames_of(play(made, 120), 8)]
    assert [(head.destination, head.class_) for head in heads[:7]] == [
        (0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1), (0, 0)]
    assert [head.sequence for head in heads[:7]] == [0, 0, 0, 0, 0, 0, 1]


def test_random_destinations_are_even():
    made = generator(config(512), longest=64, order=1, seed=77)
    heads = [made._frames.stamp(frame) for frame in frames_of(play(made, 6000), 64)]
    counted = Counter((head.destination, head.class_) for head in heads)
    assert len(counted) == 6 and all(abs(count - 1000) < 130 for count in counted.values())


def test_a_count_ends_the_run():
    made = generator(config(), count=5)
    shown = play(made, 1000)
    assert len(frames_of(shown, 8)) == 5 and not made.busy(1)
    assert len(frames_of(play(made, 1000), 8)) == 5


@pytest.mark.parametrize("inject", list(SelfTestFault))
def test_every_third_frame_is_spoilt_and_found(inject):
    switch = config()
    made = generator(switch, destinations=1, classes=1, inject_every=3, inject_how=inject, count=9)
    checker = SelfTestChecker(switch, 0)
    total: Counter[str] = Counter()
    made.step(0, 0, 0, 1)
    for cycle in range(600):
        checker.step(made.word, cycle - 4, 0)
        made.step(1, 0, cycle, 1)
        for name in ("ended", "bad", "header", "payload", "lost", "late"):
            total[name] += getattr(checker.frame, name)
        if checker.frame.latency is not None:
            assert checker.frame.latency == 0
    wanted = {SelfTestFault.FCS: {"bad": 3, "lost": 2}, SelfTestFault.PAYLOAD: {"payload": 3},
              SelfTestFault.LEFT_OUT: {"lost": 3}}[inject]
    assert +total == Counter({"ended": 9, **wanted})
