# SPDX-License-Identifier: Apache-2.0
"""Two link partners joined by two lossy links, and what each has delivered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gavel_model.frame import append_fcs, build_header
from gavel_model.pins import IDLE, RxPins
from gavel_tb.link_errors import LinkOptions
from gavel_tb.lossy_link import LossyLink
from gavel_tb.partner.classes import vc_by_class
from gavel_tb.partner.device import LlrPartner
from gavel_tb.partner.flow_settings import FlowSettings
from gavel_tb.partner.receiver import Arrival
from gavel_tb.partner.rule_checker import RuleChecker
from gavel_tb.partner.rules import RuleLimits
from gavel_tb.partner.settings import PartnerSettings
from gavel_tb.stimulus import derived_random


class Pair:
    """Ends 0 and 1; ``links[n]`` leaves end n, ``checkers[n]`` watches it if ``watched`` has n.

    What an end sends in a cycle has reached the other end, but for the delay of the link, in the
    next one. ``flow`` is that of end 0.
    """

    def __init__(
        self,
        *,
        links: tuple[LinkOptions, LinkOptions] = (LinkOptions(), LinkOptions()),
        checked: bool = True,
        limits: dict[str, Any] | None = None,
        seed: int = 1,
        flow: FlowSettings | None = None,
        **settings: Any,
    ) -> None:
        self.settings = PartnerSettings(flow=flow, **settings)
        other = flow and flow.other_end(flow.address + 1)
        self.both = (self.settings, replace(self.settings, flow=other))
        self.rng = derived_random(seed, "pair")
        width = self.settings.data_width
        self.arrived: tuple[list[Arrival], list[Arrival]] = ([], [])
        self.sent: tuple[list[bytes], list[bytes]] = ([], [])
        self.ends = [LlrPartner(self.both[n], self.arrived[n].append) for n in (0, 1)]
        self.links = [
            LossyLink(width, options, derived_random(seed, "link", n))
            for n, options in enumerate(links)
        ]
        shared = ("data_width", "protect", "seq_bits", "window_frames", "replay_timer", "spacing",
                  "min_spacing")
        told = {name: getattr(self.settings, name) for name in shared}
        told["skew"] = 16 + self.settings.response
        told["max_frame_words"] = 2048 // self.settings.word_bytes
        told["pause_cycles"] = self.settings.response
        rules = RuleLimits(**{**told, **(limits or {})})
        self.checkers = [RuleChecker(n, replace(rules, flow=self.both[n].flow)) for n in (0, 1)]
        self.watched: tuple[int, ...] = (0, 1) if checked else ()
        self.cycle = 0
        self._shown = [IDLE, IDLE]
        self.watch: Callable[[int, list[RxPins]], None] | None = None

    def load(self, end: int, frames: int, longest: int = 300) -> None:
        """Puts frames of random lengths into the queue of an end, all of class 0."""
        for _ in range(frames):
            body = len(self.sent[end]).to_bytes(8, "big")
            body += self.rng.randbytes(self.rng.randint(52, max(52, longest - 12)))
            data = append_fcs(body)
            self.sent[end].append(data)
            self.ends[end].send(data, len(self.sent[end]) - 1)

    def load_vcs(
        self, end: int, frames: int, longest: int = 300, classes: tuple[int, ...] = tuple(range(8))
    ) -> None:
        """The same with tagged frames of random classes."""
        for _ in range(frames):
            header = build_header("ethernet", dst=2, src=1,
                                  traffic_class=self.rng.choice(classes))
            body = header + len(self.sent[end]).to_bytes(8, "big")
            body += self.rng.randbytes(self.rng.randint(34, longest - 30))
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
                (end.sender.state, end.sender.outstanding, end.receiver.state,
                 end.flow and (end.flow.credits.used, end.flow.buffer.cells)) for end in self.ends
            ]
            self.run(100)

    def delivered(self, end: int) -> list[bytes]:
        """Bytes of the frames that an end has accepted."""
        return [arrival.data for arrival in self.arrived[end]]

    def check(self) -> None:
        """All frames have arrived, once each and in order, which with flow control is that of
        their VC."""
        flow = self.settings.flow
        vc_of = vc_by_class(flow) if flow is not None else lambda data: 0
        for end in (0, 1):
            for vc in range(flow.vcs if flow is not None else 1):
                assert ([data for data in self.delivered(1 - end) if vc_of(data) == vc]
                        == [data for data in self.sent[end] if vc_of(data) == vc])


@pytest.fixture
def pair(seed: int) -> Callable[..., Pair]:
    """Makes a pair: ``pair(replay_timer=500)``."""

    def make(**options: Any) -> Pair:
        return Pair(**{"seed": seed, **options})

    return make
