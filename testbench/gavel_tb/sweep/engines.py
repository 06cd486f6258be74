# SPDX-License-Identifier: Apache-2.0
"""Whatever can step a switch through blocks of cycles."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from gavel_fast.pin_block import InputBlock, OutputBlock
from gavel_model.config import SwitchConfig
from gavel_tb.plain_switch import PlainSwitch

ENGINES = ("model",)
"""``model``: the golden model in plain Python."""


class Engine(Protocol):
    """A switch."""

    def run(self, inputs: InputBlock, outputs: OutputBlock) -> None:
        """Steps through all cycles of ``inputs`` and fills as many rows of ``outputs``."""
        ...


@contextmanager
def open_engine(name: str, config: SwitchConfig) -> Iterator[Engine]:
    """A switch after reset.

    Raises
    ------
    ValueError
        For an unknown name.
    """
    if name == "model":
        yield PlainSwitch(config)
    else:
        raise ValueError(f"engine = {name!r}: must be one of " + ", ".join(ENGINES))
