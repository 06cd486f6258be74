# SPDX-License-Identifier: Apache-2.0
"""Sends, numbers or drops the frames that the replay buffer's reader fetches."""

from amaranth.hdl import Module, Mux, Signal, Value, ValueLike
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
    may_keep, must_wait, may_pass, may_begin
        As of `RetryState`.
    running, in_init, in_flush
        The state is ADVANCE or REPLAY; INIT; FLUSH; with none of them OFF.
    settled
        As in the specification.
    send, send_is_next
        Number of the frame, if it is kept; and it is sent for the first time.
    mid
        A frame has begun and not ended.
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
    has begun. ``free`` and ``must_wait`` come late, so that all that depends on them is made for
    both of their values.
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
            "may_pass": In(1),
            "may_begin": In(1),
            "running": In(1),
            "in_init": In(1),
            "in_flush": In(1),
            "settled": In(1),
            "send": In(config.seq_bits),
            "send_is_next": In(1),
            "mid": Out(1),
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
        fetched = self.fetched
        m = Module()
        discards = self._act(m)
        dropped, kept, first_time = Signal(), Signal(), Signal()
        was_dropped, was_kept, was_first_time = Signal(), Signal(), Signal()
        keeps, passes = Signal(name="keeps"), Signal(name="passes")
        # A word that is sent whatever `must_wait` says, and one that is dropped.
        goes, sends, drops = Signal(name="goes"), Signal(name="sends"), Signal(name="drops")
        m.d.comb += [
            # Rule 4 of 6.4 is the first that looks at O: with O free INIT goes before a frame.
            keeps.eq(fetched.valid & ~self.mid & self.may_keep & self.up),
            passes.eq(~self.mid & self.may_pass & self.settled),
            goes.eq(fetched.valid & ((self.mid & ~was_dropped) | (
                passes & ~discards & ~self.blocks & ~self.may_begin))),
            drops.eq(fetched.valid & ((self.mid & was_dropped) | (passes & discards))),
            sends.eq(goes | (keeps & ~self.must_wait)),
            dropped.eq(Mux(self.mid, was_dropped, discards)),
            kept.eq(Mux(self.mid, was_kept, self.running)),
            first_time.eq(Mux(self.mid, was_first_time, ~self.running | self.send_is_next)),
        ]

        def launched(condition: ValueLike = 1) -> Value:
            """B is launched or dropped in this cycle, with an early condition."""
            held = drops & condition
            return Mux(self.free, (goes & condition) | (keeps & condition & ~self.must_wait)
                       | (held & ~self.may_begin), held)

        eop = fetched.eop
        m.d.comb += [
            self.launched.eq(launched()),
            self.first_launch.eq(launched(first_time)),
            self.finish.eq(launched(eop & first_time)),
            self.passed_by.eq(launched(eop & first_time & ~kept)),
            self.kept_last.eq(launched(eop & kept)),
            self.numbered.eq(launched(eop & kept & first_time)),
            self.count[Counter.LLR_TX_DISCARD].eq(launched(eop & dropped)),
            self.count[Counter.LLR_TX_OK].eq(launched(eop & kept & ~fetched.poisoned)),
            self.count[Counter.LLR_TX_POISONED].eq(launched(eop & kept & fetched.poisoned)),
        ]
        with m.If(self.launched):
            m.d.sync += [
                self.mid.eq(~fetched.eop),
                was_dropped.eq(dropped),
                was_kept.eq(kept),
                was_first_time.eq(first_time),
            ]
        word = self.o_word
        with m.If(sends):
            m.d.comb += [
                word.valid.eq(1),
                word.eop.eq(fetched.eop),
                word.empty.eq(fetched.empty),
                word.data.eq(fetched.data),
            ]
            m.d.comb += word.sop.eq(~self.mid)
        with m.If(keeps & ~self.must_wait):
            m.d.comb += [word.llr.eq(1), word.seq.eq(self.send)]
        return m

    def _act(self, m: Module) -> Signal:
        """The action in force: whether it is DISCARD, and in ``blocks`` whether it is BLOCK."""
        settings = self.settings
        coming_up, discards = Signal(), Signal()
        action = Signal.like(settings.init_action, name="action")
        block = Signal()
        m.d.comb += [
            coming_up.eq(self.in_init | self.in_flush),
            action.eq(Mux(self.in_flush, settings.flush_action, settings.init_action)),
            block.eq(action >= Action.BLOCK),
            # A peer that is silent does not block for ever.
            self.blocks.eq(coming_up & block & ~self.lost),
            discards.eq(coming_up & ((action == Action.DISCARD) | (block & self.lost))),
        ]
        return discards
