# SPDX-License-Identifier: Apache-2.0
"""RTLIL with what memories promise of collisions, as Verilog has it by an attribute."""

from __future__ import annotations

import re

from gavel_rtl.verilog import MODULES, PROMISED

_READ_PORT = re.compile(r'^(  cell \$memrd_v2 .*\n    parameter \\MEMID "\\\\(\S+)"\n'
                        r"(?:    parameter .*\n)*?    parameter \\TRANSPARENCY_MASK (\d+)'([01]+)\n"
                        r"    parameter \\COLLISION_X_MASK )\d+'[01]+$", re.MULTILINE)


def with_promises(rtlil: str) -> str:
    """The design, its read ports free to show anything of a word that is being written where the
    memory promises that nobody looks (`gavel_rtl.lib.collisions.NO_COLLISION`). Yosys reads the
    attribute in Verilog only."""
    return "".join(_promise(module, set(PROMISED.findall(module)))
                   for module in MODULES.split(rtlil))


def _promise(module: str, memories: set[str]) -> str:
    def mark(port: re.Match[str]) -> str:
        if port[2] not in memories:
            return port[0]
        opaque = "".join("1" if bit == "0" else "0" for bit in port[4])
        return f"{port[1]}{port[3]}'{opaque}"

    return _READ_PORT.sub(mark, module)
