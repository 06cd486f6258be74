# SPDX-License-Identifier: Apache-2.0
"""What is made from the register map and kept in the source tree."""

from __future__ import annotations

from pathlib import Path

from gavel_tb.rdl.compiled import MapText
from gavel_tb.rdl.reference import reference_text
from gavel_tb.rdl.table import table_files


def generated_files(registers: MapText, docs: Path) -> dict[Path, str]:
    """Where each file stands, and its text; ``docs`` is the folder of the documents."""
    return {**table_files(registers), docs / "registers.md": reference_text(registers)}
