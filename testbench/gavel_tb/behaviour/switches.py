# SPDX-License-Identifier: Apache-2.0
"""Switches that the scenarios run on: two ports, of which one has the link under test."""

from __future__ import annotations

from gavel_model.config import FRAMES_UNDER_WAY, SwitchConfig

LINK, CLEAN = 0, 1
"""Port whose link is tested, and port that feeds and drains the switch."""

LONG_LOOP = 5000
"""Cycles that a cable of 500 m adds to the loop at 1 GHz: 2500 each way."""

SPACING, MIN_SPACING = 400, 64
REPLAY_TIMER = 600
NO_LIMIT = 255
SWITCHES = ("long", "wrap")

_LONGEST = 523
_ANSWER_CYCLES = 32
_SPARE_FRAMES = 10
_SHORTEST = 64


def behaviour_config(name: str, data_width: int) -> SwitchConfig:
    """A switch by name.

    ``long``: replay buffer for line rate with the shortest frames over `LONG_LOOP`, by the formula
    of docs/llr.md, Sizes; its longest frame ends within a word and within a cell. ``wrap``: 32
    sequence numbers.

    Raises
    ------
    ValueError
        For an unknown name.
    """
    word_bytes = data_width // 8
    if name == "long":
        in_loop = word_bytes * (LONG_LOOP + _ANSWER_CYCLES) + SPACING
        return SwitchConfig(
            ports=2, data_width=data_width, vcs=1, buffer_cells=256, max_frame_bytes=_LONGEST,
            replay_frames=-(-in_loop // _SHORTEST) + _SPARE_FRAMES,
            replay_cells=-(-(in_loop + FRAMES_UNDER_WAY * _LONGEST) // 64),
            islip_iterations=1, id_entries=16, fdb_sets=4, loop_cycles=100,
            replay_timer=REPLAY_TIMER, pcs_lost_timer=0, data_age_timer=0, replay_count=NO_LIMIT,
            ctl_spacing=SPACING, ctl_min_spacing=MIN_SPACING,
        )
    if name == "wrap":
        return SwitchConfig(
            ports=2, data_width=data_width, vcs=1, buffer_cells=256, max_frame_bytes=128,
            replay_frames=16, replay_cells=32, seq_bits=5,
            islip_iterations=1, id_entries=16, fdb_sets=4, loop_cycles=100,
            replay_timer=REPLAY_TIMER, pcs_lost_timer=0, data_age_timer=0, replay_count=NO_LIMIT,
            ctl_spacing=SPACING, ctl_min_spacing=MIN_SPACING,
        )
    raise ValueError(f"switch {name!r}: must be one of {', '.join(SWITCHES)}")
