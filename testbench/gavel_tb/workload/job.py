# SPDX-License-Identifier: Apache-2.0
"""A workload as a job: plain data in, a player out, so that it can cross a process boundary."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gavel_model.config import SwitchConfig
from gavel_tb.link_errors import LinkOptions
from gavel_tb.workload.chakra import load_trace
from gavel_tb.workload.errors import WorkloadError
from gavel_tb.workload.on_link import DEFAULT_DELAY, LinkedPlayer, link_window
from gavel_tb.workload.player import Player
from gavel_tb.workload.program import Options, compile_trace


@dataclass(frozen=True, kw_only=True)
class WorkloadJob:
    """Everything that decides a run, besides the switch: the trace's path and the options of
    `Options` and `Player`, by the same names.

    Attributes
    ----------
    ber
        Bit error rate of every link, both ways, which link-level retry then repairs; None: no
        links, ranks are at the pins.
    delay
        Cycles of each link, each way; only with ``ber``.
    """

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
    ber: float | None = None
    delay: int = DEFAULT_DELAY

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
        self.link_options()
        return Player(
            config,
            program,
            mtu=self.mtu,
            window=self.window if self.ber is None else link_window(config, self.window),
            overhead=self.overhead,
            allow_fewer=self.allow_fewer,
            seed=self.seed,
        )

    def link_options(self) -> LinkOptions:
        """Of each direction of each link.

        Raises
        ------
        WorkloadError
            For a value out of range.
        """
        try:
            return LinkOptions(bit_errors=self.ber or 0.0, delay=self.delay)
        except ValueError as error:
            raise WorkloadError(str(error).replace("bit_errors", "ber", 1)) from None

    def stimulus(self, player: Player) -> Player | LinkedPlayer:
        """The player, over links if there are any."""
        if self.ber is None:
            return player
        return LinkedPlayer(player, self.link_options(), self.seed)
