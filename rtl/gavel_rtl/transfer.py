# SPDX-License-Identifier: Apache-2.0
"""Reading side of an ingress buffer."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_rtl.interfaces import PROFILE_BITS, Match
from gavel_rtl.lib.one_hot import encode
from gavel_rtl.voq import (
    FrameInfo,
    frame_bytes,
    frame_cells,
    more_bits,
    one_word_frames,
    position_bits,
    voq_number,
    voq_number_bits,
)


def length_is_late(config: SwitchConfig) -> bool:
    """A length is a sum of what a memory holds, and made of registers where nobody asks for it in
    c+1."""
    return _has_time(config) and config.read_stages > 0


def _has_time(config: SwitchConfig) -> bool:
    """A frame has at least four words, so that what is wanted at its end may come later."""
    return config.words_per_cell >= 4


class Transfer(wiring.Component):
    """Reads the words of the matched frame, one in each cycle.

    Members
    -------
    match
        Scheduler's decision, cycle s, and its VC in s+1.
    opening, voq, output
        In s+1: a transfer opens, and the VOQ that it takes its frame from, as a number, and the
        output of that, one-hot; meaningless if none opens.
    taken
        In s+1: one-hot, the output of that VOQ; 0 if none opens.
    head
        In s+1: the frame.
    read, address
        In c: a word is read, from (position in the cell, cell), position low.
    reading
        In c: one-hot, the output that a word is read for; 0 if none is.
    cell_now
        Cell of the word to be read.
    linked_cell, next_cell
        Goes to the chain memory in every cycle; what it holds for the one of the cycle before.
    free, freed_cell
        In c: a cell has been read to its end, and which; meaningless without. Where a frame has at
        least two words, a register says whether.
    done, done_vc, done_cells, length_now
        In c: the frame has been read to its end; its VC, its cells and its bytes, meaningless if
        not.
    ends
        As ``done``; where a frame has at least two words, a cycle earlier.
    connect, valid, sop, eop, next_eop
        In c+1: what goes beside the word that was read in c; 0 if none was.
    empty, profile, poisoned, vc, length
        In c+1: what is known of its frame; meaningless if none was. ``length`` comes in c+2 if
        `length_is_late`.

    Cycle behaviour
    ---------------
    s+1: a match opens the transfer and reads its first word. After reset no transfer is open.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "match": In(Match(config)),
            "opening": Out(1),
            "voq": Out(voq_number_bits(config)),
            "output": Out(config.ports),
            "taken": Out(config.ports),
            "head": In(FrameInfo(config)),
            "read": Out(1),
            "reading": Out(config.ports),
            "cell_now": Out(config.cell_bits),
            "linked_cell": Out(config.cell_bits),
            "address": Out(position_bits(config) + config.cell_bits),
            "next_cell": In(config.cell_bits),
            "free": Out(1),
            "freed_cell": Out(config.cell_bits),
            "done": Out(1),
            "done_vc": Out(config.vc_bits),
            "done_cells": Out(config.frame_cells_bits),
            "length_now": Out(config.length_bits),
            "ends": Out(1),
            "connect": Out(config.ports),
            "valid": Out(1),
            "sop": Out(1),
            "eop": Out(1),
            "next_eop": Out(1),
            "empty": Out(config.empty_bits),
            "profile": Out(PROFILE_BITS),
            "poisoned": Out(1),
            "vc": Out(config.vc_bits),
            "length": Out(config.length_bits),
        })

    def elaborate(self, platform):
        config = self._config
        m = Module()
        self._open(m)

        # One more than the words that follow this one.
        more = Signal(more_bits(config))
        with m.If(self.opening):
            m.d.sync += more.eq(self.head.more)
        with m.Else():
            m.d.sync += more.eq(more - 1)
        next_is_last = Signal()
        if config.words_per_cell >= 4:
            # Behind a first word come three at least, so there is time for a register; and for one
            # near the scheduler. As its complement, of which synthesis does not make one with it.
            last_but_two, next_is_other = Signal(), Signal(init=1)
            m.d.comb += [
                last_but_two.eq(self.read & ~self.opening & (more == 3)),
                self.ends.eq(~next_is_other),
            ]
            m.d.sync += [next_is_last.eq(last_but_two), next_is_other.eq(~last_but_two)]
        else:
            m.d.comb += next_is_last.eq(
                self.read & Mux(self.opening, self.head.more == 1, more == 2))
            if config.words_per_cell > 1:
                m.d.comb += self.ends.eq(next_is_last)
        if config.words_per_cell == 1:
            self._walk_cells(m)
            m.d.comb += [
                self.done.eq(self.read & Mux(self.opening, self.head.more == 0, more == 1)),
                self.ends.eq(self.done),
                self.free.eq(self.read),
            ]
        else:
            # No frame is so short that its first word is its last.
            self._walk_words(m, next_is_last)
            m.d.sync += self.done.eq(next_is_last)

        self._describe(m, next_is_last)
        return m

    def _open(self, m):
        """Which output and VOQ, and whether a word is read."""
        config = self._config
        self._vc = Signal(config.vc_bits, name="vc_now")
        goes_on = Signal()
        # ``reading`` as of s+1, in a register of its own near what is kept of the VOQs, which waits
        # for it; without a reset, so that synthesis does not make one with others of the match.
        opened = Signal(config.ports, reset_less=True)
        m.d.sync += [self.opening.eq(self.match.valid), opened.eq(self.match.output)]
        # A match is late, and 0 if there is none, and there is none while a transfer goes on: it
        # goes straight to registers, and nothing waits for ``match.valid``.
        with m.If(~goes_on):
            m.d.sync += [
                self.read.eq(self.match.valid),
                # In s+1 this is the output of the match.
                self.reading.eq(self.match.output),
            ]
        m.d.comb += [
            goes_on.eq(self.read & ~self.done),
            # Only when a transfer opens.
            self._vc.eq(encode(self.match.vc, config.vc_bits)),
            self.output.eq(opened),
            self.voq.eq(voq_number(config, encode(opened, config.port_bits), self._vc)),
            self.taken.eq(Mux(self.opening, opened, 0)),
        ]

    def _walk_cells(self, m):
        """One word a cell: the chain memory's answer is the very next cell."""
        m.d.comb += [
            self.cell_now.eq(Mux(self.opening, self.head.cell, self.next_cell)),
            self.linked_cell.eq(self.cell_now),
            self.freed_cell.eq(self.cell_now),
            self.address.eq(self.cell_now),
        ]

    def _walk_words(self, m, next_is_last):
        """Several words a cell: the chain memory's answer waits for the cell's last word."""
        config = self._config
        cell = Signal.like(self.cell_now, name="cell_next")
        position = Signal(position_bits(config))
        next_cell = Signal.like(self.next_cell, name="next_cell_now", reset_less=True)
        # With a cell of four words there is time for a register in front of the memory, and for one
        # right behind it.
        far = config.words_per_cell >= 4
        m.d["sync" if far else "comb"] += next_cell.eq(self.next_cell)
        m.d.comb += [
            self.linked_cell.eq(cell if far else self.cell_now),
            self.cell_now.eq(Mux(self.opening, self.head.cell, cell)),
            self.freed_cell.eq(cell),
            self.address.eq(Cat(Mux(self.opening, 0, position), self.cell_now)),
        ]
        # A frame that opens is at its first word, whatever ``position`` says: a cell's last word is
        # announced only while its frame goes on.
        next_ends_cell = Mux(self.opening, config.words_per_cell == 2,
                             position == config.words_per_cell - 2)
        m.d.sync += self.free.eq(next_is_last | (self.read & ~self.done & next_ends_cell))
        with m.If(self.opening):
            m.d.sync += [cell.eq(self.head.cell), position.eq(1)]
        with m.Else():
            m.d.sync += position.eq(position + 1)
            with m.If(self.free):
                m.d.sync += cell.eq(next_cell)

    def _describe(self, m, next_is_last):
        """What goes beside the data in c+1."""
        config, head = self._config, self.head
        cells, head_cells = (Signal(config.frame_cells_bits, name=name)
                             for name in ("cells", "head_cells"))
        head_length = Signal.like(self.length)
        m.d.comb += [
            head_cells.eq(frame_cells(config, head.more)),
            head_length.eq(frame_bytes(head.more, head.empty)),
        ]
        # The first word of a frame may be its last.
        opens = self.opening & one_word_frames(config)
        m.d.comb += [
            self.done_vc.eq(Mux(opens, self._vc, self.vc)),
            self.done_cells.eq(Mux(opens, head_cells, cells)),
            self.length_now.eq(Mux(opens, head_length, self.length)),
        ]
        m.d.sync += [
            self.connect.eq(self.reading),
            self.valid.eq(self.read),
            self.sop.eq(self.opening),
            self.eop.eq(self.done),
            self.next_eop.eq(next_is_last),
        ]
        at_once, from_registers = [], []
        held = Signal.like(head.more, name="head_more")
        if _has_time(config):
            at_once.append(held.eq(head.more))
            from_registers.append(cells.eq(frame_cells(config, held)))
        else:
            at_once.append(cells.eq(head_cells))
        if length_is_late(config):
            from_registers.append(self.length.eq(frame_bytes(held, self.empty)))
        else:
            at_once.append(self.length.eq(head_length))
        m.d.sync += from_registers
        with m.If(self.opening):
            m.d.sync += [
                self.empty.eq(head.empty),
                self.profile.eq(head.profile),
                self.poisoned.eq(head.poisoned),
                self.vc.eq(self._vc),
                *at_once,
            ]
