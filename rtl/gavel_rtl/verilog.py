# SPDX-License-Identifier: Apache-2.0
"""RTLIL text to Verilog text, by the Yosys in the pyosys package."""

import re
import subprocess
import tempfile
from pathlib import Path

from gavel_rtl.memory_module import MEMORY_NAME, MemoryShape
from gavel_rtl.yosys import MISSING, yosys_command, yosys_failure

# Processes stay processes and memories stay memories: what Amaranth's own writer asks for.
_PASSES = (
    "read_rtlil design.il",
    "proc -nomux -norom",
    "memory_collect",
    "write_verilog -norename -noattr design.v",
)
_BANNER = re.compile(r"\A/\*.*?\*/\s*", re.DOTALL)
_CHECK = re.compile(r"^    if \((?P<when>.+)\) begin\n"
                    r"      if \(!(?P<condition>\S+) ?\)\n"
                    r"        \$write\((?P<message>\".*\")\);\n"
                    r"      assert \((?P=condition) ?\);\n"
                    r"    end\n", re.MULTILINE)
_CHECKS = re.compile(r"^  always @\(posedge clk\) begin\n"
                     r"(?:    if \(.+\) begin\n      if .+\n        \$write.+\n      assert .+\n"
                     r"    end\n)+  end\n", re.MULTILINE)
ASSERT_MACRO = "GAVEL_ASSERT"
"""Defined, the Verilog has the design's assertions, which are SystemVerilog; else it has none, as
not every tool that reads Verilog knows them."""

_MEMORY = re.compile(r"^  reg (?:\[\d+:0\] )?(\w+) \[(\d+):0\];$", re.MULTILINE)
MODULES = re.compile(r"^(?=module )", re.MULTILINE)
_MEMORY_MODULE = re.compile(rf"^module ({MEMORY_NAME.pattern})\(", re.MULTILINE)
_MEMORY_HEAD = """
// Memories of a Gavel switch. A macro that takes the place of one has its name, its pins, and does
// what its head says; it stands in a file like this one.

"""
_MODULE_STARTS = re.compile(r"(?:(?<=endmodule\n)|(?<=\n\n))(?=(?://.*\n)*module )")
_MODULE_NAME = re.compile(r"module \\?([\w$]+)")
PROMISED = re.compile(r"^  attribute \\no_rw_check 1\n(?:  attribute .*\n)*  memory .* \\(\S+)$",
                      re.MULTILINE)
"""A memory with the attributes `NO_COLLISION`, in RTLIL."""

COLLISION_ATTRIBUTES = '(* no_rw_check, ramstyle = "no_rw_check", syn_ramstyle = "no_rw_check" *)'
"""Tells Yosys, Quartus and Synplify that nobody uses what a memory shows of a word that is being
written, so that they need not add to a block RAM what it does not do by itself. Vivado takes block
RAM that shows the old word, which is what the Verilog says."""

_TRIGGER = re.compile(r"^  reg (\\\$auto\$verilog_backend\S+ ) = 0;$", re.MULTILINE)
"""What Yosys lets every ``always @*`` look at, so that a block runs once although its inputs never
change. A value in the declaration is a change in Verilog, and none in SystemVerilog. A delayed
assignment comes when all blocks wait for it."""


def _clear_at_start(memory: re.Match[str]) -> str:
    """The declaration, and a loop that gives every word 0, so that simulators read no X."""
    name, last = memory[1], memory[2]
    word = f"{name}_word"
    return (f"{memory[0]}\n  integer {word};\n"
            f"  initial for ({word} = 0; {word} <= {last}; {word} = {word} + 1) "
            f"{name}[{word}] = 0;")


def _only_on_demand(checks: re.Match[str]) -> str:
    """A block of assertions with their messages, for those who define `ASSERT_MACRO`."""
    text = _CHECK.sub(_assertion, checks[0])
    return f"`ifdef {ASSERT_MACRO}\n{text}`endif\n"


def _assertion(check: re.Match[str]) -> str:
    statement = f"assert ({check['condition']} ) else $error({check['message']});\n"
    if check["when"] == "1'h1":
        return f"    {statement}"
    return f"    if ({check['when']}) begin\n      {statement}    end\n"


def write_verilog(rtlil: str) -> str:
    """Verilog of an RTLIL design, without attributes and without the writer's banner.

    Memories come without contents, and are cleared by a loop. Assertions stand between
    ``ifdef`` and ``endif`` of `ASSERT_MACRO`.

    Raises
    ------
    RuntimeError
        As `run_yosys`.
    """
    return finish(run_yosys(rtlil), rtlil)


def finish(text: str, rtlil: str) -> str:
    """What Yosys wrote of ``rtlil``, with memories that are cleared and have their
    `COLLISION_ATTRIBUTES`, heads of memory modules, and assertions for those who want them."""
    text = _TRIGGER.sub(r"  reg \1;\n  initial \1<= 0;", text)
    text = _mark_memories(_MEMORY.sub(_clear_at_start, text), rtlil)
    return _CHECKS.sub(_only_on_demand, _MEMORY_MODULE.sub(_comment, text))


def split_memories(verilog: str) -> tuple[str, str]:
    """The design without the memories that macros take the places of, and the file of those."""
    head, *parts = _MODULE_STARTS.split(verilog)
    rest, memories = [head], [head.partition("\n")[0] + _MEMORY_HEAD]
    for part in parts:
        found = _MEMORY_MODULE.search(part)
        shape = found and MemoryShape.of(found[1])
        (memories if shape and shape.kind != "ram_new" else rest).append(part)
    return "".join(rest), "".join(memories)


def _mark_memories(text: str, rtlil: str) -> str:
    """Attributes at the memories that promise `NO_COLLISION`."""
    marked = {_name(part): set(PROMISED.findall(part)) for part in MODULES.split(rtlil)[1:]}

    def mark(part: str) -> str:
        names = marked.get(_name(part), set())
        return _MEMORY.sub(
            lambda memory: memory[0].replace("  reg", f"  {COLLISION_ATTRIBUTES} reg", 1)
            if memory[1] in names else memory[0], part)

    banner, *parts = MODULES.split(text)
    return banner + "".join(map(mark, parts))


def _comment(module: re.Match[str]) -> str:
    """The head of a memory module, and its first line."""
    shape = MemoryShape.of(module[1])
    return f"{shape.comment()}{module[0]}" if shape else module[0]


def _name(module: str) -> str:
    found = _MODULE_NAME.match(module)
    assert found is not None
    return found[1]


def run_yosys(rtlil: str, *, attributes: bool = False) -> str:
    """What Yosys makes of an RTLIL design, without its banner.

    Raises
    ------
    RuntimeError
        If pyosys is missing, with the command that installs it, or fails, with its last line.
    """
    passes = [line.replace(" -noattr", "") if attributes else line for line in _PASSES]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "design.il").write_text(rtlil, "utf-8")
        run = subprocess.run(yosys_command(passes), cwd=folder,
                             capture_output=True, text=True, check=False)
        if run.returncode:
            why = yosys_failure(run.stdout, run.stderr)
            raise RuntimeError(
                why if why == MISSING else f"Yosys could not write the Verilog: {why}")
        return _BANNER.sub("", (Path(folder) / "design.v").read_text("utf-8"), count=1)
