# SPDX-License-Identifier: Apache-2.0
"""Results of a farm as JSON lines, written as they come and read again to go on.

One line is one outcome, as `Outcome.as_dict` and ``stamp``. A process that is killed while it
writes leaves at most a torn last line, which is cut off when the file is opened again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from filelock import FileLock, Timeout

from gavel_tb.farm.errors import FolderError
from gavel_tb.farm.unit import Outcome, Unit

JOURNAL = "results.jsonl"


class Journal:
    """The file of a folder, open for one process: a context manager.

    Parameters
    ----------
    folder
        Made when it does not exist.
    stamp
        What the results depend on besides their units, such as a hash of the sources. Lines with
        another stamp stay in the file and do not count.

    Attributes
    ----------
    finished
        Lines with a result, by key. What failed is not among them: it runs again.
    """

    def __init__(self, folder: Path, stamp: str = "") -> None:
        self.path = folder / JOURNAL
        self._stamp = stamp
        self._file: IO[str] | None = None
        self.finished: dict[str, Mapping[str, Any]] = {}
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(folder / f".{JOURNAL}.lock")

    def __enter__(self) -> Journal:
        """Reads the file and opens it.

        Raises
        ------
        FolderError
            If another process has it open, or a line in it is none of ours.
        """
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise FolderError(
                f"{self.path.parent} is in use by another run: wait for it, or use another folder"
            ) from None
        try:
            self._read()
            self._file = self.path.open("a", encoding="utf-8")
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()
        self._lock.release()

    def _read(self) -> None:
        if not self.path.exists():
            return
        data = self.path.read_bytes()
        whole = data.rfind(b"\n") + 1
        for number, line in enumerate(data[:whole].splitlines(), 1):
            try:
                entry = json.loads(line)
                key, error, stamp = entry["key"], entry["error"], entry["stamp"]
            except (ValueError, TypeError, KeyError):
                raise FolderError(
                    f"{self.path}, line {number}, is no result of a farm: use another folder"
                ) from None
            if stamp == self._stamp and error is None:
                self.finished[key] = entry
        if whole < len(data):
            with self.path.open("r+b") as file:
                file.truncate(whole)

    def recall(self, unit: Unit) -> Outcome | None:
        """The outcome of an earlier run, if the unit is finished."""
        entry = self.finished.get(unit.key)
        if entry is None:
            return None
        return Outcome(unit, entry["result"], seconds=entry["seconds"], worker=entry["worker"],
                       resumed=True)

    def append(self, outcome: Outcome) -> None:
        """Writes an outcome: it survives this process from here on."""
        assert self._file is not None
        self._file.write(json.dumps({**outcome.as_dict(), "stamp": self._stamp}) + "\n")
        self._file.flush()
