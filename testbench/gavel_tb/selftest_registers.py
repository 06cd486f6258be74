# SPDX-License-Identifier: Apache-2.0
"""The Python package with which software reaches the self-test, made by PeakRDL."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gavel_model.config import SwitchConfig
from gavel_model.selftest_map import GLOBAL_BASE
from gavel_tb.build_cache import BuildCache
from gavel_tb.rdl import exports
from gavel_tb.rdl.compiled import WORD_BYTES
from gavel_tb.rdl.maps import SELF_TEST

NAME = SELF_TEST.name
BASE = GLOBAL_BASE * WORD_BYTES
"""Byte address of the map."""

Read = Callable[[int], int]
Write = Callable[[int, int], None]


def python_package(config: SwitchConfig, cache: BuildCache) -> Path:
    """The folder with the package ``gavel_selftest`` for a switch, made unless the cache has it.

    Raises
    ------
    RegisterToolError
        PeakRDL is missing, with the command that brings it, or fails.
    """
    exports.check_programs()
    parts = (exports.filled_sources(config)[f"{NAME}.rdl"],
             Path(exports.__file__).read_text("utf-8"))
    return cache.entry("selftest-registers", parts,
                       lambda folder: exports.python_package(config, SELF_TEST, folder))


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
