# SPDX-License-Identifier: Apache-2.0
"""Runs a player against the golden model alone: no simulator, and nothing is compared."""

from __future__ import annotations

from collections.abc import Callable

from gavel_model.switch import Switch
from gavel_tb.workload.player import Player

_PROGRESS_CYCLES = 2048


def play_on_model(player: Player, progress: Callable[[float, int], None] | None = None) -> Switch:
    """Steps player and model until the player is finished; returns the model.

    ``progress`` is called now and then with the share done (0...1) and the cycle.
    """
    switch = Switch(player.config)
    cycle = 0
    while not player.finished:
        switch.step(player.step(cycle, switch.tx))
        cycle += 1
        if progress is not None and cycle % _PROGRESS_CYCLES == 0:
            progress(player.progress, cycle)
    return switch
