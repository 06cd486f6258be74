# SPDX-License-Identifier: Apache-2.0
"""How fast the link partners of a run read what has arrived."""

from __future__ import annotations

from collections.abc import Sequence

from gavel_tb.flow_options import FlowOptions, number_list
from gavel_tb.partner.device import LlrPartner


class Readers:
    """Slow receivers, and such as are stuck for a while, again and again.

    Parameters
    ----------
    partners, options
        Whose receivers, and what they do.
    vcs
        Of the switch.

    Attributes
    ----------
    rates
        Words that each receiver reads in a cycle, of each VC, when it is not stuck.
    due
        Cycle in which `step` is to be called next.
    """

    def __init__(self, partners: Sequence[LlrPartner], options: FlowOptions, vcs: int) -> None:
        ports = len(partners)
        slow = number_list("slow_ports", options.slow_ports, ports)
        self._stuck = number_list("stuck_ports", options.stuck_ports, ports)
        self._vcs = number_list("stuck_vcs", options.stuck_vcs or "all", vcs)
        self.rates = [options.slow_rate if port in slow else 1.0 for port in range(ports)]
        self._partners = partners
        self._cycles = options.stuck_cycles
        self._reading = True
        self.due = 0
        for port in slow:
            self._set(port, self.rates[port], range(vcs))

    def step(self, cycle: int) -> None:
        """Receivers get stuck, or go on."""
        self._reading = not self._reading
        self.due = cycle + self._cycles
        for port in self._stuck:
            self._set(port, self.rates[port] if self._reading else 0.0, self._vcs)

    def stop(self) -> None:
        """Nobody is stuck from now on."""
        self.due = 1 << 62
        for port in self._stuck:
            self._set(port, self.rates[port], self._vcs)

    def _set(self, port: int, rate: float, vcs: Sequence[int]) -> None:
        partner = self._partners[port]
        if partner.flow is None:
            return
        for vc in vcs:
            partner.flow.set_rate(rate, partner.now, vc)
