# SPDX-License-Identifier: Apache-2.0
"""Sets of files are written all or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from gavel_tb.files import check_writable, write_together


def test_writes_all(tmp_path):
    paths = write_together(tmp_path / "a" / "b", {"x.v": "one\n", "x.json": "{}\n"})
    assert [path.read_text("utf-8") for path in paths] == ["one\n", "{}\n"]
    assert sorted(path.name for path in (tmp_path / "a" / "b").iterdir()) == ["x.json", "x.v"]


def test_replaces_older_files(tmp_path):
    write_together(tmp_path, {"x.v": "one\n"})
    write_together(tmp_path, {"x.v": "two\n"})
    assert (tmp_path / "x.v").read_text("utf-8") == "two\n"


def test_a_failure_leaves_the_older_set(tmp_path, monkeypatch):
    write_together(tmp_path, {"x.v": "one\n", "x.json": "1\n"})

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space") as caught:
        write_together(tmp_path, {"x.v": "two\n", "x.json": "2\n"})
    assert caught.value.filename == str(tmp_path / "x.v")
    assert {path.name: path.read_text("utf-8") for path in tmp_path.iterdir()} == {
        "x.v": "one\n", "x.json": "1\n"}


def test_refuses_text_that_cannot_be_encoded_and_leaves_nothing(tmp_path):
    with pytest.raises(UnicodeEncodeError):
        write_together(tmp_path, {"x.v": "one\n", "y.v": "\ud800"})
    assert list(tmp_path.iterdir()) == []


def test_the_check_writes_nothing_and_names_what_is_in_the_way(tmp_path):
    check_writable(tmp_path / "a" / "b", "page")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError) as caught:
        check_writable(tmp_path / "file" / "x", "page")
    assert caught.value.filename == str(tmp_path / "file")
