# SPDX-License-Identifier: Apache-2.0
"""Settings of flow control at random, for the benches of its blocks."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gavel_model.alarm import Alarm
from gavel_model.config import SwitchConfig
from gavel_model.counters import Counters
from gavel_model.flow_settings import FlowSettings
from gavel_model.port_settings import PortSettings
from gavel_model.register_map import COUNTERS, CbfcControl, Counter
from gavel_tb.block_sim import drive, expect

_FIELDS = {
    **{name: name for name in (
        "stop", "sender", "receiver", "total", "resync", "total_limit", "cf_min", "cf_max",
        "cc_period", "pfc_receive", "pfc_transmit", "pfc_time", "watchdog", "restore",
        "mac_address")},
    "xoff": "pfc_xoff",
    "xon": "pfc_xon",
}
"""Members of the RTL's settings, and what the model calls them."""

_UNITS = {"sender_size": "sender_unit", "receiver_size": "receiver_unit"}
_LEAST_SHIFT = 5

Draw = Callable[[random.Random], int]


class RandomFlowSettings:
    """Registers of flow control of a port, changed at random, as visible in a cycle.

    Attributes
    ----------
    model
        What the model's blocks look at.
    """

    def __init__(self, config: SwitchConfig, rng: random.Random, draws: dict[int, Draw]) -> None:
        """``draws`` has the registers that are changed, and what gives their values."""
        self._rng = rng
        self._draws = draws
        self._registers = PortSettings(config, 0)
        self._fresh = True
        self.model = FlowSettings(config)

    def write(self, offset: int, value: int) -> None:
        """Writes a register."""
        self._registers.write(offset, value)
        self.model.load(self._registers.values)
        self._fresh = True

    def change(self) -> None:
        """Writes one register."""
        offset = self._rng.choice(list(self._draws))
        self.write(offset, self._draws[offset](self._rng))

    def change_all(self) -> None:
        """Writes all registers that are changed."""
        for offset, draw in self._draws.items():
            self.write(offset, draw(self._rng))

    def drive(self, ctx: Any, interfaces: Sequence[Any], classes: Sequence[Any] = ()) -> None:
        """Sets the members of the RTL's settings, and the ``classes`` of each VC."""
        if not self._fresh:
            return
        self._fresh = False
        model = self.model
        for interface in interfaces:
            drive(ctx, interface, {name: int(getattr(model, other))
                                   for name, other in _FIELDS.items()})
            for name, other in _UNITS.items():
                unit = getattr(model, other)
                drive(ctx, getattr(interface, name),
                      {"exponent": unit.shift - _LEAST_SHIFT, "overhead": unit.overhead})
            for element, limit in zip(interface.limit, model.limits, strict=True):
                ctx.set(element, limit)
        self._drive_classes(ctx, classes)

    def drive_coming(self, ctx: Any, interface: Any, classes: Sequence[Any] = ()) -> None:
        """Sets what PauseReceiver, CreditReceiver and CreditSender see of the settings of the next
        cycle, and the ``classes`` of each VC in it."""
        ctx.set(interface.coming.cc_period, self.model.cc_period)
        ctx.set(interface.coming.watchdog, self.model.watchdog)
        ctx.set(interface.coming.pfc_receive, self.model.pfc_receive)
        unit = self.model.receiver_unit
        ctx.set(interface.coming.receiver_exponent, unit.shift - _LEAST_SHIFT)
        ctx.set(interface.coming.receiver_overhead, unit.overhead)
        self._drive_classes(ctx, classes)

    def _drive_classes(self, ctx: Any, classes: Sequence[Any]) -> None:
        for vc, element in enumerate(classes):
            ctx.set(element, sum((of_class == vc) << n
                                 for n, of_class in enumerate(self.model.vc_of_class)))


def expect_settings(ctx: Any, where: str, interface: Any, model: FlowSettings) -> None:
    """Compares the RTL's settings with the model's."""
    expect(f"{where}: flow control", {name: ctx.get(getattr(interface, name)) for name in _FIELDS},
           {name: int(getattr(model, other)) for name, other in _FIELDS.items()})
    for name, other in _UNITS.items():
        size, unit = getattr(interface, name), getattr(model, other)
        expect(f"{where}: {name}", (ctx.get(size.exponent), ctx.get(size.overhead)),
               (unit.shift - _LEAST_SHIFT, unit.overhead))
    expect(f"{where}: limit", [ctx.get(limit) for limit in interface.limit], model.limits)


@dataclass
class Watched:
    """Counters of the model, and the events that a block of the RTL tells of them.

    Attributes
    ----------
    counters
        Those of the model.
    mine
        Counters that the block has.
    """

    counters: Counters
    mine: frozenset[Counter]

    def __post_init__(self) -> None:
        self._before = list(self.counters.values)

    def check(self, where: str, events: int) -> None:
        """Compares the events of a cycle."""
        after = self.counters.values
        expect(f"{where}: events",
               [Counter(n).name for n in range(COUNTERS) if events >> n & 1],
               [counter.name for counter in sorted(self.mine)
                if after[counter] != self._before[counter]])
        self._before = list(after)

    def never(self) -> list[str]:
        """Counters that have counted nothing."""
        return [counter.name for counter in sorted(self.mine) if not self.counters[counter]]


def due(alarm: Alarm, now: int) -> bool:
    """Whether a step of the model is due in cycle ``now``; puts the alarm off for good.

    The caller then sets ``alarm.at`` by what its block says.
    """
    if not alarm.now and now < alarm.at:
        return False
    alarm.now = False
    return True


def control(rng: random.Random, vcs: int) -> int:
    """A value of ``CBFC_CONTROL``: mostly with credits."""
    every = (1 << vcs) - 1
    sender, receiver = (rng.choice((every, every, every, rng.getrandbits(vcs))) for _ in range(2))
    return (sender << CbfcControl.SENDER | receiver << CbfcControl.RECEIVER
            | (rng.random() < 0.5) << CbfcControl.TOTAL
            | (rng.random() < 0.7) << CbfcControl.RESYNC)


def unit(rng: random.Random) -> int:
    """A value of ``CBFC_SENDER`` or ``CBFC_RECEIVER``."""
    return rng.choice((1, 0, rng.randrange(8))) | rng.choice((0, 0, 4, 0xF4, 0x7F, 0xF0)) << 8
