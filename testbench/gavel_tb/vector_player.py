# SPDX-License-Identifier: Apache-2.0
"""The Verilog player of `gavel_tb.vectors`: Verilog-2001, no libraries, no DPI."""

from __future__ import annotations

from collections.abc import Iterator

from gavel_model.config import SwitchConfig
from gavel_model.pins import port_layout
from gavel_tb.harness import DESIGN
from gavel_tb.pin_record import OFFSETS, record_bytes
from gavel_tb.vectors import CONTROL, CONTROL_BYTES, COUNT_BYTES, READ_DATA_BYTES, mask_bytes

PLAYER = "gavel_player"
VECTORS_NAME = "gavel_vectors.bin"
RESET_CYCLES = 16
"""Cycles in reset before the first one: registers without an initial value are known then."""


def player_verilog(config: SwitchConfig) -> str:
    """Text of the player of one configuration."""
    widths = dict(zip(port_layout(config).names, port_layout(config).widths, strict=True))
    ports = range(config.ports)
    record = 8 * record_bytes(config)
    groups = ["control", "rdata", *(f"rx{port}" for port in ports),
              *(f"want{port}" for port in ports)]
    sizes = [CONTROL_BYTES, READ_DATA_BYTES, *[record_bytes(config)] * (2 * config.ports)]
    return "\n".join([
        "// SPDX-License-Identifier: Apache-2.0",
        f"// Plays {VECTORS_NAME} into {DESIGN} and compares every output pin in every cycle.",
        "// +vectors=FILE reads another file. Ends with PASS, or FAIL and a fatal error.",
        f"module {PLAYER};",
        "  reg clk;",
        "  reg rst;",
        *(f"  reg [{8 * size - 1}:0] {name}, next_{name};"
          for name, size in zip(groups, sizes, strict=True)),
        *(f"  wire [{record - 1}:0] tx{port};" for port in ports),
        "  wire [31:0] reg_rdata;",
        f"  reg [{8 * COUNT_BYTES - 1}:0] count;",
        f"  reg [{8 * mask_bytes(config) - 1}:0] mask;",
        "  reg [8*256-1:0] name;",
        "  integer file, code, cycle, wrong;",
        "",
        *_instance(config, widths),
        "",
        "  task take;",
        "    begin",
        f"      code = $fread(count, file);\n      if (code != {COUNT_BYTES}) broken;",
        "      if (count != 0) begin",
        f"        code = $fread(mask, file);\n        if (code != {mask_bytes(config)}) broken;",
        *(f"        if (mask[{bit}]) begin code = $fread(next_{name}, file); "
          f"if (code != {size}) broken; end"
          for bit, (name, size) in enumerate(zip(groups, sizes, strict=True))),
        "      end",
        "    end",
        "  endtask",
        "",
        "  task broken;",
        "    begin",
        '      $display("FAIL: the vectors end in the middle of a record");',
        "      wrong = 1;",
        "    end",
        "  endtask",
        "",
        "  task check;",
        "    begin",
        *_checks(config, widths),
        "    end",
        "  endtask",
        "",
        *_play(groups),
        "endmodule",
        "",
    ])


def _instance(config: SwitchConfig, widths: dict[str, int]) -> Iterator[str]:
    yield f"  {DESIGN} dut ("
    yield "    .clk(clk),"
    yield "    .rst(rst),"
    ready, ctl_ready, register = CONTROL["ready"], CONTROL["ctl_ready"], CONTROL["register"]
    for port in range(config.ports):
        for name, width in widths.items():
            part = f"[{OFFSETS[name]} +: {width}]"
            yield f"    .p{port}_rx_{name}(rx{port}{part}),"
            yield f"    .p{port}_tx_{name}(tx{port}{part}),"
        yield f"    .p{port}_tx_ready(control[{ready + port}]),"
        yield f"    .p{port}_tx_ctl_ready(control[{ctl_ready + port}]),"
    yield f"    .reg_addr(control[{register} +: 16]),"
    yield f"    .reg_wdata(control[{register + 16} +: 32]),"
    yield f"    .reg_we(control[{register + 48}]),"
    yield f"    .reg_re(control[{register + 49}]),"
    yield "    .reg_rdata(reg_rdata)"
    yield "  );"


def _checks(config: SwitchConfig, widths: dict[str, int]) -> Iterator[str]:
    yield from _check("reg_rdata", "reg_rdata", "rdata")
    for port in range(config.ports):
        for name, width in widths.items():
            part = f"[{OFFSETS[name]} +: {width}]"
            yield from _check(f"p{port}_tx_{name}", f"tx{port}{part}", f"want{port}{part}")


def _check(pin: str, got: str, wanted: str) -> Iterator[str]:
    yield f"      if ({got} !== {wanted}) begin"
    yield "        if (wrong == 0)"
    yield f'          $display("FAIL in cycle %0d: {pin} is %h, must be %h",'
    yield f"                   cycle, {got}, {wanted});"
    yield "        wrong = wrong + 1;"
    yield "      end"


def _play(groups: list[str]) -> Iterator[str]:
    """Everything happens in the middle of a cycle, where outputs have long settled and from where
    inputs have half a period to settle."""
    everything = [(f"next_{name}", name) for name in groups]
    yield "  initial begin"
    yield "    wrong = 0;"
    yield "    clk = 0;"
    yield "    rst = 1;"
    for next_name, name in everything:
        yield f"    {name} = 0;\n    {next_name} = 0;"
    yield f'    if (!$value$plusargs("vectors=%s", name)) name = "{VECTORS_NAME}";'
    yield '    file = $fopen(name, "rb");'
    yield "    if (file == 0) begin"
    yield '      $display("FAIL: %0s cannot be read", name);'
    yield "      wrong = 1;"
    yield "    end"
    yield f"    for (cycle = 0; cycle < {RESET_CYCLES}; cycle = cycle + 1) begin"
    yield "      #1 clk = 1;"
    yield "      #1 clk = 0;"
    yield "    end"
    yield "    cycle = 0;"
    yield "    count = 0;"
    yield "    if (wrong == 0) take;"
    yield "    while (count != 0 && wrong == 0) begin"
    for next_name, name in everything:
        yield f"      {name} = {next_name};"
    yield f"      rst = control[{CONTROL['rst']}];"
    yield "      while (count != 0 && wrong == 0) begin"
    yield "        check;"
    yield "        if (wrong == 0) begin"
    yield "          #1 clk = 1;"
    yield "          #1 clk = 0;"
    yield "          cycle = cycle + 1;"
    yield "          count = count - 1;"
    yield "        end"
    yield "      end"
    yield "      if (wrong == 0) take;"
    yield "    end"
    yield "    if (wrong == 0 && cycle == 0) begin"
    yield '      $display("FAIL: there are no cycles in the vectors");'
    yield "      wrong = 1;"
    yield "    end"
    yield "    if (wrong != 0) $fatal(1);"
    yield "    else begin"
    yield '      $display("PASS: %0d cycles", cycle);'
    yield "      $finish;"
    yield "    end"
    yield "  end"
