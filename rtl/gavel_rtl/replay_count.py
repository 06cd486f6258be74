# SPDX-License-Identifier: Apache-2.0
"""Replays without progress, and whether they may be no more."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_rtl.llr_interfaces import REPLAY_COUNT_BITS, ComingLlrSettings

_NO_LIMIT = (1 << REPLAY_COUNT_BITS) - 1


class ReplayCount(wiring.Component):
    """Counts the replays since the last progress (docs/llr.md, 6.4).

    Members
    -------
    coming
        Settings as visible in the next cycle.
    moves
        If the state is ADVANCE or REPLAY, an ACK moves ``oldest`` in this cycle.
    replay
        A replay begins, in one of these states.
    clear
        Without one, the count becomes 0. May come late.
    replays
        State: the count, which stays at the greatest.
    exhausted
        With ``moves`` as it is, no replay may begin.

    Cycle behaviour
    ---------------
    ``exhausted`` is one of two registers: what the count can become is compared in the cycle
    before, with the limit that will be visible then.
    """

    coming: In(ComingLlrSettings())
    moves: In(1)
    replay: In(1)
    clear: In(1)
    replays: Out(REPLAY_COUNT_BITS)
    exhausted: Out(1)

    def elaborate(self, platform):
        m = Module()
        limit, replays = self.coming.replay_count, self.replays
        # With the count as it is, and with 0.
        reached, none = Signal(name="reached"), Signal(name="none")
        one_more, grown = Signal(REPLAY_COUNT_BITS), Signal(REPLAY_COUNT_BITS)
        limited, grown_reaches, kept_reaches = Signal(), Signal(), Signal()
        m.d.comb += [
            self.exhausted.eq(Mux(self.moves, none, reached)),
            one_more.eq(Mux(replays == _NO_LIMIT, _NO_LIMIT, replays + 1)),
            grown.eq(Mux(self.moves, 1, one_more)),
            limited.eq(limit != _NO_LIMIT),
            # What is known late chooses among what is ready.
            grown_reaches.eq(limited & Mux(self.moves, limit <= 1, one_more >= limit)),
            kept_reaches.eq(limited & (replays >= limit)),
        ]
        m.d.sync += [
            none.eq(limit == 0),
            reached.eq(Mux(self.replay, grown_reaches,
                           Mux(self.clear, limit == 0, kept_reaches))),
        ]
        with m.If(self.replay | self.clear):
            m.d.sync += replays.eq(Mux(self.replay, grown, 0))
        return m
