# SPDX-License-Identifier: Apache-2.0
"""How the host side hands a job to the simulation process."""

from __future__ import annotations

JOB_VARIABLE = "GAVEL_JOB"
"""Environment variable that names the job file (JSON)."""
