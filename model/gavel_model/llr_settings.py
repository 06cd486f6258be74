# SPDX-License-Identifier: Apache-2.0
"""Settings of link-level retry of one port (docs/llr.md, Settings)."""

from __future__ import annotations

from collections.abc import Mapping

from gavel_model.config import SwitchConfig
from gavel_model.register_map import SPACING_BITS, Action, LlrControl, Port, reset_values

NO_REPLAY_LIMIT = 255
"""Value of ``replay_count`` that allows any number of replays."""

_SPACING_MASK = (1 << SPACING_BITS) - 1
_ACTION_MASK = 3


class LlrSettings:
    """Fields of the registers, as visible in the cycle. All blocks of a port share one object.

    Attributes
    ----------
    local, remote
        Receiver, transmitter on.
    init_action, flush_action
        `Action` in INIT, in FLUSH.
    reinit, protect, forward_poisoned
        Re-init on flush; check bytes in ordered sets; poisoned frames go on.
    window_frames, window_words
        Largest number of frames, and of words, outstanding or waiting.
    replay_timer, pcs_lost, data_age
        Cycles; 0 = off.
    replay_count
        Replays without progress; 255 = no limit.
    spacing, min_spacing
        Bytes of line time between ACKs, and between any two sets.
    init_seq, init_data
        Number of the first frame (of ``seq_bits`` bits); first init data.
    """

    __slots__ = (
        "_seq_mask", "_words_per_cell", "data_age", "flush_action", "forward_poisoned",
        "init_action", "init_data", "init_seq", "local", "min_spacing", "pcs_lost", "protect",
        "reinit", "remote", "replay_count", "replay_timer", "spacing", "window_frames",
        "window_words",
    )

    def __init__(self, config: SwitchConfig) -> None:
        self._seq_mask = (1 << config.seq_bits) - 1
        self._words_per_cell = config.words_per_cell
        self.load(reset_values(config))

    def load(self, registers: Mapping[int, int]) -> None:
        """Takes the values of the registers, by offset."""
        control = registers[Port.LLR_CONTROL]
        self.local = bool(control >> LlrControl.LOCAL & 1)
        self.remote = bool(control >> LlrControl.REMOTE & 1)
        self.init_action = _action(control >> LlrControl.INIT_ACTION)
        self.flush_action = _action(control >> LlrControl.FLUSH_ACTION)
        self.reinit = bool(control >> LlrControl.REINIT & 1)
        self.protect = bool(control >> LlrControl.PROTECT & 1)
        self.forward_poisoned = bool(control >> LlrControl.FORWARD_POISONED & 1)
        self.window_frames = registers[Port.LLR_WINDOW_FRAMES]
        self.window_words = registers[Port.LLR_WINDOW_CELLS] * self._words_per_cell
        self.replay_timer = registers[Port.LLR_REPLAY_TIMER]
        self.pcs_lost = registers[Port.LLR_PCS_LOST]
        self.data_age = registers[Port.LLR_DATA_AGE]
        self.replay_count = registers[Port.LLR_REPLAY_COUNT]
        self.spacing = registers[Port.LLR_SPACING] & _SPACING_MASK
        self.min_spacing = registers[Port.LLR_SPACING] >> SPACING_BITS
        self.init_seq = registers[Port.LLR_INIT_SEQ] & self._seq_mask
        self.init_data = registers[Port.LLR_INIT_DATA]

    def action(self, in_init: bool, down_time: int) -> Action:
        """The action in force in INIT or in FLUSH: one does not block for ever."""
        action = self.init_action if in_init else self.flush_action
        silent = action is Action.BLOCK and self.peer_is_silent(down_time)
        return Action.DISCARD if silent else action

    def peer_is_silent(self, down_time: int) -> bool:
        """Nothing is to be expected of the peer any more."""
        return 0 < self.pcs_lost <= down_time

    def replays_are_over(self, replays: int) -> bool:
        """After so many replays without progress none is made."""
        return self.replay_count != NO_REPLAY_LIMIT and replays >= self.replay_count


def _action(bits: int) -> Action:
    return Action(min(bits & _ACTION_MASK, Action.BLOCK))
