# SPDX-License-Identifier: Apache-2.0
"""Contents of the folder that `gavel fpga` writes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from gavel_model.config import SwitchConfig
from gavel_model.top_options import TopOptions
from gavel_tb.fpga.core_file import core_file
from gavel_tb.fpga.crossings import crossings
from gavel_tb.fpga.estimate import Estimate
from gavel_tb.fpga.pin_meanings import is_clock
from gavel_tb.fpga.readme import readme
from gavel_tb.fpga.smoke_bench import BENCH, smoke_bench
from gavel_tb.fpga.targets import Target
from gavel_tb.synthesis.lint import waivers

README_NAME = "README.md"
ESTIMATE_NAME = "estimate.json"


def make_folder(config: SwitchConfig, options: TopOptions, target: Target, verilog: str,
                sidecar: Mapping[str, Any], estimate: Estimate,
                headers: Mapping[str, str] | None = None) -> dict[str, str]:
    """Every file by name.

    Parameters
    ----------
    config, options
        The switch and what stands around it.
    target, estimate
        What the folder is for, and what is known of it there.
    verilog, sidecar
        As `gavel_rtl.emit` made them of the same.
    headers
        C headers of the registers by name, if their program is installed.
    """
    top, pins = sidecar["top"], sidecar["ports"]
    clocks = {pin["name"]: estimate.port_clocks.get(pin["name"], estimate.mhz)
              for pin in pins if is_clock(pin["name"])}
    about = (f"Gavel switch, {config.ports} ports of {config.data_width} bits, for "
             f"{target.family.title}")
    between = crossings(config.ports, options)
    constraints = {f"{top}{kind.suffix}": kind for kind in target.constraints}
    files = {
        f"{top}.v": (verilog, f"the switch, top module `{top}`"),
        f"{top}.json": (json.dumps(sidecar, indent=2) + "\n",
                        "configuration, ports, modules, probe points"),
        f"{top}_instance.v": (_instance(top, pins), "an instantiation to copy"),
        f"{top}.vlt": (waivers(), "what Verilator's lint may find, and why"),
        **{name: (kind.write(clocks, between), f"constraints for {target.vendor}")
           for name, kind in constraints.items()},
        f"{top}.core": (core_file(top, target, about, [
            (name, kind.file_type) for name, kind in constraints.items()]),
            "for FuseSoC: targets lint, sim, synth"),
        f"{BENCH}.v": (smoke_bench(config, options, top, pins), "a bench in plain Verilog"),
        **{name: (text, "registers for C, by PeakRDL; addresses are in bytes")
           for name, text in (headers or {}).items()},
        ESTIMATE_NAME: (json.dumps(estimate.as_dict(), indent=2) + "\n",
                        "resources and timing, for programs"),
    }
    text = readme(config, options, top, pins, target,
                  {name: meaning for name, (_, meaning) in files.items()}, estimate)
    return {README_NAME: text, **{name: content for name, (content, _) in files.items()}}


def _instance(top: str, pins: Sequence[Mapping[str, Any]]) -> str:
    """One line a pin, with its direction and width."""
    lines = ["// SPDX-License-Identifier: Apache-2.0", f"{top} switch ("]
    for pin in pins:
        comma = "" if pin is pins[-1] else ","
        lines.append(f"  .{pin['name']}(){comma} // {pin['direction']}, {pin['width']}")
    return "\n".join([*lines, ");", ""])
