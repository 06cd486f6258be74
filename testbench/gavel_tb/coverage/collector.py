# SPDX-License-Identifier: Apache-2.0
"""Functional coverage of one run, from the pins and from the golden model in lockstep."""

from __future__ import annotations

from collections.abc import Sequence

from gavel_model.config import MIN_FRAME_BYTES, SwitchConfig
from gavel_model.pins import Inputs, TxPins
from gavel_model.profiles import PROFILE_NAMES
from gavel_model.received_frame import ReceivedFrame
from gavel_model.register_map import CLASS_FROM_SHIFT, DROPS, ClassFrom, Counter
from gavel_model.register_map import Port as Offset
from gavel_model.stall_account import STALLS, STATES
from gavel_model.switch import Switch
from gavel_tb.coverage.bins import BINS, ENDS, LENGTHS, LEVELS, POINTER_PORTS, VCS
from gavel_tb.coverage.pins import PinCoverage
from gavel_tb.coverage.retry import PortCoverage
from gavel_tb.stalls import StallAccount

SAMPLE_CYCLES = 16
"""Levels are looked at once in so many cycles."""

_PROFILE_MASK = 15
_QUARTER, _MOST, _NEARLY_ALL = 0.25, 0.75, 0.95
_SOURCES = {ClassFrom.PROFILE: "profile", ClassFrom.PCP_DEI: "priority code point",
            ClassFrom.DSCP: "DSCP"}


class Collector:
    """Counts how often each bin is hit: an observer of the pins, and a watch of the model.

    Parameters
    ----------
    pattern
        The bin of ``pattern`` that the run belongs to.
    """

    def __init__(self, config: SwitchConfig, pattern: str = "scenario") -> None:
        self._config = config
        self._pattern = pattern
        self._counts: dict[str, int] = {f"pattern.{pattern}": 1}
        self._pins = PinCoverage(config, self.hit)
        self._ports = [PortCoverage(config, self.hit) for _ in range(config.ports)]
        self._stalls = StallAccount(config)
        self._switch: Switch | None = None
        self._counted = [0] * len(Counter)
        self._pointers = (-1, -1)
        self._catch_up = 0

    def hit(self, name: str, times: int = 1) -> None:
        """Counts a hit.

        Raises
        ------
        KeyError
            For a bin that is not in the table.
        """
        if name not in BINS:
            raise KeyError(f"no coverage bin {name!r}")
        self._counts[name] = self._counts.get(name, 0) + times

    def observe(self, cycle: int, inputs: Inputs, tx: Sequence[TxPins]) -> None:
        """Sees the pins of a cycle."""
        self._pins.observe(inputs, tx)
        if inputs.reset and self._switch is not None:
            self._reset(self._switch)

    def watch(self, switch: Switch) -> None:
        """Sees the model in a cycle, before it is stepped through it."""
        self._switch = switch
        self._stalls.watch(switch)
        for port, frame in switch.arrived:
            if not frame.reason:
                self._frame(frame, port.settings[Offset.PROFILE])
        if switch.matches:
            self._match(switch)
        for port, coverage in zip(switch.ports, self._ports, strict=True):
            coverage.watch(port)
        if switch.scheduler.catch_up_packed != self._catch_up:
            self._catch_up_changes(switch.scheduler.catch_up_packed)
        if not switch.cycle % SAMPLE_CYCLES:
            self._sample(switch)

    def counts(self) -> dict[str, int]:
        """Hits of each bin that was hit, in the order of the table. To be called at the end."""
        if self._switch is not None:
            self._take_counters(self._switch)
        for output in self._stalls.figures()["totals"]:
            for vc, cycles in enumerate(output):
                for state, number in zip(STATES, cycles, strict=True):
                    if number and state in STALLS:
                        self.hit(f"stall.{state}", number)
                        self.hit(f"stall_vc.{state}/{vc_bin(vc)}", number)
        return {name: self._counts[name] for name in BINS if name in self._counts}

    def _frame(self, frame: ReceivedFrame, setting: int) -> None:
        config, length = self._config, frame.length
        size = (LENGTHS[0] if length == MIN_FRAME_BYTES
                else LENGTHS[4] if length == config.max_frame_bytes
                else LENGTHS[1] if length < 128
                else LENGTHS[2] if length < 512 else LENGTHS[3])
        self.hit(f"length.{size}")
        self.hit(f"word_end.{_end(length, config.word_bytes)}")
        self.hit(f"cell_end.{_end(length, config.cell_bytes)}")
        vc = vc_bin(frame.vc)
        self.hit(f"vc.{vc}")
        self.hit("vc_source." + _SOURCES.get(ClassFrom(setting >> CLASS_FROM_SHIFT & 3)
                                             if setting >> CLASS_FROM_SHIFT & 3 in _SOURCES
                                             else ClassFrom.PROFILE, "profile"))
        number = setting & _PROFILE_MASK
        if number < len(PROFILE_NAMES):
            profile = PROFILE_NAMES[number]
            self.hit(f"profile.{profile}")
            name = f"frame.{size}/{vc}/{profile}"
            # A wider class map of a narrow profile is possible by VC_MAP, and no bin.
            if name in BINS:
                self.hit(name)

    def _match(self, switch: Switch) -> None:
        matches, ports = switch.matches, self._config.ports
        number = len(matches)
        self.hit("matches." + (str(number) if number < 4 else "4..."))
        if number == ports:
            self.hit("matches.all ports")
        scheduler = switch.scheduler
        for i, j, v in matches:
            self.hit("route.back to its port" if i == j else "route.to another port")
            rule = ("strict" if scheduler.strict[j] >> v & 1
                    else "turns" if scheduler.weights[j] is None else "weights")
            self.hit(f"match_rule.{rule}")
        pointers = scheduler.grant_packed, scheduler.accept_packed
        if ports in POINTER_PORTS and pointers != self._pointers:
            self._pointers = pointers
            for kind, positions in (("grant", scheduler.grant), ("accept", scheduler.accept)):
                for position in set(positions):
                    self.hit(f"{kind}_pointer.{position} of {ports}")

    def _catch_up_changes(self, packed: int) -> None:
        ports = self._config.ports
        mask = (1 << ports) - 1
        for j in range(ports):
            before, after = self._catch_up >> j * ports & mask, packed >> j * ports & mask
            if bool(before) != bool(after):
                self.hit("catch_up.begins" if after else "catch_up.ends")
        self._catch_up = packed

    def _sample(self, switch: Switch) -> None:
        share = max(port.occupied_cells for port in switch.ports) / self._config.buffer_cells
        level = LEVELS[sum((share > 0, share >= _QUARTER, share >= _MOST, share >= _NEARLY_ALL))]
        self.hit(f"level.{level}")
        self.hit(f"load.{self._pattern}/{level}")
        for inputs in switch.scheduler.filled:
            wanted = inputs.bit_count()
            if wanted:
                self.hit("wanted." + (str(wanted) if wanted < 3 else "3..."))
                if wanted == self._config.ports:
                    self.hit("wanted.all")

    def _reset(self, switch: Switch) -> None:
        """A reset is on the pins: the model forgets at the end of the cycle."""
        self._take_counters(switch)
        self._counted = [0] * len(Counter)
        receiving = any(port.link_rx.open for port in switch.ports)
        sending = bool(switch.reading)
        retrying = any(port.retrying for port in switch.ports)
        for name, true in (("reception", receiving), ("transmission", sending),
                           ("retry", retrying),
                           ("silence", not (receiving or sending or retrying))):
            if true:
                self.hit(f"reset.{name}")

    def _take_counters(self, switch: Switch) -> None:
        """What the counters have counted since they were last taken, or reset."""
        for counter in Counter:
            total = sum(port.counters[counter] for port in switch.ports)
            new = total - self._counted[counter]
            self._counted[counter] = total
            if new > 0:
                self.hit(f"counter.{counter.name}", new)
                if counter in DROPS:
                    self.hit(f"drop.{counter.name}", new)


def vc_bin(vc: int) -> str:
    """The bin of ``vc`` that a VC belongs to."""
    return VCS[min(vc, len(VCS) - 1)]


def _end(length: int, unit: int) -> str:
    over = length % unit
    return ENDS[0 if not over else 1 if over == 1 else 2 if over == unit - 1 else 3]
