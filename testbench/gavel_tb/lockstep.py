# SPDX-License-Identifier: Apache-2.0
"""RTL and golden model side by side: every pin and probe point is compared in every cycle."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cocotb.clock import Clock
from cocotb.handle import LogicObject
from cocotb.triggers import FallingEdge

from gavel_model.config import SwitchConfig
from gavel_model.pins import IDLE, Inputs, TxPins
from gavel_model.register_map import COUNTER_BITS, COUNTERS
from gavel_model.switch import Switch
from gavel_tb.difference import (
    Difference,
    pin_differences,
    probe_differences,
    register_difference,
    report,
)
from gavel_tb.harness import harness_layout
from gavel_tb.memory import Ports
from gavel_tb.packing import PinPacker, TxUnpacker, pack_register
from gavel_tb.stimulus import CheckError, Observer, Stimulus

RESET_CYCLES = 2
HISTORY = 24
PROGRESS_CYCLES = 4096

Progress = Callable[[int, float], None]
"""Called with the cycles done and the share of the work done, 0...1."""

Watch = Callable[[Switch], None]
"""Called with the model in each cycle, before it is stepped through it."""


@dataclass
class LockstepResult:
    """What a run found.

    Attributes
    ----------
    cycles
        Cycles that were simulated, without the reset before them.
    seconds
        Time that they took.
    mismatches
        0, or 1: the first difference stops the run.
    difference
        The first difference.
    check
        What an end-to-end check said, when it failed.
    report
        Text for a person, when anything failed.
    counters
        Counters of each port at the end, as read from the RTL.
    timed_out
        ``max_cycles`` passed before the stimulus was finished.
    """

    cycles: int = 0
    seconds: float = 0.0
    mismatches: int = 0
    difference: Difference | None = None
    check: str | None = None
    report: str | None = None
    counters: list[list[int]] = field(default_factory=list)
    timed_out: bool = False

    @property
    def cycles_per_second(self) -> float:
        """Simulated cycles per second of real time."""
        return self.cycles / self.seconds if self.seconds else 0.0

    @property
    def passed(self) -> bool:
        """Nothing differed, no check failed, and the stimulus came to its end."""
        return not (self.mismatches or self.check or self.timed_out)

    def as_dict(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "passed": self.passed,
            "cycles": self.cycles,
            "seconds": self.seconds,
            "cycles_per_second": self.cycles_per_second,
            "mismatches": self.mismatches,
            "difference": self.difference.as_dict() if self.difference else None,
            "check": self.check,
            "report": self.report,
            "counters": self.counters,
            "timed_out": self.timed_out,
        }


class _Rig:
    """Clock and ports of the wrapper.

    Outputs are read and inputs written at the falling edge. The switch works on rising edges
    only, and all its outputs are registers: in the middle of a cycle they have settled since half
    a period, and inputs written now settle half a period before the edge that samples them. So
    the order in which the simulator runs things within one time step cannot matter.
    """

    def __init__(self, dut: Any, config: SwitchConfig) -> None:
        self.layout = harness_layout(config)
        self.ports = Ports(self.layout)
        self.pack_rx = PinPacker(config).pack
        self._clock: LogicObject = dut.clk
        self._blank = bytes(self.ports.reg_in.size)
        self._register_idle = True
        self._everyone = (1 << config.ports) - 1
        self._ready = self._ctl_ready = -1
        self._reset = -1

    async def start(self, config: SwitchConfig) -> FallingEdge:
        """Starts the clock in reset; returns the trigger that ends in the middle of each cycle."""
        self.drive(Inputs((IDLE,) * config.ports, (1 << config.ports) - 1, reset=1))
        edge = FallingEdge(self._clock)
        Clock(self._clock, 2, unit="step").start()
        for _ in range(RESET_CYCLES):
            await edge
        return edge

    def drive(self, inputs: Inputs) -> None:
        """Writes the inputs of the current cycle."""
        ports = self.ports
        rx, ready, register, reset, ctl_ready = inputs
        ports.rx.write(self.pack_rx(rx))
        if ready != self._ready:
            self._ready = ready
            ports.tx_ready.write_int(ready)
        ctl_ready &= self._everyone
        if ctl_ready != self._ctl_ready:
            self._ctl_ready = ctl_ready
            ports.tx_ctl_ready.write_int(ctl_ready)
        if register.we or register.re:
            ports.reg_in.write_int(pack_register(register))
            self._register_idle = False
        elif not self._register_idle:
            ports.reg_in.write(self._blank)
            self._register_idle = True
        if reset != self._reset:
            self._reset = reset
            ports.rst.write_int(reset)

    def counters(self) -> list[list[int]]:
        """Counters of each port, from the probe vector."""
        packed = self.ports.probe.read()
        start = 0
        result = []
        size = COUNTER_BITS // 8
        for point, width in zip(self.layout.probes, self.layout.probe_bytes, strict=True):
            if point.name.endswith(".counters"):
                part = packed[start : start + width]
                result.append([
                    int.from_bytes(part[n * size : (n + 1) * size], "little")
                    for n in range(COUNTERS)
                ])
            start += width
        return result


async def run_lockstep(
    dut: Any,
    config: SwitchConfig,
    stimulus: Stimulus,
    *,
    max_cycles: int,
    observers: Sequence[Observer] = (),
    watch: Watch | None = None,
    probe_paths: Mapping[str, str] | None = None,
    seed: int | None = None,
    repeat: str | None = None,
    progress: Progress | None = None,
) -> LockstepResult:
    """Runs a stimulus through RTL and model until it is finished, something differs, a check
    fails, or ``max_cycles`` have passed.

    Parameters
    ----------
    dut
        cocotb's handle of the wrapper.
    probe_paths
        RTL path of each probe point, for naming the block that differs.
    seed, repeat
        Printed with a difference: the seed, and the command that repeats the run with waves.
    """
    rig = _Rig(dut, config)
    layout, ports = rig.layout, rig.ports
    model = Switch(config)
    edge = await rig.start(config)
    pack_tx = PinPacker(config).pack
    sizes = layout.probe_bytes
    result = LockstepResult()
    history: deque[tuple[int, Inputs, tuple[TxPins, ...]]] = deque(maxlen=HISTORY)
    cycle = 0
    drive, model_step = rig.drive, model.step
    read_tx, read_rdata, read_probe = ports.tx.read, ports.reg_rdata.read, ports.probe.read
    step = stimulus.step
    # The cycle that is in its middle now becomes cycle 0: its inputs take the reset back before
    # the edge that would have sampled it.
    began = time.perf_counter()
    while True:
        tx = model.tx
        expected_tx = pack_tx(tx)
        expected_probe = b"".join([
            value.to_bytes(size, "little")
            for value, size in zip(model.probe_values(), sizes, strict=True)
        ])
        rtl_tx, rtl_rdata, rtl_probe = read_tx(), read_rdata(), read_probe()
        rdata = model.rdata.to_bytes(4, "little")
        if rtl_tx != expected_tx or rtl_probe != expected_probe or rtl_rdata != rdata:
            found = probe_differences(
                config, layout, probe_paths or {}, cycle, rtl_probe, expected_probe
            )
            if rtl_rdata != rdata:
                found.append(register_difference(
                    cycle, int.from_bytes(rtl_rdata, "little"), model.rdata))
            found += pin_differences(config, layout, cycle, rtl_tx, expected_tx)
            if not found:
                raise RuntimeError("filler bits of the wrapper's ports are not 0")
            result.mismatches = 1
            result.difference = found[0]
            result.report = report(found, history, seed=seed, repeat=repeat)
            break
        if stimulus.finished:
            break
        if cycle >= max_cycles:
            result.timed_out = True
            result.report = timeout_text(cycle)
            break
        inputs = step(cycle, tx)
        history.append((cycle, inputs, tuple(tx)))
        try:
            for observer in observers:
                observer.observe(cycle, inputs, tx)
        except CheckError as error:
            result.check = result.report = check_text(error, cycle, seed, repeat)
            break
        if watch is not None:
            watch(model)
        drive(inputs)
        model_step(inputs)
        cycle += 1
        if progress is not None and cycle % PROGRESS_CYCLES == 0:
            progress(cycle, _share(stimulus, cycle, max_cycles))
        await edge
    result.cycles = cycle
    result.seconds = time.perf_counter() - began
    result.counters = rig.counters()
    return result


def _share(stimulus: Stimulus, cycle: int, max_cycles: int) -> float:
    return float(getattr(stimulus, "progress", cycle / max(1, max_cycles)))


def check_text(error: CheckError, cycle: int, seed: int | None, repeat: str | None) -> str:
    """What a person gets of a check that failed: seed, and the command that repeats the run."""
    lines = [f"End-to-end check failed in cycle {cycle}: {error}"]
    if seed is not None:
        lines.append(f"Seed: {seed}")
    if repeat is not None:
        lines.append(f"Repeat with waves: {repeat}")
    return "\n".join(lines)


def timeout_text(cycles: int) -> str:
    """What a person gets of a stimulus that has not come to its end."""
    return f"not finished after {cycles} cycles"


async def run_alone(
    dut: Any,
    config: SwitchConfig,
    stimulus: Stimulus,
    *,
    max_cycles: int,
    observers: Sequence[Observer] = (),
) -> LockstepResult:
    """Runs a stimulus through the RTL without the model: only the observers check."""
    rig = _Rig(dut, config)
    ports = rig.ports
    edge = await rig.start(config)
    unpack = TxUnpacker(config).unpack
    result = LockstepResult()
    began = time.perf_counter()
    cycle = 0
    while not stimulus.finished and cycle < max_cycles:
        tx = unpack(ports.tx.read())
        inputs = stimulus.step(cycle, tx)
        try:
            for observer in observers:
                observer.observe(cycle, inputs, tx)
        except CheckError as error:
            result.check = result.report = check_text(error, cycle, None, None)
            break
        rig.drive(inputs)
        cycle += 1
        await edge
    result.cycles = cycle
    result.seconds = time.perf_counter() - began
    result.counters = rig.counters()
    return result
