# SPDX-License-Identifier: Apache-2.0
"""What can be wrong with a regression, besides what it finds."""

from __future__ import annotations


class PlanError(ValueError):
    """The test plan, or what is chosen of it, is wrong; the message names the item and the fix."""
