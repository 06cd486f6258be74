# SPDX-License-Identifier: Apache-2.0
"""The frames of each VOQ in order, as linked lists."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_rtl.lib.collisions import NO_COLLISION
from gavel_rtl.lib.one_hot import encode, select
from gavel_rtl.voq import FrameInfo, voq_number, voq_number_bits

_ADDRESS_BITS = 4
"""Of the small memories of an FPGA: as many words as these can address cost no more than one."""


class VoqLists(wiring.Component):
    """Head and tail of each VOQ's list, and the links between frames.

    The link of a frame stands at its first cell's number and holds the next frame's `FrameInfo`.
    The head of a VOQ is written from two sides: a frame filed in an empty VOQ becomes its head at
    once, any other when the frame before it is taken out. Where a frame has at least four words,
    the second kind can wait for the first, and there is one memory of heads. If not, there are two
    copies with one write port each, and a bit that tells the newer one.

    Members
    -------
    enqueue, enqueue_voq, frame
        A frame goes to the tail of a VOQ, one cycle after it was filed (w+1).
    enqueue_behind, enqueue_second
        With ``enqueue``: the VOQ was not empty in w; it held one frame, which counts only where a
        frame may have less than four words.
    dequeue, dequeue_voq
        The head is taken out, one cycle after the match (s+1); its VOQ was not empty in s.
    dequeue_output, dequeue_vc
        The output of VOQ ``dequeue_voq`` and its VC, one-hot: the VC comes later.
    head
        Head of VOQ ``dequeue_voq``.

    Cycle behaviour
    ---------------
    ``head`` is combinational; the link behind it is read with it and comes one cycle later (s+2).
    Where a frame may be a single word, the next ``dequeue`` may come in s+2, and the link passes
    straight through to it if it is for the same VOQ. Where a frame has at least four words, it
    comes in s+5 or later, as frames to enqueue come four cycles apart or more. Then the link is
    read in s+2, when that to a frame filed in s is there, too, and written in s+3, or in s+4 if
    another frame becomes a head in s+3; where a frame has at least eight words, each a cycle later,
    since the next ``dequeue`` comes in s+9 or later.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "enqueue": In(1),
            "enqueue_voq": In(voq_number_bits(config)),
            "enqueue_behind": In(1),
            "enqueue_second": In(1),
            "frame": In(FrameInfo(config)),
            "dequeue": In(1),
            "dequeue_voq": In(voq_number_bits(config)),
            "dequeue_output": In(config.ports),
            "dequeue_vc": In(config.vcs),
            "head": Out(FrameInfo(config)),
        })

    def elaborate(self, platform):
        config = self._config
        m = Module()
        m.submodules.tail = tails = Memory(shape=config.cell_bits, depth=config.voqs, init=[])
        # The link of a head is read while it is written only if it is not used.
        m.submodules.frame_next = links = Memory(
            shape=FrameInfo(config), depth=config.buffer_cells, init=[], attrs=NO_COLLISION)

        tail_read = tails.read_port(domain="comb")
        tail_write = tails.write_port()
        m.d.comb += [
            tail_read.addr.eq(self.enqueue_voq),
            tail_write.addr.eq(self.enqueue_voq),
            tail_write.data.eq(self.frame.cell),
            tail_write.en.eq(self.enqueue),
        ]

        link_read = links.read_port()
        link_write = links.write_port()
        m.d.comb += [
            link_write.addr.eq(tail_read.data),
            link_write.data.eq(self.frame),
            link_write.en.eq(self.enqueue & self.enqueue_behind),
        ]
        if config.words_per_cell >= 4:
            self._keep_one_copy(m, link_read)
        else:
            self._keep_two_copies(m, link_read)
        return m

    def _keep_one_copy(self, m, link_read):
        """Heads in one memory; what follows a head waits for the write port, where it was read."""
        config = self._config
        becomes_head = Signal()
        # The cell, which stands lowest in FrameInfo, has a memory of its own: much waits for it.
        low = config.cell_bits
        m.submodules.heads = heads = Memory(
            shape=FrameInfo(config).size - low, depth=config.voqs, init=[])
        vc_bits = (config.vcs - 1).bit_length()
        # With few VOQs an output is known by its bit, so that nothing stands before the memory.
        self._by_bit = (1 << vc_bits == config.vcs
                        and vc_bits + config.ports - 1 <= _ADDRESS_BITS)
        m.submodules.head_cells = cells = Memory(
            shape=low, init=[],
            depth=1 << vc_bits + config.ports - 1 if self._by_bit else config.voqs)
        read, write, write_cell = (
            heads.read_port(domain="comb"), heads.write_port(), cells.write_port())
        reads, comes, waits = Signal(), Signal(), Signal()
        voq = Signal.like(self.dequeue_voq)
        replaced = Signal()
        link = Signal(FrameInfo(config), reset_less=True)
        # With eight words there is time for a register right behind the memory. The link does not
        # change from s+2 on, nor does its address until the next ``dequeue``: nothing needs to be
        # held back in the memory.
        behind = config.words_per_cell >= 8
        late = "sync" if behind else "comb"
        m.d[late] += [comes.eq(reads & ~replaced), link.eq(link_read.data)]
        written = Signal(FrameInfo(config))
        m.d.comb += [
            becomes_head.eq(self.enqueue & ~self.enqueue_behind),
            read.addr.eq(self.dequeue_voq),
            Value.cast(self.head).eq(Cat(self._read_cell(m, cells), read.data)),
            written.eq(Mux(becomes_head, self.frame, link)),
            write.data.eq(Value.cast(written)[low:]),
            write_cell.data.eq(written.cell),
            link_read.en.eq(1 if behind else reads),
            # What follows the last frame is rubbish, until a frame is filed in the empty VOQ.
            replaced.eq(becomes_head & (self.enqueue_voq == voq)),
        ]
        enqueue_address, address = self.enqueue_voq, voq
        if self._by_bit:
            output = self.enqueue_voq[vc_bits:]
            enqueue_address = self._cell_address(
                Cat(output == n for n in range(config.ports)), self.enqueue_voq[:vc_bits])
            dequeue_address = self._cell_address(
                self.dequeue_output, encode(self.dequeue_vc, vc_bits))
            address = Signal(len(dequeue_address), name="cell_address")
            with m.If(self.dequeue):
                m.d.sync += address.eq(dequeue_address)
        m.d.comb += [
            write.addr.eq(Mux(becomes_head, self.enqueue_voq, voq)),
            write_cell.addr.eq(Mux(becomes_head, enqueue_address, address)),
            write.en.eq(becomes_head | waits),
            write_cell.en.eq(becomes_head | waits),
        ]
        m.d.sync += [
            reads.eq(self.dequeue),
            waits.eq((comes | (waits & becomes_head)) & ~replaced),
        ]
        with m.If(self.dequeue):
            m.d.sync += [voq.eq(self.dequeue_voq), link_read.addr.eq(self.head.cell)]

    def _cell_address(self, output: Value, vc: Value) -> Value:
        """Where the head's cell stands, for an output one-hot, and a VC as a number."""
        config = self._config
        if self._by_bit:
            return Cat(output[1:], vc)
        return voq_number(config, encode(output, config.port_bits), vc)

    def _read_cell(self, m, cells):
        """The head's cell, read for each VC and chosen behind the memory."""
        config, found = self._config, []
        vc_bits = (config.vcs - 1).bit_length() if self._by_bit else config.vc_bits
        for vc in range(config.vcs):
            read = cells.read_port(domain="comb")
            m.d.comb += read.addr.eq(
                self._cell_address(self.dequeue_output, Const(vc, vc_bits)))
            found.append((self.dequeue_vc[vc], read.data))
        # With one VC there is nothing to wait for.
        return select(found) if config.vcs > 1 else found[0][1]

    def _keep_two_copies(self, m, link_read):
        """A memory of heads for each side that writes."""
        config = self._config
        same_voq, becomes_head = Signal(), Signal()
        m.d.comb += [
            same_voq.eq(self.dequeue & (self.dequeue_voq == self.enqueue_voq)),
            becomes_head.eq(self.enqueue & (
                ~self.enqueue_behind | (same_voq & self.enqueue_second))),
            link_read.addr.eq(self.head.cell),
        ]
        link = link_read.data
        m.submodules.head_enqueued = heads_enqueued = Memory(
            shape=FrameInfo(config), depth=config.voqs, init=[])
        m.submodules.head_followed = heads_followed = Memory(
            shape=FrameInfo(config), depth=config.voqs, init=[])
        follow = Signal()
        follow_voq = Signal.like(self.dequeue_voq)
        m.d.sync += [
            follow.eq(self.dequeue & ~(becomes_head & same_voq)),
            follow_voq.eq(self.dequeue_voq),
        ]
        enqueued_read = heads_enqueued.read_port(domain="comb")
        enqueued_write = heads_enqueued.write_port()
        followed_read = heads_followed.read_port(domain="comb")
        followed_write = heads_followed.write_port()
        followed_is_newer = Signal(config.voqs)
        m.d.comb += [
            enqueued_write.addr.eq(self.enqueue_voq),
            enqueued_write.data.eq(self.frame),
            enqueued_write.en.eq(becomes_head),
            followed_write.addr.eq(follow_voq),
            followed_write.data.eq(link),
            followed_write.en.eq(follow),
            enqueued_read.addr.eq(self.dequeue_voq),
            followed_read.addr.eq(self.dequeue_voq),
        ]
        head = Mux(followed_is_newer.bit_select(self.dequeue_voq, 1),
                   followed_read.data, enqueued_read.data)
        if config.words_per_cell == 1:
            head = Mux(follow & (follow_voq == self.dequeue_voq), link, head)
        m.d.comb += self.head.eq(head)
        set_newer = Signal(config.voqs)
        clear_newer = Signal(config.voqs)
        m.d.comb += [
            set_newer.eq(follow << follow_voq),
            clear_newer.eq(becomes_head << self.enqueue_voq),
        ]
        # What follows the last frame is rubbish, but the frame that is then filed in the empty
        # VOQ clears the bit, and not before it is set. It also wins when both are for one VOQ:
        # then the frame that follows is being taken out in this very cycle.
        m.d.sync += followed_is_newer.eq((followed_is_newer | set_newer) & ~clear_newer)
