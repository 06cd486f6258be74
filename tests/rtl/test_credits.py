# SPDX-License-Identifier: Apache-2.0
"""Credits in the RTL: costs, both counters, the gate, and what CF_Update says."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.loader import load_config
from gavel_model.ordered_set import CF_BITS
from gavel_model.register_map import CREDIT_BITS, Counter
from gavel_rtl.credit_gate import CreditGate
from gavel_rtl.credit_receiver import CreditReceiver
from gavel_rtl.credit_reporter import CreditReporter
from gavel_rtl.credit_sender import CreditSender
from gavel_rtl.credits import cost, cost_bits, evenly_divided, oddly_divided
from gavel_rtl.flow_interfaces import CreditSize

TINY = replace(load_config("tiny"), vcs=3)


def expected_cost(length: int, exponent: int, overhead: int) -> int:
    size = 32 << exponent
    return -(-(length + overhead) // size)


class Cost(wiring.Component):
    """The formula by itself, in one step and in two."""

    def __init__(self, config: SwitchConfig) -> None:
        super().__init__({"length": In(config.length_bits), "size": In(CreditSize()),
                          "cost": Out(cost_bits(config)), "in_steps": Out(cost_bits(config))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        total = Signal(len(self.length) + 1)
        even, begun = evenly_divided(
            total, self.length, self.size.overhead, self.size.exponent)
        quotient, halves = Signal.like(even), Signal(len(self.cost) + 1)
        m.d.comb += [
            self.cost.eq(cost(self.length, self.size)),
            total.eq(self.length + self.size.overhead),
            quotient.eq(even),
            halves.eq(oddly_divided(quotient, begun, self.size.exponent[0])),
            self.in_steps.eq(halves[1:] + halves[0]),
        ]
        return m


def test_cost_of_every_size_and_overhead(simulate) -> None:
    dut = Cost(load_config("pod"))
    rng = random.Random(1)

    async def bench(ctx, sync) -> None:
        for exponent in range(7):
            for overhead in (-16, -4, -1, 0, 1, 20, 127):
                whole = (128 << exponent) - overhead
                for length in (64, 65, 68, 9216, whole, whole + 1, rng.randint(64, 9216)):
                    ctx.set(dut.length, length)
                    ctx.set(dut.size.exponent, exponent)
                    ctx.set(dut.size.overhead, overhead)
                    wanted = expected_cost(length, exponent, overhead)
                    assert (ctx.get(dut.cost), ctx.get(dut.in_steps)) == (wanted, wanted)

    simulate(dut, bench)


def events(ctx: Any, dut: Any) -> set[Counter]:
    count = ctx.get(dut.count)
    return {counter for counter in Counter if count >> counter & 1}


class Sender:
    """A CreditSender with native credits and VC 0 and 2 turned on."""

    def __init__(self, ctx: Any, dut: CreditSender) -> None:
        self.ctx, self.dut = ctx, dut
        ctx.set(dut.settings.sender, 0b101)
        ctx.set(dut.settings.resync, 1)
        ctx.set(dut.settings.sender_size.exponent, 1)
        for vc in range(3):
            ctx.set(dut.settings.limit[vc], 10)

    async def step(self, sent: tuple[int, int] | None = None, update: tuple[int, ...] | None = None,
                   established: int = 0) -> set[Counter]:
        ctx, dut = self.ctx, self.dut
        vc, length = sent or (0, 0)
        ctx.set(dut.sent, sent is not None)
        ctx.set(dut.sent_vc, vc)
        ctx.set(dut.sent_length, length)
        ctx.set(dut.established, established)
        ctx.set(dut.credits.valid, update is not None)
        for name, value in zip(("vc", "freed", "second_vc", "second_freed"),
                               update or (0, 0, 0, 0), strict=True):
            ctx.set(getattr(dut.credits, name), value)
        found = events(ctx, dut)
        await ctx.tick()
        return found

    def shows(self, vc: int) -> tuple[int, int, int]:
        ctx, dut = self.ctx, self.dut
        return (ctx.get(dut.consumed[vc]), ctx.get(dut.used[vc]), ctx.get(dut.waiting) >> vc & 1)


def test_sender_counts_what_is_sent_and_freed(simulate) -> None:
    dut = CreditSender(TINY)
    update, error = {Counter.CBFC_RX_CF_UPDATE}, {Counter.CBFC_RX_CF_ERROR}

    async def bench(ctx, sync) -> None:
        s = Sender(ctx, dut)
        await s.step(sent=(0, 65))
        await s.step(sent=(1, 256))
        await s.step(sent=(2, 256))
        assert [s.shows(vc) for vc in range(3)] == [(2, 2, 0), (0, 0, 0), (4, 4, 0)]
        # A frame and an update in one cycle; both entries.
        assert await s.step(sent=(0, 64), update=(2, 3, 0, 2)) == update
        assert [s.shows(vc) for vc in (0, 2)] == [(3, 1, 0), (4, 1, 0)]
        # More than was used; a VC that is off; one that there is not. The other entry counts.
        assert await s.step(update=(0, 4, 2, 4)) == update | error
        assert [s.shows(vc) for vc in (0, 2)] == [(3, 1, 0), (4, 0, 0)]
        assert await s.step(update=(1, 0, 0, 3)) == update | error
        assert s.shows(0) == (3, 0, 0)
        assert await s.step(update=(0, 3, 9, 0)) == update | error
        # The same VC twice: the first counts.
        await s.step(sent=(0, 128))
        assert await s.step(update=(0, 4, 0, 5)) == update
        assert s.shows(0) == (5, 1, 0)
        ctx.set(dut.settings.sender, 0b001)
        await s.step()
        assert s.shows(2) == (0, 0, 0)

    simulate(dut, bench)


def test_sender_resynchronises(simulate) -> None:
    dut = CreditSender(TINY)

    async def bench(ctx, sync) -> None:
        s = Sender(ctx, dut)
        for _ in range(6):
            await s.step(sent=(0, 256))
        assert not ctx.get(dut.cc_wanted)
        await s.step(established=1)
        assert ctx.get(dut.cc_wanted)
        assert s.shows(0) == (24, 24, 1)
        # The limit of 10 refuses a count that leaves more outstanding.
        assert Counter.CBFC_RX_CF_ERROR in await s.step(update=(0, 13, 0, 0))
        assert s.shows(0) == (24, 24, 1)
        # The peer has forgotten: its count is taken as it is, with the frame of the cycle on top.
        assert Counter.CBFC_RX_CF_ERROR not in await s.step(update=(0, 14, 0, 0), sent=(0, 64))
        assert s.shows(0) == (25, 11, 0)
        ctx.set(dut.cc_taken, 1)
        await s.step()
        ctx.set(dut.cc_taken, 0)
        # In the cycle behind it ``cc_wanted`` means nothing.
        await s.step()
        assert not ctx.get(dut.cc_wanted)

    simulate(dut, bench)


@pytest.mark.parametrize("late", [0, 1, 2])
def test_what_is_in_use_is_counted_in_all_bits(simulate, late: int) -> None:
    """A CF_Update and a frame in one cycle, with any counts."""
    config = replace(load_config("fpga"), gate_stages=late, match_stages=int(late > 1))
    dut, rng = CreditSender(config), random.Random(late)
    told, counts = 1 << CF_BITS, 1 << CREDIT_BITS
    limits = {"total_limit": dut.settings.total_limit, "limit": dut.settings.limit[0]}
    seen: set[tuple[bool, ...]] = set()

    async def bench(ctx, sync) -> None:
        ctx.set(dut.settings.sender, 1)
        for _ in range(700):
            consumed, waiting, total = (rng.randrange(counts), rng.random() < 0.4,
                                        rng.getrandbits(1))
            used = rng.choice((rng.randrange(told), rng.randrange(4) * told + rng.choice(
                (0, 1, told - 1, rng.randrange(told))), rng.randrange(counts // 2)))
            outstanding = rng.choice((used, used - rng.randrange(1, 40), used + 1,
                                      rng.randrange(told))) % told
            price = rng.choice((0, rng.randint(2, config.max_frame_bytes // 32)))
            for limit in limits.values():
                ctx.set(limit, max(0, outstanding + rng.choice((-1, 0, 1, told))))
            ctx.set(dut.settings.total, total)
            ctx.set(dut.consumed[0], consumed)
            ctx.set(dut.used[0], used)
            ctx.set(dut.waiting, int(waiting))
            for name, value in {"valid": 1, "vc": 0, "freed": (consumed - outstanding) % told,
                                "second_vc": 1, "second_freed": 0}.items():
                ctx.set(getattr(dut.credits, name), value)
            ctx.set(dut.sent_length, 32 * price)
            for cycle in range(late + 1):
                ctx.set(dut.sent, int(price > 0 and cycle == max(0, late - 1)))
                await ctx.tick()
                ctx.set(dut.credits.valid, 0)
            ctx.set(dut.sent, 0)
            newly = (used - outstanding) % told
            limit = ctx.get(limits["total_limit" if total else "limit"])
            fits = outstanding <= limit if waiting else newly <= used
            borrows, carries = outstanding > used % told, outstanding + price >= told
            seen.add((waiting, fits, borrows and fits, carries and fits))
            wanted = price + (used if not fits else outstanding if waiting else used - newly)
            assert (ctx.get(dut.consumed[0]), ctx.get(dut.used[0]), ctx.get(dut.waiting)) == (
                (consumed + price) % counts, wanted, waiting and not fits)

    simulate(dut, bench)
    assert len(seen) == 10


def test_sender_asks_for_cc_updates_in_time(simulate) -> None:
    dut = CreditSender(TINY)

    async def bench(ctx, sync) -> None:
        s = Sender(ctx, dut)
        period = dut.settings.cc_period, dut.settings.coming.cc_period
        for setting in period:
            ctx.set(setting, 5)
        wanted, taken = [], 0
        for cycle in range(20):
            # In the cycle behind one that was taken ``cc_wanted`` means nothing.
            taken = 0 if taken else ctx.get(dut.cc_wanted)
            if taken:
                wanted.append(cycle)
            ctx.set(dut.cc_taken, taken)
            await s.step()
        assert wanted == [5, 10, 15]
        ctx.set(dut.cc_taken, 0)
        for setting in period:
            ctx.set(setting, 1)
        await s.step()
        ctx.set(dut.settings.sender, 0)
        await s.step()
        assert not ctx.get(dut.cc_wanted)

    simulate(dut, bench)


@pytest.mark.parametrize(("width", "read"), [(64, 0), (128, 0), (256, 0), (512, 0), (256, 1),
                                             (512, 2)])
@pytest.mark.parametrize("total", [0, 1])
def test_gate_is_the_formula(simulate, width: int, read: int, total: int) -> None:
    config = replace(TINY, data_width=width, read_stages=read)
    dut = CreditGate(config)
    rng = random.Random(width + total)
    gap = max(1, 512 // width)

    async def bench(ctx, sync) -> None:
        ctx.set(dut.settings.total, total)
        past: list[dict[str, Any]] = []
        since_match = gap
        for cycle in range(400):
            if cycle % 20 == 0:
                exponent, overhead = rng.randrange(7), rng.randrange(-16, 128)
                ctx.set(dut.settings.sender_size.exponent, exponent)
                ctx.set(dut.settings.sender_size.overhead, overhead)
                limits = [rng.randrange(60) for _ in range(3)]
                total_limit = rng.randrange(90)
                sender = rng.getrandbits(3)
                ctx.set(dut.settings.total_limit, total_limit)
                ctx.set(dut.settings.sender, sender)
                for vc, limit in enumerate(limits):
                    ctx.set(dut.settings.limit[vc], limit)
            used = [rng.randrange(30) for _ in range(3)]
            for vc, value in enumerate(used):
                ctx.set(dut.used[vc], value)
            matched = 0
            since_match += 1
            if since_match >= gap and rng.random() < 0.7:
                matched, since_match = 1 << rng.randrange(3), 0
            ctx.set(dut.vc_before, past[-1]["matched"] if past else 0)
            longest = expected_cost(config.max_frame_bytes, exponent, overhead)
            if cycle >= 4 + read:
                before = past[-1]
                if total:
                    n = sum(bool(each["matched"] & each["sender"]) for each in past[-4 - read:])
                    whole = sum(value for vc, value in enumerate(before["used"])
                                if before["sender"] >> vc & 1)
                    fits = 7 * (whole + (n + 1) * before["longest"] <= before["total_limit"])
                else:
                    fits = 0
                    for vc in range(3):
                        n = sum(each["matched"] >> vc & 1 for each in past[-3 - read:])
                        room = before["limits"][vc] - (n + 1) * before["longest"]
                        fits |= (used[vc] <= room) << vc
                assert ctx.get(dut.fits) == fits, cycle
            past.append({"used": used, "matched": matched, "sender": sender, "limits": limits,
                         "longest": longest, "total_limit": total_limit})
            await ctx.tick()

    simulate(dut, bench)


def test_receiver_counts_what_came_and_what_is_free(simulate) -> None:
    dut = CreditReceiver(TINY)

    async def bench(ctx, sync) -> None:
        ctx.set(dut.settings.receiver, 0b011)
        ctx.set(dut.settings.coming.receiver_exponent, 1)

        async def step(counted=None, freed=None, cc=None):
            for interface, event in ((dut.counted, counted), (dut.freed, freed)):
                ctx.set(interface.vcs, 0)
                ctx.set(interface.length_coming, event[1] if event else 0)
            ctx.set(dut.cc_update, 0)
            await ctx.tick()
            for interface, event in ((dut.counted, counted), (dut.freed, freed)):
                ctx.set(interface.vcs, 1 << event[0] if event else 0)
            ctx.set(dut.counted.filed, counted[2] if counted else 0)
            ctx.set(dut.cc_update, cc is not None)
            for vc, value in enumerate(cc or (0, 0, 0)):
                ctx.set(dut.cc[vc], value)
            found = events(ctx, dut)
            await ctx.tick()
            return found

        def shows(vc):
            return ctx.get(dut.received[vc]), ctx.get(dut.stored[vc]), ctx.get(dut.released[vc])

        await step(counted=(0, 130, 1))
        await step(counted=(0, 64, 0))
        assert shows(0) == (4, 3, 1)
        await step(counted=(1, 64, 1), freed=(0, 130))
        assert [shows(0), shows(1)] == [(4, 0, 4), (1, 1, 0)]
        # Without a receiver only what is stored counts, as long as the buffer holds any.
        ctx.set(dut.vc_cells[2], 1)
        await step(counted=(2, 256, 1))
        assert shows(2)[:2] == (0, 4)
        ctx.set(dut.vc_cells[2], 0)
        await step()
        assert shows(2)[:2] == (0, 0)
        assert await step(cc=(4, 1, 9)) == set()
        assert await step(cc=(6, 1, 9)) == {Counter.CBFC_RX_RECOVERED}
        assert shows(0) == (6, 0, 6)
        assert await step(cc=(5, 2, 9)) == {Counter.CBFC_RX_RECOVERED, Counter.CBFC_RX_CC_ERROR}
        assert shows(0) == (5, 0, 5)
        assert shows(1) == (2, 1, 1)

    simulate(dut, bench)


@pytest.mark.parametrize("vcs", [1, 2, 3, 8])
def test_reporter_chooses_by_the_definition(simulate, vcs: int) -> None:
    dut = CreditReporter(replace(TINY, vcs=vcs))
    rng = random.Random(vcs)

    async def bench(ctx, sync) -> None:
        released, reported, due = [0] * vcs, [0] * vcs, [0] * vcs
        first = second = turn = pending = was_on = 0
        for cycle in range(600):
            receiver = rng.choice((0, rng.getrandbits(vcs), (1 << vcs) - 1))
            sent, update = rng.random() < 0.2, rng.random() < 0.1
            released = [value + rng.choice((0, 0, 0, 1, 2)) & 0x7FFF if cycle % 60 else
                        rng.getrandbits(15) for value in released]
            ctx.set(dut.receiver, receiver)
            ctx.set(dut.receives, receiver != 0)
            ctx.set(dut.sent, sent)
            ctx.set(dut.cc_update, update)
            for vc, value in enumerate(released):
                ctx.set(dut.released[vc], value)
            request = dut.request
            assert (ctx.get(request.enabled), ctx.get(request.pending), ctx.get(request.vc),
                    ctx.get(request.second_vc), ctx.get(request.freed),
                    ctx.get(request.second_freed)) == (
                        receiver != 0 and was_on, pending, first, second, released[first],
                        released[second]), cycle
            keys = {vc: (-(2 * ((released[vc] - reported[vc]) & 0x7FFF) + due[vc]),
                         (vc - turn) % vcs) for vc in range(vcs) if receiver >> vc & 1}
            ranked = sorted(keys, key=keys.__getitem__)
            for vc in range(vcs):
                if not receiver >> vc & 1:
                    reported[vc] = due[vc] = 0
                    continue
                if sent and vc in (first, second):
                    reported[vc], due[vc] = released[vc], 0
                if update:
                    due[vc] = 1
            if sent:
                turn = (second + 1) % vcs
            first = ranked[0] if ranked else 0
            others = sorted((vc for vc in ranked if vc != first), key=lambda vc: (
                keys[vc][0] == 0, keys[vc][1]))
            second = others[0] if others else first
            was_on = receiver != 0
            pending = int(bool(ranked) and keys[first][0] < 0)
            await ctx.tick()

    simulate(dut, bench)
