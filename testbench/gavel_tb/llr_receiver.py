# SPDX-License-Identifier: Apache-2.0
"""Bench of LlrReceiver: RTL against the model, frames and ordered sets at random."""

from __future__ import annotations

import random
from collections import Counter as Tally
from typing import Any

from gavel_model.config import MIN_FRAME_BYTES, SwitchConfig
from gavel_model.counters import Counters
from gavel_model.llr_receiver import LlrReceiver as Model
from gavel_model.llr_receiver import ReceiverState
from gavel_model.ordered_set import DATA_BITS, Kind, OrderedSet
from gavel_model.pins import SEQ_BITS
from gavel_model.received_frame import Fcs, ReceivedFrame
from gavel_model.register_map import COUNTERS, Counter, LlrControl, Port
from gavel_rtl.interfaces import Reason
from gavel_rtl.llr_receiver import LlrReceiver
from gavel_tb.block_sim import drive, expect, number, run_block
from gavel_tb.llr_stimulus import RandomSettings, drive_control, small_config
from gavel_tb.stimulus import CheckError, derived_random

_PHASE = 100
_SENT = {Kind.ACK: "ack", Kind.NACK: "nack", Kind.INIT_ECHO: "echo"}
_LONGEST = 128


def check(config: SwitchConfig, seed: int, cycles: int = 6000) -> None:
    """Frames with numbers near the expected one, of every class, with INIT sets between them.

    Raises
    ------
    CheckError
        At the first difference, or if a state or a counter was not reached.
    """
    config = small_config(config, longest=_LONGEST)
    rng = derived_random(seed, "llr_receiver")
    settings, counters = RandomSettings(config, rng), Counters()
    model = Model(config, settings.model, counters)
    block = LlrReceiver(config)
    seen: Tally[object] = Tally()
    settings.write(Port.LLR_CONTROL, 1 << LlrControl.LOCAL)

    async def bench(ctx: Any) -> None:
        bad = sent_share = changes = 0.0
        frame: ReceivedFrame | None = None
        coming: OrderedSet | None = None
        sent: Kind | None = None
        for cycle in range(cycles):
            if cycle % _PHASE == 0:
                bad, sent_share = rng.choice((0.0, 0.2, 0.7)), rng.choice((0.1, 0.7))
                changes = rng.choice((0.0, 0.0, 0.1))
            where = f"cycle {cycle}"
            settings.drive(ctx, block.settings)
            expect(f"{where}: probe", ctx.get(block.probe), model.state | model.next_rx << 2)
            expect(f"{where}: state", number(ctx, block.state), int(model.state))
            _expect_requests(
                ctx, where, block, model, local=settings.model.local,
                cleared=bool(config.control_stages) and sent is not Kind.INIT_ECHO)
            seen[model.state] += 1
            before = list(counters.values)

            sent = _choose_sent(rng, model) if rng.random() < sent_share else None
            drive(ctx, block.sent, {name: int(sent is kind) for kind, name in _SENT.items()})
            _drive_frame(ctx, block, frame, config, rng)
            item: OrderedSet | None = coming
            coming = None
            if rng.random() < (0.05 if model.state else 0.3):
                coming = OrderedSet(Kind.INIT, rng.randrange(1 << config.seq_bits),
                                    rng.getrandbits(DATA_BITS))
            drive_control(ctx, block.control, item, 0, coming)

            model.begin(sent)
            if frame is not None:
                model.receive(frame)
                expect(f"{where}: reason", number(ctx, block.o_verdict.reason), frame.reason)
                expect(f"{where}: length", ctx.get(block.o_verdict.length), frame.length)
                if not frame.reason:
                    expect(f"{where}: poisoned", ctx.get(block.o_verdict.poisoned),
                           int(frame.poisoned))
                seen["poisoned frame forwarded"] += frame.poisoned and not frame.reason
                seen[Reason(frame.reason)] += 1
            if item is not None:
                model.initialise(item)
            events = ctx.get(block.count)
            expect(f"{where}: events",
                   [Counter(n).name for n in range(COUNTERS) if events >> n & 1],
                   [Counter(n).name for n in range(COUNTERS) if counters[n] != before[n]])
            if rng.random() < changes:
                settings.change()
            settings.drive_coming(ctx, block.settings)
            # The number of a frame comes a cycle before its end.
            frame = _frame(config, rng, model, bad) if rng.random() < 0.5 else None
            seq = rng.getrandbits(config.seq_bits) if frame is None else frame.seq
            ctx.set(block.end.seq_coming, seq & (1 << config.seq_bits) - 1)
            await ctx.tick()

    run_block(block, bench)
    wanted = [*ReceiverState, Reason.RX_LLR, Reason.RX_POISONED, "poisoned frame forwarded"]
    missing = [str(what) for what in wanted if not seen[what]]
    missing += [Counter(n).name for n in range(Counter.LLR_RX_OK, Counter.LLR_RX_REPLAY + 1)
                if not counters[n]]
    if missing:
        raise CheckError(f"never seen: {', '.join(missing)}")


def _choose_sent(rng: random.Random, model: Model) -> Kind | None:
    """One of the sets that are asked for."""
    wanted = [kind for kind, asked in ((Kind.ACK, model.ack_request),
                                       (Kind.NACK, model.nack_request),
                                       (Kind.INIT_ECHO, model.echo_request)) if asked]
    return rng.choice(wanted) if wanted else None


def _frame(config: SwitchConfig, rng: random.Random, model: Model, bad: float) -> ReceivedFrame:
    """A frame that has ended, with what LinkRx found of it."""
    length = rng.randint(MIN_FRAME_BYTES, config.max_frame_bytes)
    frame = ReceivedFrame([], b"", length, 0)
    frame.llr = int(rng.random() < 0.9)
    distance = rng.choice((0, 0, 0, 0, 1, -1, rng.randrange(-20, 20)))
    frame.seq = model.next_rx + distance & (1 << config.seq_bits) - 1
    if rng.random() < bad / 4:
        frame.seq = rng.getrandbits(SEQ_BITS)
    frame.fcs = Fcs.GOOD
    if rng.random() < bad:
        frame.fcs = rng.choice((Fcs.POISONED, Fcs.POISONED, Fcs.BAD))
        frame.error = rng.random() < 0.2
    others = [Counter.RX_UNDERSIZE, Counter.RX_OVERSIZE]
    if frame.error:
        frame.reason = Counter.RX_ERR
    elif rng.random() < 0.1:
        frame.reason = rng.choice(others)
    elif frame.fcs is not Fcs.GOOD:
        frame.reason = Counter.RX_FCS
    return frame


def _drive_frame(ctx: Any, block: LlrReceiver, frame: ReceivedFrame | None,
                 config: SwitchConfig, rng: random.Random) -> None:
    if frame is None:
        drive(ctx, block.end, {
            "eligible": 0, "poisoned": rng.getrandbits(1), "bad": rng.getrandbits(1)})
        return
    bad = frame.error or frame.fcs is Fcs.BAD or frame.seq >> config.seq_bits > 0
    drive(ctx, block.end, {
        "eligible": frame.llr,
        "poisoned": int(frame.fcs is Fcs.POISONED and not bad), "bad": int(bad)})
    ctx.set(block.i_verdict.reason, Reason(int(frame.reason)))
    ctx.set(block.i_verdict.length, frame.length)


def _expect_requests(ctx: Any, where: str, block: LlrReceiver, model: Model, *,
                     local: bool, cleared: bool) -> None:
    """``cleared``: with `control_stages` what an ECHO says is 0 without one, but behind one."""
    requests = block.requests
    wanted = {"ack": int(model.ack_request), "nack": int(model.nack_request),
              "echo": int(model.echo_request)}
    got = {name: ctx.get(getattr(requests, name)) for name in wanted}
    expect(f"{where}: requests", got, wanted)
    if local:
        expect(f"{where}: ack_seq", ctx.get(requests.ack_seq), model.ack_seq)
    if model.echo_request or cleared:
        expect(f"{where}: echo", (ctx.get(requests.echo_seq), ctx.get(requests.echo_data)),
               (model.echo_seq, model.echo_data) if model.echo_request else (0, 0))
