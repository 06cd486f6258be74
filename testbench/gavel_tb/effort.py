# SPDX-License-Identifier: Apache-2.0
"""How much a build spends on speed, and how its C++ is spread over files."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gavel_tb.build_cache import Design


@dataclass(frozen=True)
class Effort:
    """How much a build spends on speed: flags of Verilator, and of the C++ compiler for the code
    of every cycle and for the rest."""

    verilator: tuple[str, ...]
    fast: str
    slow: str


LIBRARY_COMPILE = "-fPIC -fno-gnu-unique"
"""Compiler flags of what several libraries in one process have: no classes that they share."""

RUNTIME_OBJECTS = ("verilated.o", "verilated_dpi.o", "verilated_vpi.o", "verilated_threads.o",
                   "memory.o")
"""Objects that do not depend on the design; they take longer to compile than a small design. (The
main program does depend on it: it allocates the model.)"""

_ONE_CODE_PER_MODULE = ("-O3", "-fno-inline", "-fno-gate", "-fno-dfg", "-fno-table")
"""Inlining copies a module's code into every instance of it, and the other optimisations make
those copies different from one another, so that they cannot be merged: a switch of 16 ports of
512 bits then has four times the C++."""

SHORT = Effort(_ONE_CODE_PER_MODULE, "-Og", "-O0")
"""The default: runs as fast as with ``-O1``, which takes half as long again to compile."""

QUICK = replace(SHORT, fast="-O0")
"""For some ten thousand cycles, which take less time than compiling faster code."""

LONG = Effort(_ONE_CODE_PER_MODULE, "-O2", "-O0")
"""Benches and soaks: twice the build time of `SHORT` for a few per cent of speed. (Inlining is
both slower to build and slower to run: its code does not fit the caches.)"""

RUNTIME = Effort((), "-O1", "-O0")
"""For every effort of the design: little of a run's time is the runtime's."""


_LARGE_VERILOG = 3_000_000
"""Characters of Verilog above which the time that g++ needs for one function counts."""


def is_large(design: Design) -> bool:
    """g++ needs small functions in many files."""
    return len(design.verilog) > _LARGE_VERILOG


def splitting(design: Design) -> tuple[str, ...]:
    """Flags that say how Verilator spreads its C++ over functions and files."""
    if is_large(design):
        # g++ needs most of an hour for a 64-port scheduler in one function.
        return ("--output-split", "20000", "--output-split-cfuncs", "2000")
    # One file for the code of every cycle and one for the rest: the headers cost more than the
    # code when each module has files of its own.
    return ("--output-groups", "2", "--output-split", "200000")
