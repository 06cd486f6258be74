# SPDX-License-Identifier: Apache-2.0
"""Where the builds of a unit stand on the machine on which it runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_places: dict[str, Path] = {}


def announce(places: Mapping[str, str]) -> None:
    """Makes builds known in this process: folder by name of the cache entry."""
    _places.update((name, Path(place)) for name, place in places.items())


def build_folder(name: str) -> Path:
    """The folder of a cache entry that the running unit names in `Unit.builds`.

    Raises
    ------
    ValueError
        If it names no such entry.
    """
    try:
        return _places[name]
    except KeyError:
        raise ValueError(f"the unit does not name the build {name}") from None
