# SPDX-License-Identifier: Apache-2.0
"""Ingress cell buffer with virtual output queues."""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out, connect, flipped

from gavel_model.config import SwitchConfig
from gavel_model.register_map import CELL_LIMIT_BITS, COUNTERS
from gavel_rtl.block import place
from gavel_rtl.frame_writer import FrameWriter
from gavel_rtl.head_order import HeadOrder
from gavel_rtl.interfaces import (
    CountedFrame,
    Fields,
    FrameWord,
    FreedFrame,
    Match,
    Route,
    SwitchWord,
    Verdict,
)
from gavel_rtl.lib.collisions import NO_COLLISION
from gavel_rtl.lib.delay import delayed
from gavel_rtl.transfer import Transfer, length_is_late
from gavel_rtl.vc_cells import VcCells
from gavel_rtl.voq import QueuedFrame, frame_cells
from gavel_rtl.voq_counters import VoqCounters
from gavel_rtl.voq_lists import VoqLists
from gavel_rtl.voq_occupancy import VoqOccupancy


class IngressBuffer(wiring.Component):
    """Stores the frames of one input until the scheduler sends them (spec chapter 7).

    `FrameWriter` gives cells to arriving words and files frames; `VoqCounters`, `VoqLists` and
    `VoqOccupancy` keep the queues, and `HeadOrder` which frame came first, if that matters;
    `VcCells` says which VCs are full; `Transfer` reads the matched frame. Two memories stand here:
    the cells' data, and the chain of cells within a frame.

    Members
    -------
    word, empty, verdict, fields, route, comes, begins_coming, ends_coming
        As of FrameWriter.
    ecn_threshold
        Cells of one VOQ; 65535 never marks.
    vc_limit
        For each VC the cells from which on it takes no more frames.
    lossless
        V bits: VCs on which a frame must not be dropped for want of room.
    match
        Scheduler's decision for this input, cycle s.
    voq_ready
        Bit n: VOQ n is shown to the scheduler; with W < 512 one that is empty since the match of
        the cycle before may still be.
    voq_next
        With W < 512 and VOQs: ``voq_ready`` of the next cycle; with W < 256 it may still show what
        has been taken since the match of the cycle before.
    shown
        Bit n: VOQ n is shown as docs/spec.md has it, without the cycle more of ``voq_ready``.
    ends
        The open transfer reads its last word: with W = 512 in this cycle, else in the next one.
    connect, out_word
        In c + 1 + ``read_stages``: output (one-hot) and word read in c. If none was, ``connect``
        and the word's ``valid`` are 0 and its other members meaningless.
    count, rx_bytes
        Counter events of cycle w, as of `CounterEvents`.
    counted, freed
        Frames for the account of credits: in w+1 one that came, in c+1 one that left.
    vc_cells
        For each VC the cells of its frames, as visible in the cycle.
    enqueued, dequeued
        The frame that was filed one cycle before, in w+1, and the one that was matched one cycle
        before, in s+1.
    reading, done
        In c: one-hot, the output that a word is read for, 0 if none is; it is the last of its
        frame.
    voq_frames, free_cells
        Probe points.

    Cycle behaviour
    ---------------
    A word that comes in w is in memory from w+2 on. A frame filed in w is visible in
    ``voq_ready`` in w+1; a match in s opens its transfer in s+1; a word read in c leaves in c+1.
    With ``read_stages`` the cell memory is read in c+1, and the word leaves in
    c + 1 + ``read_stages``; nothing else is later. Its cell may be free from c+1 on: a word that
    gets it is written in c+2 at the earliest, after it has been read.
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
            "ecn_threshold": In(16),
            "vc_limit": In(CELL_LIMIT_BITS).array(config.vcs),
            "lossless": In(config.vcs),
            "match": In(Match(config)),
            "voq_ready": Out(config.voqs),
            "voq_next": Out(config.voqs),
            "shown": Out(config.voqs),
            "ends": Out(1),
            "connect": Out(config.ports),
            "out_word": Out(SwitchWord(config)),
            "count": Out(COUNTERS),
            "rx_bytes": Out(config.length_bits),
            "counted": Out(CountedFrame(config)),
            "freed": Out(FreedFrame(config)),
            "vc_cells": Out(config.count_bits).array(config.vcs),
            "enqueued": Out(QueuedFrame(config)),
            "dequeued": Out(QueuedFrame(config)),
            "reading": Out(config.ports),
            "done": Out(1),
            "voq_frames": Out(config.voqs * config.count_bits),
            "free_cells": Out(config.count_bits),
        })

    def elaborate(self, platform):
        config = self._config
        m = Module()
        self._writer = place(m, "frame_writer", FrameWriter(config))
        self._counters = place(m, "voq_counters", VoqCounters(config))
        self._transfer = place(m, "transfer", Transfer(config))
        self._store(m)
        self._limit(m)
        self._queue(m)
        self._send(m)
        return m

    def _store(self, m):
        writer = self._writer
        connect(m, flipped(self.word), writer.word)
        connect(m, flipped(self.verdict), writer.verdict)
        connect(m, flipped(self.fields), writer.fields)
        connect(m, flipped(self.route), writer.route)
        m.d.comb += [
            writer.empty.eq(self.empty),
            writer.comes.eq(self.comes),
            writer.begins_coming.eq(self.begins_coming),
            writer.ends_coming.eq(self.ends_coming),
            writer.free.eq(self._transfer.free),
            writer.freed_cell.eq(self._transfer.freed_cell),
            writer.lossless.eq(self.lossless),
            self.free_cells.eq(writer.free_cells),
            self.count.eq(writer.count),
            self.rx_bytes.eq(writer.rx_bytes),
        ]
        connect(m, writer.counted, flipped(self.counted))

    def _limit(self, m):
        """What each VC holds, and whether it may hold more."""
        writer, transfer = self._writer, self._transfer
        cells = place(m, "vc_accounts", VcCells(self._config))
        m.d.comb += [
            cells.filed.eq(writer.files),
            cells.filed_vc.eq(writer.filed_vc),
            cells.filed_more.eq(writer.filed_more),
            cells.freed.eq(transfer.done),
            cells.freed_vc.eq(transfer.done_vc),
            cells.freed_cells.eq(transfer.done_cells),
            writer.full.eq(cells.full),
            writer.full_next.eq(cells.full_next),
            self.freed.length_coming.eq(transfer.length_now),
        ]
        m.d.sync += self.freed.vcs.eq(Mux(transfer.done, 1 << transfer.done_vc, 0))
        for vc, limit in enumerate(self.vc_limit):
            m.d.comb += [cells.limit[vc].eq(limit), self.vc_cells[vc].eq(cells.cells[vc])]

    def _queue(self, m):
        """Bookkeeping of the VOQs: at once in the counters, one cycle later in the lists."""
        config = self._config
        writer, counters, transfer = self._writer, self._counters, self._transfer
        enqueue_voq = Signal.like(writer.filed_voq)
        enqueue_behind, enqueue_second = Signal(), Signal()
        m.d.comb += [
            counters.filed.eq(writer.filed),
            counters.filed_voq.eq(writer.filed_voq),
            counters.taken.eq(transfer.taken),
            counters.taken_vcs.eq(self.match.vc_if_output),
            self.voq_frames.eq(counters.voq_frames),
        ]
        if config.queueing == "fifo":
            order = place(m, "head_order", HeadOrder(config))
            m.d.comb += [
                order.filed.eq(writer.files),
                order.filed_voq.eq(writer.filed_voq),
                order.taken.eq(self.match.valid),
                self.voq_ready.eq(order.head),
                self.shown.eq(order.head),
            ]
        else:
            m.d.comb += [
                self.voq_ready.eq(counters.voq_ready),
                self.voq_next.eq(counters.voq_next),
                self.shown.eq(counters.voq_filled),
            ]
        m.d.sync += [
            enqueue_voq.eq(writer.filed_voq),
            enqueue_behind.eq(counters.behind),
            enqueue_second.eq(counters.second),
        ]

        lists = place(m, "voq_lists", VoqLists(config))
        m.d.comb += [
            lists.enqueue.eq(writer.enqueue),
            lists.enqueue_voq.eq(enqueue_voq),
            lists.enqueue_behind.eq(enqueue_behind),
            lists.enqueue_second.eq(enqueue_second),
            lists.frame.eq(writer.frame),
            lists.dequeue.eq(transfer.opening),
            lists.dequeue_voq.eq(transfer.voq),
            lists.dequeue_output.eq(transfer.output),
            lists.dequeue_vc.eq(self.match.vc),
            transfer.head.eq(lists.head),
        ]
        for event, valid, voq, frame in (
            (self.enqueued, writer.enqueue, enqueue_voq, writer.frame),
            (self.dequeued, transfer.opening, transfer.voq, lists.head),
        ):
            m.d.comb += [
                event.valid.eq(valid),
                event.voq.eq(voq),
                event.cell.eq(frame.cell),
                event.cells.eq(frame_cells(config, frame.more)),
            ]

        occupancy = place(m, "voq_occupancy", VoqOccupancy(config))
        m.d.comb += [
            occupancy.enqueue.eq(writer.enqueue),
            occupancy.enqueue_voq.eq(enqueue_voq),
            occupancy.enqueue_behind.eq(enqueue_behind),
            occupancy.enqueue_more.eq(writer.frame.more),
            writer.filed_before.eq(occupancy.enqueue_before),
            occupancy.dequeue.eq(transfer.opening),
            occupancy.dequeue_voq.eq(transfer.voq),
            occupancy.dequeue_before.eq(lists.head.filed_before),
            occupancy.threshold.eq(self.ecn_threshold),
        ]
        self._mark = occupancy.mark

    def _send(self, m):
        config = self._config
        writer, transfer = self._writer, self._transfer
        late = config.read_stages
        behind = max(late - 1, 0)

        def shown(name, value):
            """What goes beside a word, in the cycle in which the memory gives it."""
            is_late = late and (name == "mark" or (name == "length" and length_is_late(config)))
            return delayed(m, Value.cast(value), name, late - bool(is_late))

        # Of a frame that is sent every word and every link has been written before.
        m.submodules.cell_data = cell_data = Memory(
            shape=config.data_width, depth=config.buffer_cells * config.words_per_cell, init=[],
            attrs=NO_COLLISION)
        m.submodules.cell_next = chain = Memory(
            shape=config.cell_bits, depth=config.buffer_cells, init=[], attrs=NO_COLLISION)
        data_write, data_read = cell_data.write_port(), cell_data.read_port()
        chain_write, chain_read = chain.write_port(), chain.read_port()
        connect(m, flipped(self.match), transfer.match)
        m.d.comb += [
            data_write.addr.eq(writer.write_address),
            data_write.data.eq(writer.write_data),
            data_write.en.eq(writer.write_en),
            data_read.addr.eq(delayed(m, transfer.address, "address", min(late, 1))),
            # ``valid`` is ``read`` of the cycle before. With a register right behind the memory
            # nothing needs to be held back in it, and the block RAM's own can be that register.
            data_read.en.eq(1 if behind else transfer.valid if late else transfer.read),
            chain_write.addr.eq(writer.link_from),
            chain_write.data.eq(writer.link_to),
            chain_write.en.eq(writer.link_en),
            chain_read.addr.eq(transfer.linked_cell),
            transfer.next_cell.eq(chain_read.data),
            self.ends.eq(transfer.ends),
            self.connect.eq(shown("connect", transfer.connect)),
            self.reading.eq(transfer.reading),
            self.done.eq(transfer.done),
        ]
        word = self.out_word
        m.d.comb += [
            *(Value.cast(getattr(word, name)).eq(shown(name, getattr(transfer, name))) for name in (
                "valid", "sop", "eop", "next_eop", "empty", "profile", "poisoned", "vc", "length")),
            word.mark.eq(shown("mark", self._mark)),
            word.data.eq(delayed(m, data_read.data, "data", behind, reset_less=True)),
        ]
