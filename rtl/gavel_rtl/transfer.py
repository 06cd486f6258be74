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
    position_bits,
    voq_number,
    voq_number_bits,
)


class Transfer(wiring.Component):
    """Reads the words of the matched frame, one in each cycle.

    Members
    -------
    match
        Scheduler's decision, cycle s.
    opening, voq
        In s+1: a transfer opens, and the VOQ that it takes its frame from.
    head, mark
        In s+1: the frame, and the ECN decision.
    read, address
        In c: a word is read, from (position in the cell, cell), position low.
    reading
        In c: one-hot, the output that a word is read for; 0 if none is.
    cell_now
        Cell of the next word to be read; goes to the chain memory in every cycle.
    next_cell
        What the chain memory holds for the ``cell_now`` of the cycle before.
    free
        In c: ``cell_now`` has been read to its end.
    done
        In c: the frame has been read to its end.
    connect, valid, sop, eop, next_eop
        In c+1: what goes beside the word that was read in c; 0 if none was.
    empty, profile, frame_mark, poisoned, vc, length, cells
        In c+1: what is known of its frame; meaningless if none was.

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
            "head": In(FrameInfo(config)),
            "mark": In(1),
            "read": Out(1),
            "reading": Out(config.ports),
            "cell_now": Out(config.cell_bits),
            "address": Out(position_bits(config) + config.cell_bits),
            "next_cell": In(config.cell_bits),
            "free": Out(1),
            "done": Out(1),
            "connect": Out(config.ports),
            "valid": Out(1),
            "sop": Out(1),
            "eop": Out(1),
            "next_eop": Out(1),
            "empty": Out(config.empty_bits),
            "profile": Out(PROFILE_BITS),
            "frame_mark": Out(1),
            "poisoned": Out(1),
            "vc": Out(config.vc_bits),
            "length": Out(config.length_bits),
            "cells": Out(config.frame_cells_bits),
        })

    def elaborate(self, platform):
        config = self._config
        m = Module()
        self._open(m)

        more = Signal(more_bits(config))
        more_now = Signal.like(more)
        end_of_cell = Signal()
        m.d.comb += [
            more_now.eq(Mux(self.opening, self.head.more, more)),
            self.free.eq(self.done | (self.read & end_of_cell)),
        ]
        m.d.sync += more.eq(more_now - 1)
        if config.words_per_cell == 1:
            self._walk_cells(m)
            m.d.comb += [self.done.eq(self.read & (more_now == 0)), end_of_cell.eq(1)]
        else:
            self._walk_words(m, end_of_cell)
            # No frame is so short that its first word is its last.
            m.d.sync += self.done.eq(self.read & ~self.done & (more_now == 1))

        self._describe(m, more_now == 1)
        return m

    def _open(self, m):
        """Which output and VOQ, and whether a word is read."""
        config = self._config
        self._output = Signal(config.ports, name="to_output")
        vc = Signal(config.vcs)
        self._vc = Signal(config.vc_bits, name="vc_now")
        m.d.sync += [
            self.opening.eq(self.match.valid),
            self.read.eq(self.match.valid | (self.read & ~self.done)),
        ]
        with m.If(self.match.valid):
            m.d.sync += [self._output.eq(self.match.output), vc.eq(self.match.vc)]
        m.d.comb += [
            self._vc.eq(encode(vc, config.vc_bits)),
            self.voq.eq(voq_number(config, encode(self._output, config.port_bits), self._vc)),
            self.reading.eq(Mux(self.read, self._output, 0)),
        ]

    def _walk_cells(self, m):
        """One word a cell: the chain memory's answer is the very next cell."""
        m.d.comb += [
            self.cell_now.eq(Mux(self.opening, self.head.cell, self.next_cell)),
            self.address.eq(self.cell_now),
        ]

    def _walk_words(self, m, end_of_cell):
        """Several words a cell: the chain memory's answer waits for the cell's last word."""
        config = self._config
        cell = Signal.like(self.cell_now, name="cell_next")
        position = Signal(position_bits(config))
        position_now = Signal.like(position)
        m.d.comb += [
            self.cell_now.eq(Mux(self.opening, self.head.cell, cell)),
            position_now.eq(Mux(self.opening, 0, position)),
            self.address.eq(Cat(position_now, self.cell_now)),
            end_of_cell.eq(position_now == config.words_per_cell - 1),
        ]
        m.d.sync += [
            cell.eq(Mux(end_of_cell, self.next_cell, self.cell_now)),
            position.eq(position_now + 1),
        ]

    def _describe(self, m, next_is_last):
        """What goes beside the data in c+1."""
        config, head = self._config, self.head
        m.d.sync += [
            self.connect.eq(self.reading),
            self.valid.eq(self.read),
            self.sop.eq(self.opening),
            self.eop.eq(self.done),
            self.next_eop.eq(self.read & next_is_last),
        ]
        with m.If(self.opening):
            m.d.sync += [
                self.empty.eq(head.empty),
                self.profile.eq(head.profile),
                self.frame_mark.eq(self.mark),
                self.poisoned.eq(head.poisoned),
                self.vc.eq(self._vc),
                self.length.eq(frame_bytes(head.more, head.empty)),
                self.cells.eq(frame_cells(config, head.more)),
            ]
