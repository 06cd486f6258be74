# SPDX-License-Identifier: Apache-2.0
"""The AXI4-Stream adapter: RTL against the model."""

from __future__ import annotations

import pytest

from gavel_model.loader import load_config
from gavel_tb import axi_stream_rx, axi_stream_tx

WIDTHS = (64, 128)
LONG_WIDTHS = (256, 512)
ALL_WIDTHS = [*WIDTHS, *(pytest.param(width, marks=pytest.mark.long) for width in LONG_WIDTHS)]


@pytest.mark.parametrize("width", ALL_WIDTHS)
def test_receive(width: int, seed: int) -> None:
    config = load_config("tiny", (f"data_width={width}",))
    axi_stream_rx.check(config, seed)
    axi_stream_rx.check_append(config, seed)


@pytest.mark.parametrize("strip", [True, False])
@pytest.mark.parametrize("width", ALL_WIDTHS)
def test_transmit(width: int, strip: bool, seed: int) -> None:
    config = load_config("tiny", (f"data_width={width}",))
    axi_stream_tx.check(config, seed, strip=strip)
