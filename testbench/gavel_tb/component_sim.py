# SPDX-License-Identifier: Apache-2.0
"""Runs cocotb tests on components that stand alone, outside of a switch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gavel_rtl.netlist import Library
from gavel_rtl.verilog import write_verilog
from gavel_tb.build_cache import BuildCache, Design
from gavel_tb.effort import SHORT
from gavel_tb.errors import SimulationError
from gavel_tb.process import orderly_termination
from gavel_tb.runner import build, run


def components_design(*components: Any) -> Design:
    """Verilog of components, each with all that is below it; no probe points.

    Modules that stand below several of the components must not: each would bring its own.

    Raises
    ------
    SimulationError
        If the Verilog writer is missing or fails.
    """
    texts = []
    for component in components:
        library = Library()
        netlist = library.netlist(library.add(component))
        try:
            texts.append(write_verilog(netlist.rtlil))
        except RuntimeError as error:
            raise SimulationError(f"no Verilog: {error}") from error
    return Design("".join(texts), {"probes": {}})


def run_cocotb(
    design: Design, harness: str, module: str, folder: Path, *, cache: Path,
    environment: Mapping[str, str],
) -> None:
    """Runs the cocotb tests of a module on a design.

    Parameters
    ----------
    harness
        Text of the module `gavel_tb.harness.TOP`. It marks as public what the tests reach.
    folder
        Where the run's files are kept.

    Raises
    ------
    SimulationError
        If the build fails, or a test.
    """
    with orderly_termination():
        binary = build(BuildCache(cache), design, harness, effort=SHORT)
        run(binary, module, folder, environment=environment)
