# SPDX-License-Identifier: Apache-2.0
"""Which registers there are, and of what kind."""

from __future__ import annotations

from gavel_model.config import SwitchConfig
from gavel_model.register_map import COUNTERS, PER_VC, Global, Port, port_address

KINDS = ("global", "port", "VC", "counter")
"""Registers of the switch, of each port, of each VC of a port; counters of a port."""


def addresses(config: SwitchConfig) -> dict[str, list[int]]:
    """Word addresses of all registers of a switch, by kind."""
    offsets = {
        "port": [int(offset) for offset in Port if offset not in (*PER_VC, Port.COUNTERS)],
        "VC": [offset + vc for offset in PER_VC for vc in range(config.vcs)],
        "counter": [Port.COUNTERS + number for number in range(COUNTERS)],
    }
    return {"global": [int(address) for address in Global], **{
        kind: [port_address(port, offset) for port in range(config.ports) for offset in some]
        for kind, some in offsets.items()}}
