# SPDX-License-Identifier: Apache-2.0
"""Rules for the ordered sets that a device sends, checked from outside."""

from __future__ import annotations

from collections import deque

from gavel_model.ordered_set import Kind, OrderedSet
from gavel_tb.partner.flow_rules import FlowRules
from gavel_tb.partner.receiver import Arrival, FrameClass
from gavel_tb.partner.rules import RuleLimits, broken
from gavel_tb.partner.settings import NEVER

_KEPT = 4


class _Gap:
    """From the first frame that is missing or bad to the acceptance of the expected one."""

    __slots__ = ("closed", "nacked", "opened", "value")

    def __init__(self, opened: int, value: int) -> None:
        self.opened = opened
        self.value = value
        self.closed = NEVER
        self.nacked = False


class ReceiverRules:
    """What a device may answer, given the frames and INIT that it has received.

    * *echo*: one for an INIT, with its number and data.
    * *NACK*: one for a gap, with the number of the last good frame.
    * *ACK in gap*: none while a NACK is owed or has been sent.
    * *ACK value*: a frame that was received intact and in order; values never go back.
    * *spacing*: ordered sets keep their distances.

    Parameters
    ----------
    port, limits
        As in `RuleChecker`.
    flow
        Is told of the frames accepted.

    Attributes
    ----------
    accepted, gaps
        Frames received intact and in order, and gaps.
    """

    def __init__(
        self, port: int | str, limits: RuleLimits, flow: FlowRules | None = None
    ) -> None:
        self._port = port
        self._flow = flow
        self._limits = limits
        self._mask = (1 << limits.seq_bits) - 1
        self._half = 1 << limits.seq_bits - 1
        self._on = False
        self._next = 0
        self._acked = 0
        # Cycle of the last INIT, and `_next` and `_acked` before it: an answer may be under way.
        self._before = (-NEVER, 0, 0)
        self._gaps: deque[_Gap] = deque(maxlen=_KEPT)
        self._inits: deque[OrderedSet] = deque(maxlen=_KEPT)
        self._owed = 0
        self._last_set = self._last_answer = -NEVER
        self._last_init: tuple[int, OrderedSet] | None = None
        self.accepted = self.gaps = 0

    def frame_received(self, cycle: int, arrival: Arrival) -> None:
        """The device receives the last word of a frame."""
        seq = arrival.seq
        if seq is None or not self._on:
            return
        ahead = seq - self._next & self._mask
        gap = self._gap()
        if ahead == 0 and arrival.kind is not FrameClass.BAD and not seq >> self._limits.seq_bits:
            self._next = self._next + 1 & self._mask
            self.accepted += 1
            if self._flow is not None and arrival.kind is FrameClass.GOOD:
                self._flow.frame_accepted(cycle, arrival.data)
            if gap is not None:
                gap.closed = cycle
        elif ahead < self._half and gap is None:
            self._gaps.append(_Gap(cycle, self._next - 1 & self._mask))
            self.gaps += 1

    def init_received(self, cycle: int, item: OrderedSet) -> None:
        """The device receives an INIT."""
        self._before = (cycle, self._next, self._acked)
        gap = self._gap()
        if gap is not None:
            gap.closed = cycle
        self._on = True
        if self._flow is not None:
            self._flow.back.begin(cycle)
        self._next = item.value
        self._acked = item.value - 1 & self._mask
        self._inits.append(item)
        self._owed += 1

    def _gap(self) -> _Gap | None:
        return self._gaps[-1] if self._gaps and self._gaps[-1].closed == NEVER else None

    def set_sent(self, cycle: int, item: OrderedSet) -> None:
        """The device begins to show a set of link-level retry."""
        self._spacing(cycle, item)
        if item.kind is Kind.INIT_ECHO:
            wanted = item._replace(kind=Kind.INIT)
            if not self._owed or wanted not in self._inits:
                raise broken(self._port, cycle, "echo", f"{_text(item)}, {self._owed} are owed, "
                             f"received: {', '.join(map(_text, self._inits)) or 'none'}")
            self._owed -= 1
        elif item.kind is Kind.NACK:
            self._nack(cycle, item.value)
        elif item.kind is Kind.ACK:
            self._ack(cycle, item.value)

    def credits_sent(self, cycle: int) -> None:
        """The device begins to show a CF_Update."""
        since, least = cycle - self._last_set, self._limits.set_cycles
        if since < least:
            raise broken(self._port, cycle, "spacing", f"CF_Update comes after {since} cycles, "
                         f"{least} must have passed")
        self._last_set = cycle

    def _spacing(self, cycle: int, item: OrderedSet) -> None:
        limits = self._limits
        since, least = cycle - self._last_set, limits.set_cycles
        if since >= least and item.kind is Kind.ACK:
            since, least = cycle - self._last_answer, limits.ack_cycles
        if since >= least and self._last_init is not None and item == self._last_init[1]:
            since, least = cycle - self._last_init[0], limits.init_cycles
        if since < least:
            raise broken(self._port, cycle, "spacing", f"{_text(item)} comes after {since} "
                         f"cycles, {least} must have passed")
        self._last_set = cycle
        if item.kind in (Kind.ACK, Kind.NACK):
            self._last_answer = cycle
        elif item.kind is Kind.INIT:
            self._last_init = cycle, item

    def _nack(self, cycle: int, value: int) -> None:
        recent = cycle - self._limits.skew
        for gap in self._gaps:
            if not gap.nacked and gap.closed >= recent and gap.value == value:
                gap.nacked = True
                if self._between(value, self._acked, self._next):
                    self._acked = value  # a NACK acknowledges, too
                return
        gap_text = "no gap is open" if (gap_open := self._gap()) is None else (
            f"the gap after frame {gap_open.value} was opened in cycle {gap_open.opened}"
            + (" and has its NACK" if gap_open.nacked else ""))
        raise broken(self._port, cycle, "NACK", f"NACK {value}: {gap_text}")

    def _ack(self, cycle: int, value: int) -> None:
        recent = cycle - self._limits.skew
        gap = self._gap()
        if gap is not None and gap.opened < recent:
            raise broken(self._port, cycle, "ACK in gap", f"ACK {value}, and the gap after frame "
                         f"{gap.value} has been open since cycle {gap.opened}")
        if self._on and self._between(value, self._acked, self._next):
            self._acked = value
            return
        since, following, acked = self._before
        if since < recent or not self._between(value, acked, following):
            raise broken(self._port, cycle, "ACK value", f"ACK {value}: {self._acked} was "
                         f"acknowledged, and {self._next - 1 & self._mask} is the newest frame")

    def _between(self, value: int, acked: int, following: int) -> bool:
        return (value - acked & self._mask) <= (following - 1 - acked & self._mask)


def _text(item: OrderedSet) -> str:
    data = f" with data {item.data}" if item.kind >= Kind.INIT else ""
    return f"{item.kind.name} {item.value}{data}"
