# SPDX-License-Identifier: Apache-2.0
"""How the Yosys in the pyosys package is started: the writer, the proofs and synthesis use it.

A yosys on PATH may be too old for what Amaranth writes, and the WebAssembly build compiles itself
for a minute on first use.
"""

import sys
from collections.abc import Sequence

VERSION = "0.70"
MISSING = f"pyosys is missing: pip install pyosys=={VERSION}"
"""What a user is told whose Python has no pyosys."""

# In a process of its own, because Yosys writes its log to the standard output of whoever runs it.
_PROGRAM = """
import sys
from pyosys import libyosys
design = libyosys.Design()
for command in sys.argv[1:]:
    libyosys.run_pass(command, design)
"""


def yosys_command(passes: Sequence[str]) -> list[str]:
    """Program and arguments that run ``passes``, one after the other, on one design."""
    return [sys.executable, "-c", _PROGRAM, *passes]


def yosys_failure(stdout: str, stderr: str) -> str:
    """Why a run of `yosys_command` ended with an error: `MISSING`, or its last line."""
    if "No module named 'pyosys'" in stderr:
        return MISSING
    return (stderr.strip() or stdout.strip()).rpartition("\n")[2]
