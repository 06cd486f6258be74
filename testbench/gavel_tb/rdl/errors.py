# SPDX-License-Identifier: Apache-2.0
"""What can go wrong with the tools of SystemRDL."""

from __future__ import annotations


class RegisterToolError(RuntimeError):
    """A tool is missing, or fails; the message is one line."""
