# SPDX-License-Identifier: Apache-2.0
"""A bench in plain Verilog, without libraries: registers answer, and a frame crosses each port.

Frames and what must come out are made here; the bench compares all of their words.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gavel_model.config import FCS_BYTES, MIN_FRAME_BYTES, SwitchConfig
from gavel_model.frame import append_fcs, split_words
from gavel_model.preamble import PLAIN
from gavel_model.profiles import PROFILE_NAMES, PROFILES
from gavel_model.register_map import ID_VALUE, Global
from gavel_model.top_options import TopOptions
from gavel_model.xgmii import IDLE, LANES, TERMINATE
from gavel_tb.fpga.crossings import CORE_CLOCK
from gavel_tb.fpga.pin_meanings import is_clock, is_reset
from gavel_tb.frames import FrameFactory, plain_body

BENCH = "gavel_smoke"
_SEED = 1
_RESET_CYCLES = 16
_SLACK = 1000
"""Cycles that anything may take beyond filling the tables."""

_AFTERWARDS = 16
"""Cycles in which nothing more may come."""

_ALL_CONTROL = (1 << LANES) - 1
_IDLE_WORD = sum(IDLE << 8 * lane for lane in range(LANES))
_END_WORD = _IDLE_WORD & ~0xFF | TERMINATE


def smoke_bench(config: SwitchConfig, options: TopOptions, top: str,
                pins: Sequence[Mapping[str, Any]]) -> str:
    """Text of the bench.

    Parameters
    ----------
    config, options
        The switch and what stands around it.
    top, pins
        Name of the top module and its ports, as in the sidecar of `gavel_rtl.emit`.
    """
    clocks = [pin["name"] for pin in pins if is_clock(pin["name"])]
    slices = options.slices(config)
    limit = slices * (config.table_init_cycles + _SLACK)
    return "\n".join([
        "// SPDX-License-Identifier: Apache-2.0",
        f"// Resets {top}, waits for its tables, and sends a frame from each port to the next.",
        "// Ends with PASS, or with FAIL and a fatal error.",
        f"module {BENCH};",
        *(_declaration(pin) for pin in pins),
        "  integer cycle, wrong, word;",
        "  reg [31:0] value;",
        *_frames(config, options),
        "",
        *_instance(top, pins),
        "",
        *_steps(slices),
        f"  task {_line_step(slices)};",
        "    begin",
        *_edges(clocks, slices),
        "      cycle = cycle + 1;",
        *_watch(config, options),
        f"      if (cycle > {limit} && wrong == 0) begin",
        f'        $display("FAIL: nothing more after {limit} cycles");',
        "        wrong = 1;",
        "      end",
        "    end",
        "  endtask",
        "",
        *_read_task(config, options),
        "",
        *_play(config, options, pins),
        "endmodule",
        "",
    ])


def _line_step(slices: int) -> str:
    """Name of the task that is a cycle of the ports."""
    return "step" if slices == 1 else "line_step"


def _steps(slices: int) -> Iterator[str]:
    """The task that is a cycle of the switch, where that is another one."""
    if slices > 1:
        yield from (f"  // A cycle of the switch is {slices} cycles of the ports.", "  task step;",
                    f"    repeat ({slices}) line_step;", "  endtask", "")


def _edges(clocks: Sequence[str], slices: int) -> Iterator[str]:
    """Both edges of all clocks; that of the switch is high in the first half of its cycle."""
    for level in (1, 0):
        values = [f"{clock} = {level};" for clock in clocks
                  if slices == 1 or clock != CORE_CLOCK]
        if slices > 1 and level:
            values.insert(0, f"{CORE_CLOCK} = cycle % {slices} < {slices // 2};")
        yield f"      #1 {' '.join(values)}"


def _pin_bytes(config: SwitchConfig, options: TopOptions) -> int:
    """Bytes of a word at the pins."""
    return config.word_bytes // options.slices(config)


def _declaration(pin: Mapping[str, Any]) -> str:
    kind = "reg " if pin["direction"] == "input" else "wire"
    width = "" if pin["width"] == 1 else f"[{pin['width'] - 1}:0] "
    return f"  {kind} {width}{pin['name']};"


def _frames(config: SwitchConfig, options: TopOptions) -> Iterator[str]:
    """Each port's frame, what must come out of it, and how far both are."""
    bits = 8 * _pin_bytes(config, options)
    for port in range(config.ports):
        depth = f"[0:{_words(config, options) - 1}]"
        yield f"  reg [{bits - 1}:0] out{port} {depth}, in{port} {depth};"
        yield f"  integer at{port};"


def _words(config: SwitchConfig, options: TopOptions) -> int:
    return MIN_FRAME_BYTES // _pin_bytes(config, options)


def _instance(top: str, pins: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield f"  {top} dut ("
    yield ",\n".join(f"    .{pin['name']}({pin['name']})" for pin in pins)
    yield "  );"


def _watch(config: SwitchConfig, options: TopOptions) -> Iterator[str]:
    """Compares the words that come out; ``at`` is -1 before a frame and its length behind it."""
    last = _words(config, options) - 1
    for port in range(config.ports):
        if options.ports == "xgmii":
            data = f"p{port}_xgmii_txd"
            begins = f"p{port}_xgmii_txc == 8'h01 && {data}[7:0] == 8'h{PLAIN[0]:02x}"
            present, whole = f"p{port}_xgmii_txc == 8'h00", "1'b1"
            yield f"      if ({begins}) at{port} = 0;"
            yield f"      else if (at{port} >= 0 && {present}) begin"
        elif options.ports == "axi_stream":
            data = f"p{port}_m_axis_tdata"
            whole = f"p{port}_m_axis_tlast == (at{port} == {last}) && !p{port}_m_axis_tuser"
            yield f"      if (p{port}_m_axis_tvalid) begin"
            yield f"        if (at{port} < 0) at{port} = 0;"
        else:
            data = f"p{port}_tx_data"
            whole = (f"p{port}_tx_sop == (at{port} == 0) && "
                     f"p{port}_tx_eop == (at{port} == {last})")
            yield f"      if (p{port}_tx_valid) begin"
            yield f"        if (p{port}_tx_sop) at{port} = 0;"
        yield f"        if (!({data} === in{port}[at{port}] && {whole})) begin"
        yield "          if (wrong == 0)"
        yield f'            $display("FAIL in cycle %0d: {data} is %h, must be %h", cycle, {data},'
        yield f"                     in{port}[at{port}]);"
        yield "          wrong = wrong + 1;"
        yield "        end"
        yield f"        at{port} = at{port} + 1;"
        yield "      end"


def _read_task(config: SwitchConfig, options: TopOptions) -> Iterator[str]:
    yield "  task read_register(input [15:0] address);"
    yield "    begin"
    if options.registers == "axi_lite":
        yield from (
            "      s_axil_araddr = {address, 2'b00};",
            "      s_axil_arvalid = 1;",
            "      while (!s_axil_arready && wrong == 0) step;",
            "      step;",
            "      s_axil_arvalid = 0;",
            "      while (!s_axil_rvalid && wrong == 0) step;",
            "      value = s_axil_rdata;",
            "      step;",
        )
    else:
        yield from (
            "      reg_addr = address;",
            "      reg_re = 1;",
            "      step;",
            "      reg_re = 0;",
            *["      step;"] * (config.answer_cycles - 1),
            "      value = reg_rdata;",
        )
    yield "    end"
    yield "  endtask"


def _play(config: SwitchConfig, options: TopOptions,
          pins: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    ports = range(config.ports)
    yield "  initial begin"
    yield "    wrong = 0;\n    cycle = 0;"
    for pin in pins:
        if pin["direction"] == "input":
            yield f"    {pin['name']} = 0;"
    yield from _contents(config, options)
    if options.registers == "axi_lite":
        yield "    s_axil_rready = 1;\n    s_axil_bready = 1;"
    for port in ports:
        yield f"    at{port} = -1;"
        if options.ports == "xgmii":
            yield from _xgmii(port, f"64'h{_IDLE_WORD:016x}", _ALL_CONTROL)
        elif options.ports == "axi_stream":
            yield f"    p{port}_link_up = 1;\n    p{port}_m_axis_tready = 1;"
        else:
            yield f"    p{port}_rx_up = 1;"
            yield f"    p{port}_tx_ready = 1;\n    p{port}_tx_ctl_ready = 1;"
    resets = [pin["name"] for pin in pins if is_reset(pin["name"])]
    yield from (f"    {reset} = 1;" for reset in resets)
    yield f"    while (cycle < {_RESET_CYCLES}) step;"
    yield from (f"    {reset} = 0;" for reset in resets)
    yield f"    read_register(16'd{Global.ID.value});"
    yield f"    if (value !== 32'h{ID_VALUE:08x} && wrong == 0) begin"
    yield '      $display("FAIL: the register ID reads %h", value);'
    yield "      wrong = 1;"
    yield "    end"
    yield "    value = 0;"
    yield f"    while (value[0] !== 1'b1 && wrong == 0) read_register(16'd{Global.STATUS.value});"
    yield from _send(config, options)
    done = " && ".join(f"at{port} == {_words(config, options)}" for port in ports)
    yield f"    while (!({done}) && wrong == 0) step;"
    yield f"    for (word = 0; word < {_AFTERWARDS}; word = word + 1) step;"
    yield f"    if (!({done}) && wrong == 0) begin"
    yield '      $display("FAIL: words that nobody has sent");'
    yield "      wrong = 1;"
    yield "    end"
    yield "    if (wrong != 0) $fatal(1);"
    yield "    else begin"
    yield (f'      $display("PASS: {config.ports} frames of {MIN_FRAME_BYTES} bytes, '
           'cycle %0d", cycle);')
    yield "      $finish;"
    yield "    end"
    yield "  end"


def _contents(config: SwitchConfig, options: TopOptions) -> Iterator[str]:
    # A MAC that strips the FCS does not hand it over, and does not want it.
    shown = -FCS_BYTES if options.ports == "axi_stream" and options.fcs == "strip" else None
    factory, rng, size = FrameFactory(config), random.Random(_SEED), _pin_bytes(config, options)
    profile_number = PROFILE_NAMES.index(config.profile)
    for port in range(config.ports):
        to = (port + 1) % config.ports
        dst = factory.address(PROFILES[profile_number], to)
        frame = factory.build(rng, port, profile_number, dst=dst, size=MIN_FRAME_BYTES)
        for name, data in ((f"out{port}", frame.data), (f"in{to}", append_fcs(plain_body(frame)))):
            for index, word in enumerate(split_words(data[:shown], size)):
                yield f"    {name}[{index}] = {8 * size}'h{word:0{2 * size}x};"


def _xgmii(port: int, data: str, ctl: int) -> Iterator[str]:
    yield f"    p{port}_xgmii_rxd = {data};"
    yield f"    p{port}_xgmii_rxc = 8'h{ctl:02x};"


def _send(config: SwitchConfig, options: TopOptions) -> Iterator[str]:
    """All ports at once."""
    ports, words = range(config.ports), _words(config, options)
    step = f"    {_line_step(options.slices(config))};"
    if options.ports == "xgmii":
        for port in ports:
            yield from _xgmii(port, f"64'h{int.from_bytes(PLAIN, 'little'):016x}", 1)
        yield step
    yield f"    for (word = 0; word < {words}; word = word + 1) begin"
    for port in ports:
        if options.ports == "xgmii":
            yield from _xgmii(port, f"out{port}[word]", 0)
        elif options.ports == "axi_stream":
            yield f"    p{port}_s_axis_tvalid = 1;\n    p{port}_s_axis_tdata = out{port}[word];"
            yield f"    p{port}_s_axis_tlast = word == {words - 1};"
            yield f"    p{port}_s_axis_tkeep = word == {words - 1} ? {_keep(config, options)};"
        else:
            yield f"    p{port}_rx_valid = 1;\n    p{port}_rx_data = out{port}[word];"
            yield f"    p{port}_rx_sop = word == 0;\n    p{port}_rx_eop = word == {words - 1};"
    yield step
    yield "    end"
    if options.ports == "xgmii":
        for port in ports:
            yield from _xgmii(port, f"64'h{_END_WORD:016x}", _ALL_CONTROL)
        yield step
    for port in ports:
        if options.ports == "xgmii":
            yield from _xgmii(port, f"64'h{_IDLE_WORD:016x}", _ALL_CONTROL)
        else:
            valid = "s_axis_tvalid" if options.ports == "axi_stream" else "rx_valid"
            yield f"    p{port}_{valid} = 0;"


def _keep(config: SwitchConfig, options: TopOptions) -> str:
    """Bytes of the last word, and of the others."""
    size = config.word_bytes
    kept = size - FCS_BYTES if options.fcs == "strip" else size
    return f"{size}'h{(1 << kept) - 1:x} : {size}'h{(1 << size) - 1:x}"
