# SPDX-License-Identifier: Apache-2.0
"""The words of the frames that may have to be sent again, and the reader that fetches them."""

from amaranth.hdl import Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_rtl.block import connect, place
from gavel_rtl.frame_record import FrameRecord, frame_index_bits
from gavel_rtl.interfaces import EgressWord
from gavel_rtl.lib import ring
from gavel_rtl.lib.collisions import NO_COLLISION
from gavel_rtl.lib.delay import delayed
from gavel_rtl.llr_interfaces import FetchedWord
from gavel_rtl.word_flags import WordFlags


def _stored(config: SwitchConfig) -> dict[str, data.StructLayout]:
    """What is in memory of a word, by memory. That it is a first one follows from the one before
    it."""
    fields = {"empty": unsigned(config.empty_bits), "data": unsigned(config.data_width)}
    if not config.launch_stages:
        return {"words": data.StructLayout(fields)}
    # A memory of W bits fills block RAMs of which each is as deep as the ring: no multiplexer
    # stands between them and a register.
    return {"words": data.StructLayout({"data": fields["data"]}),
            "empties": data.StructLayout({"empty": fields["empty"]})}


class FrameStarts(FrameRecord):
    """Where in the ring each outstanding frame begins: pointers to its first word."""

    def __init__(self, config: SwitchConfig):
        super().__init__(config, ring.pointer_bits(config.replay_words))


class ReplayBuffer(wiring.Component):
    """A ring of words, and where in it the outstanding frames begin (docs/llr.md, 6.1 to 6.3).

    Register B is the output register of the ring's memory. Block RAM is slow, so that next to
    nothing is decided by what it shows: ``eop`` and ``poisoned`` stand beside it in `WordFlags`.
    With ``launch_stages`` = 1 it is register L that is the output register, and B is where its word
    stands.

    The start of a frame that was launched for the first time goes to `FrameStarts`; that of the
    frame which is launched next for the first time is the register ``fresh``.

    Parameters
    ----------
    config
        W, ``replay_cells``, ``replay_frames``, ``launch_stages``.

    Members
    -------
    i_word
        A word to be written, cycle e.
    fetched
        Register B; with ``launch_stages`` = 1 ``empty`` and ``data`` are those of L.
    goes, keeps, free
        As of `FrameLauncher`: B is launched or dropped in this cycle.
    clear
        B becomes empty in this cycle.
    rewind
        The reader goes to the first word of frame ``oldest``.
    coming, coming_next, accepted, drained, leaves, newest_frame
        As of `FrameRecord`.
    finish
        The last word of a frame is launched for the first time, or dropped.
    numbered, passed_by
        ... and the frame is kept; or it is not, and its words are given back.
    release
        The words of the frames before ``oldest`` are to be given back in the next cycle.
    given_back
        Words given back in this cycle; 0 with ``dropped``.
    dropped, dropped_words, dropped_more
        The words of a frame that is not kept are given back in this cycle, and how many: one more
        with the last.

    Cycle behaviour
    ---------------
    A word written in e can be fetched from e+1 on, and is in B in e+2. ``free``, ``finish`` and
    what it comes to are late: they choose, and nothing is computed from them. What is fetched is
    known last of all, so that it moves the reader's registers a cycle later.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        index = frame_index_bits(config)
        self._pointer_bits = ring.pointer_bits(config.replay_words)
        super().__init__({
            "i_word": In(EgressWord(config)),
            "fetched": Out(FetchedWord(config)),
            "goes": In(2),
            "keeps": In(1),
            "free": In(1),
            "clear": In(1),
            "rewind": In(1),
            "coming": In(index),
            "coming_next": In(index),
            "accepted": In(1),
            "drained": In(1),
            "leaves": In(1),
            "newest_frame": In(index),
            "finish": In(1),
            "numbered": In(1),
            "passed_by": In(1),
            "release": In(1),
            "given_back": Out(self._pointer_bits),
            "dropped": Out(1),
            "dropped_words": Out(self._pointer_bits),
            "dropped_more": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bits = self._pointer_bits
        self._reader, self._start = Signal(bits, name="reader"), Signal(bits, name="start")
        self._fresh = Signal(bits, name="fresh")
        self._fetch = Signal(name="fetch")
        # B is empty, or its word leaves it in this cycle.
        self._open = Signal(name="open")
        # Of the cycle before: a word was fetched, one was written.
        self._did_fetch, self._came = Signal(name="did_fetch"), Signal(name="came")
        # The words written before that one were not all fetched: what ``fetch`` decides about, for
        # it is known late, is asked a cycle later.
        self._were_left = Signal(name="were_left")
        self._hold_words(m)
        self._read(m)
        self._follow_flags(m)
        self._note_starts(m)
        self._give_back(m)
        return m

    def _hold_words(self, m: Module) -> None:
        """Register B but for its flags, or what L has of a word."""
        staged = self._config.launch_stages
        self._tail = tail = Signal(self._pointer_bits, name="tail")
        # Of the word in B.
        self._place = Signal(ring.index_bits(self._config.replay_words), name="place")
        word = self.i_word
        writes = word.valid, ring.index(tail), {"empty": word.empty, "data": word.data}
        reads = (self.free, self._place) if staged else (self._fetch, ring.index(self._reader))
        if staged:
            # Nobody reads a word in the cycle after that in which it came.
            writes = self._a_cycle_later(m, *writes)
        for name, shape in _stored(self._config).items():
            # No word is fetched before it is in the buffer, and none is written over one in use.
            m.submodules[name] = memory = Memory(
                shape=shape, depth=self._config.replay_words, init=[], attrs=NO_COLLISION)
            write, read = memory.write_port(), memory.read_port()
            m.d.comb += [write.en.eq(writes[0]), write.addr.eq(writes[1]),
                         read.en.eq(reads[0]), read.addr.eq(reads[1])]
            for field in shape.members:
                m.d.comb += [write.data[field].eq(writes[2][field]),
                             getattr(self.fetched, field).eq(read.data[field])]
        with m.If(word.valid):
            m.d.sync += tail.eq(ring.following(tail, self._config.replay_words))

    def _a_cycle_later(
        self, m: Module, valid: Value, place: Value, fields: dict[str, Value],
    ) -> tuple[Value, Value, dict[str, Value]]:
        """What is written, behind registers."""
        later = {name: Signal.like(value, name=f"{name}_written", reset_less=True)
                 for name, value in (*fields.items(), ("place", place))}
        m.d.sync += [register.eq(value) for register, value in zip(
            later.values(), (*fields.values(), place), strict=True)]
        return delayed(m, valid, "valid", 1), later.pop("place"), later

    def _read(self, m: Module) -> None:
        """The reader, and whether there is a word for it."""
        words, fetched = self._config.replay_words, self.fetched
        reader, tail, fetch, start = self._reader, self._tail, self._fetch, self._start
        # The last word written.
        last_written = Signal.like(reader, name="last_written", init=ring.before(0, words))
        self._move(m)
        # Words written before this cycle stand at or behind the reader.
        more = Signal()
        can_fetch = Signal()
        # B is empty in the next cycle, or can be: without ``free`` and with it, whether or not a
        # first word is kept; that, and ``free``, only choose.
        empties, takes = Signal(2), Signal(name="takes")
        # Whether any are left, by whether one is fetched in this cycle.
        left = [Signal(name=f"left_{name}") for name in ("unfetched", "fetched")]
        left_before = [Signal(name=f"{of.name}_before") for of in left]
        m.d.comb += [
            self._were_left.eq(Mux(self._did_fetch, left_before[1], left_before[0])),
            more.eq(self._came | self._were_left),
            can_fetch.eq(more & ~self.clear & ~self.rewind),
            empties.eq((~fetched.valid).replicate(2) | self.goes),
            takes.eq(Mux(self.free, empties[1], empties[0])),
            self._open.eq(takes | (self.free & self.keeps)),
            fetch.eq(can_fetch & self._open),
            left[0].eq(Mux(self.rewind, start != tail, more)),
            left[1].eq(reader != last_written),
        ]
        m.d.sync += [
            self._did_fetch.eq(fetch),
            self._came.eq(self.i_word.valid),
            *(before.eq(now) for before, now in zip(left_before, left, strict=True)),
            fetched.valid.eq(can_fetch | (fetched.valid & ~self.clear & ~self._open)),
        ]
        with m.If(self.i_word.valid):
            m.d.sync += last_written.eq(tail)

    def _move(self, m: Module) -> None:
        """The reader, one word further, and the place of B: as they were before the cycle before
        fetched a word, and as they are."""
        words, reader, start = self._config.replay_words, self._reader, self._start
        fetched = self._did_fetch
        # An index.
        self._further = further = Signal(ring.index_bits(words), name="further")
        reader_before = Signal.like(reader, name="reader_before")
        further_before = Signal.like(reader, name="further_before", init=ring.after(0, words))
        m.d.comb += [
            reader.eq(Mux(fetched, further_before, reader_before)),
            further.eq(Mux(fetched, ring.index(ring.following(further_before, words)),
                           ring.index(further_before))),
        ]
        # Nothing was fetched before a cycle with ``rewind``, in which B is empty.
        with m.If(self.rewind | fetched):
            m.d.sync += [
                reader_before.eq(Mux(self.rewind, start, further_before)),
                further_before.eq(Mux(self.rewind, ring.following(start, words),
                                      ring.following(further_before, words))),
            ]
        if self._config.launch_stages:
            place_before = Signal.like(self._place, name="place_before")
            m.d.comb += self._place.eq(Mux(fetched, ring.index(reader_before), place_before))
            with m.If(self.rewind | fetched):
                m.d.sync += place_before.eq(ring.index(reader_before))

    def _follow_flags(self, m: Module) -> None:
        """The flags of B."""
        flags, fetched = place(m, "word_flags", WordFlags(self._config)), self.fetched
        connect(m, flags.i_word, self.i_word)
        m.d.comb += [
            flags.tail.eq(ring.index(self._tail)),
            flags.further.eq(self._further),
            flags.start.eq(ring.index(self._start)),
            flags.open.eq(self._open),
            flags.rewind.eq(self.rewind),
            flags.fetched.eq(self._did_fetch),
            flags.came.eq(self._came),
            flags.were_left.eq(self._were_left),
            fetched.eop.eq(flags.eop),
            fetched.poisoned.eq(flags.poisoned),
        ]

    def _note_starts(self, m: Module) -> None:
        """Where frames begin."""
        starts = place(m, "starts", FrameStarts(self._config))
        reader, fresh = self._reader, self._fresh
        m.d.comb += [
            starts.coming.eq(self.coming),
            starts.coming_next.eq(self.coming_next),
            starts.accepted.eq(self.accepted),
            starts.drained.eq(self.drained),
            starts.leaves.eq(self.leaves),
            starts.numbered.eq(self.numbered),
            starts.newest_frame.eq(self.newest_frame),
            starts.value.eq(fresh),
            # Behind a frame that is not kept this is a cycle late, in which nobody looks at it.
            starts.following.eq(fresh),
            self._start.eq(starts.oldest),
        ]
        with m.If(self.finish):
            # The reader stands one word behind the one in B, which is the frame's last.
            m.d.sync += fresh.eq(reader)

    def _give_back(self, m: Module) -> None:
        """Words of which nobody has a use any more."""
        released, reader = Signal(self._pointer_bits), self._reader
        words, at_once = self._config.replay_words, self.passed_by
        m.d.comb += [self.dropped.eq(at_once), self.dropped_more.eq(self._did_fetch)]
        m.d.sync += [
            self.given_back.eq(Mux(self.release, ring.distance(self._start, released, words), 0)),
            # Such a frame is launched only if everything before it has been given back.
            self.dropped_words.eq(Mux(at_once, 0, ring.distance(reader, released, words))),
        ]
        # Never both.
        with m.If(at_once | self.release):
            m.d.sync += released.eq(Mux(self.release, self._start, reader))
