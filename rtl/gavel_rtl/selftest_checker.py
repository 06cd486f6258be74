# SPDX-License-Identifier: Apache-2.0
"""The checker of a port's self-test."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gavel_model.config import FCS_BYTES, SwitchConfig
from gavel_model.profiles import Field
from gavel_model.selftest_format import (
    GROUP_BYTES,
    LENGTH_BITS,
    PRBS_BITS,
    PRBS_TAP,
    SEQUENCE_BITS,
    STAMP,
    TIME_BITS,
    FrameFormat,
)
from gavel_rtl import selftest_words as words
from gavel_rtl.interfaces import RxLink
from gavel_rtl.lib import crc
from gavel_rtl.lib.xor_network import shared_xor
from gavel_rtl.selftest_interfaces import CheckedFrame

_KIND_BITS = 2
_FREE = ("source", "class", "sequence", "length", "seed", "payload", "time")
"""Fields of the stamp that are not the same in all frames."""



class SelfTestChecker(wiring.Component):
    """Says of each frame what is wrong with it (docs/selftest.md, chapters 6 and 7).

    Parameters
    ----------
    config
        P, W, V, the header profile, `max_frame_bytes`.

    Members
    -------
    number
        Number of the port.
    link
        What is checked; of its members the words and ``up`` count.
    clear
        Sequence numbers begin anew.
    now
        Low bits of ``CYCLES`` of four cycles before.
    bytes
        Adds to ``BYTES``, in t+1.
    frame
        All other counts, in t+3.

    Cycle behaviour
    ---------------
    t: sampled. t+1: framing, CRC, comparison with what it must be. t+2: verdict, sequence number.
    t+3: ``frame``. After reset no frame is open, and every flow begins with 0.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        self._format = FrameFormat(config)
        super().__init__({
            "number": In(config.port_bits),
            "link": In(RxLink(config)),
            "clear": In(1),
            "now": In(TIME_BITS),
            "bytes": Out(config.empty_bits + 1),
            "frame": Out(CheckedFrame()),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._sample(m)
        self._frame(m)
        self._read(m)
        self._judge(m, *self._compare(m))
        return m

    def _sample(self, m: Module) -> None:
        """Cycle t."""
        config, link = self._config, self.link
        self._present, self._sop, self._eop, self._err = (
            Signal(name=name) for name in ("present_q", "sop_q", "eop_q", "err_q"))
        self._empty = Signal(config.empty_bits, name="empty_q")
        self._data = Signal(config.data_width, name="data_q")
        empty = Signal(config.empty_bits)
        m.d.comb += empty.eq(Mux(link.eop, link.empty, 0))
        used = Cat(Mux(config.word_bytes - 1 - lane < empty, Const(0, 8), 0xFF)
                   for lane in range(config.word_bytes))
        m.d.sync += [
            self._present.eq(link.valid & link.up),
            self._sop.eq(link.sop),
            self._eop.eq(link.eop),
            self._err.eq(link.err),
            self._empty.eq(empty),
            self._data.eq(link.data & used),
        ]

    def _frame(self, m: Module) -> None:
        """Cycle t+1: framing, and the word's number."""
        config = self._config
        is_open = Signal()
        self._word, self._cut, self._stray = Signal(), Signal(), Signal()
        m.d.comb += [
            self._word.eq(self._present & (self._sop | is_open)),
            self._cut.eq(self._present & self._sop & is_open),
            self._stray.eq(self._present & ~self._sop & ~is_open),
        ]
        # The last word's, which is that of t+2; it comes round as the length in the stamp does.
        self._last = Signal(LENGTH_BITS - config.empty_bits, name="number")
        self._number = Signal.like(self._last, name="number_now")
        self._in_head = Signal(name="in_head_now")
        in_head = Signal()
        m.d.comb += [
            self._number.eq(Mux(self._sop, 0, self._last + 1)),
            self._in_head.eq(self._sop | in_head),
        ]
        with m.If(self._word):
            m.d.comb += self.bytes.eq(config.word_bytes - self._empty)
            m.d.sync += [
                is_open.eq(~self._eop),
                self._last.eq(self._number),
                in_head.eq(self._in_head & ~self._is_place(words.head_words(config) - 1)),
            ]

    def _is_place(self, word: int) -> Value:
        """Whether it is word ``word``, of those of the head."""
        return self._number[:words.head_words(self._config).bit_length()] == word

    def _bits(self, field: Field) -> tuple[int, Value]:
        """The word that has a field, and its bits if this is that word."""
        width = self._config.data_width
        where = words.places(field)
        word = where[0] // width
        assert where[-1] // width == word
        return word, Cat(self._data[bit % width] for bit in where)

    def _held(self, m: Module, name: str, field: Field) -> Signal:
        """A field of the last frame whose word with it has come, in t+2."""
        word, bits = self._bits(field)
        held = Signal(len(bits), name=name)
        with m.If(self._word & self._in_head & self._is_place(word)):
            m.d.sync += held.eq(bits)
        return held

    def _read(self, m: Module) -> None:
        """Cycle t+1: stamp, and source and class in the header."""
        self._stamp = {name: self._held(m, f"stamp_{name}", STAMP[name])
                       for name in ("source", "class", "payload", "sequence", "length")}
        self._header = {name: self._held(m, f"header_{name}", self._format.header[name])
                        for name in ("source", "class")}
        word, time = self._bits(STAMP["time"])
        self._latency = Signal(TIME_BITS, name="latency")
        with m.If(self._word & self._in_head & self._is_place(word)):
            m.d.sync += self._latency.eq(self.now - time)

    def _kind(self) -> Value:
        """Kind of the payload in this word."""
        word, bits = self._bits(STAMP["payload"])
        held = self._stamp["payload"][:_KIND_BITS]
        if word < words.payload_start(self._config):
            return held
        return Mux(self._in_head & self._is_place(word), bits[:_KIND_BITS], held)

    def _compare(self, m: Module) -> tuple[Signal, Signal]:
        """Whether header and stamp, and the payload, have been wrong, in t+2."""
        starts = words.head_words(self._config)
        short = self._eop & self._in_head & ~self._is_place(starts - 1)
        header = self._sticky(m, "header_error", self._head_differs(m) | short)
        return header, self._payload(m)

    def _sticky(self, m: Module, name: str, wrong: Value) -> Signal:
        """Whether something has been wrong since the frame began, in t+2."""
        before = Signal(name=name)
        with m.If(self._word):
            m.d.sync += before.eq(wrong | (before & ~self._sop))
        return before

    def _head_differs(self, m: Module) -> Value:
        """Whether constant bits of the head, or the destination, are wrong in this word."""
        config, form = self._config, self._format
        width = config.data_width
        fields = {STAMP["destination"]: self.number, form.header["destination"]: self.number}
        wanted = words.head(form.constant, fields)
        free = set()
        for field in (*(STAMP[name] for name in _FREE), form.header["source"],
                      form.header["class"], *form.edited):
            free |= set(words.places(field))
        free -= set(words.places(STAMP["payload"])[_KIND_BITS:])
        differs = Signal(width, name="head_differs")
        for word in range(words.head_words(config)):
            bits = range(word * width, min((word + 1) * width, words.HEAD_BITS))
            with m.If(self._is_place(word)):
                m.d.comb += differs.eq(Cat(
                    self._data[bit % width] ^ wanted[bit] if bit not in free else Const(0, 1)
                    for bit in bits))
        return self._in_head & differs.any()

    def _payload(self, m: Module) -> Signal:
        """Whether the payload has been wrong, in t+2.

        It continues what is before it, so that what is wrong shows in what has come itself. Where
        it ends is known with the last word: a group of lanes belongs to the tail, or to the FCS,
        if fewer than four bytes follow it.
        """
        config = self._config
        groups = config.word_bytes // GROUP_BYTES
        stream = Cat(self._before(m), self._data)
        bits = range(config.data_width)
        expected = words.payload(
            m, config, kind=self._kind(), enable=Const(1), number=self._number,
            # Of 32 bits before, the last 31 and the last 28.
            random=Cat(stream[n + words.CONTINUED_BITS - PRBS_BITS]
                       ^ stream[n + words.CONTINUED_BITS - PRBS_TAP] for n in bits),
            repeated=stream[:config.data_width])
        begins = self._is_place(words.payload_start(config))
        differs = expected ^ self._data
        wrong = Signal(groups, name="group_wrong")
        m.d.comb += wrong.eq(Cat(
            differs.word_select(n, 8 * GROUP_BYTES).any() & (
                ~self._in_head | (begins if GROUP_BYTES * n >= words.payload_lane(config)
                                  and words.payload_lane(config) else 0))
            for n in range(groups)))
        open_end, before = Signal(), Signal(name="payload_error")
        follows = Signal()
        # Of the last word `GROUP_BYTES` * (n + 1) + FCS_BYTES bytes must be there for group n.
        m.d.comb += follows.eq(~self._eop | (self._empty <= config.word_bytes - FCS_BYTES))
        at_once = Cat(
            ~self._eop | (self._empty <= config.word_bytes - GROUP_BYTES * (n + 1) - FCS_BYTES)
            for n in range(groups - 1))
        with m.If(self._word):
            m.d.sync += [
                open_end.eq(wrong[-1] & ~self._eop),
                before.eq((wrong[:-1] & at_once).any()
                          | (~self._sop & (before | (open_end & follows)))),
            ]
        return before

    def _before(self, m: Module) -> Signal:
        """The last bits of the word before."""
        before = Signal(words.CONTINUED_BITS, name="before")
        with m.If(self._word):
            m.d.sync += before.eq(self._data[-words.CONTINUED_BITS:])
        return before

    def _judge(self, m: Module, bad_header: Signal, bad_payload: Signal) -> None:
        """Cycle t+2: the verdict; it is to be seen in t+3."""
        config, stamp, head = self._config, self._stamp, self._header
        classes = self._format.classes
        ended, outside, error = Signal(), Signal(), Signal()
        empty = Signal.like(self._empty, name="empty_last")
        m.d.sync += [
            ended.eq(self._word & self._eop),
            outside.eq(self._cut | self._stray),
            empty.eq(self._empty),
        ]
        with m.If(self._word):
            m.d.sync += error.eq(self._err | (error & ~self._sop))
        good_fcs = self._check_fcs(m)
        bad, misled, counts = Signal(), Signal(), Signal()
        m.d.comb += [
            bad.eq(error | ~good_fcs),
            misled.eq(bad_header | (stamp["source"] >= config.ports)
                      | (stamp["class"] >= classes) | (stamp["source"] != head["source"])
                      | (stamp["class"] != head["class"])
                      # One less than the bytes that have come.
                      | (stamp["length"] != Cat(~empty, self._last))),
            counts.eq(ended & ~bad & ~misled),
        ]
        delta = self._flow(m, stamp, counts)
        frame = self.frame
        m.d.sync += [
            frame.ended.eq(ended),
            frame.bad.eq(outside + (ended & bad)),
            frame.header.eq(ended & ~bad & misled),
            frame.payload.eq(counts & bad_payload),
            frame.late.eq(counts & delta[-1]),
            frame.lost.eq(delta),
            frame.timed.eq(counts),
            frame.latency.eq(self._latency),
            frame.source.eq(stamp["source"]),
            frame.sequence.eq(stamp["sequence"]),
        ]
        with m.If(~counts | delta[-1]):
            m.d.sync += frame.lost.eq(0)
        with m.If(~counts):
            m.d.sync += frame.latency.eq(0)

    def _check_fcs(self, m: Module) -> Value:
        """Whether the frame up to the word of t+1 has a good FCS, in t+2."""
        config = self._config
        state, before, good = Signal(crc.CRC_BITS), Signal(crc.CRC_BITS), Signal(crc.CRC_BITS)
        mixed = Signal(config.data_width)
        m.d.comb += [
            before.eq(Mux(self._sop, crc.INITIAL, state)),
            mixed.eq(self._data ^ before),
        ]
        with m.If(self._word):
            # A word is no shorter than the register, which so is taken in with its first bytes.
            m.d.sync += state.eq(shared_xor(
                m, mixed, crc.rows(crc.data_columns(config.data_width)), "crc_parts"))
        with m.Switch(self._empty):
            for empty in range(config.word_bytes):
                with m.Case(empty):
                    m.d.sync += good.eq(crc.residue(empty))
        return state == good

    def _flow(self, m: Module, stamp: dict[str, Signal], counts: Signal) -> Signal:
        """Sequence number less the expected one; takes it in."""
        classes = self._format.classes
        flows = self._config.ports * classes
        m.submodules.sequences = memory = Memory(shape=SEQUENCE_BITS, depth=flows, init=[])
        read, write = memory.read_port(domain="comb"), memory.write_port()
        begun = Signal(flows)
        flow = Signal(range(max(2, flows)))
        delta = Signal(SEQUENCE_BITS)
        follows = counts & ~delta[-1]
        m.d.comb += [
            flow.eq(stamp["source"] * classes + stamp["class"]),
            read.addr.eq(flow),
            write.addr.eq(flow),
            delta.eq(stamp["sequence"] - Mux(begun.bit_select(flow, 1), read.data, 0)),
            write.data.eq(stamp["sequence"] + 1),
            write.en.eq(follows),
        ]
        with m.If(self.clear):
            m.d.sync += begun.eq(0)
        with m.Elif(follows):
            m.d.sync += begun.bit_select(flow, 1).eq(1)
        return delta
