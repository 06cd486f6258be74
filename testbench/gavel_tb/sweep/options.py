# SPDX-License-Identifier: Apache-2.0
"""What the traffic of a point may be, as plain data."""

from __future__ import annotations

from dataclasses import dataclass

from gavel_model.config import MIN_FRAME_BYTES, SwitchConfig
from gavel_tb.traffic_options import check_choice, frame_size

PATTERNS = ("uniform", "permutation", "incast", "hotspot", "bursty", "all-to-all", "tornado")
ARRIVALS = ("bernoulli", "geometric")
SIZES = ("min", "max", "bimodal", "imix", "uniform")
IMIX = ((7, 64), (4, 594), (1, 1518))
"""Weights and lengths of the usual simple Internet mix (RFC 6985 tells of its variants)."""


@dataclass(frozen=True, kw_only=True)
class TrafficMix:
    """Frames of all inputs; every name is an option of ``gavel sweep``.

    Attributes
    ----------
    load
        Share of the line rate, 0...1: of the cycles of an input in which a word comes.
    pattern
        Where frames go. ``uniform``: each to any output, the own one included. ``permutation``:
        each input to one output, drawn from the seed. ``incast``: all to one output. ``hotspot``:
        the share ``hot`` to one output, the rest uniform. ``bursty``: uniform, but all frames of a
        burst to the same output. ``all-to-all``: to all other outputs in turn. ``tornado``: input i
        to output i + ceil(P/2) - 1 mod P (Dally and Towles, Principles and Practices of
        Interconnection Networks, table 3.1).
    arrivals
        ``bernoulli``: time at an input is divided into slots as long as a frame, drawn from the
        mix; each holds a frame with the probability of the load. ``geometric``: in each cycle a
        frame arrives with the same probability, and waits in a queue of the source while another
        is on the line.
    burst
        Mean frames of a burst, at least 1; bursts and the slots between them are geometric (on-off
        traffic, McKeown 1999, section III.B).
    hot
        Share of the frames that ``hotspot`` sends to one output, 0...1.
    size
        Bytes with FCS: a number, ``min``, ``max``, ``bimodal`` (half ``min``, half ``max``),
        ``imix`` (7 : 4 : 1 of 64, 594 and 1518 bytes, as far as the switch takes them) or
        ``uniform`` (all lengths alike).
    """

    load: float = 0.5
    pattern: str = "uniform"
    arrivals: str = "bernoulli"
    burst: float = 16.0
    hot: float = 0.5
    size: str | int = MIN_FRAME_BYTES

    def check(self, config: SwitchConfig) -> None:
        """Refuses what cannot be sent.

        Raises
        ------
        ValueError
            Names the option, its value, and what it may be.
        """
        check_choice("pattern", self.pattern, PATTERNS)
        check_choice("arrivals", self.arrivals, ARRIVALS)
        if not 0.0 < self.load <= 1.0:
            raise ValueError(f"load = {self.load}: must be above 0 and at most 1")
        if not 1.0 <= self.burst <= 1e6:
            raise ValueError(f"burst = {self.burst}: must be in 1...1000000")
        if not 0.0 <= self.hot <= 1.0:
            raise ValueError(f"hot = {self.hot}: must be in 0...1")
        if self.pattern == "bursty" and self.arrivals != "bernoulli":
            raise ValueError("arrivals = 'geometric': bursts have slots; leave it 'bernoulli'")
        if config.profile != "ethernet":
            raise ValueError(f"profile = {config.profile!r}: must be 'ethernet' for a sweep")
        self.lengths(config)

    def lengths(self, config: SwitchConfig) -> list[tuple[float, int, int]]:
        """Share, least and largest length of each kind of frame; lengths between are alike.

        Raises
        ------
        ValueError
            As `check`.
        """
        size, longest = frame_size(self.size), config.max_frame_bytes
        if isinstance(size, int):
            if not MIN_FRAME_BYTES <= size <= longest:
                raise ValueError(f"size = {size}: must be in {MIN_FRAME_BYTES}...{longest} bytes")
            return [(1.0, size, size)]
        if size == "min":
            return [(1.0, MIN_FRAME_BYTES, MIN_FRAME_BYTES)]
        if size == "max":
            return [(1.0, longest, longest)]
        if size == "bimodal":
            return [(0.5, MIN_FRAME_BYTES, MIN_FRAME_BYTES), (0.5, longest, longest)]
        if size == "uniform":
            return [(1.0, MIN_FRAME_BYTES, longest)]
        if size == "imix":
            total = sum(weight for weight, _ in IMIX)
            return [(weight / total, min(length, longest), min(length, longest))
                    for weight, length in IMIX]
        raise ValueError(f"size = {size!r}: must be a number of bytes or one of "
                         + ", ".join(SIZES))

    def mean_words(self, config: SwitchConfig) -> float:
        """Mean words of a frame."""
        word = config.word_bytes
        total = 0.0
        for share, least, largest in self.lengths(config):
            words = [-(-length // word) for length in range(least, largest + 1)]
            total += share * sum(words) / len(words)
        return total
