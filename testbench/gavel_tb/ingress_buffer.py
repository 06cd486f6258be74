# SPDX-License-Identifier: Apache-2.0
"""Bench of IngressBuffer: RTL against the model, frames, matches and limits of VCs at random."""

from __future__ import annotations

import random
from collections import Counter as Tally
from collections import deque
from dataclasses import dataclass
from typing import Any

from gavel_model.config import MIN_FRAME_BYTES, SwitchConfig
from gavel_model.counters import Counters
from gavel_model.ingress_buffer import NEVER_MARK
from gavel_model.ingress_buffer import IngressBuffer as Model
from gavel_model.link_rx import ABORT, EOP, SOP, WORD
from gavel_model.outgoing_frame import OutgoingFrame, outgoing_words
from gavel_model.profiles import PROFILES
from gavel_model.received_frame import ReceivedFrame
from gavel_model.register_map import Counter
from gavel_rtl.ingress_buffer import IngressBuffer
from gavel_rtl.interfaces import Reason
from gavel_tb.block_sim import NO_WORD, drive, expect, run_block, word_members
from gavel_tb.flow_stimulus import Watched
from gavel_tb.stimulus import CheckError, derived_random

_PHASE = 100
_BAD_SHARE = 0.25
_ABORT_SHARE = 0.05
_EXTRA_WORDS = 2
_FILED = 0
_OF_LINK = (Counter.RX_FCS, Counter.RX_LLR, Counter.RX_POISONED)
_OF_PARSER = (Counter.RX_MAC_CONTROL, Counter.RX_HEADER, Counter.RX_TTL, Counter.RX_TTL)
_OURS = (Counter.RX_FRAMES, Counter.RX_NO_ROUTE, Counter.RX_NO_BUFFER, Counter.RX_VC_LIMIT,
         Counter.RX_FRAGMENT, Counter.RX_LOSSLESS_DROP)
_COUNTERS = frozenset({*_OF_LINK, *_OF_PARSER, *_OURS, Counter.RX_OVERSIZE})


@dataclass
class _Incoming:
    """A frame on its way in: what the other blocks found of it, and what the model gets."""

    link: int
    parser: int
    hit: bool
    frame: ReceivedFrame

    @property
    def counts(self) -> bool:
        """For its sender's credits."""
        return self.link == _FILED and self.parser in (_FILED, Counter.RX_TTL)


Word = tuple[dict[str, int], _Incoming | None]


def check(config: SwitchConfig, seed: int, cycles: int = 3000) -> None:
    """Cells, queues, words and counter events are those of the model in every cycle.

    Raises
    ------
    CheckError
        At the first difference, or if something was never seen.
    """
    rng = derived_random(seed, "ingress_buffer")
    counters = Counters()
    model, block = Model(config, 0, counters), IngressBuffer(config)
    watched = Watched(counters, _COUNTERS)
    seen: Tally[str] = Tally()

    async def bench(ctx: Any) -> None:
        words: deque[Word] = deque()
        order: deque[int] = deque()
        opened: tuple[int, ReceivedFrame] | None = None
        transfer: OutgoingFrame | None = None
        # Words read, until they leave.
        leaving: deque[dict[str, int] | None] = deque([None] * (1 + config.read_stages))
        counted: tuple[ReceivedFrame, bool] | None = None
        left: ReceivedFrame | None = None
        limits = [config.buffer_cells] * config.vcs
        in_frame = False
        load = reads = changes = 0.0
        told = left_length = 0
        filling = False
        position = 0
        for now in range(cycles):
            where = f"cycle {now}"
            if now % _PHASE == 0:
                # Now and then the buffer fills up.
                filling = now // _PHASE % 4 >= 2
                load, reads = rng.choice((0.3, 1.0)), rng.choice((0.05, 0.2, 1.0))
                changes = rng.choice((0.0, 0.1))
                if filling:
                    load, reads, changes = 1.0, 0.01, 0.0
            _drive_settings(ctx, block, model, limits)
            taken: int | None = None
            ctx.set(block.match.vc, 0 if opened is None else 1 << opened[1].vc)
            anything = rng.getrandbits(config.voqs)
            if opened is not None:
                # Of the other outputs it means nothing.
                anything &= ~(((1 << config.vcs) - 1) << opened[0] * config.vcs)
                anything |= 1 << opened[0] * config.vcs + opened[1].vc
            ctx.set(block.match.vc_if_output, anything)
            if opened is not None and config.queueing == "voq" and config.words_per_cell > 1:
                taken = opened[0] * config.vcs + opened[1].vc
            if config.queueing == "fifo":
                ready = list(order)[:1]
            else:
                ready = [n for n, frames in enumerate(model.voq_frames) if frames]
            _expect_state(ctx, where, block, model, ready, taken)
            _expect_accounts(ctx, where, block, counted, left, left_length)
            _expect_word(ctx, where, block, leaving.popleft())

            # The word of cycle w.
            if not words and rng.random() < load:
                words.extend(_frame(config, rng))
            members, incoming = dict(NO_WORD), None
            if words and rng.random() < 0.9:
                members, incoming = words.popleft()
            abort = in_frame and bool(members["sop"] or (
                not members["valid"] and rng.random() < _ABORT_SHARE))
            if abort and not members["sop"]:
                # What was to come of it does not.
                while words and not words[0][0]["sop"]:
                    words.popleft()
            drive(ctx, block.word, {**members, "abort": int(abort)})
            event = ABORT * abort | WORD * members["valid"] | SOP * members["sop"] \
                | EOP * members["eop"]
            if members["valid"] or abort:
                in_frame = bool(members["valid"] and not members["eop"])
            decided: deque[ReceivedFrame] = deque()
            if incoming is not None:
                _drive_verdict(ctx, config, block, incoming)
                decided.append(incoming.frame)
            ended = model.write(event, decided, now) if event else None
            counted_now = None
            if incoming is not None and incoming.counts:
                counted_now = incoming.frame, not incoming.frame.reason

            # A transfer.
            shown: dict[str, int] | None = None
            left_before, left = left, None
            if opened is not None:
                output, frame = opened
                mark = model.mark(frame)
                seen["marked"] += mark
                transfer = OutgoingFrame(
                    outgoing_words(frame.words, -frame.length % config.word_bytes), mark,
                    frame.poisoned, frame.vc, frame.length)
                model.open(output, frame, transfer)
                opened, position = None, 0
            if transfer is not None:
                model.read()
                shown = _switch_word(config, model, transfer, position)
                position += 1
                if model.done:
                    left, transfer = model.frame, None
            leaving.append(shown)
            ends = ctx.get(block.ends)
            expect(f"{where}: ends, a cycle earlier but with W = 512",
                   ends if config.words_per_cell == 1 else told, int(left is not None))
            told = ends
            if ready and transfer is None and rng.random() < reads:
                voq = rng.choice(ready)
                order.remove(voq)
                output = voq // config.vcs
                opened = output, model.take(voq)
                drive(ctx, block.match, {"valid": 1, "output": 1 << output})
            else:
                drive(ctx, block.match, {"valid": 0, "output": 0})

            watched.check(where, ctx.get(block.count))
            if ended is not None and not ended.reason:
                expect(f"{where}: rx_bytes", ctx.get(block.rx_bytes), ended.length)
            if left_before is not None:
                model.drained(left_before, now)
            if ended is not None and not ended.reason:
                model.file(ended, now)
                order.append(ended.output * config.vcs + ended.vc)
            counted = counted_now
            if now % _PHASE == 0 or rng.random() < changes:
                limits = [config.buffer_cells] * config.vcs if filling else _limits(config, rng)
                model.limit_vcs(limits, now)
                model.lossless = rng.getrandbits(config.vcs)
                model.ecn_threshold = rng.choice((NEVER_MARK, rng.randrange(8)))
            left_length = ctx.get(block.freed.length_coming)
            await ctx.tick()

    run_block(block, bench)
    missing = [counter.name for counter in _OURS if not counters[counter]]
    missing += [] if seen["marked"] else ["marked"]
    if missing:
        raise CheckError(f"never seen: {', '.join(missing)}")


def _limits(config: SwitchConfig, rng: random.Random) -> list[int]:
    most = config.buffer_cells
    return [rng.choice((most, rng.randrange(most), rng.randrange(8))) for _ in range(config.vcs)]


def _frame(config: SwitchConfig, rng: random.Random) -> list[Word]:
    """The words of a frame, the last with what was found of it; some frames lose their end, some
    are too long."""
    longest = rng.choice((MIN_FRAME_BYTES + 4, config.max_frame_bytes))
    size = rng.randint(MIN_FRAME_BYTES, longest)
    incoming = _Incoming(_FILED, _FILED, True, ReceivedFrame([], b"", size, 0))
    frame = incoming.frame
    if rng.random() < _BAD_SHARE:
        # One fault, or all at once.
        fault = rng.randrange(4)
        if fault in (0, 3):
            incoming.link = rng.choice(_OF_LINK)
        if fault in (1, 3):
            incoming.parser = rng.choice(_OF_PARSER)
        incoming.hit = fault in (0, 1)
        if rng.random() < 0.2:
            incoming.link = Counter.RX_OVERSIZE
            size = config.max_frame_words * config.word_bytes + rng.randint(
                1, _EXTRA_WORDS * config.word_bytes)
    words = word_members(rng.randbytes(size), config.word_bytes)
    frame.words = [members["data"] for members in words]
    frame.length = size
    # The length of an oversize frame stays where it says that.
    if incoming.link == Counter.RX_OVERSIZE:
        frame.length = min(size, config.max_frame_bytes + 1)
    frame.output, frame.vc = rng.randrange(config.ports), rng.randrange(config.vcs)
    frame.profile, frame.poisoned = rng.randrange(len(PROFILES)), rng.random() < 0.3
    frame.reason = incoming.link or incoming.parser
    if not frame.reason and not incoming.hit:
        frame.reason = Counter.RX_NO_ROUTE
    if rng.random() < _ABORT_SHARE:
        return [(members, None) for members in words[:-1]]
    return [*((members, None) for members in words[:-1]), (words[-1], incoming)]


def _drive_settings(ctx: Any, block: IngressBuffer, model: Model, limits: list[int]) -> None:
    for element, limit in zip(block.vc_limit, limits, strict=True):
        ctx.set(element, limit)
    drive(ctx, block, {"lossless": model.lossless, "ecn_threshold": model.ecn_threshold})


def _drive_verdict(ctx: Any, config: SwitchConfig, block: IngressBuffer,
                   incoming: _Incoming) -> None:
    frame = incoming.frame
    ctx.set(block.verdict.reason, Reason(incoming.link))
    drive(ctx, block.verdict, {"length": frame.length, "poisoned": int(frame.poisoned)})
    ctx.set(block.empty, -frame.length % config.word_bytes)
    ctx.set(block.fields.reason, Reason(incoming.parser))
    drive(ctx, block.fields, {"vc": frame.vc, "profile": frame.profile})
    drive(ctx, block.route, {"hit": int(incoming.hit), "port": frame.output})


def _expect_state(ctx: Any, where: str, block: IngressBuffer, model: Model,
                  ready: list[int], taken: int | None) -> None:
    expect(f"{where}: free_cells", ctx.get(block.free_cells), model.free)
    expect(f"{where}: voq_frames", hex(ctx.get(block.voq_frames)), hex(model.voq_frames_packed))
    expect(f"{where}: vc_cells", [ctx.get(cells) for cells in block.vc_cells], model.vc_cells)
    # One that has just lost its last frame may still be shown.
    may_show = 0 if taken is None else 1 << taken
    expect(f"{where}: voq_ready", bin(ctx.get(block.voq_ready) | may_show),
           bin(sum(1 << n for n in ready) | may_show))


def _expect_accounts(ctx: Any, where: str, block: IngressBuffer,
                     counted: tuple[ReceivedFrame, bool] | None,
                     left: ReceivedFrame | None, left_length: int) -> None:
    """Frames of the cycle before that count for credits, and what was the length of the one that
    left."""
    expect(f"{where}: counted", ctx.get(block.counted.valid), int(counted is not None))
    if counted is not None:
        frame, filed = counted
        wanted = {"filed": int(filed), "vc": frame.vc, "vcs": 1 << frame.vc,
                  "length": frame.length}
        expect(f"{where}: counted", {name: ctx.get(getattr(block.counted, name))
                                     for name in wanted}, wanted)
    else:
        expect(f"{where}: counted", ctx.get(block.counted.vcs), 0)
    expect(f"{where}: freed", ctx.get(block.freed.vcs), 0 if left is None else 1 << left.vc)
    if left is not None:
        expect(f"{where}: freed", left_length, left.length)


def _switch_word(config: SwitchConfig, model: Model, outgoing: OutgoingFrame,
                 position: int) -> dict[str, int]:
    """What leaves after it was read."""
    frame, last = model.frame, len(outgoing.words) - 1
    return {
        "connect": 1 << model.output, "valid": 1, "sop": int(not position),
        "eop": int(position == last), "next_eop": int(position + 1 == last),
        "empty": -frame.length % config.word_bytes, "profile": frame.profile,
        "mark": int(outgoing.marked), "poisoned": int(frame.poisoned), "vc": frame.vc,
        "length": frame.length, "data": outgoing.words[position].data,
    }


def _expect_word(ctx: Any, where: str, block: IngressBuffer, shown: dict[str, int] | None) -> None:
    wanted = shown or dict.fromkeys(("connect", "valid", "sop", "eop", "next_eop"), 0)
    got = {name: ctx.get(getattr(block.out_word, name)) for name in wanted if name != "connect"}
    expect(f"{where}: word", {"connect": ctx.get(block.connect), **got}, wanted)
