# SPDX-License-Identifier: Apache-2.0
"""Paths between the clocks of a top level, by the names of their registers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gavel_model.top_options import TopOptions

CORE_CLOCK = "clk"
"""Clock of the switch."""

STAGE = "stage0"
"""First flip-flop of a synchroniser."""


@dataclass(frozen=True, kw_only=True)
class Fifo:
    """An asynchronous FIFO of a crossing.

    Attributes
    ----------
    path
        Below the top module, with a full stop between instances.
    writes, reads
        Clocks of its sides.
    """

    path: str
    writes: str
    reads: str

    @property
    def pointers(self) -> tuple[tuple[str, str], ...]:
        """Gray-coded pointer and the synchroniser that takes it, for both directions."""
        return ((f"{self.path}.produce_w_gry", f"{self.path}.produce_cdc.{STAGE}"),
                (f"{self.path}.consume_r_gry", f"{self.path}.consume_cdc.{STAGE}"))

    @property
    def memory(self) -> str:
        """Instance of its memory, which has the read register inside."""
        return f"{self.path}.storage"

    @property
    def reset(self) -> str:
        """Synchroniser of its reset, whose two flip-flops are set asynchronously."""
        return f"{self.path}.rst_cdc"


@dataclass(frozen=True, kw_only=True)
class Crossings:
    """All paths between clocks.

    Attributes
    ----------
    fifos
        Paths that must be bounded.
    single
        First flip-flops of synchronisers of one bit, and of link faults, which are settings or
        change slowly.
    """

    fifos: tuple[Fifo, ...]
    single: tuple[str, ...]


NO_CROSSINGS = Crossings(fifos=(), single=())
"""Of a top level with one clock."""


def crossings(ports: int, options: TopOptions) -> Crossings:
    """The paths of docs/clocks.md."""
    if not options.crossing:
        return NO_CROSSINGS
    sides = [f"port{port}_{side}_crossing" for port in range(ports) for side in ("rx", "tx")]

    def fifos() -> Iterator[Fifo]:
        for port in range(ports):
            for side, ends in (("rx", (f"p{port}_rx_clk", CORE_CLOCK)),
                               ("tx", (CORE_CLOCK, f"p{port}_tx_clk"))):
                yield Fifo(path=f"port{port}_{side}_crossing.fifo", writes=ends[0], reads=ends[1])

    def single() -> Iterator[str]:
        for side in sides:
            yield from (f"{side}.{name}_cdc.{STAGE}" for name in ("up", "protect"))
        adapter = {"xgmii": "xgmii.fault_cdc", "axi_stream": "axi_stream.link_up_cdc"}
        if options.ports in adapter:
            yield from (f"port{port}_{adapter[options.ports]}.{STAGE}" for port in range(ports))

    return Crossings(fifos=tuple(fifos()), single=tuple(single()))
