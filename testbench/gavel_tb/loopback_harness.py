# SPDX-License-Identifier: Apache-2.0
"""The wrapper in which a switch with a self-test is looped back at its outer pins."""

from __future__ import annotations

import re

from gavel_model.config import SwitchConfig
from gavel_model.top_options import TopOptions
from gavel_tb.build_cache import Design
from gavel_tb.harness import TOP, harness_layout

NOISE = "noise"
"""Plus-argument: a bit of the data of every link is wrong in one cycle of 64."""

_LOOPED = ((r"_tx_(\w+)", r"_rx_\1"), (r"_xgmii_tx([dc])", r"_xgmii_rx\1"),
           (r"_m_axis_(t(?!ready)\w+)", r"_s_axis_\1"))
"""Pins of what is sent, and those of what is received: of links, XGMII, AXI4-Stream."""

_ONES = re.compile(r"_(tx_ready|tx_ctl_ready|m_axis_tready|link_up)$")
_DATA = re.compile(r"_(data|xgmii_txd|tdata)$")
_CLOCKS = re.compile(r"_[rt]x_clk$")
_RESETS = re.compile(r"_[rt]x_rst$")


def loopback_harness(config: SwitchConfig, design: Design, options: TopOptions) -> str:
    """Text of the wrapper: AXI4-Lite as it is, and what each port sends behind a register at what
    it receives.

    With ``crossing`` the links have a clock of their own, which is that of the switch without
    every 32nd pulse. ``shown`` has all transmit pins of a switch, the groups of
    `gavel_tb.harness`; with adapters it is 0.
    """
    outer = ["  input wire clk", "  input wire rst", _shown(config, options)]
    line = "line" if options.crossing else "clk"
    wires, connections = [], []
    for port in design.sidecar["ports"]:
        name, bits = port["name"], f"[{port['width'] - 1}:0]"
        joined = name
        if name.startswith("s_axil_"):
            outer.append(f"  {port['direction']} wire {bits} {name}")
        elif _ONES.search(name):
            joined = "1'b1"
        elif _CLOCKS.search(name):
            joined = line
        elif _RESETS.search(name):
            joined = "rst"
        elif port["direction"] == "output":
            wires.append(f"  wire {bits} {name};")
            wires += _loop(name, bits, line)
        connections.append(f"    .{name}({joined})")
    return "\n".join([
        "// SPDX-License-Identifier: Apache-2.0",
        f"module {TOP} (", ",\n".join(outer), ");",
        "  reg [5:0] cycle = 0;",
        "  reg noisy;",
        f'  initial noisy = $test$plusargs("{NOISE}") != 0;',
        "  always @(posedge clk) cycle <= cycle + 1;",
        "  reg pulse = 1;",
        "  always @(negedge clk) pulse <= cycle[4:0] != 0;",
        "  wire line = clk & pulse;",
        *wires, *_assignments(config, options),
        f"  {design.sidecar['top']} dut (", ",\n".join(connections), "  );", "endmodule", "",
    ])


def _loop(name: str, bits: str, clock: str) -> list[str]:
    """The register behind a pin of what is sent; nothing for other outputs."""
    for sent, received in _LOOPED:
        looped, found = re.subn(sent + "$", received, name)
        if found:
            noise = " ^ (noisy & cycle == 5)" if _DATA.search(name) else ""
            return [f"  reg {bits} {looped} = 0;",
                    f"  always @(posedge {clock}) {looped} <= {name}{noise};"]
    return []


def _shown(config: SwitchConfig, options: TopOptions) -> str:
    layout = harness_layout(config)
    bits = 8 * layout.port_bytes * config.ports if options.ports == "segment" else 8
    return f"  output wire [{bits - 1}:0] shown"


def _assignments(config: SwitchConfig, options: TopOptions) -> list[str]:
    if options.ports != "segment":
        return ["  assign shown = 0;"]
    layout = harness_layout(config)
    unused = 8 * layout.port_bytes - layout.pins.width
    fill = [f"{unused}'d0"] if unused else []
    groups = [part for number in reversed(range(config.ports))
              for part in (*fill, *(f"p{number}_tx_{name}"
                                    for name in reversed(layout.pins.names)))]
    return [f"  assign shown = {{{', '.join(groups)}}};"]
