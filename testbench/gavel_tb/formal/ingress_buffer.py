# SPDX-License-Identifier: Apache-2.0
"""Every cell is in one place, and a frame leaves as it came, in its turn."""

from __future__ import annotations

from amaranth.hdl import Cat, Mux, Signal, Value

from gavel_model.config import SwitchConfig
from gavel_rtl.ingress_buffer import IngressBuffer
from gavel_rtl.interfaces import Reason
from gavel_rtl.lib.delay import delayed
from gavel_tb.formal.design import Design, Fault
from gavel_tb.formal.free_list import cell_to_take
from gavel_tb.formal.harness import Harness, implies

_FREE, _OPEN, _QUEUED, _LEAVING = range(4)
_FILED, _ERR = Value.cast(Reason.FILED), Value.cast(Reason.ERR)


class IngressBufferHarness(Harness):
    """An ingress buffer, frames that come as they like, and a scheduler that takes what it likes.

    The cell x is a symbolic constant: its place is free, in the open frame, in the frame that
    stands at some place of a VOQ, or in the frame that leaves. One frame is watched: its words
    count 1, 2, 3, those of all others are 0.

    Parameters
    ----------
    follows
        What is followed: the cell, the frame, or both.
    """

    resets = False

    def __init__(self, config: SwitchConfig, fault: Fault | None = None, *,
                 follows: tuple[str, ...] = ("cell", "frame")) -> None:
        super().__init__(config, fault)
        self.follows = follows

    def build(self) -> None:
        """The surroundings, the cell, the watched frame."""
        self.dut = IngressBuffer(self.config)
        self.design = Design(self.dut, self.fault)
        self.m.submodules.dut = self.design.fragment
        self._bring()
        self._match()
        self._count_lists()
        for follow in self.follows:
            {"cell": self._follow_cell, "frame": self._follow_frame}[follow]()

    def _bring(self) -> None:
        """Words as LinkRx gives them, and verdicts that fit them."""
        config, dut, m = self.config, self.dut, self.m
        word = dut.word
        valid, sop, eop, abort, watch = (self.anything(1, name) for name in (
            "valid", "sop", "eop", "abort", "watch"))
        is_open, words = Signal(), Signal(config.frame_words_bits + 1)
        number = self.let("number", len(words) + 1, Mux(sop, 1, words + 1))
        self.suppose(implies(valid, sop | (is_open & ~abort)))
        self.suppose(implies(valid & sop & is_open, abort))
        self.suppose(implies(abort, is_open))
        most = (1 << len(words)) - 1
        m.d.sync += is_open.eq(Mux(valid, ~eop, is_open & ~abort))
        with m.If(valid):
            m.d.sync += words.eq(Mux(number > most, most, number))
        # One frame of all is watched.
        watching, has_watched = Signal(), Signal()
        self.watched = self.let("watched", 1, Mux(sop, watch, watching))
        self.suppose(implies(valid & sop & watch, ~has_watched))
        with m.If(valid):
            m.d.sync += [watching.eq(self.watched), has_watched.eq(has_watched | self.watched)]
        reason = self.anything(len(Value.cast(dut.verdict.reason)), "reason")
        length, empty = self.anything(config.length_bits, "length"), self.anything(
            config.empty_bits, "empty")
        good = reason == _FILED
        self.suppose(implies(valid & eop & good, (
            (number <= config.max_frame_words) & (number >= config.words_per_cell)
            & (length + empty == number * config.word_bytes))))
        self.suppose(good | (reason == _ERR))
        m.d.comb += [
            word.valid.eq(valid), word.sop.eq(valid & sop), word.eop.eq(valid & eop),
            word.abort.eq(abort), word.data.eq(Mux(self.watched, number, 0)),
            Value.cast(dut.verdict.reason).eq(reason), dut.verdict.length.eq(length),
            dut.empty.eq(empty), dut.ecn_threshold.eq(0xFFFF),
            Value.cast(dut.fields.reason).eq(_FILED),
            dut.fields.vc.eq(self.anything(config.vc_bits, "vc")),
            dut.route.hit.eq(self.anything(1, "hit")),
            dut.route.port.eq(self.anything(config.port_bits, "port")),
        ]
        self.suppose((dut.fields.vc < config.vcs) & (dut.route.port < config.ports))
        m.d.comb += [limit.eq(self.constant(config.count_bits, f"limit{vc}"))
                     for vc, limit in enumerate(dut.vc_limit)]
        self.ends_watched = self.let("ends_watched", 1, valid & eop & self.watched)

    def _match(self) -> None:
        """Matches of frames that are there, when no transfer is open."""
        config, dut, m = self.config, self.dut, self.m
        valid = self.anything(1, "match")
        chosen = self.anything(config.voqs, "match_voq")
        m.d.comb += dut.match.valid.eq(valid)
        self.suppose(chosen.any() & ((chosen & (chosen - 1)) == 0))
        self.suppose(implies(valid, (chosen & dut.voq_ready).any()))
        transfer = self.design.part("transfer")
        self.reads, self.opening = transfer.member("read"), transfer.member("opening")
        self.done = transfer.member("done")
        self.suppose(implies(valid, ~self.reads | self.done))
        for j in range(config.ports):
            vcs = chosen[j * config.vcs:(j + 1) * config.vcs]
            m.d.comb += dut.match.output[j].eq(valid & vcs.any())
        for v in range(config.vcs):
            m.d.sync += dut.match.vc[v].eq(
                valid & Cat(chosen[j * config.vcs + v] for j in range(config.ports)).any())
        # Of the other outputs it means nothing.
        m.d.sync += dut.match.vc_if_output.eq(Cat(
            Mux(dut.match.output[j], chosen[j * config.vcs:(j + 1) * config.vcs],
                self.anything(config.vcs, f"vc_if_{j}")) for j in range(config.ports)))

    def _count_lists(self) -> None:
        """Frames that VoqLists has in each VOQ."""
        config, m = self.config, self.m
        writer, transfer = self.design.part("frame_writer"), self.design.part("transfer")
        self.enqueues = writer.member("enqueue")
        self.enqueue_voq = self.design.signal("enqueue_voq")
        self.dequeue_voq = transfer.member("voq")
        self.counts = [Signal(config.count_bits, name=f"listed{n}") for n in range(config.voqs)]
        for n, count in enumerate(self.counts):
            m.d.sync += count.eq(count + (self.enqueues & (self.enqueue_voq == n))
                                 - (self.opening & (self.dequeue_voq == n)))
        self.listed = self.let("listed", config.count_bits, 0)
        for n, count in enumerate(self.counts):
            with m.If(self.enqueue_voq == n):
                m.d.comb += self.listed.eq(count)

    def _turn(self, name: str, enters: Value) -> tuple[Signal, Signal, Signal]:
        """Follows one frame through its VOQ: its number, the frames before it, and whether it is
        taken out in this cycle. ``enters`` is 1 in the cycle of its enqueueing."""
        m = self.m
        voq, ahead = Signal.like(self.enqueue_voq, name=f"{name}_voq"), Signal(
            self.config.count_bits, name=f"{name}_ahead")
        waits = Signal(name=f"{name}_waits")
        leaves = self.let(f"{name}_leaves", 1, waits & self.opening
                          & (self.dequeue_voq == voq) & (ahead == 0))
        same = self.opening & (self.dequeue_voq == Mux(enters, self.enqueue_voq, voq))
        with m.If(enters):
            m.d.sync += [waits.eq(1), voq.eq(self.enqueue_voq), ahead.eq(self.listed - same)]
        with m.Elif(leaves):
            m.d.sync += waits.eq(0)
        with m.Elif(waits & same):
            m.d.sync += ahead.eq(ahead - 1)
        return waits, ahead, leaves

    def _follow_cell(self) -> None:
        config, m = self.config, self.m
        free_list = self.design.part("frame_writer", "free_list")
        allocate, take_back = free_list.member("allocate"), free_list.member("take_back")
        transfer = self.design.part("transfer")
        free, cell_now = transfer.member("free"), transfer.member("cell_now")
        freed_cell = transfer.member("freed_cell")
        x = self.constant(config.cell_bits, "x")
        self.suppose(x < config.buffer_cells)
        where = Signal(2)
        files = self.let("files_x", 1, (where == _OPEN) & self.enqueues)
        _, _, leaves = self._turn("cell", files)
        now = self.let("now", 2, Mux(
            (where == _OPEN) & take_back, _FREE, Mux(files, _QUEUED, Mux(
                leaves, _LEAVING, where))))
        takes, frees = (self.let("takes_x", 1, allocate & (cell_to_take(free_list) == x)),
                        self.let("frees_x", 1, free & (freed_cell == x)))
        m.d.sync += where.eq(Mux(frees, _FREE, Mux(takes, _OPEN, now)))
        self.claim("a cell that is handed out is free", implies(takes, now == _FREE))
        self.claim("a cell that is freed is of the frame that leaves",
                   implies(frees, now == _LEAVING))
        self.claim("no cell is left behind by a frame that has left", implies(
            self.done & (now == _LEAVING), frees))
        self.claim("a frame leaves only its own cells", implies(
            self.reads & (cell_now == x), now == _LEAVING))
        self.claim("a frame is open, filed or taken back, and not two of them",
                   ~(files & take_back))
        self.reach("the cell comes back", frees & (x == 0))
        self.reach("the cell is in use again", takes & (x == 1) & self._seen(frees))

    def _seen(self, event: Value) -> Signal:
        seen = Signal()
        self.m.d.sync += seen.eq(seen | event)
        return seen

    def _follow_frame(self) -> None:
        """The watched frame's words, in the order in which frames were filed."""
        m, dut = self.m, self.dut
        writer = self.design.part("frame_writer")
        files = writer.member("files")
        enters, length = Signal(), Signal(self.config.frame_words_bits + 1)
        m.d.sync += enters.eq(self.ends_watched & files)
        with m.If(self.ends_watched):
            m.d.sync += length.eq(dut.word.data)
        _, _, leaves = self._turn("frame", enters)
        leaving, reads_watched = Signal(), Signal()
        m.d.comb += reads_watched.eq(leaves | (leaving & self.reads))
        m.d.sync += leaving.eq(reads_watched & ~self.done)
        shows, number = Signal(), Signal.like(length)
        m.d.sync += shows.eq(delayed(m, reads_watched, "reads", self.config.read_stages))
        word = dut.out_word
        with m.If(shows):
            m.d.sync += number.eq(number + 1)
        self.claim("words of other frames are not those of the watched one",
                   implies(word.valid & ~shows, word.data == 0))
        self.claim("the watched frame's words leave in order",
                   implies(shows, word.valid & (word.data == number + 1)))
        self.claim("it begins with its first word",
                   implies(shows, word.sop == (number == 0)))
        self.claim("it ends with its last word",
                   implies(shows, word.eop == (number + 1 == length)))
        self.reach("the watched frame leaves behind another", shows & word.eop & (length > 1))
