# SPDX-License-Identifier: Apache-2.0
"""What is made from gavel.rdl is up to date, and says what the source says."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from gavel_model import register_names
from gavel_model.llr_receiver import ReceiverState
from gavel_model.llr_timers import TransmitterState
from gavel_model.loader import load_config
from gavel_model.profiles import PROFILE_NAMES
from gavel_model.register_entry import Register
from gavel_model.register_map import (
    COUNTERS,
    GLOBALS,
    PORT_REGISTERS,
    PORT_STRIDE,
    Port,
    config_values,
    port_address,
)
from gavel_tb.rdl.compiled import compile_map, read_map, source_folder
from gavel_tb.rdl.errors import RegisterToolError
from gavel_tb.rdl.exports import filled_sources
from gavel_tb.rdl.generated import generated_files

DOCS = Path(__file__).resolve().parents[2] / "docs"
BY_INDEX = ("port", "vc")
"""Reset values that SystemRDL cannot say: all elements of an array have the same."""


def test_files_are_up_to_date():
    for path, text in generated_files(read_map(), DOCS).items():
        assert path.read_text("utf-8") == text, f"{path}: make registers"


@pytest.mark.parametrize(("preset", "overrides"), [
    ("tiny", ("ports=3", "vcs=5", "buffer_cells=301", "profile=afh6")),
    ("rack", ("ports=64", "vcs=1")),
])
def test_table_is_the_source_for_every_configuration(preset, overrides, tmp_path):
    config = load_config(preset, overrides)
    values = config_values(config)
    for name, text in filled_sources(config).items():
        (tmp_path / name).write_text(text, "utf-8")
    # No parameters: those in the file are the configuration's.
    top = compile_map({}, tmp_path)
    port = top.get_child_by_name("PORT")
    assert port.array_dimensions == [config.ports]
    assert port.array_stride == 4 * PORT_STRIDE
    assert port.raw_address_offset == 4 * port_address(0, 0)
    counters = port.get_child_by_name("COUNTERS")
    assert counters.raw_address_offset == 4 * Port.COUNTERS
    assert [node.raw_address_offset for node in counters.children()] == [
        4 * number for number in range(COUNTERS)]
    for parent, registers in ((top, GLOBALS), (port, PORT_REGISTERS)):
        nodes = {node.inst_name: node for node in parent.children(unroll=False)}
        for register in registers:
            expect_same(nodes.pop(register.name), register, values, config.vcs)
        assert set(nodes) <= {"PORT", "COUNTERS"}


def expect_same(node: Any, register: Register, values: dict[str, int], vcs: int) -> None:
    """Compares a register of the source with the row of the table."""
    where = register.name
    assert node.raw_address_offset == 4 * register.address, where
    assert (node.has_sw_writable, node.is_array) == (register.writable, register.of_each_vc), where
    if node.is_array:
        assert (node.array_dimensions, node.array_stride) == ([vcs], 4), where
    assert len(node.fields()) == len(register.fields), where
    for one, field in zip(node.fields(), register.fields, strict=True):
        assert (one.inst_name, one.low, one.width) == (field.name, field.low, field.width(vcs))
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
