# SPDX-License-Identifier: Apache-2.0
"""A switch of a fabric: the one place where a switch is stepped.

Whatever runs a switch over a block of cycles can take the place of this class: it gets what is in
the inbox up to the end of the block, and puts on its lines what its pins show meanwhile.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from gavel_model.link_tx import IDLE_UP
from gavel_model.llr_timers import TransmitterState
from gavel_model.pins import IDLE, NO_ACCESS, Inputs, RegisterPins
from gavel_model.switch import Switch
from gavel_tb.fabric.line import Inbox, Line, next_arrival
from gavel_tb.fabric.network import SwitchPlan

_READY = -1


class SwitchNode:
    """A golden model, stepped only when it has something to do.

    Parameters
    ----------
    plan
        Name, configuration and routes; the routes are there before cycle 0.
    writes
        Register writes, one a cycle from cycle 0 on.
    retrying
        Ports whose link comes up by link-level retry.
    skipping
        Cycles in which the switch is at rest are skipped; else every cycle is stepped.

    Attributes
    ----------
    next_at, inbox, run
        As `gavel_tb.fabric.line.Node`.
    lines
        Where each port's transmit pins go; None: nowhere.
    up_at
        Cycle from which on every link is up; None: not yet.
    steps
        Cycles that were stepped.
    """

    def __init__(
        self, plan: SwitchPlan, writes: Sequence[RegisterPins], retrying: Sequence[int], *,
        skipping: bool,
    ) -> None:
        self.plan = plan
        self.name = plan.name
        self.switch = switch = Switch(plan.config)
        ports = plan.config.ports
        self.inbox: Inbox = {}
        self.lines: list[Line | None] = [None] * ports
        self.next_at = 0
        self.up_at: int | None = None if retrying else 0
        self.steps = 0
        self._retrying = retrying
        self._skipping = skipping
        self._setup = deque(writes)
        self._idle = (IDLE,) * ports
        self._silent = [IDLE_UP] * ports
        self._cycle = 0
        quiet = Inputs(self._idle, _READY)
        while not switch.quiet_cycles():
            switch.step(quiet)
        switch.skip(plan.config.table_init_cycles)
        switch.registers.load_routes(plan.routes)
        switch.step(quiet)

    def run(self, end: int) -> None:
        """Goes on to cycle ``end``."""
        switch, inbox, lines, setup, silent = (
            self.switch, self.inbox, self.lines, self._setup, self._silent)
        cycle = self.next_at
        while cycle < end:
            if cycle > self._cycle:
                switch.skip(cycle - self._cycle)
            tx = switch.tx
            if tx != silent:
                for port, pins in enumerate(tx):
                    if pins is not IDLE_UP and (pins[0] or pins[7]):
                        line = lines[port]
                        if line is not None:
                            line.put(cycle, pins)
            rx = self._idle
            arrived = inbox.pop(cycle, None)
            if arrived is not None:
                found = list(rx)
                for port, received in arrived:
                    found[port] = received
                rx = tuple(found)
            switch.step(Inputs(rx, _READY, setup.popleft() if setup else NO_ACCESS))
            self.steps += 1
            cycle += 1
            self._cycle = cycle
            if self.up_at is None:
                self._look_whether_up()
            if self._skipping and not setup and cycle not in inbox and switch.tx == silent:
                quiet = switch.quiet_cycles()
                if quiet:
                    cycle = min(cycle + quiet, next_arrival(inbox))
        self.next_at = cycle

    def catch_up(self, cycle: int) -> None:
        """Brings the model to a cycle before which it has nothing to do."""
        if cycle > self._cycle:
            self.switch.skip(cycle - self._cycle)
            self._cycle = cycle

    def _look_whether_up(self) -> None:
        ports = self.switch.ports
        if not self._setup and all(
            ports[n].llr_transmitter.state is TransmitterState.ADVANCE for n in self._retrying
        ):
            self.up_at = self._cycle

    def counters(self, port: int) -> list[int]:
        """Counters of a port."""
        return self.switch.ports[port].counters.values

    def route(self, number: int) -> int | None:
        """Port that the direct table gives for an ID; None: there is no route."""
        entry = self.switch.lookup.direct[number]
        return entry.port if entry.valid else None

    def reroute(self, number: int, port: int | None) -> None:
        """Changes a route: for tests of what finds a wrong one."""
        direct = self.switch.lookup.direct
        direct[number] = direct[number]._replace(valid=int(port is not None), port=port or 0)
