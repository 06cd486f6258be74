# SPDX-License-Identifier: Apache-2.0
"""A workload as a job: plain data in, a player out, so that it can cross a process boundary."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gavel_model.config import SwitchConfig
from gavel_tb.workload.chakra import load_trace
from gavel_tb.workload.player import Player
from gavel_tb.workload.program import Options, compile_trace


@dataclass(frozen=True, kw_only=True)
class WorkloadJob:
    """Everything that decides a run, besides the switch: the trace's path and the options of
    `Options` and `Player`, by the same names."""

    trace: str
    algorithm: str = "ring"
    scale: float = 1.0
    clock_mhz: float = 1000.0
    reduce_us: float = 0.0
    mtu: int | None = None
    window: int | None = None
    overhead: int = 0
    allow_fewer: bool = False
    seed: int = 1

    def parameters(self) -> dict[str, Any]:
        """The job as plain data."""
        return asdict(self)

    def player(self, config: SwitchConfig) -> Player:
        """Reads the trace and makes its player.

        Raises
        ------
        WorkloadError
            For a trace or an option that cannot be played on this switch.
        """
        options = Options(
            algorithm=self.algorithm,
            scale=self.scale,
            clock_mhz=self.clock_mhz,
            reduce_us=self.reduce_us,
        )
        program = compile_trace(load_trace(Path(self.trace)), options)
        return Player(
            config,
            program,
            mtu=self.mtu,
            window=self.window,
            overhead=self.overhead,
            allow_fewer=self.allow_fewer,
            seed=self.seed,
        )
