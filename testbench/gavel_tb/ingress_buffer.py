# SPDX-License-Identifier: Apache-2.0
"""Bench of IngressBuffer: every good frame comes out of its queue in order and unchanged, every
bad one leaves nothing behind."""

from __future__ import annotations

from collections import deque
from typing import Any

from gavel_model.config import MIN_FRAME_BYTES, SwitchConfig
from gavel_model.register_map import Counter
from gavel_rtl.ingress_buffer import IngressBuffer
from gavel_rtl.interfaces import Reason
from gavel_tb.block_sim import NO_WORD, drive, expect, run_block, word_members
from gavel_tb.stimulus import CheckError, derived_random

_BAD_SHARE = 0.3
_PIPELINE = 4


class _Feeder:
    """Words of frames that fit into the buffer for sure, some of them refused at the end."""

    def __init__(self, config: SwitchConfig, seed: int) -> None:
        self.config = config
        self.rng = derived_random(seed, "ingress_buffer")
        self.words: deque[tuple[dict[str, int], dict[str, int]]] = deque()
        self.cells = 0
        self.queues: list[deque[tuple[list[int], int]]] = [deque() for _ in range(config.voqs)]
        self.good = 0

    def begin(self) -> None:
        config, rng = self.config, self.rng
        size = rng.randint(MIN_FRAME_BYTES, config.max_frame_bytes)
        cells = -(-size // config.cell_bytes)
        if self.cells + cells > config.buffer_cells:
            return
        words = word_members(rng.randbytes(size), config.word_bytes)
        good = rng.random() >= _BAD_SHARE
        voq = rng.randrange(config.voqs)
        for members in words:
            self.words.append((members, {}))
        verdict = {"good": int(good), "voq": voq, "size": size, "cells": cells,
                   "poisoned": rng.getrandbits(1)}
        self.words[-1] = (words[-1], verdict)
        self.cells += cells

    def ended(self, verdict: dict[str, int], data: list[int]) -> None:
        if verdict["good"]:
            self.good += 1
            self.queues[verdict["voq"]].append((data, verdict["poisoned"]))
        else:
            self.cells -= verdict["cells"]


def check(config: SwitchConfig, seed: int, cycles: int = 1500) -> None:
    """Random frames in, random matches.

    Raises
    ------
    CheckError
        At the first word that is wrong, or if cells are missing at the end.
    """
    feeder = _Feeder(config, seed)
    rng = feeder.rng
    block = IngressBuffer(config)

    async def bench(ctx: Any) -> None:
        ctx.set(block.ecn_threshold, 0xFFFF)
        open_words: deque[tuple[int, int, int, int]] = deque()
        data: list[int] = []
        filed = 0
        quiet = 0
        cycle = 0
        transfer: list[int] = []
        output = poisoned_frame = 0
        while cycle < cycles or quiet < _PIPELINE + config.max_frame_words:
            if not feeder.words and cycle < cycles and rng.random() < 0.7:
                feeder.begin()
            members: dict[str, int] = dict(NO_WORD)
            verdict: dict[str, int] = {}
            if feeder.words and rng.random() < 0.9:
                members, verdict = feeder.words.popleft()
                data = [members["data"]] if members["sop"] else [*data, members["data"]]
            drive(ctx, block.word, {**members, "abort": 0})
            if verdict:
                reason = Reason.FILED if verdict["good"] else Reason.FCS
                drive(ctx, block.verdict,
                      {"length": verdict["size"], "poisoned": verdict["poisoned"]})
                ctx.set(block.verdict.reason, reason)
                ctx.set(block.empty, -verdict["size"] % config.word_bytes)
                target, vc = divmod(verdict["voq"], config.vcs)
                drive(ctx, block.fields, {"vc": vc, "profile": 0})
                drive(ctx, block.route, {"hit": 1, "port": target})
            # What was read in the last cycle is on its way now.
            if open_words:
                target, word, last, poisoned = open_words.popleft()
                expect(f"cycle {cycle}: connect", ctx.get(block.connect), 1 << target)
                expect(f"cycle {cycle}: data", ctx.get(block.out_word.data), word)
                expect(f"cycle {cycle}: eop", ctx.get(block.out_word.eop), last)
                expect(f"cycle {cycle}: poisoned", ctx.get(block.out_word.poisoned), poisoned)
            else:
                expect(f"cycle {cycle}: connect", ctx.get(block.connect), 0)
            done = 0
            if transfer:
                word = transfer.pop(0)
                done = int(not transfer)
                open_words.append((output, word, done, poisoned_frame))
            expect(f"cycle {cycle}: done", ctx.get(block.done), done)
            ready = [n for n in range(config.voqs) if ctx.get(block.voq_ready) >> n & 1]
            expect(f"cycle {cycle}: voq_ready", ready,
                   [n for n, queue in enumerate(feeder.queues) if queue])
            matched = bool(ready) and not transfer and rng.random() < 0.8
            if matched:
                voq = rng.choice(ready)
                output, vc = divmod(voq, config.vcs)
                transfer, poisoned_frame = feeder.queues[voq].popleft()
                feeder.cells -= -(-len(transfer) // config.words_per_cell)
                drive(ctx, block.match, {"valid": 1, "output": 1 << output, "vc": 1 << vc})
            else:
                drive(ctx, block.match, {"valid": 0, "output": 0, "vc": 0})
            filed += ctx.get(block.count) >> Counter.RX_FRAMES & 1
            if verdict:
                feeder.ended(verdict, data)
            idle = not (members["valid"] or transfer or ready or feeder.words)
            quiet = quiet + 1 if idle else 0
            cycle += 1
            await ctx.tick()
        expect("frames filed", filed, feeder.good)
        expect("free cells at the end", ctx.get(block.free_cells), config.buffer_cells)
        if not feeder.good:
            raise CheckError("no good frame went in")

    run_block(block, bench)
