# SPDX-License-Identifier: Apache-2.0
"""Targets of `gavel fpga`: a family, its constraint files, and the tool of its core file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gavel_tb.synthesis.families import FAMILIES, Family

Writer = Callable[[Sequence[str], float], str]
"""Constraints from the names of the clocks, the core clock first, and its frequency in MHz."""


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


def _comment(text: str, sign: str = "#") -> list[str]:
    return [f"{sign} {line}".rstrip() for line in text.splitlines()]


_INSIDE = """\
The switch stands inside of a design of yours, so there are no pins here: those are of your board.
Its inputs are sampled by the clocks of their sides, and resets are synchronous."""


def _lines(*lines: str) -> str:
    return "\n".join(["# SPDX-License-Identifier: Apache-2.0", *lines]) + "\n"


def _period(mhz: float) -> str:
    return f"{1000 / mhz:.3f}"


def _lpf(clocks: Sequence[str], mhz: float) -> str:
    return _lines(*_comment(_INSIDE), *(f'FREQUENCY PORT "{clock}" {mhz} MHZ;' for clock in clocks))


def _pcf(clocks: Sequence[str], mhz: float) -> str:
    return _lines(*_comment(_INSIDE), *(f"set_frequency {clock} {mhz}" for clock in clocks))


def _clocks(clocks: Sequence[str], mhz: float) -> list[str]:
    """What Vivado, Quartus and Gowin read alike."""
    lines = [f"create_clock -name {clock} -period {_period(mhz)} [get_ports {{{clock}}}]"
             for clock in clocks]
    if len(clocks) > 1:
        groups = " ".join(f"-group [get_clocks {{{clock}}}]" for clock in clocks)
        lines += ["# Between these clocks there are only asynchronous FIFOs.",
                  f"set_clock_groups -asynchronous {groups}"]
    return lines


def _xdc(clocks: Sequence[str], mhz: float) -> str:
    return _lines(*_comment(_INSIDE), *_clocks(clocks, mhz))


def _quartus_sdc(clocks: Sequence[str], mhz: float) -> str:
    return _lines(*_comment(_INSIDE), *_clocks(clocks, mhz), "derive_clock_uncertainty")


def _cst(_clock_names: Sequence[str], _mhz: float) -> str:
    text = _lines(*_comment(_INSIDE), "IO_LOC and IO_PORT lines of your board go here.")
    return text.replace("# ", "// ").replace("\nIO_LOC", "\n// IO_LOC")


_XDC = ConstraintFile(suffix=".xdc", file_type="xdc", write=_xdc)

TARGETS: Mapping[str, Target] = {target.family.name: target for target in (
    Target(family=FAMILIES["ecp5"], vendor="Diamond, or Yosys and nextpnr",
           constraints=(ConstraintFile(suffix=".lpf", file_type="LPF", write=_lpf),),
           tool="yosys", tool_options={"arch": "ecp5", "output_format": "json"}),
    Target(family=FAMILIES["ice40"], vendor="Radiant, or Yosys and nextpnr",
           constraints=(ConstraintFile(suffix=".pcf", file_type="PCF", write=_pcf),),
           tool="yosys", tool_options={"arch": "ice40", "output_format": "json"}),
    Target(family=FAMILIES["xc7"], constraints=(_XDC,), vendor="Vivado",
           tool="vivado", tool_options={"part": "xc7k325tffg900-2", "pnr": "none"}),
    Target(family=FAMILIES["xcup"], constraints=(_XDC,), vendor="Vivado",
           tool="vivado", tool_options={"part": "xcku5p-ffvb676-2-e", "pnr": "none"}),
    Target(family=FAMILIES["agilex"], vendor="Quartus Prime Pro",
           constraints=(ConstraintFile(suffix=".sdc", file_type="SDC", write=_quartus_sdc),),
           tool="quartus", tool_options={"family": "Agilex 7", "device": "AGFB014R24B2E2V",
                                         "pnr": "none"}),
    Target(family=FAMILIES["gowin"], vendor="Gowin EDA, or Yosys and nextpnr",
           constraints=(ConstraintFile(suffix=".sdc", file_type="SDC", write=_xdc),
                        ConstraintFile(suffix=".cst", file_type="CST", write=_cst)),
           tool="yosys", tool_options={"arch": "gowin", "output_format": "json"}),
)}
"""By the name of the family."""
