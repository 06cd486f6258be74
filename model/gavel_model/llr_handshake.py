# SPDX-License-Identifier: Apache-2.0
"""The initialisation of link-level retry, on the transmit side (docs/llr.md, 6.4)."""

from __future__ import annotations

from gavel_model.llr_settings import LlrSettings
from gavel_model.ordered_set import DATA_BITS, OrderedSet

_DATA_MASK = (1 << DATA_BITS) - 1


class LlrHandshake:
    """What LLR_INIT says, and whether its echo has come.

    Attributes
    ----------
    entries
        Times that INIT was entered since reset, modulo 2^16.
    first
        ``init_first``: no LLR_INIT has been sent since.
    echo_seen
        The echo has come.
    """

    __slots__ = ("_settings", "echo_seen", "entries", "first")

    def __init__(self, settings: LlrSettings) -> None:
        self._settings = settings
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self.entries = 0
        self.first = False
        self.echo_seen = False

    @property
    def data(self) -> int:
        """Init data of this INIT."""
        return self._settings.init_data + self.entries - 1 & _DATA_MASK

    def begin(self) -> None:
        """INIT is entered."""
        self.entries = self.entries + 1 & _DATA_MASK
        self.first = True
        self.echo_seen = False

    def fits(self, echo: OrderedSet, number: int) -> bool:
        """Whether an echo is that of this INIT, with ``number`` the number of the first frame."""
        return (echo.value, echo.data) == (number, self.data)
