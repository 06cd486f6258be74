# SPDX-License-Identifier: Apache-2.0
"""The transmit pins: output register and the queue behind it."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_rtl.interfaces import EgressWord, TxLink

QUEUE_WORDS = 8
HOLD_WORDS = 4
"""Words in the queue from which on the inputs are asked to wait: two more are on their way."""


class LinkTx(wiring.Component):
    """Drives the transmit pins of a port (docs/spec.md, LinkTx).

    Parameters
    ----------
    config
        W.

    Members
    -------
    word
        Word to send, if any (cycle c+2).
    enable
        Bit 0 of register ``CONTROL``, sent as ``up``.
    hold
        No input may read another word for this output in this cycle.
    link
        The pins.

    Cycle behaviour
    ---------------
    A word that finds queue and output register empty, or the register being taken, is on the
    pins one cycle later. ``hold`` depends on registers only. The queue never overflows while
    the inputs keep to ``hold``. ``up`` follows ``enable``.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "word": In(EgressWord(config)),
            "enable": In(1),
            "hold": Out(1),
            "link": Out(TxLink(config)),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        given = Cat(self.word.sop, self.word.eop, self.word.empty, self.word.data)
        shown = Cat(self.link.sop, self.link.eop, self.link.empty, self.link.data)

        m.submodules.queue = queue = memory.Memory(shape=len(given), depth=QUEUE_WORDS, init=[])
        write = queue.write_port()
        read = queue.read_port(domain="comb")
        head = Signal(range(QUEUE_WORDS))
        tail = Signal(range(QUEUE_WORDS))
        count = Signal(range(QUEUE_WORDS + 1))
        free, queued, push, pop = Signal(), Signal(), Signal(), Signal()
        m.d.comb += [
            free.eq(~self.link.valid | self.link.ready),
            queued.eq(count != 0),
            push.eq(self.word.valid & (queued | ~free)),
            pop.eq(queued & free),
            write.addr.eq(tail),
            write.data.eq(given),
            write.en.eq(push),
            read.addr.eq(head),
            self.hold.eq(count >= HOLD_WORDS),
            self.link.up.eq(self.enable),
        ]
        m.d.sync += [
            tail.eq(tail + push),
            head.eq(head + pop),
            count.eq(count + push - pop),
        ]
        with m.If(pop):
            m.d.sync += [self.link.valid.eq(1), shown.eq(read.data)]
        with m.Elif(free):
            m.d.sync += [self.link.valid.eq(self.word.valid), shown.eq(given)]
        return m
