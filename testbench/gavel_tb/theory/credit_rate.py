# SPDX-License-Identifier: Apache-2.0
"""Share of the line rate that a number of credits allows."""

from __future__ import annotations

from gavel_model.config import SwitchConfig
from gavel_tb.credit_loop import credits_for_line_rate


def credit_rate(config: SwitchConfig, frame_bytes: int, loop: int, limit: int) -> float:
    """Rate of an output with ``limit`` native credits: 1 from `credits_for_line_rate` on; below,
    the credits that are not kept for a longest frame go round once in a loop.

    The line-rate limit is c = r + k, with k credits for the longest frame, which are only looked
    at, and r that are under way for a whole loop at line rate; so with a limit L the rate is
    (L - k) / r, at most 1 (Kung, Blackwell and Chapman, Credit-Based Flow Control for ATM Networks,
    SIGCOMM 1994: rate = credits / loop).

    Parameters
    ----------
    loop
        As in `credits_for_line_rate`.
    """
    enough = credits_for_line_rate(config, frame_bytes, loop)
    kept = config.max_frame_cells
    return min(1.0, max(0.0, (limit - kept) / (enough - kept)))
