# SPDX-License-Identifier: Apache-2.0
"""The register map of one configuration, by the exporters of PeakRDL, run as programs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from gavel_model.config import SwitchConfig
from gavel_model.register_map import config_values
from gavel_tb.rdl.compiled import NEEDED, TOP, source_folder
from gavel_tb.rdl.errors import RegisterToolError

RDL = "rdl"
HEADER = "gavel_registers.h"
EXPORTS = (
    ("peakrdl_cheader", ("c-header", "--type-style", "hier"), HEADER),
    ("peakrdl_html", ("html",), "html"),
    ("peakrdl_python", ("python", "--skip_test_case_generation"), "python"),
)
"""Package, command and its options, what it writes."""

ORACLE = "gavel_regblock"

_PARAMETER = re.compile(r"^(    longint unsigned )(\w+) = \w+(,?)$", re.MULTILINE)
_LOG_LINES = 3


def filled_sources(config: SwitchConfig) -> dict[str, str]:
    """The ``.rdl`` files by name; the parameters are those of ``config``."""
    values = config_values(config)
    found = {path.name: path.read_text("utf-8") for path in sorted(source_folder().glob("*.rdl"))}
    top = f"{TOP}.rdl"
    found[top] = _PARAMETER.sub(
        lambda match: f"{match[1]}{match[2]} = {values[match[2]]}{match[3]}", found[top])
    return found


def check_programs() -> None:
    """Refuses before any work is done.

    Raises
    ------
    RegisterToolError
        An exporter is missing: which, and how to get it.
    """
    missing = [package for package in ("peakrdl", *(package for package, _, _ in EXPORTS))
               if find_spec(package) is None]
    if missing:
        raise RegisterToolError(f"{', '.join(missing)} not installed: {NEEDED}")


def export(config: SwitchConfig, folder: Path) -> list[Path]:
    """Makes ``folder`` with the sources, the C header, the page and the Python package: all of
    it or nothing.

    Raises
    ------
    RegisterToolError
        A program is missing or fails.
    FileExistsError
        ``folder`` is there, and not an empty folder.
    """
    check_programs()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(0, "is there already: name a new folder", str(folder))
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".new-"))
    try:
        sources = made / RDL
        sources.mkdir()
        for name, text in filled_sources(config).items():
            (sources / name).write_text(text, "utf-8")
        for _, command, output in EXPORTS:
            _run(command, sources / f"{TOP}.rdl", made / output)
        mask = os.umask(0)
        os.umask(mask)
        made.chmod(0o777 & ~mask)
        if folder.exists():
            folder.rmdir()
        made.rename(folder)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    return [folder / name for name in (RDL, *(output for _, _, output in EXPORTS))]


def c_header(config: SwitchConfig) -> str:
    """The C header alone.

    Raises
    ------
    RegisterToolError
        A program is missing or fails.
    """
    check_programs()
    ((command, output),) = [(command, output) for _, command, output in EXPORTS
                            if output == HEADER]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, text in filled_sources(config).items():
            (folder / name).write_text(text, "utf-8")
        _run(command, folder / f"{TOP}.rdl", folder / output)
        return (folder / output).read_text("utf-8")


def oracle(config: SwitchConfig) -> str:
    """SystemVerilog of PeakRDL's own register block behind AXI4-Lite, module `ORACLE`, to compare
    ours with. Needs peakrdl-regblock, which the extra ``dev`` brings.

    Raises
    ------
    RegisterToolError
        It is missing or fails.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, text in filled_sources(config).items():
            (folder / name).write_text(text, "utf-8")
        _run(("regblock", "--cpuif", "axi4-lite-flat", "--addr-width", "18", "--err-if-bad-addr",
              "--err-if-bad-rw", "--module-name", ORACLE, "--package-name", f"{ORACLE}_pkg"),
             folder / f"{TOP}.rdl", folder / "out")
        return "".join((folder / "out" / f"{name}.sv").read_text("utf-8")
                       for name in (f"{ORACLE}_pkg", ORACLE))


def _run(command: tuple[str, ...], source: Path, output: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "peakrdl", *command, "-t", TOP, "-o", str(output), str(source)],
        capture_output=True, text=True, check=False)
    if done.returncode or not output.exists():
        said = (done.stderr or done.stdout).strip().splitlines()[-_LOG_LINES:]
        raise RegisterToolError(f"peakrdl {command[0]} failed: {' / '.join(said)}")
