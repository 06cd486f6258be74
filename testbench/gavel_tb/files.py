# SPDX-License-Identifier: Apache-2.0
"""Writes a set of files all or nothing."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path


def write_together(folder: Path, contents: Mapping[str, str | bytes]) -> list[Path]:
    """Writes every file of ``contents`` (name to text) into ``folder``, which is made if need be.

    All of them are written beside their final names first and renamed when the last one is
    complete, so that a full disk or a stopped run leaves no half file and no half set.

    Raises
    ------
    OSError
        With the path, if the folder cannot be made or written; nothing of the set remains then.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pending: list[tuple[Path, Path]] = []
    final = folder
    try:
        for name, content in contents.items():
            final = folder / name
            if final.is_dir():
                raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
            handle, temporary = tempfile.mkstemp(dir=folder, prefix=".new-")
            pending.append((Path(temporary), final))
            with os.fdopen(handle, "wb") as file:
                file.write(content.encode() if isinstance(content, str) else content)
        mask = os.umask(0)
        os.umask(mask)
        for temporary_path, final in pending:
            temporary_path.chmod(0o666 & ~mask)
            temporary_path.replace(final)
    except BaseException as error:
        for temporary_path, _ in pending:
            temporary_path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            # A full disk comes without a path, other errors with that of the temporary file.
            raise OSError(error.errno, error.strerror, str(final)) from None
        raise
    return [final for _, final in pending]


def check_writable(folder: Path, name: str) -> None:
    """Refuses a file that `write_together` could not write, before the work for it is done.

    Raises
    ------
    OSError
        With the path of the folder, or of the one that it would be made in, or of the file.
    """
    final = folder / name
    if final.is_dir():
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), str(final))
    place = folder.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(place)) from None
