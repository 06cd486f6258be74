# SPDX-License-Identifier: Apache-2.0
"""IngressBuffer, cycle by cycle, against queues of Python objects written from the spec."""

from __future__ import annotations

import random

import pytest
from tests.rtl.voq_queues import Open, Queues, Source, Word

from gavel_model.config import SwitchConfig
from gavel_model.register_map import Counter
from gavel_rtl.ingress_buffer import IngressBuffer
from gavel_rtl.interfaces import Reason


def config_of(**changes: int) -> SwitchConfig:
    values = {
        "ports": 3, "data_width": 64, "vcs": 3, "buffer_cells": 16, "max_frame_bytes": 384,
        "replay_frames": 8, "islip_iterations": 1, **changes,
    }
    values.setdefault("replay_cells", 5 * -(-values["max_frame_bytes"] // 64))
    return SwitchConfig(**values)  # type: ignore[arg-type]  # SwitchConfig checks


def drive(ctx, dut, word: Word, threshold: int, match: tuple[int, int] | None,
          limits: list[int], lossless: int = 0, before: tuple[int, int] | None = None) -> None:
    """One cycle; ``match`` and ``before``: output and VC of the match in it, and of the last one.
    """
    for name in ("valid", "sop", "eop", "abort", "data"):
        ctx.set(getattr(dut.word, name), getattr(word, name))
    ctx.set(dut.empty, word.empty)
    ctx.set(dut.verdict.reason, word.verdict)
    ctx.set(dut.verdict.length, word.length)
    ctx.set(dut.verdict.poisoned, word.poisoned)
    ctx.set(dut.fields.reason, word.fields)
    ctx.set(dut.fields.vc, word.vc)
    ctx.set(dut.fields.profile, word.profile)
    ctx.set(dut.route.hit, word.hit)
    ctx.set(dut.route.port, word.port)
    ctx.set(dut.ecn_threshold, threshold)
    ctx.set(dut.lossless, lossless)
    for limit, value in zip(dut.vc_limit, limits, strict=True):
        ctx.set(limit, value)
    ctx.set(dut.match.valid, match is not None)
    ctx.set(dut.match.output, 0 if match is None else 1 << match[0])
    ctx.set(dut.match.vc, 0 if before is None else 1 << before[1])
    vcs, every = len(dut.match.vc), (1 << len(dut.match.vc_if_output)) - 1
    # Of other outputs it means nothing.
    others = every if before is None else every & ~(((1 << vcs) - 1) << before[0] * vcs)
    ctx.set(dut.match.vc_if_output,
            others | (0 if before is None else 1 << before[0] * vcs + before[1]))


SHAPES = {
    "w64": {"data_width": 64},
    "w128": {"data_width": 128},
    "w256": {"data_width": 256, "buffer_cells": 19},
    "w256_five_vcs": {"data_width": 256, "vcs": 5, "ports": 5, "max_frame_bytes": 300},
    "w512": {"data_width": 512, "buffer_cells": 21},
    "w64_one_vc": {"data_width": 64, "vcs": 1, "ports": 2, "max_frame_bytes": 100},
    "w512_one_vc": {"data_width": 512, "vcs": 1, "ports": 2, "max_frame_bytes": 1000},
    "w512_shortest": {"data_width": 512, "vcs": 4, "ports": 5, "max_frame_bytes": 64},
    "w128_read_later": {"data_width": 128, "read_stages": 2},
    "w512_read_later": {"data_width": 512, "buffer_cells": 21, "read_stages": 1},
}


ONE_VOQ = {"w64_one_vc", "w128_read_later", "w256", "w512_one_vc", "w512_read_later"}
"""Shapes whose frames are all of one VOQ in the short run; those of the others are of any. Each
width has both."""


@pytest.mark.parametrize(("shape", "narrow"), [
    pytest.param(shape, narrow, id=f"{shape}-{'one_voq' if narrow else 'spread'}",
                 marks=[] if narrow == (shape in ONE_VOQ) else [pytest.mark.long])
    for shape in SHAPES for narrow in (False, True)])
def test_every_cycle_as_the_queues_say(simulate, shape: str, narrow: bool) -> None:
    config = config_of(**SHAPES[shape])
    dut = IngressBuffer(config)
    rng = random.Random(f"{shape} {narrow}")
    phase = 60 + 20 * config.words_per_cell
    cycles = 24 * phase

    async def bench(ctx, sync) -> None:
        queues = Queues(config)
        source = Source(config, rng, narrow=narrow)
        seen = queues.seen
        gap = bad = lazy = 0.0
        threshold = 65535
        limits = [config.buffer_cells] * config.vcs
        lossless = 0
        before, told, freed_length = None, 0, 0
        for cycle in range(cycles):
            if cycle % phase == 0:
                gap, bad = rng.choice([0.0, 0.3]), rng.choice([0.0, 0.2, 0.5])
                lazy = rng.choice([0.0, 0.3, 0.99, 0.99])
            if rng.random() < 0.02:
                threshold = rng.choice([0, 1, 2, 3, 5, 9, 65535])
            if rng.random() < 0.02:
                # Mostly as after reset, so that the buffer can fill, too.
                limits[rng.randrange(config.vcs)] = rng.choice(
                    [0, 1, 4, 8, *[config.buffer_cells] * 4, (1 << 17) - 1])
                lossless = rng.getrandbits(config.vcs)
            if cycle in (cycles // 3, cycles // 2):
                ctx.set(sync.rst, 1)
                drive(ctx, dut, source.next(gap, bad), threshold, None, limits, lossless)
                await ctx.tick()
                ctx.set(sync.rst, 0)
                queues = Queues(config)
                queues.seen = seen
                source = Source(config, rng, narrow=narrow)
                before, told = None, 0
            word = source.next(gap, bad)
            frames_seen = queues.voq_frames()
            ready = [n for n, queue in enumerate(queues.voqs) if queue]
            free_seen = queues.free
            out_seen = queues.outs.popleft()
            cells_seen = list(queues.vc_cells)
            counted_seen, queues.counted = queues.counted, None
            freed_seen = queues.freed
            done, out, freed = queues.read(threshold)
            queues.outs.append(out)
            match = None
            if (queues.transfer is None or done) and ready and rng.random() >= lazy:
                voq = rng.choice(ready)
                match = divmod(voq, config.vcs)
                seen["same voq at once"] += before == match
            reason, filed_bytes = queues.write(word)
            drive(ctx, dut, word, threshold, match, limits, lossless, before)

            at = f"cycle {cycle}"
            assert ctx.get(dut.free_cells) == free_seen, at
            assert ctx.get(dut.voq_frames) == frames_seen, at
            # One that has just lost its last frame may still be shown, and be so to no effect.
            may_show = 0
            if before is not None and config.words_per_cell > 1:
                may_show = 1 << before[0] * config.vcs + before[1]
            assert ctx.get(dut.voq_ready) | may_show == sum(1 << n for n in ready) | may_show, at
            ends = ctx.get(dut.ends)
            assert (ends if config.words_per_cell == 1 else told) == done, at
            told = ends
            assert ctx.get(dut.connect) == out_seen.get("connect", 0), at
            for name in ("valid", "sop", "eop", "next_eop", *out_seen.keys() - {"connect"}):
                value = ctx.get(getattr(dut.out_word, name))
                assert value == out_seen.get(name, 0), f"{at}: {name}"
            counted = word.abort << Counter.RX_FRAGMENT
            if reason is not None:
                counted |= 1 << reason.value
                seen[reason.name] += 1
                if reason in (Reason.VC_LIMIT, Reason.NO_BUFFER) and lossless >> word.vc & 1:
                    counted |= 1 << Counter.RX_LOSSLESS_DROP
                    seen["lossless drop"] += 1
            assert ctx.get(dut.count) == counted, at
            assert reason is not Reason.FILED or ctx.get(dut.rx_bytes) == filed_bytes, at
            assert [ctx.get(cells) for cells in dut.vc_cells] == cells_seen, at
            assert ctx.get(dut.counted.valid) == (counted_seen is not None), at
            if counted_seen is not None:
                assert tuple(ctx.get(getattr(dut.counted, name))
                             for name in ("filed", "vc", "length")) == counted_seen, at
            assert ctx.get(dut.counted.vcs) == (
                counted_seen is not None and 1 << counted_seen[1]), at
            assert ctx.get(dut.freed.vcs) == (freed_seen is not None and 1 << freed_seen.vc), at
            if freed_seen is not None:
                assert freed_length == freed_seen.length, at

            queues.free += freed
            queues.account(limits, reason is Reason.FILED, word,
                           queues.transfer.frame if done and queues.transfer else None)
            if done:
                queues.transfer = None
                seen["sent"] += 1
            if match is not None:
                voq = match[0] * config.vcs + match[1]
                queues.transfer = Open(queues.voqs[voq].popleft(), match[0], voq)
            seen["abort and start"] += word.abort and word.valid
            before = match
            freed_length = ctx.get(dut.freed.length_coming)
            await ctx.tick()
        wanted = ["sent", "FILED", "NO_BUFFER", "FCS", "RX_LLR", "RX_POISONED", "marked",
                  "VC_LIMIT", "lossless drop", "counts, not filed"]
        if config.max_frame_words > 1:
            wanted.append("abort and start")
        if config.data_width == 512:
            wanted.append("same voq at once")
        assert all(seen[name] for name in wanted), seen

    simulate(dut, bench)


def test_single_word_frames_leave_one_voq_in_every_cycle(simulate) -> None:
    config = config_of(data_width=512)
    dut = IngressBuffer(config)

    async def bench(ctx, sync) -> None:
        sent = []
        for cycle in range(120):
            word = Word(valid=1, sop=1, eop=1, data=cycle + 1, hit=1, port=2, vc=1, length=64)
            match = (2, 1) if ctx.get(dut.voq_ready) else None
            assert (match is not None) == (cycle > 0)
            drive(ctx, dut, word, 65535, match, [config.buffer_cells] * config.vcs, before=(2, 1))
            if ctx.get(dut.out_word.valid):
                sent.append(ctx.get(dut.out_word.data))
            await ctx.tick()
        assert sent == list(range(1, 118))

    simulate(dut, bench)


def test_a_vc_takes_its_limit_and_what_ends_one_cycle_later(simulate) -> None:
    """A frame filed in w makes the VC full for frames that end in w+2 or later."""
    config = config_of(data_width=512, vcs=2)
    dut = IngressBuffer(config)

    async def bench(ctx, sync) -> None:
        took = []
        for _ in range(8):
            word = Word(valid=1, sop=1, eop=1, hit=1, vc=1, length=64)
            drive(ctx, dut, word, 65535, None, [0, 3], 0b10)
            took.append(ctx.get(dut.count))
            await ctx.tick()
        dropped = 1 << Counter.RX_VC_LIMIT | 1 << Counter.RX_LOSSLESS_DROP
        assert took == [1 << Counter.RX_FRAMES] * 4 + [dropped] * 4
        assert [ctx.get(cells) for cells in dut.vc_cells] == [0, 4]

    simulate(dut, bench)


def test_a_frame_that_lost_a_word_is_not_filed_in_silence(simulate) -> None:
    config = config_of(data_width=64)

    async def bench(ctx, sync) -> None:
        for n in range(9):
            word = Word(valid=1, sop=int(n == 0), eop=int(n == 8), hit=1, length=64)
            drive(ctx, dut, word, 65535, None, [16] * config.vcs)
            await ctx.tick()

    dut = IngressBuffer(config)
    with pytest.raises(AssertionError, match="a frame is filed without all of its words"):
        simulate(dut, bench)
