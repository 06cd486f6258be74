# SPDX-License-Identifier: Apache-2.0
"""How the host side hands a job to the simulation process."""

from __future__ import annotations

JOB_VARIABLE = "GAVEL_JOB"
"""Environment variable that names the job file (JSON)."""

SERVER_VARIABLE = "GAVEL_SERVER"
"""Environment variable that names the folder of a server, with its two named pipes."""

REQUESTS, REPLIES = "requests", "replies"
"""A line for each job: the path of its file. Replies: the server's process, then a line for each
job: the exit code of its simulator, negative for a signal."""
