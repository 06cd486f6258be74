# SPDX-License-Identifier: Apache-2.0
"""Vectors play in Icarus Verilog: delivered Verilog, 4-state start-up, gates, a planted fault."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gavel_fast.pin_block import get_inputs, get_pins
from gavel_model.config import SwitchConfig
from gavel_model.loader import load_config
from gavel_model.pins import Inputs, RegisterPins, RxPins, TxPins
from gavel_rtl.memory_module import MemoryShape
from gavel_rtl.verilog import COLLISION_ATTRIBUTES
from gavel_rtl.yosys import yosys_command
from gavel_tb.block_producer import Chunk, PlainProducer
from gavel_tb.build_cache import BuildCache
from gavel_tb.faults import ARGUMENT, Fault, plant
from gavel_tb.jobs import open_session
from gavel_tb.pin_record import OFFSETS
from gavel_tb.runner import tool_environment
from gavel_tb.vector_player import PLAYER, RESET_CYCLES, VECTORS_NAME
from gavel_tb.vector_set import COMMANDS, DESIGN_NAME, MANIFEST_NAME, PLAYER_NAME, make_vectors
from gavel_tb.vectors import encode

TRAFFIC: dict[str, Any] = {"cycles": 600, "registers": True, "faults": 0.2, "resets": 1}
LINKS: dict[str, Any] = {"cycles": 400, "size": "min", "bit_errors": 1e-4, "credits": True,
                         "stalls": True}

FLIPPED = Fault("flipped bit", "gavel_link_tx", "link__data", "({}) ^ 1'd1", (), ())
"""A register: the wrong values of wires are planted in SystemVerilog, by ``$bits``."""

_INITIAL_LOOP = re.compile(r"^  initial for \(.*\n", re.MULTILINE)
_INITIAL_VALUE = re.compile(
    r"^(  reg (?:signed )?(?:\[\d+:0\] )?(?!\\\$auto)\S+\s*) = [^;]+;", re.MULTILINE)
_TO_GATES = ("read_verilog gavel_switch.v", "hierarchy -top gavel_switch", "proc", "opt -fast",
             "wreduce", "opt_clean", "memory_collect", "techmap", "abc", "opt_clean",
             "write_verilog -noattr gates.v")

Play = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def folder(tmp_path: Path, sim_cache: Path, seed: int) -> Callable[..., Path]:
    """folder(kind, parameters...) -> a folder with vectors for tiny."""

    def make(kind: str = "traffic", **parameters: Any) -> Path:
        config = load_config("tiny")
        made = make_vectors(config, BuildCache(sim_cache).design(config), kind,
                            {"seed": seed, **parameters})
        assert made.result.report is None
        for name, content in made.files.items():
            data = content.encode() if isinstance(content, str) else content
            (tmp_path / name).write_bytes(data)
        return tmp_path

    return make


@pytest.fixture
def play(icarus: None) -> Play:
    """play(folder, Verilog of the switch, dialect, plus-arguments...) -> what vvp says."""

    def run(where: Path, design: str, *arguments: str,
            dialect: str = "2001") -> subprocess.CompletedProcess[str]:
        if not (where / f"{design}.vvp").exists():
            subprocess.run(["iverilog", f"-g{dialect}", "-o", f"{design}.vvp", "-s", PLAYER,
                            PLAYER_NAME, design], cwd=where, check=True)
        return subprocess.run(["vvp", "-n", f"{design}.vvp", *arguments], cwd=where,
                              capture_output=True, text=True, check=False)

    return run


def passed(done: subprocess.CompletedProcess[str]) -> bool:
    assert ("PASS: " in done.stdout) == (done.returncode == 0), done.stdout
    assert ("FAIL" in done.stdout) == (done.returncode != 0), done.stdout
    return done.returncode == 0


def without_initial_values(verilog: str) -> str:
    text, loops = _INITIAL_LOOP.subn("", verilog)
    text, values = _INITIAL_VALUE.subn(r"\1;", text)
    assert loops
    assert values
    left = [line for line in text.splitlines()
            if re.match(r"\s*(initial|reg\b.*=)", line) and "$auto" not in line]
    assert left == []
    return text


@pytest.mark.parametrize(("kind", "parameters", "dialect"), [
    ("llr", LINKS, "2012"),
    pytest.param("traffic", TRAFFIC, "2001", marks=pytest.mark.long)])
def test_icarus_passes_with_and_without_initial_values(
    folder, play: Play, kind: str, parameters: Any, dialect: str
) -> None:
    where = folder(kind, **parameters)
    done = play(where, DESIGN_NAME, dialect=dialect)
    assert passed(done), done.stdout
    cycles = json.loads((where / MANIFEST_NAME).read_text())["cycles"]
    assert f"PASS: {cycles} cycles\n" in done.stdout
    text = (where / DESIGN_NAME).read_text()
    (where / "unknown.v").write_text(without_initial_values(text))
    done = play(where, "unknown.v", dialect=dialect)
    assert passed(done), done.stdout
    # Without the reset unknown values reach the pins: the player does see them.
    player = (where / PLAYER_NAME).read_text()
    assert f"cycle < {RESET_CYCLES};" in player
    (where / PLAYER_NAME).write_text(player.replace(f"cycle < {RESET_CYCLES};", "cycle < 0;"))
    (where / "unknown.v.vvp").unlink()
    done = play(where, "unknown.v")
    assert not passed(done)
    assert re.search(r"FAIL in cycle 0: \w+ is x+, must be 0+\n", done.stdout)


def with_unknown_collisions(verilog: str, *, always: bool = False) -> str:
    """Memories that promise `NO_COLLISION` show x for a word that is being written; ``always``: and
    for the one that would be if anything were."""
    parts = []
    marked = 0
    for part in re.split(r"^(?=module )", verilog, flags=re.MULTILINE):
        if COLLISION_ATTRIBUTES in part:
            enable = "1" if always else "w_en"
            part, reads = re.subn(r"<= array\[r_addr\];", f"<= ({enable}) && w_addr == r_addr ? "
                                  "{128{1'bx}} : array[r_addr];", part)
            assert reads == 1
            marked += 1
        parts.append(part)
    names = re.findall(r"^module (\w+)\(", verilog, re.MULTILINE)
    shapes = [MemoryShape.of(name) for name in names]
    assert marked == sum(shape is not None and shape.kind == "ram" for shape in shapes) > 0
    return "".join(parts)


@pytest.mark.parametrize(("kind", "parameters"), [
    ("traffic", {"cycles": 300}), pytest.param("llr", LINKS, marks=pytest.mark.long)])
def test_no_memory_is_read_where_it_is_written(
    folder, play: Play, kind: str, parameters: Any
) -> None:
    where = folder(kind, **parameters)
    text = (where / DESIGN_NAME).read_text()
    (where / "collisions.v").write_text(with_unknown_collisions(text))
    done = play(where, "collisions.v")
    assert passed(done), done.stdout
    (where / "wrong.v").write_text(with_unknown_collisions(text, always=True))
    assert not passed(play(where, "wrong.v"))


def test_gates_pass(folder, play: Play) -> None:
    where = folder(cycles=60)
    subprocess.run(yosys_command(_TO_GATES), cwd=where, check=True, stdout=subprocess.DEVNULL)
    gates = (where / "gates.v").read_text()
    assert not re.search(r"always @\*|case", gates)
    done = play(where, "gates.v")
    assert passed(done), done.stdout


def test_a_planted_fault_and_spoiled_vectors_fail(folder, play: Play, sim_cache: Path) -> None:
    where = folder(cycles=300)
    config = load_config("tiny")
    (where / "faulty.v").write_text(
        plant(BuildCache(sim_cache).design(config), [FLIPPED]).verilog)
    assert passed(play(where, "faulty.v"))
    done = play(where, "faulty.v", f"+{ARGUMENT}=1")
    assert not passed(done)
    assert re.match(r"FAIL in cycle \d+: p\d_tx_data is [0-9a-f]{16}, must be [0-9a-f]{16}\n",
                    done.stdout)
    vectors = (where / VECTORS_NAME).read_bytes()
    for content, said in ((vectors[:-40], "end in the middle of a record"),
                          (vectors[-2:], "no cycles")):
        (where / "spoiled.bin").write_bytes(content)
        done = play(where, "faulty.v", "+vectors=spoiled.bin")
        assert not passed(done)
        assert said in done.stdout
    done = play(where, "faulty.v", "+vectors=nothing.bin")
    assert not passed(done)
    assert "nothing.bin cannot be read" in done.stdout


@pytest.mark.long
def test_the_commands_of_the_readme_work(folder, icarus: None) -> None:
    where = folder(**TRAFFIC)
    readme = (where / "README.md").read_text()
    for lines in COMMANDS.values():
        for line in lines:
            assert f"\n{line}\n" in readme
            done = subprocess.run(shlex.split(line), cwd=where, env=tool_environment(),
                                  capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
        assert "PASS: " in done.stdout


def test_the_manifest_describes_the_files(folder) -> None:
    where = folder(cycles=50)
    manifest = json.loads((where / MANIFEST_NAME).read_text())
    assert set(manifest["files"]) == {DESIGN_NAME, PLAYER_NAME, VECTORS_NAME}
    for name, told in manifest["files"].items():
        data = (where / name).read_bytes()
        assert told == {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    assert SwitchConfig(**manifest["config"]) == load_config("tiny")
    assert manifest["job"]["cycles"] == 50


def read_vectors(config: SwitchConfig, data: bytes) -> list[list[int]]:
    """Groups in each cycle, by docs/compare.md alone."""
    pins = (112 + config.data_width) // 8
    sizes = [24, 4, *[pins] * (2 * config.ports)]
    mask_size = -(-len(sizes) // 8)
    groups = [0] * len(sizes)
    rows: list[list[int]] = []
    at = 0
    while count := int.from_bytes(data[at : at + 2], "big"):
        mask = int.from_bytes(data[at + 2 : at + 2 + mask_size], "big")
        at += 2 + mask_size
        for group, size in enumerate(sizes):
            if mask >> group & 1:
                groups[group] = int.from_bytes(data[at : at + size], "big")
                at += size
        rows += [list(groups)] * count
    assert at + 2 == len(data)
    return rows


def packed(pins: RxPins | TxPins) -> int:
    return sum(value << OFFSETS[name] for name, value in pins._asdict().items())


def control(inputs: Inputs, everyone: int) -> int:
    register: RegisterPins = inputs.register
    access = register.addr | register.wdata << 16 | register.we << 48 | register.re << 49
    return (inputs.ready | (inputs.ctl_ready & everyone) << 64 | access << 128
            | inputs.reset << 178)


def test_vectors_hold_every_pin_of_every_cycle(switch, seed: int) -> None:
    config = switch("odd5")
    parameters = {"seed": seed, "cycles": 2100, "registers": True, "backpressure": "random",
                  "resets": 1, "load": 0.4}
    session = open_session(config, "traffic", parameters)
    chunks: list[Chunk] = list(PlainProducer(config, session).chunks())
    assert len(chunks) > 1
    pieces = list(encode(config, chunks))
    rows = read_vectors(config, b"".join(pieces))
    assert len(rows) == sum(chunk.cycles for chunk in chunks)
    assert len(pieces) < len(rows)
    everyone = (1 << config.ports) - 1
    for chunk in chunks:
        for row in range(chunk.cycles):
            groups = rows[chunk.first + row]
            inputs = get_inputs(chunk.inputs, row)
            assert groups[0] == control(inputs, everyone)
            assert groups[1] == chunk.outputs.rdata[row]
            assert groups[2 : 2 + config.ports] == [packed(pins) for pins in inputs.rx]
            assert groups[2 + config.ports :] == [
                packed(TxPins(**get_pins(chunk.outputs.tx, row, port)))
                for port in range(config.ports)]
