# SPDX-License-Identifier: Apache-2.0
"""What drives and what watches the pins of a switch."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

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


ANY_LEAD = 1 << 62
"""`OpenStimulus.lead` of a stimulus that does not look at what comes out of the switch at all."""


@runtime_checkable
class OpenStimulus(Stimulus, Protocol):
    """A stimulus whose inputs do not depend on what has come out of the switch just now: `step` in
    two parts, the first of which may be called ahead of the second.

    Attributes
    ----------
    lead
        How many cycles ahead: `drive` of a cycle needs `watch` of the one that is ``lead`` cycles
        before it. 0: there is only `step`.
    """

    lead: int

    def active(self, cycle: int) -> bool:
        """Whether the stimulus certainly goes on after ``cycle``, whatever comes out."""
        ...

    def drive(self, cycle: int) -> Inputs:
        """Inputs of ``cycle``; called for one cycle after the other."""
        ...

    def watch(self, cycle: int, tx: Sequence[TxPins]) -> None:
        """Sees the transmit pins of ``cycle``, before the observers do."""
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
