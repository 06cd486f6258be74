# SPDX-License-Identifier: Apache-2.0
"""What can be wrong with a workload, each as one line that names the thing."""

from __future__ import annotations


class WorkloadError(ValueError):
    """A workload that cannot be played; the message is one line for the user."""


class TraceError(WorkloadError):
    """A trace file that cannot be read: file, byte offset and what is wrong."""

    def __init__(self, source: str, what: str, offset: int | None = None) -> None:
        place = source if offset is None else f"{source}, byte {offset}"
        super().__init__(f"{place}: {what}")
        self.source = source
        self.offset = offset


class DeliveryError(WorkloadError):
    """A frame came out of the switch that must not have, or with other content."""
