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
from gavel_tb.harness import harness_layout
from gavel_tb.native_build import Driver, build_native
from gavel_tb.packing import PinPacker
from gavel_tb.process import run_child

if TYPE_CHECKING:
    from gavel_tb.bench import BenchJob

MAIN = Driver("native", Path(__file__).with_name("cpp") / "native.cpp", "native")


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
    executable = build_native(config, store.design(config), store, MAIN)
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
