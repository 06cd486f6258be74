# SPDX-License-Identifier: Apache-2.0
"""When the flow control of a port has something to do.

The model works per event: in all other cycles a step of `FlowControl` would change nothing.
"""

from __future__ import annotations

NEVER = 1 << 62
"""A cycle that does not come."""


class Alarm:
    """Shared by the blocks of one port.

    Attributes
    ----------
    now
        Something has happened: a step is due, in this cycle if its step is still to come, else in
        the next.
    at
        Cycle in which a step is due whatever happens.
    """

    __slots__ = ("at", "now")

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self.now = True
        self.at = NEVER

    def by(self, cycle: int) -> None:
        """A step is due in that cycle at the latest."""
        if cycle < self.at:
            self.at = cycle
