# SPDX-License-Identifier: Apache-2.0
"""Bench of the crossings: frames and sets go out through one, back through the other, end to end.

There is no model to compare with: in which cycle something crosses depends on the phases of the
clocks.
"""

from __future__ import annotations

from random import Random
from typing import Any

from amaranth.hdl import ClockDomain, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from gavel_model.config import SwitchConfig
from gavel_model.top_options import TopOptions, xgmii_config
from gavel_rtl.axi_stream_port import AxiStreamPort
from gavel_rtl.block import connect, place
from gavel_rtl.interfaces import LINK_MEMBERS, RxLink, TxLink
from gavel_rtl.rx_crossing import RxCrossing
from gavel_rtl.tx_crossing import TxCrossing
from gavel_rtl.word_join import WordJoin
from gavel_rtl.word_split import WordSplit
from gavel_rtl.xgmii_port import XgmiiPort
from gavel_tb.block_sim import drive
from gavel_tb.crossing_traffic import Sink, Source, expect_some
from gavel_tb.stimulus import CheckError, derived_random

_PERIOD = 1e-8
_DRAIN = 200
_RESET_CYCLES = 3
_AFTERWARDS = 20
"""Frames sent when all resets are long over."""

_MOST_CYCLES = 20_000
_TOO_FAST = 0.8
"""Period of a port's clock, in periods of the core's, at which words must be lost."""


class Loop(wiring.Component):  # type: ignore[misc]  # Amaranth has no types
    """Both crossings and an adapter whose output is its input.

    Parameters
    ----------
    config
        With ``mac`` = ``preamble`` the adapter is that of XGMII, with `WordJoin` and `WordSplit` if
        it is wider, else of AXI4-Stream.

    Members
    -------
    tx, rx
        Pins on the side of the switch.
    torn
        A word of a frame was missing when it should have been sent; stays.
    lost
        The receive crossing was full; stays.

    Cycle behaviour
    ---------------
    That of its parts.
    """

    def __init__(self, config: SwitchConfig) -> None:
        self._config = config
        self.port_domain = ClockDomain("port")
        self.core_domain = ClockDomain("sync")
        super().__init__({"tx": In(TxLink(config)), "rx": Out(RxLink(config)),
                          "torn": Out(1), "lost": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """The parts, wired."""
        m = Module()
        m.domains += [self.port_domain, self.core_domain]
        config = self._config
        domains = {"rx": "port", "tx": "port"}
        slices = slices_of(config)
        out = place(m, "tx_crossing", TxCrossing(config, slices=slices), domains)
        back = place(m, "rx_crossing", RxCrossing(config, joined=slices > 1), domains)
        adapter: Any
        if config.mac == "preamble":
            adapter = place(m, "adapter", XgmiiPort(xgmii_config(config), crossing=True), domains)
            m.d.comb += [adapter.xgmii_rxd.eq(adapter.xgmii_txd),
                         adapter.xgmii_rxc.eq(adapter.xgmii_txc),
                         out.core_protect.eq(1), back.core_protect.eq(1),
                         adapter.tx_protect.eq(out.port_protect),
                         adapter.rx_protect.eq(back.port_protect)]
            with m.If(adapter.xgmii_aborted):
                m.d.port += self.torn.eq(1)
        else:
            adapter = place(m, "adapter", AxiStreamPort(config, strip=True, crossing=True),
                            domains)
            m.d.comb += [adapter.link_up.eq(1), adapter.m_axis_tready.eq(1)]
            m.d.comb += [getattr(adapter, f"s_axis_{name}").eq(getattr(adapter, f"m_axis_{name}"))
                         for name in ("tvalid", "tdata", "tkeep", "tlast", "tuser")]
            frame_open = Signal()
            m.d.port += frame_open.eq(adapter.m_axis_tvalid & ~adapter.m_axis_tlast)
            with m.If(frame_open & ~adapter.m_axis_tvalid):
                m.d.port += self.torn.eq(1)
        sent, received = [(self.tx, out.core)], [(adapter.rx, back.port)]
        if slices > 1:
            split = place(m, "word_split", WordSplit(config), {"sync": "port"})
            join = place(m, "word_join", WordJoin(config), {"sync": "port"})
            sent += [(out.port, split.i_link), (split.o_link, adapter.tx)]
            received = [(adapter.rx, join.i_link), (join.o_link, back.port)]
        else:
            sent.append((out.port, adapter.tx))
        for source, target in sent:
            connect(m, target, source, LINK_MEMBERS)
            m.d.comb += [getattr(source, name).eq(getattr(target, name))
                         for name in ("ready", "ctl_ready")]
        for source, target in received:
            connect(m, target, source)
        connect(m, self.rx, back.core)
        with m.If(back.overflow):
            m.d.port += self.lost.eq(1)
        return m


def slices_of(config: SwitchConfig) -> int:
    """N of docs/width.md; 1 for AXI4-Stream, which has words as wide as the switch."""
    return TopOptions(ports="xgmii" if config.mac == "preamble" else "axi_stream").slices(config)


def check(config: SwitchConfig, seed: int, ratio: float, frames: int = 40) -> None:
    """Everything comes back, in order.

    Parameters
    ----------
    ratio
        Period of the port's clock, in periods of the core's.

    Raises
    ------
    CheckError
        If it does not.
    """
    rng = derived_random(seed, f"crossing {config.mac} {ratio}")
    source, sink = Source(config, rng, frames), Sink(config)
    loop = Loop(config)

    async def bench(ctx: Any) -> None:
        rest = _DRAIN
        for _ in range(_MOST_CYCLES):
            await _cycle(ctx, loop, source, sink)
            rest = _DRAIN if source.left else rest - 1
            if ctx.get(loop.torn):
                raise CheckError("a frame was torn apart")
            if ctx.get(loop.lost):
                raise CheckError("a word or a set was lost")
            if not rest:
                return
        raise CheckError(f"{source.left} frames have not been taken")

    _simulate(loop, ratio, rng, bench)
    if sink.bad:
        raise CheckError(f"{sink.bad} frames have come back bad")
    if sink.good != source.sent:
        raise CheckError(f"{len(source.sent)} frames and sets were sent, and other {len(sink.good)}"
                         " have come back")


def check_reset(config: SwitchConfig, seed: int, domain: str, frames: int = 60) -> None:
    """One side is reset in traffic: nothing that comes back without ``err`` was not sent, order is
    kept, and afterwards everything comes back.

    Raises
    ------
    CheckError
        If it is not so.
    """
    rng = derived_random(seed, f"crossing reset {config.mac} {domain}")
    source, sink = Source(config, rng, frames), Sink(config)
    loop = Loop(config)
    counts: list[tuple[int, int]] = []

    async def bench(ctx: Any) -> None:
        reset = loop.port_domain.rst if domain == "port" else loop.core_domain.rst
        for _ in range(3):
            for _ in range(rng.randrange(100, 200)):
                await _cycle(ctx, loop, source, sink)
            ctx.set(reset, 1)
            for _ in range(_RESET_CYCLES):
                await _cycle(ctx, loop, source, sink)
                if domain == "sync":
                    source.forget()
            ctx.set(reset, 0)
        # A frame that lost its beginning in the reset has gone.
        source.left = 0
        for _ in range(_DRAIN):
            await _cycle(ctx, loop, source, sink)
        counts.append((len(source.sent), len(sink.good)))
        source.left = _AFTERWARDS
        while source.left:
            await _cycle(ctx, loop, source, sink)
        for _ in range(_DRAIN):
            await _cycle(ctx, loop, source, sink)

    _simulate(loop, 1.31 / slices_of(config), rng, bench)
    expect_some(sink.good, source.sent)
    (sent, good), = counts
    if len(sink.good) - good != len(source.sent) - sent:
        raise CheckError("something was lost long after the reset")


def check_overflow(config: SwitchConfig, seed: int, frames: int = 60) -> None:
    """A clock of the switch that is too slow: words are lost, and no frame is changed without a
    mark.

    Raises
    ------
    CheckError
        If one is, or if nothing was lost.
    """
    rng = derived_random(seed, f"crossing overflow {config.mac}")
    source, sink = Source(config, rng, frames), Sink(config)
    crossing = RxCrossing(config)
    m = Module()
    m.domains += [ClockDomain("port"), ClockDomain("sync")]
    place(m, "rx_crossing", crossing, {"rx": "port"})
    lost = 0

    async def send(ctx: Any) -> None:
        nonlocal lost
        while source.left:
            drive(ctx, crossing.port, source.pins())
            source.take(True, True)
            await ctx.tick("port")
            lost += ctx.get(crossing.overflow)
        drive(ctx, crossing.port, {"valid": 0, "ctl_valid": 0})
        await ctx.tick("port").repeat(_DRAIN)

    async def receive(ctx: Any) -> None:
        while True:
            sink.step(ctx, crossing.core)
            await ctx.tick("sync")

    simulator = Simulator(m)
    simulator.add_clock(_PERIOD, domain="sync")
    simulator.add_clock(_TOO_FAST * _PERIOD, domain="port")
    simulator.add_testbench(send)
    simulator.add_testbench(receive, background=True)
    simulator.run()
    expect_some(sink.good, source.sent)
    if not lost or not sink.bad or not any(kind == "frame" for kind, _ in sink.good):
        raise CheckError(f"{lost} words were lost, {sink.bad} frames were bad")


async def _cycle(ctx: Any, loop: Loop, source: Source, sink: Sink) -> None:
    drive(ctx, loop.tx, source.pins())
    sink.step(ctx, loop.rx)
    source.take(bool(ctx.get(loop.tx.ready)), bool(ctx.get(loop.tx.ctl_ready)))
    await ctx.tick("sync")


def _simulate(loop: Loop, ratio: float, rng: Random, bench: Any) -> None:
    simulator = Simulator(loop)
    simulator.add_clock(_PERIOD, domain="sync")
    simulator.add_clock(_PERIOD * ratio, phase=_PERIOD * rng.random(), domain="port")
    simulator.add_testbench(bench)
    simulator.run()
