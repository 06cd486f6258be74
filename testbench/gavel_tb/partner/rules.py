# SPDX-License-Identifier: Apache-2.0
"""Limits that a device with link-level retry and flow control must keep, and the error when it does
not."""

from __future__ import annotations

from dataclasses import dataclass

from gavel_tb.partner.flow_settings import FlowSettings
from gavel_tb.stimulus import CheckError

_SPACING_LIMIT = 65535
_INIT_SPACINGS = 4


@dataclass(frozen=True, kw_only=True)
class RuleLimits:
    """What the device was told; names as in docs/llr.md, chapter 3.

    Attributes
    ----------
    data_width
        Bits of a word.
    window_frames, window_words
        Most that may be outstanding; 0 words: not checked.
    skew
        Cycles that may pass between what the device receives and what it sends because of it.
    flow
        Credits and pauses, from the device's side; None: MAC Control frames and CF_Updates are
        none of its business.
    max_frame_words
        Words of the longest frame.
    pause_cycles
        Cycles from a PFC frame's last word to the first cycle in which no frame should begin.
    refresh_slack
        Cycles that a PFC frame may take from half of the pause before it to the pins; 0: not
        checked.
    """

    data_width: int
    protect: bool = True
    seq_bits: int = 20
    window_frames: int
    window_words: int = 0
    replay_timer: int
    spacing: int = 2048
    min_spacing: int = 400
    skew: int = 16
    flow: FlowSettings | None = None
    max_frame_words: int = 0
    pause_cycles: int = 10
    refresh_slack: int = 0

    @property
    def word_bytes(self) -> int:
        """Bytes in a word."""
        return self.data_width // 8

    @property
    def set_cycles(self) -> int:
        """Least distance of any two ordered sets."""
        return -(-self.min_spacing // self.word_bytes)

    @property
    def ack_cycles(self) -> int:
        """Least distance of an ACK from the ACK or NACK before it."""
        return -(-self.spacing // self.word_bytes)

    @property
    def init_cycles(self) -> int:
        """Least distance of two INIT with the same contents."""
        return -(-min(_INIT_SPACINGS * self.spacing, _SPACING_LIMIT) // self.word_bytes)


def broken(port: int | str, cycle: int, rule: str, text: str) -> CheckError:
    """The error of a rule that a port broke, or whoever has that name."""
    name = port if isinstance(port, str) else f"port {port}"
    return CheckError(f"{name}, cycle {cycle}: rule \"{rule}\" is broken: {text}")
