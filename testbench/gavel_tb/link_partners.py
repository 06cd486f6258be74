# SPDX-License-Identifier: Apache-2.0
"""Link partners and lossy links at every port of a switch."""

from __future__ import annotations

from collections import Counter as Tally
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from gavel_model.config import SwitchConfig
from gavel_model.pins import IDLE, Inputs, RxPins, TxPins
from gavel_tb.flow_plan import FlowPlan
from gavel_tb.link_errors import LinkOptions
from gavel_tb.link_setup import partner_settings, port_writes, replay_timer, retry_writes
from gavel_tb.lossy_link import LossyLink
from gavel_tb.partner.device import LlrPartner
from gavel_tb.partner.flow_settings import VcOf
from gavel_tb.partner.receiver import Arrival
from gavel_tb.partner.rule_checker import RuleChecker
from gavel_tb.partner.rules import RuleLimits
from gavel_tb.partner.settings import PartnerSettings
from gavel_tb.stimulus import derived_random


class LinkPartners:
    """What stands around a switch; replays have no limit, so that nothing is ever given up.

    With links of a delay of D cycles, what goes into the switch in a cycle is decided D cycles
    before: `readiness` and `receive` may be called for up to D cycles ahead of `watch`.

    Parameters
    ----------
    config
        The switch.
    options
        Of each direction of each link.
    seed
        Of all that is drawn.
    stalls
        Transmit pins are not ready in a quarter of the cycles, for words and for ordered sets.
    rules
        Every port is watched by a `RuleChecker`, and with flow control every partner, too.
    longest_words
        Words of the longest frame that will come, by which the replay timer is set; None: that of
        the configuration.
    plan, vc_of
        Flow control, and the VC of a frame; None: there is none.

    Attributes
    ----------
    partners
        One at each port.
    to_switch, from_switch
        The two directions of each port's link.
    checkers
        What watches each port; empty without ``rules``.
    partner_checkers
        What watches each partner, so that its mistakes are not taken for those of the switch.
    arrived
        (port, frame) of what the partners have accepted. Whoever reads it clears it.
    writes
        Register accesses that turn flow control and link-level retry on at the switch.
    timer
        Replay timer of both ends, cycles.
    lead
        D, cycles.
    """

    def __init__(
        self, config: SwitchConfig, options: LinkOptions, *, seed: int, stalls: bool, rules: bool,
        longest_words: int | None = None, plan: FlowPlan | None = None, vc_of: VcOf | None = None,
    ) -> None:
        ports = range(config.ports)
        loop = replay_timer(config, options.delay, longest_words)
        self.timer = 2 * loop if stalls else loop
        self.lead = options.delay
        self.arrived: list[tuple[int, Arrival]] = []
        settings = partner_settings(config, options, self.timer)
        self.partners = [self._partner(settings, port, plan, vc_of) for port in ports]
        self.to_switch = [
            LossyLink(config.data_width, options, derived_random(seed, "to switch", port))
            for port in ports
        ]
        self.from_switch = [
            LossyLink(config.data_width, options, derived_random(seed, "from switch", port))
            for port in ports
        ]
        limits = RuleLimits(
            data_width=config.data_width, protect=options.protect, seq_bits=config.seq_bits,
            window_frames=config.replay_frames, window_words=config.replay_words,
            replay_timer=self.timer, spacing=config.ctl_spacing,
            min_spacing=config.ctl_min_spacing, max_frame_words=config.max_frame_words,
        )
        self.checkers: list[RuleChecker] = []
        self.partner_checkers: list[RuleChecker] = []
        for port in ports if rules else ():
            told = limits if plan is None else replace(limits, flow=plan.switch(port))
            self.checkers.append(RuleChecker(port, told, vc_of))
            if plan is not None:
                theirs = replace(
                    limits, flow=plan.partner(port), window_frames=settings.window_frames,
                    window_words=0, pause_cycles=0,
                )
                self.partner_checkers.append(
                    RuleChecker(f"partner of port {port}", theirs, vc_of))
        self.writes = [
            access for port in ports
            for access in (
                *port_writes(port, plan.writes(port) if plan is not None else ()),
                *port_writes(port, retry_writes(self.timer, options.protect)),
            )
        ]
        self._receive = [link.pull for link in self.to_switch]
        self._steps = [
            (out.step, partner.step, back.push) for out, partner, back
            in zip(self.from_switch, self.partners, self.to_switch, strict=True)
        ]
        self._cycle = 0
        self._ports = config.ports
        self._stalls = stalls
        self._bits = derived_random(seed, "ready").getrandbits
        self._everyone = (1 << config.ports) - 1
        # Of the cycles that are not watched yet.
        self._ready: deque[tuple[int, int]] = deque()

    def _partner(
        self, settings: PartnerSettings, port: int, plan: FlowPlan | None, vc_of: VcOf | None
    ) -> LlrPartner:
        arrived = self.arrived
        if plan is not None:
            settings = replace(settings, flow=plan.partner(port))
        return LlrPartner(settings, lambda arrival: arrived.append((port, arrival)), vc_of)

    @property
    def idle(self) -> bool:
        """Partners have nothing left to send, and all credits are home, those of the switch as far
        as its ports are watched."""
        return (all(partner.idle for partner in self.partners)
                and all(checker.flow is None or checker.flow.use.home for checker in self.checkers))

    def silence(self, cycles: int) -> None:
        """The partners send nothing for so many cycles, and nobody expects it of them."""
        for partner in self.partners:
            partner.silence(cycles)
        for checker in self.partner_checkers:
            assert checker.flow is not None
            checker.flow.back.silent_until = self._cycle + cycles

    def step(self, tx: Sequence[TxPins]) -> tuple[tuple[RxPins, ...], int, int]:
        """Takes the transmit pins of a cycle; gives receive pins, ``ready`` and ``ctl_ready``."""
        ready, ctl_ready = self.readiness()
        if not self.lead:
            self.watch(tx)
            return self.receive(), ready, ctl_ready
        rx = self.receive()
        self.watch(tx)
        return rx, ready, ctl_ready

    def readiness(self) -> tuple[int, int]:
        """``ready`` and ``ctl_ready`` of the next cycle."""
        if not self._stalls:
            return self._everyone, self._everyone
        bits, ports = self._bits, self._ports
        drawn = bits(ports) | bits(ports), bits(ports) | bits(ports)
        self._ready.append(drawn)
        return drawn

    def receive(self) -> tuple[RxPins, ...]:
        """Receive pins of the next cycle."""
        return tuple([pull() for pull in self._receive])

    def watch(self, tx: Sequence[TxPins]) -> None:
        """Takes the transmit pins of the next cycle, of which `readiness` must be known; without
        a delay, its receive pins come after it."""
        if self._stalls:
            ready, ctl_ready = self._ready.popleft()
            tx = [_taken(pins, ready >> port & 1, ctl_ready >> port & 1)
                  for port, pins in enumerate(tx)]
        if not self.partner_checkers:
            for pins, (out, partner, back) in zip(tx, self._steps, strict=True):
                back(partner(out(pins)))
            return
        for pins, (out, partner, back), checker in zip(
            tx, self._steps, self.partner_checkers, strict=True
        ):
            received = out(pins)
            sent = partner(received)
            if sent is not IDLE or received is not IDLE:
                checker.observe(self._cycle, sent, received)
            back(sent)
        self._cycle += 1

    def observe(self, cycle: int, inputs: Inputs, tx: Sequence[TxPins]) -> None:
        """Checks the rules in a cycle."""
        ready, ctl_ready = inputs.ready, inputs.ctl_ready
        for port, (checker, received, sent) in enumerate(
            zip(self.checkers, inputs.rx, tx, strict=False)
        ):
            if sent[0] or sent[7] or received is not IDLE:
                checker.observe(cycle, sent, received, ready >> port & 1, ctl_ready >> port & 1)

    def state(self) -> str:
        """One line for a person: what each partner is doing."""
        return "; ".join(
            f"partner {port}: {partner.sender.state.name} with {partner.sender.outstanding} frames "
            f"from {partner.sender.oldest} on, {partner.receiver.state.name} expects "
            f"{partner.receiver.next_rx}" + self._credits(port)
            for port, partner in enumerate(self.partners)
        )

    def _credits(self, port: int) -> str:
        flow = self.partners[port].flow
        if flow is None or not flow.settings.credited:
            return ""
        text = f", uses credits {flow.credits.used} and holds {flow.buffer.stored}"
        if not self.checkers:
            return text
        rules = self.checkers[port].flow
        return text + (f", its port uses {rules.use.used}" if rules is not None else "")

    def errors(self) -> dict[str, int]:
        """What the links did, by kind."""
        errors: Tally[str] = Tally()
        for link in (*self.to_switch, *self.from_switch):
            errors.update({kind.value: count for kind, count in link.counts.items()})
        return dict(sorted(errors.items()))


def _taken(pins: TxPins, ready: int, ctl_ready: int) -> TxPins:
    """What goes out in a cycle in which not everything is taken."""
    if pins[0] and not ready:
        pins = TxPins(up=pins.up, ctl_valid=pins.ctl_valid, ctl=pins.ctl)
    if pins[7] and not ctl_ready:
        pins = pins._replace(ctl_valid=0, ctl=0)
    return pins
