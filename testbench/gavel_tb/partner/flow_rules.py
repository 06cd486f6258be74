# SPDX-License-Identifier: Apache-2.0
"""Rules of flow control, checked from outside: what belongs to which of them."""

from __future__ import annotations

from gavel_model.mac_control import CreditCounts, cc_update_frame, decode
from gavel_model.ordered_set import CreditUpdate
from gavel_tb.partner.credit_rules import CreditReturnRules, CreditUseRules
from gavel_tb.partner.flow_settings import FlowSettings, VcOf, is_mac_control
from gavel_tb.partner.pause_rules import PauseRules
from gavel_tb.partner.rules import RuleLimits, broken

_ADDRESS = slice(6, 12)


class FlowRules:
    """Rules of `CreditUseRules`, `CreditReturnRules` and `PauseRules`, and *MAC Control*: no frame
    of the kind but those of the two.

    Parameters
    ----------
    port, limits, flow
        As in `RuleChecker`; ``flow`` is what the device was told.
    vc_of
        The VC of a frame.

    Attributes
    ----------
    use, back, pauses
        The rules and their counts.
    cc_sent, cf_sent
        CC_Updates and CF_Updates that the device has sent.
    """

    __slots__ = ("_port", "_vc_of", "back", "cc_sent", "cf_sent", "pauses", "use")

    def __init__(
        self, port: int | str, limits: RuleLimits, flow: FlowSettings, vc_of: VcOf
    ) -> None:
        self._port = port
        self._vc_of = vc_of
        self.use = CreditUseRules(port, flow)
        self.back = CreditReturnRules(port, limits, flow)
        self.pauses = PauseRules(port, limits, flow)
        self.cc_sent = self.cf_sent = 0

    def late(self, cycle: int) -> None:
        """The deadline of ``back`` or ``pauses`` is over."""
        if cycle > self.back.deadline:
            self.back.late(cycle)
        self.pauses.late(cycle)

    def frame_begins(self) -> None:
        """The device begins to send a frame for the first time."""
        self.use.begin()

    def frame_sent(self, cycle: int, data: bytes, words: int) -> None:
        """The device has sent a frame for the first time; it began in ``cycle``."""
        if not is_mac_control(data):
            vc = self._vc_of(data)
            self.use.frame(cycle, vc, len(data))
            self.pauses.frame(cycle, vc, words)
            return
        item = decode(data)
        if isinstance(item, CreditCounts):
            source = int.from_bytes(data[_ADDRESS], "big")
            if data == cc_update_frame(source, item.consumed):
                self.use.counts(cycle, item.consumed)
                self.cc_sent += 1
                return
        elif item is not None:
            self.pauses.sent(cycle, data, item)
            return
        raise broken(self._port, cycle, "MAC Control", f"{data.hex()} is none of flow control")

    def frame_accepted(self, cycle: int, data: bytes) -> None:
        """The device has received a good frame in order."""
        if not is_mac_control(data):
            self.back.frame(self._vc_of(data), len(data))
            return
        item = decode(data)
        if isinstance(item, CreditCounts):
            self.back.counts(item.consumed)
        elif item is not None:
            self.pauses.received(cycle, item)

    def set_received(self, item: CreditUpdate) -> None:
        """The device receives a CF_Update."""
        self.use.update(item)

    def set_sent(self, cycle: int, item: CreditUpdate) -> None:
        """The device begins to show a CF_Update."""
        self.cf_sent += 1
        self.back.update(cycle, item)
