# SPDX-License-Identifier: Apache-2.0
"""A workload over links with errors or credits: a link partner stands between each rank and its
port.

The player sees what it sees without links, whole frames one word after the other; its cycles begin
when link-level retry is up at every port. With credits a frame comes to its rank when it has been
read out of the partner's buffer, in which slow ranks leave it for longer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from gavel_model.config import SwitchConfig
from gavel_model.frame import join_words, split_words
from gavel_model.pins import NO_ACCESS, Inputs, TxPins
from gavel_model.profiles import PROFILE_NAMES, PROFILES
from gavel_tb.flow_options import FlowOptions
from gavel_tb.flow_plan import FlowPlan
from gavel_tb.link_errors import LinkOptions
from gavel_tb.link_partners import LinkPartners
from gavel_tb.partner.classes import vc_by_class
from gavel_tb.partner.receiver import Arrival
from gavel_tb.partner.sender import SenderState
from gavel_tb.readers import Readers
from gavel_tb.stimulus import CheckError
from gavel_tb.workload.errors import WorkloadError
from gavel_tb.workload.player import Player

DEFAULT_DELAY = 20
"""Cycles of a link, each way."""

_SILENT = TxPins(up=1)
_PATIENCE_TIMERS = 64


def link_window(config: SwitchConfig, window: int | None) -> int:
    """Cells that an endpoint may have outstanding where frames are sent again: one of these takes
    cells until it is dropped, so a longest frame must find room beside the window.

    Raises
    ------
    WorkloadError
        If ``window`` leaves no such room.
    """
    most = config.buffer_cells - config.max_frame_cells
    if window is None:
        return most
    if window > most:
        raise WorkloadError(f"window = {window}: must be at most {most} cells where links have "
                            "errors, so that a frame that is sent again finds room")
    return window


class LinkedPlayer:
    """Stimulus of a workload over links, and observer of the rules on them.

    Parameters
    ----------
    player
        What is played; its window is one of `link_window`.
    options
        Of each direction of each link.
    seed
        Of the errors.
    flow
        Credits, and how fast ranks read; None: there are no credits.

    Raises
    ------
    ValueError
        As `FlowPlan`.
    """

    def __init__(
        self, player: Player, options: LinkOptions, seed: int, flow: FlowOptions | None = None
    ) -> None:
        config = player.config
        self.player = player
        longest = player.frames.frame_bytes(player.frames.mtu)
        plan = vc_of = None
        if flow is not None:
            plan = FlowPlan(config, flow, options, longest, errors_free=not options.bit_errors)
            profile = PROFILES[PROFILE_NAMES.index(config.profile)]
            vc_of = vc_by_class(plan.partner(0), profile)
        self.around = LinkPartners(config, options, seed=seed, stalls=False, rules=True,
                                   longest_words=-(-longest // config.word_bytes), plan=plan,
                                   vc_of=vc_of)
        player.patience += _PATIENCE_TIMERS * self.around.timer
        self._readers: Readers | None = None
        if flow is not None:
            player.patience = int(player.patience / flow.slow_rate)
            self._readers = Readers(self.around.partners, flow, config.vcs)
            for port, partner in enumerate(self.around.partners):
                assert partner.flow is not None
                partner.flow.buffer.read = self._reader(port)
        self._word_bytes = config.word_bytes
        self._setup = deque(self.around.writes)
        self._up = False
        self._delivered: list[deque[TxPins]] = [deque() for _ in range(config.ports)]
        self._sending: list[list[int]] = [[] for _ in range(config.ports)]
        self._cycle = 0
        # An INIT that the switch does not listen to yet is repeated only much later.
        self.around.silence(len(self._setup) + 4)

    @property
    def finished(self) -> bool:
        """Every operation is complete, or something failed."""
        return self.player.finished

    @property
    def progress(self) -> float:
        """Share of the message bytes that have arrived, 0...1."""
        return self.player.progress

    def step(self, cycle: int, tx: Sequence[TxPins]) -> Inputs:
        """Inputs of a cycle."""
        access = self._setup.popleft() if self._setup else NO_ACCESS
        rx, ready, ctl_ready = self.around.step(tx)
        if self._readers is None:
            for port, arrival in self.around.arrived:
                self._deliver(port, arrival.data)
        elif cycle >= self._readers.due:
            self._readers.step(cycle)
        self.around.arrived.clear()
        if not self._up:
            self._up = all(partner.sender.state is SenderState.ADVANCE
                           for partner in self.around.partners)
        else:
            shown = [words.popleft() if words else _SILENT for words in self._delivered]
            given = self.player.step(self._cycle, shown)
            self._cycle += 1
            for port, pins in enumerate(given.rx):
                if pins.valid:
                    words = self._sending[port]
                    words.append(pins.data)
                    if pins.eop:
                        data = join_words(words, self._word_bytes)
                        self.around.partners[port].send(data[: len(data) - pins.empty])
                        words.clear()
        return Inputs(rx, ready, access, 0, ctl_ready)

    def _reader(self, port: int) -> Callable[[Arrival], None]:
        return lambda arrival: self._deliver(port, arrival.data)

    def _deliver(self, port: int, data: bytes) -> None:
        values = split_words(data, self._word_bytes)
        last = len(values) - 1
        self._delivered[port].extend(
            TxPins(1, int(n == 0), int(n == last), 0,
                   -len(data) % self._word_bytes if n == last else 0, up=1, data=value)
            for n, value in enumerate(values)
        )

    def observe(self, cycle: int, inputs: Inputs, tx: Sequence[TxPins]) -> None:
        """Checks the rules of link-level retry and flow control in a cycle.

        Raises
        ------
        CheckError
            If the switch breaks one.
        """
        self.around.observe(cycle, inputs, tx)

    def figures(self) -> dict[str, Any]:
        """Errors that the links made, and replays of the far ends."""
        errors = self.around.errors()
        given_up = sum(len(partner.sender.lost) for partner in self.around.partners)
        if given_up:
            raise CheckError(f"{given_up} frames were given up by the partners")
        return {
            "errors_injected": sum(errors.values()),
            "errors_by_kind": errors,
            "partner_replays": sum(partner.sender.replays for partner in self.around.partners),
        }
