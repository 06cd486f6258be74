# SPDX-License-Identifier: Apache-2.0
"""Chooses the two VCs whose freed credits the peer is told next."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.ordered_set import CF_BITS
from gavel_rtl.flow_interfaces import CreditRequest
from gavel_rtl.lib.one_hot import encode, select
from gavel_rtl.lib.round_robin import above, pointer_after
from gavel_rtl.lib.sums import is_less


class _Key:
    """How much a VC has to tell: ``value``, or 0 if it was ``told``."""

    def __init__(self, value: Signal, told: Value):
        self._any = value.any()
        self.value = value
        self.told = told

    def any(self) -> Value:
        """It has something to tell."""
        return self._any & ~self.told


class CreditReporter(wiring.Component):
    """What CF_Update says (docs/flow_control.md, Receiver, Choice).

    All pairs of VCs are compared at once. The largest is larger than all others, and the second
    than all others but the largest. With ``gate_stages`` = 2 the keys stand in registers before
    they are compared, and what was told meanwhile is no part of the comparison. What can be known
    without a comparison does not wait for one.

    Parameters
    ----------
    config
        V.

    Members
    -------
    receiver, receives
        Bit v: VC v has a receiver; any has.
    released
        Low 15 bits of R_CF of each VC.
    cc_update
        A CC_Update came in the cycle before, w+1: every VC is to be told.
    sent
        The request is sent in this cycle.
    request
        To ControlTransmitter.

    Cycle behaviour
    ---------------
    The choice of a cycle shows in the next; the counts that ``request`` gives are those visible in
    the cycle. What is to be told again by ``cc_update`` stays so if something is ``sent`` in the
    same cycle. With ``gate_stages`` = 2 the keys are those of the cycle before, but for what was
    told in it. After reset the choice is VC 0 twice.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "receiver": In(config.vcs),
            "receives": In(1),
            "released": In(CF_BITS).array(config.vcs),
            "cc_update": In(1),
            "sent": In(1),
            "request": Out(CreditRequest()),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        vcs = self._config.vcs
        first, second = Signal(vcs, init=1), Signal(vcs, init=1)
        turn = self._turn(m, second)
        keys = [self._key(m, vc, first, second) for vc in range(vcs)]
        largest = self._largest(m, keys, turn)
        nonzero = Signal(vcs)
        others, telling = Signal(vcs), Signal(vcs)
        m.d.comb += [
            nonzero.eq(self.receiver & Cat(key.any() for key in keys)),
            others.eq(self.receiver & ~largest),
            telling.eq(nonzero & ~largest),
        ]
        # One of those that there are is the largest, and has something to tell if any has.
        following = Mux((nonzero & above(nonzero)).any(), self._nearest(telling, turn),
                        self._nearest(others, turn))

        request = self.request
        chosen = Signal(vcs)
        # Number 0 stands for none, too.
        m.d.comb += chosen.eq(Mux(self.receives, largest, 1))
        chosen_before = Signal()
        m.d.sync += [
            chosen_before.eq(self.receives),
            first.eq(chosen),
            second.eq(Mux((self.receiver & above(self.receiver)).any(), following, chosen)),
            request.pending.eq(nonzero.any()),
        ]
        m.d.comb += [
            request.enabled.eq(self.receives & chosen_before),
            request.vc.eq(encode(first, self._config.vc_bits)),
            request.second_vc.eq(encode(second, self._config.vc_bits)),
            request.freed.eq(select(list(zip(first, self.released, strict=True)))),
            request.second_freed.eq(select(list(zip(second, self.released, strict=True)))),
        ]
        return m

    def _turn(self, m: Module, second: Signal) -> Signal:
        """Mask of the VCs that come first among equals."""
        turn = Signal(self._config.vcs)
        following = pointer_after(second)
        if self._config.gate_stages > 1:
            # What is sent is known late, and far away: it chooses behind a register.
            self._sent_before = Signal(name="sent_before")
            turn_before, following_before = (
                Signal.like(turn, name=f"{name}_before") for name in ("turn", "following"))
            m.d.sync += [
                self._sent_before.eq(self.sent),
                turn_before.eq(turn),
                following_before.eq(following),
            ]
            m.d.comb += turn.eq(Mux(self._sent_before, following_before, turn_before))
        else:
            with m.If(self.sent):
                m.d.sync += turn.eq(following)
        return turn

    def _key(self, m: Module, vc: int, first: Signal, second: Signal) -> _Key:
        """How much VC ``vc`` has to tell; keeps what it told last."""
        reported = Signal(CF_BITS, name=f"reported_{vc}")
        due = Signal(name=f"due_{vc}")
        pending = Signal(CF_BITS, name=f"pending_{vc}")
        told = Signal(name=f"told_{vc}")
        # What is sent is known late: what it told of the VC is put down a cycle later.
        just_told = Signal(name=f"just_told_{vc}")
        released_before = Signal(CF_BITS, name=f"released_before_{vc}")
        known = Signal(CF_BITS, name=f"known_{vc}")
        m.d.sync += released_before.eq(self.released[vc])
        m.d.comb += [
            known.eq(Mux(just_told, released_before, reported)),
            pending.eq(self.released[vc] - known),
        ]
        # ``due`` but for what was just told, where that is put down later, too.
        still_due = Signal(name=f"still_due_{vc}")
        if self._config.gate_stages > 1:
            key_before = Signal(CF_BITS + 1, name=f"key_before_{vc}")
            due_again = Signal(name=f"due_again_{vc}")
            # A CF_Update of the cycle before would tell of it, and put that down.
            tells, puts_down = Signal(name=f"tells_{vc}"), Signal(name=f"puts_down_{vc}")
            m.d.comb += [
                told.eq(self._sent_before & tells),
                just_told.eq(self._sent_before & puts_down),
            ]
            m.d.sync += [
                tells.eq(first[vc] | second[vc]),
                puts_down.eq((first[vc] | second[vc]) & self.receiver[vc]),
                due_again.eq(self.cc_update),
                key_before.eq(Cat(still_due, pending)),
            ]
            m.d.comb += still_due.eq(due & (due_again | ~told))
            key = _Key(key_before, told)
        else:
            now = Signal(CF_BITS + 1, name=f"key_{vc}")
            m.d.sync += just_told.eq(told & self.receiver[vc])
            m.d.comb += [
                told.eq(self.sent & (first[vc] | second[vc])),
                still_due.eq(due & ~told),
                now.eq(Cat(due, pending)),
            ]
            key = _Key(now, Const(0, 1))
        with m.If(self.receiver[vc]):
            m.d.sync += [due.eq(self.cc_update | still_due), reported.eq(known)]
        with m.Else():
            m.d.sync += [due.eq(0), reported.eq(0)]
        return key

    @staticmethod
    def _is_nearer(high: int, low: int, turn: Signal) -> Value:
        """Whether ``high`` comes before ``low``, which is less, from ``turn`` on."""
        return turn[high] & ~turn[low]

    def _nearest(self, request: Signal, turn: Signal) -> Value:
        """The first of ``request`` from ``turn`` on, one-hot: no other comes before it.

        All pairs at once, because the largest key, which is left out, is known late.
        """
        vcs = range(self._config.vcs)
        return Cat(
            request[vc] & ~Cat(
                request[other] & (self._is_nearer(other, vc, turn) if other > vc
                                  else ~self._is_nearer(vc, other, turn))
                for other in vcs if other != vc).any()
            for vc in vcs)

    def _largest(self, m: Module, keys: list[_Key], turn: Signal) -> Signal:
        """The VC with the largest key, one-hot; 0 if there is none.

        Of equal keys that of the first VC at or after ``turn`` counts as larger.
        """
        vcs = self._config.vcs
        goes_first = [Signal(vcs, name=f"goes_first_{vc}") for vc in range(vcs)]
        for low in range(vcs):
            for high in range(low + 1, vcs):
                # One comparison: a bit below the keys decides between equal ones.
                high_is_nearer = self._is_nearer(high, low, turn)
                one, other = keys[low], keys[high]
                reaches = ~is_less(Cat(Const(0, 1), one.value), Cat(high_is_nearer, other.value))
                wins = Signal(name=f"wins_{low}_{high}")
                m.d.comb += [
                    wins.eq(Mux(other.told, one.any() | ~high_is_nearer,
                                Mux(one.told, ~(other.any() | high_is_nearer), reaches))),
                    goes_first[low][high].eq(wins | ~self.receiver[high]),
                    goes_first[high][low].eq(~wins | ~self.receiver[low]),
                ]
            m.d.comb += goes_first[low][low].eq(1)
        largest = Signal(vcs)
        m.d.comb += [largest[vc].eq(self.receiver[vc] & beaten.all())
                     for vc, beaten in enumerate(goes_first)]
        return largest
