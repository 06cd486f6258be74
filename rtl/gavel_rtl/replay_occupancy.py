# SPDX-License-Identifier: Apache-2.0
"""What is reserved, held and waiting in a replay buffer, and whether one more frame fits."""

from collections.abc import Sequence
from itertools import pairwise

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, ValueLike
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_rtl.frame_record import frame_count_bits
from gavel_rtl.lib import ring
from gavel_rtl.lib.sums import add_three, less_both
from gavel_rtl.llr_interfaces import LlrSettings
from gavel_rtl.voq import one_word_frames

UNSENT_WORDS = 8
"""So many words that were never launched hold back further frames."""


class ReplayOccupancy(wiring.Component):
    """Counts words and frames of an output, and holds back matches (docs/llr.md, 6.1).

    Parameters
    ----------
    config
        W, S, ``replay_cells``, ``replay_frames``, ``max_frame_bytes``.

    Members
    -------
    settings
        Registers as visible in the cycle.
    matched
        A frame was matched to this output, cycle s, with ``gate_stages`` = 2 in s+1.
    written, written_eop
        A word is written, cycle e; the last one of a frame.
    launched_first
        A word is launched for the first time, or dropped ...
    passed_by
        ... and it is the last one of a frame that is not kept.
    given_back, dropped, dropped_words, dropped_more
        Words given back, as of `ReplayBuffer`: the last two with ``dropped``, which comes late.
    progress, value, acked
        As of `RetryState`: ``oldest`` goes on, to v + 1, low bits. No frame ends then that is not
        kept.
    given_up, newest
        As of `RetryState`: ``oldest`` becomes ``next``, and no frame ends. Low bits.
    lets_come
        The state lets frames come.
    hold
        No frame may be matched to this output in this cycle.
    used
        Words reserved or held.

    Cycle behaviour
    ---------------
    ``hold`` is combinational; what happens in a cycle is counted in the next. With
    ``gate_stages`` = 1 a match is counted one cycle later, and ``hold`` is a register, made up in
    the cycle before with room for what is matched and not counted; where a frame may be a single
    word it is one of two, by whether there was a match in that cycle. With 2 a match is counted
    yet another cycle later, and there is a register before that of ``hold``, too: what there is
    room for is compared in one cycle, and whether there was a match chooses in the next. The sums
    are made a cycle after that, and ``used`` has what they lack. After reset ``hold`` is 0 for as
    many cycles.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "settings": In(LlrSettings(config)),
            "matched": In(1),
            "written": In(1),
            "written_eop": In(1),
            "launched_first": In(1),
            "given_back": In(ring.pointer_bits(config.replay_words)),
            "dropped": In(1),
            "dropped_words": In(ring.pointer_bits(config.replay_words)),
            "dropped_more": In(1),
            "passed_by": In(1),
            "progress": In(1),
            "given_up": In(1),
            **dict.fromkeys(("value", "acked", "newest"), In(frame_count_bits(config))),
            "lets_come": In(1),
            "hold": Out(1),
            "used": Out(config.replay_words.bit_length()),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        late = self._config.gate_stages
        # With ``late`` it is that of the cycle before, or of the one before that.
        self._counts = Signal(name="match_counts")
        m.d["sync" if late else "comb"] += self._counts.eq(self.matched)
        # What goes into the sums, and the same a cycle ahead. A register that stands near the
        # scheduler would be late for them.
        self._enters, self._enters_next = self._counts, self.matched
        if late > 1:
            self._enters, self._enters_next = Signal(name="match_enters"), self._counts
            m.d.sync += self._enters.eq(self._counts)
        window_words = Cat(Const(0, self._config.words_per_cell.bit_length() - 1),
                           self.settings.window_cells)
        claimed, frames = self._count_words(m), self._count_frames(m)
        few_unsent, may_come = self._count_unsent(m), Signal()
        if late > 1:
            self._hold_later(m, few_unsent, [
                self._fits(claimed, frames, window_words, more) for more in range(2)])
            return m
        m.d.comb += may_come.eq(few_unsent & self.lets_come)
        if not late:
            frames_fit = Signal()
            m.d.comb += [
                frames_fit.eq(frames < self.settings.window_frames),
                self.hold.eq(~(may_come & (window_words >= claimed) & frames_fit)),
            ]
            return m
        holds = []
        # Whether there was a match in the cycle before comes from far: all that follows from it is
        # ready.
        fits = [self._fits(claimed, frames, window_words, more) for more in range(
            3 if one_word_frames(self._config) else 2)]
        for more, (alone, behind) in enumerate(pairwise(fits)):
            held = Signal(name=f"hold_after_{more}")
            m.d.sync += held.eq(~(may_come & Mux(self._counts, behind, alone)))
            holds.append(held)
        m.d.comb += self.hold.eq(Mux(self._counts, holds[-1], holds[0]))
        return m

    def _hold_later(self, m: Module, few_unsent: Value, fits: Sequence[Value]) -> None:
        """``hold`` in two steps. Frames have four words, so at most one match of three cycles has
        not entered the sums."""
        entered = Signal(name="match_entered")
        # The state comes from another block: no gate is shared with it.
        few_unsent_before, lets_come_before = (Signal(name=f"{name}_before", init=1) for name in (
            "few_unsent", "lets_come"))
        alone, behind = (Signal(name=f"fits_behind_{more}", init=1) for more in range(2))
        held = Signal(name="held")
        m.d.sync += [
            few_unsent_before.eq(few_unsent),
            lets_come_before.eq(self.lets_come),
            alone.eq(fits[0]),
            behind.eq(fits[1]),
            entered.eq(self._enters),
            held.eq(~(few_unsent_before & lets_come_before
                      & Mux(self._counts | self._enters | entered, behind, alone))),
        ]
        m.d.comb += self.hold.eq(held)

    def _fits(self, claimed: Signal, frames: Signal, window_words: Value, more: int) -> Value:
        """Whether there is room for a frame behind ``more`` that are not counted."""
        longest = self._config.max_frame_words
        # The upper bit is the sign of what is left, less one.
        window = Cat(window_words, Const(0, len(claimed) + 2 - len(window_words)))
        words_left = less_both(window, claimed, Const(longest * more, len(claimed)))
        frames_left = less_both(Cat(self.settings.window_frames, Const(0, 2)), frames,
                                Const(more + 1, 2))
        return ~words_left[-1] & ~frames_left[-1]

    def _count_words(self, m: Module) -> Signal:
        """Words reserved or held, and a longest frame."""
        config = self._config
        longest = config.max_frame_words
        claimed = Signal(len(self.used) + 1, init=longest)
        # Every sum there may be is ready by the time at which one of them is known to count.
        last, changes = self._know_changes(m, claimed)
        sums = []
        # Of a dropped frame ``no_more`` goes beside what was known a cycle before.
        for name, no_more in (("given_back", Const(1, 1)), ("dropped_words", ~self.dropped_more)):
            less = Signal.like(claimed, name=f"less_words_{name}")
            m.d.comb += less.eq(~Cat(getattr(self, name), Const(0, len(claimed))))
            sums.append([add_three(claimed, change, less, no_more) for change in changes])
        without, with_last = Signal.like(claimed), Signal.like(claimed)
        m.d.comb += [after.eq(Mux(self.dropped, dropped, kept)) for after, kept, dropped
                     in zip((without, with_last), *sums, strict=True)]
        m.d.sync += claimed.eq(Mux(last, with_last, without))
        # A match that has yet to enter is reserved for, too.
        reserved = claimed - longest
        m.d.comb += self.used.eq(
            Mux(self._enters, claimed, reserved) if config.gate_stages > 1 else reserved)
        return claimed

    def _know_changes(self, m: Module, claimed: Signal) -> tuple[Value, list[Signal]]:
        """Which of a match and the end of a frame is known last, and what they come to without it
        and with it."""
        longest = self._config.max_frame_words
        # Words of the frame that is being written, the one of this cycle included; and without
        # those of a longest one, for that was reserved.
        length = Signal(range(longest + 1), init=1)
        short = Signal(range(1 - longest, 1), init=1 - longest)
        length_after, short_after = Signal.like(length), Signal.like(short)
        # 0 without a word.
        ends = self.written_eop
        m.d.comb += [length_after.eq(length), short_after.eq(short)]
        with m.If(self.written):
            m.d.comb += [length_after.eq(Mux(ends, 1, length + 1)),
                         short_after.eq(Mux(ends, 1 - longest, short + 1))]
        m.d.sync += [length.eq(length_after), short.eq(short_after)]
        without, with_last = (Signal.like(claimed, name=f"change_{which}")
                              for which in ("without", "with_last"))
        if self._config.gate_stages:
            # A word comes from far; the match is that of a cycle before.
            if_ends = Signal(range(1 - longest, longest + 1), name="change_if_ends",
                             init=1 - longest)
            m.d.sync += if_ends.eq(Mux(self._enters_next, length_after, short_after))
            m.d.comb += [without.eq(Mux(self._enters, longest, 0)), with_last.eq(if_ends)]
            return ends, [without, with_last]
        m.d.comb += [
            without.eq(Mux(ends, short, 0)),
            with_last.eq(Mux(ends, length, longest)),
        ]
        return self._enters, [without, with_last]

    def _count_unsent(self, m: Module) -> Value:
        """Words never launched; whether they are few."""
        # Without the cycle before, in which a word may have come, or one have gone.
        unsent = Signal.like(self.used)
        came, went = Signal(name="word_came"), Signal(name="word_went")
        m.d.sync += [
            came.eq(self.written & ~self.launched_first),
            went.eq(~self.written & self.launched_first),
        ]
        with m.If(came | went):
            m.d.sync += unsent.eq(Mux(went, unsent - 1, unsent + 1))
        return Mux(went, unsent < UNSENT_WORDS + 1,
                   Mux(came, unsent < UNSENT_WORDS - 1, unsent < UNSENT_WORDS))

    def _count_frames(self, m: Module) -> Signal:
        """Frames outstanding or waiting."""
        frames = Signal(frame_count_bits(self._config))

        def behind(more: ValueLike) -> Value:
            more = Value.cast(more)
            acked, given_up = (add_three(frames, ~number, self.acked, Const(1, 1), more)
                               for number in (self.value, self.newest))
            # Of these three one at most. The last is late, and is no enable: that all bits stay as
            # they are is a sum, too.
            return Mux(self.passed_by, frames - ~more, Mux(self.progress, acked, Mux(
                self.given_up, given_up, frames + more)))

        m.d.sync += frames.eq(behind(self._enters) if self._config.gate_stages > 1
                              else Mux(self._enters, behind(1), behind(0)))
        return frames
