# SPDX-License-Identifier: Apache-2.0
"""Edits frames on their way out: ECN mark, TTL, FCS."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import MIN_FRAME_BYTES, SwitchConfig
from gavel_model.profiles import PROFILES, Field
from gavel_model.register_map import Counter
from gavel_rtl.block import place
from gavel_rtl.fcs_update import FcsUpdate
from gavel_rtl.interfaces import CounterEvents, EgressWord, SwitchWord
from gavel_rtl.lib.delay import delayed


@dataclass(frozen=True)
class _Place:
    """Where a header field lies: word of the frame, and its bits in ``data``, low bit first."""

    word: int
    bits: tuple[int, ...]
    profiles: tuple[int, ...]


def _places(config: SwitchConfig, name: str) -> list[_Place]:
    """The distinct places of field ``name``, each with the numbers of its profiles."""
    users: dict[Field, list[int]] = {}
    for number, profile in enumerate(PROFILES):
        field = getattr(profile, name)
        if field is not None:
            users.setdefault(field, []).append(number)
    places = []
    for field, numbers in users.items():
        drawn = range(field.offset + field.width - 1, field.offset - 1, -1)
        word = field.offset // config.data_width
        bits = tuple(8 * (n // 8) + 7 - n % 8 - word * config.data_width for n in drawn)
        places.append(_Place(word, bits, tuple(numbers)))
    return places


class Egress(wiring.Component):
    """Edits the header of a frame and updates its FCS (docs/spec.md, Egress).

    Built from `gavel_model.profiles.PROFILES`: a new profile needs no new logic here.

    Parameters
    ----------
    config
        W.

    Members
    -------
    i_word
        Word from the crossbar (cycle e).
    o_word
        The same word, edited; all members 0 without ``valid``.
    events
        TX_FRAMES and TX_ECN_MARKED bits and ``tx_bytes``; the others are 0.

    Cycle behaviour
    ---------------
    ``o_word`` and ``events`` are combinational from ``i_word``; words of a frame may have gaps
    between them. With ``egress_stages`` = 1 ``data`` of ``o_word`` comes one cycle later than its
    other members, from registers in the middle of its paths.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "i_word": In(SwitchWord(config)),
            "o_word": Out(EgressWord(config)),
            "events": Out(CounterEvents(config)),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        word = self.i_word
        ecn = _places(self._config, "ecn")
        ttl = _places(self._config, "ttl")
        last_word = max(where.word for where in ecn + ttl)
        number = self._word_number(m, last_word)

        flips: dict[int, Value] = {}
        marked_here: Value = Const(0, 1)
        for n, where in enumerate(ecn):
            here, old = self._look(m, where, number, f"ecn_{n}")
            marks = Signal(name=f"ecn_{n}_marks")
            m.d.comb += marks.eq(here & word.mark & (old[0] ^ old[1]))
            marked_here = marked_here | marks
            self._add(flips, where, Mux(marks, ~old, 0))
        for n, where in enumerate(ttl):
            here, old = self._look(m, where, number, f"ttl_{n}")
            self._add(flips, where, Mux(here, old ^ (old - 1)[:len(old)], 0))

        bits = sorted(flips)
        flip = Signal(len(bits))
        m.d.comb += flip.eq(Cat(flips[bit] for bit in bits))
        fcs_update = place(m, "fcs_update", FcsUpdate(
            self._config, bits=bits, last_word=last_word))
        changed = [flip[bits.index(bit)] if bit in flips else Const(0, 1)
                   for bit in range(max(bits) + 1)]
        edited = word.data ^ Cat(changed)
        m.d.comb += [
            fcs_update.valid.eq(word.valid),
            fcs_update.sop.eq(word.sop),
            fcs_update.eop.eq(word.eop),
            fcs_update.next_eop.eq(word.next_eop),
            fcs_update.empty.eq(word.empty),
            fcs_update.flip.eq(flip),
            self.o_word.valid.eq(word.valid),
            self.o_word.sop.eq(word.sop),
            self.o_word.eop.eq(word.eop),
            self.o_word.next_eop.eq(word.next_eop),
            self.o_word.empty.eq(Mux(word.eop, word.empty, 0)),
            self.o_word.poisoned.eq(word.poisoned),
            self.o_word.data.eq(delayed(m, edited, "edited", self._config.egress_stages)
                                ^ fcs_update.change),
        ]
        # In the shortest frame the last word comes behind those that can be marked.
        behind = max(where.word for where in ecn) < MIN_FRAME_BYTES // self._config.word_bytes - 1
        self._count(m, marked_here, behind)
        return m

    def _word_number(self, m: Module, last: int) -> Signal:
        """Number of this word in its frame; stays above ``last`` once it has passed it."""
        following = Signal(range(last + 2))
        number = Signal(range(last + 2))
        m.d.comb += number.eq(Mux(self.i_word.sop, 0, following))
        with m.If(self.i_word.valid & (number <= last)):
            m.d.sync += following.eq(number + 1)
        return number

    def _look(self, m: Module, where: _Place, number: Signal, name: str) -> tuple[Signal, Signal]:
        """Whether the field stands in this word, and its value."""
        here = Signal(name=f"{name}_here")
        old = Signal(len(where.bits), name=f"{name}_old")
        m.d.comb += [
            here.eq(self.i_word.valid & (number == where.word)
                    & self.i_word.profile.matches(*where.profiles)),
            old.eq(Cat(self.i_word.data[bit] for bit in where.bits)),
        ]
        return here, old

    @staticmethod
    def _add(flips: dict[int, Value], where: _Place, value: Value) -> None:
        for n, bit in enumerate(where.bits):
            flips[bit] = flips[bit] | value[n] if bit in flips else value[n]

    def _count(self, m: Module, marked_here: Value, behind: bool) -> None:
        """``behind``: no last word is marked."""
        word = self.i_word
        marked_before, marked = Signal(), Signal()
        m.d.comb += marked.eq(marked_here | (marked_before & ~word.sop))
        with m.If(word.valid):
            m.d.sync += marked_before.eq(marked)
        last = Signal()
        m.d.comb += [
            last.eq(word.valid & word.eop),
            self.events.count[Counter.TX_FRAMES].eq(last),
            self.events.count[Counter.TX_ECN_MARKED].eq(
                last & (marked_before if behind else marked)),
        ]
        with m.If(word.valid):
            m.d.comb += self.events.tx_bytes.eq(self._config.word_bytes - self.o_word.empty)
