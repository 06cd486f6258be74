# SPDX-License-Identifier: Apache-2.0
"""The part of the Dask back-end that runs inside of Dask's workers; needs `distributed`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from distributed import Worker, WorkerPlugin, get_worker

from gavel_tb.farm.builds import announce
from gavel_tb.farm.shipping import Parcel, unpack
from gavel_tb.farm.sources import source_digest
from gavel_tb.farm.work import perform

BUILDS_FOLDER = "gavel-builds"
"""Beside the local folders of a host's workers, and shared by them."""


class Delivery(WorkerPlugin):
    """Brings a build to every worker, also to those that come later."""

    def __init__(self, parcel: Parcel) -> None:
        self.parcel = parcel
        self.name = f"gavel-{parcel.name}"

    def setup(self, worker: Worker) -> None:
        """Unpacks the build on the worker's host, once a host."""
        root = Path(worker.local_directory).parent / BUILDS_FOLDER
        announce({self.parcel.name: str(unpack(self.parcel, root))})


def perform_here(function: str, parameters: Mapping[str, Any], sources: str) -> dict[str, Any]:
    """As `perform`, with the worker's address; ``foreign`` instead of a result if the worker has
    other sources than the client."""
    worker = str(get_worker().address)
    if sources != source_digest():
        return {"foreign": worker}
    return {**perform(function, parameters), "worker": worker}
