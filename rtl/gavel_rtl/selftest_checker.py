# SPDX-License-Identifier: Apache-2.0
"""The checker of a port's self-test."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.profiles import Field
from gavel_model.selftest_format import SEQUENCE_BITS, STAMP, TIME_BITS, FrameFormat
from gavel_rtl import selftest_words as words
from gavel_rtl.interfaces import RxLink
from gavel_rtl.lib import crc
from gavel_rtl.selftest_interfaces import CheckedFrame

_KIND_BITS = 2
_SEEN = ("source", "class", "sequence", "length", "seed", "payload", "time")


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
        header, payload = self._compare(m)
        self._judge(m, header, payload)
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
        self._number = Signal(words.number_bits(config), name="number_now")
        self._in_head = Signal(name="in_head_now")
        number, in_head = Signal.like(self._number, name="number_next"), Signal()
        m.d.comb += [
            self._number.eq(Mux(self._sop, 0, number)),
            self._in_head.eq(self._sop | in_head),
        ]
        with m.If(self._word):
            m.d.comb += self.bytes.eq(config.word_bytes - self._empty)
            m.d.sync += [
                is_open.eq(~self._eop),
                number.eq(self._number + 1),
                in_head.eq(self._in_head & (self._number != words.head_words(config) - 1)),
            ]

    def _at(self, word: int) -> Value:
        """Whether it is word ``word`` of the head."""
        return self._in_head & (self._number == word)

    def _field(self, m: Module, name: str, field: Field) -> Signal:
        """A field, from the word on that it is in."""
        width = self._config.data_width
        where = words.places(field)
        value = Signal(len(where), name=f"{name}_now")
        held = Signal(len(where), name=name)
        word = where[0] // width
        assert where[-1] // width == word
        m.d.comb += value.eq(Mux(self._at(word), Cat(self._data[bit % width] for bit in where),
                                 held))
        with m.If(self._word):
            m.d.sync += held.eq(value)
        return value

    def _read(self, m: Module) -> None:
        """Cycle t+1: stamp, and source and class in the header."""
        self._seen = {name: self._field(m, name, STAMP[name])
                      for name in _SEEN if name not in ("length", "seed")}
        self._header = {name: self._field(m, f"header_{name}", self._format.header[name])
                        for name in ("source", "class")}

    def _running(self, m: Module, name: str, width: int) -> tuple[Signal, Signal]:
        """A stamp's field that changes from word to word: its value now, and what the next word
        has."""
        where = words.places(STAMP[name])
        word = where[0] // self._config.data_width
        now, following = Signal(width, name=f"{name}_now"), Signal(width, name=f"{name}_next")
        held = Signal(width, name=name)
        bits = Cat(self._data[bit % self._config.data_width] for bit in where)
        m.d.comb += now.eq(Mux(self._at(word), bits, held))
        with m.If(self._word):
            m.d.sync += held.eq(following)
        return now, following

    def _compare(self, m: Module) -> tuple[Signal, Signal]:
        """Cycle t+1: whether header and stamp, and the payload, have been wrong up to here."""
        config = self._config
        lanes = config.word_bytes
        length, length_next = self._running(m, "length", len(words.places(STAMP["length"])))
        seed, seed_next = self._running(m, "seed", len(words.places(STAMP["seed"])))
        length_word = words.places(STAMP["length"])[0] // config.data_width
        left, in_body = Signal.like(length, name="left"), Signal()
        m.d.comb += [
            # The length counts down from the word that it stands in, less the words before.
            left.eq(Mux(self._at(length_word), length - length_word * lanes, length)),
            length_next.eq(left - lanes),
            in_body.eq(words.in_payload(config, self._in_head, self._number)),
        ]
        expected, following = words.payload(m, config, kind=self._seen["payload"][:2], state=seed,
                                            number=self._number)
        m.d.comb += seed_next.eq(Mux(in_body, following, seed))
        covered = words.groups(m, config, left)
        body = Signal(config.data_width)
        m.d.comb += body.eq(words.lanes_of(covered))
        head_wrong, shown = self._head(m)
        payload_wrong = Signal()
        m.d.comb += payload_wrong.eq(
            in_body & ((expected ^ self._data) & body & ~shown).any())
        header = self._sticky(m, "header", head_wrong | self._length_wrong(m, left))
        return header, self._sticky(m, "payload_error", payload_wrong)

    def _length_wrong(self, m: Module, left: Value) -> Value:
        lanes = self._config.word_bytes
        starts = words.head_words(self._config)
        wrong = Signal()
        with m.If(self._eop):
            m.d.comb += wrong.eq((self._in_head & (self._number != starts - 1))
                                 | (left != lanes - self._empty))
        return wrong

    def _sticky(self, m: Module, name: str, wrong: Value) -> Signal:
        """Whether something has been wrong since the frame began."""
        now, before = Signal(name=f"{name}_now"), Signal(name=f"{name}_before")
        m.d.comb += now.eq(wrong | (before & ~self._sop))
        with m.If(self._word):
            m.d.sync += before.eq(now)
        return now

    def _head(self, m: Module) -> tuple[Value, Signal]:
        """Whether constant bits of the head, or the destination, are wrong in this word; and which
        bits of this word are those of the head."""
        config, form = self._config, self._format
        width = config.data_width
        fields = {STAMP["destination"]: self.number, form.header["destination"]: self.number}
        wanted = words.head(form.constant, fields)
        free = set()
        for field in (*(STAMP[name] for name in _SEEN), form.header["source"],
                      form.header["class"], *form.edited):
            free |= set(words.places(field))
        free -= set(words.places(STAMP["payload"])[_KIND_BITS:])
        wrong: Value = Const(0, 1)
        shown = Signal(width)
        for word in range(words.head_words(config)):
            bits = range(word * width, min((word + 1) * width, words.HEAD_BITS))
            differ = Signal(len(bits), name=f"head_{word}_differs")
            m.d.comb += differ.eq(Cat(
                self._data[bit % width] ^ wanted[bit] if bit not in free else Const(0, 1)
                for bit in bits))
            wrong = wrong | (self._at(word) & differ.any())
            if word >= words.payload_start(config):
                with m.If(self._at(word)):
                    m.d.comb += shown[:len(bits)].eq((1 << len(bits)) - 1)
        return wrong, shown

    def _judge(self, m: Module, header: Value, payload: Value) -> None:
        """Cycle t+2: the verdict; it is to be seen in t+3."""
        config, seen = self._config, self._seen
        classes = self._format.classes
        ended, outside = Signal(), Signal()
        bad_header, bad_payload, error = Signal(), Signal(), Signal()
        latency = Signal(TIME_BITS)
        time_word = words.places(STAMP["time"])[0] // config.data_width
        m.d.sync += [
            ended.eq(self._word & self._eop),
            outside.eq(self._cut | self._stray),
        ]
        with m.If(self._word):
            m.d.sync += [
                bad_header.eq(header),
                bad_payload.eq(payload),
                error.eq(self._err | (error & ~self._sop)),
            ]
            with m.If(self._at(time_word)):
                m.d.sync += latency.eq(self.now - seen["time"])
        good_fcs = self._check_fcs(m)
        stamp = {name: Signal.like(seen[name], name=f"{name}_q")
                 for name in ("source", "class", "sequence")}
        head = {name: Signal.like(value, name=f"header_{name}_q")
                for name, value in self._header.items()}
        with m.If(self._word):
            m.d.sync += [stamp[name].eq(seen[name]) for name in stamp]
            m.d.sync += [head[name].eq(self._header[name]) for name in head]
        bad, misled, counts = Signal(), Signal(), Signal()
        m.d.comb += [
            bad.eq(error | ~good_fcs),
            misled.eq(bad_header | (stamp["source"] >= config.ports)
                      | (stamp["class"] >= classes) | (stamp["source"] != head["source"])
                      | (stamp["class"] != head["class"])),
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
            frame.lost.eq(Mux(counts & ~delta[-1], delta, 0)),
            frame.timed.eq(counts),
            frame.latency.eq(latency),
            frame.source.eq(stamp["source"]),
            frame.sequence.eq(stamp["sequence"]),
        ]

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
            m.d.sync += state.eq(crc.crc32_data(mixed))
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
