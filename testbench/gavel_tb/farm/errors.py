# SPDX-License-Identifier: Apache-2.0
"""What can go wrong with a farm, besides the work itself: each is one line for the user."""

from __future__ import annotations


class FolderError(ValueError):
    """The folder of the results is in use, or does not hold what it should."""


class ClusterError(RuntimeError):
    """The scheduler or its workers cannot be used, or were lost."""
