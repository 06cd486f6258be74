# SPDX-License-Identifier: Apache-2.0
"""What is read from the reports of Yosys and nextpnr, and what is said of a bad design."""

from __future__ import annotations

import pytest

from gavel_tb.synthesis import place_route, synthesize
from gavel_tb.synthesis.area import Area, area_of
from gavel_tb.synthesis.errors import SynthesisError
from gavel_tb.synthesis.families import BLOCK_RAM, FAMILIES, FLIP_FLOP, LUT_RAM
from gavel_tb.synthesis.place_route import check_nextpnr, place_and_route, register_name

ECP5 = FAMILIES["ecp5"]

LATCH = """module top(input g, input d, output reg q);
  always @* if (g) q = d;
endmodule
"""
TWICE = """module top(input clk, input a, input b, output q);
  reg x, y;
  always @(posedge clk) begin x <= a; y <= b; end
  assign q = x;
  assign q = y;
endmodule
"""
LOOP = """module top(input a, output q);
  wire x;
  assign x = ~(q & a);
  assign q = x;
endmodule
"""
MEMORIES = """module top(input clk, input we, input [8:0] wa, input [8:0] ra, input [31:0] d,
           output reg [31:0] large, output [31:0] small, output [1:0] few);
  reg [31:0] in_blocks [511:0];
  reg [31:0] in_luts [15:0];
  reg [1:0] in_registers [3:0];
  always @(posedge clk) if (we) in_blocks[wa] <= d;
  always @(posedge clk) large <= in_blocks[ra];
  always @(posedge clk) if (we) in_luts[wa[3:0]] <= d;
  assign small = in_luts[ra[3:0]];
  always @(posedge clk) begin
    if (we) in_registers[wa[1:0]] <= d[1:0];
    if (d[31]) in_registers[ra[1:0]] <= d[3:2];
  end
  assign few = in_registers[ra[1:0]];
endmodule
"""


def test_a_block_is_counted(free_list):
    assert free_list.area.block_rams == 1
    # The ring promises that collisions do not matter: no registers make up old words.
    assert 100 < free_list.area.flip_flops < 130
    assert 50 < free_list.area.luts < 200
    assert free_list.latches == free_list.warnings == ()
    assert [(memory.name, memory.kind) for memory in free_list.memories] == [
        ("gavel_free_list.ring", BLOCK_RAM)]


def test_hierarchy_adds_up(free_list):
    outer, inner = free_list.modules["gavel_registered"], free_list.modules["gavel_free_list"]
    assert (outer.instances, inner.instances) == (1, 1)
    assert outer.own + inner.whole == outer.whole == free_list.area
    assert outer.own.luts == 0
    assert inner.own.block_rams == 1


def test_memories_by_name(tmp_path):
    made = synthesize.synthesize(MEMORIES, "top", ECP5, tmp_path)
    assert {memory.name: memory.kind for memory in made.memories} == {
        "top.in_blocks": BLOCK_RAM, "top.in_luts": LUT_RAM, "top.in_registers": FLIP_FLOP}
    assert made.area.block_rams == 1
    assert made.area.lut_rams == 8
    assert made.area.flip_flops >= 8


def test_a_latch_is_found(tmp_path):
    made = synthesize.synthesize(LATCH, "top", FAMILIES["gowin"], tmp_path)
    assert len(made.latches) == 1
    assert "q" in made.latches[0]
    assert made.warnings == made.latches
    with pytest.raises(SynthesisError, match=r"^Yosys stopped: ERROR: Latch inferred for signal"):
        synthesize.synthesize(LATCH, "top", ECP5, tmp_path)


@pytest.mark.parametrize(("text", "said"), [(TWICE, "multiple conflicting drivers"),
                                            (LOOP, "logic loop")])
def test_warnings_are_found(text, said, tmp_path):
    made = synthesize.synthesize(text, "top", ECP5, tmp_path)
    assert any(said in warning for warning in made.warnings), made.warnings


NARROW = """module top(input clk, input we, input [9:0] wa, input [9:0] ra, input [2:0] d,
           output reg [2:0] q);
  reg [2:0] m [0:1023];
  always @(posedge clk) if (we) m[wa] <= d;
  always @(posedge clk) q <= m[ra];
endmodule
"""


def test_warnings_of_the_libraries_of_yosys_are_no_faults_of_the_design(tmp_path):
    made = synthesize.synthesize(NARROW, "top", FAMILIES["gowin"], tmp_path)
    assert made.area.block_rams == 1
    assert "gowin/brams_map.v:" in (tmp_path / synthesize.LOG_NAME).read_text("utf-8")
    assert made.warnings == ()


BOTH_READ = """module inner(input [13:0] ADDRARDADDR, output [7:0] q);
  assign q = ADDRARDADDR[7:0];
endmodule
module top(input clk, input we, input [9:0] wa, input [9:0] ra, input [17:0] d,
           output reg [17:0] q, output [7:0] s);
  reg [17:0] m [0:1023];
  always @(posedge clk) begin if (we) m[wa] <= d; q <= m[ra]; end
  inner i(.ADDRARDADDR(NAMES), .q(s));
endmodule
"""


@pytest.mark.parametrize(("pins", "found"), [("{4'b0, wa}", 0), ("{5'b0, wa}", 1)])
def test_wires_wider_than_pins_are_warned_of_but_for_those_of_a_mapping(pins, found, tmp_path):
    made = synthesize.synthesize(BOTH_READ.replace("NAMES", pins), "top", FAMILIES["xcup"],
                                 tmp_path)
    assert made.area.block_rams == 1
    assert "Resizing cell port" in (tmp_path / synthesize.LOG_NAME).read_text("utf-8")
    assert len(made.warnings) == found, made.warnings


def test_bad_verilog_is_one_line(tmp_path):
    with pytest.raises(SynthesisError, match=r"^Yosys stopped: .*syntax error") as caught:
        synthesize.synthesize("module top(;\n", "top", ECP5, tmp_path)
    assert "\n" not in str(caught.value)


def test_a_family_without_synthesis(tmp_path):
    with pytest.raises(SynthesisError, match="no synthesis for Altera Agilex"):
        synthesize.synthesize(LATCH, "top", FAMILIES["agilex"], tmp_path)


def test_missing_tools_are_named_with_the_fix(monkeypatch, tmp_path):
    monkeypatch.setattr(synthesize, "yosys_command", lambda _passes: [
        place_route.sys.executable, "-c", "raise SystemExit(\"No module named 'pyosys'\")"])
    with pytest.raises(SynthesisError, match=r"^pyosys is missing: pip install pyosys==0\.70$"):
        synthesize.synthesize(LATCH, "top", ECP5, tmp_path)
    monkeypatch.setattr(place_route.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(SynthesisError,
                       match=r"^nextpnr for Lattice ECP5 is missing: pip install 'gavel\[fpga\]'$"):
        check_nextpnr(ECP5)


def test_place_and_route(free_list):
    seen = []
    placed = place_and_route(free_list, (1, 2), progress=seen.append)
    assert tuple(seen) == placed.runs
    assert [run.seed for run in placed.runs] == [1, 2]
    assert placed.routed
    assert placed.arguments == ECP5.place_route_arguments(free_list.area.luts)
    slower = min(run.fmax_mhz for run in placed.runs)
    assert placed.median is not None
    assert placed.median.fmax_mhz == slower
    assert 50 < slower < 400
    assert placed.median.used["DP16KD"] == 1
    assert placed.median.available["DP16KD"] == 208
    path = placed.median.path
    assert path is not None
    # The block RAM is fast from its register on: what is slow ends at it.
    assert path.source.startswith("block.read_index")
    assert path.sink.startswith("block.ring")
    assert 1000 / (path.logic_ns + path.routing_ns) == pytest.approx(slower, rel=0.02)


def test_a_large_design_has_a_placer_and_a_router_of_its_own():
    small, large = (ECP5.place_route_arguments(luts) for luts in (20_909, 20_910))
    assert large == (*small, "--placer", "static")
    planned = ECP5.place_route_arguments(20_910, planned=True)
    assert planned[:len(small) + 2] == (*small, "--placer", "heap")
    assert FAMILIES["xc7"].place_route_arguments(100_000) == ()


def test_a_design_that_does_not_place_says_why(free_list, tmp_path):
    for name in ("design.il", synthesize.NETLIST_NAME):
        (tmp_path / name).write_text("{}")
    placed = place_and_route(
        synthesize.Synthesis(**{**vars(free_list), "folder": tmp_path}), (1,))
    assert not placed.routed
    assert placed.median is None
    assert placed.runs[0].failed


def test_a_run_that_was_ended_says_so():
    log = "Info: Routing..\nInfo:  1000 | 317 682 |\n"
    assert place_route._failure(log, -15) == "ended by signal 15"
    assert place_route._failure(f"{log}ERROR: no place\n", 1) == "no place"


def test_names_of_registers_lose_what_synthesis_appends():
    assert register_name("port0.link_rx.word_TRELLIS_FF_Q_12_DI_LUT4_Z") == "port0.link_rx.word"
    assert register_name("port0.egress.count") == "port0.egress.count"
    # Amaranth calls what has no name $signal, and numbers it.
    assert register_name("port0.egress.$signal_TRELLIS_FF_Q_7") == "port0.egress.$signal"
    assert register_name("egress.$signal$54_LUT4_D_Z") == "egress.$signal"
    assert register_name("$signal_TRELLIS_FF_Q") == "$signal"


def test_cells_are_worth_what_they_take():
    assert area_of({"LUT4": 3, "CCU2C": 2, "TRELLIS_FF": 5, "TRELLIS_DPR16X4": 2, "DP16KD": 1,
                    "PFUMX": 7}, ECP5) == Area(luts=19, flip_flops=5, block_rams=1, lut_rams=2)
    assert area_of({"LUT6": 1, "RAMB36E1": 1, "RAMB18E1": 1, "RAM64M": 1, "LDCE": 1},
                   FAMILIES["xc7"]) == Area(luts=5, block_rams=3, lut_rams=1, latches=1)
    assert Area(luts=90000, flip_flops=1).beyond(ECP5) == "90,000 LUT4 of 83,640"
    assert Area(luts=83640).beyond(ECP5) == ""
