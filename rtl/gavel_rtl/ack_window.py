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


class AckWindow(wiring.Component):
    """Judges the v of an ACK or NACK (docs/llr.md, 6.3) one cycle before it counts.

    Comparing takes most of a cycle, so it is done while the set is being checked, with each number
    that the state may have in the cycle in which it counts.

    Parameters
    ----------
    config
        S.

    Members
    -------
    coming
        v of the set that `ControlSet` shows in the next cycle.
    value
        v of the one that it shows in this cycle.
    acked, newest, next
        State: the numbers before ``oldest`` and ``next``, and the latter.
    replayed
        The number before ``replay_from``.
    accepted, numbered, replay
        In this cycle ``oldest`` becomes v + 1; ``next`` goes on; ``replay_from`` becomes what
        ``oldest`` does.
    moves
        v + 1 is past ``oldest`` and not past ``next``.
    fits
        Either that, or it is ``oldest``.
    leaves
        Either that, and it is not ``next``: frames are left outstanding.
    repeats
        It is ``replay_from``.

    Cycle behaviour
    ---------------
    The four results are registers and belong to ``value``. They count in ADVANCE and REPLAY only:
    the numbers that a restart or an INIT sets are not looked at.
    """

    def __init__(self, config: SwitchConfig):
        number = In(config.seq_bits)
        super().__init__({
            "coming": number,
            "value": number,
            "acked": number,
            "newest": number,
            "next": number,
            "replayed": number,
            "accepted": In(1),
            "numbered": In(1),
            "replay": In(1),
            "moves": Out(1),
            "fits": Out(1),
            "leaves": Out(1),
            "repeats": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        coming = self.coming
        names = ("is_past", "is_at_oldest", "is_before_next", "is_at_newest", "moves", "fits")
        past, at_oldest, before_next, at_newest, moves, fits = (Signal(name=f"{name}_after")
                                                                for name in names)
        accepted, numbered = self.accepted, self.numbered
        m.d.comb += [
            # v is at or past ``oldest``, which is one more than ``acked``.
            past.eq(~Mux(accepted, is_before(coming, self.value, or_at=True),
                         is_before(coming, self.acked, or_at=True))),
            at_oldest.eq(Mux(accepted, coming == self.value, coming == self.acked)),
            before_next.eq(Mux(numbered, is_before(coming, self.next, or_at=True),
                               is_before(coming, self.next))),
            at_newest.eq(Mux(numbered, coming == self.next, coming == self.newest)),
            moves.eq(past & before_next),
            fits.eq(moves | at_oldest),
        ]
        m.d.sync += [
            self.moves.eq(moves),
            self.fits.eq(fits),
            self.leaves.eq(fits & ~at_newest),
            self.repeats.eq(Mux(self.replay, at_oldest, coming == self.replayed)),
        ]
        return m
