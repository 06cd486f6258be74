# SPDX-License-Identifier: Apache-2.0
"""What is made from the address maps and kept in the source tree."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gavel_tb.rdl.compiled import MapText
from gavel_tb.rdl.reference import reference_text
from gavel_tb.rdl.table import table_files


def generated_files(maps: Sequence[MapText], docs: Path) -> dict[Path, str]:
    """Where each file stands, and its text.

    Parameters
    ----------
    maps
        That of the switch first.
    docs
        Folder of the documents.
    """
    found = {path: text for registers in maps for path, text in table_files(registers).items()}
    return {**found, docs / "registers.md": reference_text(maps)}
