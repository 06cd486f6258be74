# SPDX-License-Identifier: Apache-2.0
"""Checks from outside that a device keeps the rules of docs/llr.md and docs/flow_control.md."""

from __future__ import annotations

from gavel_model.ordered_set import Kind, OrderedSet, decode, decode_credits
from gavel_model.pins import RxPins, TxPins
from gavel_tb.partner.classes import vc_by_class
from gavel_tb.partner.flow_rules import FlowRules
from gavel_tb.partner.flow_settings import VcOf
from gavel_tb.partner.receiver import Framer
from gavel_tb.partner.receiver_rules import ReceiverRules
from gavel_tb.partner.rules import RuleLimits, broken
from gavel_tb.partner.sender_rules import SenderRules


class RuleChecker:
    """Watches what one device receives and sends; raises `CheckError` when a rule is broken.

    The rules are those of `SenderRules`, `ReceiverRules` and `FlowRules`, and *set*: every
    ordered set sent is a valid one. What the device does inside is not looked at, so a device
    other than this switch can be checked, too; ``skew`` of the limits is the time that it has.

    Parameters
    ----------
    port
        Named in errors: a port's number, or another name.
    limits
        What the device was told.
    vc_of
        The VC of a frame; None: by the class of the profile ``ethernet``. Without flow control
        it is not asked for.

    Attributes
    ----------
    port
        As given.
    sender, receiver, flow
        The parts, with their counts; ``flow`` is None without flow control.
    """

    __slots__ = ("_framer", "_limits", "_set_held", "_word_held", "flow", "port", "receiver",
                 "sender")

    def __init__(
        self, port: int | str, limits: RuleLimits, vc_of: VcOf | None = None
    ) -> None:
        self.port = port
        self._limits = limits
        self._framer = Framer(limits.word_bytes)
        self._word_held = self._set_held = False
        agreed = limits.flow
        self.flow = None if agreed is None else FlowRules(
            port, limits, agreed, vc_of or vc_by_class(agreed))
        self.sender = SenderRules(port, limits, self.flow)
        self.receiver = ReceiverRules(port, limits, self.flow)

    def observe(
        self,
        cycle: int,
        tx: RxPins | TxPins,
        rx: RxPins | TxPins,
        ready: int = 1,
        ctl_ready: int = 1,
    ) -> None:
        """Sees one cycle: what the device sends before any link damages it, what it receives
        after the link, and whether what it sends is taken."""
        early, flow = None, self.flow
        if flow is not None and (cycle > flow.back.deadline or cycle > flow.pauses.deadline):
            flow.late(cycle)
        if rx[0] or rx[7] or not rx[9]:
            early = self._received(cycle, rx)
        if tx[0]:
            if not self._word_held:
                self.sender.word(cycle, tx)
            self._word_held = not ready
        if tx[7]:
            if not self._set_held:
                self._sent(cycle, tx[8])
            self._set_held = not ctl_ready
        if early is not None:
            self.sender.set_received(cycle, early)

    def _received(self, cycle: int, rx: RxPins | TxPins) -> OrderedSet | None:
        """Takes what is received; gives an answer that does not fit what was sent: a loop without
        delay answers what the device sends in the same cycle."""
        if not rx[9]:
            self._framer.abort()
            return None
        if rx[0]:
            arrival = self._framer.word(rx)
            if arrival is not None:
                self.receiver.frame_received(cycle, arrival)
        if rx[7]:
            item = decode(rx[8], self._limits.protect, self._limits.seq_bits)
            if item is None:
                self._credits_received(rx[8])
                return None
            if item.kind is Kind.INIT:
                self.receiver.init_received(cycle, item)
            elif not self.sender.set_received(cycle, item):
                return item
        return None

    def _credits_received(self, ctl: int) -> None:
        if self.flow is not None:
            update = decode_credits(ctl, self._limits.protect)
            if update is not None:
                self.flow.set_received(update)

    def _sent(self, cycle: int, ctl: int) -> None:
        item = decode(ctl, self._limits.protect, self._limits.seq_bits)
        if item is None:
            update = None
            if self.flow is not None:
                update = decode_credits(ctl, self._limits.protect)
            if update is None or self.flow is None:
                raise broken(self.port, cycle, "set", f"0x{ctl:014x} is no valid set")
            self.receiver.credits_sent(cycle)
            self.flow.set_sent(cycle, update)
            return
        self.receiver.set_sent(cycle, item)
        if item.kind is Kind.INIT:
            self.sender.set_sent(cycle, item)
