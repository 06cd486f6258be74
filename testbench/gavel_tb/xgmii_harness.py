# SPDX-License-Identifier: Apache-2.0
"""The wrapper in which bus models meet the XGMII adapter.

A receive side stands alone behind ``xgmii_rxd``, and a transmit side in front of ``xgmii_txd``,
which a second receive side, the partner's, hears as well. Port pins stand in packed vectors, as
`gavel_model.pins.port_layout` has them. Bus models know no control ordered sets: one that is
wanted takes the place of a word of eight Idles.
"""

from __future__ import annotations

from gavel_model.config import SwitchConfig
from gavel_model.pins import CTL_BITS, PortLayout, port_layout
from gavel_tb.harness import TOP

_PUBLIC = "/*verilator public_flat_rw*/"


def _ports(width: int) -> dict[str, tuple[str, int]]:
    return {
        "clk": ("input", 1),
        "rst": ("input", 1),
        "protect": ("input", 1),
        "xgmii_rxd": ("input", 64),
        "xgmii_rxc": ("input", 8),
        "set_wanted": ("input", 1),
        "set_body": ("input", CTL_BITS),
        "set_sent": ("output", 1),
        "rx": ("output", width),
        "fault": ("output", 2),
        "tx": ("input", width),
        "tx_ready": ("output", 1),
        "tx_ctl_ready": ("output", 1),
        "xgmii_txd": ("output", 64),
        "xgmii_txc": ("output", 8),
        "aborted": ("output", 1),
        "discarded": ("output", 1),
        "back": ("output", width),
    }


def _instance(module: str, name: str, connections: dict[str, str]) -> str:
    pins = ",\n".join(f"    .{port}({value})" for port, value in connections.items())
    return f"  {module} {name} (\n    .clk(clk),\n    .rst(rst),\n{pins}\n  );"


def _link(layout: PortLayout, vector: str) -> dict[str, str]:
    fields = zip(layout.names, layout.offsets, layout.widths, strict=True)
    return {f"link__{name}": f"{vector}[{offset} +: {width}]" for name, offset, width in fields}


def xgmii_harness(config: SwitchConfig) -> str:
    """Text of the wrapper."""
    layout = port_layout(config)
    ports = ",\n".join(f"  {direction} wire [{width - 1}:0] {name} {_PUBLIC}"
                       for name, (direction, width) in _ports(layout.width).items())
    receive = _instance("gavel_xgmii_rx", "receive", {
        "protect": "protect", "fault": "fault", "xgmii__data": "rxd", "xgmii__ctl": "rxc",
        **_link(layout, "rx"),
    })
    transmit = _instance("gavel_xgmii_tx", "transmit", {
        "protect": "protect", "fault": "fault", "aborted": "aborted", "discarded": "discarded",
        "xgmii__data": "xgmii_txd", "xgmii__ctl": "xgmii_txc",
        "link__ready": "tx_ready", "link__ctl_ready": "tx_ctl_ready", **_link(layout, "tx"),
    })
    partner = _instance("gavel_xgmii_rx", "partner", {
        "protect": "protect", "fault": "", "xgmii__data": "xgmii_txd", "xgmii__ctl": "xgmii_txc",
        **_link(layout, "back"),
    })
    return "\n".join([
        "// SPDX-License-Identifier: Apache-2.0",
        f"module {TOP} (",
        ports,
        ");",
        "  wire idle = &xgmii_rxc & (xgmii_rxd == {8{8'h07}});",
        "  assign set_sent = set_wanted & idle;",
        "  wire [63:0] rxd = set_sent ? {set_body, 8'h5c} : xgmii_rxd;",
        "  wire [7:0] rxc = set_sent ? 8'h01 : xgmii_rxc;",
        receive,
        transmit,
        partner,
        "endmodule",
        "",
    ])
