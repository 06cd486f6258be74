# SPDX-License-Identifier: Apache-2.0
"""A whole link partner: what is at the far end of a port."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from gavel_model.ordered_set import Kind, OrderedSet, decode, decode_credits
from gavel_model.pins import IDLE, RxPins, TxPins
from gavel_tb.partner.classes import vc_by_class
from gavel_tb.partner.controls import Controls
from gavel_tb.partner.flow import Flow
from gavel_tb.partner.flow_settings import VcOf
from gavel_tb.partner.misbehaviour import Extra, Switchboard
from gavel_tb.partner.outgoing import OutFrame
from gavel_tb.partner.receiver import Arrival, Receiver
from gavel_tb.partner.sender import Sender
from gavel_tb.partner.settings import NEVER, PartnerSettings

_NIBBLE = 0x600_0000
_new_tuple = tuple.__new__  # half the time of RxPins(...)


class LlrPartner:
    """One end of a link, with its own idea of docs/llr.md and docs/flow_control.md.

    Parameters
    ----------
    settings
        What it is.
    deliver
        Called with each frame that it accepts, in order, but for MAC Control frames where there is
        flow control.
    vc_of
        The VC of a frame; None: by the class of the profile ``ethernet``. Without flow control
        it is not asked for.

    Attributes
    ----------
    sender, receiver, controls, flow
        Its parts; ``flow`` is None without flow control.
    faults
        What is to go wrong.
    now
        Cycles stepped.
    unknown_sets
        Ordered sets received that it does not know.
    """

    def __init__(
        self, settings: PartnerSettings, deliver: Callable[[Arrival], None],
        vc_of: VcOf | None = None,
    ) -> None:
        self.settings = settings
        self.faults = Switchboard()
        self.sender = Sender(settings, self.faults)
        self.flow: Flow | None = None
        agreed = settings.flow
        if agreed is not None:
            self.flow = Flow(agreed, settings.data_width, vc_of or vc_by_class(agreed), self.faults)
        self.receiver = Receiver(settings, deliver if self.flow is None else self._accept)
        self.controls = Controls(settings, self.sender, self.receiver, self.faults,
                                 self.flow.reports if self.flow is not None else None)
        self._deliver = deliver
        self.now = 0
        self.unknown_sets = 0
        self._framer = self.receiver.framer
        self._line = deque([IDLE] * settings.response) if settings.response else None
        self._silent_until = 0
        if settings.llr:
            self.sender.start()
        self.sender.flow = self.flow

    def send(
        self, data: bytes, tag: Any = None, *, eligible: bool = True, poisoned: bool = False
    ) -> None:
        """Puts a frame at the end of the queue."""
        frame = OutFrame(data, tag, eligible, poisoned)
        if self.flow is not None:
            self.flow.put(frame)
        else:
            self.sender.queue.append(frame)

    def step(self, pins: RxPins | TxPins) -> RxPins:
        """Takes what it receives in this cycle; gives what it sends."""
        now = self.now
        self.now = now + 1
        line = self._line
        if line is not None:
            line.append(pins)  # type: ignore[arg-type]  # only looked at by position
            pins = line.popleft()
        sender, controls = self.sender, self.controls
        if pins[0] or pins[7] or not pins[9] or not sender.up:
            self._receive(pins, now)
        flow = self.flow
        if flow is not None and now >= flow.buffer.due:
            flow.step(now)
            controls.due = 0
        if now >= sender.deadline:
            sender.expire(now)
            controls.due = 0
        if now < self._silent_until:
            return IDLE
        word = sender.word(now)
        if now >= controls.due:
            ctl = controls.load(now)
            if ctl is not None:
                shown = word or IDLE
                return _new_tuple(RxPins, (*shown[:7], 1, ctl, 1, shown[10]))
        return word or IDLE

    def _receive(self, pins: RxPins | TxPins, now: int) -> None:
        if not pins[9]:
            self._framer.abort()
            self.sender.link(False, now)
            return
        if not self.sender.up:
            self.sender.link(True, now)
        if pins[0]:
            arrival = self._framer.word(pins)
            if arrival is not None:
                self.receiver.frame(arrival)
                self.controls.due = 0
        if pins[7]:
            self._ordered_set(pins[8], now)
            self.controls.due = 0

    def _ordered_set(self, ctl: int, now: int) -> None:
        item = decode(ctl, self.settings.protect, self.settings.seq_bits)
        if item is None:
            update = decode_credits(ctl, self.settings.protect) if self.flow is not None else None
            if update is None:
                self.unknown_sets += 1
            elif self.flow is not None:
                self.flow.update(update)
        elif not self.settings.llr:
            return
        elif item.kind is Kind.INIT:
            self.receiver.init(item.value, item.data)
        elif item.kind is Kind.INIT_ECHO:
            self.sender.echo(item.value, item.data, now)
        else:
            self.sender.acknowledge(item.value, item.kind is Kind.NACK, now)

    def _accept(self, arrival: Arrival) -> None:
        assert self.flow is not None
        if self.flow.accept(arrival, self.now - 1):
            self._deliver(arrival)

    @property
    def idle(self) -> bool:
        """All that it had to send has been acknowledged, and it owes no answer; with flow control,
        of which there is no end, all credits are home instead."""
        receiver = self.receiver
        if self.flow is not None:
            return self.sender.idle and self.flow.home and receiver.echo is None
        return self.sender.idle and not receiver.ack_pending and receiver.echo is None

    def quiet_until(self) -> int:
        """First cycle in which a step may do something although nothing is received; `skip` may
        go as far. ``now``: a step is needed. Not for partners with a response time."""
        now, sender, flow = self.now, self.sender, self.flow
        if self._line is not None or not sender.up or self.controls.storm:
            return now
        due = sender.deadline
        if flow is not None:
            due = min(due, flow.buffer.due)
        if now < self._silent_until:
            return max(now, min(due, self._silent_until))
        if sender.busy(now):
            return now
        if flow is not None:
            due = min(due, flow.due)
        return max(now, min(due, self.controls.due))

    def skip(self, cycles: int) -> None:
        """Moves on by as many steps that would receive and do nothing."""
        self.now += cycles

    def silence(self, cycles: int = NEVER) -> None:
        """Sends nothing for so many cycles; what was begun stays where it is."""
        self._silent_until = self.now + cycles

    def storm(self, cycles: int) -> None:
        """Sends an ACK in each of the next cycles."""
        self.controls.storm = cycles
        self.controls.due = 0

    def reset(self) -> None:
        """Forgets all that was agreed, and begins again."""
        self.receiver.reset()
        self.sender.start()
        self.controls.due = 0

    def inject(self, extra: Extra, value: int = 1) -> None:
        """Sends an ordered set that nobody asked for; what it says is decided when it is sent."""
        self.controls.extras.append(lambda: self._extra(extra, value))
        self.controls.due = 0

    def _extra(self, extra: Extra, value: int) -> int:
        mask = (1 << self.settings.seq_bits) - 1
        encode, newest = self.controls.encode, self.controls.newest
        if extra is Extra.UNKNOWN:
            return value | _NIBBLE
        if extra is Extra.INIT:
            sender = self.sender
            return encode(OrderedSet(Kind.INIT, sender.next + value & mask, sender.init_data))
        if extra is Extra.OLD_NACK:
            return encode(OrderedSet(Kind.NACK, newest - value & mask))
        kind = Kind.ACK if extra is Extra.ACK_AHEAD else Kind.NACK
        return encode(OrderedSet(kind, newest + value & mask))
