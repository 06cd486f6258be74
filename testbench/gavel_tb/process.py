# SPDX-License-Identifier: Apache-2.0
"""Child processes that do not outlive the one that started them."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any

_PR_SET_PDEATHSIG = 1
_TERMINATED = 128 + signal.SIGTERM

# Looked up here: between fork and exec a child must not load libraries.
_PRCTL = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


def die_with_parent() -> None:
    """On Linux this process is killed when the thread that has started it ends."""
    if _PRCTL is not None:
        _PRCTL(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def run_child(
    command: Sequence[str], *, cwd: str | os.PathLike[str], env: Mapping[str, str],
    stdout: IO[Any] | None = None, stderr: int | None = None,
) -> int:
    """Runs a program to its end; returns its exit code.

    The program leads a process group of its own. Whatever ends the wait early (Ctrl-C, an
    exception) kills the group; on Linux the program also dies when this process does.
    """
    with subprocess.Popen(
        list(command), cwd=cwd, env=dict(env), stdout=stdout, stderr=stderr,
        start_new_session=True, preexec_fn=die_with_parent,
    ) as child:
        try:
            return child.wait()
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            raise


class _Terminated(BaseException):
    """SIGTERM has come. Not a SystemExit: cocotb's runner raises that for errors of its own."""


@contextlib.contextmanager
def orderly_termination() -> Iterator[None]:
    """Within it SIGTERM raises `SystemExit`, so that what must be cleaned up is.

    A handler that somebody else has set stays; other threads than the main one cannot set any.
    """
    if (threading.current_thread() is not threading.main_thread()
            or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL):
        yield
        return

    def stop(*_: object) -> None:
        raise _Terminated

    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except _Terminated:
        raise SystemExit(_TERMINATED) from None
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
