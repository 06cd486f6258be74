# SPDX-License-Identifier: Apache-2.0
"""Drives a self-test over its registers, and judges what it says; on a board as in simulation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gavel_model.selftest_format import LINE_RATE
from gavel_model.selftest_map import (
    SELF_TEST_VALUE,
    SelfTestFault,
    SelfTestInject,
    SelfTestMode,
    SelfTestPayload,
)
from gavel_tb.errors import SimulationError

_GOLDEN = 0x9E37_79B9
"""2**32 divided by the golden ratio: seeds of ports are far apart."""

_LARGEST_ERRORS = (1 << 32) - 1
_ERRORS = ("bad_fcs", "header_errors", "payload_errors", "lost", "out_of_order")


@dataclass(frozen=True)
class SelfTestPlan:
    """What all generators are to do.

    Attributes
    ----------
    mode
        What is tested.
    load
        Share of line rate, 0...1.
    pattern
        ``uniform``; ``turn``, every port after the other; ``rotate``, port p to p + ``shift``; or
        ``port``, all to port ``shift``. Mode `SelfTestMode.LINK` ignores it: frames come back
        to where they were sent.
    shortest, longest
        Bytes, FCS included.
    payload, seed
        Kind of payload; what all seeds follow from.
    every, inject
        Every so many frames one is spoilt, 0 none; how.
    """

    mode: SelfTestMode = SelfTestMode.INTERNAL
    load: float = 0.9
    pattern: str = "uniform"
    shift: int = 1
    shortest: int = 64
    longest: int = 1500
    payload: SelfTestPayload = SelfTestPayload.PRBS
    seed: int = 1
    every: int = 0
    inject: SelfTestFault = SelfTestFault.FCS

    def destinations(self, port: int, ports: int) -> int:
        """Mask of the ports that a port sends to."""
        if self.mode is SelfTestMode.LINK:
            return 1 << port
        if self.pattern == "rotate":
            return 1 << (port + self.shift) % ports
        return 1 << self.shift if self.pattern == "port" else (1 << ports) - 1


@dataclass(frozen=True)
class PortResult:
    """What a port's registers say; errors by the names of their registers, in small letters."""

    port: int
    sent: int
    injected: int
    frames: int
    bytes: int
    latency_min: int
    latency_mean: float
    latency_max: int
    bad_fcs: int
    header_errors: int
    payload_errors: int
    lost: int
    out_of_order: int
    first_error: str | None


class SelfTestDriver:
    """A self-test.

    Parameters
    ----------
    registers
        Of PeakRDL: `gavel_tb.selftest_registers.open_registers`.
    ports, classes
        Of the switch: P, and the classes that its header profile can name.

    Raises
    ------
    SimulationError
        There is no self-test at these registers.
    """

    def __init__(self, registers: Any, ports: int, classes: int) -> None:
        self._registers = registers
        self._ports, self._classes = ports, classes
        self._plan = SelfTestPlan()
        if registers.SELF_TEST.read() != SELF_TEST_VALUE:
            raise SimulationError("no self-test at these registers: build with self_test")

    def prepare(self, plan: SelfTestPlan) -> None:
        """Stops, sets all ports up, and clears."""
        registers = self._registers
        registers.CONTROL.write(0)
        for number in range(self._ports):
            port = registers.PORT[number]
            destinations = plan.destinations(number, self._ports)
            port.MODE.write(int(plan.mode))
            port.ORDER.write(int(plan.pattern == "uniform"))
            port.DESTINATIONS.write(destinations & 0xFFFF_FFFF)
            if self._ports > 32:
                port.DESTINATIONS_HI.write(destinations >> 32)
            port.CLASSES.write((1 << self._classes) - 1)
            port.LENGTH.write_fields(shortest=plan.shortest, longest=plan.longest)
            port.LOAD.write(round(plan.load * LINE_RATE))
            port.PAYLOAD.write(int(plan.payload))
            port.SEED.write((plan.seed * (number + 1) * _GOLDEN) & 0xFFFF_FFFF)
            port.COUNT.write(0)
            port.INJECT.write(plan.every | int(plan.inject) << SelfTestInject.HOW)
        self._plan = plan
        registers.CONTROL.write(2)

    def start(self) -> int:
        """All generators begin; the cycle, about."""
        self._registers.CONTROL.write(1)
        return self.cycles

    def stop(self) -> int:
        """Frames begun go to their end; the cycle, about."""
        self._registers.CONTROL.write(0)
        return self.cycles

    @property
    def cycles(self) -> int:
        """Cycles since reset."""
        return self._wide(self._registers, "CYCLES")

    @property
    def under_way(self) -> bool:
        """A generator is busy."""
        return bool(self._registers.BUSY.read())

    @property
    def frames(self) -> int:
        """Frames that have come to the checkers."""
        return sum(self._wide(self._registers.PORT[number], "FRAMES")
                   for number in range(self._ports))

    def results(self) -> list[PortResult]:
        """Of each port."""
        return [self._result(number) for number in range(self._ports)]

    def _result(self, number: int) -> PortResult:
        port = self._registers.PORT[number]
        sent, frames, octets, total = (self._wide(port, name)
                                       for name in ("SENT", "FRAMES", "BYTES", "LATENCY_SUM"))
        errors = {name: getattr(port, name.upper()).read() for name in _ERRORS}
        # Those that have no latency.
        timed = frames - errors["header_errors"] - min(errors["bad_fcs"], frames)
        return PortResult(
            port=number, sent=sent,
            injected=sent // self._plan.every if self._plan.every else 0, frames=frames,
            bytes=octets, latency_min=port.LATENCY_MIN.read() if timed else 0,
            latency_mean=total / timed if timed else 0.0, latency_max=port.LATENCY_MAX.read(),
            **errors, first_error=self._first_error(port))

    @staticmethod
    def _first_error(port: Any) -> str | None:
        fields = port.FIRST_ERROR.read_fields()
        if not fields["valid"]:
            return None
        kind = fields["kind"].name.lower().replace("_", " ")
        return (f"{kind}, frame {fields['sequence']} of port {fields['source']}, "
                f"cycle {port.FIRST_ERROR_CYCLE.read()}")

    @staticmethod
    def _wide(node: Any, name: str) -> int:
        low = int(getattr(node, name).read())
        return low | int(getattr(node, f"{name}_HI").read()) << 32


def verdict(plan: SelfTestPlan, results: list[PortResult]) -> list[str]:
    """What is wrong beyond what was injected, after all has come; nothing: the test passed."""
    total = {name: sum(getattr(result, name) for result in results)
             for name in ("sent", "frames", "injected", *_ERRORS)}
    spoilt = total["injected"]
    on_link = plan.mode is SelfTestMode.LINK
    allowed = dict.fromkeys(_ERRORS, 0)
    missing = total["sent"] - total["frames"]
    if plan.inject is SelfTestFault.FCS:
        # The switch drops them, and a checker that gets them must not trust their numbers: both
        # leave gaps, but for the last of a flow.
        missing -= 0 if on_link else spoilt
        allowed["bad_fcs"] = spoilt if on_link else 0
        allowed["lost"] = min(total["lost"], spoilt)
    elif plan.inject is SelfTestFault.PAYLOAD:
        allowed["payload_errors"] = spoilt
    else:
        allowed["lost"] = spoilt
    found = [f"{total[name]:,} {name.replace('_', ' ')} instead of {count:,}"
             for name, count in allowed.items()
             if total[name] != min(count, _LARGEST_ERRORS)]
    if missing:
        found.append(f"{missing:,} frames never came" if missing > 0
                     else f"{-missing:,} frames more than were sent")
    if not total["frames"]:
        found.append("no frame came")
    return found
