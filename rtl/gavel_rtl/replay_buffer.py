# SPDX-License-Identifier: Apache-2.0
"""The words of the frames that may have to be sent again, and the reader that fetches them."""

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_rtl.interfaces import EgressWord
from gavel_rtl.lib import ring
from gavel_rtl.lib.collisions import NO_COLLISION
from gavel_rtl.llr_interfaces import FetchedWord


class _Stored(data.StructLayout):
    """A word in memory. That it is a first one follows from the one before it."""

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "eop": unsigned(1),
            "poisoned": unsigned(1),
            "empty": unsigned(config.empty_bits),
            "data": unsigned(config.data_width),
        })


def frame_index_bits(config: SwitchConfig) -> int:
    """Width of the index of what is kept for each outstanding frame: low bits of its number."""
    return (config.replay_frames - 1).bit_length()


class ReplayBuffer(wiring.Component):
    """A ring of words, and where in it the outstanding frames begin (docs/llr.md, 6.1 to 6.3).

    Register B is the output register of the ring's memory. The start of a frame that was launched
    for the first time goes to a memory of its own; that of the frame which is launched next for
    the first time is the register ``fresh``.

    Parameters
    ----------
    config
        W, ``replay_cells``, ``replay_frames``.

    Members
    -------
    i_word
        A word to be written, cycle e.
    fetched
        Register B.
    launch
        B is launched or dropped in this cycle.
    clear
        B becomes empty in this cycle.
    rewind
        The reader goes to the first word of frame ``oldest``.
    next_frame
        Index of the frame that is launched next for the first time.
    oldest_is_next
        No frame is outstanding, as visible in the cycle.
    oldest_after
        Index of ``oldest`` in the next cycle, unless it is ``next`` then.
    finish
        The last word of a frame is launched for the first time, or dropped ...
    keep
        ... and the frame is kept, as number ``next_frame``. If not, its words are given back.
    release
        The words of the frames before ``oldest`` are to be given back in the next cycle.
    given_back
        Words given back in this cycle; 0 with ``dropped``.
    dropped, dropped_words
        The words of a frame that is not kept are given back in this cycle, and how many.

    Cycle behaviour
    ---------------
    A word written in e can be fetched from e+1 on, and is in B in e+2. The memory of starts is
    read in every cycle at ``oldest_after``, with what is written in the same cycle passing
    through: so it shows the start of the visible ``oldest``.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        index = frame_index_bits(config)
        self._pointer_bits = ring.pointer_bits(config.replay_words)
        super().__init__({
            "i_word": In(EgressWord(config)),
            "fetched": Out(FetchedWord(config)),
            "launch": In(1),
            "clear": In(1),
            "rewind": In(1),
            "next_frame": In(index),
            "oldest_is_next": In(1),
            "oldest_after": In(index),
            "finish": In(1),
            "keep": In(1),
            "release": In(1),
            "given_back": Out(self._pointer_bits),
            "dropped": Out(1),
            "dropped_words": Out(self._pointer_bits),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        reader = Signal(self._pointer_bits)
        start = Signal(self._pointer_bits)
        self._hold_words(m, reader, start)
        self._note_starts(m, reader, start)
        self._give_back(m, reader, start)
        return m

    def _hold_words(self, m: Module, reader: Signal, start: Signal) -> None:
        words = self._config.replay_words
        # No word is fetched before it is in the buffer, and none is written over one in use.
        m.submodules.words = memory = Memory(
            shape=_Stored(self._config), depth=words, init=[], attrs=NO_COLLISION)
        write, read = memory.write_port(), memory.read_port()
        tail = Signal(self._pointer_bits)
        fetch = Signal()
        fetched, word = self.fetched, self.i_word
        m.d.comb += [
            write.addr.eq(ring.index(tail)),
            write.en.eq(word.valid),
            write.data.eop.eq(word.eop),
            write.data.poisoned.eq(word.poisoned),
            write.data.empty.eq(word.empty),
            write.data.data.eq(word.data),
            fetch.eq((~fetched.valid | self.launch) & ~self.clear & ~self.rewind
                     & (reader != tail)),
            read.addr.eq(ring.index(reader)),
            read.en.eq(fetch),
            fetched.eop.eq(read.data.eop),
            fetched.poisoned.eq(read.data.poisoned),
            fetched.empty.eq(read.data.empty),
            fetched.data.eq(read.data.data),
        ]
        m.d.sync += fetched.valid.eq(fetch | (fetched.valid & ~self.launch & ~self.clear))
        with m.If(word.valid):
            m.d.sync += tail.eq(ring.following(tail, words))
        with m.If(self.rewind):
            m.d.sync += reader.eq(start)
        with m.Elif(fetch):
            m.d.sync += reader.eq(ring.following(reader, words))

    def _note_starts(self, m: Module, reader: Signal, start: Signal) -> None:
        m.submodules.starts = starts = Memory(
            shape=self._pointer_bits, depth=1 << frame_index_bits(self._config), init=[])
        write = starts.write_port()
        read = starts.read_port(transparent_for=(write,))
        fresh = Signal(self._pointer_bits)
        m.d.comb += [
            write.addr.eq(self.next_frame),
            write.data.eq(fresh),
            write.en.eq(self.finish & self.keep),
            read.addr.eq(self.oldest_after),
            start.eq(Mux(self.oldest_is_next, fresh, read.data)),
        ]
        with m.If(self.finish):
            # The reader stands one word behind the one in B, which is the frame's last.
            m.d.sync += fresh.eq(reader)

    def _give_back(self, m: Module, reader: Signal, start: Signal) -> None:
        released = Signal(self._pointer_bits)
        freed = Signal(self._pointer_bits)
        at_once = Signal()
        words = self._config.replay_words
        m.d.comb += [
            at_once.eq(self.finish & ~self.keep),
            self.given_back.eq(freed),
            # Such a frame is launched only if everything before it has been given back.
            self.dropped.eq(at_once),
            self.dropped_words.eq(ring.distance(reader, released, words)),
        ]
        m.d.sync += freed.eq(Mux(self.release, ring.distance(start, released, words), 0))
        with m.If(at_once):
            m.d.sync += released.eq(reader)
        with m.Elif(self.release):
            m.d.sync += released.eq(start)
