# SPDX-License-Identifier: Apache-2.0
"""Simulation processes that stay: each job runs in a copy of one that waits at time 0.

Starting a simulator with Python in it takes longer than many a short job. A server has started
once, and forks for each job. So every job begins in the state that a process of its own would
begin in, and one that fails or kills its simulator leaves nothing to the next.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import tempfile
import threading
from pathlib import Path

from gavel_tb.errors import SimulationError
from gavel_tb.job_file import REPLIES, REQUESTS, SERVER_VARIABLE
from gavel_tb.runner import Binary, run, tail

MOST_SERVERS = 4
"""Kept by `Servers`: a process takes some 100 MB."""

_POLL_SECONDS = 0.5


class Server:
    """One built simulation, started.

    Parameters
    ----------
    binary
        Built without waves: their file would be open before a job begins.
    """

    def __init__(self, binary: Binary) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="gavel-server-"))
        self._error: Exception | None = None
        self._pid: int | None = None
        self._unread = b""
        pipes = []
        for name in (REQUESTS, REPLIES):
            os.mkfifo(self._folder / name)
            # Both ways: opening does not wait for the other side then.
            pipes.append(os.open(self._folder / name, os.O_RDWR))
        self._requests, self._replies = pipes
        self._thread = threading.Thread(target=self._serve, args=(binary,), daemon=True)
        self._thread.start()

    def run(self, job: Path) -> None:
        """Runs the job of a file, in its folder; output goes to ``sim.log`` there.

        Raises
        ------
        SimulationError
            If the server did not start, or the simulator did not end by itself.
        """
        try:
            if self._pid is None:
                self._pid = int(self._reply())
            os.write(self._requests, f"{job}\n".encode())
            code = int(self._reply())
        except BaseException:
            self.kill()
            raise
        if code:
            log = job.parent / "sim.log"
            raise SimulationError(f"simulation ended with code {code}{tail(log)}")

    def kill(self) -> None:
        """Ends the server and the job that it runs."""
        if self._pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._pid, signal.SIGKILL)
        self.close()

    def close(self) -> None:
        """Ends the server when it has finished its job."""
        if self._requests >= 0:
            # The server sees the end of its requests.
            os.close(self._requests)
            self._thread.join()
            os.close(self._replies)
            self._requests = -1
            shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def alive(self) -> bool:
        """It can take a job."""
        return self._requests >= 0 and self._thread.is_alive()

    def _serve(self, binary: Binary) -> None:
        try:
            run(binary, "gavel_tb.cocotb_server", self._folder,
                environment={SERVER_VARIABLE: str(self._folder)})
        except Exception as error:
            self._error = error

    def _reply(self) -> bytes:
        while b"\n" not in self._unread:
            ready, _, _ = select.select([self._replies], [], [], _POLL_SECONDS)
            if ready:
                self._unread += os.read(self._replies, 4096)
            elif not self._thread.is_alive():
                raise SimulationError(f"the simulation process ended: {self._error}")
        line, _, self._unread = self._unread.partition(b"\n")
        return line


class Servers:
    """Servers by what they run, the last `MOST_SERVERS` that were asked for."""

    def __init__(self) -> None:
        self._servers: dict[Path, Server] = {}

    def run(self, binary: Binary, job: Path) -> None:
        """`Server.run` on the server of a binary.

        Raises
        ------
        SimulationError
            As `Server.run` does.
        """
        server = self._servers.pop(binary.folder, None)
        if server is None or not server.alive:
            while len(self._servers) >= MOST_SERVERS:
                self._servers.pop(next(iter(self._servers))).close()
            server = Server(binary)
        self._servers[binary.folder] = server
        server.run(job)

    def close(self) -> None:
        """Ends all."""
        while self._servers:
            self._servers.popitem()[1].close()
