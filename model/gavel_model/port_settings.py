# SPDX-License-Identifier: Apache-2.0
"""The registers of a port that can be written (docs/spec.md, Registers)."""

from __future__ import annotations

from gavel_model import flow_settings, llr_settings
from gavel_model.config import SwitchConfig
from gavel_model.profiles import PROFILE_NAMES
from gavel_model.register_map import Port, VcMatch, refused_bits, vc_map_reset

_VC_MATCH_BITS = 0x3F3F
_VC_MATCH_RESET = 0x3F << VcMatch.MASK
_MASKS: dict[int, int] = {
    Port.CONTROL: 0x1,
    Port.PROFILE: 0x37,
    Port.VC_MAP: 0xFFFFFFFF,
    Port.ECN_THRESHOLD: 0xFFFF,
}


class PortSettings:
    """Values by offset, and what a write leaves of them.

    Attributes
    ----------
    values
        Registers by offset, as visible in the cycle.
    flow_control
        A register of flow control has been written since reset.
    """

    __slots__ = ("_config", "_flow_masks", "_index", "_masks", "_refused", "flow_control",
                 "values")

    def __init__(self, config: SwitchConfig, index: int) -> None:
        self._config = config
        self._index = index
        self._flow_masks = flow_settings.writable_masks(config)
        self._refused = refused_bits(config)
        self._masks = _MASKS | {Port.VC_MATCH + vc: _VC_MATCH_BITS for vc in range(config.vcs)}
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        config = self._config
        self.flow_control = False
        self.values: dict[int, int] = {
            Port.CONTROL: 1,
            Port.PROFILE: PROFILE_NAMES.index(config.profile),
            Port.VC_MAP: vc_map_reset(config),
            Port.ECN_THRESHOLD: config.ecn_threshold,
            **{Port.VC_MATCH + vc: _VC_MATCH_RESET | vc for vc in range(config.vcs)},
            **llr_settings.reset_values(config),
            **flow_settings.reset_values(config, self._index),
        }

    def write(self, offset: int, value: int) -> bool:
        """Writes a register; returns whether there is one at the offset."""
        value &= ~self._refused.get(offset, 0)
        if offset in self._masks:
            self.values[offset] = value & self._masks[offset]
        elif offset in llr_settings.WRITABLE_BITS:
            self.values[offset] = llr_settings.stored(self._config, offset, value)
        elif offset in self._flow_masks:
            self.values[offset] = flow_settings.stored(self._flow_masks, offset, value)
            self.flow_control = True
        else:
            return False
        return True

    def vc_match(self) -> list[int]:
        """Registers ``VC_MATCH``."""
        return [self.values[Port.VC_MATCH + vc] for vc in range(self._config.vcs)]
