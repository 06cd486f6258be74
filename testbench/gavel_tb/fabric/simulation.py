# SPDX-License-Identifier: Apache-2.0
"""Switches, accelerators and lines, and the loop that runs them.

What a node puts on a line arrives ``delay`` >= 1 cycles later, so nodes run by themselves for as
many cycles as the shortest link has, in any order, and a node that is at rest until later does not
run at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from gavel_model.alarm import NEVER
from gavel_model.pins import RegisterPins
from gavel_tb.fabric.accelerator import Accelerator
from gavel_tb.fabric.attachment import PlainPort, RetryPort
from gavel_tb.fabric.block_node import BlockSwitchNode
from gavel_tb.fabric.bring_up import BringUp
from gavel_tb.fabric.diagnosis import diagnose, why_stuck
from gavel_tb.fabric.frames import FabricFrames
from gavel_tb.fabric.line import Line, Node
from gavel_tb.fabric.network import Cable, End, Network, SwitchPlan
from gavel_tb.fabric.operations import CollectiveProgram
from gavel_tb.fabric.options import MAX_WINDOW, FabricOptions
from gavel_tb.fabric.record import Record
from gavel_tb.fabric.switch_node import SwitchNode
from gavel_tb.lossy_link import LossyLink
from gavel_tb.stimulus import derived_random
from gavel_tb.workload.errors import WorkloadError

_DRAIN_CYCLES = 64
_PATIENCE_TIMERS = 64
_PROGRESS_WINDOWS = 64

class MakeSwitch(Protocol):
    """Makes a switch: `SwitchNode`, or what takes its place."""

    def __call__(
        self, plan: SwitchPlan, writes: Sequence[RegisterPins], retrying: Sequence[int], *,
        skipping: bool,
    ) -> SwitchNode | BlockSwitchNode:
        """The switch of a plan."""
        ...


Progress = Callable[[float, int], None]
"""Called now and then with the share done, 0...1, and the cycle."""


class Fabric:
    """A network under a collective.

    Parameters
    ----------
    network, program, options
        What is played how.
    cables
        How ends are really joined, for tests of what finds a swapped cable; None: as planned.
    make_switch
        Makes the switches.

    Attributes
    ----------
    switches, accelerators, lines
        The nodes, and both directions of every cable.
    frames
        Frame format.
    begin_at
        Cycle in which the ranks begin: that in which every link is up; None: not yet.
    cycles
        Length of the run, from ``begin_at`` on.
    failure
        What was wrong, or None.

    Raises
    ------
    WorkloadError
        An option that does not fit the network.
    """

    def __init__(
        self, network: Network, program: CollectiveProgram, options: FabricOptions,
        cables: Sequence[Cable] | None = None, make_switch: MakeSwitch = SwitchNode,
    ) -> None:
        self.network = network
        self.program = program
        self.options = options
        self.cables = list(network.cables if cables is None else cables)
        config = network.switches[0].config
        self.frames = FabricFrames(config, network, options.mtu, options.seed)
        self.window = self._window(config.buffer_cells)
        self.record = Record()
        self.begin_at: int | None = None
        self.cycles = 0
        self.failure: str | None = None
        shortest = min(cable.delay for cable in self.cables)
        self._block = shortest if options.block is None else options.block
        if not 1 <= self._block <= shortest:
            raise WorkloadError(f"block = {options.block}: must be in 1...{shortest}, the delay of "
                                "the shortest link")
        self._longest_delay = max(cable.delay for cable in self.cables)
        bring_up = None
        if options.retry:
            bring_up = BringUp(network, self.cables, ber=options.ber or 0.0,
                               with_credits=options.credits,
                               longest_bytes=self.frames.frame_bytes(self.frames.mtu))
        self._patience = 1000 + 4 * config.ports * (config.max_frame_words + config.latency_cycles)
        self._patience += 16 * self._longest_delay
        if bring_up is not None:
            self._patience += _PATIENCE_TIMERS * bring_up.patience
        self.switches = self._make_switches(bring_up, make_switch)
        self.accelerators = self._make_accelerators(config.vcs if options.credits else 1)
        self.nodes: list[Node] = [*self.switches, *self.accelerators]
        self.lines: list[Line] = []
        for cable in self.cables:
            self._join(cable, bring_up)

    def _window(self, buffer_cells: int) -> int | None:
        options, network = self.options, self.network
        if options.credits:
            return None
        least = self.frames.frame_cells(self.frames.mtu)
        if options.window is None:
            sharing = 1 if network.leaf_of is None else max(
                network.leaf_of.count(leaf) for leaf in set(network.leaf_of))
            return max(least, buffer_cells // sharing)
        if not least <= options.window <= MAX_WINDOW:
            raise WorkloadError(f"window = {options.window}: must be in {least}...{MAX_WINDOW} "
                                "cells, at least one frame")
        return options.window

    def _make_switches(
        self, bring_up: BringUp | None, make: MakeSwitch
    ) -> list[SwitchNode | BlockSwitchNode]:
        made = []
        for node, plan in enumerate(self.network.switches):
            ports = [end.port for cable in self.cables for end in cable[:2] if end.node == node]
            made.append(make(
                plan, bring_up.writes(node) if bring_up is not None else (),
                ports if bring_up is not None else (), skipping=self.options.skipping))
        return made

    def _make_accelerators(self, vcs: int) -> list[Accelerator]:
        made = [
            Accelerator(rank, operations, self.frames, self.network, self.options,
                        window=self.window, vcs=vcs, record=self.record)
            for rank, operations in enumerate(self.program.ranks)
        ]
        for accelerator in made:
            accelerator.peers = made
        return made

    def _join(self, cable: Cable, bring_up: BringUp | None) -> None:
        """Makes the ports of accelerators and both lines of a cable."""
        count = len(self.switches)
        for end, other in ((cable.a, cable.b), (cable.b, cable.a)):
            if end.node < count:
                continue
            owner = self.accelerators[end.node - count]
            if bring_up is None:
                owner.ports.append(PlainPort(owner, end.port, self.frames.config.word_bytes))
            else:
                settings, vc_of = bring_up.partner(other, cable.delay)
                owner.ports.append(
                    RetryPort(owner, end.port, settings, vc_of, bring_up.silent))
        for end, other in ((cable.a, cable.b), (cable.b, cable.a)):
            name = f"{self.network.end_name(end)} → {self.network.end_name(other)}"
            damage = None
            if self.options.ber:
                assert bring_up is not None
                damage = LossyLink(self.frames.config.data_width, bring_up.links(0),
                                   derived_random(self.options.seed, name))
            line = Line(name, self.nodes[other.node], other.port, cable.delay, damage)
            line.whole = bring_up is None and other.node >= count
            self.lines.append(line)
            if end.node < count:
                self.switches[end.node].lines[end.port] = line
            else:
                self.accelerators[end.node - count].ports[end.port].line = line

    def line(self, end: End) -> Line:
        """The line that begins at an end."""
        for number, cable in enumerate(self.cables):
            if end in cable[:2]:
                return self.lines[2 * number + (cable.b == end)]
        raise WorkloadError(f"{self.network.end_name(end)} has no cable")

    def run(self, progress: Progress | None = None) -> None:
        """Runs to the end, or until something is wrong: see ``failure``."""
        nodes = self.nodes
        stop = NEVER
        rounds = 0
        while True:
            start = min([node.next_at for node in nodes])
            self._begin()
            if self.begin_at is not None:
                start = min([node.next_at for node in nodes])
            if start >= min(stop, NEVER):
                break
            end = min(start + self._block, stop)
            for node in nodes:
                if node.next_at < end:
                    node.run(end)
            if self._failed():
                break
            if stop == NEVER and self._done():
                stop = self._last_completion() + 2 * self._longest_delay + _DRAIN_CYCLES
            rounds += 1
            if rounds % _PROGRESS_WINDOWS == 0:
                if progress is not None:
                    progress(self.record.frames / max(1, self._frames_due), end)
                if self._stuck(end):
                    break
        lost = any(found.in_flight for found in self.accelerators)
        if self.failure is None and (lost or not self._done()):
            self.failure = why_stuck(self, self._patience)
        if self.failure is None:
            for switch in self.switches:
                switch.catch_up(stop)
            self.cycles = stop - (self.begin_at or 0)
        else:
            self.cycles = max(0, self.record.last - (self.begin_at or 0))

    @property
    def _frames_due(self) -> int:
        return max(self.program.messages, self.program.message_bytes // self.frames.mtu)

    def _begin(self) -> None:
        """Lets the ranks begin when all links are up."""
        if self.begin_at is not None:
            return
        ups = [switch.up_at for switch in self.switches]
        ups += [port.up_at for owner in self.accelerators for port in owner.ports]
        known = [up for up in ups if up is not None]
        if len(known) < len(ups):
            return
        # As late as any node may have run by itself since, whatever the blocks are.
        begin = self.begin_at = max(known) + (self._shortest_delay if self.options.retry else 0)
        for accelerator in self.accelerators:
            accelerator.at(begin, accelerator.begin)

    @property
    def _shortest_delay(self) -> int:
        return min(cable.delay for cable in self.cables)

    def _done(self) -> bool:
        return not any(accelerator.left for accelerator in self.accelerators)

    def _last_completion(self) -> int:
        return max(accelerator.completed_at or 0 for accelerator in self.accelerators)

    def _failed(self) -> bool:
        failures = [found.failure for found in self.accelerators if found.failure is not None]
        if not failures:
            return False
        cycle, text = min(failures)
        self.failure = f"cycle {cycle}: {text}{diagnose(self)}"
        return True

    def _stuck(self, cycle: int) -> bool:
        since = max(self.record.last, self.begin_at or 0)
        return cycle - since > self._patience and (
            self.begin_at is None or any(found.in_flight for found in self.accelerators))
