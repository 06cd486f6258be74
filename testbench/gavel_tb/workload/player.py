# SPDX-License-Identifier: Apache-2.0
"""Plays a program through a switch: one endpoint per rank, rank r at port r.

The endpoints see the transmit pins of a cycle and give the receive pins of the same cycle; what
arrives in a cycle changes what they send from the next cycle on. ``ready`` is always 1.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence

from gavel_model.config import SwitchConfig
from gavel_model.frame import join_words
from gavel_model.pins import IDLE, Inputs, TxPins
from gavel_tb.workload.endpoint import Endpoint
from gavel_tb.workload.errors import DeliveryError, WorkloadError
from gavel_tb.workload.log import FrameLog
from gavel_tb.workload.message import FrameFormat
from gavel_tb.workload.program import Program
from gavel_tb.workload.progress_check import check_program

DRAIN_CYCLES = 16
"""Cycles played on after the last operation, so that the switch is seen to fall silent."""

MAX_OVERHEAD = 10**6
"""Cycles that each message may cost."""

_WATCHDOG_CHECK = 256


class Player:
    """Stimulus of a workload: call `step` once per cycle until `finished`.

    Parameters
    ----------
    config
        The switch; its ``profile`` is the header of all frames.
    program
        What the ranks do.
    mtu
        Message bytes per frame, None for the default (see `FrameFormat`).
    window
        Cells that an endpoint may have outstanding, at most ``buffer_cells`` (the default), so
        that no frame finds its ingress buffer full. An ideal end-to-end window, ours: it stands
        in for credits of the link layer.
    overhead
        Cycles that each message costs before its first word.
    allow_fewer
        Fewer ranks than ports leave the other ports idle, instead of being refused.
    seed
        Of the message bytes.

    Attributes
    ----------
    patience
        Cycles without an arrival, while frames are under way, after which the run has failed.

    Raises
    ------
    WorkloadError
        Ranks that do not fit the ports, a window or MTU out of range, or a program that
        cannot end.
    """

    def __init__(
        self,
        config: SwitchConfig,
        program: Program,
        *,
        mtu: int | None = None,
        window: int | None = None,
        overhead: int = 0,
        allow_fewer: bool = False,
        seed: int = 1,
    ) -> None:
        count = len(program.ranks)
        if count > config.ports:
            raise WorkloadError(
                f"{program.name}: {count} ranks, but the switch has {config.ports} ports; "
                f"choose a switch with -P ports={count} or --config"
            )
        if count < config.ports and not allow_fewer:
            raise WorkloadError(
                f"{program.name}: {count} ranks, but the switch has {config.ports} ports; "
                f"choose -P ports={count}, or --allow-fewer to leave ports idle"
            )
        self.config = config
        self.program = program
        self.frames = FrameFormat(config, mtu, seed)
        least = self.frames.frame_cells(self.frames.mtu)
        window = config.buffer_cells if window is None else window
        if not least <= window <= config.buffer_cells:
            raise WorkloadError(
                f"window = {window}: must be in {least}...{config.buffer_cells} cells, one frame "
                "to the whole ingress buffer"
            )
        if not 0 <= overhead <= MAX_OVERHEAD:
            raise WorkloadError(f"overhead = {overhead}: must be in 0...{MAX_OVERHEAD} cycles")
        check_program(program)
        self.window = window
        self.overhead = overhead
        self.log = FrameLog()
        self.failure: str | None = None
        self.cycles = 0
        self.endpoints = [
            Endpoint(rank, ops, self.frames, window=window, overhead=overhead, at=self._at)
            for rank, ops in enumerate(program.ranks)
        ]
        self._idle = (IDLE,) * (config.ports - count)
        self._ready = (1 << config.ports) - 1
        self._timers: list[tuple[int, int, Callable[[int], None]]] = []
        self._timer_count = 0
        self._words: list[list[int]] = [[] for _ in range(config.ports)]
        self._sop: list[int] = [0] * config.ports
        self._running = False
        self._left = count
        self._end: int | None = None
        self._progress_at = 0
        self.patience = 4 * config.ports * (config.max_frame_words + config.latency_cycles) + 1000

    @property
    def finished(self) -> bool:
        """Every operation is complete and the switch has drained, or something failed."""
        return self.failure is not None or (self._end is not None and self.cycles >= self._end)

    @property
    def progress(self) -> float:
        """Share of the message bytes that have arrived, 0...1."""
        total = self.program.message_bytes
        arrived = sum(endpoint.arrived_bytes for endpoint in self.endpoints)
        return arrived / total if total else float(self._end is not None)

    def step(self, cycle: int, tx: Sequence[TxPins]) -> Inputs:
        """Inputs of ``cycle``, whose transmit pins are ``tx``."""
        if not self._running:
            self._running = True
            self._progress_at = cycle
            for endpoint in self.endpoints:
                endpoint.begin(cycle)
        timers = self._timers
        while timers and timers[0][0] <= cycle:
            self._progress_at = cycle
            heapq.heappop(timers)[2](cycle)
        rx = []
        for endpoint in self.endpoints:
            words = endpoint.words
            if words:
                rx.append(words.pop())
                words_left = words
            else:
                rx.append(endpoint.idle_word(cycle))
                words_left = endpoint.words
            if not words_left and endpoint.sending is not None:
                endpoint.frame_sent(cycle)
        try:
            for port, pins in enumerate(tx):
                if pins[0]:
                    self._receive(port, pins, cycle)
        except DeliveryError as error:
            self.failure = f"cycle {cycle}: {error}"
        self.cycles += 1
        if self._end is None:
            if not any(endpoint.left for endpoint in self.endpoints):
                self._end = self.cycles + DRAIN_CYCLES
            elif cycle % _WATCHDOG_CHECK == 0:
                self._watch(cycle)
        return Inputs((*rx, *self._idle), self._ready)

    def _at(self, cycle: int, action: Callable[[int], None]) -> None:
        self._timer_count += 1
        heapq.heappush(self._timers, (cycle, self._timer_count, action))

    def _receive(self, port: int, pins: TxPins, cycle: int) -> None:
        words = self._words[port]
        if pins.sop:
            if words:
                raise DeliveryError(f"port {port}: a frame begins before the last one ended")
            self._sop[port] = cycle
        elif not words:
            raise DeliveryError(f"port {port}: a word outside of a frame")
        words.append(pins.data)
        if not pins.eop:
            return
        if port >= len(self.endpoints):
            raise DeliveryError(f"port {port}: a frame came to a port without a rank")
        count = len(words)
        frame = join_words(words, self.config.word_bytes)
        words.clear()
        frame = frame[: len(frame) - pins.empty]
        header, traffic = self.endpoints[port].receive(frame, cycle)
        received = self.endpoints[header.src].frame_delivered(
            port, traffic, header.sequence, header.length
        )
        self.log.add(header.src, port, received, self._sop[port], count)
        self._progress_at = cycle

    def _watch(self, cycle: int) -> None:
        """Sets `failure` when nothing can happen any more, or has not for too long."""
        waits = [
            f"rank {endpoint.rank} in {label}"
            for endpoint in self.endpoints
            for label in endpoint.waiting()[:1]
        ]
        where = "; waiting: " + ", ".join(waits[:4]) if waits else ""
        in_flight = sum(endpoint.in_flight for endpoint in self.endpoints)
        sending = any(endpoint.can_send for endpoint in self.endpoints)
        if not (in_flight or sending or self._timers):
            self.failure = f"cycle {cycle}: deadlock: nothing is under way{where}"
        elif in_flight and cycle - self._progress_at > self.patience:
            self.failure = (
                f"cycle {cycle}: no frame has arrived for {cycle - self._progress_at} cycles, "
                f"{in_flight} are in the switch or lost{where}"
            )
