# SPDX-License-Identifier: Apache-2.0
"""A source that is run by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from gavel_fast.pin_block import EMPTY_SHIFT, EOP, SOP, VALID, InputBlock, get_pins, input_block
from gavel_model.config import SwitchConfig
from gavel_model.frame import join_words
from gavel_model.loader import load_config
from gavel_tb.sweep.kernels import kernels
from gavel_tb.sweep.options import TrafficMix
from gavel_tb.sweep.rules import source_rules
from gavel_tb.sweep.source import SourceState, Span, source_state


@dataclass
class Sent:
    """What sources sent: pins, and the state in which they are."""

    config: SwitchConfig
    block: InputBlock
    state: SourceState

    def frames(self, port: int) -> list[tuple[int, bytes]]:
        """Cycle of the first word, and bytes, of each whole frame of an input."""
        found, words, begun = [], [], 0
        for cycle, flags in enumerate(self.block.rx.flags[:, port].tolist()):
            if not flags & VALID:
                continue
            if flags & SOP:
                words, begun = [], cycle
            words.append(get_pins(self.block.rx, cycle, port)["data"])
            if flags & EOP:
                data = join_words(words, self.config.word_bytes)
                found.append((begun, data[: len(data) - (flags >> EMPTY_SHIFT)]))
        return found


Send = Callable[..., Sent]


@pytest.fixture
def send() -> Send:
    """Runs the sources of a switch for some cycles: ``send("pod", cycles, load=0.5)``."""

    def run(name: str, cycles: int, *, overrides: tuple[str, ...] = (), seed: int = 1,
            blocks: int = 1, **mix: Any) -> Sent:
        config = load_config(name, overrides)
        state = source_state(config, seed)
        rules = source_rules(config, TrafficMix(**mix), seed)
        block = input_block(config, cycles)
        length = cycles // blocks
        for n in range(blocks):
            part = slice(n * length, (n + 1) * length)
            pins = type(block.rx)(*(array[part] for array in block.rx))
            kernels().fill(pins, state, rules, n * length, Span(0, cycles, cycles))
        return Sent(config, block, state)

    return run
