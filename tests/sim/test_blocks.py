# SPDX-License-Identifier: Apache-2.0
"""Every block's RTL on its own bench."""

from __future__ import annotations

import importlib

import pytest

from gavel_model.loader import load_config

BLOCKS = ("link_rx", "llr_receiver", "parser", "lookup", "ingress_buffer", "scheduler", "crossbar",
          "egress", "llr_transmitter", "control_transmitter", "link_tx", "registers")
SHAPES = {
    "2x64": (),
    "3x512": ("ports=3", "data_width=512", "vcs=3"),
    "5x128": ("ports=5", "data_width=128", "vcs=1", "islip_iterations=3"),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("block", BLOCKS)
def test_block(block: str, shape: str, seed: int) -> None:
    config = load_config("tiny", SHAPES[shape])
    importlib.import_module(f"gavel_tb.{block}").check(config, seed)
