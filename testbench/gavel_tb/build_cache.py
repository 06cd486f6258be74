# SPDX-License-Identifier: Apache-2.0
"""Generated Verilog and Verilated binaries, made once and shared.

An entry is a folder whose name is a hash of everything that it depends on. It is made under a
file lock in a folder beside it and renamed when complete, so that any number of processes may ask
for the same entry, and one that is killed leaves nothing half done.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from filelock import FileLock

from gavel_model.config import SwitchConfig
from gavel_model.top_options import TopOptions
from gavel_tb.errors import SimulationError

DEFAULT_CACHE = Path("build/cache")
"""Below the current folder."""

_NAME_LENGTH = 20


@dataclass(frozen=True)
class Design:
    """A switch as Verilog.

    Attributes
    ----------
    verilog
        Text with the top module ``gavel_switch``.
    sidecar
        What `gavel_rtl.emit` says of it; ``probes`` gives the path of each probe point.
    """

    verilog: str
    sidecar: dict[str, Any]

    @property
    def probe_paths(self) -> dict[str, str]:
        """Path below the switch of each probe point."""
        return {name: entry["path"] for name, entry in self.sidecar["probes"].items()}


def digest(parts: Iterable[str]) -> str:
    """Short hash of some texts."""
    result = hashlib.sha256()
    for part in parts:
        data = part.encode()
        result.update(len(data).to_bytes(8, "little"))
        result.update(data)
    return result.hexdigest()[:_NAME_LENGTH]


class BuildCache:
    """A folder of entries.

    Parameters
    ----------
    root
        Made when it does not exist.
    """

    def __init__(self, root: Path = DEFAULT_CACHE) -> None:
        self.root = root.absolute()

    def entry(self, kind: str, parts: Iterable[str], make: Callable[[Path], None]) -> Path:
        """The folder of an entry, made by ``make(folder)`` if it does not stand yet.

        The folder has its final path while it is being made, since compilers write paths down.

        Raises
        ------
        SimulationError
            If the cache cannot be written.
        """
        folder = self.root / f"{kind}-{digest(parts)}"
        complete = folder / "complete"
        if complete.exists():
            return folder
        with self._lock(folder):
            if not complete.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir(parents=True)
                began = time.perf_counter()
                make(folder)
                complete.write_text(f"{time.perf_counter() - began:.3f}\n", "utf-8")
        return folder

    def _lock(self, folder: Path) -> AbstractContextManager[object]:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            return FileLock(f"{folder}.lock").acquire()
        except OSError as error:
            raise SimulationError(
                f"the build cache {self.root} cannot be written: {error.strerror}"
            ) from error

    def seconds(self, folder: Path) -> float:
        """Time that making an entry took."""
        return float((folder / "complete").read_text("utf-8"))

    def design(self, config: SwitchConfig, options: TopOptions | None = None) -> Design:
        """Verilog of a switch or top level, generated once per configuration and source text.

        Raises
        ------
        SimulationError
            If a tool that writes the Verilog is missing.
        """
        folder = self.design_folder(config, options)
        return Design(
            verilog=(folder / "gavel_switch.v").read_text("utf-8"),
            sidecar=json.loads((folder / "gavel_switch.json").read_text("utf-8")),
        )

    def design_folder(self, config: SwitchConfig, options: TopOptions | None = None) -> Path:
        """The entry of `design`."""

        def make(folder: Path) -> None:
            from gavel_rtl.emit import generate

            try:
                made = generate(config, options)
            except RuntimeError as error:
                raise SimulationError(f"no Verilog: {error}") from error
            (folder / "gavel_switch.v").write_text(made.verilog, "utf-8")
            (folder / "gavel_switch.json").write_text(json.dumps(made.sidecar), "utf-8")

        parts = (*(json.dumps(asdict(item), sort_keys=True) for item in (config, options) if item),
                 _generator_hash())
        return self.entry("verilog", parts, make)


@lru_cache(maxsize=1)
def _generator_hash() -> str:
    """Hash of all that decides the generated text besides the configuration."""
    parts = [version("amaranth"), version("pyosys")]
    for package in ("gavel_rtl", "gavel_model"):
        spec = find_spec(package)
        if spec is None or spec.origin is None:
            raise SimulationError(f"{package} is not installed: make setup")
        root = Path(spec.origin).parent
        for path in sorted(root.rglob("*.py")):
            parts += [str(path.relative_to(root)), path.read_text("utf-8")]
    return digest(parts)
