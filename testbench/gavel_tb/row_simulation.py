# SPDX-License-Identifier: Apache-2.0
"""Any Verilated design as a shared library that takes a row of all inputs in each cycle, and gives
one of all outputs, or of signals inside."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from amaranth.hdl import Value
from amaranth.lib import wiring

from gavel_model.config import SwitchConfig
from gavel_tb.build_cache import DEFAULT_CACHE, BuildCache, Design
from gavel_tb.effort import LIBRARY_COMPILE, SHORT, Effort
from gavel_tb.harness import TOP
from gavel_tb.native_build import HANDLE, LIBRARY_LINK, Driver, build_native
from gavel_tb.native_library import NativeSimulation
from gavel_tb.process import orderly_termination

_SOURCE = Path(__file__).with_name("cpp") / "rows.cpp"
_DRIVER = Driver("rows", _SOURCE, "rows.so", LIBRARY_COMPILE, LIBRARY_LINK, HANDLE)

Widths = Mapping[str, int]
"""Bits of each signal of a row, the first in the low bits."""


def port_widths(ports: Iterable[Mapping[str, Any]], direction: str) -> dict[str, int]:
    """Pins of a design in one direction, but for its clock; ``ports`` as in the sidecar of the
    Verilog."""
    return {port["name"]: port["width"] for port in ports
            if port["direction"] == direction and port["name"] != "clk"}


def member_widths(signature: wiring.Signature) -> dict[str, int]:
    """Members of an interface, under their names in the Verilog."""
    return {"__".join(map(str, path)): len(Value.cast(value))
            for path, _, value in signature.flatten(signature.create())}


def pack(widths: Widths, values: Mapping[str, int]) -> int:
    """A row; signals that have no value are 0."""
    row = offset = 0
    for name, width in widths.items():
        row |= values.get(name, 0) << offset
        offset += width
    return row


def unpack(widths: Widths, row: int) -> dict[str, int]:
    """The signals of a row."""
    values = {}
    for name, width in widths.items():
        values[name] = row & (1 << width) - 1
        row >>= width
    return values


def row_harness(module: str, inputs: Widths, outputs: Widths) -> str:
    """Text of the wrapper.

    Parameters
    ----------
    module
        The design.
    inputs
        Its input pins; ``rst`` may be one of them.
    outputs
        Its output pins, and signals inside by their hierarchical names below it.
    """
    lines, connections, offset = [], ["    .clk(clk)"], 0
    for name, width in inputs.items():
        connections.append(f"    .{name}(in_row[{offset} +: {width}])")
        offset += width
    shown = 0
    for number, (name, width) in enumerate(outputs.items()):
        if "." in name:
            source = f"dut.{name}"
        else:
            source = f"pin_{number}"
            lines.append(f"  wire [{width - 1}:0] {source};")
            connections.append(f"    .{name}({source})")
        lines.append(f"  assign out_row[{shown} +: {width}] = {source};")
        shown += width
    return "\n".join([
        "// SPDX-License-Identifier: Apache-2.0",
        f"module {TOP} (",
        "  input wire clk,",
        f"  input wire [{offset - 1}:0] in_row,",
        f"  output wire [{shown - 1}:0] out_row",
        ");",
        f"  {module} dut (",
        ",\n".join(connections),
        "  );",
        *lines,
        "endmodule",
        "",
    ])


class RowSimulation(NativeSimulation):
    """A simulation that is played row by row; a context manager.

    Parameters
    ----------
    config
        The switch that the design is, or is a part of.
    design
        Its Verilog.
    inputs, outputs
        As of `row_harness`.
    arguments
        Plus-arguments of the simulation.

    Raises
    ------
    SimulationError
        If a tool is missing or the build fails.
    """

    def __init__(
        self, config: SwitchConfig, design: Design, inputs: Widths, outputs: Widths, *,
        cache: Path = DEFAULT_CACHE, arguments: Sequence[str] = (), effort: Effort = SHORT,
    ) -> None:
        self.inputs, self.outputs = dict(inputs), dict(outputs)
        harness = row_harness(design.sidecar["top"], inputs, outputs)
        with orderly_termination():
            path = build_native(config, design, BuildCache(cache), _DRIVER, effort, harness)
        library = ctypes.CDLL(str(path))
        handle, size = ctypes.c_void_p, ctypes.c_uint64
        for name, result, types in (
            ("new", handle, [ctypes.c_int, ctypes.POINTER(ctypes.c_char_p)]),
            ("in_bytes", size, []),
            ("out_bytes", size, []),
            ("run", None, [handle, size, ctypes.c_char_p, ctypes.c_char_p]),
            ("del", None, [handle]),
        ):
            function: Any = getattr(library, f"sim_{name}")
            function.restype, function.argtypes = result, types
        self._library = library
        self._in_bytes, self._out_bytes = library.sim_in_bytes(), library.sim_out_bytes()
        words = [b"rows", *(text.encode() for text in arguments)]
        # Verilator keeps no copy of its own of what a plus-argument is read from.
        self._arguments = (ctypes.c_char_p * len(words))(*words)
        self._sim = library.sim_new(len(words), self._arguments)

    def run(self, rows: Iterable[int]) -> list[int]:
        """Plays rows of inputs; returns what the outputs showed with each."""
        packed = [row.to_bytes(self._in_bytes, "little") for row in rows]
        shown = ctypes.create_string_buffer(max(1, len(packed) * self._out_bytes))
        self._library.sim_run(self._sim, len(packed), b"".join(packed), shown)
        # Each look at it copies all of it.
        raw = shown.raw
        return [int.from_bytes(raw[at:at + self._out_bytes], "little")
                for at in range(0, len(packed) * self._out_bytes, self._out_bytes)]
