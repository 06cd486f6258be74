# SPDX-License-Identifier: Apache-2.0
"""The wrapper in which bus models meet a top level: its pins as they are, and, to be read at once,
all inputs and all outputs as one vector each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gavel_tb.harness import TOP

_PUBLIC = "/*verilator public_flat_rw*/"
_CLOCKING = ("clk", "rst")

Layout = dict[str, tuple[int, int]]
"""Offset and width of each pin in a vector."""


def pin_layout(ports: Iterable[Mapping[str, Any]], direction: str) -> Layout:
    """Where the pins of a direction stand, clock and reset left out; ``ports`` as in the sidecar
    of the Verilog."""
    layout: Layout = {}
    offset = 0
    for port in ports:
        if port["direction"] == direction and port["name"] not in _CLOCKING:
            layout[port["name"]] = (offset, port["width"])
            offset += port["width"]
    return layout


def unpack(layout: Layout, packed: int) -> dict[str, int]:
    """Values of pins by name."""
    return {name: packed >> offset & (1 << width) - 1
            for name, (offset, width) in layout.items()}


def _vector(name: str, layout: Layout) -> tuple[str, str]:
    width = sum(width for _, width in layout.values())
    parts = ", ".join(reversed(layout))
    return (f"  output wire [{width - 1}:0] {name} {_PUBLIC}",
            f"  assign {name} = {{{parts}}};")


def top_harness(module: str, ports: list[dict[str, Any]]) -> str:
    """Text of the wrapper.

    Parameters
    ----------
    module
        The top level's module.
    ports
        Its pins, as in the sidecar of the Verilog.
    """
    declared = [f"  {port['direction']} wire [{port['width'] - 1}:0] {port['name']} {_PUBLIC}"
                for port in ports]
    vectors = [_vector("all_inputs", pin_layout(ports, "input")),
               _vector("all_outputs", pin_layout(ports, "output"))]
    return "\n".join([
        "// SPDX-License-Identifier: Apache-2.0",
        f"module {TOP} (",
        ",\n".join([*declared, *(port for port, _ in vectors)]),
        ");",
        f"  {module} dut (",
        ",\n".join(f"    .{port['name']}({port['name']})" for port in ports),
        "  );",
        *(assignment for _, assignment in vectors),
        "endmodule",
        "",
    ])
