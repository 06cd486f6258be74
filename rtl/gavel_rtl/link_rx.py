# SPDX-License-Identifier: Apache-2.0
"""Receive side of a port: framing, length and FCS check."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import MIN_FRAME_BYTES, SwitchConfig
from gavel_model.pins import SEQ_BITS
from gavel_model.register_map import COUNTERS, Counter
from gavel_rtl.block import connect, place
from gavel_rtl.flow_interfaces import CreditUpdate
from gavel_rtl.interfaces import FrameWord, Reason, RxLink, Verdict
from gavel_rtl.lib import crc
from gavel_rtl.lib.delay import delayed
from gavel_rtl.lib.xor_network import shared_xor
from gavel_rtl.llr_interfaces import ControlSet, FrameEnd
from gavel_rtl.ordered_set import OrderedSetReader

POISON = 0xAAAAAAAA
"""A frame's FCS is exclusive-ored with it to say that its bytes are not to be trusted."""

_SHARING = 64
"""Widest word whose CRC is made of shared parts: a simulator in Python is slow with them."""

_COMPARED = 2
"""Bits of the CRC that are compared before a register."""


class LinkRx(wiring.Component):
    """Turns pin words into frame words, and checks each frame (spec chapter 4).

    The words of a frame go through the CRC whole, unused lanes being 0. A good frame followed by
    k zero bytes leaves a constant that depends on k only, and a poisoned frame another one, so
    the check is two comparisons. No frame of fewer than four bytes leaves either.

    Members
    -------
    link
        Receive pins, cycle t.
    enable
        Bit 0 of the port's CONTROL, as visible in t.
    word
        The word with its unused lanes 0, in t+1.
    empty
        Unused lanes of a last word, in t+1; 0 with any other.
    count
        Counter events of t+1: a word outside of a frame, an ordered set was on the pins in t.
    up
        In t+1: the port was not down in t.
    coming_protect
        Ordered sets end in a check byte: as visible in the next cycle, which is r in r-1.
    verdict, end
        Of the frame whose last word is on the pins in t, in r = t + 2 + ``receive_stages``.
    control, credits
        Ordered set that was on the pins in t, in r; ``credits`` if it was a CF_Update.

    Cycle behaviour
    ---------------
    t: pins are masked and registered. t+1: framing; word leaves; CRC, length and error flag are
    brought up to date. t+2: they are compared; with ``receive_stages`` = 1 what comes of it goes
    through a register. After reset the port counts as down.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "link": In(RxLink(config)),
            "enable": In(1),
            "word": Out(FrameWord(config)),
            "empty": Out(config.empty_bits),
            "count": Out(COUNTERS),
            "up": Out(1),
            "coming_protect": In(1),
            "verdict": Out(Verdict(config)),
            "end": Out(FrameEnd(config)),
            "control": Out(ControlSet(config)),
            "credits": Out(CreditUpdate()),
        })

    def elaborate(self, platform):
        m = Module()
        self._sample(m)
        self._frame(m)
        self._check(m)
        self._number(m)
        return m

    def _late(self, m: Module, value: Value, name: str) -> Value:
        """What is known of a frame in t+2, in r, or what is a cycle earlier."""
        return delayed(m, value, name, self._config.receive_stages)

    def _sample(self, m):
        """Cycle t."""
        config = self._config
        link = self.link
        up = Signal()
        empty = Signal(config.empty_bits)
        lanes = Signal(config.data_width)
        m.d.comb += [
            up.eq(link.up & self.enable),
            empty.eq(Mux(link.eop, link.empty, 0)),
            lanes.eq(Const((1 << config.data_width) - 1, config.data_width)
                     >> Cat(Const(0, 3), empty)),
        ]
        self._present = Signal(name="present_q")
        self._sop_coming = Signal(name="sop_coming")
        self._sop = Signal(name="sop_q")
        self._err = Signal(name="err_q")
        self._llr = Signal(name="llr_q")
        self._seq = Signal(SEQ_BITS, name="seq_q")
        self._seq_overflows = Signal(name="seq_overflows")
        ctl_present, ctl_os = Signal(), Signal()
        m.d.comb += [
            ctl_present.eq(link.ctl_valid & up),
            # Also of a port that is down, whose frame is lost.
            self._sop_coming.eq(link.valid & link.sop),
            self.count[Counter.RX_CTL_OS].eq(ctl_os),
        ]
        m.d.sync += [
            self._present.eq(link.valid & up),
            self._sop.eq(link.sop),
            self.word.eop.eq(link.eop),
            self._err.eq(link.err),
            self._llr.eq(link.llr),
            self._seq.eq(link.seq),
            self.up.eq(up),
            self.empty.eq(empty),
            self.word.data.eq(link.data & lanes),
            ctl_os.eq(ctl_present),
        ]
        reader = place(m, "ordered_set_reader", OrderedSetReader(config))
        m.d.comb += [
            reader.present.eq(ctl_present),
            reader.ctl.eq(link.ctl),
            reader.coming_protect.eq(self.coming_protect),
        ]
        connect(m, self.control, reader.received)
        connect(m, self.credits, reader.credits)

    def _frame(self, m):
        """Cycle t+1: which words belong to frames."""
        word = self.word
        frame_open = Signal()
        m.d.comb += [
            word.sop.eq(self._sop),
            word.valid.eq(self._present & (self._sop | frame_open)),
            word.abort.eq(frame_open & (~self.up | (self._present & self._sop))),
            self.count[Counter.RX_STRAY_WORDS].eq(self._present & ~self._sop & ~frame_open),
        ]
        with m.If(word.valid):
            m.d.sync += frame_open.eq(~word.eop)
        with m.Elif(~self.up):
            m.d.sync += frame_open.eq(0)

    def _number(self, m):
        """Cycle t+1: what the frame's first word said of it."""
        word, end = self.word, self.end
        seq = Signal.like(end.seq_coming)
        eligible, llr = Signal(name="eligible"), Signal(name="llr")
        m.d.comb += [
            end.seq_coming.eq(self._late(m, Mux(self._sop, self._seq, seq), "seq_coming")),
            end.eligible.eq(self._late(m, eligible, "eligible")),
        ]
        m.d.sync += eligible.eq(word.valid & word.eop & Mux(self._sop, self._llr, llr))
        with m.If(word.valid & word.sop):
            m.d.sync += [
                llr.eq(self._llr),
                seq.eq(self._seq),
                self._seq_overflows.eq(self._seq[self._config.seq_bits:].any()),
            ]

    def _check(self, m):
        """Cycle t+1: what is summed over the frame; t+2: the verdict."""
        config = self._config
        word = self.word
        crc_before, crc_now = (Signal(crc.CRC_BITS, name=name) for name in ("crc", "crc_now"))
        # ``crc`` may be that of the next frame by then.
        self._crc_left = self._late(m, crc_now, "crc_left")
        good, poisoned = (self._leaves(m, name, crc_now, mask)
                          for name, mask in (("good", 0), ("poisoned", POISON)))
        summed = Signal(config.data_width)
        error_before = Signal()
        error = Signal()
        words_before = Signal(range(config.max_frame_words + 1))
        words = Signal.like(words_before)
        last_byte = Signal(config.length_bits)
        m.d.comb += [
            # The register is added to the first bits of the word.
            summed.eq(word.data ^ crc_before),
            crc_now.eq(self._crc_of(m, summed)),
            error_before.eq(error & ~word.sop),
            words_before.eq(Mux(word.sop, 0, words)),
        ]
        # The next word is a first one: there is no frame that still wants the register.
        with m.If(self._sop_coming):
            m.d.sync += crc_before.eq(crc.INITIAL)
        with m.Elif(word.valid):
            m.d.sync += crc_before.eq(crc_now)
        with m.If(word.valid):
            m.d.sync += [
                error.eq(error_before | self._err),
                # Staying at the maximum keeps the length above max_frame_bytes.
                words.eq(Mux(words_before == config.max_frame_words, words_before,
                             words_before + 1)),
            ]
        # (words before this one, used lanes - 1): the frame's length - 1 without an adder.
        m.d.sync += last_byte.eq(Cat(~self.empty, words_before))

        reason = Signal(Reason)
        length = Signal.like(self.verdict.length)
        m.d.comb += [
            self.end.poisoned.eq(self._late(
                m, poisoned & ~error & ~self._seq_overflows, "poisoned")),
            self.end.bad.eq(self._late(
                m, error | self._seq_overflows | ~(good | poisoned), "bad")),
            length.eq(last_byte + 1),
            self.verdict.length.eq(self._late(m, length, "length")),
            Value.cast(self.verdict.reason).eq(self._late(m, Value.cast(reason), "reason")),
        ]
        with m.If(error):
            m.d.comb += reason.eq(Reason.ERR)
        with m.Elif(last_byte < MIN_FRAME_BYTES - 1):
            m.d.comb += reason.eq(Reason.UNDERSIZE)
        with m.Elif(last_byte >= config.max_frame_bytes):
            m.d.comb += reason.eq(Reason.OVERSIZE)
        with m.Elif(~good):
            m.d.comb += reason.eq(Reason.FCS)
        with m.Else():
            m.d.comb += reason.eq(Reason.FILED)

    @staticmethod
    def _crc_of(m: Module, word: Signal) -> Value:
        """What ``word`` makes of a register of 0."""
        if len(word) > _SHARING:
            return crc.crc32_data(word)
        return shared_xor(m, word, crc.rows(crc.data_columns(len(word))), "crc_parts")

    def _leaves(self, m: Module, name: str, crc_now: Signal, mask: int) -> Value:
        """Cycle t+2: the frame left the constant of an FCS exclusive-or ``mask``. Each few bits are
        compared in t+1, or with ``receive_stages`` = 1 all of them in t+2."""
        wanted = Signal(crc.CRC_BITS, name=f"{name}_crc")
        same = Signal(crc.CRC_BITS // _COMPARED, name=f"{name}_same")
        with m.Switch(self.empty):
            for empty in range(self._config.word_bytes):
                with m.Case(empty):
                    m.d.comb += wanted.eq(crc.residue(empty, mask))
        if self._config.receive_stages:
            # A bit that is 1 for any number of lanes is a constant for synthesis only if it is 1
            # after reset, too; else all ports would share one register for it.
            late = Signal(crc.CRC_BITS, name=f"{name}_crc_after_1", init=crc.residue(0, mask))
            m.d.sync += late.eq(wanted)
            return self._crc_left == late
        differs = crc_now ^ wanted
        m.d.sync += same.eq(Cat(~differs.word_select(n, _COMPARED).any() for n in range(len(same))))
        return same.all()
