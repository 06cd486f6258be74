# SPDX-License-Identifier: Apache-2.0
"""A progress bar on standard error, for work that takes longer than two seconds."""

from __future__ import annotations

import sys
import threading
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

SHOW_AFTER_SECONDS = 2.0


class ProgressBar:
    """Context manager that shows a spinner, how long the work has taken, and what was told last.

    It appears by itself, also when nobody calls. Call it with the share of the work done (0...1,
    or None if that is unknown) and a short text. Without a terminal it does nothing.
    """

    def __init__(self, title: str, text: str = "") -> None:
        self._title = title
        self._share: float | None = None
        self._text = text
        self._lock = threading.Lock()
        self._ended = False
        self._progress: Progress | None = None
        self._task = TaskID(0)
        self._timer = threading.Timer(SHOW_AFTER_SECONDS, self._show)
        self._timer.daemon = True

    def __enter__(self) -> ProgressBar:
        if sys.stderr.isatty():
            self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        with self._lock:
            self._ended = True
            if self._progress is not None:
                self._progress.stop()

    def __call__(self, share: float | None, text: str) -> None:
        """Keeps the state; rich's own thread draws it."""
        with self._lock:
            self._share, self._text = share, text
            self._update()

    def _show(self) -> None:
        with self._lock:
            if self._ended:
                return
            # Standard output stays what it is: it may be a file.
            self._progress = Progress(
                SpinnerColumn(), TextColumn("{task.description}"), BarColumn(),
                TaskProgressColumn(), TextColumn("{task.fields[text]}"), TimeElapsedColumn(),
                TimeRemainingColumn(), console=Console(stderr=True), transient=True,
                redirect_stdout=False,
            )
            self._task = self._progress.add_task(self._title, total=None, text=self._text)
            self._progress.start()
            self._update()

    def _update(self) -> None:
        if self._progress is not None:
            self._progress.update(
                self._task, text=self._text, completed=self._share or 0.0,
                total=None if self._share is None else 1.0,
            )
