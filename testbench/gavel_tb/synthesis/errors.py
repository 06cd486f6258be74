# SPDX-License-Identifier: Apache-2.0
"""What can go wrong in synthesis but the design: one line for the user."""

from __future__ import annotations


class SynthesisError(RuntimeError):
    """A tool is missing, or has refused the design."""


class NetlistError(ValueError):
    """A file is no netlist that can be worked on."""
