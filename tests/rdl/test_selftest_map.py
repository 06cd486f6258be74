# SPDX-License-Identifier: Apache-2.0
"""The self-test's registers in SystemRDL are those of the model."""

from __future__ import annotations

from typing import Any

import pytest
from systemrdl.compiler import RDLCompiler
from systemrdl.node import RegNode

from gavel_model import selftest_format
from gavel_model.loader import load_config
from gavel_model.selftest import SelfTestPort
from gavel_model.selftest_map import (
    PORT_BASE,
    PORT_STRIDE,
    SELF_TEST_VALUE,
    WIDE,
    SelfTestGlobal,
    SelfTestRegister,
    is_self_test,
    self_test_globals,
    self_test_offsets,
)
from gavel_tb.rdl.compiled import source_folder
from gavel_tb.selftest_registers import BASE, NAME


def compiled(ports: int, classes: int) -> Any:
    compiler = RDLCompiler()
    compiler.compile_file(str(source_folder() / f"{NAME}.rdl"))
    return compiler.elaborate(NAME, parameters={"ports": ports, "classes": classes}).top


def registers(parent: Any) -> dict[str, Any]:
    return {node.inst_name: node for node in parent.children(unroll=False)
            if isinstance(node, RegNode)}


@pytest.mark.parametrize(("ports", "vcs"), [(3, 2), (64, 8)])
def test_addresses_fields_and_reset_values(ports, vcs):
    top = compiled(ports, vcs)
    of_switch = registers(top)
    names = {name.name: name for name in SelfTestGlobal}
    for name, node in of_switch.items():
        assert node.address_offset == 4 * (
            names[name] if name in names else names[name.removesuffix("_HI")] + 1)
    assert {BASE + node.address_offset for node in of_switch.values()} == {
        4 * address for address in self_test_globals()}
    assert of_switch["SELF_TEST"].get_child_by_name("id").get_property("reset") == SELF_TEST_VALUE
    port = top.get_child_by_name("PORT")
    assert BASE + port.raw_address_offset == 4 * PORT_BASE
    assert port.array_stride == 4 * PORT_STRIDE and port.array_dimensions == [ports]
    assert {node.address_offset // 4 for node in registers(port).values()} == (
        self_test_offsets(ports))
    config = load_config("tiny", (f"ports={ports}", f"vcs={vcs}", "id_entries=64"))
    model = SelfTestPort(config, 0)
    for name, node in registers(port).items():
        offset = node.address_offset // 4
        assert node.has_sw_writable == is_self_test(
            ports, PORT_BASE + offset, writable=True), name
        if not node.has_sw_writable:
            continue
        assert offset == SelfTestRegister[name]
        mask = sum((1 << field.width) - 1 << field.low for field in node.fields())
        reset = sum(field.get_property("reset") << field.low for field in node.fields())
        assert model.read(offset, 0) == reset, name
        model.write(offset, 0)
        low = model.read(offset, 0)
        model.write(offset, 0xFFFF_FFFF)
        if name not in ("LENGTH", "LOAD"):
            assert (low, model.read(offset, 0)) == (0, mask), name
        else:
            assert model.read(offset, 0) & ~mask == 0


def test_wide_registers_have_a_second_word():
    port = compiled(2, 1).get_child_by_name("PORT")
    assert {name.removesuffix("_HI") for name in registers(port)
            if name.endswith("_HI")} == {register.name for register in WIDE}


def test_encodings_are_those_of_the_model():
    port = compiled(2, 1).get_child_by_name("PORT")
    for register, field, enum in (
        ("MODE", "mode", "Mode"), ("PAYLOAD", "kind", "Payload"), ("INJECT", "how", "Inject"),
        ("FIRST_ERROR", "kind", "Kind"),
    ):
        encode = registers(port)[register].get_child_by_name(field).get_property("encode")
        named = {member.name.upper(): member.value for member in encode if member.name != "none"}
        assert named == {member.name: int(member)
                         for member in getattr(selftest_format, enum)}, register
