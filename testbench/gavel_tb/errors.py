# SPDX-License-Identifier: Apache-2.0
"""What can go wrong outside of the design: each is one line for the user."""

from __future__ import annotations


class SimulationError(RuntimeError):
    """The simulator could not be built, or stopped without a result."""
