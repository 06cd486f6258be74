# SPDX-License-Identifier: Apache-2.0
"""The Python package with which software reaches the self-test, made by PeakRDL."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gavel_model.config import SwitchConfig
from gavel_model.selftest_format import FrameFormat
from gavel_model.selftest_map import GLOBAL_BASE
from gavel_tb.build_cache import BuildCache
from gavel_tb.errors import SimulationError
from gavel_tb.rdl.compiled import NEEDED, WORD_BYTES, source_folder

NAME = "gavel_selftest"
BASE = GLOBAL_BASE * WORD_BYTES
"""Byte address of the map."""

Read = Callable[[int], int]
Write = Callable[[int, int], None]
_PROGRAMS = ("peakrdl", "peakrdl_python")


def python_package(config: SwitchConfig, cache: BuildCache) -> Path:
    """The folder with the package ``gavel_selftest`` for a switch, made unless the cache has it.

    Raises
    ------
    SimulationError
        PeakRDL is missing, with the command that brings it, or fails.
    """
    missing = [package for package in _PROGRAMS if find_spec(package) is None]
    if missing:
        raise SimulationError(f"{', '.join(missing)} not installed: {NEEDED}")
    source = source_folder() / f"{NAME}.rdl"
    parameters = [f"{name}={value}" for name, value in (
        ("ports", config.ports), ("classes", FrameFormat(config).classes))]

    def make(folder: Path) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "peakrdl", "python", "--skip_test_case_generation", "-t", NAME,
             *(word for item in parameters for word in ("-P", item)), "-o", str(folder),
             str(source)],
            capture_output=True, text=True, check=False)
        if done.returncode or not (folder / NAME).is_dir():
            said = (done.stderr or done.stdout).strip().rpartition("\n")[2]
            raise SimulationError(f"peakrdl python failed: {said}")

    parts = (source.read_text("utf-8"), *parameters, Path(__file__).read_text("utf-8"))
    return cache.entry("selftest-registers", parts, make)


def open_registers(package: Path, read: Read, write: Write) -> Any:
    """The registers as PeakRDL's objects, over two functions.

    Parameters
    ----------
    package
        Folder of `python_package`.
    read, write
        Read a 32-bit register at a byte address; write one.
    """
    path = str(package)
    sys.path.insert(0, path)
    try:
        for name in [name for name in sys.modules if name.partition(".")[0] == NAME]:
            # Another switch has a package of the same name.
            del sys.modules[name]
        model = importlib.import_module(f"{NAME}.reg_model.{NAME}")
        library = importlib.import_module(f"{NAME}.lib")
        callbacks = library.NormalCallbackSet(
            read_callback=lambda addr, width, accesswidth: read(addr),
            write_callback=lambda addr, width, accesswidth, data: write(addr, data))
        return getattr(model, f"{NAME}_cls")(callbacks=callbacks, address=BASE)
    finally:
        sys.path.remove(path)
