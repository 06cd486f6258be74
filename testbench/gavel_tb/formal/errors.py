# SPDX-License-Identifier: Apache-2.0
"""What can go wrong in a proof but the property: one line for the user."""

from __future__ import annotations


class SolverError(RuntimeError):
    """A tool of the proofs is missing, or stopped without an answer."""
