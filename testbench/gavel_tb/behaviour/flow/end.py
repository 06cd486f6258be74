# SPDX-License-Identifier: Apache-2.0
"""One port: what stands at it, and what was seen on its pins."""

from __future__ import annotations

from collections import deque

from gavel_model.config import SwitchConfig
from gavel_model.pins import IDLE, RxPins, TxPins
from gavel_tb.behaviour.flow.plan import EndPlan
from gavel_tb.behaviour.flow.port_log import PortLog
from gavel_tb.behaviour.flow.streams import Streams
from gavel_tb.behaviour.ledger import Ledger
from gavel_tb.behaviour.switches import MIN_SPACING, SPACING
from gavel_tb.behaviour.tap import Tap, taken
from gavel_tb.link_errors import LinkOptions
from gavel_tb.lossy_link import LossyLink
from gavel_tb.partner.device import LlrPartner
from gavel_tb.partner.flow_settings import is_mac_control
from gavel_tb.partner.receiver import Arrival
from gavel_tb.partner.rule_checker import RuleChecker
from gavel_tb.partner.rules import RuleLimits
from gavel_tb.partner.settings import PartnerSettings
from gavel_tb.stimulus import CheckError, derived_random

_WINDOW = 8192


class End:
    """A port with its link and its peer.

    Parameters
    ----------
    config, port
        The switch, and which of its ports.
    plan
        What it is told.
    ledger
        Knows the frames.
    timer
        Replay timer of both ends, cycles.
    seed
        Of what is drawn.

    Attributes
    ----------
    partner
        The far end; None: the script plays it, with ``feeder`` and the taps.
    checker
        Watches the switch's end; None without link-level retry.
    streams
        Frames that the partner sends without end.
    out_tap, back_tap
        Places at the switch's end of both directions.
    feeder
        Words for the receive pins of a port without partner.
    ready, ctl_ready
        Transmit pins in the next cycle.
    log
        What was seen.
    """

    def __init__(self, config: SwitchConfig, port: int, plan: EndPlan, ledger: Ledger, *,
                 timer: int, seed: int) -> None:
        self.port = port
        self.plan = plan
        self._config = config
        self._ledger = ledger
        self._timer = timer
        width = config.data_width
        self._settings = PartnerSettings(
            data_width=width, llr=plan.llr, protect=plan.protect, seq_bits=config.seq_bits,
            window_frames=min(_WINDOW, 1 << config.seq_bits - 1), spacing=SPACING,
            min_spacing=MIN_SPACING, replay_timer=timer,
            flow=plan.partner_flow if plan.partner else None,
        )
        self._links = [
            LossyLink(width, LinkOptions(delay=plan.delay, protect=plan.protect),
                      derived_random(seed, name, port)) for name in ("out", "back")
        ]
        self._arrived: list[Arrival] = []
        self.streams = Streams(config, port, ledger)
        self.out_tap, self.back_tap = Tap(), Tap()
        self.log = PortLog(self._settings, ledger)
        self.partner: LlrPartner | None = None
        self.checker: RuleChecker | None = None
        self.renew()
        self.feeder: deque[RxPins] = deque()
        self.ready = self.ctl_ready = 1

    def renew(self) -> None:
        """The peer is another one, which knows nothing of what was agreed."""
        if self.plan.partner:
            self.partner = LlrPartner(self._settings, self._arrived.append, self.vc_of)
            assert self.partner.flow is not None
            self.partner.flow.queues.refill = self.streams.next
        self.watch()

    def watch(self) -> None:
        """The rules are checked from here on, as for a link that has just come up."""
        plan, config = self.plan, self._config
        if plan.partner and plan.llr and plan.watched:
            self.checker = RuleChecker(self.port, RuleLimits(
                data_width=config.data_width, protect=plan.protect, seq_bits=config.seq_bits,
                window_frames=config.replay_frames, window_words=config.replay_words,
                replay_timer=self._timer, spacing=SPACING, min_spacing=MIN_SPACING,
                flow=plan.flow, max_frame_words=config.max_frame_words,
            ), self.vc_of)

    def vc_of(self, data: bytes) -> int:
        """The VC of a frame."""
        entry = self._ledger.find(data)
        if entry is None:
            raise CheckError(f"port {self.port}: a frame that nobody has sent")
        return entry.vc

    def step(self, tx: TxPins) -> RxPins:
        """Takes the transmit pins of a cycle; gives the receive pins."""
        out, back = self._links
        sent = out.step(self.out_tap.step(taken(tx, self.ready, self.ctl_ready)))
        if self.partner is not None:
            return self.back_tap.step(back.step(self.partner.step(sent)))
        return self.back_tap.step(self.feeder.popleft() if self.feeder else IDLE)

    def observe(self, cycle: int, received: RxPins, tx: TxPins, ready: int, ctl_ready: int) -> None:
        """Looks at a cycle."""
        if tx[0] or tx[7]:
            seen = self.log.sent(cycle, taken(tx, ready, ctl_ready))
            if seen is not None and self.partner is None and seen.entry is not None:
                self._ledger.arrived(self.port, seen.data, cycle)
        if received is not IDLE:
            self.log.received(cycle, received)
        if self.checker is not None:
            self.checker.observe(cycle, tx, received, ready, ctl_ready)
        if self._arrived:
            for arrival in self._arrived:
                if not is_mac_control(arrival.data):
                    self._ledger.arrived(self.port, arrival.data, cycle)
            self._arrived.clear()

    @property
    def at_rest(self) -> bool:
        """Nothing is left to send, and all credits are home."""
        partner, checker = self.partner, self.checker
        if partner is None:
            return not self.feeder
        return partner.idle and (
            checker is None or checker.flow is None or checker.flow.use.home)
