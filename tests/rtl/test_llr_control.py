# SPDX-License-Identifier: Apache-2.0
"""Ordered sets, LlrReceiver and ControlTransmitter, step by step as the specification says."""

from __future__ import annotations

import random
from typing import Any

import pytest

from gavel_model.loader import load_config
from gavel_model.ordered_set import (
    WITH_DATA,
    CreditUpdate,
    Kind,
    OrderedSet,
    encode,
    encode_credits,
)
from gavel_model.register_map import Counter
from gavel_rtl.control_transmitter import ControlTransmitter
from gavel_rtl.interfaces import Reason
from gavel_rtl.llr_receiver import LlrReceiver, ReceiverState
from gavel_rtl.ordered_set import OrderedSetReader, OrderedSetWriter

MEMBERS = {Kind.ACK: "ack", Kind.NACK: "nack", Kind.INIT: "init", Kind.INIT_ECHO: "init_echo"}


def random_set(rng: random.Random, bits: int = 20) -> OrderedSet:
    kind = rng.choice(list(Kind))
    return OrderedSet(kind, rng.getrandbits(bits), rng.getrandbits(16) if kind in WITH_DATA else 0)


def test_sets_are_written_as_published(simulate) -> None:
    dut = OrderedSetWriter()
    rng = random.Random(1)

    async def bench(ctx, sync) -> None:
        for _ in range(300):
            item, protect = random_set(rng), rng.getrandbits(1)
            ctx.set(dut.kind, item.kind)
            ctx.set(dut.value, item.value)
            ctx.set(dut.data, item.data)
            ctx.set(dut.protect, protect)
            assert ctx.get(dut.ctl) == encode(item, bool(protect))

    simulate(dut, bench)


async def show(ctx: Any, dut: OrderedSetReader, rng: random.Random, ctl: int, protect: int,
               stages: int) -> tuple[int, int]:
    """Puts a set on the pins in t, and goes on to r = t + 2 + ``stages``; what ``coming_next`` was
    two cycles before, if there is a stage, and ``coming`` one."""
    coming_next = 0
    ctx.set(dut.present, 1)
    ctx.set(dut.ctl, ctl)
    for _ in range(1 + stages):
        coming_next = ctx.get(dut.received.coming_next)
        await ctx.tick()
        ctx.set(dut.present, 0)
        ctx.set(dut.ctl, rng.getrandbits(56))
        ctx.set(dut.coming_protect, not protect)
    coming = ctx.get(dut.received.coming)
    ctx.set(dut.coming_protect, protect)
    await ctx.tick()
    ctx.set(dut.coming_protect, not protect)
    return coming_next, coming


@pytest.mark.parametrize(("seq_bits", "stages"), [(20, 0), (5, 0), (5, 1)])
def test_a_set_is_read_in_r_and_no_flipped_bit_passes(simulate, seq_bits: int, stages: int) -> None:
    dut = OrderedSetReader(load_config("tiny", (f"seq_bits={seq_bits}",
                                                f"receive_stages={stages}")))
    rng = random.Random(seq_bits)

    async def bench(ctx, sync) -> None:
        for _ in range(400):
            protect = rng.getrandbits(1)
            item = random_set(rng, seq_bits)
            wanted = {"unknown": 0} | {name: int(item.kind is kind)
                                       for kind, name in MEMBERS.items()}
            ctl = encode(item, bool(protect))
            if seq_bits < 20 and rng.random() < 0.2:
                ctl = encode(item._replace(value=item.value | 1 << seq_bits), bool(protect))
                wanted = dict.fromkeys(wanted, 0) | {"unknown": 1}
            elif protect and rng.random() < 0.5:
                ctl ^= 1 << rng.randrange(56)
                wanted = dict.fromkeys(wanted, 0) | {"unknown": 1}
            else:
                wanted |= {"value": item.value, "data": item.data}
            coming_next, coming = await show(ctx, dut, rng, ctl, protect, stages)
            if "value" in wanted:
                assert coming == item.value
                if stages:
                    assert coming_next == item.value
            got = {name: ctx.get(getattr(dut.received, name)) for name in wanted}
            assert got == wanted

    simulate(dut, bench)


def random_credits(rng: random.Random, vcs: int = 8) -> CreditUpdate:
    return CreditUpdate(rng.randrange(vcs), rng.getrandbits(15), rng.randrange(vcs),
                        rng.getrandbits(15))


def test_credits_are_written_as_published(simulate) -> None:
    dut = OrderedSetWriter()
    rng = random.Random(2)

    async def bench(ctx, sync) -> None:
        ctx.set(dut.is_credits, 1)
        for _ in range(300):
            item, protect = random_credits(rng), rng.getrandbits(1)
            for name, value in item._asdict().items():
                ctx.set(getattr(dut.credits, name), value)
            ctx.set(dut.kind, rng.choice(list(Kind)))
            ctx.set(dut.protect, protect)
            assert ctx.get(dut.ctl) == encode_credits(item, bool(protect))

    simulate(dut, bench)


@pytest.mark.parametrize("stages", [0, 1])
def test_credits_are_read_in_r_and_no_flipped_bit_passes(simulate, stages: int) -> None:
    dut = OrderedSetReader(load_config("tiny", ("seq_bits=5", f"receive_stages={stages}")))
    rng = random.Random(3)

    async def bench(ctx, sync) -> None:
        for _ in range(400):
            protect = rng.getrandbits(1)
            item = random_credits(rng, 8 if protect else 32)
            ctl = encode_credits(item, bool(protect))
            flipped = rng.random() < 0.5
            if flipped:
                ctl ^= 1 << rng.choice((*range(8), *range(24, 28), *range(48, 52))
                                       if not protect else range(56))
            await show(ctx, dut, rng, ctl, protect, stages)
            assert ctx.get(dut.received.unknown) == flipped
            assert ctx.get(dut.credits.valid) == (not flipped)
            assert flipped or item == CreditUpdate(**{
                name: ctx.get(getattr(dut.credits, name)) for name in CreditUpdate._fields})

    simulate(dut, bench)


class Receiver:
    """One LlrReceiver with ``seq_bits`` = 4."""

    def __init__(self, ctx: Any, dut: LlrReceiver) -> None:
        self.ctx, self.dut = ctx, dut

    async def step(self, seq: int | None = None, found: str = "good", init: int | None = None,
                   sent: str = "") -> tuple[Reason, set[Counter]]:
        """A cycle with a frame, an INIT, a set sent, behind one in which the number comes: reason
        of the frame, and what was counted."""
        ctx, dut = self.ctx, self.dut
        ctx.set(dut.end.seq_coming, (seq or 0) & 15)
        ctx.set(dut.end.eligible, 0)
        ctx.set(dut.control.init, 0)
        ctx.set(dut.control.coming_init, init is not None)
        for name in ("ack", "nack", "echo"):
            ctx.set(getattr(dut.sent, name), 0)
        await ctx.tick()
        ctx.set(dut.end.eligible, seq is not None)
        ctx.set(dut.end.poisoned, found == "poisoned")
        ctx.set(dut.end.bad, found == "bad")
        ctx.set(dut.i_verdict.reason, Reason.FILED if found == "good" else Reason.FCS)
        ctx.set(dut.control.init, init is not None)
        ctx.set(dut.control.coming_init, 0)
        ctx.set(dut.control.value, init or 0)
        for name in ("ack", "nack", "echo"):
            ctx.set(getattr(dut.sent, name), name == sent)
        events = ctx.get(dut.count)
        reason = ctx.get(dut.o_verdict.reason)
        await ctx.tick()
        return reason, {counter for counter in Counter if events >> counter & 1}

    def shows(self, state: ReceiverState, next_rx: int, *requests: str) -> bool:
        ctx, dut = self.ctx, self.dut
        asked = [name for name in ("ack", "nack", "echo")
                 if ctx.get(getattr(dut.requests, name))]
        return (ctx.get(dut.state) == state and ctx.get(dut.probe) >> 2 == next_rx
                and asked == list(requests))


def test_receiver_by_hand(simulate) -> None:
    dut = LlrReceiver(load_config("tiny", ("seq_bits=4",)))
    off, acks, nack, nacked = ReceiverState
    filed, refused = Reason.FILED, Reason.RX_LLR

    async def bench(ctx, sync) -> None:
        r = Receiver(ctx, dut)
        # Off, frames pass and nothing counts.
        assert await r.step(seq=3, init=5) == (filed, set())
        assert r.shows(off, 0)
        ctx.set(dut.settings.local, 1)
        ctx.set(dut.settings.coming.local, 1)
        # No number is agreed on.
        assert await r.step(seq=0) == (refused, {Counter.LLR_RX_OK})
        assert await r.step(init=14) == (filed, {Counter.LLR_RX_INIT_CTL_OS})
        assert r.shows(acks, 14, "echo")
        assert await r.step(seq=14, sent="echo") == (
            filed, {Counter.LLR_RX_OK, Counter.LLR_RX_EXPECTED_SEQ_GOOD})
        assert r.shows(acks, 15, "ack")
        # A frame is missing; the one that was expected comes again, over the wrap.
        assert await r.step(seq=0, sent="ack") == (
            refused, {Counter.LLR_RX_OK, Counter.LLR_RX_MISSING_SEQ})
        assert r.shows(nack, 15, "nack")
        await r.step(sent="nack")
        assert r.shows(nacked, 15)
        assert await r.step(seq=15, found="bad") == (
            refused, {Counter.LLR_RX_BAD, Counter.LLR_RX_EXPECTED_SEQ_BAD})
        assert r.shows(nacked, 15)
        assert await r.step(seq=15) == (filed, {
            Counter.LLR_RX_OK, Counter.LLR_RX_EXPECTED_SEQ_GOOD, Counter.LLR_RX_REPLAY})
        assert r.shows(acks, 0, "ack")
        # Half of the numbers are behind.
        assert await r.step(seq=8, sent="ack") == (
            refused, {Counter.LLR_RX_OK, Counter.LLR_RX_DUPLICATE_SEQ})
        assert r.shows(acks, 0, "ack")
        # Poisoned: accepted in sequence, and dropped or not.
        poisoned = {Counter.LLR_RX_POISONED, Counter.LLR_RX_EXPECTED_SEQ_POISONED}
        assert await r.step(seq=0, found="poisoned") == (Reason.RX_POISONED, poisoned)
        ctx.set(dut.settings.forward_poisoned, 1)
        assert await r.step(seq=1, found="poisoned") == (filed, poisoned)
        # The frame comes before the INIT of its cycle.
        await r.step(seq=2, init=9)
        assert r.shows(acks, 9, "echo")

    simulate(dut, bench)


@pytest.mark.parametrize("stages", [0, 1])
def test_sets_keep_their_distance(simulate, stages: int) -> None:
    dut = ControlTransmitter(load_config("tiny", (f"control_stages={stages}",)))

    async def bench(ctx, sync) -> None:
        ctx.set(dut.free, 1)
        ctx.set(dut.settings.coming.min_spacing, 24)
        ctx.set(dut.settings.coming.spacing, 80)
        ctx.set(dut.receiver.ack, 1)
        loads: dict[str, list[int]] = {"ack": [], "init": [], "echo": []}
        for cycle in range(100):
            ctx.set(dut.init.request, cycle >= 40)
            ctx.set(dut.init.first, not loads["init"])
            ctx.set(dut.receiver.echo, cycle == 22)
            for name, cycles in loads.items():
                if ctx.get(getattr(dut.sent, name)):
                    cycles.append(cycle)
            await ctx.tick()
        # W = 64: 80 bytes are 10 cycles, and the count begins in the cycle after the loading.
        assert loads["ack"] == [0, 11, 26, 37, 48, 59, 70, 81, 92]
        assert loads["echo"] == [22]
        # After four spacings and, as the ACK of 81 came first, the least distance of 3 cycles.
        assert loads["init"] == [41, 85]

    simulate(dut, bench)


@pytest.mark.parametrize("stages", [0, 1])
def test_credits_share_with_acks(simulate, stages: int) -> None:
    dut = ControlTransmitter(load_config("tiny", (f"control_stages={stages}",)))

    async def bench(ctx, sync) -> None:
        ctx.set(dut.free, 1)
        ctx.set(dut.settings.coming.min_spacing, 8)
        ctx.set(dut.settings.coming.spacing, 48)
        ctx.set(dut.cf_min, 64)
        ctx.set(dut.cf_max, 160)
        ctx.set(dut.credits.enabled, 1)
        ctx.set(dut.receiver.ack, 1)
        acks, updates, nacks = [], [], []
        for cycle in range(80):
            ctx.set(dut.credits.pending, cycle < 40)
            ctx.set(dut.receiver.ack, cycle < 40)
            ctx.set(dut.receiver.nack, cycle == 20)
            for cycles, sent in ((acks, dut.sent.ack), (updates, dut.cf_sent),
                                 (nacks, dut.sent.nack)):
                if ctx.get(sent):
                    cycles.append(cycle)
            assert ctx.get(dut.load) == (cycle - stages in (*acks, *updates, *nacks))
            assert ctx.get(dut.count) >> Counter.CBFC_TX_CF_UPDATE & 1 == (cycle in updates)
            await ctx.tick()
        # W = 64: an ACK every 7 cycles, a CF_Update every 9, two cycles between any two sets. Both
        # are due in cycle 0, and then the one that was not sent last goes first.
        assert acks == [0, 7, 14, 27, 34]
        assert updates == [2, 11, 22, 31, 52, 73]
        assert nacks == [20]

    simulate(dut, bench)


def test_a_set_waits_in_the_stage_and_is_answered_once(simulate) -> None:
    dut = ControlTransmitter(load_config("tiny", ("control_stages=1",)))
    rng = random.Random(4)

    async def bench(ctx, sync) -> None:
        ctx.set(dut.settings.coming.min_spacing, 24)
        ctx.set(dut.settings.coming.spacing, 80)
        loaded, echoes, wanted = [], [], []
        for cycle in range(40):
            free = cycle in (5, *range(12, 40))
            item = OrderedSet(Kind.INIT_ECHO, rng.getrandbits(20), rng.getrandbits(16))
            ctx.set(dut.free, free)
            # The check is that of the cycle of loading.
            ctx.set(dut.settings.protect, free)
            ctx.set(dut.receiver.echo, cycle < 14)
            ctx.set(dut.receiver.echo_seq, item.value)
            ctx.set(dut.receiver.echo_data, item.data)
            if ctx.get(dut.sent.echo):
                echoes.append(cycle)
                wanted.append(encode(item, True))
            if ctx.get(dut.load) and free:
                loaded.append((cycle, ctx.get(dut.ctl)))
            assert ctx.get(dut.load) or not ctx.get(dut.ctl)
            await ctx.tick()
        # The first is loaded in 5: the next is chosen three cycles, 24 bytes, behind it.
        assert echoes == [0, 8]
        assert loaded == list(zip((5, 12), wanted, strict=True))

    simulate(dut, bench)
