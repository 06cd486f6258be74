# SPDX-License-Identifier: Apache-2.0
"""What pipeline option ``register_stages`` puts between pins and registers (docs/spec.md,
Registers)."""

from __future__ import annotations

from gavel_model.config import SwitchConfig
from gavel_model.pins import RegisterPins


class RegisterStage:
    """Holds what is on the register pins for ``register_stages`` cycles on its way in, and an
    answer for as many on its way out.

    In each cycle: `answer`, then `take`.
    """

    __slots__ = ("_answer", "_held", "_late")

    def __init__(self, config: SwitchConfig) -> None:
        self._late = bool(config.register_stages)
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self._held: RegisterPins | None = None
        self._answer = 0

    @property
    def empty(self) -> bool:
        """Nothing is on its way, in or out."""
        return self._held is None and not self._answer

    def take(self, pins: RegisterPins) -> RegisterPins | None:
        """Last part of a cycle with these pins: the access to carry out in the next, if any."""
        access = pins if pins.we or pins.re else None
        if self._late:
            self._held, access = access, self._held
        return access

    def answer(self, value: int) -> int:
        """What ``reg_rdata`` shows in the next cycle, with this having been read in the cycle."""
        if self._late:
            self._answer, value = value, self._answer
        return value
