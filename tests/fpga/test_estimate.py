# SPDX-License-Identifier: Apache-2.0
"""Estimates of a block that is synthesized in seconds: what they say, and of what they do not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gavel_model.loader import load_config
from gavel_rtl.free_list import FreeList
from gavel_tb.fpga.crossings import NO_CROSSINGS
from gavel_tb.fpga.estimate import Estimate, check_tools, estimate
from gavel_tb.fpga.targets import TARGETS
from gavel_tb.synthesis import place_route
from gavel_tb.synthesis.components import block_verilog
from gavel_tb.synthesis.errors import SynthesisError
from gavel_tb.synthesis.families import FAMILIES
from gavel_tb.synthesis.floor_plan import Planned
from gavel_tb.synthesis.place_route import place_and_route
from gavel_tb.synthesis.synthesize import synthesize

MHZ = 156.25
PORT_CLOCKS = {"p0_rx_clk": MHZ, "p0_tx_clk": MHZ}
PLANNED = Planned(block_rams=145, placed=145, ports=4)


@pytest.fixture(scope="module")
def block() -> tuple[str, str]:
    return block_verilog(FreeList(load_config("fpga")))


@pytest.fixture(scope="module")
def synthesized(block) -> Estimate:
    """Without place and route; ports have clocks of their own."""
    return estimate(*block, FAMILIES["gowin"], (1,), 78.125, told([]), PORT_CLOCKS)


def told(seen):
    return lambda share, text: seen.append((share, text))


def test_with_place_and_route(block, folder):
    seen: list[tuple[float, str]] = []
    known = estimate(*block, FAMILIES["ecp5"], (1, 2), MHZ, told(seen))
    assert known.verdict.startswith(f"{known.flattened.area.luts:,} LUT4, ")
    assert ": fits into LFE5U-85F, routes, " in known.verdict
    assert known.verdict.endswith(" of 156.25 MHz (median of 2 seeds)")
    assert [text for _, text in seen] == [
        "Verilator", "Yosys", "Yosys, flattened", "nextpnr, 2 seeds", "nextpnr, 1 of 2 seeds",
        "nextpnr, 2 of 2 seeds"]
    assert [share for share, _ in seen] == sorted(share for share, _ in seen)
    text = folder("ecp5", known)["README.md"]
    assert "| LUT4 | " in text
    assert "| `gavel_free_list.ring` | block RAM |" in text
    assert "\n| 2 | " in text
    assert "`block.ring" in text
    assert "--package CABGA756 --speed 8" in text
    assert "Latches: 0. Warnings of Yosys: 0." in text
    # The ring's data go to a register with nothing between.
    assert known.taken_in == known.flattened.taken_in and known.taken_in.registered == 1
    assert "\n1 of 1 block RAMs have taken in 9 flip-flops, as their output registers." in text
    assert known.as_dict()["output_registers"] == {
        "block_rams": 1, "registered": 1, "flip_flops": 9, "left": {}}
    assert "LFE5U-85F, flattened:" in text
    # What was placed is what was flattened.
    placed = known.placed.runs[0].used["TRELLIS_FF"]
    assert placed == known.flattened.area.flip_flops
    data = known.as_dict()
    assert data["fits"] is True
    assert data["memories"] == {"gavel_free_list.ring": "block_rams"}
    assert [run["seed"] for run in data["runs"]] == [1, 2]


def test_without_place_and_route(synthesized, folder):
    known = synthesized
    assert known.placed is None
    assert known.verdict.endswith("BSRAM: fits into GW2A-55")
    assert "Place and route was not done for this family" in folder("gowin", known)["README.md"]


def test_lint_only(block, folder):
    known = estimate(*block, FAMILIES["agilex"], (1,), MHZ, told([]))
    assert known.synthesis is known.placed is None
    assert known.lint == ""
    assert known.verdict == "only lint was done, which is clean"
    text = folder("agilex", known)["README.md"]
    assert "Yosys and nextpnr do not know this family" in text
    verilog, top = block
    at = verilog.index("endmodule", verilog.index(f"module {top}("))
    faulty = f"{verilog[:at]}  wire odd;\n  assign odd = first_cell;\n{verilog[at:]}"
    known = estimate(faulty, top, FAMILIES["agilex"], (1,), MHZ, told([]))
    assert "WIDTHTRUNC" in known.lint
    assert known.verdict == "only lint was done, which has findings"
    assert "WIDTHTRUNC" in folder("agilex", known)["README.md"]


def test_a_design_that_does_not_fit(block, folder):
    small = replace(FAMILIES["ecp5"], capacity={"luts": 10, "flip_flops": 1000, "block_rams": 0})
    known = estimate(*block, small, (1,), MHZ, told([]))
    assert known.placed is known.flattened is None
    assert known.verdict == (f"does not fit into LFE5U-85F: {known.synthesis.area.luts:,} LUT4 of "
                             "10, 1 DP16KD of 0")
    assert known.as_dict()["fits"] is False
    assert "was not tried, because the design does not fit" in folder("ecp5", replace(
        known, family=FAMILIES["ecp5"]))["README.md"]


def test_a_design_that_may_fit_flattened_is_flattened(block):
    luts = 90
    tight = replace(FAMILIES["ecp5"], capacity={"luts": luts})
    known = estimate(*block, tight, (1,), MHZ, told([]))
    assert known.flattened is not None
    assert known.placed is None
    assert known.verdict.endswith(f"{known.flattened.area.luts:,} LUT4 of {luts}")


def test_a_missing_tool_is_named(monkeypatch):
    check_tools(FAMILIES["agilex"])
    monkeypatch.setattr(place_route.importlib.util, "find_spec", lambda _name: None)
    check_tools(FAMILIES["xc7"])
    with pytest.raises(SynthesisError, match="nextpnr for Lattice iCE40 is missing"):
        check_tools(FAMILIES["ice40"])


def path(clock, delay):
    edge, name = f"posedge {clock}", place_route.clock_name(clock)
    step = {"type": "logic", "delay": delay, "from": {"cell": f"of_{name}_TRELLIS_FF_Q"},
            "to": {"cell": f"to_{name}_TRELLIS_FF_Q_1"}}
    return {"from": edge, "to": edge, "path": [step]}


def test_each_clock_has_its_figure(synthesized, folder):
    """As nextpnr reports clocks with frequencies of their own."""
    report = {
        "utilization": {"TRELLIS_FF": {"used": 5, "available": 9}},
        "fmax": {"$glbnet$clk": {"achieved": 80.0}, "p0_rx_clk": {"achieved": 170.0},
                 "$glbnet$p0_tx_clk$TRELLIS_IO_IN": {"achieved": 150.0}},
        "critical_paths": [path("$glbnet$clk", 12.5), path("p0_rx_clk", 5.9),
                           path("$glbnet$p0_tx_clk$TRELLIS_IO_IN", 6.7),
                           {**path("clk", 30.0), "to": "posedge p0_rx_clk"}]}
    run = place_route.read_report(report, 1, PORT_CLOCKS)
    assert run.clocks == {"clk": 80.0, "p0_rx_clk": 170.0, "p0_tx_clk": 150.0}
    assert (run.fmax_mhz, run.path.source) == (80.0, "of_clk")
    assert (run.slowest_other, run.other_path.logic_ns) == ("p0_tx_clk", 6.7)
    # With one frequency for all, the slowest of all counts.
    same = place_route.read_report(report, 1, {})
    assert (same.fmax_mhz, same.slowest_other, same.other_path) == (80.0, "", None)
    known = replace(synthesized, family=FAMILIES["ecp5"],
                    placed=place_route.PlacedSeeds((run,), "0.1", planned=PLANNED))
    assert known.verdict.endswith("routes, 80.0 of 78.125 MHz, ports 150.0 of 156.25 MHz (seed 1); "
                                  "it does not reach what was asked for")
    text = folder("ecp5", known)["README.md"]
    assert "asked for 78.125 MHz, 156.25 MHz at the ports:" in text
    assert "| 1 | 80.0 | `of_clk` | " in text
    assert "| 1, `p0_tx_clk` | 150.0 | " in text
    assert "`gavel fpga --seeds 5`" in text
    assert known.as_dict()["asked_port_mhz"] == PORT_CLOCKS
    assert known.as_dict()["runs"][0]["clocks"] == run.clocks
    assert "\n145 of 145 block RAMs have a place, in 4 rooms. " in text
    assert known.as_dict()["floor_plan"] == {
        "block_rams": 145, "placed": 145, "ports": 4, "why_not": ""}


@pytest.mark.parametrize(("fast", "said"), [
    ((), "; no seed of these reaches what was asked for"),
    ((2,), "; seed 2 reaches what was asked for"),
    ((1, 3), " (median of 3 seeds)")])
def test_a_seed_that_reaches_what_was_asked_for(synthesized, folder, fast, said):
    """The last one has 0.1 MHz less at a port than it was asked for, unless it is fast."""
    runs = tuple(place_route.Placed(
        seed, 70.0 + 10 * (seed in fast), None, {}, {},
        clocks={"clk": 70.0 + 10 * (seed in fast),
                "p0_rx_clk": 156.15 + 0.1 * (seed < 3 or seed in fast)})
        for seed in (1, 2, 3))
    known = replace(synthesized, family=FAMILIES["ecp5"],
                    placed=place_route.PlacedSeeds(runs, "0.1"))
    assert known.verdict.endswith(said)
    assert ("`gavel fpga --seeds 5`" in folder("ecp5", known)["README.md"]) == (not fast)
    assert [run.seed for run in runs if known.reached_by(run)] == list(fast)
    assert not known.reached_by(place_route.Placed(4, None, None, {}, {}, "gave up"))


@pytest.mark.long
@pytest.mark.parametrize("name", ["ecp5", "ice40"])
def test_nextpnr_is_asked_for_other_clocks(block, tmp_path, name):
    made = synthesize(*block, FAMILIES[name], tmp_path)
    placed = place_and_route(made, (1,), mhz=50.0, other_clocks={"clk": 99.5})
    assert placed.routed
    assert placed.runs[0].slowest_other == "clk"
    log = (tmp_path / "nextpnr_1.log").read_text()
    assert "constraining clock net 'clk' to 99.50 MHz" in log


@pytest.mark.long
@pytest.mark.parametrize(("name", "options"), [
    ("ecp5", ("--lpf", "x.lpf", "--lpf-allow-unconstrained")), ("ice40", ("--pcf", "x.pcf"))])
def test_nextpnr_reads_the_constraints(block, tmp_path, name, options):
    family = FAMILIES[name]
    made = synthesize(*block, family, tmp_path)
    text = TARGETS[name].constraints[0].write({"clk": 99.5}, NO_CROSSINGS)
    (tmp_path / options[1]).write_text(text)
    tool = replace(family.place_route, arguments=(*family.place_route.arguments, *options))
    placed = place_and_route(replace(made, family=replace(family, place_route=tool)), (1,))
    assert placed.routed
    log = (tmp_path / "nextpnr_1.log").read_text()
    assert "constraining clock net 'clk' to 99.50 MHz" in log
