# SPDX-License-Identifier: Apache-2.0
"""Switches that the scenarios run on. Those of link-level retry have two ports, of which one has
the link under test."""

from __future__ import annotations

from gavel_model.config import FRAMES_UNDER_WAY, SwitchConfig

LINK, CLEAN = 0, 1
"""Port whose link is tested, and port that feeds and drains the switch."""

LONG_LOOP = 5000
"""Cycles that a cable of 500 m adds to the loop at 1 GHz: 2500 each way."""

SPACING, MIN_SPACING = 400, 64
REPLAY_TIMER = 600
CF_MIN, CF_MAX = 128, 4096
NO_LIMIT = 255
SWITCHES = ("long", "wrap", "flow")

_LONGEST = 523
_ANSWER_CYCLES = 32
_SPARE_FRAMES = 10
_SHORTEST = 64


def behaviour_config(name: str, data_width: int) -> SwitchConfig:
    """A switch by name.

    ``long``: replay buffer and ingress buffer for line rate with the shortest frames over
    `LONG_LOOP`, by the formulas of docs/llr.md and docs/flow_control.md, Sizes; its longest frame
    ends within a word and within a cell. ``wrap``: 32 sequence numbers. ``flow``: four ports with
    four VCs; its longest frame is longer than the largest credit, and ends within a word and
    within a cell.

    Raises
    ------
    ValueError
        For an unknown name.
    """
    word_bytes = data_width // 8
    if name == "long":
        in_loop = word_bytes * (LONG_LOOP + _ANSWER_CYCLES) + SPACING
        return SwitchConfig(
            ports=2, data_width=data_width, vcs=1, max_frame_bytes=_LONGEST,
            buffer_cells=-(-(in_loop + FRAMES_UNDER_WAY * _LONGEST) // 64),
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
    if name == "flow":
        return SwitchConfig(
            ports=4, data_width=data_width, vcs=4, buffer_cells=1024, max_frame_bytes=2101,
            replay_frames=256, replay_cells=512,
            islip_iterations=3, id_entries=16, fdb_sets=4, loop_cycles=100,
            replay_timer=2 * REPLAY_TIMER, pcs_lost_timer=0, data_age_timer=0,
            replay_count=NO_LIMIT, ctl_spacing=SPACING, ctl_min_spacing=MIN_SPACING,
            cf_min_spacing=CF_MIN, cf_max_spacing=CF_MAX, cc_period=0,
        )
    raise ValueError(f"switch {name!r}: must be one of {', '.join(SWITCHES)}")
