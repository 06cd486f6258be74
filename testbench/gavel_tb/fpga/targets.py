# SPDX-License-Identifier: Apache-2.0
"""Targets of `gavel fpga`: a family, its constraint files, and the tool of its core file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gavel_tb.fpga.constraints import Writer, cst, gowin_sdc, lpf, pcf, quartus_sdc, xdc
from gavel_tb.synthesis.families import FAMILIES, Family


@dataclass(frozen=True, kw_only=True)
class ConstraintFile:
    """One constraint file.

    Attributes
    ----------
    suffix
        Of its name; the stem is the top module's.
    file_type
        As edalize calls it.
    write
        Makes its text.
    """

    suffix: str
    file_type: str
    write: Writer


@dataclass(frozen=True, kw_only=True)
class Target:
    """One target.

    Attributes
    ----------
    family
        What the estimate is for.
    constraints
        Files.
    tool, tool_options
        Of the core file's target ``synth``, as edalize spells them. Synthesis only: the switch is
        a part of a design, and has more pins than packages have.
    vendor
        The tool that engineers use.
    """

    family: Family
    constraints: tuple[ConstraintFile, ...]
    tool: str
    tool_options: Mapping[str, str]
    vendor: str


_XDC = ConstraintFile(suffix=".xdc", file_type="xdc", write=xdc)

TARGETS: Mapping[str, Target] = {target.family.name: target for target in (
    Target(family=FAMILIES["ecp5"], vendor="Diamond, or Yosys and nextpnr",
           constraints=(ConstraintFile(suffix=".lpf", file_type="LPF", write=lpf),),
           tool="yosys", tool_options={"arch": "ecp5", "output_format": "json"}),
    Target(family=FAMILIES["ice40"], vendor="Radiant, or Yosys and nextpnr",
           constraints=(ConstraintFile(suffix=".pcf", file_type="PCF", write=pcf),),
           tool="yosys", tool_options={"arch": "ice40", "output_format": "json"}),
    Target(family=FAMILIES["xc7"], constraints=(_XDC,), vendor="Vivado",
           tool="vivado", tool_options={"part": "xc7k325tffg900-2", "pnr": "none"}),
    Target(family=FAMILIES["xcup"], constraints=(_XDC,), vendor="Vivado",
           tool="vivado", tool_options={"part": "xcku5p-ffvb676-2-e", "pnr": "none"}),
    Target(family=FAMILIES["agilex"], vendor="Quartus Prime Pro",
           constraints=(ConstraintFile(suffix=".sdc", file_type="SDC", write=quartus_sdc),),
           tool="quartus", tool_options={"family": "Agilex 7", "device": "AGFB014R24B2E2V",
                                         "pnr": "none"}),
    Target(family=FAMILIES["gowin"], vendor="Gowin EDA, or Yosys and nextpnr",
           constraints=(ConstraintFile(suffix=".sdc", file_type="SDC", write=gowin_sdc),
                        ConstraintFile(suffix=".cst", file_type="CST", write=cst)),
           tool="yosys", tool_options={"arch": "gowin", "output_format": "json"}),
)}
"""By the name of the family."""
