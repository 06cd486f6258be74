# SPDX-License-Identifier: Apache-2.0
"""Place of link-layer retry on the receive side (docs/spec.md, Places kept for the link layer)."""

from __future__ import annotations

from gavel_model.received_frame import ReceivedFrame


class LlrReceiver:
    """Stands between `LinkRx` and `Parser`. Until the link layer comes, every frame passes."""

    __slots__ = ()

    def receive(self, frame: ReceivedFrame) -> ReceivedFrame:
        """The frame that has ended, as `Parser` is to see it."""
        return frame
