# SPDX-License-Identifier: Apache-2.0
"""The cocotb test of a server: it waits at time 0, and each job goes on from there in a copy.

cocotb begins its first test before the simulator evaluates anything, so initial blocks run in the
copy, and read the plus-arguments of its job.

``GAVEL_SERVER`` names the folder with the pipes; `gavel_tb.servers` is the other side.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import importlib
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

import cocotb

from gavel_tb.cocotb_main import run_task
from gavel_tb.job_file import REPLIES, REQUESTS, SERVER_VARIABLE
from gavel_tb.process import die_with_parent

PRELOADED = ("gavel_tb.traffic", "gavel_tb.llr_traffic", "gavel_tb.behaviour.job")
"""What most jobs import; a copy has it already."""


@cocotb.test()
async def serve(dut: Any) -> None:
    """Runs jobs until the requests end. Goes on behind the wait only in copies."""
    task = _wait(Path(os.environ[SERVER_VARIABLE]))
    if task is None:
        return
    code = 1
    try:
        await run_task(dut, task)
        code = 0
    except Exception:
        traceback.print_exc()
    finally:
        _end(code)


def _end(code: int) -> None:
    """Ends a copy here and now: the simulator's own end waits for a thread that no copy has."""
    _flush()
    os._exit(code)


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    ctypes.CDLL(None).fflush(None)


def _wait(folder: Path) -> Path | None:
    """The job file of this copy; None when the requests have ended, in the server itself."""
    for name in PRELOADED:
        importlib.import_module(name)
    # What stands here is shared by the copies as long as nobody touches it.
    gc.collect()
    gc.freeze()
    # Opened without waiting for the other side: if that has gone, the requests have ended.
    pipe = os.open(folder / REQUESTS, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(pipe, True)
    with (folder / REPLIES).open("w") as replies, os.fdopen(pipe, encoding="utf-8") as requests:
        print(os.getpid(), file=replies, flush=True)
        for line in iter(requests.readline, ""):
            task = Path(line.removesuffix("\n"))
            # What is not written yet, every copy would write again.
            _flush()
            copy = os.fork()
            if copy == 0:
                die_with_parent()
                # For a simulation that ends by itself, which is a failure.
                atexit.register(_end, 1)
                _work_in(task.parent)
                _add_arguments(json.loads(task.read_text("utf-8"))["arguments"])
                return task
            _, status = os.waitpid(copy, 0)
            print(os.waitstatus_to_exitcode(status), file=replies, flush=True)
    return None


def _add_arguments(texts: list[str]) -> None:
    array = (ctypes.c_char_p * len(texts))(*(text.encode() for text in texts))
    ctypes.CDLL(None).gavel_arguments(len(texts), array)


def _work_in(folder: Path) -> None:
    os.chdir(folder)
    log = os.open("sim.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
