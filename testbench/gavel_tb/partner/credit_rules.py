# SPDX-License-Identifier: Apache-2.0
"""Rules for the credits of a device, counted from outside."""

from __future__ import annotations

from collections.abc import Sequence

from gavel_model.mac_control import CC_BITS
from gavel_model.ordered_set import CF_BITS, CreditUpdate
from gavel_tb.partner.flow_settings import FlowSettings
from gavel_tb.partner.rules import RuleLimits, broken
from gavel_tb.partner.settings import NEVER

_COUNT = (1 << CC_BITS) - 1
_FREED = (1 << CF_BITS) - 1
_SPACINGS = 4


class CreditUseRules:
    """What a device may send, given the CF_Updates that it has received.

    * *credits*: with each frame that begins for the first time no more credits are in use than
      the other end's buffer has.
    * *CC count*: a CC_Update says what the frames before it in sequence cost.

    An update that frees more than was seen to be sent is taken as it is: the device may have
    believed it, too. After a new INIT nothing is known until the device says its counts.

    Attributes
    ----------
    used
        Credits in use, of each VC.
    """

    def __init__(self, port: int | str, flow: FlowSettings) -> None:
        self._port = port
        self._flow = flow
        self._consumed = [0] * flow.vcs
        self.used = [0] * flow.vcs
        self._waiting = [False] * flow.vcs
        self._sure = True
        # Freed since the frame under way began, which it could not know.
        self._late = [0] * flow.vcs

    @property
    def home(self) -> bool:
        """No credits are in use."""
        return not any(self.used) and not any(self._waiting)

    def begin(self) -> None:
        """The device begins to send a frame for the first time."""
        self._late = [0] * self._flow.vcs

    def frame(self, cycle: int, vc: int, length: int) -> None:
        """The device has sent the frame that began in ``cycle``."""
        flow, peer = self._flow, self._flow.peer
        if not flow.credited >> vc & 1:
            return
        cost = peer.unit.credits(length)
        self._consumed[vc] = self._consumed[vc] + cost & _COUNT
        self.used[vc] += cost
        if not self._sure or self._waiting[vc]:
            return
        held = sum(self.used) + sum(self._late) if peer.total else self.used[vc] + self._late[vc]
        if held > peer.of(vc):
            raise broken(self._port, cycle, "credits", f"with a frame of {length} bytes on VC {vc} "
                         f"{held} credits are in use, {peer.of(vc)} were given")

    def counts(self, cycle: int, consumed: Sequence[int]) -> None:
        """The device has sent a CC_Update."""
        flow = self._flow
        for vc, count in enumerate(consumed):
            wanted = self._consumed[vc] if vc < flow.vcs else 0
            if not self._sure and flow.credited >> vc & 1:
                self._consumed[vc] = count
            elif count != wanted:
                raise broken(self._port, cycle, "CC count", f"CC_Update says {count} for VC {vc}, "
                             f"the frames before it cost {wanted}")
        self._sure = True

    def update(self, item: CreditUpdate) -> None:
        """The device receives a CF_Update."""
        self._free(item.vc, item.freed)
        if item.second_vc != item.vc:
            self._free(item.second_vc, item.second_freed)

    def _free(self, vc: int, count: int) -> None:
        flow = self._flow
        if vc >= flow.vcs or not flow.credited >> vc & 1 or not self._sure:
            return
        if self._waiting[vc]:
            self.used[vc] = self._consumed[vc] - count & _FREED
            self._waiting[vc] = False
            return
        freed = count - (self._consumed[vc] - self.used[vc]) & _FREED
        if freed <= flow.peer.of(vc):
            self.used[vc] -= freed
            self._late[vc] += freed

    def restart(self) -> None:
        """The device begins a new INIT: frames may be lost that were never seen."""
        self._sure = not self._flow.credited
        for vc in self._flow.channels:
            self._waiting[vc] = True


class CreditReturnRules:
    """What CF_Updates a device may send, given the frames that it has accepted.

    * *CF VC*: credits come back for VCs that have them.
    * *CF count*: never more than the accepted frames cost, nor less by more than the buffer
      holds, and never less than before.
    * *CF spacing*: CF_Updates keep their least and their largest distance.

    Attributes
    ----------
    deadline
        Cycle in which the next CF_Update must have been sent.
    silent_until
        First cycle in which the device may send anything.
    """

    def __init__(self, port: int | str, limits: RuleLimits, flow: FlowSettings) -> None:
        self._port = port
        self._flow = flow
        self._least = -(-min(flow.cf_min, flow.cf_max) // limits.word_bytes)
        self._most = (max(flow.cf_min, flow.cf_max) // limits.word_bytes
                      + _SPACINGS * limits.set_cycles + limits.ack_cycles + limits.skew)
        self._accepted = [0] * flow.vcs
        self._reported: list[int | None] = [None] * flow.vcs
        self._last = -NEVER
        self.deadline = NEVER
        self.silent_until = 0

    def begin(self, cycle: int) -> None:
        """The device is at work from now on."""
        if self._flow.credited and self.deadline == NEVER:
            self.deadline = max(cycle, self.silent_until) + self._most

    def frame(self, vc: int, length: int) -> None:
        """The device has received a frame well and in order."""
        if self._flow.credited >> vc & 1:
            cost = self._flow.own.unit.credits(length)
            self._accepted[vc] = self._accepted[vc] + cost & _COUNT

    def counts(self, consumed: Sequence[int]) -> None:
        """The device has received a CC_Update, and takes its counts."""
        for vc in self._flow.channels:
            if consumed[vc] != self._accepted[vc]:
                self._accepted[vc] = consumed[vc]
                self._reported[vc] = None

    def update(self, cycle: int, item: CreditUpdate) -> None:
        """The device begins to show a CF_Update."""
        since = cycle - self._last
        if since < self._least:
            raise broken(self._port, cycle, "CF spacing", f"a CF_Update comes {since} cycles after "
                         f"the one before, {self._least} must have passed")
        self._last = cycle
        self.deadline = cycle + self._most
        self._entry(cycle, item.vc, item.freed)
        self._entry(cycle, item.second_vc, item.second_freed)

    def late(self, cycle: int) -> None:
        """The deadline is over."""
        raise broken(self._port, cycle, "CF spacing", f"no CF_Update in {self._most} cycles")

    def _entry(self, cycle: int, vc: int, freed: int) -> None:
        flow, port = self._flow, self._port
        if vc >= flow.vcs or not flow.credited >> vc & 1:
            raise broken(port, cycle, "CF VC", f"VC {vc} has no credits")
        accepted, before = self._accepted[vc] & _FREED, self._reported[vc]
        if (accepted - freed & _FREED) > flow.own.of(vc):
            raise broken(port, cycle, "CF count", f"{freed} credits of VC {vc} are said to be "
                         f"free, the frames accepted cost {accepted} and the buffer holds "
                         f"{flow.own.of(vc)}")
        if before is not None and (freed - before & _FREED) > _FREED >> 1:
            raise broken(port, cycle, "CF count", f"{freed} credits of VC {vc} are said to be "
                         f"free, and {before} were before")
        self._reported[vc] = freed
