# SPDX-License-Identifier: Apache-2.0
"""PFC in the RTL: timers, watchdog, and when the peer is asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gavel_model.loader import load_config
from gavel_model.register_map import Counter
from gavel_rtl.pause_receiver import PauseReceiver
from gavel_rtl.pause_sender import PauseSender

TINY = replace(load_config("tiny"), vcs=3)


@pytest.mark.parametrize("width", [64, 128, 256, 512])
def test_a_class_pauses_its_vc_for_its_time(simulate, width: int) -> None:
    dut = PauseReceiver(replace(TINY, data_width=width))
    quantum = 512 // width

    async def bench(ctx, sync) -> None:
        ctx.set(dut.settings.coming.pfc_receive, 0b011)
        for vc, classes in enumerate((0b0000_1001, 0b0000_0010, 0b1111_0100)):
            ctx.set(dut.classes[vc], classes)

        async def pause(enabled, *times):
            ctx.set(dut.pause.valid, 1)
            ctx.set(dut.pause.enabled, enabled)
            ctx.set(dut.pause.lasts, sum((time > 0) << n for n, time in enumerate(times)))
            await ctx.tick()
            ctx.set(dut.pause.valid, 0)
            for n, time in enumerate(times):
                ctx.set(dut.pause.times[n], time)

        await pause(0b111, 3, 1, 5, 9)
        paused = []
        for _ in range(5 * quantum):
            paused.append(ctx.get(dut.paused))
            await ctx.tick()
        # VC 2 does not listen, and class 3 was not enabled.
        assert paused == [3] * quantum + [1] * 2 * quantum + [0] * 2 * quantum
        await pause(0b1000, 0, 0, 0, 65535)
        assert ctx.get(dut.paused) == 1
        await ctx.tick()
        await pause(0b1001, 2, 0, 0, 0)
        # The time of one class is over at once, that of the other is not.
        for _ in range(2 * quantum):
            assert ctx.get(dut.paused) == 1
            await ctx.tick()
        assert ctx.get(dut.paused) == 0

    simulate(dut, bench)


def test_watchdog_stops_listening_for_a_while(simulate) -> None:
    dut = PauseReceiver(TINY)

    async def bench(ctx, sync) -> None:
        ctx.set(dut.settings.coming.pfc_receive, 0b111)
        ctx.set(dut.settings.watchdog, 4)
        ctx.set(dut.settings.coming.watchdog, 4)
        ctx.set(dut.settings.restore, 3)
        ctx.set(dut.classes[1], 1)
        ctx.set(dut.pause.valid, 1)
        ctx.set(dut.pause.enabled, 1)
        ctx.set(dut.pause.lasts, 1)
        ctx.set(dut.pause.times[0], 100)
        await ctx.tick()
        ctx.set(dut.pause.valid, 0)
        paused, bites = [], []
        for cycle in range(16):
            paused.append(ctx.get(dut.paused) >> 1)
            if ctx.get(dut.count) >> Counter.PFC_WATCHDOG & 1:
                bites.append(cycle)
            await ctx.tick()
        assert paused == [1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 1, 1]
        assert bites == [3, 10]
        # With 0 the pause is only counted.
        ctx.set(dut.settings.restore, 0)
        for _ in range(10):
            assert ctx.get(dut.paused) >> 1 == 1
            await ctx.tick()

    simulate(dut, bench)


@pytest.mark.parametrize(("width", "time", "half"), [(64, 3, 12), (128, 3, 6), (256, 3, 3),
                                                      (512, 7, 3), (512, 6, 3)])
def test_the_peer_is_asked_again_in_time(simulate, width: int, time: int, half: int) -> None:
    dut = PauseSender(replace(TINY, data_width=width))

    async def bench(ctx, sync) -> None:
        settings = dut.settings
        ctx.set(settings.pfc_transmit, 0b011)
        ctx.set(settings.xoff, 10)
        ctx.set(settings.xon, 4)
        ctx.set(settings.pfc_time, time)
        ctx.set(dut.vc_cells[0], 9)
        ctx.set(dut.vc_cells[2], 20)
        await ctx.tick()
        assert (ctx.get(dut.xoff), ctx.get(dut.wanted)) == (0, 0)
        ctx.set(dut.vc_cells[0], 10)
        await ctx.tick()
        assert (ctx.get(dut.xoff), ctx.get(dut.wanted)) == (1, 1)
        # A change in the cycle of taking is told by a further frame.
        ctx.set(dut.vc_cells[1], 11)
        ctx.set(dut.taken, 1)
        await ctx.tick()
        assert ctx.get(dut.xoff) == 3
        ctx.set(dut.taken, 0)
        ctx.set(dut.vc_cells[1], 5)
        await ctx.tick()
        assert (ctx.get(dut.xoff), ctx.get(dut.wanted)) == (3, 1)
        ctx.set(dut.taken, 1)
        await ctx.tick()
        ctx.set(dut.taken, 0)
        # In the cycle behind it ``wanted`` means nothing.
        await ctx.tick()
        for _ in range(half):
            assert ctx.get(dut.wanted) == 0
            await ctx.tick()
        assert (ctx.get(dut.xoff), ctx.get(dut.wanted)) == (3, 1)
        ctx.set(dut.taken, 1)
        await ctx.tick()
        ctx.set(dut.taken, 0)
        ctx.set(dut.vc_cells[1], 4)
        await ctx.tick()
        assert (ctx.get(dut.xoff), ctx.get(dut.wanted)) == (1, 1)
        ctx.set(settings.pfc_transmit, 0)
        await ctx.tick()
        assert ctx.get(dut.xoff) == 0

    simulate(dut, bench)
