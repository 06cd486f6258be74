# SPDX-License-Identifier: Apache-2.0
"""Which words of the replay buffer end frames, and which of those are poisoned."""

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_rtl.interfaces import EgressWord
from gavel_rtl.lib import ring
from gavel_rtl.lib.collisions import NO_COLLISION
from gavel_rtl.voq import one_word_frames


class _Flags(data.StructLayout):
    """What decides, kept beside the words."""

    def __init__(self) -> None:
        super().__init__({"eop": unsigned(1), "poisoned": unsigned(1)})


class WordFlags(wiring.Component):
    """Has a memory of its own beside that of the words, read ahead of the reader, so that the flags
    of register B are flip-flops.

    Where a frame has at least two words, a word's place holds the flags of the one behind it: the
    first word of a frame is not its last. So what is read of a place is wanted a cycle later, and
    goes through a register right behind the memory, which is slow.

    Parameters
    ----------
    config
        W, ``replay_cells``.

    Members
    -------
    i_word
        A word to be written, cycle e.
    tail, further, start
        Indices: of where it goes; of the word after the next one to be fetched; to where the
        reader goes with ``rewind``.
    open, rewind
        In this cycle B is empty, or its word leaves it: the flags of the next word, if it is
        fetched, become those of B; the reader goes to ``start``.
    fetched, came, were_left
        In the cycle before a word was fetched; one was written; the words written before that one
        have not all been fetched.
    eop, poisoned
        Of B; they mean nothing without a word in it, and the latter nothing without the former.

    Cycle behaviour
    ---------------
    ``open`` comes late, and only chooses. Whether there is a word to be fetched is later still: the
    flags do not wait for it.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        index = In(ring.index_bits(config.replay_words))
        super().__init__({
            "i_word": In(EgressWord(config)),
            **dict.fromkeys(("tail", "further", "start"), index),
            **dict.fromkeys(("open", "rewind", "fetched", "came", "were_left"), In(1)),
            "eop": Out(1),
            "poisoned": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        word = self.i_word
        alone = one_word_frames(self._config)
        # What is read of a word while it is written is not used.
        m.submodules.flags = flags = Memory(
            shape=_Flags(), depth=self._config.replay_words, init=[], attrs=NO_COLLISION)
        write, self._read = flags.write_port(), flags.read_port()
        # In the cycle before: the reader went back; the word to be fetched next was written.
        rewound, self._was_new = Signal(name="rewound"), Signal(name="was_new")
        # The memory shows what stands in the place of the word to be fetched next.
        self._was_read = Signal(name="was_read")
        m.d.sync += rewound.eq(self.rewind)
        m.d.comb += [
            write.addr.eq(self.tail),
            write.en.eq(word.valid),
            write.data.eop.eq(word.eop if alone else word.next_eop),
            write.data.poisoned.eq(word.poisoned),
            self._read.addr.eq(Mux(self.rewind, self.start, self.further)),
            self._was_new.eq(self.came & ~self.were_left),
            self._was_read.eq((self.fetched | rewound) & ~self._was_new),
        ]
        for name in ("eop", "poisoned"):
            before = Signal(name=f"{name}_written_before")
            m.d.sync += before.eq(write.data[name])
            coming = (self._at_once if alone else self._ahead)(m, name, before)
            with m.If(self.open):
                m.d.sync += getattr(self, name).eq(coming)
        return m

    def _at_once(self, m: Module, name: str, before: Signal) -> Signal:
        """A flag of the word to be fetched next, of its own place."""
        # The memory did show it, and it is kept.
        keeps_read, held_read = Signal(name=f"keeps_{name}"), Signal(name=f"held_{name}")
        kept_read, new, kept_new, coming = (Signal(name=f"{name}_{which}") for which in (
            "kept_read", "new", "kept_new", "coming"))
        read = self._read.data[name]
        m.d.comb += [
            keeps_read.eq(held_read & ~self._was_new),
            new.eq(Mux(self._was_new, before, kept_new)),
            # What the memory shows is late, too, and goes through one multiplexer at most.
            coming.eq(Mux(self._was_read, read, Mux(keeps_read, kept_read, new))),
        ]
        m.d.sync += [held_read.eq(self._was_read | keeps_read), kept_new.eq(new)]
        with m.If(self._was_read):
            m.d.sync += kept_read.eq(read)
        return coming

    def _ahead(self, m: Module, name: str, before: Signal) -> Signal:
        """A flag of the word to be fetched next, of the place of the one before it."""
        # Of the word that was to be fetched next in the cycle before: what stands in its place,
        # that the memory showed it then, and what it is otherwise.
        place, kept = Signal(name=f"{name}_in_place"), Signal(name=f"{name}_kept")
        read = Signal(name=f"{name}_read", reset_less=True)
        shown = Signal(name=f"{name}_shown")
        following, coming = Signal(name=f"{name}_following"), Signal(name=f"{name}_coming")
        m.d.comb += [
            place.eq(Mux(shown, read, kept)),
            coming.eq(Mux(self.fetched, place, following)),
        ]
        m.d.sync += [
            read.eq(self._read.data[name]),
            shown.eq(self._was_read),
            kept.eq(Mux(self._was_new, before, place)),
            following.eq(coming & ~self.rewind),
        ]
        return coming
