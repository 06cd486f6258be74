# SPDX-License-Identifier: Apache-2.0
"""Settings of link-level retry at random, for the benches of its blocks."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from gavel_model.config import SwitchConfig
from gavel_model.llr_settings import LlrSettings
from gavel_model.ordered_set import Kind, OrderedSet
from gavel_model.port_settings import PortSettings
from gavel_model.register_map import SPACING_BITS, LlrControl, Port
from gavel_tb.block_sim import drive

FIELDS = ("local", "remote", "reinit", "protect", "forward_poisoned", "replay_timer", "pcs_lost",
          "data_age", "replay_count", "spacing", "min_spacing", "init_seq", "init_data",
          "window_frames")
"""Settings that have the same name and unit in model and RTL."""

COMING = ("replay_timer", "pcs_lost", "data_age", "spacing", "min_spacing", "init_data", "protect",
          "local", "remote", "replay_count", "reinit", "init_action", "flush_action")
"""Those that the RTL sees a cycle ahead, too."""

CONTROL_MEMBERS = {Kind.ACK: "ack", Kind.NACK: "nack", Kind.INIT: "init",
                   Kind.INIT_ECHO: "init_echo"}


def small_config(config: SwitchConfig, *, longest: int) -> SwitchConfig:
    """Few sequence numbers and an odd ring, so that everything wraps soon."""
    cells = 5 * -(-longest // config.cell_bytes) + 2
    return replace(config, seq_bits=4, replay_frames=7, replay_cells=cells,
                   max_frame_bytes=longest)


class RandomSettings:
    """Registers of a port, changed at random, as visible in a cycle.

    Attributes
    ----------
    model
        What the model's blocks look at.
    """

    def __init__(self, config: SwitchConfig, rng: random.Random) -> None:
        self._rng = rng
        self._registers = PortSettings(config, 0)
        self.model = LlrSettings(config)

    def write(self, offset: int, value: int) -> None:
        """Writes a register."""
        self._registers.write(offset, value)
        self.model.load(self._registers.values)

    def change(self, *, on: float = 0.9) -> None:
        """Writes one register, with short times and small limits.

        ``on`` is the chance for each of receiver and transmitter to be on.
        """
        rng = self._rng
        offset = rng.choice(range(Port.LLR_CONTROL, Port.LLR_STATUS))
        self.write(offset, {
            Port.LLR_CONTROL: self._control(on),
            Port.LLR_WINDOW_FRAMES: rng.choice((rng.randrange(10), 1 << 19)),
            Port.LLR_WINDOW_CELLS: rng.choice((0, rng.randrange(40), 1 << 16)),
            Port.LLR_REPLAY_TIMER: rng.choice((0, rng.randrange(1, 60))),
            Port.LLR_PCS_LOST: rng.choice((0, 0, rng.randrange(1, 60))),
            Port.LLR_DATA_AGE: rng.choice((0, 0, rng.randrange(1, 90))),
            Port.LLR_REPLAY_COUNT: rng.choice((rng.randrange(4), 254, 255, 255)),
            Port.LLR_SPACING: self._spacing(),
        }.get(Port(offset), rng.getrandbits(32)))

    def drive(self, ctx: Any, interface: Any) -> None:
        """Sets the members of the RTL's settings."""
        model = self.model
        drive(ctx, interface, {name: int(getattr(model, name)) for name in FIELDS})
        self.drive_coming(ctx, interface)
        drive(ctx, interface, {**self._actions(),
                               "window_cells": self._registers.values[Port.LLR_WINDOW_CELLS]})

    def drive_coming(self, ctx: Any, interface: Any) -> None:
        """Sets what the RTL sees of the settings of the next cycle."""
        actions = self._actions()
        drive(ctx, interface.coming, actions | {
            name: int(getattr(self.model, name)) for name in COMING if name not in actions})

    def _actions(self) -> dict[str, int]:
        """Settings that the model has as what they mean."""
        control = self._registers.values[Port.LLR_CONTROL]
        return {"init_action": control >> LlrControl.INIT_ACTION & 3,
                "flush_action": control >> LlrControl.FLUSH_ACTION & 3}

    def _control(self, on: float) -> int:
        bits = self._rng.getrandbits(9) & ~(1 << LlrControl.LOCAL | 1 << LlrControl.REMOTE)
        for bit in (LlrControl.LOCAL, LlrControl.REMOTE):
            bits |= (self._rng.random() < on) << bit
        return bits

    def _spacing(self) -> int:
        rng = self._rng
        ack = rng.choice((0, rng.randrange(2000), rng.randrange(1 << SPACING_BITS)))
        least = rng.choice((0, rng.randrange(600)))
        return least << SPACING_BITS | ack


def drive_control(ctx: Any, interface: Any, item: OrderedSet | None, unknown: int,
                  coming: OrderedSet | None = None,
                  coming_next: OrderedSet | None = None) -> None:
    """Sets the members of the RTL's `ControlSet`: a valid set, or one that is not, or none.

    ``coming`` is the set of the next cycle, ``coming_next`` that of the one after it.
    """
    members = dict.fromkeys(CONTROL_MEMBERS.values(), 0)
    members |= {"value": 0, "data": 0, "unknown": unknown,
                "coming": coming.value if coming else 0,
                "coming_next": coming_next.value if coming_next else 0,
                "coming_ack": int(coming is not None and coming.kind is Kind.ACK),
                "coming_nack": int(coming is not None and coming.kind is Kind.NACK),
                "coming_init": int(coming is not None and coming.kind is Kind.INIT)}
    if item is not None:
        members[CONTROL_MEMBERS[item.kind]] = 1
        members |= {"value": item.value, "data": item.data}
    drive(ctx, interface, members)
