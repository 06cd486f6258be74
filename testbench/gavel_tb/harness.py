# SPDX-License-Identifier: Apache-2.0
"""The SystemVerilog wrapper that a simulation has as its top.

All pins and all probe points stand in a few wide ports, so that a cycle is one read and one write,
whatever the number of ports. The probe points are read by hierarchical references: the delivered
Verilog carries nothing for them.

Each group of a packed vector (the pins of a port, a probe point) begins at a byte: groups are then
joined and compared as bytes, with no shifting of very long numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gavel_model.config import SwitchConfig
from gavel_model.pins import PortLayout, port_layout
from gavel_model.probes import Probe, probe_points

TOP = "gavel_harness"
DESIGN = "gavel_switch"
REGISTER_BITS = 50
"""``reg_in``: addr in bits 15:0, wdata in 47:16, we in 48, re in 49."""

WAVES_ARGUMENT = "gavel_waves_from"

SIGNALS = ("clk", "rst", "rx", "tx_ready", "tx_ctl_ready", "reg_in", "tx", "reg_rdata", "probe")
"""Ports of the wrapper, and the only public signals of a build."""


def _bytes(bits: int) -> int:
    return -(-bits // 8)


@dataclass(frozen=True)
class HarnessLayout:
    """Where everything stands in the packed ports.

    Attributes
    ----------
    pins
        Fields inside a port's group, of ``rx`` and of ``tx``.
    port_bytes
        Bytes of a port's group.
    probes
        Probe points in their order.
    probe_bytes
        Bytes of each probe point's group.
    sizes
        Bytes of each port of the wrapper, by name.
    """

    pins: PortLayout
    port_bytes: int
    probes: tuple[Probe, ...]
    probe_bytes: tuple[int, ...]
    sizes: Mapping[str, int]


def harness_layout(config: SwitchConfig) -> HarnessLayout:
    """Layout of the packed ports for one switch."""
    pins = port_layout(config)
    port_bytes = _bytes(pins.width)
    probes = probe_points(config)
    probe_bytes = tuple(_bytes(point.width) for point in probes)
    return HarnessLayout(
        pins=pins,
        port_bytes=port_bytes,
        probes=probes,
        probe_bytes=probe_bytes,
        sizes={
            "rst": 1,
            "rx": config.ports * port_bytes,
            "tx_ready": _bytes(config.ports),
            "tx_ctl_ready": _bytes(config.ports),
            "reg_in": _bytes(REGISTER_BITS),
            "tx": config.ports * port_bytes,
            "reg_rdata": 4,
            "probe": sum(probe_bytes),
        },
    )


def wave_name(form: str) -> str:
    """Name of the wave file, which is given by cocotb's main program."""
    return f"dump.{form}"


def harness_verilog(
    config: SwitchConfig, probe_paths: Mapping[str, str] | None, *, waves: str | None = None,
    module: str = DESIGN,
) -> str:
    """Text of the wrapper.

    Parameters
    ----------
    probe_paths
        For each probe point the hierarchical path of its signal below the switch; None leaves
        the port ``probe`` away.
    waves
        Wave format, with which waves can begin late: in cycle N by ``+gavel_waves_from=N``.
    module
        The switch's module, or that of a top level with the same pins.

    Raises
    ------
    KeyError
        If a probe point has no path.
    """
    layout = harness_layout(config)
    group = 8 * layout.port_bytes
    connections = ["    .clk(clk)", "    .rst(rst)"]
    wires = []
    fields = list(
        zip(layout.pins.names, layout.pins.offsets, layout.pins.widths, strict=True)
    )
    for port in range(config.ports):
        for name, offset, width in fields:
            part = f"[{port * group + offset} +: {width}]"
            connections.append(f"    .p{port}_rx_{name}(rx{part})")
            connections.append(f"    .p{port}_tx_{name}(tx{part})")
        connections.append(f"    .p{port}_tx_ready(tx_ready[{port}])")
        connections.append(f"    .p{port}_tx_ctl_ready(tx_ctl_ready[{port}])")
        if group > layout.pins.width:
            fill = group - layout.pins.width
            start = port * group + layout.pins.width
            wires.append(f"  assign tx[{start} +: {fill}] = {fill}'d0;")
    connections += [
        "    .reg_addr(reg_in[15:0])",
        "    .reg_wdata(reg_in[47:16])",
        "    .reg_we(reg_in[48])",
        "    .reg_re(reg_in[49])",
        "    .reg_rdata(reg_rdata)",
    ]
    ports = [
        "  input wire clk",
        "  input wire rst",
        f"  input wire [{config.ports * group - 1}:0] rx",
        f"  input wire [{config.ports - 1}:0] tx_ready",
        f"  input wire [{config.ports - 1}:0] tx_ctl_ready",
        f"  input wire [{REGISTER_BITS - 1}:0] reg_in",
        f"  output wire [{config.ports * group - 1}:0] tx",
        "  output wire [31:0] reg_rdata",
    ]
    if probe_paths is not None:
        ports.append(f"  output wire [{8 * sum(layout.probe_bytes) - 1}:0] probe")
        wires += _probe_wires(layout, probe_paths)
    if waves is not None:
        wires.append(_LATE_WAVES.format(name=wave_name(waves)))
    return "\n".join([
        "// SPDX-License-Identifier: Apache-2.0",
        "// Packed pins and probe points of the switch, for simulation only.",
        f"module {TOP} (",
        ",\n".join(ports),
        ");",
        f"  {module} dut (",
        ",\n".join(connections),
        "  );",
        *wires,
        "endmodule",
        "",
    ])


_LATE_WAVES = f"""\
  reg [63:0] waves_from, edges = 0;
  initial if (!$value$plusargs("{WAVES_ARGUMENT}=%d", waves_from)) waves_from = ~64'd0;
  always @(posedge clk) begin
    edges <= edges + 64'd1;
    if (edges == waves_from) begin
      $dumpfile("{{name}}");
      $dumpvars;
    end
  end"""


def _probe_wires(layout: HarnessLayout, probe_paths: Mapping[str, str]) -> list[str]:
    wires = []
    start = 0
    for point, size in zip(layout.probes, layout.probe_bytes, strict=True):
        path = f"dut.{probe_paths[point.name]}"
        fill = 8 * size - point.width
        value = f"{{{fill}'d0, {path}}}" if fill else path
        wires.append(f"  assign probe[{start} +: {8 * size}] = {value};")
        start += 8 * size
    return wires


def control_file() -> str:
    """Verilator control file: only the wrapper's ports are visible from outside."""
    lines = ["`verilator_config"]
    lines += [f'public_flat_rw -module "{TOP}" -var "{name}"' for name in SIGNALS]
    return "\n".join([*lines, ""])
