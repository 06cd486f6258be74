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
from gavel_rtl.voq import FrameInfo, more_bits, position_bits, voq_number, voq_number_bits


class FrameWriter(wiring.Component):
    """Gives cells to arriving words, and files or takes back each frame (spec chapter 7, 1 to 4).

    Members
    -------
    word, empty
        The word of cycle w.
    verdict, fields, route
        With its last word, what is known of the frame; with ``ingress_stages`` in the cycle before.
    free, freed_cell
        A cell that a transfer has read to its end in this cycle.
    full, lossless
        V bits: the VC takes no frame; a drop for want of room on it is counted as one that should
        not be.
    free_cells
        Free cells, as visible in the cycle.
    count, rx_bytes
        Counter events of cycle w.
    files, filed_cells
        A frame is filed in this cycle; the cells of the frame, with this word.
    filed
        P*V bits, one-hot: the VOQ in which a frame is filed in this cycle.
    filed_voq, filed_vc
        Number of the VOQ in which it will be if it is filed, and its VC.
    write_en, write_address, write_data
        A word to be stored in w+1; the address is (position in the cell, cell), position low.
    link_en, link_from, link_to
        In w+1: what follows the last cell that was allocated before.
    enqueue, frame
        In w+1: a frame was filed, and what is to be kept of it.
    counted
        In w+1: a frame that counts for credits.

    Cycle behaviour
    ---------------
    w: the decision; with ``ingress_stages`` all of it that needs no more than ``verdict``,
    ``fields`` and ``route`` is made in the cycle before, in front of a register. w+1: memories are
    written, early enough for a transfer that reads in w+2.
    Cells of a dropped frame count as free at once; the free list takes them back in w+1.
    Asserted in every cycle: a cell is allocated only if one is free, no more cells are free than
    there are, and a frame that is filed has all of its words stored.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "word": In(FrameWord(config)),
            "empty": In(config.empty_bits),
            "verdict": In(Verdict(config)),
            "fields": In(Fields(config)),
            "route": In(Route(config)),
            "free": In(1),
            "freed_cell": In(config.cell_bits),
            "full": In(config.vcs),
            "lossless": In(config.vcs),
            "free_cells": Out(config.count_bits, init=config.buffer_cells),
            "count": Out(COUNTERS),
            "rx_bytes": Out(config.length_bits),
            "files": Out(1),
            "filed_cells": Out(config.frame_cells_bits),
            "filed": Out(config.voqs),
            "filed_voq": Out(voq_number_bits(config)),
            "filed_vc": Out(config.vc_bits),
            "write_en": Out(1),
            "write_address": Out(position_bits(config) + config.cell_bits),
            "write_data": Out(config.data_width),
            "link_en": Out(1),
            "link_from": Out(config.cell_bits),
            "link_to": Out(config.cell_bits),
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
        self._overflow_now = Signal(name="overflow_now")
        # ``cells`` and ``free_cells`` as 0 or not, in registers of their own: much waits for them.
        self._holds_cells = Signal(name="holds_cells")
        self._none_free = Signal(name="none_free")
        dropped = Signal()
        drop = Signal()
        ended = Signal()
        self._length = self._known(m, self.verdict.length, "length")
        self._store_word(m, dropped)
        self._judge(m, ended)
        m.d.comb += drop.eq(ended & ~self.files)
        m.d.sync += dropped.eq(drop)

        # ``drop`` is the last to come: it chooses between two sums. At its first word a dropped
        # frame holds nothing but what it takes in this cycle.
        free_if_dropped, free_if_not = Signal.like(self.free_cells), Signal.like(self.free_cells)
        m.d.comb += [
            free_if_dropped.eq(self.free_cells + self.free
                               + Mux(word.abort | ~word.sop, self._cells, 0)),
            free_if_not.eq(self.free_cells + self.free - self._allocate
                           + Mux(word.abort, self._cells, 0)),
        ]
        m.d.sync += self.free_cells.eq(Mux(drop, free_if_dropped, free_if_not))
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
                self._allocate,
                Mux(word.abort & holds_cells, self._none_free & (self._cells == 1), one_free),
                self._none_free & ~(word.abort & holds_cells))),
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
        stored = Signal(config.frame_words_bits)
        overflow = Signal()
        stored_before = Signal.like(stored)
        stored_now = Signal.like(stored)
        overflow_before = Signal()
        # A next word of the frame can be stored; and it needs a cell.
        goes_on, wants_cell = Signal(), Signal()
        needs_cell = Signal()
        no_cell = Signal()
        store = Signal()
        position = Signal(position_bits(config))
        write_position = Signal.like(position)
        m.d.comb += [
            stored_before.eq(Mux(word.sop, 0, stored)),
            overflow_before.eq(overflow & ~word.sop),
            position.eq(stored_before),
            needs_cell.eq(word.valid & (word.sop | wants_cell)),
            no_cell.eq(self._none_free & ~(word.abort & self._holds_cells)),
            self._allocate.eq(needs_cell & ~no_cell),
            store.eq(word.valid & Mux(word.sop | wants_cell, ~no_cell, goes_on)),
            self._overflow_now.eq(overflow_before | (needs_cell & no_cell)),
            free_list.allocate.eq(self._allocate),
            free_list.first.eq(word.sop),
            free_list.take_back.eq((word.abort | dropped) & self._holds_cells),
            free_list.free.eq(self.free),
            free_list.freed_cell.eq(self.freed_cell),
            self.link_to.eq(free_list.cell),
            self.write_address.eq(Cat(write_position, free_list.cell)),
        ]
        m.d.comb += [
            stored_now.eq(stored_before + store),
            self.filed_cells.eq(Mux(word.sop, 0, self._cells) + self._allocate),
        ]
        with m.If(word.valid):
            m.d.sync += [
                stored.eq(stored_now),
                overflow.eq(self._overflow_now),
                self._cells.eq(self.filed_cells),
                self._holds_cells.eq((self._holds_cells & ~word.sop) | self._allocate),
                self._more.eq(stored_before),
                goes_on.eq(store & (stored_before != config.max_frame_words - 1)),
                wants_cell.eq(store & (stored_before != config.max_frame_words - 1)
                              & (position == config.words_per_cell - 1)),
            ]
        bytes_stored = Cat(Const(0, config.empty_bits), stored_now)
        m.d.sync += [
            Assert(~self._allocate | self.free_cells.any() | free_list.take_back,
                   "a cell is allocated while none is free"),
            Assert(self.free_cells <= config.buffer_cells, "more cells are free than there are"),
            Assert(~self.files | (bytes_stored == self._length + self.empty),
                   "a frame is filed without all of its words"),
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
        return delayed(m, value, f"known_{name}", int(self._config.ingress_stages > 0))

    def _judge(self, m, ended):
        """Step 4: what becomes of the frame."""
        verdict, fields = self.verdict, self.fields
        reason = Signal(Reason)
        counts = Signal()
        with m.If(verdict.reason != Reason.FILED):
            m.d.comb += reason.eq(verdict.reason)
        with m.Elif(fields.reason != Reason.FILED):
            m.d.comb += reason.eq(fields.reason)
        with m.Elif(~self.route.hit):
            m.d.comb += reason.eq(Reason.NO_ROUTE)
        with m.Else():
            m.d.comb += reason.eq(Reason.FILED)
        # The peer has spent credits for a frame that came well, whatever its header says.
        m.d.comb += counts.eq((verdict.reason == Reason.FILED)
                              & ((fields.reason == Reason.FILED) | (fields.reason == Reason.TTL)))
        early = [event for event in Reason if event not in (Reason.VC_LIMIT, Reason.NO_BUFFER)]
        is_reason = self._known(m, Cat(reason == event for event in early), "reason")
        self._aim(m)

        full, fits = Signal(), Signal()
        m.d.comb += [
            ended.eq(self.word.valid & self.word.eop),
            full.eq(self.full.bit_select(self.filed_vc, 1)),
            fits.eq(~full & ~self._overflow_now),
        ]
        good = is_reason[early.index(Reason.FILED)]
        for event, known in zip(early, is_reason, strict=True):
            m.d.comb += self.count[event.value].eq(
                self.files if event is Reason.FILED else ended & known)
        m.d.comb += [
            self.files.eq(ended & good & fits),
            self.rx_bytes.eq(Mux(self.files, self._length, 0)),
            self.count[Reason.VC_LIMIT.value].eq(ended & good & full),
            self.count[Reason.NO_BUFFER.value].eq(ended & good & ~full & self._overflow_now),
            self.count[Counter.RX_FRAGMENT].eq(self.word.abort),
            self.count[Counter.RX_LOSSLESS_DROP].eq(
                ended & good & ~fits & self.lossless.bit_select(self.filed_vc, 1)),
        ]
        m.d.sync += [
            self.counted.valid.eq(ended & self._known(m, counts, "counts")),
            self.counted.filed.eq(self.files),
            self.counted.vc.eq(self.filed_vc),
            self.counted.length.eq(self._length),
        ]

    def _aim(self, m: Module) -> None:
        """The VOQ of the frame."""
        config = self._config
        number = voq_number(config, self.route.port, self.fields.vc)
        voq = Signal(config.voqs)
        m.d.comb += [
            voq.eq(Const(1, 1) << number),
            self.filed_voq.eq(self._known(m, number, "voq_number")),
            self.filed_vc.eq(self._known(m, self.fields.vc, "vc")),
            self.filed.eq(Mux(self.files, self._known(m, voq, "voq"), 0)),
        ]
