# SPDX-License-Identifier: Apache-2.0
"""A switch of a fabric that runs in blocks of cycles: takes the place of `SwitchNode`."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from gavel_fast.pin_block import InputBlock, OutputBlock, input_block, output_block
from gavel_model.config import SwitchConfig
from gavel_model.llr_timers import TransmitterState
from gavel_model.pins import RegisterPins
from gavel_model.probes import probe_points
from gavel_model.register_map import ENTRY_VALID, Global
from gavel_tb.fabric.block_pins import clear, fill, shown
from gavel_tb.fabric.line import Inbox, Line
from gavel_tb.fabric.network import SwitchPlan

_ROWS = 256
"""Cycles of a block while the routes are written."""

_STATE = 7
"""Bits of probe point ``llr_tx`` that are the state."""


class BlockEngine(Protocol):
    """A switch with the interface of `gavel_fast.switch.FastSwitch`."""

    def run(self, inputs: InputBlock, outputs: OutputBlock) -> None:
        """Steps as many cycles as there are rows."""
        ...

    def counters(self) -> npt.NDArray[np.uint32]:
        """Counters, (P, `gavel_model.register_map.COUNTERS`)."""
        ...

    def probe_values(self) -> list[int]:
        """Probe points in the current cycle."""
        ...


class BlockSwitchNode:
    """Runs every cycle, in blocks as long as the shortest link; routes are written through the
    registers before cycle 0. Parameters and attributes are those of `SwitchNode`, but for
    ``skipping``, which it does not need, and ``engine``, which makes the switch.
    """

    def __init__(
        self, plan: SwitchPlan, writes: Sequence[RegisterPins], retrying: Sequence[int], *,
        engine: Callable[[SwitchConfig], BlockEngine], skipping: bool = True,
    ) -> None:
        config = plan.config
        self.plan = plan
        self.name = plan.name
        self.inbox: Inbox = {}
        self.lines: list[Line | None] = [None] * config.ports
        self.next_at = 0
        self.up_at: int | None = None if retrying else 0
        self.steps = 0
        self._engine = engine(config)
        self._routes = dict(plan.routes)
        names = [point.name for point in probe_points(config)]
        self._states = [names.index(f"p{port}.llr_tx") for port in retrying]
        self._setup: deque[RegisterPins] = deque()
        self._wrote = False
        self._blocks: dict[int, tuple[InputBlock, OutputBlock]] = {}
        self._idle(config.table_init_cycles)
        for number, port in plan.routes.items():
            self._setup += _route_writes(number, port)
        self._idle(len(self._setup) + 2)
        self._setup += writes

    def run(self, end: int) -> None:
        """Goes on to cycle ``end``."""
        while self.next_at < end:
            # The cycle in which retry is up must not depend on the length of the blocks.
            rows = end - self.next_at if self.up_at is not None else 1
            self._run_block(self.next_at, rows)
            self.next_at += rows
            self.steps += rows
            if self.up_at is None:
                self._look_whether_up()

    def catch_up(self, cycle: int) -> None:
        """Goes on to a cycle before which nothing comes."""
        self.run(cycle)

    def _idle(self, cycles: int) -> None:
        for start in range(0, cycles, _ROWS):
            self._run_block(-1, min(_ROWS, cycles - start))

    def _run_block(self, start: int, rows: int) -> None:
        """Cycles from ``start`` on; -1: before there are any, so nothing goes out."""
        blocks = self._blocks.get(rows)
        if blocks is None:
            config = self.plan.config
            blocks = self._blocks[rows] = input_block(config, rows), output_block(config, rows)
        inputs, outputs = blocks
        inbox = self.inbox
        touched = fill(inputs, [
            (row, port, pins) for row in range(rows if start >= 0 and inbox else 0)
            for port, pins in inbox.pop(start + row, ())
        ])
        setup = self._setup
        if setup or self._wrote:
            inputs.register[:] = 0
            self._wrote = bool(setup)
            for row in range(min(rows, len(setup))):
                access = setup.popleft()
                inputs.register[row] = access.addr | access.wdata << 16 | access.we << 48
        self._engine.run(inputs, outputs)
        clear(inputs, touched)
        if start >= 0:
            for row, port, sent in shown(outputs):
                line = self.lines[port]
                if line is not None:
                    line.put(start + row, sent)

    def _look_whether_up(self) -> None:
        if self._setup:
            return
        probes = self._engine.probe_values()
        if all(probes[place] & _STATE == TransmitterState.ADVANCE for place in self._states):
            self.up_at = self.next_at

    def counters(self, port: int) -> list[int]:
        """Counters of a port."""
        return [int(value) for value in self._engine.counters()[port]]

    def route(self, number: int) -> int | None:
        """Port that the direct table gives for an ID; None: there is no route."""
        return self._routes.get(number)

    def reroute(self, number: int, port: int | None) -> None:
        """Changes a route, two cycles later: for tests of what finds a wrong one."""
        self._setup += _route_writes(number, port)
        if port is None:
            self._routes.pop(number, None)
        else:
            self._routes[number] = port


def _route_writes(number: int, port: int | None) -> list[RegisterPins]:
    data = 0 if port is None else ENTRY_VALID | port
    return [RegisterPins(Global.ROUTE_INDEX, number, 1), RegisterPins(Global.ROUTE_DATA, data, 1)]
