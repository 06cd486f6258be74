# SPDX-License-Identifier: Apache-2.0
"""Place of link-layer retry on the transmit side (docs/spec.md, Places kept for the link layer)."""

from __future__ import annotations

from gavel_model.pins import TxPins


class LlrTransmitter:
    """Stands between `Egress` and `LinkTx`. Until the link layer comes, every frame passes."""

    __slots__ = ()

    def transmit(self, words: list[TxPins]) -> list[TxPins]:
        """Words of an edited frame, as `LinkTx` is to send them."""
        return words
