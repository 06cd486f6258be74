# SPDX-License-Identifier: Apache-2.0
"""The Verilog of one top level, made once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gavel_model.loader import load_config
from gavel_model.top_options import TopOptions
from gavel_rtl.emit import Generated, generate
from gavel_tb.fpga.estimate import Estimate, without_estimate
from gavel_tb.fpga.folder import make_folder
from gavel_tb.fpga.targets import TARGETS

CONFIG = load_config("tiny")
OPTIONS = TopOptions(ports="xgmii", registers="axi_lite")
MHZ = 156.25

Folder = Callable[..., dict[str, str]]


@pytest.fixture(scope="session")
def generated() -> Generated:
    """tiny, with XGMII and AXI4-Lite."""
    return generate(CONFIG, OPTIONS)


@pytest.fixture
def folder(generated: Generated) -> Folder:
    """folder(target, estimate=None) -> files by name."""

    def make(name: str, estimate: Estimate | None = None) -> dict[str, str]:
        target = TARGETS[name]
        return make_folder(CONFIG, OPTIONS, target, generated.verilog, generated.sidecar,
                           estimate or without_estimate(target.family, MHZ))

    return make
