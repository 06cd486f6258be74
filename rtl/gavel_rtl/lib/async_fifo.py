# SPDX-License-Identifier: Apache-2.0
"""An asynchronous FIFO for a clock that is fast for its fabric."""

from amaranth.hdl import Cat, Module, Mux, ResetSignal, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.cdc import AsyncFFSynchronizer, FFSynchronizer
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out


class AsyncFifo(wiring.Component):
    """A FIFO between two clocks, with Gray-coded pointers (C. E. Cummings, Simulation and Synthesis
    Techniques for Asynchronous FIFO Design, style 1).

    That of Amaranth compares pointers, decides and counts in one cycle. Here ``w_rdy``, ``r_rdy``
    and the word that is read are registers: pointers are compared for both answers before it is
    known whether something is written or read, and the address of the memory is a register, too.

    Parameters
    ----------
    width
        Bits of a word.
    address_bits
        Two or more; it holds that power of 2 words, and the one that is shown.
    w_domain, r_domain
        Clock domains that write and read.

    Members
    -------
    w_data, w_en, w_rdy
        In ``w_domain``: a word is written if both ``w_en`` and ``w_rdy`` are 1. Room that has
        become free shows a cycle late, and a last place only to a word behind another.
    w_level
        In ``w_domain``: words written and not known to have been fetched, two cycles late.
    r_data, r_rdy, r_en
        In ``r_domain``: the oldest word, if ``r_rdy`` is 1; it is taken if ``r_en`` is, too.
    r_level
        In ``r_domain``: words behind that, of those known in the cycle before.
    r_rst
        In ``r_domain``: ``w_domain`` has been reset, and the FIFO is empty.

    Cycle behaviour
    ---------------
    A word is shown two to three cycles of ``r_domain`` later than its pointer has crossed to
    ``produce_cdc``. A reset of ``w_domain`` empties the FIFO; it lasts at least two cycles of
    either clock. One of ``r_domain`` leaves it alone.
    """

    def __init__(self, *, width: int, address_bits: int, w_domain: str, r_domain: str):
        self._depth = 1 << address_bits
        self._bits = address_bits + 1
        self._w_domain, self._r_domain = w_domain, r_domain
        self.clock_domains = (w_domain, r_domain)
        super().__init__({
            "w_data": In(width),
            "w_en": In(1),
            "w_rdy": Out(1, init=1),
            "w_level": Out(self._bits),
            "r_data": Out(width),
            "r_en": In(1),
            "r_rdy": Out(1),
            "r_level": Out(self._bits),
            "r_rst": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.storage = self._storage = Memory(
            shape=len(self.w_data), depth=self._depth, init=[])
        written, fetched = (Signal(self._bits, name=name, reset_less=name.startswith("consume"))
                            for name in ("produce_w_gry", "consume_r_gry"))
        produced, consumed = Signal.like(written), Signal.like(fetched)
        m.submodules.produce_cdc = FFSynchronizer(written, produced, o_domain=self._r_domain)
        m.submodules.consume_cdc = FFSynchronizer(fetched, consumed, o_domain=self._w_domain)
        # Set asynchronously, since the pointer that writes goes back to 0 by itself.
        w_rst, emptied = ResetSignal(self._w_domain, allow_reset_less=True), Signal()
        m.submodules.rst_cdc = AsyncFFSynchronizer(w_rst, emptied, o_domain=self._r_domain)
        self._write(m, written, consumed)
        self._read(m, fetched, produced, emptied)
        return m

    def _write(self, m: Module, pointer: Signal, consumed: Signal) -> None:
        sync = m.d[self._w_domain]
        port = self._storage.write_port(domain=self._w_domain)
        count, behind = Signal(self._bits, name="produce_w_bin"), Signal(self._bits)
        # The pointer as it will be behind the next word.
        after = Signal(self._bits, name="produce_after", init=1)
        writes = Signal()

        def full(value: Signal) -> Value:
            """A whole FIFO ahead: of Gray codes the upper two bits differ."""
            return (value ^ consumed) == 0b11 << self._bits - 2

        m.d.comb += [
            writes.eq(self.w_en & self.w_rdy),
            port.addr.eq(count[:-1]),
            port.data.eq(self.w_data),
            port.en.eq(writes),
        ]
        sync += [
            # Whether something is written comes late, so room for it is there in any case.
            self.w_rdy.eq(~full(after) & ~full(pointer)),
            behind.eq(_decode(consumed)),
            self.w_level.eq(count - behind),
        ]
        with m.If(writes):
            sync += [count.eq(count + 1), pointer.eq(after), after.eq(_after(count, 2))]

    def _read(self, m: Module, pointer: Signal, produced: Signal, emptied: Signal) -> None:
        sync = m.d[self._r_domain]
        port = self._storage.read_port(domain=self._r_domain)
        # No hardware has a reset there, and simulation has none for such a signal.
        port.data = Signal(len(self.r_data), reset_less=True)
        count = Signal(self._bits, name="consume_r_bin", reset_less=True)
        after = Signal(self._bits, name="consume_after", init=1, reset_less=True)
        some = Signal(name="storage_has_word", reset_less=True)
        fetches = Signal()
        ahead = Signal(self._bits, name="produce_r_bin", reset_less=True)
        shown = Signal(name="word_shown", reset_less=True)
        m.d.comb += [
            fetches.eq(some & (self.r_en | ~shown)),
            port.addr.eq(count[:-1]),
            port.en.eq(fetches),
            self.r_data.eq(port.data),
            self.r_rdy.eq(shown),
            self.r_level.eq(ahead - count),
        ]
        sync += [
            some.eq(Mux(fetches, after != produced, pointer != produced)),
            shown.eq(some | (shown & ~self.r_en)),
            ahead.eq(_decode(produced)),
            self.r_rst.eq(emptied),
        ]
        with m.If(fetches):
            sync += [count.eq(count + 1), pointer.eq(after), after.eq(_after(count, 2))]
        with m.If(emptied):
            sync += [
                some.eq(0),
                shown.eq(0),
                count.eq(_decode(produced)),
                pointer.eq(produced),
                after.eq(_after(_decode(produced), 1)),
            ]


def _after(count: Value, words: int) -> Value:
    """Gray code of a count so many words further."""
    later = (count + words)[:len(count)]
    return later ^ (later >> 1)


def _decode(code: Signal) -> Value:
    """The count of a Gray code: each bit is the parity of those from it on."""
    return Cat(code[bit:].xor() for bit in range(len(code)))
