# SPDX-License-Identifier: Apache-2.0
"""The traffic generator of a port's self-test."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gavel_model.config import FCS_BYTES, SwitchConfig
from gavel_model.selftest_format import (
    DRAW_BITS,
    GROUP_BYTES,
    LINE_RATE,
    PRBS_BITS,
    SEQUENCE_BITS,
    STAMP,
    TIME_BITS,
    FrameFormat,
)
from gavel_model.selftest_map import SelfTestFault, SelfTestPayload
from gavel_rtl import selftest_words as words
from gavel_rtl.block import connect, place
from gavel_rtl.selftest_draw import SelfTestDraw
from gavel_rtl.selftest_fcs import SelfTestFcs
from gavel_rtl.selftest_interfaces import COUNT_BITS, INJECT_BITS, MadeWord, SelfTestSettings


class SelfTestGenerator(wiring.Component):
    """Sends frames (docs/selftest.md, chapters 4 and 5).

    Parameters
    ----------
    config
        P, W, V, the header profile, `max_frame_bytes`.

    Members
    -------
    number
        Number of the port.
    settings
        Registers as visible in the cycle.
    run, clear
        ``CONTROL`` as visible in the cycle; sequence numbers begin anew.
    now
        Low bits of ``CYCLES``.
    ready
        ``word`` is taken in this cycle.
    word
        Register O: a word on the pins.
    busy
        As in the specification.
    sent
        A frame is begun in this cycle.

    Cycle behaviour
    ---------------
    A word is on the pins three steps after it was put together, a step being a cycle in which
    register O is empty or taken. After reset nothing is under way.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        self._format = FrameFormat(config)
        super().__init__({
            "number": In(config.port_bits),
            "settings": In(SelfTestSettings(config)),
            "run": In(1),
            "clear": In(1),
            "now": In(TIME_BITS),
            "ready": In(1),
            "word": Out(MadeWord(config)),
            "busy": Out(1),
            "sent": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config, settings = self._config, self.settings
        draw = place(m, "draw", SelfTestDraw(config))
        fcs = place(m, "fcs", SelfTestFcs(config))
        on, step, load = Signal(), Signal(), Signal()
        valid, last = Signal(), Signal()
        may_begin, more, inject = Signal(), Signal(), Signal()
        m.d.comb += [
            on.eq(self.run & settings.mode.any() & settings.destinations.any()
                  & settings.classes.any()),
            step.eq(~self.word.valid | self.ready),
            load.eq(on & step & draw.frame.valid & (~valid | last) & may_begin & more),
            draw.on.eq(on),
            draw.step.eq(step),
            draw.taken.eq(load),
            fcs.step.eq(step),
            self.busy.eq(valid | fcs.busy | (on & more)),
            self.sent.eq(load),
        ]
        connect(m, draw.settings, settings)
        connect(m, self.word, fcs.o_word)
        self._pace(m, valid & step, may_begin)
        self._count(m, on, load, more, inject)
        sequence = self._sequence(m, draw, load, inject)
        with m.If(load):
            m.d.sync += valid.eq(1)
        with m.Elif(step & last):
            m.d.sync += valid.eq(0)
        self._form(m, draw, fcs, valid=valid, last=last, load=load, step=step,
                   inject=inject, sequence=sequence)
        return m

    def _pace(self, m: Module, formed: Value, may_begin: Signal) -> None:
        """Tokens, in units of a word's 1/65536."""
        load_bits = LINE_RATE.bit_length()
        tokens = Signal(signed(self._config.max_frame_words.bit_length() + load_bits))
        following = Signal.like(tokens)
        m.d.comb += [
            following.eq(tokens + Mux((tokens < 0) | formed, self.settings.load, 0)
                         - Mux(formed, LINE_RATE, 0)),
            may_begin.eq(following >= 0),
        ]
        m.d.sync += tokens.eq(following)

    def _count(self, m: Module, on: Signal, load: Signal, more: Signal, inject: Signal) -> None:
        """How many frames are still to come, and which of them are spoilt."""
        settings = self.settings
        left = Signal(COUNT_BITS)
        until = Signal(INJECT_BITS)
        m.d.comb += [
            more.eq(left.any() | ~settings.count.any()),
            inject.eq(settings.inject_every.any() & (until == 1)),
        ]
        with m.If(~on):
            m.d.sync += [left.eq(settings.count), until.eq(settings.inject_every)]
        with m.Elif(load):
            m.d.sync += [
                left.eq(left - 1),
                until.eq(Mux(inject, settings.inject_every, until - 1)),
            ]

    def _sequence(self, m: Module, draw: SelfTestDraw, load: Signal, inject: Signal) -> Signal:
        """Sequence number of the frame that is loaded."""
        classes = self._format.classes
        flows = self._config.ports * classes
        m.submodules.sequences = memory = Memory(shape=SEQUENCE_BITS, depth=flows, init=[])
        read, write = memory.read_port(domain="comb"), memory.write_port()
        begun = Signal(flows)
        flow = Signal(range(max(2, flows)))
        sequence = Signal(SEQUENCE_BITS)
        left_out = inject & (self.settings.inject_how >= SelfTestFault.LEFT_OUT)
        m.d.comb += [
            flow.eq(draw.frame.destination * classes + draw.frame.class_),
            read.addr.eq(flow),
            write.addr.eq(flow),
            sequence.eq(Mux(begun.bit_select(flow, 1), read.data, 0) + left_out),
            write.data.eq(sequence + 1),
            write.en.eq(load),
        ]
        with m.If(self.clear):
            m.d.sync += begun.eq(0)
        with m.Elif(load):
            m.d.sync += begun.bit_select(flow, 1).eq(1)
        return sequence

    def _form(self, m: Module, draw: SelfTestDraw, fcs: SelfTestFcs, *, valid: Signal,
              last: Signal, load: Signal, step: Signal, inject: Signal, sequence: Signal) -> None:
        """Register F, and its words."""
        config, settings = self._config, self.settings
        word, starts = fcs.i_word, words.payload_start(config)
        held = {name: Signal(len(value), name=f"frame_{name}") for name, value in (
            ("destination", draw.frame.destination), ("class", draw.frame.class_),
            ("length", draw.frame.length), ("sequence", sequence),
            ("payload", settings.payload))}
        spoilt_fcs, spoilt_payload = Signal(), Signal()
        # Words behind this one, and bytes of the last one, less one.
        left = Signal(config.length_bits - config.empty_bits)
        in_last = held["length"][:config.empty_bits]
        number = Signal(words.number_bits(config))
        in_head = Signal()
        seed = Signal(DRAW_BITS)
        fields = {STAMP[name]: held[name]
                  for name in ("destination", "class", "payload", "length", "sequence")}
        fields |= {self._format.header[name]: held[name] for name in ("destination", "class")}
        fields |= dict.fromkeys((STAMP["source"], self._format.header["source"]), self.number)
        fields |= {STAMP["time"]: self.now, STAMP["seed"]: seed}
        m.d.comb += [
            seed.eq(Mux(held["payload"] == SelfTestPayload.CONSTANT, settings.seed, draw.draw)),
            last.eq(valid & (left == 0)),
        ]
        head = words.head(self._format.constant, fields)
        body = self._payload(m, fcs.before, head, kind=held["payload"], in_head=in_head,
                             number=number)
        data = Signal(config.data_width)
        m.d.comb += data.eq(body)
        heads = words.head_words(config)
        with m.If(in_head):
            for n in range(heads):
                with m.If(number[:heads.bit_length()] == n):
                    bits = head[n * config.data_width:(n + 1) * config.data_width]
                    m.d.comb += data[:len(bits)].eq(Cat(bits))
        flip = Signal(config.data_width)
        m.d.comb += flip[8 * words.payload_lane(config)].eq(spoilt_payload & (number == starts))
        self._ending(m, word, valid=valid, last=last, left=left, in_last=in_last,
                     data=data ^ flip)
        m.d.comb += [
            word.sop.eq(valid & in_head & (number == 0)),
            word.spoilt.eq(spoilt_fcs),
        ]
        with m.If(load):
            m.d.sync += [
                held["destination"].eq(draw.frame.destination),
                held["class"].eq(draw.frame.class_),
                held["length"].eq(draw.frame.length),
                held["sequence"].eq(sequence),
                held["payload"].eq(settings.payload),
                left.eq(draw.frame.length[config.empty_bits:]),
                number.eq(0),
                in_head.eq(1),
                spoilt_fcs.eq(inject & (settings.inject_how == SelfTestFault.FCS)),
                spoilt_payload.eq(inject & (settings.inject_how == SelfTestFault.PAYLOAD)),
            ]
        with m.Elif(valid & step):
            m.d.sync += [left.eq(left - 1), number.eq(number + 1)]
            with m.If(number == heads - 1):
                m.d.sync += in_head.eq(0)
            with m.If(number == starts):
                m.d.sync += spoilt_payload.eq(0)

    def _payload(self, m: Module, before: Value, head: list[Value], *, kind: Value,
                 in_head: Signal, number: Signal) -> Value:
        """Payload of this word; it continues the bits ``before`` it."""
        config = self._config
        random = before[-PRBS_BITS:]
        starts, lane = words.payload_start(config), words.payload_lane(config)
        enable: Value = ~in_head
        if lane:
            # It begins in a word of the head, behind the seed: as if it had begun with the word.
            first = in_head & (number == starts)
            enable = ~in_head | first
            seed = Signal(words.CONTINUED_BITS, name="payload_seed")
            m.d.comb += seed.eq(Cat(head[-words.CONTINUED_BITS:]))
            random = Mux(first, words.prbs_before(m, seed[-PRBS_BITS:], 8 * lane), random)
            before = Mux(first, seed, before)
        state = Signal(PRBS_BITS, name="prbs_state")
        m.d.comb += state.eq(random)
        return words.payload(
            m, config, kind=kind, enable=enable, number=number,
            random=words.prbs(state, config.data_width),
            repeated=before.replicate(config.data_width // words.CONTINUED_BITS))

    def _ending(self, m: Module, word: wiring.PureInterface, *, valid: Signal, last: Signal,
                left: Signal, in_last: Value, data: Value) -> None:
        """Where tail and FCS begin; the word, with 0 from there on."""
        config = self._config
        groups = config.word_bytes // GROUP_BYTES
        # In the last word a group is of the payload if the FCS fits behind it; in the word before
        # all are, but the last one may not be.
        covered = Signal(groups, name="groups")
        m.d.comb += covered.eq(Cat(Mux(
            left == 0,
            (in_last >= GROUP_BYTES * (n + 1) + FCS_BYTES - 1) if n < groups - 1 else 0,
            (left != 1) | (in_last >= FCS_BYTES - 1) if n == groups - 1 else 1)
            for n in range(groups)))
        rest = Signal()
        m.d.comb += [
            rest.eq((left == 0) & (in_last < FCS_BYTES - 1)),
            # The length less that of the FCS, modulo 8, from the length less one.
            word.tail.eq(in_last[:len(word.tail)] + (1 - FCS_BYTES)),
        ]
        with m.If(valid):
            m.d.comb += [
                word.valid.eq(1),
                word.eop.eq(last),
                word.empty.eq(Mux(last, ~in_last, 0)),
                # Groups before the tail are a run from the lowest on.
                word.has_tail.eq(~covered[-1] & ~rest),
                word.has_rest.eq(rest),
                word.group.eq(Mux(word.has_tail, sum(covered), 0)),
            ]
            for n in range(groups):
                with m.If(covered[n]):
                    m.d.comb += word.data.word_select(n, 8 * GROUP_BYTES).eq(
                        data.word_select(n, 8 * GROUP_BYTES))
