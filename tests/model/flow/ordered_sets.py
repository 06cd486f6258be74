# SPDX-License-Identifier: Apache-2.0
"""What docs/llr.md, ControlTransmitter, says of the place of a set and of distances, once more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gavel_model.ordered_set import CreditUpdate, decode_credits
from gavel_model.register_map import Counter, LlrControl, Port

_LONGEST = 65535
_SETS = range(Counter.LLR_TX_INIT_CTL_OS, Counter.LLR_TX_NACK_CTL_OS + 1)


def other_set(before: Sequence[int], after: Any) -> str | None:
    """Whether a set of link-level retry was counted in a cycle."""
    return "other" if any(before[n] != after[n] for n in _SETS) else None


def check_set(loaded: CreditUpdate | str | None, ctl: int, settings: Any) -> None:
    """What is on the pins behind a cycle in which a CF_Update was loaded is that."""
    if isinstance(loaded, CreditUpdate):
        protect = bool(settings[Port.LLR_CONTROL] >> LlrControl.PROTECT & 1)
        assert decode_credits(ctl, protect) == loaded


class OrderedSets:
    """The ordered sets of one port.

    Attributes
    ----------
    since
        Bytes of line time since a set, as visible in the cycle.
    stage
        What a CF_Update in the stage says, or "other" for another set; None: it is empty.
    """

    def __init__(self, control_stages: int, word_bytes: int) -> None:
        self._stages, self._word_bytes = control_stages, word_bytes
        self.since = _LONGEST
        self.stage: CreditUpdate | str | None = None

    def room(self, free: bool, min_spacing: int) -> bool:
        """A set that is asked for may be chosen, or without a stage loaded."""
        return (self.stage is None if self._stages else free) and self.since >= min_spacing

    def cf_waits(self, free: bool) -> bool:
        """A CF_Update stays in the stage."""
        return isinstance(self.stage, CreditUpdate) and not free

    def step(
        self, free: bool, sent: CreditUpdate | str | None
    ) -> CreditUpdate | str | None:
        """A cycle in which ``sent`` is chosen, or loaded; what is loaded in it."""
        before, loaded = self.stage, sent
        if self._stages:
            assert before is None or sent is None
            loaded = before if free else None
            self.stage = sent if before is None else None if free else before
        counts = sent is None and (before is None or free)
        self.since = min(self.since + self._word_bytes, _LONGEST) if counts else 0
        return loaded
