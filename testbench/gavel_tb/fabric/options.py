# SPDX-License-Identifier: Apache-2.0
"""How a collective is played over a fabric."""

from __future__ import annotations

from dataclasses import dataclass

from gavel_tb.workload.errors import WorkloadError

SPRAYS = ("packet", "flow")
MAX_WINDOW = 1 << 20
"""Cells."""


@dataclass(frozen=True, kw_only=True)
class FabricOptions:
    """How.

    Attributes
    ----------
    spray
        ``packet``: each frame of a flow takes another way, and the receiver puts them in order;
        ``flow``: a hash of source, destination and class decides, once for all.
    mtu
        Message bytes in a frame, None for the default of `FrameFormat`.
    window
        Cells that an accelerator may have outstanding; None: so many that the accelerators of a
        leaf together fill no ingress buffer. Not with credits.
    ber
        Bit error rate of every link, both ways; link-level retry is then on at all ends.
    credits
        Credits on all links, and link-level retry.
    seed
        Of message bytes, hash and errors.
    skipping
        Cycles in which a node is at rest are skipped.
    block
        Cycles in which nodes run by themselves, at most the delay of the shortest link; None:
        that. The results do not depend on it.
    """

    spray: str = "flow"
    mtu: int | None = None
    window: int | None = None
    ber: float | None = None
    credits: bool = False
    seed: int = 1
    skipping: bool = True
    block: int | None = None

    def __post_init__(self) -> None:
        if self.spray not in SPRAYS:
            raise WorkloadError(f"spray = {self.spray!r}: must be one of {', '.join(SPRAYS)}")
        if self.window is not None and self.credits:
            raise WorkloadError("window: credits take its place; leave one of them out")
        if self.ber is not None and not 0.0 <= self.ber < 1.0:
            raise WorkloadError(f"ber = {self.ber}: must be in 0...1, 1 excluded")

    @property
    def retry(self) -> bool:
        """Link-level retry is on."""
        return self.ber is not None or self.credits
