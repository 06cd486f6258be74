# SPDX-License-Identifier: Apache-2.0
"""Builds of the Verilated switch that our own C++ drives: only pins, no Python, no cocotb."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gavel_model.config import SwitchConfig
from gavel_tb.build_cache import BuildCache, Design
from gavel_tb.cxx_files import PREFIX, join_files
from gavel_tb.effort import LONG, Effort, is_large, splitting
from gavel_tb.harness import DESIGN, TOP, harness_verilog
from gavel_tb.process import run_child
from gavel_tb.runner import (
    BUILD_JOBS,
    build_error,
    copy_runtime,
    tool_environment,
    tool_versions,
    verilator_folder,
)

LIBRARY_LINK = "-shared -Wl,-Bsymbolic"
"""Several libraries are loaded at once, each with classes of the same names: none may find those of
another."""

HANDLE = {"handle.h": (Path(__file__).with_name("cpp") / "handle.h").read_text("utf-8")}
"""What a library includes, as `Driver.headers`."""


@dataclass(frozen=True)
class Driver:
    """The C++ around the switch.

    Attributes
    ----------
    kind
        First part of the name of its entries in the cache.
    source
        The C++ file.
    output
        Name of the program, or library.
    compile, link
        Flags of the C++ compiler and of the linker.
    headers
        Files that the source includes, text by name.
    """

    kind: str
    source: Path
    output: str
    compile: str = ""
    link: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


def build_native(
    config: SwitchConfig, design: Design, cache: BuildCache, driver: Driver, effort: Effort = LONG,
    harness: str | None = None,
) -> Path:
    """Path of the driver's output, linked with the switch; built unless the cache has it.

    Parameters
    ----------
    harness
        Text of the wrapper, if it is not the one with the pins of a switch.

    Raises
    ------
    SimulationError
        If the build fails.
    """
    # Only the pins: what a person would simulate who has the Verilog alone.
    harness = harness or harness_verilog(config, None, module=design.sidecar.get("top", DESIGN))
    flags = [*effort.verilator, "--x-assign", "fast", "--x-initial", "fast", *splitting(design),
             "-Wno-fatal", "-Wno-lint", "-Wno-style"]
    if driver.compile:
        flags += ["-CFLAGS", driver.compile]
    if driver.link:
        flags += ["-LDFLAGS", driver.link]

    def make(folder: Path) -> None:
        (folder / "gavel_switch.v").write_text(design.verilog, "utf-8")
        (folder / f"{TOP}.sv").write_text(harness, "utf-8")
        for name, text in driver.headers.items():
            (folder / name).write_text(text, "utf-8")
        commands = [
            [str(verilator_folder() / "verilator"), "--cc", "--exe", "-Mdir", str(folder),
             "--top-module", TOP, "--prefix", PREFIX, "-o", driver.output, *flags,
             str(folder / f"{TOP}.sv"), str(folder / "gavel_switch.v"), str(driver.source)],
            ["make", "-j", str(BUILD_JOBS), "-C", str(folder), "-f", f"{PREFIX}.mk",
             f"OPT_FAST={effort.fast}", f"OPT_SLOW={effort.slow}", f"OPT_GLOBAL={effort.fast}"],
        ]
        log = folder / "build.log"
        with log.open("w") as output:
            for command in commands:
                if command[0] == "make":
                    copy_runtime(cache, folder)
                    if not is_large(design):
                        join_files(folder)
                if run_child(command, cwd=folder, env=tool_environment(), stdout=output,
                             stderr=subprocess.STDOUT):
                    raise build_error(log)

    parts = (design.verilog, harness, *flags, effort.fast, effort.slow, driver.output,
             driver.source.read_text("utf-8"), *driver.headers, *driver.headers.values(),
             Path(__file__).read_text("utf-8"), *tool_versions())
    return cache.entry(driver.kind, parts, make) / driver.output
