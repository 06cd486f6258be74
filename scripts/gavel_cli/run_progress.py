# SPDX-License-Identifier: Apache-2.0
"""A progress bar on standard error, for work that takes longer than two seconds."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

SHOW_AFTER_SECONDS = 2.0


class ProgressBar:
    """Context manager; call it with the share done (0...1) and a short text."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._started = time.monotonic()
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._progress is not None:
            self._progress.stop()

    def __call__(self, share: float, text: str) -> None:
        """Shows the state; does nothing in the first seconds and without a terminal."""
        if self._progress is None:
            if time.monotonic() - self._started < SHOW_AFTER_SECONDS:
                return
            console = Console(stderr=True)
            self._progress = Progress(
                TextColumn("{task.description}"), BarColumn(),
                TextColumn("{task.percentage:3.0f} %"),
                TextColumn("{task.fields[text]}"), TimeRemainingColumn(),
                console=console, transient=True, disable=not console.is_terminal,
            )  # fmt: skip
            self._task = self._progress.add_task(self._title, total=1.0, text=text)
            self._progress.start()
        assert self._task is not None
        self._progress.update(self._task, completed=share, text=text)
