# SPDX-License-Identifier: Apache-2.0
"""Settings of a link partner."""

from __future__ import annotations

from dataclasses import dataclass

from gavel_model.config import DATA_WIDTHS
from gavel_tb.partner.flow_settings import FlowSettings

NEVER = 1 << 62
"""A cycle that does not come."""

_SEQ_BITS = (3, 20)
_VALUE = 1 << 16


@dataclass(frozen=True, kw_only=True)
class PartnerSettings:
    """What a partner is and how it keeps time; the defaults suit a loop of some 1000 cycles.

    Attributes
    ----------
    data_width
        Bits of a word.
    llr
        Link-level retry is on, in both directions.
    protect
        Check bytes in ordered sets.
    seq_bits
        Bits of a sequence number.
    init_seq, init_data
        Number of the first frame, and the data of the first INIT; each further one has data
        greater by one.
    window_frames, window_bytes
        Most that may be outstanding.
    replay_timer
        Cycles without progress after which the window is sent again; 0 is off.
    replay_limit
        Replays without progress after which the window is given up and a new INIT begins; None:
        never.
    spacing, min_spacing
        Bytes of line time between two ACKs, and between any two ordered sets.
    response
        Cycles after which the partner looks at what has arrived.
    gap
        Idle cycles after each frame.
    flow
        Credits and pauses; None: there are none.

    Raises
    ------
    ValueError
        Names the setting, its value, and what it may be.
    """

    data_width: int = 64
    llr: bool = True
    protect: bool = True
    seq_bits: int = 20
    init_seq: int = 0
    init_data: int = 0
    window_frames: int = 1024
    window_bytes: int = 1 << 20
    replay_timer: int = 4096
    replay_limit: int | None = None
    spacing: int = 2048
    min_spacing: int = 400
    response: int = 0
    gap: int = 0
    flow: FlowSettings | None = None

    def __post_init__(self) -> None:
        if self.data_width not in DATA_WIDTHS:
            raise ValueError(f"data_width = {self.data_width}: must be 64, 128, 256 or 512 bits")
        self._in_range("seq_bits", *_SEQ_BITS)
        self._in_range("init_seq", 0, (1 << self.seq_bits) - 1)
        self._in_range("init_data", 0, _VALUE - 1)
        self._in_range("window_frames", 1, 1 << self.seq_bits - 1)
        self._in_range("spacing", 1, _VALUE - 1)
        self._in_range("min_spacing", 0, _VALUE - 1)
        for name in ("window_bytes", "replay_timer", "response", "gap"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} = {getattr(self, name)}: must be at least 0")
        if self.replay_limit is not None and self.replay_limit < 1:
            raise ValueError(f"replay_limit = {self.replay_limit}: must be at least 1, or None")

    def _in_range(self, name: str, low: int, high: int) -> None:
        value = getattr(self, name)
        if not low <= value <= high:
            raise ValueError(f"{name} = {value}: must be in {low}...{high}")

    @property
    def word_bytes(self) -> int:
        """Bytes in a word."""
        return self.data_width // 8

    def cycles(self, line_bytes: int) -> int:
        """Cycles in which so many bytes of line time have passed."""
        return -(-line_bytes // self.word_bytes)
