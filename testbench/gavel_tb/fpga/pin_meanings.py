# SPDX-License-Identifier: Apache-2.0
"""What each pin of a top level is, for tables: names, and the chapter that has the rest."""

from __future__ import annotations

import re
from collections.abc import Mapping

_PORT = re.compile(r"p(\d+)_(.*)")

_FRAME = {
    "valid": "a frame word is present",
    "data": "the word; byte 0 in bits 7:0, FCS in band",
    "sop": "first word of a frame",
    "eop": "last word of a frame",
    "empty": "unused high lanes of the last word",
    "err": "the decoder saw an error in this word",
    "llr": "with `sop`: link-level retry looks after the frame",
    "seq": "with `sop`: its sequence number",
    "ctl_valid": "a control ordered set is present",
    "ctl": "its bytes D1...D7, D1 in bits 7:0",
    "up": "link status",
}

_TELEMETRY = {
    "irq": "interrupt: an event that is enabled is there",
    "m_axis_telemetry_tdata": "word of a record, byte 0 in bits 7:0",
    "m_axis_telemetry_tvalid": "a word is present",
    "m_axis_telemetry_tready": "the word is taken",
    "m_axis_telemetry_tlast": "last word of a record",
}

_AXI_STREAM = {
    "tdata": "the word", "tkeep": "its valid bytes", "tvalid": "a word is present",
    "tready": "the word is taken", "tlast": "last word of a frame", "tuser": "the frame is bad",
}

MEANINGS: Mapping[str, str] = {
    "clk": "clock of the switch",
    "rst": "synchronous reset, active high",
    **{f"rx_{name}": meaning for name, meaning in _FRAME.items()},
    **{f"tx_{name}": meaning for name, meaning in _FRAME.items()},
    "tx_ready": "the word on the pins is taken in this cycle",
    "tx_ctl_ready": "the ordered set on the pins is taken in this cycle",
    "xgmii_rxd": "XGMII word received, lane 0 in bits 7:0",
    "xgmii_rxc": "lanes of it that are control characters",
    "xgmii_txd": "XGMII word sent",
    "xgmii_txc": "lanes of it that are control characters",
    "xgmii_fault": "link fault: 0 none, 1 local, 2 remote",
    "xgmii_aborted": "a frame was cut off, because a word of it was missing",
    "xgmii_discarded": "a frame was thrown away, because the port is closed",
    **{f"s_axis_{name}": meaning for name, meaning in _AXI_STREAM.items()},
    **{f"m_axis_{name}": meaning for name, meaning in _AXI_STREAM.items()},
    **_TELEMETRY,
    "link_up": "the MAC's link is up",
    "axis_overflow": "a frame was cut off: words came faster than they could be stored",
    "axis_discarded": "a frame was thrown away, because the port is closed",
    "rx_overflow": "words came faster than the clock of the switch takes them",
    **{f"{side}_{name}": f"{meaning} of the port's {side} side" for side in ("rx", "tx")
       for name, meaning in (("clk", "clock"), ("rst", "synchronous reset"))},
    "reg_addr": "register, counted in words of 32 bits",
    "reg_wdata": "value to write",
    "reg_we": "write in this cycle",
    "reg_re": "read in this cycle",
    "reg_rdata": "value read, some cycles later (docs/spec.md, Registers)",
    "s_axil_awaddr": "write address, in bytes",
    "s_axil_awprot": "ignored",
    "s_axil_wdata": "value to write",
    "s_axil_wstrb": "bytes of it; all four, or the answer is an error",
    "s_axil_bresp": "answer to a write: 0 OKAY, 2 SLVERR",
    "s_axil_araddr": "read address, in bytes",
    "s_axil_arprot": "ignored",
    "s_axil_rdata": "value read",
    "s_axil_rresp": "answer to a read: 0 OKAY, 2 SLVERR",
    **{f"s_axil_{channel}valid": f"channel {channel.upper()}: a transfer is offered"
       for channel in ("aw", "w", "b", "ar", "r")},
    **{f"s_axil_{channel}ready": f"channel {channel.upper()}: it is taken"
       for channel in ("aw", "w", "b", "ar", "r")},
}
"""By name, without the ``p<i>_`` of a port."""


def port_of(name: str) -> tuple[int | None, str]:
    """Number of the port that a pin belongs to, or None, and the rest of its name."""
    found = _PORT.fullmatch(name)
    return (int(found[1]), found[2]) if found else (None, name)


def is_reset(name: str) -> bool:
    """The pin is a reset."""
    return name == "rst" or name.endswith("_rst")


def is_clock(name: str) -> bool:
    """The pin is a clock."""
    return name == "clk" or name.endswith("_clk")
