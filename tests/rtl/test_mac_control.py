# SPDX-License-Identifier: Apache-2.0
"""MAC Control frames in the RTL: every byte that is sent, and what is read of one."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from gavel_model.config import SwitchConfig
from gavel_model.loader import load_config
from gavel_model.mac_control import cc_update_frame, pfc_frame
from gavel_model.register_map import Counter
from gavel_rtl.mac_control_receiver import MacControlReceiver
from gavel_rtl.mac_control_transmitter import MacControlTransmitter

CONFIGS = [(64, 8), (128, 1), (256, 3), (512, 8)]
ADDRESS = 0x0200_0000_0A0B


def config_of(width: int, vcs: int) -> SwitchConfig:
    return replace(load_config("tiny"), data_width=width, vcs=vcs)


def words_of(frame: bytes, config: SwitchConfig) -> list[int]:
    lanes = config.word_bytes
    return [int.from_bytes(frame[n:n + lanes], "little") for n in range(0, len(frame), lanes)]


def counted(ctx: Any, dut: Any) -> set[Counter]:
    count = ctx.get(dut.count)
    return {counter for counter in Counter if count >> counter & 1}


@pytest.mark.parametrize(("width", "vcs", "read"), [
    *((*shape, 0) for shape in CONFIGS), (64, 2, 1), (512, 3, 2)])
def test_frames_say_what_is_visible_three_cycles_later(
    simulate, width: int, vcs: int, read: int
) -> None:
    """With ``read_stages`` so many later."""
    config = replace(config_of(width, vcs), read_stages=read)
    dut = MacControlTransmitter(config)
    rng = random.Random(width)
    words = 512 // width

    async def bench(ctx, sync) -> None:
        sent: list[tuple[int, int, int, int]] = []
        wanted: list[tuple[int, int, int, int]] = []
        pfc = cc = 1
        taken: list[tuple[int, str]] = []
        for cycle in range(12 * words + 40):
            settings = dut.settings
            counts = [rng.getrandbits(20) for _ in range(vcs)]
            sender, transmit, xoff = (rng.getrandbits(vcs) for _ in range(3))
            time, address = rng.getrandbits(16), rng.getrandbits(48)
            classes = [0] * vcs
            for n in range(8):
                classes[rng.randrange(vcs)] |= 1 << n
            for vc in range(vcs):
                ctx.set(dut.consumed[vc], counts[vc])
                ctx.set(dut.classes[vc], classes[vc])
            for target, value in ((settings.sender, sender), (settings.pfc_transmit, transmit),
                                  (settings.pfc_time, time), (settings.mac_address, address),
                                  (dut.xoff, xoff), (dut.pfc_wanted, pfc), (dut.cc_wanted, cc)):
                ctx.set(target, value)
            busy = any(0 < cycle - s <= words + 1 for s, _ in taken)
            idle = cycle > 3 and rng.random() < 0.7
            ctx.set(dut.idle, idle)
            assert ctx.get(dut.claim) == (pfc or cc or busy), cycle
            now = "pfc" if pfc else "cc" if cc else ""
            if not idle or busy:
                now = ""
            assert (ctx.get(dut.pfc_taken), ctx.get(dut.cc_taken)) == (now == "pfc", now == "cc")
            assert counted(ctx, dut) == ({Counter.PFC_TX} if now == "pfc" else
                                         {Counter.CBFC_TX_CC_UPDATE} if now == "cc" else set())
            if now:
                taken.append((cycle, now))
            pfc = int((pfc and now != "pfc") or rng.random() < 0.1)
            cc = int((cc and now != "cc") or rng.random() < 0.1)
            for s, kind in taken:
                if cycle == s + 3 + read:
                    if kind == "pfc":
                        of = [next(vc for vc in range(vcs) if classes[vc] >> n & 1)
                              for n in range(8)]
                        enabled = sum((transmit >> of[n] & 1) << n for n in range(8))
                        frame = pfc_frame(address, enabled, [
                            time if transmit & xoff & 1 << of[n] else 0 for n in range(8)])
                    else:
                        frame = cc_update_frame(address, [
                            count if sender >> vc & 1 else 0 for vc, count in enumerate(counts)])
                    wanted += [(s + 5 + read + n, word, int(n == 0), int(n == words - 1))
                               for n, word in enumerate(words_of(frame, config))]
            word = dut.word
            if ctx.get(word.valid):
                sent.append((cycle, ctx.get(word.data), ctx.get(word.sop), ctx.get(word.eop)))
            else:
                assert ctx.get(word.data) == ctx.get(word.sop) == ctx.get(word.eop) == 0
            await ctx.tick()
        assert len(taken) > 3
        assert sent == [item for item in wanted if item[0] < cycle + 1]

    simulate(dut, bench)


@pytest.mark.parametrize(("width", "vcs"), CONFIGS)
def test_frames_are_read_as_they_end(simulate, width: int, vcs: int) -> None:
    config = config_of(width, vcs)
    dut = MacControlReceiver(config)
    rng = random.Random(vcs)

    async def bench(ctx, sync) -> None:
        expected_cc = expected_times = None
        for number in range(60):
            kind = rng.choice(("pfc", "cc", "other", "refused"))
            counts = [rng.getrandbits(20) for _ in range(16)]
            times = [rng.choice((0, rng.getrandbits(16))) for _ in range(8)]
            enabled = rng.getrandbits(8)
            frame = (pfc_frame(ADDRESS, enabled, times) if kind == "pfc"
                     else cc_update_frame(ADDRESS, counts))
            if kind == "other":
                place = rng.choice((14, 15, 16, 17, 18, 19))
                frame = frame[:place] + bytes([frame[place] ^ 0x40]) + frame[place + 1:]
            frame += rng.randbytes(rng.choice((0, 0, 2 * config.word_bytes)))
            words = words_of(frame, config)
            for n, data in enumerate(words):
                last = n == len(words) - 1
                while True:
                    gap = number % 3 == 0 and rng.random() < 0.4
                    ctx.set(dut.word.valid, not gap)
                    ctx.set(dut.word.sop, n == 0)
                    ctx.set(dut.word.data, data if not gap else rng.getrandbits(width))
                    accepted = last and not gap and kind != "refused"
                    ctx.set(dut.accepted, accepted)
                    assert ctx.get(dut.cc_update) == (expected_cc is not None)
                    if expected_cc is not None:
                        assert [ctx.get(dut.cc[vc]) for vc in range(vcs)] == expected_cc[:vcs]
                    if expected_times is not None:
                        assert [ctx.get(dut.pause.times[m]) for m in range(8)] == expected_times
                    expected_cc = counts if accepted and kind == "cc" else None
                    assert counted(ctx, dut) == (
                        {Counter.PFC_RX} if accepted and kind == "pfc" else
                        {Counter.CBFC_RX_CC_UPDATE} if expected_cc else set())
                    assert ctx.get(dut.pause.valid) == (accepted and kind == "pfc")
                    expected_times = times if ctx.get(dut.pause.valid) else None
                    if accepted and kind == "pfc":
                        assert ctx.get(dut.pause.enabled) == enabled
                        assert [ctx.get(dut.pause.lasts) >> m & 1 for m in range(8)] == [
                            time > 0 for time in times]
                    await ctx.tick()
                    if not gap:
                        break

    simulate(dut, bench)
