# SPDX-License-Identifier: Apache-2.0
"""Where the number in an ordered set stands among the frames outstanding, known when it comes."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig


def is_before(number: Value, other: Value, *, or_at: bool = False) -> Value:
    """Whether ``number`` comes before ``other`` (or is it), in sequence numbers of one width.

    They must not be further apart than half of all numbers. One carry chain.
    """
    bits = len(number)
    if or_at:
        return (Cat(Const(0, 1), number) - Cat(Const(1, 1), other))[bits]
    return (number - other)[bits - 1]


def is_same(number: Value, other: Value) -> Value:
    """Whether both are the same, compared before anything chooses between it and another one."""
    return ~(number ^ other).any()


class AckWindow(wiring.Component):
    """Judges an ACK or NACK (docs/llr.md, 6.3) one cycle before it counts.

    Comparing v takes most of a cycle, so it is done while the set is being checked, with each
    number that the state may have in the cycle in which it counts.

    Parameters
    ----------
    config
        S.

    Members
    -------
    coming, coming_ack, coming_nack
        v of the set that `ControlSet` shows in the next cycle, and what it is.
    value
        v of the one that it shows in this cycle.
    acked, newest, next
        State: the numbers before ``oldest`` and ``next``, and the latter.
    replayed
        The number before ``replay_from``.
    numbered, replay
        In this cycle ``next`` goes on; ``replay_from`` becomes what ``oldest`` does.
    to_advance
        The state of the next cycle is ADVANCE, if no frame is sent again from then on.
    moves
        An ACK or NACK; v + 1 is past ``oldest`` and not past ``next``.
    fits
        Either that, or it is ``oldest``.
    leaves
        ``fits``, and v + 1 is not ``next``: frames are left outstanding.
    drains
        ``fits``, and v + 1 is ``next``: none is.
    nacks
        ``leaves``, and it is a NACK.
    repeats
        v + 1 is ``replay_from``.
    asks
        ``nacks``, and its frames are not being sent again; meaningless if they were found to have
        to be in the cycle before.

    Cycle behaviour
    ---------------
    The results are registers, or one of two by a third, and belong to ``value``. They
    count in ADVANCE and REPLAY only: the numbers that a restart or an INIT sets are not looked at.
    ``numbered`` comes late, and only chooses.
    """

    def __init__(self, config: SwitchConfig):
        number = In(config.seq_bits)
        super().__init__({
            "coming": number,
            "coming_ack": In(1),
            "coming_nack": In(1),
            "value": number,
            "acked": number,
            "newest": number,
            "next": number,
            "replayed": number,
            "numbered": In(1),
            "replay": In(1),
            "to_advance": In(1),
            "moves": Out(1),
            "fits": Out(1),
            "leaves": Out(1),
            "drains": Out(1),
            "nacks": Out(1),
            "repeats": Out(1),
            "asks": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        coming, nack = self.coming, self.coming_nack
        past, at_oldest, repeats = (Signal(name=f"{name}_after") for name in (
            "is_past", "is_at_oldest", "repeats"))
        # In ADVANCE and REPLAY; before them it is ``oldest`` anyway.
        accepted = self.fits
        m.d.comb += [
            # v is at or past ``oldest``, which is one more than ``acked``.
            past.eq(~Mux(accepted, is_before(coming, self.value, or_at=True),
                         is_before(coming, self.acked, or_at=True))),
            at_oldest.eq(Mux(accepted, is_same(coming, self.value), is_same(coming, self.acked))),
            repeats.eq(coming == self.replayed),
        ]
        # With ``next`` as it is, and one further.
        before_next, others = (Signal(2, name=name) for name in ("is_before_next", "others"))
        m.d.comb += [
            before_next.eq(Cat(is_before(coming, self.next, or_at=bool(further))
                               for further in range(2))),
            others.eq(Cat(coming != newest for newest in (self.newest, self.next))),
        ]
        results = [self._compare(m, name, past, at_oldest, *told) for name, *told in zip(
            ("kept", "further"), before_next, others, strict=True)]

        # Both are kept, for whatever the set is: that, and whether ``next`` went on, are registers
        # beside them. A launch waits for ``moves`` and ``asks``, which are one each.
        went_on, answers, is_nack = (Signal(name=name) for name in (
            "went_on", "answers", "is_nack"))
        counts, again = self.coming_ack | nack, Signal(name="again")
        asks_past, asks_others = Signal(name="asks_past"), Signal(name="asks_others")
        some = others & again.replicate(2)
        m.d.comb += [
            again.eq(nack & (self.to_advance | ~repeats)),
            asks_others.eq(Mux(self.numbered, some[1], some[0])),
            asks_past.eq(Mux(self.numbered, some[1] & before_next[1], some[0] & before_next[0])),
        ]
        m.d.sync += [
            went_on.eq(self.numbered),
            answers.eq(counts),
            is_nack.eq(nack),
            self.moves.eq(counts & Mux(self.numbered, results[1]["moves"], results[0]["moves"])),
            # As ``leaves`` and ``again`` come to, but ``past`` is the last of many.
            self.asks.eq((past & asks_past) | (at_oldest & asks_others)),
            self.repeats.eq(Mux(self.replay, at_oldest, repeats)),
        ]
        chosen = {}
        for name in ("fits", "leaves", "drains"):
            kept, further = (Signal(name=f"{name}_{of}_before") for of in ("kept", "further"))
            m.d.sync += [register.eq(result[name]) for register, result
                         in zip((kept, further), results, strict=True)]
            chosen[name] = Mux(went_on, further, kept)
        m.d.comb += [
            self.fits.eq(answers & chosen["fits"]),
            self.leaves.eq(answers & chosen["leaves"]),
            self.drains.eq(answers & chosen["drains"]),
            self.nacks.eq(is_nack & chosen["leaves"]),
        ]
        return m

    @staticmethod
    def _compare(m: Module, name: str, past: Value, at_oldest: Value, before_next: Value,
                 another: Value) -> dict[str, Signal]:
        """The results, whatever the set is, with one of the numbers that ``next`` may be.
        ``another``: v is not the number before it."""
        results = {of: Signal(name=f"{of}_{name}") for of in (
            "moves", "fits", "leaves", "drains")}
        m.d.comb += [
            results["moves"].eq(past & before_next),
            results["fits"].eq(results["moves"] | at_oldest),
            results["leaves"].eq(results["fits"] & another),
            results["drains"].eq(results["fits"] & ~another),
        ]
        return results
