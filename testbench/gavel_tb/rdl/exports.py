# SPDX-License-Identifier: Apache-2.0
"""The address maps of one configuration, by the exporters of PeakRDL, run as programs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection
from importlib.util import find_spec
from pathlib import Path

from gavel_model.config import SwitchConfig
from gavel_model.register_map import config_values
from gavel_tb.rdl.compiled import NEEDED, source_folder, with_parameters
from gavel_tb.rdl.errors import RegisterToolError
from gavel_tb.rdl.maps import MAPS, SWITCH, MapSource

RDL = "rdl"
HTML = "html"
PYTHON = "python"
_PYTHON = ("python", "--skip_test_case_generation")
_HEADER = ("c-header", "--type-style", "hier")
PROGRAMS = ("peakrdl", "peakrdl_cheader", "peakrdl_html", "peakrdl_python")

ORACLE = "gavel_regblock"

_LOG_LINES = 3


def filled_sources(config: SwitchConfig) -> dict[str, str]:
    """The ``.rdl`` files by name; the parameters are those of ``config``."""
    values = config_values(config)
    found = {path.name: path.read_text("utf-8") for path in sorted(source_folder().glob("*.rdl"))}
    for source in MAPS:
        name = f"{source.name}.rdl"
        found[name] = with_parameters(found[name], values)
    return found


def header_name(source: MapSource) -> str:
    """Name of the C header of a map."""
    return f"{source.name}_registers.h"


HEADER = header_name(SWITCH)


def check_programs() -> None:
    """Refuses before any work is done.

    Raises
    ------
    RegisterToolError
        An exporter is missing: which, and how to get it.
    """
    missing = [package for package in PROGRAMS if find_spec(package) is None]
    if missing:
        raise RegisterToolError(f"{', '.join(missing)} not installed: {NEEDED}")


def export(config: SwitchConfig, folder: Path, further: Collection[MapSource] = ()) -> list[Path]:
    """Makes ``folder`` with the sources, the C header, the page and the Python package: all of
    it or nothing.

    Parameters
    ----------
    further
        Maps beside that of the switch: each with a header and a package of its own, and a page
        below that of the switch.

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
        sources = _write_sources(config, made / RDL)
        for source in (SWITCH, *further):
            below = "" if source is SWITCH else source.name
            for command, output in ((_HEADER, header_name(source)), (("html",), f"{HTML}/{below}"),
                                    (_PYTHON, PYTHON)):
                _run(command, source, sources, made / output)
        mask = os.umask(0)
        os.umask(mask)
        made.chmod(0o777 & ~mask)
        if folder.exists():
            folder.rmdir()
        made.rename(folder)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    headers = [header_name(source) for source in (SWITCH, *further)]
    return [folder / name for name in (RDL, *headers, HTML, PYTHON)]


def c_header(config: SwitchConfig, source: MapSource = SWITCH) -> str:
    """The C header of a map alone.

    Raises
    ------
    RegisterToolError
        A program is missing or fails.
    """
    check_programs()
    with tempfile.TemporaryDirectory() as temporary:
        sources = _write_sources(config, Path(temporary) / RDL)
        header = sources / header_name(source)
        _run(_HEADER, source, sources, header)
        return header.read_text("utf-8")


def python_package(config: SwitchConfig, source: MapSource, folder: Path) -> None:
    """Puts the Python package of one map, which has the map's name, into ``folder``.

    Raises
    ------
    RegisterToolError
        A program is missing or fails.
    """
    check_programs()
    with tempfile.TemporaryDirectory() as temporary:
        _run(_PYTHON, source, _write_sources(config, Path(temporary) / RDL), folder)


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
        sources = _write_sources(config, folder / RDL)
        _run(("regblock", "--cpuif", "axi4-lite-flat", "--addr-width", "18", "--err-if-bad-addr",
              "--err-if-bad-rw", "--module-name", ORACLE, "--package-name", f"{ORACLE}_pkg"),
             SWITCH, sources, folder / "out")
        return "".join((folder / "out" / f"{name}.sv").read_text("utf-8")
                       for name in (f"{ORACLE}_pkg", ORACLE))


def _write_sources(config: SwitchConfig, folder: Path) -> Path:
    folder.mkdir()
    for name, text in filled_sources(config).items():
        (folder / name).write_text(text, "utf-8")
    return folder


def _run(command: tuple[str, ...], source: MapSource, sources: Path, output: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "peakrdl", *command, "-t", source.name, "-o", str(output),
         str(sources / f"{source.name}.rdl")],
        capture_output=True, text=True, check=False)
    if done.returncode or not output.exists():
        said = (done.stderr or done.stdout).strip().splitlines()[-_LOG_LINES:]
        raise RegisterToolError(f"peakrdl {command[0]} failed: {' / '.join(said)}")
