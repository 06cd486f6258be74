# SPDX-License-Identifier: Apache-2.0
"""Figures of blocks as they stand in a switch."""

from __future__ import annotations

from gavel_model.loader import load_config
from gavel_tb.synthesis.ppa import WHOLE, Blocks, measure


def test_every_block_is_known_with_its_instances():
    config = load_config("tiny")
    instances = Blocks(config).instances
    assert instances[WHOLE] == 1
    assert instances["port"] == instances["link_rx"] == config.ports


def test_a_block_is_measured_by_itself(tmp_path):
    figures = measure(Blocks(load_config("tiny")), "link_tx", tmp_path)
    # Both output registers, and `up` is none; as many LUTs as take and free.
    assert figures.area.flip_flops == 64 + 56 + 1 + 1 + 1 + 3 + 1 + 20 + 1
    assert 0 < figures.area.luts < 20
    assert figures.placed is None and figures.path == ""


def test_with_the_hierarchy_every_instance_counts(tmp_path):
    lists = measure(Blocks(load_config("tiny")), "voq_lists", tmp_path, flatten=False)
    # Heads, their cells for each of two VCs, tails, and links; what is kept of a frame has 21 bits,
    # 4 of them its cell.
    assert lists.area.lut_rams == 5 + 2 + 1 + 6
    assert lists.area.flip_flops > 0
