# SPDX-License-Identifier: Apache-2.0
"""Functions that units of the tests name."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from gavel_tb.farm.builds import build_folder


def square(number: int) -> dict[str, int]:
    return {"square": number * number}


def refuse(text: str) -> None:
    raise RuntimeError(f"{text}\nmore of it")


def no_data() -> Any:
    return {1, 2}


def die_once(mark: str) -> str:
    """Kills its worker the first time that it is called with a mark, which is a file."""
    if not Path(mark).exists():
        Path(mark).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "alive"


def die_always(number: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leave() -> None:
    raise SystemExit(7)


def wait_for(mark: str) -> int:
    """Says that it runs, and ends when the mark is there; gives its process."""
    Path(f"{mark}.{os.getpid()}.runs").touch()
    while not Path(mark).exists():
        time.sleep(0.01)
    return os.getpid()


def read_build(name: str) -> str:
    folder = build_folder(name)
    return " ".join(sorted(path.name for path in folder.iterdir())) + (
        folder / "text").read_text("utf-8")


def print_and_work() -> int:
    print("from a unit")  # noqa: T201 - what the test is about
    return 1
