# SPDX-License-Identifier: Apache-2.0
"""The FuseSoC core file (CAPI2) of a folder."""

from __future__ import annotations

from collections.abc import Sequence

from gavel_model.register_map import VERSION
from gavel_tb.fpga.smoke_bench import BENCH
from gavel_tb.fpga.targets import Target

VENDOR = "gavel"


def core_name(top: str) -> str:
    """Vendor, library, name and version, as FuseSoC has them."""
    return f"{VENDOR}::{top}:{'.'.join(map(str, VERSION))}"


def core_file(top: str, target: Target, description: str,
              constraints: Sequence[tuple[str, str]]) -> str:
    """Text of the core file.

    Parameters
    ----------
    top
        Top module, and stem of the files.
    target, description
        What it is for.
    constraints
        Names and types of the constraint files.
    """
    files = "".join(f"      - {name}: {{file_type: {kind}}}\n" for name, kind in constraints)
    options = "".join(f"        {name}: {value}\n" for name, value in target.tool_options.items())
    return f"""\
CAPI=2:
# SPDX-License-Identifier: Apache-2.0
name: {core_name(top)}
description: {description}

filesets:
  rtl:
    files: [{top}.v]
    file_type: verilogSource
  lint:
    files: [{top}.vlt]
    file_type: vlt
  bench:
    files: [{BENCH}.v]
    file_type: verilogSource
  constraints:
    files:
{files}
targets:
  default:
    filesets: [rtl]
    toplevel: {top}
  lint:
    filesets: [lint, rtl]
    toplevel: {top}
    default_tool: verilator
    tools:
      verilator:
        mode: lint-only
        verilator_options: [-Wall]
  sim:
    filesets: [rtl, bench]
    toplevel: {BENCH}
    default_tool: icarus
  synth:
    filesets: [rtl, constraints]
    toplevel: {top}
    default_tool: {target.tool}
    tools:
      {target.tool}:
{options}"""
