# SPDX-License-Identifier: Apache-2.0
"""What results depend on besides their units: the text of the packages that make them."""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from gavel_tb.build_cache import digest

PACKAGES = ("gavel_model", "gavel_fast", "gavel_rtl", "gavel_tb")


@lru_cache(maxsize=1)
def source_digest() -> str:
    """Short hash of all Python, C++ and table files of the packages."""
    parts: list[str] = []
    for package in PACKAGES:
        spec = find_spec(package)
        if spec is None or spec.origin is None:
            continue
        root = Path(spec.origin).parent
        for path in sorted(root.rglob("*")):
            if path.suffix in (".py", ".cpp", ".h", ".toml"):
                parts += [package, str(path.relative_to(root)), path.read_text("utf-8")]
    return digest(parts)
