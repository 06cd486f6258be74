# SPDX-License-Identifier: Apache-2.0
"""The README of a folder: files, ports, clock, bring-up, simulation, estimate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gavel_model.config import SwitchConfig
from gavel_model.register_map import PORT_BASE, PORT_STRIDE, VERSION, Global, Port
from gavel_model.telemetry_map import GLOBAL_BASE, TelemetryGlobal, TelemetryRegister
from gavel_model.telemetry_map import PORT_BASE as TELEMETRY_PORTS
from gavel_model.top_options import TopOptions
from gavel_tb.fpga.core_file import core_name
from gavel_tb.fpga.estimate import Estimate
from gavel_tb.fpga.pin_meanings import MEANINGS, is_clock, port_of
from gavel_tb.fpga.smoke_bench import BENCH
from gavel_tb.fpga.targets import Target
from gavel_tb.synthesis.families import BLOCK_RAM, FLIP_FLOP, LUT_RAM
from gavel_tb.synthesis.place_route import PlacedSeeds

_KINDS = {BLOCK_RAM: "block RAM", LUT_RAM: "LUT RAM", FLIP_FLOP: "flip-flops"}
_BIGGEST = 12
"""Blocks in the table."""


def readme(config: SwitchConfig, options: TopOptions, top: str, pins: Sequence[Mapping[str, Any]],
           target: Target, files: Mapping[str, str], estimate: Estimate) -> str:
    """Text of the README.

    Parameters
    ----------
    config, options, top, pins
        As for `gavel_tb.fpga.smoke_bench.smoke_bench`.
    target, estimate
        What the folder is for, and what is known of it there.
    files
        Every other file, and what it is.
    """
    parts = [
        f"# Gavel switch, {config.ports} ports of {config.data_width} bits, for "
        f"{target.family.title}\n\nGavel {'.'.join(map(str, VERSION))}. Made by `gavel fpga`; "
        f"the same configuration gives the same Verilog. {_sentence(estimate.verdict)}\n",
        "## Files\n\n| file | is |\n|---|---|\n" + "".join(
            f"| `{name}` | {meaning} |\n" for name, meaning in files.items()),
        "## Ports\n\n" + "".join(_port_tables(config, pins)),
        "## Clock and reset\n\n" + _clocks(config, options, estimate, pins),
        "## Bring-up\n\n" + _bring_up(config, options),
        "## Simulate\n\n" + _simulate(top),
        "## Estimate\n\n" + "".join(_estimate(estimate)),
    ]
    return "\n".join(parts)


def _port_tables(config: SwitchConfig, pins: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    common = [pin for pin in pins if port_of(pin["name"])[0] is None]
    first = [pin for pin in pins if port_of(pin["name"])[0] == 0]
    yield f"Of each port p = 0...{config.ports - 1}, as `p<p>_` and\n\n"
    yield _table(first)
    yield "\nOnce:\n\n"
    yield _table(common)


def _table(pins: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for pin in pins:
        name = port_of(pin["name"])[1]
        rows.append(f"| `{name}` | {pin['direction']} | {pin['width']} | {MEANINGS[name]} |\n")
    return "| name | direction | width | meaning |\n|---|---|---|---|\n" + "".join(rows)


def _clocks(config: SwitchConfig, options: TopOptions, estimate: Estimate,
            pins: Sequence[Mapping[str, Any]]) -> str:
    clocks = [pin["name"] for pin in pins if is_clock(pin["name"])]
    slices = options.slices(config)
    port_mhz = next(iter(estimate.port_clocks.values()), estimate.mhz)
    width = config.data_width // slices
    said = (f"A port moves {width} bits in each\ncycle: {width * port_mhz / 1000:g} Gb/s at "
            f"{port_mhz:g} MHz, which is what the constraints say.")
    if port_mhz != estimate.mhz:
        said += (f" The switch has\n{config.data_width} bits in each cycle of `clk`, "
                 f"{estimate.mhz:g} MHz: docs/clocks.md and\ndocs/width.md of Gavel say how slow "
                 "it may be.")
    return f"""\
Clocks: {', '.join(f'`{name}`' for name in clocks)}. {said} `rst` is
synchronous and active high; all registers have their reset value as initial value, too. Memories
are not reset and need not be. A frame's first word leaves the switch {config.latency_cycles} cycles
after its last word came into it, when nothing contends; what stands
between it and the pins adds its own.
"""


def _address(register: int, options: TopOptions) -> str:
    return f"0x{4 * register:05X}" if options.registers == "axi_lite" else f"0x{register:04X}"


def _bring_up(config: SwitchConfig, options: TopOptions) -> str:
    def once(register: Global) -> str:
        return f"`{register.name}` ({_address(register, options)})"

    def port(register: Port) -> str:
        return f"`{register.name}` ({_address(PORT_BASE + register, options)})"

    retry = f"""\
5. Link-level retry, when the port is up, at both ends: {port(Port.LLR_CONTROL)} bit 0 `local` and
   bit 1 `remote`. Then {port(Port.LLR_STATUS)} bits 2:0 tell when the ends agree.
6. Credits, at both ends: limits in {port(Port.CBFC_LIMIT)} and on, then the receiver's VCs in
   {port(Port.CBFC_CONTROL)} bits 15:8, then the sender's in bits 7:0. Or pauses:
   {port(Port.PFC_CONTROL)}.
"""
    if options.ports == "axi_stream":
        retry = f"""\
5. Pauses: {port(Port.PFC_CONTROL)}. A MAC that owns preambles leaves no place for link-level retry
   and credits.
"""
    if options.telemetry:
        retry += _telemetry(options, 6 if options.ports == "axi_stream" else 7)
    stride = _address(PORT_STRIDE, options)
    unit = "bytes" if options.registers == "axi_lite" else "words of 32 bits"
    return f"""\
Addresses are in {unit}; those of a port are of port 0, and {stride} apart. After reset the switch
forwards without a single write: ID i goes to port i.

1. Hold `rst` for a cycle of the running clock or longer. Read {once(Global.ID)}: 0x4741564C.
2. Read {once(Global.STATUS)} until bit 0, `table_ready`, is 1:
   {config.table_init_cycles} cycles after reset.
3. Write the tables: {once(Global.ROUTE_INDEX)} and {once(Global.ROUTE_DATA)} for IDs;
   {once(Global.FDB_INDEX)}, {once(Global.FDB_ADDR_HI)}, {once(Global.FDB_ADDR_LO)} and
   {once(Global.FDB_DATA)} for addresses.
4. Per port: header profile in {port(Port.PROFILE)}, classes in {port(Port.VC_MAP)};
   {port(Port.CONTROL)} bit 0 is 1 after reset.
{retry}
All registers: docs/registers.md of Gavel; `gavel registers -o DIR` with the same configuration
writes a C header, a web page and a Python package.
"""


def _telemetry(options: TopOptions, step: int) -> str:
    def once(register: TelemetryGlobal) -> str:
        return f"`{register.name}` ({_address(GLOBAL_BASE + register, options)})"

    enable = TelemetryRegister.EVENT_ENABLE
    return f"""\
{step}. Telemetry: events that drive `irq` in `{enable.name}` of each port
   ({_address(TELEMETRY_PORTS + enable, options)} and on); who has one is in
   {once(TelemetryGlobal.EVENT_PORTS)}. A 1 to {once(TelemetryGlobal.SNAPSHOT)} freezes all counters
   in the same cycle. Cycles from record to record in {once(TelemetryGlobal.STREAM_PERIOD)};
   `m_axis_telemetry_*` has the clock `clk`.
"""


def _simulate(top: str) -> str:
    return f"""\
`{BENCH}.v` resets the switch, reads registers, and sends a frame from each port to the next:

```sh
iverilog -o {BENCH}.vvp -s {BENCH} {BENCH}.v {top}.v && vvp -n {BENCH}.vvp
fusesoc --cores-root . run --target sim {core_name(top)}
```

`--target lint` runs Verilator, `--target synth` synthesis. `gavel vectors DIR` with the same
configuration writes random traffic with every output pin of every cycle.
"""


def _estimate(estimate: Estimate) -> Iterator[str]:
    family, made, placed = estimate.family, estimate.synthesis, estimate.placed
    yield f"{_sentence(estimate.verdict)}\n"
    if made is not None:
        area = estimate.area or made.area
        how = "flattened" if estimate.flattened else "with its hierarchy"
        rows = ((family.lut_title, area.luts, "luts"),
                ("flip-flops", area.flip_flops, "flip_flops"),
                (family.ram_title, area.block_rams, "block_rams"))
        yield (f"\nYosys {made.version}, `{' '.join(family.passes)}`, {family.device}, {how}:\n\n"
               "| resource | used | of | share |\n|---|---:|---:|---:|\n")
        for title, used, kind in rows:
            limit = family.capacity[kind]
            yield f"| {title} | {used:,} | {limit:,} | {used / limit:.0%} |\n"
        if estimate.taken_in is not None:
            yield (f"\n{estimate.taken_in.sentence}, as their output registers. Yosys does not do "
                   "so: where it\nmakes the netlist of your design, `gavel output-registers "
                   "netlist.json -o out.json` does.\n")
        yield (f"\nLatches: {len(made.latches)}. Warnings of Yosys: {len(made.warnings)}"
               f"{': ' if made.warnings else '.'}{'; '.join(made.warnings)}\n")
        yield f"\n| block | instances | {family.lut_title} in all | flip-flops in all |\n"
        yield "|---|---:|---:|---:|\n"
        blocks = sorted(made.modules.items(),
                        key=lambda item: -item[1].own.luts * item[1].instances)
        for name, module in blocks[:_BIGGEST]:
            yield (f"| `{name}` | {module.instances} | {module.own.luts * module.instances:,} | "
                   f"{module.own.flip_flops * module.instances:,} |\n")
        yield "\n| memory | is made of |\n|---|---|\n"
        for memory in made.memories:
            yield f"| `{memory.name}` | {_KINDS[memory.kind]} |\n"
    if placed is not None:
        yield from _placed(estimate, placed)
    if estimate.lint is not None:
        found = f"found:\n\n```\n{estimate.lint}```" if estimate.lint else "found nothing."
        yield f"\nVerilator's lint, with the waivers in the `.vlt` file, {found}\n"
    yield "\nNot done:\n\n" + "".join(f"* {text}\n" for text in estimate.not_done)


def _placed(estimate: Estimate, placed: PlacedSeeds) -> Iterator[str]:
    others = sorted(set(estimate.port_clocks.values()) - {estimate.mhz})
    asked = "".join(f", {mhz:g} MHz at the ports" for mhz in others)
    if placed.planned is not None:
        yield (f"\n{_sentence(placed.planned.sentence)} Left to nextpnr they are spread over the "
               "whole device: where it\nplaces your design, `gavel floor-plan netlist.json -o "
               "out.json` gives them places.\n")
    yield (f"\nnextpnr {placed.version}, `{' '.join(placed.arguments)}`, asked for "
           f"{estimate.mhz:g} MHz{asked}:\n\n"
           "| seed | MHz | from | to | cells | logic, ns | wires, ns |\n"
           "|---:|---:|---|---|---:|---:|---:|\n")
    for run in placed.runs:
        if not run.fmax_mhz:
            yield f"| {run.seed} | - | {run.failed} | | | | |\n"
            continue
        rows = [(str(run.seed), run.fmax_mhz, run.path)]
        if run.slowest_other:
            rows.append((f"{run.seed}, `{run.slowest_other}`", run.clocks[run.slowest_other],
                         run.other_path))
        for title, mhz, path in rows:
            if path is not None:
                yield (f"| {title} | {mhz:.1f} | `{path.source}` | `{path.sink}` | {path.levels} | "
                       f"{path.logic_ns} | {path.routing_ns} |\n")
    if not any(map(estimate.reached_by, placed.runs)):
        yield ("\nSeeds differ by some per cent: `gavel fpga --seeds 5` runs five, and its last "
               "line says\nwhich of them reaches what was asked for.\n")


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."

