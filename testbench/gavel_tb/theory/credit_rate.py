# SPDX-License-Identifier: Apache-2.0
"""Share of the line rate that a number of credits allows: between two bounds.

In the textbook a limit of L credits gives the rate L / loop (Kung, Blackwell and Chapman,
Credit-Based Flow Control for ATM Networks, SIGCOMM 1994). Here two things lie between: credits for
a longest frame are looked at before a frame is matched, and what was read waits until the next
CF_Update may be sent.
"""

from __future__ import annotations

from gavel_model.config import SwitchConfig
from gavel_tb.credit_loop import credits_for_line_rate, stages_in_loop
from gavel_tb.partner.flow_settings import cells_of


def least_credit_rate(config: SwitchConfig, frame_bytes: int, loop: int, limit: int) -> float:
    """Rate that ``limit`` native credits give at least: 1 from `credits_for_line_rate` on; below,
    those that are not kept for a longest frame go round once in the longest loop.

    Parameters
    ----------
    loop
        As in `credits_for_line_rate`.
    """
    enough = credits_for_line_rate(config, frame_bytes, loop)
    kept = config.max_frame_cells
    return min(1.0, max(0.0, (limit - kept) / (enough - kept)))


def most_credit_rate(config: SwitchConfig, frame_bytes: int, loop: int, limit: int) -> float:
    """Rate that they give at most: all go round once in the shortest loop, as if whatever is read
    were told at once."""
    words = -(-frame_bytes // config.word_bytes)
    return min(1.0, limit / cells_of(frame_bytes) * words / (loop + stages_in_loop(config)))
