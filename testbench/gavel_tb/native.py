# SPDX-License-Identifier: Apache-2.0
"""The Verilated switch with a C++ main: no Python in the loop."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from gavel_model.config import SwitchConfig
from gavel_tb.build_cache import DEFAULT_CACHE, BuildCache
from gavel_tb.errors import SimulationError
from gavel_tb.harness import TOP, harness_layout, harness_verilog
from gavel_tb.packing import PinPacker
from gavel_tb.process import run_child
from gavel_tb.runner import (
    BUILD_JOBS,
    LONG,
    build_error,
    splitting,
    tool_environment,
    tool_versions,
    verilator_folder,
)

if TYPE_CHECKING:
    from gavel_tb.bench import BenchJob

MAIN_SOURCE = Path(__file__).with_name("cpp") / "native.cpp"
_EXECUTABLE = "native"
_INLINED_BITS = 1024
"""Ports x bits up to which inlined code fits the caches: there it is a quarter faster, and above
it (16 ports of 512 bits) half as fast as code that all instances of a module share."""


def build_native(config: SwitchConfig, cache: BuildCache) -> Path:
    """Executable of the switch with the C++ main.

    Raises
    ------
    SimulationError
        If the build fails.
    """
    design = cache.design(config)
    # Only the pins: what a person would simulate who has the Verilog alone.
    harness = harness_verilog(config, None)
    inlining = ("-O3",) if config.ports * config.data_width <= _INLINED_BITS else LONG.verilator
    flags = [*inlining, "--x-assign", "fast", "--x-initial", "fast", *splitting(design),
             "-Wno-fatal", "-Wno-lint", "-Wno-style"]

    def make(folder: Path) -> None:
        (folder / "gavel_switch.v").write_text(design.verilog, "utf-8")
        (folder / f"{TOP}.sv").write_text(harness, "utf-8")
        commands = [
            [str(verilator_folder() / "verilator"), "--cc", "--exe", "-Mdir", str(folder),
             "--top-module", TOP, "--prefix", "Vtop", "-o", _EXECUTABLE, *flags,
             str(folder / f"{TOP}.sv"), str(folder / "gavel_switch.v"), str(MAIN_SOURCE)],
            ["make", "-j", str(BUILD_JOBS), "-C", str(folder), "-f", "Vtop.mk",
             f"OPT_FAST={LONG.fast}", f"OPT_SLOW={LONG.slow}", f"OPT_GLOBAL={LONG.fast}"],
        ]
        log = folder / "build.log"
        with log.open("w") as output:
            for command in commands:
                if run_child(command, cwd=folder, env=tool_environment(), stdout=output,
                             stderr=subprocess.STDOUT):
                    raise build_error(log)

    parts = (design.verilog, harness, *flags, LONG.fast, LONG.slow,
             MAIN_SOURCE.read_text("utf-8"), Path(__file__).read_text("utf-8"), *tool_versions())
    return cache.entry("native", parts, make) / _EXECUTABLE


def native_speed(
    config: SwitchConfig, job: BenchJob, cycles: int, *, cache: Path = DEFAULT_CACHE
) -> float:
    """Cycles per second with the recorded stimulus of ``job``.

    Raises
    ------
    SimulationError
        If the build or the run fails, or no frame comes out.
    """
    store = BuildCache(cache)
    executable = build_native(config, store)
    sizes = harness_layout(config).sizes
    pack = PinPacker(config).pack
    ready_bytes = sizes["tx_ready"]
    everyone = (1 << config.ports) - 1
    with tempfile.NamedTemporaryFile(prefix="gavel-stimulus-") as stimulus:
        for inputs in job.record(config):
            ready = inputs.ready.to_bytes(ready_bytes, "little")
            ctl_ready = (inputs.ctl_ready & everyone).to_bytes(ready_bytes, "little")
            stimulus.write(pack(inputs.rx) + ready + ctl_ready)
        stimulus.flush()
        with tempfile.TemporaryFile("w+") as output:
            code = run_child(
                [str(executable), stimulus.name, str(sizes["rx"]), str(ready_bytes),
                 str(sizes["tx"]), str(cycles)],
                cwd=executable.parent, env=os.environ, stdout=output, stderr=subprocess.STDOUT,
            )
            output.seek(0)
            text = output.read()
    if code:
        raise SimulationError(f"native run ended with code {code}: {text}")
    counted, seconds, active = text.split()
    # The link status of each port is always on; data must have moved, too.
    if int(active) <= config.ports:
        raise SimulationError("native run: no frame came out")
    return int(counted) / float(seconds)
