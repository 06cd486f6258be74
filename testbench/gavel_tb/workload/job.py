# SPDX-License-Identifier: Apache-2.0
"""A workload as a job: plain data in, a player out, so that it can cross a process boundary."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gavel_model.config import SwitchConfig
from gavel_tb.flow_options import FlowOptions
from gavel_tb.link_errors import LinkOptions
from gavel_tb.stalls import StallAccount
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
        Cycles of each link, each way; only with ``ber`` or ``credits``.
    credits, total_credits
        Links have credits, as in `FlowOptions`; without ``ber`` they have no errors.
    stalls
        Count why each VC of each output does not send, in every cycle.
    slow, slow_rate
        Ranks that read so many words in a cycle, with commas between them, or ``all``; only with
        credits.
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
    credits: bool = False
    total_credits: bool = False
    slow: str = ""
    slow_rate: float = 0.1
    stalls: bool = False

    @property
    def linked(self) -> bool:
        """Whether links stand between ranks and ports."""
        return self.ber is not None or self.credits

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
        limited = self.ber is not None and not self.credits
        player = Player(
            config,
            program,
            mtu=self.mtu,
            window=link_window(config, self.window) if limited else self.window,
            overhead=self.overhead,
            allow_fewer=self.allow_fewer,
            seed=self.seed,
        )
        self.flow_options()
        return player

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

    def flow_options(self) -> FlowOptions | None:
        """Credits of every link, and how fast ranks read; None without credits.

        Raises
        ------
        WorkloadError
            For a value out of range.
        """
        try:
            options = FlowOptions(credits=self.credits, total_credits=self.total_credits,
                                  slow_ports=self.slow, slow_rate=self.slow_rate)
        except ValueError as error:
            raise WorkloadError(str(error).replace("slow_ports", "slow", 1)) from None
        return options if options.on else None

    def stall_account(self, config: SwitchConfig) -> StallAccount | None:
        """What counts the stalls, if they are to be counted."""
        return StallAccount(config) if self.stalls else None

    def stimulus(self, player: Player) -> Player | LinkedPlayer:
        """The player, over links if there are any.

        Raises
        ------
        WorkloadError
            If credits do not fit the switch.
        """
        flow = self.flow_options()
        if self.ber is None and flow is None:
            return player
        try:
            return LinkedPlayer(player, self.link_options(), self.seed, flow)
        except ValueError as error:
            raise WorkloadError(str(error).replace("slow_ports", "slow", 1)) from None
