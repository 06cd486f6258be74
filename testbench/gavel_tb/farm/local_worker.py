# SPDX-License-Identifier: Apache-2.0
"""The program of a worker of the local pool: units in by a pipe, outcomes out by it."""

from __future__ import annotations

import json
import os
import sys
from multiprocessing.connection import Connection

from gavel_tb.farm.builds import announce
from gavel_tb.farm.work import perform


def main(descriptor: int) -> None:
    """Serves the pipe ``descriptor`` until its other end is closed."""
    # Programs that a unit starts must not keep the pipe open when this process dies.
    os.set_inheritable(descriptor, False)
    pipe = Connection(descriptor)
    try:
        sys.path[:] = json.loads(pipe.recv_bytes())
        while True:
            task = json.loads(pipe.recv_bytes())
            announce(task["builds"])
            answer = perform(task["function"], task["parameters"])
            pipe.send_bytes(json.dumps(answer).encode())
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


if __name__ == "__main__":
    main(int(sys.argv[1]))
