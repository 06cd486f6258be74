# SPDX-License-Identifier: Apache-2.0
"""Storing side of an ingress buffer."""

from amaranth.hdl import Assert, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.register_map import COUNTERS, Counter
from gavel_rtl.block import place
from gavel_rtl.free_list import FreeList
from gavel_rtl.interfaces import (
    PROFILE_BITS,
    CountedFrame,
    Fields,
    FrameWord,
    Reason,
    Route,
    Verdict,
)
from gavel_rtl.lib.delay import delayed
from gavel_rtl.lib.sums import add_three
from gavel_rtl.voq import (
    FrameInfo,
    more_bits,
    one_word_frames,
    position_bits,
    voq_number,
    voq_number_bits,
)

_OF_VERDICT = (Reason.ERR, Reason.UNDERSIZE, Reason.OVERSIZE, Reason.FCS, Reason.RX_LLR,
               Reason.RX_POISONED)
_OF_FIELDS = (Reason.MAC_CONTROL, Reason.HEADER, Reason.TTL)


class FrameWriter(wiring.Component):
    """Gives cells to arriving words, and files or takes back each frame (spec chapter 7, 1 to 4).

    Members
    -------
    word, empty
        The word of cycle w.
    verdict, fields, route
        With its last word, what is known of the frame; with ``store_stages`` in the cycle before.
    comes, begins_coming, ends_coming
        With ``store_stages``: there is a ``word`` in the next cycle; it is a frame's first one; its
        last one.
    free, freed_cell
        A cell that a transfer has read to its end in this cycle.
    full, full_next, lossless
        V bits: the VC takes no frame, in this cycle and in the next one; a drop for want of room on
        it is counted as one that should not be.
    free_cells
        Free cells, as visible in the cycle.
    count, rx_bytes
        Counter events of cycle w, as of `CounterEvents`.
    files, filed_more
        A frame is filed in this cycle; its cells without one of them.
    filed
        P*V bits, one-hot: the VOQ in which a frame is filed in this cycle.
    filed_voq, filed_vc
        Number of the VOQ in which it will be if it is filed, and its VC.
    write_en, write_address, write_data
        A word to be stored in w+1; the address is (position in the cell, cell), position low.
    link_en, link_from, link_to
        In w+1: what follows the last cell that was allocated before.
    filed_before
        In w+1: what `FrameInfo` has of the frame's VOQ.
    enqueue, frame
        In w+1: a frame was filed, and what is to be kept of it.
    counted
        In w+1: a frame that counts for credits.

    Cycle behaviour
    ---------------
    w: the decision; with ``store_stages`` all of it that needs no more than ``verdict``,
    ``fields`` and ``route`` is made in the cycle before, in front of a register. w+1: memories are
    written, early enough for a transfer that reads in w+2.
    Cells of a dropped frame count as free at once; the free list takes them back in w+1.
    Asserted in every cycle: a cell is allocated only if one is free, no more cells are free than
    there are, a frame that is filed has all of its words stored, and its end is announced right.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "word": In(FrameWord(config)),
            "empty": In(config.empty_bits),
            "verdict": In(Verdict(config)),
            "fields": In(Fields(config)),
            "route": In(Route(config)),
            "comes": In(1),
            "begins_coming": In(1),
            "ends_coming": In(1),
            "free": In(1),
            "freed_cell": In(config.cell_bits),
            "full": In(config.vcs),
            "full_next": In(config.vcs),
            "lossless": In(config.vcs),
            "free_cells": Out(config.count_bits, init=config.buffer_cells),
            "count": Out(COUNTERS),
            "rx_bytes": Out(config.length_bits),
            "files": Out(1),
            "filed_more": Out(config.frame_cells_bits),
            "filed": Out(config.voqs),
            "filed_voq": Out(voq_number_bits(config)),
            "filed_vc": Out(config.vc_bits),
            "write_en": Out(1),
            "write_address": Out(position_bits(config) + config.cell_bits),
            "write_data": Out(config.data_width),
            "link_en": Out(1),
            "link_from": Out(config.cell_bits),
            "link_to": Out(config.cell_bits),
            "filed_before": In(config.count_bits),
            "enqueue": Out(1),
            "frame": Out(FrameInfo(config)),
            "counted": Out(CountedFrame(config)),
        })

    def elaborate(self, platform):
        config = self._config
        m = Module()
        word = self.word
        self._free_list = place(m, "free_list", FreeList(config))

        self._cells = Signal(config.frame_cells_bits, name="cells")
        self._more = Signal(more_bits(config), name="more")
        self._allocate = Signal(name="allocate")
        self._needs_cell = Signal(name="needs_cell")
        self._no_cell = Signal(name="no_cell")
        # As of a frame's last word; nothing is asked of another one.
        self._overflows = Signal(name="overflows")
        self._overflows_next = Signal(name="overflows_next")
        self._may_file = Signal(name="may_file")
        # ``cells`` and ``free_cells`` as 0 or not, in registers of their own: much waits for them.
        self._holds_cells = Signal(name="holds_cells")
        self._none_free = Signal(name="none_free")
        dropped = Signal()
        drop = Signal()
        self._length = self._known(m, self.verdict.length, "length")
        self._store_word(m, dropped)
        ended = self._at_end(m, Const(1, 1), "frame")
        self._judge(m)
        m.d.comb += drop.eq(ended & ~self.files)
        m.d.sync += [
            dropped.eq(drop),
            Assert(ended == (self.word.valid & self.word.eop), "a frame's end is not foreseen"),
        ]

        # ``drop`` and ``no_cell`` are the last to come: they choose between sums. At its first word
        # a dropped frame holds nothing but what it takes in this cycle.
        free_if_dropped, free_if_not, aborted = (
            Signal.like(self.free_cells, name=name)
            for name in ("free_if_dropped", "free_if_not", "aborted"))
        m.d.comb += [
            free_if_dropped.eq(self.free_cells + self.free
                               + Mux(word.abort | ~word.sop, self._cells, 0)),
            aborted.eq(Mux(word.abort, self._cells, 0)),
            # One less, and one more without the need for a cell.
            free_if_not.eq(add_three(self.free_cells, aborted,
                                     Const((1 << config.count_bits) - 1, config.count_bits),
                                     self.free, ~self._needs_cell)),
        ]
        # Without a cell for a word none is free but the one that comes back now.
        m.d.sync += self.free_cells.eq(Mux(drop, free_if_dropped, Mux(
            self._needs_cell & self._no_cell, self.free, free_if_not)))
        self._count_down(m, drop)

        empty = Signal.like(self.empty)
        profile = Signal(PROFILE_BITS)
        poisoned = Signal()
        m.d.sync += [
            self.enqueue.eq(self.files),
            empty.eq(self.empty),
            profile.eq(self._known(m, self.fields.profile, "profile")),
            poisoned.eq(self._known(m, self.verdict.poisoned, "poisoned")),
        ]
        m.d.comb += [
            self.frame.cell.eq(self._free_list.first_cell),
            self.frame.more.eq(self._more),
            self.frame.empty.eq(empty),
            self.frame.profile.eq(profile),
            self.frame.poisoned.eq(poisoned),
            self.frame.filed_before.eq(self.filed_before),
        ]
        return m

    def _count_down(self, m, drop):
        """Whether ``free_cells`` comes to 0. ``drop`` is the last to come."""
        word, holds_cells = self.word, self._holds_cells
        one_free, if_dropped, if_not = Signal(), Signal(), Signal()
        m.d.comb += [
            one_free.eq(self.free_cells == 1),
            if_dropped.eq(self._none_free & ~(holds_cells & (word.abort | ~word.sop))),
            if_not.eq(Mux(
                word.abort & holds_cells,
                self._needs_cell & self._none_free & (self._cells == 1),
                self._none_free | (self._needs_cell & one_free))),
        ]
        m.d.sync += [
            self._none_free.eq(~self.free & Mux(drop, if_dropped, if_not)),
            Assert(self._none_free == (self.free_cells == 0), "free cells are miscounted"),
            Assert(self._holds_cells == (self._cells != 0), "cells are miscounted"),
        ]

    def _store_word(self, m, dropped):
        """Steps 1 to 3: whether the word gets a place, and which."""
        config = self._config
        word = self.word
        free_list = self._free_list
        needs_cell, no_cell = self._needs_cell, self._no_cell
        # Words of the frame, the meaning of which ends with the first that is not stored.
        stored = Signal(config.frame_words_bits)
        stored_before = Signal.like(stored)
        overflow, overflow_now = Signal(), Signal()
        # A next word of the frame can be stored; and it needs a cell.
        goes_on, wants_cell = Signal(), Signal()
        may_store, store = Signal(), Signal()
        position = Signal(position_bits(config))
        write_position = Signal.like(position)
        wants_next = Signal()
        m.d.comb += [
            stored_before.eq(Mux(word.sop, 0, stored)),
            position.eq(stored_before),
            # In front of another cell's last word it does not matter whether a cell is free.
            wants_next.eq((may_store if one_word_frames(config) else goes_on)
                          & (stored_before != config.max_frame_words - 1)
                          & (position == config.words_per_cell - 1)),
            no_cell.eq(self._none_free & ~(word.abort & self._holds_cells)),
            self._allocate.eq(needs_cell & ~no_cell),
            may_store.eq(Mux(word.sop | wants_cell, ~no_cell, goes_on)),
            store.eq(word.valid & may_store),
            overflow_now.eq((overflow & ~word.sop) | ((word.sop | wants_cell) & no_cell)),
            free_list.allocate.eq(self._allocate),
            free_list.first.eq(word.valid & word.sop),
            free_list.take_back.eq((word.abort | dropped) & self._holds_cells),
            free_list.free.eq(self.free),
            free_list.freed_cell.eq(self.freed_cell),
            self.link_to.eq(free_list.cell),
            self.write_address.eq(Cat(write_position, free_list.cell)),
        ]
        # No frame that ends well ends with its first word, but with W = 512; and a word with an
        # abort is a first one.
        if one_word_frames(config):
            overflows, words_before = overflow_now, stored_before
        else:
            overflows, words_before = overflow | (wants_cell & self._none_free), stored
        m.d.comb += self.filed_more.eq(words_before[position_bits(config):])
        if config.words_per_cell >= 4:
            # Nor with its second one, so that before its last word comes nothing is given back but
            # by a transfer: what the word will meet is known a cycle ahead. Behind a word that
            # wants a cell comes one that does not, and behind a cell's last word one that does.
            lacks_cell = Mux(word.valid, wants_cell | (~self.free & (
                stored[:len(position)] == config.words_per_cell - 1)), wants_cell & ~self.free)
            m.d.comb += self._overflows_next.eq(overflow | (self._none_free & lacks_cell))
            m.d.sync += [
                self._overflows.eq(self._overflows_next),
                Assert(~self._may_file | (self._overflows == overflows),
                       "whether a frame's words find room is not foreseen"),
            ]
        else:
            m.d.comb += self._overflows.eq(overflows)
        cells_now = Mux(self._allocate, Mux(word.sop, 1, self._cells + 1),
                        Mux(word.sop, 0, self._cells))
        with m.If(word.valid):
            m.d.sync += [
                stored.eq(stored_before + 1),
                overflow.eq(overflow_now),
                self._cells.eq(cells_now),
                self._holds_cells.eq((self._holds_cells & ~word.sop) | self._allocate),
                self._more.eq(stored_before),
                goes_on.eq(may_store & (stored_before != config.max_frame_words - 1)),
                wants_cell.eq(wants_next),
            ]
        needs = word.valid & (word.sop | wants_cell)
        if config.store_stages and not one_word_frames(config):
            # Much waits for a cell, so that a word needs one is known a cycle ahead.
            m.d.sync += [
                needs_cell.eq(self.begins_coming
                              | (self.comes & Mux(word.valid, wants_next, wants_cell))),
                Assert(needs_cell == needs, "that a word needs a cell is not foreseen"),
            ]
        else:
            m.d.comb += needs_cell.eq(needs)
        bytes_stored = Cat(Const(0, config.empty_bits), (stored_before + store)[:len(stored)])
        m.d.sync += [
            Assert(~self._allocate | self.free_cells.any() | free_list.take_back,
                   "a cell is allocated while none is free"),
            Assert(self.free_cells <= config.buffer_cells, "more cells are free than there are"),
            Assert(~self.files | (bytes_stored == self._length + self.empty),
                   "a frame is filed without all of its words"),
            Assert(~self.files | (self.filed_more + 1 == cells_now),
                   "a frame is filed with other cells than those of its words"),
        ]
        with m.If(self._allocate):
            m.d.sync += self.link_from.eq(free_list.cell)
        m.d.sync += [
            # A frame's first cell gets a link too, from a cell whose link nobody follows.
            self.link_en.eq(self._allocate),
            self.write_en.eq(store),
            write_position.eq(position),
            self.write_data.eq(word.data),
        ]

    def _known(self, m: Module, value: Value, name: str) -> Value:
        """What is known of the frame, in w."""
        return delayed(m, value, f"known_{name}", int(self._config.store_stages > 0))

    def _at_end(self, m: Module, value: Value, name: str) -> Value:
        """What is known of the frame, in w, if its last word comes then; else 0."""
        if not self._config.store_stages:
            return value & (self.word.valid & self.word.eop).replicate(len(value))
        return delayed(m, value & self.ends_coming.replicate(len(value)), f"ended_{name}", 1)

    def _early(self) -> dict[Reason, Value]:
        """Whether the frame comes to an end that needs no more than verdict, fields and route."""
        verdict, fields = self.verdict.reason, self.fields.reason
        came_well, has_fields = verdict == Reason.FILED, fields == Reason.FILED
        return {
            **{event: verdict == event for event in _OF_VERDICT},
            **{event: came_well & (fields == event) for event in _OF_FIELDS},
            # A route is late.
            Reason.NO_ROUTE: came_well & has_fields & ~self.route.hit,
            Reason.FILED: came_well & has_fields & self.route.hit,
        }

    def _judge(self, m):
        """Step 4: what becomes of the frame. Much waits for whether it is filed, so all but whether
        its words found room is known before."""
        verdict, fields = self.verdict, self.fields
        counts, full = Signal(), Signal()
        # The peer has spent credits for a frame that came well, whatever its header says.
        m.d.comb += counts.eq((verdict.reason == Reason.FILED)
                              & ((fields.reason == Reason.FILED) | (fields.reason == Reason.TTL)))
        # As of w.
        full_vcs = self.full_next if self._config.store_stages else self.full
        m.d.comb += full.eq(full_vcs.bit_select(fields.vc, 1))
        early = self._early()
        early[Reason.VC_LIMIT] = early[Reason.FILED] & full
        early[Reason.FILED] &= ~full
        came_to = dict(zip(early, self._at_end(m, Cat(early.values()), "reason"), strict=True))
        may_file, limited = self._may_file, came_to[Reason.VC_LIMIT]
        m.d.comb += may_file.eq(came_to.pop(Reason.FILED))
        vcs, counted = self._aim(m, full), self._at_end(m, counts, "counts")
        m.d.comb += [
            *(self.count[event.value].eq(came) for event, came in came_to.items()),
            self.count[Reason.FILED.value].eq(self.files),
            self.count[Reason.NO_BUFFER.value].eq(may_file & self._overflows),
            self.rx_bytes.eq(self._length),
            self.count[Counter.RX_FRAGMENT].eq(self.word.abort),
            self.count[Counter.RX_LOSSLESS_DROP].eq(
                (limited | (may_file & self._overflows))
                & self.lossless.bit_select(self.filed_vc, 1)),
            self.counted.length_coming.eq(self._length),
        ]
        m.d.sync += [
            self.counted.valid.eq(counted),
            self.counted.vcs.eq(Mux(counted, vcs, 0)),
            self.counted.filed.eq(self.files),
            self.counted.vc.eq(self.filed_vc),
            self.counted.length.eq(self._length),
        ]

    def _aim(self, m: Module, full: Value) -> Value:
        """Whether the frame is filed, and its VOQ; returns its VC, one-hot."""
        config = self._config
        number = voq_number(config, self.route.port, self.fields.vc)
        output, vc = Signal(config.ports), Signal(config.vcs)
        known_way = Signal()
        finds_room = Signal()
        m.d.comb += [
            output.eq(1 << self.route.port),
            vc.eq(1 << self.fields.vc),
            known_way.eq((self.fields.reason == Reason.FILED) & self.route.hit),
        ]
        vcs = self._known(m, vc, "vcs")
        # One-hot, and 0 if header or route keeps the frame from being filed; all else that may do
        # so, which is late, and goes far, is one bit.
        aim = self._known(m, Cat(
            vc & (to_output & known_way).replicate(config.vcs) for to_output in output), "aim")
        came_well = (self.verdict.reason == Reason.FILED) & ~full
        if config.store_stages and config.words_per_cell >= 4:
            m.d.comb += finds_room.eq(
                self._at_end(m, came_well & ~self._overflows_next, "room"))
        else:
            m.d.comb += finds_room.eq(self._at_end(m, came_well, "well") & ~self._overflows)
        m.d.comb += [
            self.filed_voq.eq(self._known(m, number, "voq_number")),
            self.filed_vc.eq(self._known(m, self.fields.vc, "vc")),
            self.files.eq(finds_room & self._known(m, known_way, "known_way")),
            self.filed.eq(aim & finds_room.replicate(config.voqs)),
        ]
        m.d.sync += Assert(self.files == (self._may_file & ~self._overflows),
                           "a frame is filed that may not be, or the other way round")
        return vcs
