# SPDX-License-Identifier: Apache-2.0
"""Place of credits and pauses (docs/spec.md, Places kept for flow control)."""

from __future__ import annotations

from gavel_model.config import SwitchConfig


class FlowControl:
    """Tells `Scheduler` which VCs of an output may send.

    Attributes
    ----------
    allow
        For each output a mask of V bits, bit v = VC v may send. Until flow control comes,
        all ones. Whoever changes a mask calls `Scheduler.allow_changed`.
    """

    __slots__ = ("_everything", "allow")

    def __init__(self, config: SwitchConfig) -> None:
        self._everything = (1 << config.vcs) - 1
        self.allow = [self._everything] * config.ports

    def reset(self) -> None:
        """Reset values."""
        self.allow[:] = [self._everything] * len(self.allow)
