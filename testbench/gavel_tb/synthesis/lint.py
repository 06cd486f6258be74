# SPDX-License-Identifier: Apache-2.0
"""Lint of the Verilog by Verilator, with the waivers that are delivered beside it."""

from __future__ import annotations

import subprocess
from importlib import resources
from pathlib import Path

from gavel_tb.runner import tool_environment


def waivers() -> str:
    """Text of the file with the rules that are off, and why."""
    return resources.files("gavel_rtl").joinpath("lint.vlt").read_text("utf-8")


def lint(verilog: str, top: str, folder: Path) -> str:
    """What ``verilator --lint-only -Wall`` says; "" if nothing.

    Parameters
    ----------
    verilog, top
        The design, and its top module.
    folder
        Gets the files that Verilator reads.

    Raises
    ------
    SimulationError
        If Verilator is missing.
    """
    (folder / f"{top}.v").write_text(verilog, "utf-8")
    (folder / f"{top}.vlt").write_text(waivers(), "utf-8")
    command = ["verilator", "--lint-only", "-Wall", "--top-module", top, f"{top}.vlt", f"{top}.v"]
    done = subprocess.run(command, cwd=folder, env=tool_environment(), capture_output=True,
                          text=True, check=False)
    return done.stderr if done.returncode or done.stderr else ""
