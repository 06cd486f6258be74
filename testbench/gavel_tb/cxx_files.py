# SPDX-License-Identifier: Apache-2.0
"""Verilator's C++ as two files: the code of every cycle, and the rest.

Verilator writes two files for each module, and its make file compiles them, or groups of them,
against a precompiled header. For a switch of a few ports the header takes longer to precompile
than all of the code to compile, and 75 MB on disk for each of the two levels of optimisation.
"""

from __future__ import annotations

import re
from pathlib import Path

PREFIX = "Vtop"
_CLASSES = f"{PREFIX}_classes.mk"
_LIST = re.compile(r"^VM_(?:CLASSES|SUPPORT)_(FAST|SLOW) \+= \\\n((?:  \S+ \\\n)*)", re.MULTILINE)
_RULE = (
    "{object}.o: {object}.cpp\n"
    "\t$(OBJCACHE) $(CXX) $(OPT_{speed}) $(CXXFLAGS) $(CPPFLAGS) -c -o $@ $<\n"
)


def join_files(folder: Path) -> None:
    """Makes the files, and the make file compile these and not what they include.

    Parameters
    ----------
    folder
        What Verilator wrote with the prefix `PREFIX`, and nothing compiled in it.

    Raises
    ------
    OSError
        If Verilator has not been there.
    """
    path = folder / _CLASSES
    names: dict[str, list[str]] = {"FAST": [], "SLOW": []}

    def take(found: re.Match[str]) -> str:
        names[found[1]] += found[2].replace("\\", " ").split()
        return ""

    # Its own rules compile every object against the precompiled header.
    text = _LIST.sub(take, path.read_text("utf-8")) + "VM_DEFAULT_RULES = 0\n"
    for speed, included in names.items():
        joined = f"{PREFIX}__{speed.lower()}"
        lines = [f'#include "{name}.cpp"\n' for name in included]
        (folder / f"{joined}.cpp").write_text("".join(lines), "utf-8")
        text += f"VM_CLASSES_{speed} = {joined}\n" + _RULE.format(object=joined, speed=speed)
    path.write_text(text, "utf-8")
