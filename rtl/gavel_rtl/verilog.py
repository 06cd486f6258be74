# SPDX-License-Identifier: Apache-2.0
"""RTLIL text to Verilog text, by the Yosys in the pyosys package."""

import re
import tempfile
from pathlib import Path

# Processes stay processes and memories stay memories: what Amaranth's own writer asks for.
_PASSES = ("proc -nomux -norom", "memory_collect")
_BANNER = re.compile(r"\A/\*.*?\*/\s*", re.DOTALL)


def write_verilog(rtlil: str) -> str:
    """Verilog of an RTLIL design, without attributes and without the writer's banner.

    Raises
    ------
    RuntimeError
        If pyosys is not installed; the message says how to install it.
    """
    try:
        from pyosys import libyosys as yosys
    except ImportError as error:
        raise RuntimeError("pyosys is missing: pip install pyosys==0.70") from error
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "design.il", Path(folder) / "design.v"
        source.write_text(rtlil, "utf-8")
        design = yosys.Design()
        # Yosys warns that not every process can be written as Verilog; Amaranth makes none such.
        for command in (
            f"read_rtlil {source}", *_PASSES,
            f"write_verilog -norename -noattr {target}",
        ):
            yosys.run_pass(f"tee -q {command}", design)
        return _BANNER.sub("", target.read_text("utf-8"), count=1)
