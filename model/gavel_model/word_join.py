# SPDX-License-Identifier: Apache-2.0
"""Words of the switch from those of XGMII (docs/width.md, WordJoin)."""

from __future__ import annotations

from gavel_model.config import SwitchConfig
from gavel_model.pins import RxPins
from gavel_model.top_options import XGMII_BITS
from gavel_model.xgmii import LANES


class WordJoin:
    """Collects words of 64 bits.

    Parameters
    ----------
    config
        W: 128, 256 or 512.

    Attributes
    ----------
    pins
        The wide receive pins, as visible in the cycle.
    """

    def __init__(self, config: SwitchConfig) -> None:
        self._slices = config.data_width // XGMII_BITS
        self._patience = 3 * self._slices - 3
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self._at = 0
        self._waiting = False
        self._held = self._age = 0
        self.pins = RxPins(up=0)

    def step(self, link: RxPins) -> None:
        """Takes the narrow receive pins."""
        before, at = self.pins, self._at
        place = XGMII_BITS * at
        others = before.data & ~((1 << XGMII_BITS) - 1 << place)
        complete = link.valid and (link.eop or at == self._slices - 1)
        goes = self._waiting and bool(
            complete or link.ctl_valid or self._age == self._patience)
        self.pins = RxPins(
            ctl_valid=int(goes), ctl=self._held,
            valid=int(complete), eop=link.eop, up=link.up,
            sop=link.sop | (before.sop if at else 0),
            err=link.err | (before.err | link.sop if at else 0),
            empty=(self._slices - 1 - at) * LANES + link.empty,
            llr=link.llr if link.sop else before.llr, seq=link.seq if link.sop else before.seq,
            data=others | link.data << place)
        if complete:
            self._at = 0
        elif link.valid:
            self._at += 1
        self._age += 1
        if goes:
            self._waiting = False
        if link.ctl_valid:
            self._waiting, self._held, self._age = True, link.ctl, 0
