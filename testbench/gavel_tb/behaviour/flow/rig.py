# SPDX-License-Identifier: Apache-2.0
"""What stands around the switch in a scenario of flow control: an end at each port, registers."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, ClassVar

from gavel_model.config import SwitchConfig
from gavel_model.pins import NO_ACCESS, Inputs, RegisterPins, TxPins
from gavel_model.register_map import LLR_CONTROL_RESET, LlrControl, Port, port_address
from gavel_tb.behaviour.flow.end import End
from gavel_tb.behaviour.flow.plan import EndPlan, agreement, flow_writes, llr_writes
from gavel_tb.behaviour.ledger import Ledger
from gavel_tb.behaviour.steps import Script
from gavel_tb.behaviour.switches import NO_LIMIT, REPLAY_TIMER

_AFTER_WRITES = 2
"""Cycles after the last write has had its effect."""


class FlowRig:
    """Stimulus and observer, driven by the script of a subclass.

    Parameters
    ----------
    config
        A switch of `behaviour_config`.
    seed
        Of payloads.

    Attributes
    ----------
    SWITCH, WIDTHS
        The switches on which the scenario is played.
    LINKS
        Ports with a link partner; at the others the script plays the peer.
    CREDITS
        Mask of the VCs with credits at the ports of ``LINKS``.
    LLR, PROTECT, DELAY, REPLAY_TIMER, REPLAY_COUNT
        Settings of the links.
    ends
        What stands at each port.
    ledger
        Where the frames are.
    now
        The current cycle.
    reset
        In the next cycle.
    figures
        What was measured.
    """

    SWITCH: ClassVar[str] = "flow"
    WIDTHS: ClassVar[tuple[int, ...]] = (64, 512)
    LINKS: ClassVar[tuple[int, ...]] = ()
    CREDITS: ClassVar[int] = 0b1111
    LLR: ClassVar[bool] = True
    PROTECT: ClassVar[bool] = True
    DELAY: ClassVar[int] = 10
    REPLAY_TIMER: ClassVar[int] = REPLAY_TIMER
    REPLAY_COUNT: ClassVar[int] = NO_LIMIT

    def __init__(self, config: SwitchConfig, seed: int) -> None:
        self.config = config
        self.seed = seed
        self.word_bytes = config.word_bytes
        self.now = 0
        self.reset = 0
        self.figures: dict[str, Any] = {}
        self.ledger = Ledger(config, seed)
        self.ends = [
            End(config, port, self._plan(port), self.ledger, timer=self._timer(), seed=seed)
            for port in range(config.ports)
        ]
        self._accesses: deque[RegisterPins] = deque()
        self._script = self._play()
        self._ended = False

    def _play(self) -> Script:
        """What is done."""
        raise NotImplementedError

    def _timer(self) -> int:
        """Replay timer of both ends, cycles."""
        return self.REPLAY_TIMER

    def _plan(self, port: int) -> EndPlan:
        """What stands at a port."""
        if port not in self.LINKS:
            return EndPlan(flow=agreement(self.config, port), protect=self.PROTECT)
        return EndPlan(flow=agreement(self.config, port, credited=self.CREDITS), partner=True,
                       llr=self.LLR, protect=self.PROTECT, delay=self.DELAY)

    @property
    def finished(self) -> bool:
        """The script has come to its end."""
        return self._ended

    def step(self, cycle: int, tx: Sequence[TxPins]) -> Inputs:
        """Inputs of a cycle."""
        self.now = cycle
        access = self._accesses.popleft() if self._accesses else NO_ACCESS
        ready = ctl_ready = 0
        for end in self.ends:
            ready |= end.ready << end.port
            ctl_ready |= end.ctl_ready << end.port
        rx = tuple([end.step(pins) for end, pins in zip(self.ends, tx, strict=True)])
        return Inputs(rx, ready, access, self.reset, ctl_ready)

    def observe(self, cycle: int, inputs: Inputs, tx: Sequence[TxPins]) -> None:
        """Looks at a cycle, and makes a step of the script."""
        if inputs.reset:
            for end in self.ends:
                end.log.restart()
                end.watch()
        else:
            ready, ctl_ready = inputs.ready, inputs.ctl_ready
            for end, received, pins in zip(self.ends, inputs.rx, tx, strict=True):
                end.observe(cycle, received, pins, ready >> end.port & 1,
                            ctl_ready >> end.port & 1)
        if next(self._script, self) is self:
            self._ended = True

    # Registers.

    def write(self, port: int, offset: int, value: int) -> None:
        """Writes a register as soon as the writes before it are done."""
        self._accesses.append(RegisterPins(port_address(port, offset), value, 1))

    def written(self) -> Script:
        """Waits until all writes are done and have their effect."""
        while self._accesses:
            yield
        for _ in range(self.config.write_cycles + _AFTER_WRITES):
            yield

    @staticmethod
    def llr_control(plan: EndPlan, *, on: bool) -> int:
        """Value of ``LLR_CONTROL`` of a port, both directions on or off."""
        both = 1 << LlrControl.LOCAL | 1 << LlrControl.REMOTE
        rest = LLR_CONTROL_RESET & ~(1 << LlrControl.PROTECT)
        return rest | (both if on else 0) | plan.protect << LlrControl.PROTECT

    def write_settings(self, end: End) -> None:
        """Writes all settings of a port."""
        plan = end.plan
        if not plan.protect:
            # Before the first CF_Update.
            self.write(end.port, Port.LLR_CONTROL, self.llr_control(plan, on=False))
        for offset, value in flow_writes(self.config, plan):
            self.write(end.port, offset, value)
        if plan.llr:
            control = self.llr_control(plan, on=True)
            for offset, value in llr_writes(control, self._timer(), self.REPLAY_COUNT):
                self.write(end.port, offset, value)

    @property
    def writes_left(self) -> int:
        """Writes that are still to be done."""
        return len(self._accesses)
