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
    """

    def __init__(self, config: SwitchConfig) -> None:
        self._slices = config.data_width // XGMII_BITS
        self._patience = 3 * self._slices - 2
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self._at = 0
        self._word = RxPins(up=0)
        self._set: int | None = None
        self._ctl = self._age = 0

    def pins(self, link: RxPins) -> RxPins:
        """The wide receive pins, with these on the narrow ones in the cycle."""
        shown = self._set is not None and bool(
            self._word.valid or link.ctl_valid or self._age == self._patience)
        return self._word._replace(ctl_valid=int(shown), ctl=self._ctl)

    def step(self, link: RxPins) -> None:
        """Takes the narrow receive pins."""
        shown = self.pins(link).ctl_valid
        before, at = self._word, self._at
        place = XGMII_BITS * at
        others = before.data & ~((1 << XGMII_BITS) - 1 << place)
        complete = link.valid and (link.eop or at == self._slices - 1)
        self._word = RxPins(
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
        if shown:
            self._set = None
        if link.ctl_valid:
            self._set = self._ctl = link.ctl
            self._age = 0
