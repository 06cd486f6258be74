# SPDX-License-Identifier: Apache-2.0
"""A folder with which the delivered Verilog can be checked by any simulator, without this kit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from gavel_model.config import SwitchConfig
from gavel_tb.block_producer import PlainProducer
from gavel_tb.build_cache import Design
from gavel_tb.harness import DESIGN
from gavel_tb.jobs import finish_session, open_session
from gavel_tb.lockstep import LockstepResult, check_text, timeout_text
from gavel_tb.read_out import with_read_out
from gavel_tb.vector_player import PLAYER, RESET_CYCLES, VECTORS_NAME, player_verilog
from gavel_tb.vectors import encode

FORMAT = "gavel-vectors-1"
DESIGN_NAME = f"{DESIGN}.v"
PLAYER_NAME = f"{PLAYER}.v"
README_NAME = "README.md"
MANIFEST_NAME = "manifest.json"

COMMANDS: Mapping[str, tuple[str, ...]] = {
    "Icarus Verilog": (
        f"iverilog -o {PLAYER}.vvp -s {PLAYER} {PLAYER_NAME} {DESIGN_NAME}",
        f"vvp -n {PLAYER}.vvp",
    ),
    "Verilator": (
        f"verilator --binary -CFLAGS -fcoroutines -Wno-fatal --top-module {PLAYER} "
        f"{PLAYER_NAME} {DESIGN_NAME}",
        f"./obj_dir/V{PLAYER}",
    ),
}
"""What plays the vectors, run in the folder."""


@dataclass(frozen=True)
class VectorSet:
    """What was made.

    Attributes
    ----------
    files
        Contents by name.
    result
        The model's run; ``report`` says why it cannot be used, if it cannot.
    """

    files: Mapping[str, str | bytes]
    result: LockstepResult


def make_vectors(
    config: SwitchConfig, design: Design, kind: str, parameters: Mapping[str, Any], *,
    progress: Callable[[int, float], None] | None = None,
) -> VectorSet:
    """Runs a job of `gavel_tb.jobs` on the golden model, with all of its checks, and writes down
    what went in and what must come out; at the end all registers are read.

    Raises
    ------
    ValueError
        For parameters that the job refuses.
    """
    session = with_read_out(config, open_session(config, kind, parameters))
    producer = PlainProducer(config, session)
    result = LockstepResult()
    pieces = []
    for piece in encode(config, producer.chunks()):
        pieces.append(piece)
        if progress is not None:
            progress(producer.cycles, producer.progress)
    result.cycles = producer.cycles
    result.counters = producer.counters()
    seed = parameters.get("seed")
    if producer.check is not None:
        result.check = result.report = check_text(producer.check, result.cycles - 1, seed, None)
    elif producer.timed_out:
        result.timed_out = True
        result.report = timeout_text(result.cycles)
    else:
        finish_session(session, result, seed=seed, repeat=None)
    files: dict[str, str | bytes] = {
        DESIGN_NAME: design.verilog,
        PLAYER_NAME: player_verilog(config),
        VECTORS_NAME: b"".join(pieces),
    }
    manifest = {
        "format": FORMAT,
        "cycles": result.cycles,
        # Without the end mark.
        "records": len(pieces) - 1,
        "reset_cycles": RESET_CYCLES,
        "job": {"kind": kind, **parameters},
        "config": asdict(config),
        "commands": {tool: list(lines) for tool, lines in COMMANDS.items()},
        "files": {name: _described(content) for name, content in files.items()},
    }
    files[README_NAME] = _readme(config, result.cycles)
    files[MANIFEST_NAME] = json.dumps(manifest, indent=2) + "\n"
    return VectorSet(files, result)


def _described(content: str | bytes) -> dict[str, object]:
    data = content.encode() if isinstance(content, str) else content
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _readme(config: SwitchConfig, cycles: int) -> str:
    ways = "\n".join(f"{tool}:\n\n```sh\n" + "\n".join(lines) + "\n```\n"
                     for tool, lines in COMMANDS.items())
    return f"""\
# Vectors for a Gavel switch of {config.ports} ports of {config.data_width} bits

`{PLAYER_NAME}` drives every input pin of `{DESIGN}` for {cycles:,} cycles and compares every
output pin in every cycle with what the golden model says. It ends with `PASS` and the number of
cycles, or with `FAIL`, the first cycle and all pins that differ in it, and a fatal error: the exit
code of the simulator is then not 0. An unknown bit (x) of an output is a difference.

{ways}
Another netlist of the same switch takes the place of `{DESIGN_NAME}`: after synthesis add the
library's cells to the command. `+vectors=FILE` reads another file than `{VECTORS_NAME}`.

| file | what |
|---|---|
| `{DESIGN_NAME}` | the switch |
| `{PLAYER_NAME}` | the player, Verilog-2001 |
| `{VECTORS_NAME}` | stimulus and expected pins; the format is in docs/compare.md of Gavel |
| `{MANIFEST_NAME}` | configuration, traffic and its seed, sizes and SHA-256 of the files |
"""
