# SPDX-License-Identifier: Apache-2.0
"""Runs a player against the golden model alone: no simulator, and nothing is compared."""

from __future__ import annotations

from collections.abc import Callable

from gavel_model.config import SwitchConfig
from gavel_model.switch import Switch
from gavel_tb.workload.on_link import LinkedPlayer
from gavel_tb.workload.player import Player

_PROGRESS_CYCLES = 2048


def play_on_model(
    config: SwitchConfig,
    player: Player | LinkedPlayer,
    progress: Callable[[float, int], None] | None = None,
    watch: Callable[[Switch], None] | None = None,
) -> Switch:
    """Steps player and model until the player is finished; returns the model.

    ``progress`` is called now and then with the share done (0...1) and the cycle, ``watch`` with
    the model in each cycle, before it is stepped through it.

    Raises
    ------
    CheckError
        If the switch breaks a rule of link-level retry.
    """
    switch = Switch(config)
    observe = player.observe if isinstance(player, LinkedPlayer) else None
    cycle = 0
    while not player.finished:
        inputs = player.step(cycle, switch.tx)
        if observe is not None:
            observe(cycle, inputs, switch.tx)
        if watch is not None:
            watch(switch)
        switch.step(inputs)
        cycle += 1
        if progress is not None and cycle % _PROGRESS_CYCLES == 0:
            progress(player.progress, cycle)
    return switch
