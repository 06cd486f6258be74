# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from tests.fabric.conftest import leaf_spine, make, planes

from gavel_fast.pin_block import InputBlock, OutputBlock, get_inputs, put_outputs
from gavel_model.config import SwitchConfig
from gavel_model.register_map import COUNTERS
from gavel_model.switch import Switch
from gavel_tb.fabric.block_node import BlockSwitchNode
from gavel_tb.fabric.measure import measure_fabric
from gavel_tb.fabric.topology import Topology


class GoldenBlocks:
    """The golden model, with the interface of the compiled one."""

    def __init__(self, config: SwitchConfig) -> None:
        self.switch = Switch(config)

    def run(self, inputs: InputBlock, outputs: OutputBlock) -> None:
        for row in range(len(inputs.reset)):
            put_outputs(outputs, row, self.switch.tx, self.switch.rdata)
            self.switch.step(get_inputs(inputs, row))

    def counters(self) -> npt.NDArray[np.uint32]:
        rows = [port.counters.values[:COUNTERS] for port in self.switch.ports]
        return np.array(rows, np.uint32)

    def probe_values(self) -> list[int]:
        return self.switch.probe_values()


@pytest.mark.parametrize(("topology", "options"), [
    (leaf_spine(4, 2, 2), {"spray": "packet", "size": 500}),
    (planes(2, 2), {"credits": True, "ber": 2e-4, "size": 500}),
], ids=["window", "credits"])
def test_a_switch_in_blocks_does_what_one_does_that_is_stepped(
    topology: Topology, options: dict[str, Any]
) -> None:
    results = []
    for more in ({}, {"make_switch": partial(BlockSwitchNode, engine=GoldenBlocks)}):
        fabric = make(topology, **options, **more)
        for line in fabric.lines:
            line.log = []
        fabric.run()
        assert fabric.failure is None
        figures = measure_fabric(fabric, 1000.0)
        figures.pop("switch_steps")
        results.append((figures, {line.name: line.log for line in fabric.lines}))
    assert results[0] == results[1]


def test_a_route_that_is_changed_through_the_registers_is_found() -> None:
    fabric = make(leaf_spine(4, 2, 1),
                  make_switch=partial(BlockSwitchNode, engine=GoldenBlocks))
    fabric.switches[0].reroute(2, None)
    fabric.run()
    assert fabric.failure is not None
    assert "leaf 0 has no route for ID 2" in fabric.failure
    assert "counts RX_NO_ROUTE" in fabric.failure
