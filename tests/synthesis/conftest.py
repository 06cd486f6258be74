# SPDX-License-Identifier: Apache-2.0
"""One small synthesized block, shared."""

from __future__ import annotations

import pytest

from gavel_model.loader import load_config
from gavel_rtl.free_list import FreeList
from gavel_tb.synthesis.components import block_rtlil
from gavel_tb.synthesis.families import FAMILIES
from gavel_tb.synthesis.synthesize import Synthesis, synthesize


@pytest.fixture(scope="session")
def free_list(tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    """The free list of the preset `fpga` on ECP5: a ring in block RAM, and pointers."""
    text, top = block_rtlil(FreeList(load_config("fpga")))
    return synthesize(text, top, FAMILIES["ecp5"], tmp_path_factory.mktemp("free_list"),
                      language="rtlil", flatten=False)
