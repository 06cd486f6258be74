# SPDX-License-Identifier: Apache-2.0
"""Two switches with link-level retry, and the RTL of a crossing between them.

The switches are models; what the one sends to the other goes through adapter, crossings and, where
they are wide, `WordSplit` and `WordJoin`. The way back is a wire, and carries frames, too, so that
ordered sets of both kinds go through the crossings.
"""

from __future__ import annotations

from collections import deque
from random import Random
from typing import Any

from amaranth.sim import Simulator

from gavel_model.config import SwitchConfig
from gavel_model.frame import append_fcs
from gavel_model.loader import load_config
from gavel_model.pins import IDLE, NO_ACCESS, Inputs, RegisterPins, RxPins, TxPins
from gavel_model.profiles import PROFILE_NAMES, PROFILES
from gavel_model.register_map import Counter, Global
from gavel_model.switch import Switch
from gavel_tb.block_sim import drive
from gavel_tb.frames import FrameFactory, frame_words, plain_body
from gavel_tb.link_crossing import Loop
from gavel_tb.link_setup import port_writes, replay_timer, retry_writes
from gavel_tb.stimulus import CheckError, derived_random

_PERIOD = 1e-8
_LINK, _USER = 0, 1
"""Ports: the one with the link, and the one where frames come and go."""

_VALID_BIT = 31
_DELAY = 16
"""Cycles of either way, at most."""

_RESET_CYCLES = 12
_RESET_EVERY = 250
"""Cycles: long enough for a replay timer to run out between two."""

_MOST_CYCLES = 20_000


class End:
    """A switch, frames for the other end, and those that have come from there.

    Parameters
    ----------
    config
        With two ports.
    rng
        Decides the frames.
    frames
        How many it sends.
    far
        It is the other one, in which both IDs go to other ports.
    """

    def __init__(self, config: SwitchConfig, rng: Random, frames: int, *, far: bool) -> None:
        self.switch = Switch(config)
        self._lanes = config.word_bytes
        self._tables = config.table_init_cycles
        self._writes = deque(
            port_writes(_LINK, retry_writes(replay_timer(config, _DELAY), True)))
        if far:
            for identifier, port in ((_LINK, _USER), (_USER, _LINK)):
                self._writes += [RegisterPins(Global.ROUTE_INDEX, identifier, 1),
                                 RegisterPins(Global.ROUTE_DATA, 1 << _VALID_BIT | port, 1)]
        factory, profile = FrameFactory(config), PROFILE_NAMES.index(config.profile)
        self.wanted: list[bytes] = []
        self.got: list[bytes] = []
        self._words: deque[RxPins] = deque()
        for _ in range(frames):
            frame = factory.build(rng, _USER, profile,
                                  dst=factory.address(PROFILES[profile], far),
                                  size=rng.choice((64, 65, 96, 256)))
            self.wanted.append(append_fcs(plain_body(frame)))
            self._words += frame_words(config, frame.data)
            # A link has gaps and preambles, which these pins have not.
            self._words += [IDLE] * rng.choice((4, 8, 12))
        self._data = b""
        self._cycle = 0

    def step(self, link: RxPins, ready: bool, ctl_ready: bool) -> None:
        """A cycle with these pins at the link."""
        self._take(self.switch.tx[_USER])
        self._cycle += 1
        set_up = self._cycle > self._tables and self._writes
        write = self._writes.popleft() if set_up else NO_ACCESS
        word = self._words.popleft() if self._words and not self._writes else IDLE
        self.switch.step(Inputs(rx=(link, word), ready=ready | 2, ctl_ready=ctl_ready | 2,
                                register=write))

    def _take(self, pins: TxPins) -> None:
        if pins.valid:
            self._data += pins.data.to_bytes(self._lanes, "little")[:self._lanes - pins.empty]
            if pins.eop:
                self.got.append(self._data)
                self._data = b""


def check(config: SwitchConfig, seed: int, ratio: float, *, frames: int = 100,
          resets: bool = False) -> None:
    """Every frame arrives once and in order, in both directions.

    Parameters
    ----------
    config
        W. Both switches have two ports, and buffers that hold what waits for a replay.
    ratio
        Period of the port's clock, in periods of the core's.
    resets
        The side of the port is reset in traffic, which the retry repairs.

    Raises
    ------
    CheckError
        If one does not.
    """
    rng = derived_random(seed, f"retry crossing {config.data_width} {ratio} {resets}")
    config = load_config("tiny", (f"data_width={config.data_width}", "ports=2",
                                  "buffer_cells=256", "replay_cells=256"))
    near, far = (End(config, rng, frames, far=side) for side in (False, True))
    loop, way_back = Loop(config), deque([IDLE] * 4)

    async def bench(ctx: Any) -> None:
        for cycle in range(_MOST_CYCLES):
            sent = near.switch.tx[_LINK]
            drive(ctx, loop.tx, sent._asdict())
            received = RxPins(*(int(ctx.get(getattr(loop.rx, name))) for name in RxPins._fields))
            answers = [bool(ctx.get(pin)) for pin in (loop.tx.ready, loop.tx.ctl_ready)]
            way_back.append(RxPins(*far.switch.tx[_LINK]))
            near.step(way_back.popleft(), *answers)
            far.step(received, True, True)
            if resets:
                ctx.set(loop.port_domain.rst, cycle % _RESET_EVERY < _RESET_CYCLES)
            await ctx.tick("sync")
            if near.got == far.wanted and far.got == near.wanted:
                return
        raise CheckError(f"{len(far.got)} and {len(near.got)} of {frames} frames have arrived")

    simulator = Simulator(loop)
    simulator.add_clock(_PERIOD, domain="sync")
    simulator.add_clock(_PERIOD * ratio, phase=_PERIOD * rng.random(), domain="port")
    simulator.add_testbench(bench)
    simulator.run()
    replays = near.switch.ports[_LINK].counters.values[Counter.LLR_TX_REPLAY]
    if bool(replays) != resets:
        raise CheckError(f"there were {replays} replays")
