# SPDX-License-Identifier: Apache-2.0
"""Flip-flops that block RAM takes in: which, which not, and that no cycle shows it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gavel_rtl.yosys import yosys_command
from gavel_tb.synthesis.families import FAMILIES
from gavel_tb.synthesis.output_registers import take_in
from gavel_tb.synthesis.synthesize import NETLIST_NAME, Synthesis, synthesize

ECP5 = FAMILIES["ecp5"]
PLAIN = replace(ECP5, output_registers=False)

MODEL = Path(__file__).with_name("dp16kd.v")
"""Block RAM and flip-flop, as they behave."""

TOP = """module top(input clk, input slow, input rst, input a, input b, input we, input [8:0] wa,
           input [8:0] ra, input [{last}:0] d, output reg [{last}:0] q, output [{last}:0] more);
  (* no_rw_check *) reg [{last}:0] words [511:0];
  reg [{last}:0] r;
  always @(posedge clk) if (we) words[wa] <= d;
  {reads}
endmodule
"""

TAKEN = {
    "bare": "always @(posedge clk) begin r <= words[ra]; q <= r; end assign more = 0;",
    "enable": "always @(posedge clk) begin r <= words[ra]; if (a) q <= r; end assign more = 0;",
    "both": "always @(posedge clk) if (a) begin r <= words[ra]; q <= r; end assign more = 0;",
    "logic behind": "always @(posedge clk) begin r <= words[ra]; q <= r; end assign more = q ^ d;",
    "two copies": """reg [{last}:0] s, t;
      always @(posedge clk) begin r <= words[ra]; q <= r; end
      always @(posedge clk) begin s <= words[~ra]; if (b) t <= s; end
      assign more = t;""",
    "falls": "always @(negedge clk) begin r <= words[ra]; q <= r; end assign more = 0;",
}
LEFT = {
    "fan-out": ("always @(posedge clk) begin r <= words[ra]; q <= r; end assign more = ~r;",
                "a data bit goes to more than one place"),
    "pin": ("always @(posedge clk) r <= words[ra]; always @* q = r; assign more = 0;",
            "a data bit does not go to a flip-flop"),
    "logic": ("always @(posedge clk) begin r <= words[ra]; q <= r ^ d; end assign more = 0;",
              "a data bit does not go to a flip-flop"),
    "clock": ("""always @(posedge clk) r <= words[ra];
                 always @(posedge slow) q <= r; assign more = 0;""",
              "its flip-flops have another clock"),
    "edge": ("""always @(posedge clk) r <= words[ra];
                always @(negedge clk) q <= r; assign more = 0;""",
             "its flip-flops have another clock"),
    "read enable": ("""always @(posedge clk) begin if (a) r <= words[ra]; q <= r; end
                       assign more = 0;""",
                    "it is read with an enable that its flip-flops do not have"),
    "other enable": ("""always @(posedge clk) begin if (a) r <= words[ra]; if (b) q <= r; end
                        assign more = 0;""",
                     "it is read with an enable that its flip-flops do not have"),
    "mixed enables": ("""always @(posedge clk) begin r <= words[ra];
                           if (a) q[0] <= r[0]; if (b) q[{last}:1] <= r[{last}:1]; end
                         assign more = 0;""",
                      "its flip-flops differ in clock or enable"),
    "reset": ("""always @(posedge clk) begin r <= words[ra]; if (rst) q <= 0; else q <= r; end
                 assign more = 0;""",
              "its flip-flops have a reset"),
    "begins with 1": ("""initial q = 1;
                         always @(posedge clk) begin r <= words[ra]; q <= r; end
                         assign more = 0;""",
                      "its flip-flops do what its register cannot do"),
}


def design(reads: str, width: int) -> str:
    """Verilog of one case."""
    last = width - 1
    return TOP.format(last=last, reads=reads.format(last=last))


def synthesized(reads: str, width: int, folder: Path) -> tuple[dict[str, Any], Synthesis]:
    """The netlist as Yosys makes it."""
    made = synthesize(design(reads, width), "top", PLAIN, folder)
    assert made.area.block_rams and made.taken_in is None
    return json.loads((folder / NETLIST_NAME).read_text()), made


def cells(netlist: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [cell for cell in netlist["modules"]["top"]["cells"].values() if cell["type"] == kind]


@pytest.mark.parametrize(("case", "width"), [
    *((case, 9) for case in TAKEN), ("bare", 36),
    *(pytest.param(case, 36, marks=pytest.mark.long) for case in ("both", "two copies"))])
def test_taken_in_and_no_cycle_differs(case, width, tmp_path, request):
    netlist, made = synthesized(TAKEN[case], width, tmp_path / "before")
    copies = 2 if case == "two copies" else 1
    assert made.area.block_rams == copies
    flip_flops = len(cells(netlist, "TRELLIS_FF"))
    assert flip_flops >= copies * width
    taken = take_in(netlist)
    assert (taken.block_rams, taken.registered, taken.left) == (copies, copies, {})
    assert taken.flip_flops == {"top": copies * width}
    assert taken.sentence == (
        f"{copies} of {copies} block RAMs have taken in {copies * width} flip-flops")
    assert len(cells(netlist, "TRELLIS_FF")) == flip_flops - copies * width
    for cell in cells(netlist, "DP16KD"):
        modes = [cell["parameters"][f"REGMODE_{port}"] for port in "AB"]
        assert modes == ["OUTREG" if width == 36 else "NOREG", "OUTREG"]
    after = tmp_path / "after"
    after.mkdir()
    (after / NETLIST_NAME).write_text(json.dumps(netlist))
    request.getfixturevalue("icarus")
    for held in (False, True):
        seen = [played(folder, width, held) for folder in (tmp_path / "before", after)]
        assert seen[0] == seen[1]
        # Data came through, and many of them.
        assert len(set(seen[0])) > 100 and not any("x" in line for line in seen[0])
    again = take_in(netlist)
    assert (again.registered, again.flip_flops) == (0, {})


@pytest.mark.parametrize("case", LEFT)
def test_left_alone(case, tmp_path):
    reads, why = LEFT[case]
    netlist, _ = synthesized(reads, 9, tmp_path)
    before = json.dumps(netlist)
    taken = take_in(netlist)
    assert (taken.block_rams, taken.registered, taken.flip_flops) == (1, 0, {})
    assert taken.left == {why: 1}
    assert json.dumps(netlist) == before


@pytest.mark.parametrize(("change", "why"), [
    ({"GSR": "ENABLED"}, "it has a reset, a select or an inverted pin"),
    ({"OCEBMUX": "INV"}, "it has a reset, a select or an inverted pin"),
    ({"REGMODE_B": "OUTREG"}, "its register is in use"),
])
def test_block_ram_of_another_kind_is_left_alone(change, why, tmp_path):
    netlist, _ = synthesized(TAKEN["bare"], 9, tmp_path)
    ram, = cells(netlist, "DP16KD")
    ram["parameters"].update(change)
    assert take_in(netlist).left == {why: 1}


def test_a_global_reset_would_reach_what_follows_it(tmp_path):
    netlist, _ = synthesized(TAKEN["bare"], 9, tmp_path)
    cells(netlist, "DP16KD")[0]["parameters"]["GSR"] = "AUTO"
    assert take_in(json.loads(json.dumps(netlist))).registered == 1
    netlist["modules"]["top"]["cells"]["reset"] = {
        "type": "GSR", "parameters": {}, "connections": {"GSR": [2]},
        "port_directions": {"GSR": "input"}}
    assert take_in(netlist).left == {"it has a reset, a select or an inverted pin": 1}


def test_kept_nets_are_kept(tmp_path):
    netlist, _ = synthesized(TAKEN["bare"], 9, tmp_path)
    ram, = cells(netlist, "DP16KD")
    data = ram["connections"]["DOB0"]
    netlist["modules"]["top"]["netnames"]["probe"] = {"bits": data, "attributes": {"keep": 1}}
    assert take_in(netlist).left == {"its flip-flops shall be kept": 1}


def test_synthesis_counts_what_is_left(tmp_path):
    _, before = synthesized(TAKEN["bare"], 9, tmp_path / "before")
    after = synthesize(design(TAKEN["bare"], 9), "top", ECP5, tmp_path / "after")
    assert after.area == replace(before.area, flip_flops=before.area.flip_flops - 9)
    assert after.taken_in is not None and after.taken_in.registered == 1
    netlist = json.loads((tmp_path / "after" / NETLIST_NAME).read_text())
    assert len(cells(netlist, "TRELLIS_FF")) == after.area.flip_flops
    assert cells(netlist, "DP16KD")[0]["parameters"]["REGMODE_B"] == "OUTREG"


BENCH = """module bench;
  reg clk = 0, slow = 0, rst = 0, a = 0, b = 0, we = 0;
  reg [8:0] wa = 0, ra = 0;
  reg [{last}:0] d = 0;
  wire [{last}:0] q, more;
  integer n, seed = 1;
  top dut(.clk(clk), .slow(slow), .rst(rst), .a(a), .b(b), .we(we), .wa(wa), .ra(ra), .d(d),
          .q(q), .more(more));
  initial begin
    for (n = 0; n < 2000; n = n + 1) begin
      #1 we = $random(seed); wa = $random(seed); ra = $random(seed);
      d = {{$random(seed), $random(seed)}}; a = $random(seed); b = $random(seed);
      {{wa[8:5], ra[8:5]}} = 0;
      #1 $display("%h %h", q, more);
      clk = 1;
      #1 $display("%h %h", q, more);
      #1 clk = 0;
    end
    $finish(0);
  end
endmodule
"""


def played(folder: Path, width: int, held: bool) -> list[str]:
    """What the pins of a netlist show under random inputs, twice in each cycle."""
    subprocess.run(yosys_command((f"read_json {NETLIST_NAME}", "write_verilog -noattr netlist.v")),
                   cwd=folder, check=True, capture_output=True)
    netlist = "\n".join(line for line in (folder / "netlist.v").read_text().splitlines()
                        if ".INITVAL_" not in line)
    (folder / "netlist.v").write_text(netlist)
    (folder / "bench.v").write_text(BENCH.format(last=width - 1))
    subprocess.run(["iverilog", "-g2005", *(["-DHELD"] if held else []), "-o", "bench.vvp", "-s",
                    "bench", "bench.v", "netlist.v", str(MODEL)], cwd=folder, check=True)
    return subprocess.run(["vvp", "-n", "bench.vvp"], cwd=folder, check=True, capture_output=True,
                          text=True).stdout.splitlines()
