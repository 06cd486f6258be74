# SPDX-License-Identifier: Apache-2.0
"""Sends, numbers or drops the frames that the replay buffer's reader fetches."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, ValueLike
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.register_map import COUNTERS, Action, Counter
from gavel_rtl.llr_interfaces import FetchedWord, LaunchedWord, LlrSettings


class FrameLauncher(wiring.Component):
    """Decides what becomes of the word in register B (docs/llr.md, 6.2).

    Parameters
    ----------
    config
        W, S.

    Members
    -------
    settings
        Registers as visible in the cycle.
    fetched
        Register B.
    free
        Register O is empty or taken in this cycle.
    up, lost
        The link is up; has been down for PCS_LOST.
    may_keep, must_wait, rests, may_pass, may_drop
        As of `RetryState`.
    running, in_init, in_flush
        The state is ADVANCE or REPLAY; INIT; FLUSH; with none of them OFF.
    send, send_is_next
        Number of the frame, if it is kept; and it is sent for the first time.
    mid, mid_after
        A frame has begun and not ended; the same of the next cycle, which is known late.
    blocks
        The action in force is BLOCK.
    launched
        B is launched or dropped in this cycle ...
    first_launch
        ... not for a replay.
    finish
        A frame ends in this cycle, not for a replay.
    passed_by
        ... and it is not kept.
    kept_last
        A kept frame ends in this cycle.
    numbered
        A kept frame ends in this cycle, sent for the first time.
    o_word
        To register O, if it is free; all members 0 without a word.
    count
        Counter events.

    Cycle behaviour
    ---------------
    Combinational; what a frame is, is decided with its first word and stays. After reset no frame
    has begun. ``free`` comes late, so that all that depends on it is made for both of its values.
    """

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "settings": In(LlrSettings(config)),
            "fetched": In(FetchedWord(config)),
            "free": In(1),
            "up": In(1),
            "lost": In(1),
            "may_keep": In(1),
            "must_wait": In(1),
            "rests": In(1),
            "may_pass": In(1),
            "may_drop": In(1),
            "running": In(1),
            "in_init": In(1),
            "in_flush": In(1),
            "send": In(config.seq_bits),
            "send_is_next": In(1),
            "mid": Out(1),
            "mid_after": Out(1),
            "blocks": Out(1),
            "launched": Out(1),
            "first_launch": Out(1),
            "finish": Out(1),
            "passed_by": Out(1),
            "kept_last": Out(1),
            "numbered": Out(1),
            "o_word": Out(LaunchedWord(config)),
            "count": Out(COUNTERS),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        fetched, mid = self.fetched, self.mid
        eop, again = fetched.eop, ~self.send_is_next
        discards = self._act(m)
        was_first_time, was_dropped, was_kept = Signal(), Signal(), Signal()
        # A first word, if there is one, is kept; is not, with O free; is dropped without.
        keeps, passes, drops = Signal(name="keeps"), Signal(name="passes"), Signal(name="drops")
        m.d.comb += [
            keeps.eq(self.may_keep & self.up & ~self.must_wait),
            passes.eq(self.rests & self.may_pass & ~self.blocks),
            drops.eq(self.rests & self.may_drop & discards),
        ]

        def kept(first: ValueLike, later: ValueLike) -> Value:
            """B is launched in this cycle and kept, with a condition for a first word and one for
            another."""
            return self.free & fetched.valid & Mux(mid, was_kept & later, keeps & first)

        def launched(kept: ValueLike, passed: ValueLike, later: ValueLike) -> Value:
            """B is launched or dropped in this cycle, with a condition for a first word that is
            kept, one that is not, and another word."""
            return fetched.valid & Mux(
                self.free, Mux(mid, later, (keeps & kept) | (passes & passed)),
                Mux(mid, was_dropped & later, drops & passed))

        ends, poisoned = Signal(name="ends"), fetched.poisoned
        m.d.comb += [
            ends.eq(kept(eop, eop)),
            self.launched.eq(launched(1, 1, 1)),
            self.first_launch.eq(launched(~again, 1, was_first_time)),
            self.finish.eq(launched(eop & ~again, eop, eop & was_first_time)),
            self.passed_by.eq(launched(0, eop, eop & ~was_kept)),
            self.kept_last.eq(ends),
            self.numbered.eq(kept(eop & ~again, eop & was_first_time)),
            self.count[Counter.LLR_TX_DISCARD].eq(
                launched(0, eop & discards, eop & was_dropped)),
            self.count[Counter.LLR_TX_OK].eq(ends & ~poisoned),
            self.count[Counter.LLR_TX_POISONED].eq(ends & poisoned),
        ]
        m.d.comb += self.mid_after.eq(Mux(self.launched, ~eop, mid))
        m.d.sync += mid.eq(self.mid_after)
        # Of a frame that does not begin in this cycle it means nothing yet.
        with m.If(~mid):
            m.d.sync += [
                was_dropped.eq(discards),
                was_kept.eq(self.running),
                was_first_time.eq(~(self.running & again)),
            ]
        word = self.o_word
        with m.If(fetched.valid & Mux(mid, ~was_dropped, keeps | (passes & ~discards))):
            m.d.comb += [
                word.valid.eq(1),
                word.eop.eq(eop),
                word.empty.eq(fetched.empty),
                word.data.eq(fetched.data),
            ]
            m.d.comb += word.sop.eq(~mid)
        with m.If(fetched.valid & ~mid & keeps):
            m.d.comb += [word.llr.eq(1), word.seq.eq(self.send)]
        return m

    def _act(self, m: Module) -> Signal:
        """The action in force: whether it is DISCARD, and in ``blocks`` whether it is BLOCK."""
        settings = self.settings
        discard, block, discards = (Signal(name=f"{name}_is_set") for name in (
            "discard", "block", "discards"))
        states = ((self.in_init, settings.init_action), (self.in_flush, settings.flush_action))
        m.d.comb += [
            discard.eq(Cat(here & (action == Action.DISCARD) for here, action in states).any()),
            block.eq(Cat(here & (action >= Action.BLOCK) for here, action in states).any()),
            # A peer that is silent does not block for ever.
            self.blocks.eq(block & ~self.lost),
            discards.eq(discard | (block & self.lost)),
        ]
        return discards
