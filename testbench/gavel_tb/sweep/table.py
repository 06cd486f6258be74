# SPDX-License-Identifier: Apache-2.0
"""Rows as a table: CSV, or Parquet if `pyarrow` is installed."""

from __future__ import annotations

import csv
import importlib
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gavel_tb.sweep.points import Row

SUFFIXES = (".csv", ".parquet")


def check_table(path: Path) -> None:
    """Refuses what `table_bytes` cannot make, before the work is done.

    Raises
    ------
    ValueError
        Says what is wrong and how to do it.
    """
    if path.suffix not in SUFFIXES:
        raise ValueError(f"{path}: must end in " + " or ".join(SUFFIXES))
    if path.suffix == ".parquet":
        _arrow("pyarrow")


def flat(row: Row) -> dict[str, Any]:
    """A row in one level: parameters, figures, and ``theory_`` before the names of its values."""
    return {**row["parameters"], **row["figures"],
            **{f"theory_{name}": value for name, value in row["theory"].items()}}


def table_bytes(rows: Sequence[Row], suffix: str) -> bytes:
    """All rows with all columns that any of them has; what a row has not is empty.

    In CSV lists are JSON text, and ``true`` and ``false`` stand for truth values.

    Raises
    ------
    ValueError
        If `pyarrow` is missing.
    """
    items = [flat(row) for row in rows]
    columns = list(dict.fromkeys(name for item in items for name in item))
    return _csv(items, columns) if suffix == ".csv" else _parquet(items, columns)


def _csv(items: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for item in items:
        writer.writerow([_shown(item.get(name)) for name in columns])
    return text.getvalue().encode()


def _shown(value: Any) -> Any:
    if value is None:
        return ""
    return json.dumps(value) if isinstance(value, bool | list | dict) else value


def _parquet(items: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> bytes:
    arrow, parquet = _arrow("pyarrow"), _arrow("pyarrow.parquet")
    values: dict[str, list[Any]] = {name: [] for name in columns}
    for item in items:
        for name in columns:
            value = item.get(name)
            values[name].append(json.dumps(value) if isinstance(value, dict) else value)
    for name, column in values.items():
        if len({type(value) for value in column} & {str, int}) == 2:
            # Sizes are numbers or words.
            values[name] = [None if value is None else str(value) for value in column]
    sink = io.BytesIO()
    parquet.write_table(arrow.table(values), sink)
    return sink.getvalue()


def _arrow(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError:
        raise ValueError("pyarrow is not installed: pip install 'gavel[parquet]', or write a .csv "
                         "file") from None
