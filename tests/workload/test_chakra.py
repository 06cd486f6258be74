# SPDX-License-Identifier: Apache-2.0
"""Reader and writer of the Chakra format: round trips, both encodings, and refusals."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gavel_tb.workload.attributes import (
    KINDS,
    Attribute,
    attribute,
    read_attribute,
    write_attribute,
)
from gavel_tb.workload.chakra import (
    Node,
    NodeType,
    RankTrace,
    Trace,
    load_trace,
    parse_rank,
    save_trace,
    write_rank,
)
from gavel_tb.workload.errors import TraceError
from gavel_tb.workload.wire import FIXED64, Buffer, put_bytes, put_tag, put_varint

_numbers = {
    "double": st.floats(allow_nan=False), "float": st.floats(allow_nan=False, width=32),
    "bool": st.booleans(), "string": st.text(max_size=20), "bytes": st.binary(max_size=20),
    **{kind: st.integers(-(1 << 31), (1 << 31) - 1) for kind in ("int32", "sint32", "sfixed32")},
    **{kind: st.integers(-(1 << 63), (1 << 63) - 1) for kind in ("int64", "sint64", "sfixed64")},
    **{kind: st.integers(0, (1 << 32) - 1) for kind in ("uint32", "fixed32")},
    **{kind: st.integers(0, (1 << 64) - 1) for kind in ("uint64", "fixed64")},
}


@st.composite
def attributes(draw: st.DrawFn) -> Attribute:
    kind = draw(st.sampled_from(KINDS))
    name, doc = draw(st.text(max_size=12)), draw(st.text(max_size=12))
    if draw(st.booleans()):
        values = tuple(draw(st.lists(_numbers[kind], max_size=5)))
        return Attribute(name, values, kind + "[]", doc)
    return Attribute(name, draw(_numbers[kind]), kind, doc)


@st.composite
def rank_traces(draw: st.DrawFn) -> RankTrace:
    ids = draw(st.lists(st.integers(0, (1 << 64) - 1), unique=True, max_size=6))
    deps = st.lists(st.sampled_from(ids), max_size=4) if ids else st.just([])
    nodes = [
        Node(
            number, draw(st.text(max_size=12)), draw(st.sampled_from(NodeType)),
            tuple(draw(deps)), tuple(draw(deps)), draw(st.integers(0, 1 << 40)),
            draw(st.integers(0, 1 << 40)),
            {a.name: a for a in draw(st.lists(attributes(), max_size=3))},
        )
        for number in ids
    ]
    metadata = {a.name: a for a in draw(st.lists(attributes(), max_size=2))}
    return RankTrace(0, nodes, draw(st.text(max_size=8)), metadata, "x")


@given(attributes())
def test_attribute_round_trip(item: Attribute) -> None:
    data = write_attribute(item)
    assert read_attribute(Buffer(data, "x"), 0, len(data)) == item


@given(rank_traces())
def test_trace_round_trip(trace: RankTrace) -> None:
    assert parse_rank(write_rank(trace), 0, "x") == trace


def test_a_name_with_a_line_break_keeps_the_error_in_one_line() -> None:
    trace = RankTrace(0, [Node(1, "a\nb", NodeType.COMP, data_deps=(2,))])
    with pytest.raises(TraceError, match=r"node 1 \(a\\nb\) depends on node 2"):
        parse_rank(write_rank(trace), 0, "x")


@given(rank_traces(), st.data())
def test_every_cut_is_refused_or_between_messages(
    trace: RankTrace, data: st.DataObject
) -> None:
    whole = write_rank(trace)
    cut = data.draw(st.integers(0, len(whole) - 1))
    try:
        shorter = parse_rank(whole[:cut], 0, "x")
    except TraceError as error:
        assert "x" in str(error) and "\n" not in str(error)
    else:
        assert len(shorter.nodes) < len(trace.nodes)


@given(st.binary(max_size=60))
def test_noise_never_breaks_the_reader(noise: bytes) -> None:
    try:
        parse_rank(noise, 0, "noise.0.et")
    except TraceError as error:
        assert str(error).startswith("noise.0.et")


def _message(content: bytes) -> bytes:
    return put_varint(len(content)) + content


def test_unpacked_dependencies_and_unknown_fields_are_read() -> None:
    node_0 = put_tag(3, 0) + put_varint(4)
    node_1 = (
        put_tag(1, 0) + put_varint(1)
        + put_tag(99, FIXED64) + bytes(8) + put_bytes(98, b"later") + put_tag(97, 5) + bytes(4)
        + put_tag(3, 0) + put_varint(4)
        + put_tag(5, 0) + put_varint(0) + put_bytes(5, put_varint(0))
    )
    trace = parse_rank(_message(b"") + _message(node_0) + _message(node_1), 0, "x")
    assert [node.id for node in trace.nodes] == [0, 1]
    assert trace.nodes[1].data_deps == (0, 0)


@pytest.mark.parametrize(
    ("data", "offset", "what"),
    [
        (b"", 0, "empty"),
        (b"\x05ab", 0, "truncated: a message of 5 bytes, but 2 are left"),
        (b"\x80", 0, "truncated: a varint"),
        (b"\xff" * 11, 0, "malformed: a varint"),
        (b"\x00\x02\x18\x0b", 2, "unknown type 11"),
        (b"\x00\x00", 2, "unknown type 0"),
        (b"\x00\x04\x18\x04\x20\x07", 1, "depends on node 7"),
        (b"\x00\x02\x18\x04\x02\x18\x04", 4, "second node with id 0"),
        (b"\x00\x02\x0b\x00", 2, "wire type 3"),
        (b"\x00\x02\x1a\x00", 2, "field 3 is length-delimited, not varint"),
        (b"\x00\x03\x12\x05a", 2, "truncated: field 2"),
        (b"\x00\x04\x12\x02\xff\xfe", 2, "not UTF-8"),
        (b"\x00\x01\x00", 2, "field number 0"),
    ],
)
def test_what_is_wrong_is_named_with_its_offset(data: bytes, offset: int, what: str) -> None:
    with pytest.raises(TraceError) as caught:
        parse_rank(data, 0, "a.0.et")
    assert str(caught.value).startswith(f"a.0.et, byte {offset}: ")
    assert what in str(caught.value)


def test_numbers_are_read_by_name_not_by_width() -> None:
    for kind in ("int32", "int64", "uint32", "uint64", "sint64", "fixed32"):
        node = Node(0, "n", NodeType.COMM_SEND,
                    attributes={"comm_size": Attribute("comm_size", 77, kind)})
        back = parse_rank(write_rank(RankTrace(0, [node])), 0, "x").nodes[0]
        assert back.number("comm_size") == 77
        assert back.number("comm_tag") is None


def test_load_finds_folder_file_and_prefix(tmp_path: Path) -> None:
    ranks = [RankTrace(r, [Node(1, "n", NodeType.METADATA)], "0.0.4") for r in range(3)]
    save_trace(Trace("job", ranks), tmp_path)
    for path in (tmp_path, tmp_path / "job", tmp_path / "job.1.et"):
        trace = load_trace(path)
        assert (trace.name, len(trace.ranks)) == ("job", 3)
    save_trace(Trace("other", ranks), tmp_path)
    assert load_trace(tmp_path / "other").name == "other"
    with pytest.raises(TraceError, match=r"several traces here: job, other; name one"):
        load_trace(tmp_path)
    (tmp_path / "job.1.et").unlink()
    with pytest.raises(TraceError, match=r"missing: rank 1 of job"):
        load_trace(tmp_path / "job")
    with pytest.raises(TraceError, match=r"no Chakra trace here"):
        load_trace(tmp_path / "nothing")


def test_real_traces_are_read_and_written_back_equal(real_traces: Path) -> None:
    counts = {}
    for folder in sorted(path for path in real_traces.iterdir() if path.is_dir()):
        trace = load_trace(folder)
        counts[trace.name] = (len(trace.ranks), len(trace.ranks[0].nodes))
        for rank in trace.ranks:
            again = parse_rank(write_rank(rank), rank.rank, rank.source)
            assert again == rank
    assert counts == {"all_reduce": (8, 1), "all_to_all": (8, 1), "custom_allreduce": (8, 35)}


def test_natural_kinds() -> None:
    kinds = [attribute("a", value).kind for value in (True, 1, 1 << 63, 1.5, "s", b"b", (1, 2))]
    assert kinds == ["bool", "int64", "uint64", "double", "string", "bytes", "int64[]"]
