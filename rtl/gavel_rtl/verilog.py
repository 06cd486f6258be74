# SPDX-License-Identifier: Apache-2.0
"""RTLIL text to Verilog text, by the Yosys in the pyosys package."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

# Processes stay processes and memories stay memories: what Amaranth's own writer asks for.
_PASSES = (
    "read_rtlil design.il",
    "proc -nomux -norom",
    "memory_collect",
    "write_verilog -norename -noattr design.v",
)
# In a process of its own, because Yosys writes its log to the standard output of whoever runs it.
_PROGRAM = """
import sys
from pyosys import libyosys
design = libyosys.Design()
for command in sys.argv[1:]:
    libyosys.run_pass(command, design)
"""
_BANNER = re.compile(r"\A/\*.*?\*/\s*", re.DOTALL)


def write_verilog(rtlil: str) -> str:
    """Verilog of an RTLIL design, without attributes and without the writer's banner.

    Raises
    ------
    RuntimeError
        If pyosys is missing, with the command that installs it, or fails, with its last line.
    """
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "design.il").write_text(rtlil, "utf-8")
        run = subprocess.run([sys.executable, "-c", _PROGRAM, *_PASSES], cwd=folder,
                             capture_output=True, text=True, check=False)
        if "No module named 'pyosys'" in run.stderr:
            raise RuntimeError("pyosys is missing: pip install pyosys==0.70")
        if run.returncode:
            last = (run.stderr.strip() or run.stdout.strip()).rpartition("\n")[2]
            raise RuntimeError(f"Yosys could not write the Verilog: {last}")
        return _BANNER.sub("", (Path(folder) / "design.v").read_text("utf-8"), count=1)
