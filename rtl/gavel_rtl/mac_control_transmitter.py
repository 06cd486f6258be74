# SPDX-License-Identifier: Apache-2.0
"""Makes MAC Control frames, in the place of frames that the scheduler would match."""

from collections.abc import Sequence
from typing import NamedTuple

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, ValueLike
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import MIN_FRAME_BYTES, SwitchConfig
from gavel_model.mac_control import (
    CC_OFFSET,
    CC_UPDATE_MESSAGE,
    CC_UPDATE_OPCODE,
    CC_VCS,
    MAC_CONTROL_ADDRESS,
    MAC_CONTROL_ETHERTYPE,
    MESSAGE_BYTES,
    PFC_CLASSES,
    PFC_OPCODE,
    PFC_TIME_BITS,
    PFC_TIMES_OFFSET,
)
from gavel_model.register_map import COUNTERS, CREDIT_BITS, Counter
from gavel_rtl.flow_interfaces import MAC_ADDRESS_BITS, FlowSettings
from gavel_rtl.interfaces import EgressWord
from gavel_rtl.lib import crc
from gavel_rtl.lib.delay import delayed
from gavel_rtl.lib.one_hot import select


def _bytes(value: Value) -> list[Value]:
    """The bytes of a big-endian number, the first on the wire first."""
    return [value[low:low + 8] for low in reversed(range(0, len(value), 8))]


def _body(address: Value, is_pfc: Value, enabled: Value, counts: Sequence[Value]) -> Value:
    """A frame without FCS and times."""
    message = Mux(is_pfc, 0, Const(CC_UPDATE_MESSAGE, 8 * MESSAGE_BYTES))
    vector = Const(0, 8 * (CC_OFFSET - PFC_TIMES_OFFSET))
    no_counts = Const(0, CREDIT_BITS * (CC_VCS - len(counts)))
    return Cat(
        *_bytes(Const(MAC_CONTROL_ADDRESS, MAC_ADDRESS_BITS)), *_bytes(address),
        *_bytes(Const(MAC_CONTROL_ETHERTYPE, 16)),
        *_bytes(Mux(is_pfc, Const(PFC_OPCODE, 16), Const(CC_UPDATE_OPCODE, 16))),
        *_bytes(message | Cat(vector, enabled)),
        *_bytes(Cat(no_counts, *reversed(counts))))


class _Content(NamedTuple):
    """What a frame says: ``body`` without FCS and times; the classes that are given ``time``."""

    body: Value
    pausing: Value
    time: Value


class MacControlTransmitter(wiring.Component):
    """Sends CC_Updates and PFC frames (docs/flow_control.md, MAC Control frames).

    Parameters
    ----------
    config
        V, W.

    Members
    -------
    settings
        Registers as visible in the cycle.
    pfc_wanted, cc_wanted
        A frame is to be sent.
    idle
        The scheduler could match a frame to the output in this cycle, s.
    claim
        It must not: a frame of ours is wanted or under way.
    pfc_taken, cc_taken
        A frame is taken in this cycle, s.
    consumed
        S_CC of each VC.
    xoff
        Bit v: VC v is to be paused.
    classes
        For each VC the classes that belong to it, bit n = class n.
    word
        To LlrTransmitter from s + 5 + ``read_stages`` on, in the place of words of Egress; all 0
        without one.
    count
        Counter events of s.

    Cycle behaviour
    ---------------
    ``claim`` is of registers, and holds up to s+n+1 for a frame of n words. What the frame says is
    what is visible in s+3, its words are put together from s+4 on. With ``read_stages`` these two
    are so many cycles later.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        self._words = MIN_FRAME_BYTES // config.word_bytes
        super().__init__({
            "settings": In(FlowSettings(config)),
            "pfc_wanted": In(1),
            "cc_wanted": In(1),
            "idle": In(1),
            "claim": Out(1),
            "pfc_taken": Out(1),
            "cc_taken": Out(1),
            "consumed": In(CREDIT_BITS).array(config.vcs),
            "xoff": In(config.vcs),
            "classes": In(PFC_CLASSES).array(config.vcs),
            "word": Out(EgressWord(config)),
            "count": Out(COUNTERS),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        under_way, may_take = Signal(), Signal()
        # The cycle after that of the content is the one in which the first word is put together.
        first_word = self._config.match_to_egress
        # Bit n: a frame was taken n+1 cycles ago.
        age = Signal(first_word + self._words)
        m.d.comb += [
            may_take.eq(self.idle & ~under_way),
            self.claim.eq(self.pfc_wanted | self.cc_wanted | under_way),
            self.pfc_taken.eq(self.pfc_wanted & may_take),
            self.cc_taken.eq(self.cc_wanted & ~self.pfc_wanted & may_take),
            self.count[Counter.PFC_TX].eq(self.pfc_taken),
            self.count[Counter.CBFC_TX_CC_UPDATE].eq(self.cc_taken),
        ]
        taken = self.pfc_taken | self.cc_taken
        # So long as ``age`` has one of its first n+1 bits.
        m.d.sync += [age.eq(Cat(taken, age)), under_way.eq(taken | age[:self._words].any())]
        self._send(m, age[first_word - 1], age[first_word:])
        return m

    def _compose(self, m: Module, snapshot: Value) -> tuple[_Content, _Content]:
        """The frame from s+4 on, and as it is known in the cycle before, ``snapshot``."""
        settings, vcs = self.settings, self._config.vcs
        took_pfc, tells_pfc, is_pfc = Signal(), Signal(), Signal()
        address = Signal(MAC_ADDRESS_BITS)
        counts, counts_now = ([Signal(CREDIT_BITS, name=f"{name}_{vc}") for vc in range(vcs)]
                              for name in ("count", "count_now"))
        enabled, enabled_now, pausing, pausing_now = (
            Signal(PFC_CLASSES, name=name) for name in (
                "enabled", "enabled_now", "pausing", "pausing_now"))
        time = Signal(PFC_TIME_BITS)
        with m.If(self.pfc_taken | self.cc_taken):
            m.d.sync += took_pfc.eq(self.pfc_taken)
        # Where a frame is one word, the next one may be taken just before a snapshot that is one
        # cycle later.
        m.d.comb += tells_pfc.eq(delayed(m, took_pfc, "took_pfc", self._config.read_stages))
        # What stands in one of the two is 0 in the other, so that neither need be chosen.
        m.d.comb += [
            enabled_now.eq(Mux(tells_pfc, self._classes(settings.pfc_transmit), 0)),
            pausing_now.eq(Mux(tells_pfc, self._classes(settings.pfc_transmit & self.xoff), 0)),
            *(count.eq(Mux(tells_pfc | ~settings.sender[vc], 0, self.consumed[vc]))
              for vc, count in enumerate(counts_now)),
        ]
        with m.If(snapshot):
            m.d.sync += [
                # A further frame may be taken while this one's last word is put together.
                is_pfc.eq(tells_pfc),
                address.eq(settings.mac_address),
                time.eq(settings.pfc_time),
                enabled.eq(enabled_now),
                pausing.eq(pausing_now),
                *(count.eq(now) for count, now in zip(counts, counts_now, strict=True)),
            ]
        content = _Content(_body(address, is_pfc, enabled, counts), pausing, time)
        return content, _Content(_body(settings.mac_address, tells_pfc, enabled_now, counts_now),
                                 pausing_now, settings.pfc_time)

    @staticmethod
    def _part(content: _Content, places: Sequence[tuple[ValueLike, int]], bits: int) -> Value:
        """``bits`` of the frame without FCS: from which bit on under which one-hot condition."""
        part = select([(turn, content.body[low:low + bits]) for turn, low in places])
        time = Cat(_bytes(content.time))
        first = 8 * PFC_TIMES_OFFSET
        times = []
        for lane in range(0, bits, PFC_TIME_BITS):
            classes = [(turn, (low + lane - first) // PFC_TIME_BITS) for turn, low in places]
            pauses = Cat(Value.cast(turn) & content.pausing[n] for turn, n in classes
                         if 0 <= n < PFC_CLASSES).any()
            times.append(Mux(pauses, time, 0))
        return part | Cat(times)

    def _classes(self, vcs: Value) -> Value:
        """The classes that belong to a set of VCs."""
        return Cat((vcs & Cat(classes[n] for classes in self.classes)).any()
                   for n in range(PFC_CLASSES))

    def _send(self, m: Module, snapshot: Value, turns: Sequence[Value]) -> None:
        """Puts the words together; ``turns``: in which cycle which of them; ``snapshot``: in the
        cycle before."""
        width, last = self._config.data_width, turns[-1]
        frame, coming = self._compose(m, snapshot)
        content, fcs = Signal(width), Signal(crc.CRC_BITS)
        m.d.comb += content.eq(
            self._part(frame, [(turn, n * width) for n, turn in enumerate(turns)], width))
        if len(turns) == 1:
            m.d.comb += fcs.eq(~crc.crc32_step(Const(crc.INITIAL, crc.CRC_BITS),
                                               content[:width - crc.CRC_BITS]))
        else:
            m.d.comb += fcs.eq(~self._check(m, frame, coming, snapshot, turns))
        m.d.sync += [
            self.word.valid.eq(Cat(turns).any()),
            self.word.sop.eq(turns[0]),
            self.word.eop.eq(last),
            self.word.next_eop.eq(turns[-2] if len(turns) > 1 else 0),
            self.word.data.eq(Cat(content[:width - crc.CRC_BITS],
                                  content[width - crc.CRC_BITS:] | Mux(last, fcs, 0))),
        ]

    def _check(self, m: Module, frame: _Content, coming: _Content, snapshot: Value,
               turns: Sequence[Value]) -> Value:
        """CRC of the body, with the last word.

        What goes through it in a cycle is the width of a word, from the place in that word on at
        which the FCS stands in the last one: so all of the body has gone when that word comes.
        """
        width = self._config.data_width
        before = width - crc.CRC_BITS
        register, passing, passed = Signal(crc.CRC_BITS), Signal(width), Signal(crc.CRC_BITS)
        start, checked = Signal(before + width), Signal(crc.CRC_BITS)
        first, from_start = Signal(crc.CRC_BITS), Signal(crc.CRC_BITS)
        # It is chosen two cycles before that in which it counts, at first of what is only coming,
        # and goes through the CRC in between. What stands before the place in the first word has
        # gone by then: the register is set to what follows from it.
        ahead = [((n + 1) * width + before, turn) for n, turn in enumerate(turns[:-2])]
        m.d.sync += [
            passing.eq(self._part(frame, [(turn, low) for low, turn in ahead], width)
                       | self._part(coming, [(snapshot, before)], width)
                       if ahead else self._part(coming, [(snapshot, before)], width)),
            passed.eq(crc.crc32_data(passing)),
        ]
        m.d.comb += [
            start.eq(Cat(self._part(frame, [(Const(1), 0)], before), Const(0, width))),
            first.eq(crc.crc32_step(Const(crc.INITIAL, crc.CRC_BITS), start)),
            from_start.eq(crc.crc32_retreat(first, width // 8)),
            checked.eq(passed ^ crc.crc32_advance(register, width // 8)),
        ]
        m.d.sync += register.eq(Mux(turns[0], from_start, checked))
        return checked
