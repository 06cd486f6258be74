# SPDX-License-Identifier: Apache-2.0
"""Words of XGMII from those of the switch (docs/width.md, WordSplit)."""

from __future__ import annotations

from collections import deque

from gavel_model.config import SwitchConfig
from gavel_model.pins import CTL_BITS, TxPins
from gavel_model.top_options import XGMII_BITS
from gavel_model.xgmii import LANES

_NOTHING = TxPins()


class WordSplit:
    """Hands out words slice by slice, and sets.

    Parameters
    ----------
    config
        W: 128, 256 or 512.
    """

    def __init__(self, config: SwitchConfig) -> None:
        self._slices = config.data_width // XGMII_BITS
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self._shown: deque[TxPins] = deque()
        self._held: list[TxPins] | None = None

    @property
    def pins(self) -> TxPins:
        """The narrow transmit pins, as visible in the cycle, but for ``up``."""
        return self._shown[0] if self._shown else _NOTHING

    def ready(self, link: TxPins) -> tuple[bool, bool]:
        """Pins ``ready`` and ``ctl_ready`` of the wide side, with these on its other pins."""
        return self._held is None and not link.ctl_valid, self._held is None

    def step(self, link: TxPins, ready: bool, ctl_ready: bool) -> None:
        """Takes the wide transmit pins, and the two answers of the narrow side."""
        takes_word, takes_set = self.ready(link)
        if self._shown and (ready if self._shown[0].valid else ctl_ready):
            self._shown.popleft()
        taken = None
        if link.ctl_valid and takes_set:
            taken = [TxPins(ctl_valid=1, ctl=link.ctl, data=link.ctl)]
        elif link.valid and takes_word:
            taken = self._slices_of(link)
        if not self._shown:
            begins, self._held = (taken, None) if self._held is None else (self._held, None)
            self._shown.extend(begins or ())
        elif taken is not None:
            self._held = taken

    def _slices_of(self, word: TxPins) -> list[TxPins]:
        count = self._slices
        if word.err:
            count = 1
        elif word.eop:
            count -= word.empty // LANES
        slices = []
        for number in range(count):
            data = word.data >> XGMII_BITS * number & (1 << XGMII_BITS) - 1
            slices.append(TxPins(
                valid=1, sop=word.sop if number == 0 else 0,
                eop=word.eop if number == count - 1 else 0, err=word.err,
                empty=word.empty % LANES, llr=word.llr, seq=word.seq,
                ctl=data & (1 << CTL_BITS) - 1, data=data))
        return slices
