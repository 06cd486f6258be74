# SPDX-License-Identifier: Apache-2.0
"""Sends, numbers or drops the frames that the replay buffer's reader fetches."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, ValueLike
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.register_map import COUNTERS, Counter
from gavel_rtl.llr_interfaces import FetchedWord, LaunchedWord
from gavel_rtl.voq import one_word_frames


class FrameLauncher(wiring.Component):
    """Decides what becomes of the word in register B (docs/llr.md, 6.2).

    Parameters
    ----------
    config
        W, S, ``launch_stages``.

    Members
    -------
    fetched
        Register B.
    free
        Register O is empty or taken in this cycle.
    up
        The link is up.
    may_keep, must_wait, running, passes, drops, sends, discards
        As of `RetryState`.
    send, send_is_next
        Number of the frame, if it is kept; and it is sent for the first time.
    mid, mid_after
        A frame has begun and not ended; the same of the next cycle, which is known late.
    goes
        B is launched or dropped in this cycle, whether or not a first word is kept: bit 0 without
        ``free``, bit 1 with it.
    keeps
        It is, too, if it is a first word and ``free``.
    first_launch
        It is, and not for a replay.
    finish
        A frame ends in this cycle, not for a replay.
    passed_by
        ... and it is not kept.
    kept_last
        A kept frame ends in this cycle.
    ends
        A kept frame ends in this cycle if O is free.
    numbered
        A kept frame ends in this cycle, sent for the first time.
    o_word
        To register O, if it is free; all members 0 without a word. With ``launch_stages`` = 1 it is
        register L, of which ``empty`` and ``data`` are ``fetched``, and mean nothing without a
        word.
    count
        Counter events.

    Cycle behaviour
    ---------------
    Combinational, but for L; what a frame is, is decided with its first word and stays. After reset
    no frame has begun. ``free`` comes late, so that all that depends on it is made for both of its
    values.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "fetched": In(FetchedWord(config)),
            "free": In(1),
            **dict.fromkeys(("up", "may_keep", "must_wait", "running", "passes", "drops", "sends",
                             "discards"), In(1)),
            "send": In(config.seq_bits),
            "send_is_next": In(1),
            "mid": Out(1),
            "mid_after": Out(1),
            "goes": Out(2),
            "keeps": Out(1),
            "first_launch": Out(1),
            "finish": Out(1),
            "passed_by": Out(1),
            "kept_last": Out(1),
            "ends": Out(1),
            "numbered": Out(1),
            "o_word": Out(LaunchedWord(config)),
            "count": Out(COUNTERS),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        fetched, mid = self.fetched, self.mid
        eop, again = fetched.eop, ~self.send_is_next
        # The frame under way is kept; is launched for the first time, or is not kept; is dropped;
        # is sent. With none it is what one would be that began in the cycle before: whether one
        # does is known late.
        is_kept, is_new, is_dropped, is_sent = kinds = [Signal(name=f"is_{name}") for name in (
            "kept", "new", "dropped", "sent")]
        kept, new, dropped, sent = (mid & kind for kind in kinds)
        # A first word, if there is one, is kept. While a frame is under way that is not kept, no
        # state is reached in which another would be; and until the end of one that is, it is the
        # same whether it is sent again.
        # It is the last of what a word waits for, and all that follows from it is ready.
        keeps = self.keeps
        m.d.comb += keeps.eq(self.may_keep & self.up & ~self.must_wait)

        def by_free(free: ValueLike, waiting: ValueLike) -> Value:
            """With a word in B, one of two conditions."""
            return Mux(self.free, fetched.valid & free, fetched.valid & waiting)

        passes, discards = self.passes, self.discards
        # Where a frame has more than one word the last is not the first: all that ends is known of
        # the frame under way.
        alone = Const(one_word_frames(self._config), 1)
        # Without O free, and with it, a word leaves B: of the frame under way; a first one that is
        # not kept.
        goes_on = (fetched.valid & is_dropped, fetched.valid)
        begins = (fetched.valid & self.drops, fetched.valid & passes)
        drops = dropped | (alone & ~mid & self.drops)
        passes_whole = alone & passes
        launches_new = alone & ((keeps & ~again) | passes)
        ends, poisoned = Signal(name="ends"), fetched.poisoned
        m.d.comb += [
            self.goes.eq(Cat(Mux(mid, *leaves) for leaves in zip(goes_on, begins, strict=True))),
            self.first_launch.eq(by_free(new | (keeps & ~again) | passes,
                                         Mux(mid, is_dropped, self.drops))),
            self.finish.eq(by_free(eop & (new | launches_new), eop & drops)),
            self.passed_by.eq(by_free(eop & ((mid & ~is_kept) | passes_whole), eop & drops)),
            self.ends.eq(fetched.valid & eop & (kept | (alone & keeps))),
            ends.eq(self.free & self.ends),
            self.kept_last.eq(ends),
            self.numbered.eq(self.free & (self.ends & ~again)),
            self.count[Counter.LLR_TX_DISCARD].eq(
                by_free(eop & Mux(mid, is_dropped, passes_whole & discards), eop & drops)),
            self.count[Counter.LLR_TX_OK].eq(ends & ~poisoned),
            self.count[Counter.LLR_TX_POISONED].eq(ends & poisoned),
        ]
        mids = [Mux(mid, ~(goes & eop), begun & ~(alone & eop))
                for goes, begun in zip(goes_on, begins, strict=True)]
        begins_kept = self.free & fetched.valid & ~mid & ~(alone & eop)
        m.d.comb += self.mid_after.eq(Mux(self.free, mids[1], mids[0]) | (begins_kept & keeps))
        m.d.sync += [
            mid.eq(self.mid_after),
            *(kind.eq(Mux(mid, kind, at_first)) for kind, at_first in (
                (is_kept, self.running), (is_new, ~(self.running & again)),
                (is_dropped, discards), (is_sent, ~discards))),
        ]
        leaves = fetched.valid & (sent | keeps | (self.sends & ~mid))
        (self._show_later if self._config.launch_stages else self._show)(m, leaves)
        return m

    def _show(self, m: Module, leaves: Value) -> None:
        """What goes to O."""
        fetched, word = self.fetched, self.o_word
        with m.If(leaves):
            m.d.comb += [
                word.valid.eq(1),
                word.eop.eq(fetched.eop),
                word.empty.eq(fetched.empty),
                word.data.eq(fetched.data),
            ]
            m.d.comb += word.sop.eq(~self.mid)
        with m.If(fetched.valid & ~self.mid & self.keeps):
            m.d.comb += [word.llr.eq(1), word.seq.eq(self.send)]

    def _show_later(self, m: Module, leaves: Value) -> None:
        """Register L."""
        fetched, word = self.fetched, self.o_word
        numbered = fetched.valid & ~self.mid & self.keeps
        m.d.comb += [word.empty.eq(fetched.empty), word.data.eq(fetched.data)]
        with m.If(self.free):
            m.d.sync += [
                word.valid.eq(leaves),
                word.sop.eq(leaves & ~self.mid),
                word.eop.eq(leaves & fetched.eop),
                word.llr.eq(numbered),
                word.seq.eq(Mux(numbered, self.send, 0)),
            ]
