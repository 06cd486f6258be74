# SPDX-License-Identifier: Apache-2.0
"""Two link partners joined by two lossy links, and what each has delivered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gavel_model.frame import append_fcs
from gavel_model.pins import IDLE, RxPins
from gavel_tb.link_errors import LinkOptions
from gavel_tb.lossy_link import LossyLink
from gavel_tb.partner.device import LlrPartner
from gavel_tb.partner.receiver import Arrival
from gavel_tb.partner.rule_checker import RuleChecker
from gavel_tb.partner.rules import RuleLimits
from gavel_tb.partner.settings import PartnerSettings
from gavel_tb.stimulus import derived_random


class Pair:
    """Ends 0 and 1; ``links[n]`` leaves end n, ``checkers[n]`` watches it if ``watched`` has n.

    What an end sends in a cycle has reached the other end, but for the delay of the link, in the
    next one.
    """

    def __init__(
        self,
        *,
        links: tuple[LinkOptions, LinkOptions] = (LinkOptions(), LinkOptions()),
        checked: bool = True,
        limits: dict[str, Any] | None = None,
        seed: int = 1,
        **settings: Any,
    ) -> None:
        self.settings = PartnerSettings(**settings)
        self.rng = derived_random(seed, "pair")
        width = self.settings.data_width
        self.arrived: tuple[list[Arrival], list[Arrival]] = ([], [])
        self.sent: tuple[list[bytes], list[bytes]] = ([], [])
        self.ends = [LlrPartner(self.settings, self.arrived[n].append) for n in (0, 1)]
        self.links = [
            LossyLink(width, options, derived_random(seed, "link", n))
            for n, options in enumerate(links)
        ]
        shared = ("data_width", "protect", "seq_bits", "window_frames", "replay_timer", "spacing",
                  "min_spacing")
        told = {name: getattr(self.settings, name) for name in shared}
        told["skew"] = 16 + self.settings.response
        rules = RuleLimits(**{**told, **(limits or {})})
        self.checkers = [RuleChecker(n, rules) for n in (0, 1)]
        self.watched: tuple[int, ...] = (0, 1) if checked else ()
        self.cycle = 0
        self._shown = [IDLE, IDLE]
        self.watch: Callable[[int, list[RxPins]], None] | None = None

    def load(self, end: int, frames: int, longest: int = 300) -> None:
        """Puts frames of random lengths into the queue of an end."""
        for _ in range(frames):
            body = len(self.sent[end]).to_bytes(8, "big")
            body += self.rng.randbytes(self.rng.randint(52, max(52, longest - 12)))
            data = append_fcs(body)
            self.sent[end].append(data)
            self.ends[end].send(data, len(self.sent[end]) - 1)

    def run(self, cycles: int) -> None:
        """Steps."""
        (first, second), (there, back) = self.ends, self.links
        for _ in range(cycles):
            received = (back.step(self._shown[1]), there.step(self._shown[0]))
            shown = [first.step(received[0]), second.step(received[1])]
            for n in self.watched:
                self.checkers[n].observe(self.cycle, shown[n], received[n])
            if self.watch is not None:
                self.watch(self.cycle, shown)
            self._shown = shown
            self.cycle += 1

    def drain(self, limit: int = 400_000) -> None:
        """Steps until both ends have nothing left to do."""
        last = self.cycle + limit
        while not all(end.idle for end in self.ends):
            assert self.cycle < last, [
                (end.sender.state, end.sender.outstanding, end.receiver.state) for end in self.ends
            ]
            self.run(100)

    def delivered(self, end: int) -> list[bytes]:
        """Bytes of the frames that an end has accepted."""
        return [arrival.data for arrival in self.arrived[end]]

    def check(self) -> None:
        """All frames have arrived, once each and in order."""
        assert self.delivered(1) == self.sent[0]
        assert self.delivered(0) == self.sent[1]


@pytest.fixture
def pair(seed: int) -> Callable[..., Pair]:
    """Makes a pair: ``pair(replay_timer=500)``."""

    def make(**options: Any) -> Pair:
        return Pair(**{"seed": seed, **options})

    return make
