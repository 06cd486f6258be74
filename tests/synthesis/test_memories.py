# SPDX-License-Identifier: Apache-2.0
"""Memories as modules: macros in their places, memories that no module can be made of, names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gavel_model.loader import load_config
from gavel_model.top_options import TopOptions
from gavel_rtl.emit import Generated, generate
from gavel_rtl.extract_memories import UnknownMemoryError
from gavel_rtl.memory_module import MemoryShape
from gavel_rtl.netlist import Library
from gavel_rtl.verilog import split_memories
from gavel_tb.fpga.smoke_bench import smoke_bench

CONFIG = replace(load_config("tiny"), queueing="fifo")
KINDS = {"ram", "ram_old", "ram_new", "ram_2clk", "lutram", "lutram_probed"}


@pytest.fixture(scope="module")
def top() -> tuple[Generated, TopOptions]:
    """A top level that has memories of every kind."""
    options = TopOptions(ports="xgmii", crossing=True)
    return generate(CONFIG, options), options


def macro(name: str, memory: Mapping[str, object]) -> str:
    """As a memory compiler would have it: nothing at the start, x where nobody may look."""
    kind, reads, depth, width = (memory[key] for key in ("kind", "reads", "depth", "width"))
    clocked = kind not in ("lutram", "lutram_probed")
    write_clock, read_clock = ("w_clk", "r_clk") if kind == "ram_2clk" else ("clk", "clk")
    address = f"[{(depth - 1).bit_length() - 1}:0]"
    ports = ["r"] if reads == 1 else [f"r{number}" for number in range(reads)]

    def lines() -> Iterator[str]:
        pins = [f"input {clock}" for clock in dict.fromkeys((write_clock, read_clock))]
        pins += ["input w_en", f"input {address} w_addr", f"input [{width - 1}:0] w_data"]
        for port in ports:
            pins += [f"input {port}_en"] if clocked else []
            pins += [f"input {address} {port}_addr",
                     f"output {'reg ' if clocked else ''}[{width - 1}:0] {port}_data"]
        if kind == "lutram_probed":
            pins += [f"output [{width - 1}:0] probe{number}" for number in range(depth)]
        yield f"module {name}({', '.join(pins)});"
        yield f"  reg [{width - 1}:0] bits [0:{depth - 1}];"
        yield f"  always @(posedge {write_clock}) if (w_en) bits[w_addr] <= w_data;"
        for port in ports:
            if not clocked:
                yield f"  assign {port}_data = bits[{port}_addr];"
                continue
            shown = f"bits[{port}_addr]"
            if kind == "ram":
                shown = f"w_en && w_addr == {port}_addr ? {{{width}{{1'bx}}}} : {shown}"
            yield f"  always @(posedge {read_clock}) if ({port}_en) {port}_data <= {shown};"
        yield "endmodule\n"

    return "\n".join(lines())


def test_macros_take_the_places_of_the_memories(top, smoke):
    made, options = top
    memories = made.sidecar["memories"]
    assert {memory["kind"] for memory in memories.values()} == KINDS
    rest, _ = split_memories(made.verilog)
    macros = "".join(macro(name, memory) for name, memory in memories.items()
                     if memory["kind"] != "ram_new")
    config = options.switch_config(CONFIG)
    bench = smoke_bench(config, options, "gavel_top", made.sidecar["ports"])
    done = smoke(bench, rest + macros)
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("PASS: 2 frames of 64 bytes")
    cells = next(name for name, memory in memories.items()
                 if memory["places"] == ["gavel_ingress_buffer.cell_data"])
    wrong, changed = re.subn(rf"(module {cells}\([^;]*;(?:.*\n)*?.* r_data <= )(.*);", r"\1~(\2);",
                             macros, count=1)
    assert changed == 1
    assert "FAIL in cycle" in smoke(bench, rest + wrong).stdout


def test_every_memory_has_its_place(top):
    made, _ = top
    memories, modules = made.sidecar["memories"], made.sidecar["modules"]
    for name, memory in memories.items():
        assert MemoryShape.of(name) == MemoryShape(
            **{key: memory[key] for key in ("kind", "reads", "depth", "width")})
        assert memory["instances"] == modules[name] == sum(
            modules[place.partition(".")[0]] for place in memory["places"])
    places = [place for memory in memories.values() for place in memory["places"]]
    assert len(places) == len(set(places))
    assert {"gavel_ingress_buffer.cell_data", "gavel_head_order.ring",
            "gavel_rx_crossing_fifo.storage", "gavel_counters.high_48"} <= set(places)
    assert len(re.findall(r"^  .*reg .*\[\d+:0\];$", made.verilog, re.MULTILINE)) == sum(
        memory["kind"] != "ram_new" for memory in memories.values())
    for name, memory in memories.items():
        at = made.verilog.index(f"module {name}(")
        head = made.verilog[:at].rpartition("\n\n")[2]
        assert f"// {memory['depth']} words of {memory['width']} bits.\n" in head


def test_names_of_other_modules_are_no_shapes():
    assert MemoryShape.of("gavel_replay_buffer") is None
    assert MemoryShape.of("gavel_ram_1r1w_odd_16x4") is None
    assert MemoryShape.of("gavel_lutram_3r1w_5x7") == MemoryShape(
        kind="lutram", reads=3, depth=5, width=7)


class Odd(wiring.Component):
    """A memory of which there is no module."""

    def __init__(self, fault: str):
        self.fault = fault
        super().__init__({"at": In(2), "en": In(2), "seen": Out(4)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.some = memory = Memory(
            shape=4, depth=4, init=[3] if self.fault == "contents" else [])
        parts = 2 if self.fault == "parts" else None
        for _ in range(2 if self.fault == "writes" else 1):
            write = memory.write_port(granularity=parts)
            m.d.comb += [write.addr.eq(self.at), write.data.eq(self.at), write.en.eq(self.en)]
        read = memory.read_port()
        m.d.comb += [read.addr.eq(self.at), self.seen.eq(read.data)]
        return m


@pytest.mark.parametrize(("fault", "said"), [
    ("contents", "the memory some has contents"),
    ("parts", "the memory some writes parts of a word"),
    ("writes", "the memory some has 2 write ports, must have one"),
])
def test_other_memories_are_refused(fault, said):
    with pytest.raises(UnknownMemoryError, match=said):
        Library().add(Odd(fault))


@pytest.mark.long
def test_the_table_in_the_documents_is_that_of_rack():
    memories = generate(load_config("rack")).sidecar["memories"]
    page = (Path(__file__).resolve().parents[2] / "docs" / "asic.md").read_text("utf-8")
    rows = re.findall(r"^\| `(gavel_\w+_\d+x\d+)` \| (\d+) \| ([\d,.]+) \|", page, re.MULTILINE)
    assert {name: (int(instances), size) for name, instances, size in rows} == {
        name: (memory["instances"],
               f"{memory['depth'] * memory['width'] * memory['instances'] / 8192:,.1f}")
        for name, memory in memories.items() if memory["kind"] != "ram_new"}
