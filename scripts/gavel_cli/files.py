# SPDX-License-Identifier: Apache-2.0
"""Writes a set of files all or nothing."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path


def write_together(folder: Path, contents: Mapping[str, str]) -> list[Path]:
    """Writes every file of ``contents`` (name to text) into ``folder``, which is made if need be.

    All of them are written beside their final names first and renamed when the last one is
    complete, so that a full disk or a stopped run leaves no half file and no half set.

    Raises
    ------
    OSError
        If the folder cannot be made or written; nothing of the set remains then.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pending: list[tuple[Path, Path]] = []
    try:
        for name, text in contents.items():
            handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{name}.")
            pending.append((Path(temporary), folder / name))
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
        mask = os.umask(0)
        os.umask(mask)
        for temporary_path, final in pending:
            temporary_path.chmod(0o666 & ~mask)
            temporary_path.replace(final)
    except BaseException:
        for temporary_path, _ in pending:
            temporary_path.unlink(missing_ok=True)
        raise
    return [final for _, final in pending]
