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


class _Flags(data.StructLayout):
    """What decides, kept beside the words."""

    def __init__(self) -> None:
        super().__init__({"eop": unsigned(1), "poisoned": unsigned(1)})


class _Stored(data.StructLayout):
    """A word in memory. That it is a first one follows from the one before it."""

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "empty": unsigned(config.empty_bits),
            "data": unsigned(config.data_width),
        })


def frame_index_bits(config: SwitchConfig) -> int:
    """Width of the index of what is kept for each outstanding frame: low bits of its number."""
    return (config.replay_frames - 1).bit_length()


class ReplayBuffer(wiring.Component):
    """A ring of words, and where in it the outstanding frames begin (docs/llr.md, 6.1 to 6.3).

    Register B is the output register of the ring's memory. Block RAM is slow, so that next to
    nothing is decided by what it shows: ``eop`` and ``poisoned`` stand in a memory of their own,
    which is read for the word to be fetched next, so that those of B are flip-flops.

    The start of a frame that was launched for the first time goes to a memory of its own; that of
    the frame which is launched next for the first time is the register ``fresh``.

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
    newest_frame
        Index of the start that is written, of the frame that is launched next for the first time.
    acked_after
        Index of the start of ``oldest`` as it is in the next cycle ...
    drained
        ... unless it is this frame, ``newest_frame``, or will be.
    finish
        The last word of a frame is launched for the first time, or dropped ...
    keep
        ... and the frame is kept. If not, its words are given back.
    release
        The words of the frames before ``oldest`` are to be given back in the next cycle.
    given_back
        Words given back in this cycle; 0 with ``dropped``.
    dropped, dropped_words
        The words of a frame that is not kept are given back in this cycle, and how many.

    Cycle behaviour
    ---------------
    A word written in e can be fetched from e+1 on, and is in B in e+2. The memory of starts is
    read in every cycle at ``acked_after``: so it shows the start of the visible ``oldest``.
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
            "newest_frame": In(index),
            "acked_after": In(index),
            "drained": In(1),
            "finish": In(1),
            "keep": In(1),
            "release": In(1),
            "given_back": Out(self._pointer_bits),
            "dropped": Out(1),
            "dropped_words": Out(self._pointer_bits),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bits = self._pointer_bits
        self._reader, self._start = Signal(bits, name="reader"), Signal(bits, name="start")
        self._fresh = Signal(bits, name="fresh")
        self._start_is_fresh = Signal(name="start_is_fresh", init=1)
        self._fetch = Signal(name="fetch")
        self._hold_words(m)
        self._read(m)
        self._note_starts(m)
        self._give_back(m)
        return m

    def _hold_words(self, m: Module) -> None:
        """Register B but for its flags."""
        # No word is fetched before it is in the buffer, and none is written over one in use.
        m.submodules.words = memory = Memory(
            shape=_Stored(self._config), depth=self._config.replay_words, init=[],
            attrs=NO_COLLISION)
        write, read = memory.write_port(), memory.read_port()
        self._tail = tail = Signal(self._pointer_bits, name="tail")
        fetched, word = self.fetched, self.i_word
        m.d.comb += [
            write.addr.eq(ring.index(tail)),
            write.en.eq(word.valid),
            write.data.empty.eq(word.empty),
            write.data.data.eq(word.data),
            read.addr.eq(ring.index(self._reader)),
            read.en.eq(self._fetch),
            fetched.empty.eq(read.data.empty),
            fetched.data.eq(read.data.data),
        ]
        with m.If(word.valid):
            m.d.sync += tail.eq(ring.following(tail, self._config.replay_words))

    def _read(self, m: Module) -> None:
        """The reader, whether there is a word for it, and what flags it has."""
        words, word, fetched = self._config.replay_words, self.i_word, self.fetched
        reader, tail, fetch = self._reader, self._tail, self._fetch
        after, going_on = Signal.like(reader, name="after"), Signal.like(reader)
        last_written = Signal.like(reader, name="last_written",
                                   init=words - 1 | 1 << len(reader) - 1)
        # Words written before this cycle stand at or behind the reader of the next.
        more, left = Signal(), Signal()
        m.d.comb += [
            fetch.eq(more & ~self.clear & ~self.rewind & (~fetched.valid | self.launch)),
            going_on.eq(ring.following(reader, words)),
            after.eq(Mux(self.rewind, self._start, Mux(fetch, going_on, reader))),
            # A frame that is kept has words.
            left.eq(Mux(self.rewind, ~self._start_is_fresh | (self._fresh != tail),
                        Mux(fetch, reader != last_written, more))),
        ]
        m.d.sync += [
            reader.eq(after),
            more.eq(word.valid | left),
            fetched.valid.eq(fetch | (fetched.valid & ~self.launch & ~self.clear)),
        ]
        with m.If(word.valid):
            m.d.sync += last_written.eq(tail)

        # What is read of a word while it is written is not used.
        m.submodules.flags = flags = Memory(
            shape=_Flags(), depth=words, init=[], attrs=NO_COLLISION)
        write, read = flags.write_port(), flags.read_port()
        just_written = Signal()
        m.d.comb += [
            write.addr.eq(ring.index(tail)),
            write.en.eq(word.valid),
            read.addr.eq(ring.index(after)),
        ]
        m.d.sync += just_written.eq(word.valid & ~left)
        for name in ("eop", "poisoned"):
            written = Signal(name=f"{name}_written")
            m.d.comb += write.data[name].eq(getattr(word, name))
            m.d.sync += written.eq(getattr(word, name))
            with m.If(fetch):
                m.d.sync += getattr(fetched, name).eq(
                    Mux(just_written, written, read.data[name]))

    def _note_starts(self, m: Module) -> None:
        """Where frames begin."""
        # What is read of a frame while it is written is not used.
        m.submodules.starts = starts = Memory(
            shape=self._pointer_bits, depth=1 << frame_index_bits(self._config), init=[],
            attrs=NO_COLLISION)
        write, read = starts.write_port(), starts.read_port()
        reader, fresh = self._reader, self._fresh
        # ``fresh``, or as it was before the frame that began there was launched.
        unread = Signal.like(fresh)
        numbered = self.finish & self.keep
        m.d.comb += [
            write.addr.eq(self.newest_frame),
            write.data.eq(fresh),
            write.en.eq(numbered),
            read.addr.eq(self.acked_after),
            self._start.eq(Mux(self._start_is_fresh, unread, read.data)),
        ]
        m.d.sync += [
            self._start_is_fresh.eq(self.drained),
            unread.eq(Mux(self.finish & ~self.keep, reader, fresh)),
        ]
        with m.If(self.finish):
            # The reader stands one word behind the one in B, which is the frame's last.
            m.d.sync += fresh.eq(reader)

    def _give_back(self, m: Module) -> None:
        """Words of which nobody has a use any more."""
        released = Signal(self._pointer_bits)
        before = Signal(self._pointer_bits, name="released_before")
        at_once = Signal()
        words = self._config.replay_words
        m.d.comb += [
            at_once.eq(self.finish & ~self.keep),
            self.given_back.eq(ring.distance(released, before, words)),
            # Such a frame is launched only if everything before it has been given back.
            self.dropped.eq(at_once),
            self.dropped_words.eq(ring.distance(self._reader, released, words)),
        ]
        m.d.sync += before.eq(Mux(at_once, self._reader, released))
        with m.If(at_once):
            m.d.sync += released.eq(self._reader)
        with m.Elif(self.release):
            m.d.sync += released.eq(self._start)
