# SPDX-License-Identifier: Apache-2.0
"""What turns link-level retry and credits on at every end: register writes, and partners."""

from __future__ import annotations

from dataclasses import replace

from gavel_model.config import SwitchConfig
from gavel_model.pins import RegisterPins
from gavel_model.profiles import PROFILE_NAMES, PROFILES
from gavel_tb.fabric.network import Cable, End, Network
from gavel_tb.fabric.topology import TopologyError
from gavel_tb.flow_options import FlowOptions
from gavel_tb.flow_plan import FlowPlan
from gavel_tb.link_errors import LinkOptions
from gavel_tb.link_setup import partner_settings, port_writes, replay_timer, retry_writes
from gavel_tb.partner.classes import vc_by_class
from gavel_tb.partner.flow_settings import VcOf
from gavel_tb.partner.settings import PartnerSettings

_SLACK_CYCLES = 4


class BringUp:
    """What each end is told.

    Parameters
    ----------
    network, cables
        What is there, and how it is really joined.
    ber
        Bit error rate.
    with_credits
        Whether there are credits.
    longest_bytes
        Longest frame of the run.

    Attributes
    ----------
    silent
        Cycles until the last switch is set up.
    patience
        Cycles of the longest replay timer.

    Raises
    ------
    TopologyError
        Names what leaves too little room for credits.
    """

    def __init__(
        self, network: Network, cables: list[Cable], *, ber: float, with_credits: bool,
        longest_bytes: int,
    ) -> None:
        self._network = network
        self._ber = ber
        self._longest = longest_bytes
        self._flow = FlowOptions(credits=True) if with_credits else None
        self._writes: dict[int, list[RegisterPins]] = {}
        self._plans: dict[tuple[SwitchConfig, int], FlowPlan] = {}
        self.patience = 0
        switches = len(network.switches)
        on: dict[int, list[tuple[int, list[tuple[int, int]]]]] = {n: [] for n in range(switches)}
        for cable in cables:
            for end, other in ((cable.a, cable.b), (cable.b, cable.a)):
                if end.node < switches:
                    on[end.node].append(self._port(end, other, cable.delay))
        for node, ports in on.items():
            writes = self._writes[node] = []
            for port, values in ports:
                writes += port_writes(port, values[:-1])
            # Retry begins at all ports of a switch as nearly at once as registers allow.
            for port, values in ports:
                writes += port_writes(port, values[-1:])
        self.silent = max(map(len, self._writes.values()), default=0) + _SLACK_CYCLES

    def writes(self, node: int) -> list[RegisterPins]:
        """Register writes of a switch."""
        return self._writes[node]

    def partner(self, end: End, delay: int) -> tuple[PartnerSettings, VcOf | None]:
        """Settings of the partner at the other end of a cable of ``delay`` cycles from a switch's
        port, and what tells the VC of a frame."""
        config = self._network.switches[end.node].config
        links = self.links(delay)
        settings = partner_settings(config, links, self._timer(config, delay))
        if self._flow is None:
            return settings, None
        flow = self._plan(config, delay).partner(end.port)
        profile = PROFILES[PROFILE_NAMES.index(config.profile)]
        return replace(settings, flow=flow), vc_by_class(flow, profile)

    def links(self, delay: int) -> LinkOptions:
        """What a direction of a cable does."""
        return LinkOptions(bit_errors=self._ber, delay=delay)

    def _timer(self, config: SwitchConfig, delay: int) -> int:
        longest = self._longest
        timer = replay_timer(config, delay, -(-longest // config.word_bytes))
        self.patience = max(self.patience, timer)
        return timer

    def _plan(self, config: SwitchConfig, delay: int) -> FlowPlan:
        assert self._flow is not None
        known = self._plans.get((config, delay))
        if known is not None:
            return known
        try:
            plan = FlowPlan(config, self._flow, self.links(delay), self._longest,
                            errors_free=not self._ber)
            self._plans[config, delay] = plan
            return plan
        except ValueError as error:
            raise TopologyError(f"credits: {error}") from None

    def _port(self, end: End, other: End, delay: int) -> tuple[int, list[tuple[int, int]]]:
        """Offsets and values of one port of a switch; the switch of retry comes last."""
        network = self._network
        plan = network.switches[end.node]
        values: list[tuple[int, int]] = []
        if self._flow is not None:
            peer = None
            if other.node < len(network.switches):
                peer_plan = network.switches[other.node]
                peer = self._plan(peer_plan.config, delay).limits
                least = peer.unit.credits(plan.config.max_frame_bytes)
                if min(peer.per_vc) < least:
                    raise TopologyError(
                        f"credits: a VC of {peer_plan.name} has room for {min(peer.per_vc)} "
                        f"credits, less than a longest frame of {plan.name}, {least}: choose more "
                        "buffer_cells, fewer vcs, or a lower max_frame_bytes")
            values += self._plan(plan.config, delay).writes(end.port, peer)
        values += retry_writes(self._timer(plan.config, delay), True)
        return end.port, values
