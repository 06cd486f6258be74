# SPDX-License-Identifier: Apache-2.0
"""What is made from gavel.rdl is up to date, and says what the source says."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from systemrdl.node import RegfileNode

from gavel_model import register_names
from gavel_model.address_map import AddressMap
from gavel_model.config import SwitchConfig
from gavel_model.llr_receiver import ReceiverState
from gavel_model.llr_timers import TransmitterState
from gavel_model.loader import load_config
from gavel_model.profiles import PROFILE_NAMES
from gavel_model.register_entry import Register
from gavel_model.register_map import (
    COUNTERS,
    GLOBALS,
    PORT_REGISTERS,
    SWITCH_MAP,
    Port,
    config_values,
)
from gavel_model.selftest_map import SELF_TEST_MAP
from gavel_model.telemetry_map import TELEMETRY_MAP
from gavel_tb.rdl.compiled import compile_map, read_map, source_folder
from gavel_tb.rdl.errors import RegisterToolError
from gavel_tb.rdl.exports import filled_sources
from gavel_tb.rdl.generated import generated_files
from gavel_tb.rdl.maps import FURTHER, MAPS, SELF_TEST, TELEMETRY

DOCS = Path(__file__).resolve().parents[2] / "docs"
BY_INDEX = ("port", "vc")
"""Reset values that SystemRDL cannot say: all elements of an array have the same."""


def test_files_are_up_to_date():
    maps = [read_map(source) for source in MAPS]
    for path, text in generated_files(maps, DOCS).items():
        assert path.read_text("utf-8") == text, f"{path}: make registers"


CONFIGS = [
    ("tiny", ("ports=3", "vcs=5", "buffer_cells=301", "profile=afh6")),
    ("rack", ("ports=64", "vcs=1")),
    ("tiny", ("ports=33", "vcs=8", "id_entries=64", "profile=ufh")),
]


@pytest.fixture(params=CONFIGS, ids=["3 ports", "64 ports", "33 ports"])
def config(request):
    return load_config(*request.param)


@pytest.fixture
def sources(config, tmp_path):
    """Folder of the sources; the parameters in them are those of the configuration."""
    for name, text in filled_sources(config).items():
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def test_table_is_the_source_for_every_configuration(config, sources):
    top = compile_map({}, sources)
    port = top.get_child_by_name("PORT")
    expect_pages(port, SWITCH_MAP, config.ports)
    counters = port.get_child_by_name("COUNTERS")
    assert counters.raw_address_offset == 4 * Port.COUNTERS
    assert [node.raw_address_offset for node in counters.children()] == [
        4 * number for number in range(COUNTERS)]
    for parent, registers in ((top, GLOBALS), (port, PORT_REGISTERS)):
        expect_registers(parent, registers, config, {"PORT", "COUNTERS"})


FURTHER_MAPS = [(SELF_TEST, SELF_TEST_MAP), (TELEMETRY, TELEMETRY_MAP)]


@pytest.mark.parametrize(("source", "registers"), FURTHER_MAPS,
                         ids=[source.name for source in FURTHER])
def test_table_of_a_further_map_is_its_source(source, registers, config, sources):
    top = compile_map({}, sources, source)
    assert top.get_property("base_address") == 4 * registers.base
    port = top.get_child_by_name("PORT")
    expect_pages(port, registers, config.ports, registers.base)
    expect_registers(top, registers.globals, config, {"PORT"})
    expect_registers(port, registers.port, config, set())


def test_every_further_map_is_tested_here_and_no_two_overlap():
    assert [source for source, _ in FURTHER_MAPS] == list(FURTHER)
    values = config_values(load_config("rack", ("ports=64", "vcs=8")))
    addresses = [address for registers in (SWITCH_MAP, *(one for _, one in FURTHER_MAPS))
                 for address in registers.addresses(values)]
    assert len(addresses) == len(set(addresses)) and max(addresses) <= 0xFFFF


def expect_pages(port: Any, registers: AddressMap, ports: int, base: int = 0) -> None:
    """Compares where the pages of the ports stand."""
    assert port.array_dimensions == [ports]
    assert port.array_stride == 4 * registers.port_stride
    assert port.raw_address_offset == 4 * (registers.port_base - base)


def expect_registers(parent: Any, registers: tuple[Register, ...], config: SwitchConfig,
                     others: set[str]) -> None:
    """Compares the registers below a node, but for children with these names."""
    values = config_values(config)
    nodes = {node.inst_name: node for child in parent.children(unroll=False)
             for node in (child.children() if _is_group(child, others) else (child,))}
    for register in registers:
        if register.is_there(values):
            expect_same(nodes.pop(register.name), register, values)
    assert set(nodes) <= others


def _is_group(node: Any, others: set[str]) -> bool:
    """Registers that stand many times together."""
    return isinstance(node, RegfileNode) and node.inst_name not in others


def expect_same(node: Any, register: Register, values: dict[str, int]) -> None:
    """Compares a register of the source with the row of the table."""
    where = register.name
    group = node.parent if register.elements > 1 else None
    offset = node.raw_address_offset + (group.raw_address_offset if group else 0)
    assert offset == 4 * register.address, where
    assert (node.has_sw_writable, node.is_array) == (register.writable, register.of_each_vc), where
    array = group or node
    if array.is_array:
        assert 4 * len(register.addresses(values)) * register.stride == (
            array.n_elements * array.array_stride), where
        assert array.array_stride == 4 * register.stride, where
    assert len(node.fields()) == len(register.fields), where
    for one, field in zip(node.fields(), register.fields, strict=True):
        assert (one.inst_name, one.low, one.width) == (field.name, field.low, field.width(values))
        if field.reset not in BY_INDEX:
            wanted = values.get(field.reset) if isinstance(field.reset, str) else field.reset
            said = one.get_property("reset")
            assert said is None if wanted is None else int(said) == wanted, (where, field.name)


def test_encodings_are_those_of_the_blocks():
    assert tuple(item.name.lower() for item in register_names.HeaderProfile) == PROFILE_NAMES
    for encoding, states in ((register_names.LlrTxState, TransmitterState),
                             (register_names.LlrRxState, ReceiverState)):
        assert {item.name: int(item) for item in encoding} == {
            state.name: int(state) for state in states}


def test_a_mistake_in_the_source_is_one_line(tmp_path):
    for path in source_folder().glob("*.rdl"):
        shutil.copy(path, tmp_path)
    with (tmp_path / "gavel.rdl").open("a") as file:
        file.write("addrmap {\n")
    with pytest.raises(RegisterToolError, match=r"^gavel\.rdl: [^\n]+$"):
        compile_map({}, tmp_path)
