# SPDX-License-Identifier: Apache-2.0
"""Constraints between clocks name what stands in the netlist, and leave no synchroniser out."""

from __future__ import annotations

import re
from itertools import product

import pytest

from gavel_model.loader import load_config
from gavel_model.top_options import TopOptions
from gavel_rtl.memory_module import MemoryShape
from gavel_rtl.netlist import Library
from gavel_rtl.top import Top
from gavel_tb.fpga.crossings import NO_CROSSINGS, STAGE, Crossings, crossings
from gavel_tb.fpga.pin_meanings import is_clock
from gavel_tb.fpga.targets import TARGETS

CLOCKS = {"clk": 200.0, **{f"p{port}_{side}_clk": 200.0 for port in range(3)
                           for side in ("rx", "tx")}}
WIDE = {"clk": 100.0, "p0_rx_clk": 200.0, "p0_tx_clk": 200.0}
_PARTS = re.compile(r"^  cell \\(?P<module>\S+) \\(?P<name>\S+)$|"
                    r"^  wire (?:width \d+ )?(?:output \d+ +)?\\(?P<wire>\S+)$", re.MULTILINE)


class Design:
    """Paths of the signals and of the instances of a top level, by name of the module."""

    def __init__(self, ports: str, width: int) -> None:
        self.options = TopOptions(ports=ports, registers="axi_lite", crossing=True)
        self.config = self.options.switch_config(load_config("tiny", (f"data_width={width}",)))
        library = Library()
        top = library.add(Top(self.config, self.options))
        text = library.netlist(top).rtlil
        self._bodies = {part.split("\n", 1)[0]: part
                        for part in re.split(r"^module \\", text, flags=re.MULTILINE)[1:]}
        self.signals: set[str] = set()
        self.instances: dict[str, str] = {}
        self._visit(top, "")

    def _visit(self, module: str, above: str) -> None:
        for part in _PARTS.finditer(self._bodies[module]):
            if part["wire"]:
                self.signals.add(above + part["wire"])
            elif part["module"] in self._bodies:
                self.instances[above + part["name"]] = part["module"]
                self._visit(part["module"], f"{above}{part['name']}.")

    def wrong(self, between: Crossings) -> set[str]:
        """Names that are not in the design, synchronisers and memories that are left out."""
        named = {*between.single}
        resets, memories = set(), set()
        for fifo in between.fifos:
            named |= {end for ends in fifo.pointers for end in ends}
            named |= {f"{fifo.reset}.stage0", f"{fifo.reset}.stage1"}
            resets.add(fifo.reset)
            memories.add(fifo.memory)
        synchronisers = {path for path in self.instances if path.endswith("_cdc")}
        two_clocks = {path for path, module in self.instances.items()
                      if (shape := MemoryShape.of(module)) and shape.kind == "ram_2clk"}
        covered = {name.removesuffix(f".{STAGE}") for name in named if name.endswith(STAGE)}
        return (named - self.signals) | (synchronisers ^ (covered | resets)) | (
            memories ^ two_clocks)


@pytest.fixture(scope="module", params=[
    ("segment", 64), ("xgmii", 64), pytest.param(("xgmii", 128), marks=pytest.mark.long),
    ("axi_stream", 64)], ids=str)
def design(request: pytest.FixtureRequest) -> Design:
    return Design(*request.param)


def test_names_are_those_of_the_netlist_and_none_is_left_out(design):
    between = crossings(design.config.ports, design.options)
    assert len(between.fifos) == 2 * design.config.ports
    assert design.wrong(between) == set()
    assert design.wrong(crossings(design.config.ports - 1, design.options))
    assert design.wrong(crossings(design.config.ports + 1, design.options))


def between(ports: int) -> Crossings:
    return crossings(ports, TopOptions(ports="xgmii", registers="axi_lite", crossing=True))


def arguments(text: str, command: str) -> list[str]:
    return re.findall(rf"^{command} (.*)$", text, re.MULTILINE)


def test_vivado_bounds_every_fifo_and_cuts_every_other_synchroniser():
    text = TARGETS["xcup"].constraints[0].write(CLOCKS, between(3))
    assert "create_clock -name p0_rx_clk -period 5.000 [get_ports {p0_rx_clk}]" in text
    # They would come before the bounds.
    assert "set_clock_groups" not in text
    bounds = arguments(text, "set_max_delay -datapath_only")
    assert len(bounds) == 3 * 6
    assert all(bound.endswith(" 5.000") for bound in bounds)
    assert len(arguments(text, "set_bus_skew")) == 2 * 6
    assert len(arguments(text, "set_false_path")) == 6 + 5 * 3
    for port, side in product(range(3), ("rx", "tx")):
        fifo = f"port{port}_{side}_crossing/fifo"
        for source, sink in (("produce_w", "produce"), ("consume_r", "consume")):
            assert any(f"{{NAME =~ *{fifo}/{source}_gry_reg[*]}}" in bound
                       and f"{{NAME =~ *{fifo}/{sink}_cdc/stage0_reg[*]}}" in bound
                       for bound in bounds)
        assert f"{{NAME =~ *{fifo}/rst_cdc/stage*_reg/PRE}}" in text


def test_quartus_bounds_skew_and_delay_of_pointers():
    text = TARGETS["agilex"].constraints[0].write(CLOCKS, between(1))
    assert ("set_clock_groups -asynchronous -group [get_clocks {clk}] "
            "-group [get_clocks {p0_rx_clk}]") in text
    ends = ("-from [get_registers {*port0_rx_crossing|fifo|produce_w_gry[*]}] "
            "-to [get_registers {*port0_rx_crossing|fifo|produce_cdc|stage0[*]}]")
    assert f"\nset_max_skew {ends} 5.000\n" in text
    assert f"\nset_net_delay {ends} -max 5.000\n" in text
    assert len(arguments(text, "set_max_skew")) == len(arguments(text, "set_net_delay")) == 4


def test_each_path_has_the_period_of_its_clocks():
    """Pointers that of the faster clock, memories that of the reading one."""
    text = TARGETS["xcup"].constraints[0].write(WIDE, between(1))
    assert "create_clock -name clk -period 10.000 [get_ports {clk}]" in text
    assert "create_clock -name p0_rx_clk -period 5.000 [get_ports {p0_rx_clk}]" in text
    for bound in arguments(text, "set_max_delay -datapath_only"):
        slow = "rx_crossing/fifo/storage" in bound
        assert bound.endswith(" 10.000" if slow else " 5.000"), bound
    assert all(bound.endswith(" 5.000") for bound in arguments(text, "set_bus_skew"))
    text = TARGETS["agilex"].constraints[0].write(WIDE, between(1))
    assert all(bound.endswith(" 5.000") for bound in arguments(text, "set_max_skew"))
    text = TARGETS["ecp5"].constraints[0].write(WIDE, between(1))
    assert ('FREQUENCY PORT "clk" 100.0 MHZ;\nFREQUENCY PORT "p0_rx_clk" 200.0 MHZ;\n'
            'FREQUENCY PORT "p0_tx_clk" 200.0 MHZ;\n') in text


def test_other_tools_say_what_they_do_not_bound():
    assert "set_clock_groups" in TARGETS["gowin"].constraints[0].write(CLOCKS, between(1))
    for name in ("ecp5", "ice40"):
        text = TARGETS[name].constraints[0].write(CLOCKS, between(1))
        assert "no bound" in text


@pytest.mark.parametrize("name", TARGETS)
def test_one_clock_has_nothing_between_clocks(name):
    for kind in TARGETS[name].constraints:
        text = kind.write({"clk": 200.0}, NO_CROSSINGS)
        assert not re.search(r"set_(clock_groups|max|net|bus|false)|etween", text)


def test_clocks_are_known_by_their_names():
    assert is_clock("p0_clk")
    assert is_clock("clk")
    assert not is_clock("p0_rx_valid")
