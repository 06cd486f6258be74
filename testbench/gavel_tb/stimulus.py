# SPDX-License-Identifier: Apache-2.0
"""What drives and what watches the pins of a switch."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Protocol

from gavel_model.pins import Inputs, TxPins


class Stimulus(Protocol):
    """Drives the inputs."""

    def step(self, cycle: int, tx: Sequence[TxPins]) -> Inputs:
        """Inputs of ``cycle``, in which the transmit pins show ``tx``. ``tx`` may be reused by
        the caller after the call."""
        ...

    @property
    def finished(self) -> bool:
        """No further cycle is needed."""
        ...


class Observer(Protocol):
    """Watches the pins."""

    def observe(self, cycle: int, inputs: Inputs, tx: Sequence[TxPins]) -> None:
        """Sees the inputs and transmit pins of one cycle; raises `CheckError` on a fault."""
        ...


class CheckError(AssertionError):
    """An end-to-end check failed; the message is the report."""


def derived_random(seed: int, name: str, index: int = 0) -> random.Random:
    """Random generator of one part of the stimulus: each part has its own, so that a change in
    one leaves the others' draws as they were."""
    return random.Random(f"{seed}/{name}/{index}")
