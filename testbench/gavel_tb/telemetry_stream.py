# SPDX-License-Identifier: Apache-2.0
"""Bench of TelemetryStream: RTL against the model in every cycle, and the rules of AXI4-Stream."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Sequence
from typing import Any, NamedTuple

from gavel_model.config import SwitchConfig
from gavel_model.record_format import record_words
from gavel_model.telemetry_map import least_period
from gavel_model.telemetry_stream import TelemetryStream as Model
from gavel_rtl.telemetry_stream import CYCLE_BITS, TelemetryStream
from gavel_tb.block_sim import drive, expect, run_block
from gavel_tb.record_sums import EVENT_BITS, drive_sample, random_sample
from gavel_tb.stimulus import CheckError, derived_random

_SHARES = (0.0, 0.1, 0.5, 0.95, 1.0)
"""How eager the sink may be."""

_WRITES = (0.002, 0.02)
"""How often the period is written."""

_PHASE = 80
WANTED = ("sent", "lost", "sent while off", "written while one is sent", "written as one is made",
          "written as one is lost")
"""What a bench should have seen."""


class Pins(NamedTuple):
    """AXI4-Stream."""

    tvalid: int = 0
    tready: int = 0
    tdata: int = 0
    tlast: int = 0


class StreamRules:
    """The rules of AXI4-Stream (Arm IHI 0051, 2.2), and how long a record is.

    Parameters
    ----------
    config
        P.

    Attributes
    ----------
    records
        Records that were taken whole.
    """

    def __init__(self, config: SwitchConfig) -> None:
        self._last = record_words(config.ports) - 1
        self._before = Pins()
        self._word = 0
        self.records = 0

    def step(self, where: str, pins: Pins) -> None:
        """Looks at the pins of the next cycle.

        Raises
        ------
        CheckError
            If a rule is broken.
        """
        before, self._before = self._before, pins
        if before.tvalid and not before.tready:
            expect(f"{where}: what was not taken", pins._replace(tready=0), before)
        if not pins.tvalid:
            return
        expect(f"{where}: tlast in word {self._word}", pins.tlast, int(self._word == self._last))
        if pins.tready:
            self._word = 0 if pins.tlast else self._word + 1
            self.records += pins.tlast


def check(config: SwitchConfig, seed: int, cycles: int = 2000,
          wanted: Sequence[str] = WANTED) -> None:
    """All outputs are as in the model in every cycle, and keep to the rules.

    Raises
    ------
    CheckError
        At the first difference, or if something that is wanted was never seen.
    """
    rng = derived_random(seed, "telemetry_stream")
    block, model, rules = TelemetryStream(config), Model(config), StreamRules(config)
    seen: Tally[str] = Tally()
    least = least_period(config.ports)

    async def bench(ctx: Any) -> None:
        period, share, writes, longest = 0, 1.0, 0.0, 1
        first = rng.choice((0, rng.getrandbits(CYCLE_BITS - 1)))
        for now in range(cycles):
            if now % _PHASE == 0:
                share, writes = rng.choice(_SHARES), rng.choice(_WRITES)
                longest = rng.choice((1, 2, 40, 1 << 14))
            written = int(rng.random() < (0.5 if model.due and writes else writes))
            if written:
                period = rng.choice((0, least, least, least + 1, rng.randint(least, 3 * least)))
            tready = int(rng.random() < share)
            ctx.set(block.axis.tready, tready)
            drive(ctx, block, {"cycle": first + now, "period": period, "period_written": written})
            samples = [random_sample(config, rng, longest) for _ in range(config.ports)]
            events = [rng.getrandbits(EVENT_BITS) for _ in range(config.ports)]
            for port, sample, port_events in zip(block.samples, samples, events, strict=True):
                drive_sample(ctx, port, sample, port_events)
            where = f"cycle {now}"
            pins = Pins(*(ctx.get(getattr(block.axis, name)) for name in Pins._fields))
            expect(f"{where}: pins", pins, Pins(model.tvalid, tready, model.tdata, model.tlast))
            expect(f"{where}: lost_count", ctx.get(block.lost_count), model.lost_count)
            rules.step(where, pins)
            made = model.due and not pins.tvalid
            lost = model.step(samples, events, first + now, period=period, period_written=written,
                              tready=tready)
            expect(f"{where}: lost", ctx.get(block.lost), int(lost))
            for what, happens in (
                ("sent", pins.tlast and tready), ("lost", lost),
                ("sent while off", pins.tvalid and not period),
                ("written while one is sent", written and pins.tvalid),
                ("written as one is made", written and made),
                ("written as one is lost", written and lost),
            ):
                seen[what] += bool(happens)
            await ctx.tick()

    run_block(block, bench)
    expect("records taken", rules.records, seen["sent"])
    missing = [what for what in wanted if not seen[what]]
    if missing:
        raise CheckError(f"never seen: {', '.join(missing)}")
