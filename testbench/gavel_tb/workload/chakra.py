# SPDX-License-Identifier: Apache-2.0
"""Execution traces in the MLCommons Chakra format: one file ``NAME.RANK.et`` per rank.

A file is a sequence of protobuf messages, each after its length as a varint: the global
metadata first, then the nodes of the rank's graph.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

from gavel_tb.files import write_together
from gavel_tb.workload.attributes import Attribute, read_attribute, write_attribute
from gavel_tb.workload.errors import TraceError
from gavel_tb.workload.wire import (
    BYTES,
    VARINT,
    Buffer,
    WireField,
    put_bytes,
    put_tag,
    put_varint,
)

FORMAT_VERSION = "0.0.4"
"""Version string written into the metadata."""


class NodeType(IntEnum):
    """Kinds of node, by their number in the format."""

    METADATA = 1
    MEM_LOAD = 2
    MEM_STORE = 3
    COMP = 4
    COMM_SEND = 5
    COMM_RECV = 6
    COMM_COLL = 7
    STORAGE = 8
    BATCH = 9
    CHECKPOINT = 10


@dataclass
class Node:
    """One operation of a rank. ``start_us`` and ``duration_us`` are whole microseconds."""

    id: int
    name: str
    type: NodeType
    ctrl_deps: tuple[int, ...] = ()
    data_deps: tuple[int, ...] = ()
    start_us: int = 0
    duration_us: int = 0
    attributes: dict[str, Attribute] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Id and name, in one line whatever the name holds."""
        name = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in self.name)
        return f"node {self.id} ({name})"

    def number(self, name: str) -> int | None:
        """Value of a whole-number attribute, whatever its width; None if it is absent."""
        item = self.attributes.get(name)
        if item is None or not isinstance(item.value, int):
            return None
        return int(item.value)


@dataclass
class RankTrace:
    """The file of one rank: metadata by name, and the nodes in file order."""

    rank: int
    nodes: list[Node]
    version: str = ""
    metadata: dict[str, Attribute] = field(default_factory=dict)
    source: str = ""


@dataclass
class Trace:
    """A whole workload: ``ranks[r]`` is the file of rank r."""

    name: str
    ranks: list[RankTrace]


def parse_rank(data: bytes, rank: int, source: str) -> RankTrace:
    """Reads one file's bytes.

    Raises
    ------
    TraceError
        File, byte offset and what is wrong: truncated or malformed protobuf, unknown node
        type, two nodes of one id, or a dependency on a node that does not exist.
    """
    buffer = Buffer(data, source)
    result = RankTrace(rank, [], source=source)
    places: dict[int, int] = {}
    place = 0
    first = True
    while place < len(data):
        size, start = buffer.varint(place, len(data))
        end = start + size
        if end > len(data):
            raise buffer.error(
                place, f"truncated: a message of {size} bytes, but {len(data) - start} are left"
            )
        if first:
            _read_metadata(buffer, start, end, result)
            first = False
        else:
            node = _read_node(buffer, start, end)
            if node.id in places:
                raise buffer.error(place, f"a second node with id {node.id}")
            places[node.id] = place
            result.nodes.append(node)
        place = end
    if first:
        raise buffer.error(0, "empty: a trace begins with its metadata")
    for node in result.nodes:
        for dep in (*node.ctrl_deps, *node.data_deps):
            if dep not in places:
                raise buffer.error(
                    places[node.id], f"{node.label} depends on node {dep}, which is not in the file"
                )
    return result


def _read_metadata(buffer: Buffer, start: int, end: int, into: RankTrace) -> None:
    for item in buffer.fields(start, end):
        if item.number == 1:
            into.version = buffer.text(item)
        elif item.number == 2:
            buffer.expect(item, BYTES)
            found = read_attribute(buffer, item.value, item.end)
            into.metadata[found.name] = found


def _read_node(buffer: Buffer, start: int, end: int) -> Node:
    numbers = {1: 0, 3: 0, 6: 0, 7: 0}
    deps: dict[int, list[int]] = {4: [], 5: []}
    name = ""
    attributes: dict[str, Attribute] = {}
    for item in buffer.fields(start, end):
        if item.number in numbers:
            buffer.expect(item, VARINT)
            numbers[item.number] = item.value
        elif item.number in deps:
            deps[item.number] += buffer.numbers(item, VARINT)
        elif item.number == 2:
            name = buffer.text(item)
        elif item.number == 10:
            found = _node_attribute(buffer, item)
            attributes[found.name] = found
    try:
        kind = NodeType(numbers[3])
    except ValueError:
        raise buffer.error(
            start,
            f"node {numbers[1]} ({name}) has unknown type {numbers[3]}; known are "
            f"{min(NodeType)}...{max(NodeType)}",
        ) from None
    return Node(numbers[1], name, kind, tuple(deps[4]), tuple(deps[5]), numbers[6], numbers[7],
                attributes)


def _node_attribute(buffer: Buffer, item: WireField) -> Attribute:
    buffer.expect(item, BYTES)
    return read_attribute(buffer, item.value, item.end)


def write_rank(trace: RankTrace) -> bytes:
    """The bytes of one rank's file."""
    metadata = put_bytes(1, trace.version.encode()) if trace.version else b""
    metadata += b"".join(put_bytes(2, write_attribute(item)) for item in trace.metadata.values())
    messages = [metadata, *(_write_node(node) for node in trace.nodes)]
    return b"".join(put_varint(len(message)) + message for message in messages)


def _write_node(node: Node) -> bytes:
    def number(place: int, value: int) -> bytes:
        return put_tag(place, VARINT) + put_varint(value) if value else b""

    def packed(place: int, values: Iterable[int]) -> bytes:
        content = b"".join(put_varint(value) for value in values)
        return put_bytes(place, content) if content else b""

    return b"".join((
        number(1, node.id),
        put_bytes(2, node.name.encode()) if node.name else b"",
        number(3, node.type),
        packed(4, node.ctrl_deps),
        packed(5, node.data_deps),
        number(6, node.start_us),
        number(7, node.duration_us),
        *(put_bytes(10, write_attribute(item)) for item in node.attributes.values()),
    ))


_FILE = re.compile(r"(?P<name>.+)\.(?P<rank>\d+)\.et")


def load_trace(path: Path) -> Trace:
    """Reads a workload from a folder, from one of its files, or from the prefix ``DIR/NAME``.

    Raises
    ------
    TraceError
        No trace there, several in one folder, a rank missing, or a file that cannot be read.
    """
    folder, wanted = path, None
    if not path.is_dir():
        folder = path.parent
        match = _FILE.fullmatch(path.name)
        wanted = match["name"] if match and path.is_file() else path.name
    found: dict[str, dict[int, Path]] = {}
    for item in sorted(folder.glob("*.et")) if folder.is_dir() else ():
        match = _FILE.fullmatch(item.name)
        if match and wanted in (None, match["name"]):
            found.setdefault(match["name"], {})[int(match["rank"])] = item
    if not found:
        raise TraceError(str(path), "no Chakra trace here; expected files NAME.RANK.et")
    if len(found) > 1:
        raise TraceError(str(path), "several traces here: " + ", ".join(found) + "; name one")
    name, files = found.popitem()
    for rank in range(max(files) + 1):
        if rank not in files:
            raise TraceError(str(folder / f"{name}.{rank}.et"), f"missing: rank {rank} of {name}")
    return Trace(name, [_load_file(files[rank], rank) for rank in range(len(files))])


def _load_file(path: Path, rank: int) -> RankTrace:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TraceError(str(path), f"cannot be read: {error.strerror}") from None
    return parse_rank(data, rank, str(path))


def save_trace(trace: Trace, folder: Path) -> list[Path]:
    """Writes ``NAME.RANK.et`` for every rank into ``folder``, all or none; returns the paths.

    Raises
    ------
    TraceError
        If the folder holds ranks of a larger trace of that name, which would join this one.
    OSError
        With the path that cannot be written.
    """
    stale = folder / f"{trace.name}.{len(trace.ranks)}.et"
    if stale.exists():
        raise TraceError(str(stale), "is of a larger trace of that name; remove it or rename")
    return write_together(
        folder, {f"{trace.name}.{rank.rank}.et": write_rank(rank) for rank in trace.ranks}
    )
