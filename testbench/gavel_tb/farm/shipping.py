# SPDX-License-Identifier: Apache-2.0
"""Builds on their way to another machine: packed once, checked and unpacked once a host.

A parcel holds what a run needs of a cache entry and not what a compiler needs. It is unpacked
under a file lock beside its final name, so that any number of workers of a host may do it at once.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from gavel_tb.farm.errors import ClusterError

LEFT_OUT = frozenset((".a", ".cpp", ".d", ".dat", ".gch", ".h", ".log", ".mk", ".o", ".sv",
                      ".vlt"))
"""Suffixes of what only a compiler reads."""


@dataclass(frozen=True)
class Parcel:
    """A packed cache entry.

    Attributes
    ----------
    name
        Of the entry: kind and content hash.
    data
        Tar file, compressed by gzip.
    sha256
        Of ``data``, in hexadecimal.
    """

    name: str
    data: bytes
    sha256: str


def pack(folder: Path) -> Parcel:
    """Packs a cache entry; equal contents give equal parcels.

    Raises
    ------
    FileNotFoundError
        If the entry is not complete.
    """
    if not (folder / "complete").is_file():
        raise FileNotFoundError(2, "no complete build", str(folder))
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as tar:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix not in LEFT_OUT:
                tar.add(path, str(path.relative_to(folder)), recursive=False, filter=_anonymous)
    data = buffer.getvalue()
    return Parcel(folder.name, data, hashlib.sha256(data).hexdigest())


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    return member


def unpack(parcel: Parcel, root: Path) -> Path:
    """Unpacks a parcel below ``root`` unless it stands there; gives its folder.

    Raises
    ------
    ClusterError
        If the parcel was damaged on its way.
    """
    if hashlib.sha256(parcel.data).hexdigest() != parcel.sha256:
        raise ClusterError(f"the build {parcel.name} came damaged")
    root.mkdir(parents=True, exist_ok=True)
    # Two builds of one name differ where tools do not write the same twice.
    folder = root / f"{parcel.name}-{parcel.sha256[:12]}"
    with FileLock(f"{folder}.lock"):
        if not folder.is_dir():
            beside = folder.with_name(f"{folder.name}.new")
            shutil.rmtree(beside, ignore_errors=True)
            with tarfile.open(fileobj=io.BytesIO(parcel.data), mode="r:gz") as tar:
                tar.extractall(beside, filter="data")
            beside.rename(folder)
    return folder
