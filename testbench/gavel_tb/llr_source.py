# SPDX-License-Identifier: Apache-2.0
"""Frames of one link partner, no more than the switch has room for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gavel_model.config import FCS_BYTES, SwitchConfig
from gavel_model.frame import append_fcs, build_header
from gavel_model.profiles import PROFILE_NAMES, PROFILES
from gavel_tb.flow_plan import FlowPlan
from gavel_tb.frames import NUMBER_BYTES, NUMBER_OFFSET, FrameFactory, SentFrame
from gavel_tb.llr_deliveries import Deliveries, frame_cells
from gavel_tb.partner.outgoing import OutFrame
from gavel_tb.partner.vc_queues import VcQueues
from gavel_tb.source import PortSource

_REST = NUMBER_OFFSET + NUMBER_BYTES + FCS_BYTES
_LEAST_TTL = 2


class PartnerSource(PortSource):
    """Draws frames as `PortSource` does, and gives one when the switch has room.

    Frames that have not arrived may all be in the ingress buffer, and with them a frame that is
    sent again or has lost its end, which takes cells until it is dropped: room for a longest one
    is kept.

    Parameters
    ----------
    deliveries
        Is told of each frame, and knows which have arrived.
    numbers
        Numbers of the run's frames.
    plan
        Flow control; None: there is none. Only the VCs that it holds back need room.

    Attributes
    ----------
    queues
        What `refill_vc` refills, with flow control.
    """

    def __init__(
        self,
        config: SwitchConfig,
        deliveries: Deliveries,
        numbers: Iterator[int],
        *,
        seed: int,
        port: int,
        profile: int,
        pattern: str,
        load: float,
        size: str | int,
        plan: FlowPlan | None = None,
    ) -> None:
        super().__init__(config, FrameFactory(config), seed=seed, port=port, profile=profile,
                         pattern=pattern, load=load, size=size, gaps=0.0, faults=0.0,
                         tables=False)
        self._deliveries = deliveries
        self._numbers = numbers
        self._row = PROFILES[profile]
        self._classes = 1 << self._row.traffic_class.width
        # First bytes by (destination, class, ECN, TTL): to build them takes longer than the rest.
        self._headers: dict[tuple[int, int, int, int], bytes] = {}
        cells = config.buffer_cells if plan is None else plan.lossless_cells
        self._room = cells - config.max_frame_cells
        self._held_back = -1 if plan is None else plan.held_back
        self._drawn: tuple[SentFrame, int] | None = None
        # With flow control, by VC: classes, and a frame that is drawn and not sent.
        self._classes_of = [
            [n for n in range(self._classes) if n % config.vcs == vc] for vc in range(config.vcs)
        ]
        self._waiting: dict[int, tuple[SentFrame, int]] = {}
        self._stopped = False
        self.queues: VcQueues | None = None

    def stop(self) -> None:
        """No further frame is drawn."""
        self._stopped = True

    def refill(self) -> OutFrame | None:
        """The next frame, if there is one and the switch has room for it."""
        if self._stopped:
            return None
        if self._wait:
            self._wait -= 1
            return None
        if self._drawn is None:
            self._drawn = self._draw()
        frame, destination = self._drawn
        data = frame.data
        if self._deliveries.cells[self._port] + frame_cells(data) > self._room:
            return None
        self._drawn = None
        self._deliveries.sent(frame, destination)
        self._pause(-(-len(data) // self._config.word_bytes))
        return OutFrame(data, frame.number)

    def refill_vc(self, vc: int, now: int) -> OutFrame | None:
        """The next frame of a VC, if there is one and the switch has room for it."""
        if self._stopped or not self._classes_of[vc]:
            return None
        drawn = self._waiting.get(vc)
        if drawn is None:
            drawn = self._waiting[vc] = self._draw(self._classes_of[vc])
        frame, destination = drawn
        if self._held_back >> vc & 1 and (
            self._deliveries.cells[self._port] + frame_cells(frame.data) > self._room
        ):
            return None
        del self._waiting[vc]
        return self._send(frame, destination, now)

    def _take(self, vc: int, now: int) -> OutFrame:
        """Draws a frame of a VC and takes it for sending."""
        return self._send(*self._draw(self._classes_of[vc]), now)

    def _send(self, frame: SentFrame, destination: int, now: int) -> OutFrame:
        data = frame.data
        self._deliveries.sent(frame, destination)
        words = -(-len(data) // self._config.word_bytes)
        self._wait = 0
        self._pause(words)
        assert self.queues is not None
        self.queues.refill_at = now + words + self._wait
        return OutFrame(data, frame.number)

    def _draw(self, classes: Sequence[int] | None = None) -> tuple[SentFrame, int]:
        draw, row = self._rng.random, self._row
        destination = self._destination()
        traffic_class = int(draw() * self._classes) if classes is None else self._rng.choice(
            classes)
        ecn = int(draw() * 4) if row.ecn is not None else 0
        ttl = 0
        if row.ttl is not None:
            ttl = _LEAST_TTL + int(draw() * ((1 << row.ttl.width) - _LEAST_TTL))
        key = destination, traffic_class, ecn, ttl
        header = self._headers.get(key)
        if header is None:
            header = self._headers[key] = self._header(*key)
        number = next(self._numbers)
        size = min(self._frame_size(), self._config.max_frame_bytes)
        payload = self._rng.randbytes(size - _REST)
        data = append_fcs(header + number.to_bytes(NUMBER_BYTES, "big") + payload)
        return SentFrame(number, self._port, data, row, destination, traffic_class), destination

    def _header(self, destination: int, traffic_class: int, ecn: int, ttl: int) -> bytes:
        address = self._factory.address
        header = build_header(
            PROFILE_NAMES[self._profile],
            dst=address(self._row, destination),
            src=address(self._row, self._port),
            traffic_class=traffic_class,
            ecn=ecn,
            ttl=ttl,
            esun_ethertype=self._config.esun_ethertype,
        )
        return header + self._rng.randbytes(NUMBER_OFFSET - len(header))
