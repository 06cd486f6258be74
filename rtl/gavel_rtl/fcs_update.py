# SPDX-License-Identifier: Apache-2.0
"""Keeps a frame's FCS right when header bits change.

CRC-32 is linear: flipping a bit flips the FCS by a constant that depends only on the number of
bytes that follow it. That number is (whole words still to come) words less ``empty`` bytes, so
a 32-bit register that starts with a constant chosen by ``empty`` and goes through one word of
zeros per word of the frame holds the right change when the last word comes.
"""

from collections.abc import Sequence
from functools import reduce
from operator import xor

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import FCS_BYTES, MIN_FRAME_BYTES, SwitchConfig
from gavel_rtl.lib.crc import CRC_BITS, advance, crc32_advance, retreat
from gavel_rtl.lib.delay import delayed


def change_constant(config: SwitchConfig, bit: int, empty: int, words: int = 0) -> int:
    """FCS change of a frame in which ``bit`` of a word is flipped, ``words`` before the last one.

    Parameters
    ----------
    bit
        Number of the bit in the word as held in ``data`` (byte n in bits 8n...8n+7).
    empty
        Unused lanes of the last word.
    """
    following = (words + 1) * config.word_bytes - FCS_BYTES - bit // 8 - empty
    state = 1 << bit % 8
    return advance(state, 8 * following) if following >= 0 else retreat(state, -8 * following)


class FcsUpdate(wiring.Component):
    """What must be exclusive-ored to a word so that the frame's FCS fits its changed header.

    Parameters
    ----------
    config
        W.
    bits
        Numbers (in ``data``) of the bits that may be flipped, without repetition.
    last_word
        Number of the last word of a frame in which a bit may be flipped.

    Members
    -------
    valid, sop, eop, next_eop, empty
        As of the `SwitchWord` in this cycle.
    flip
        Bit n: bit ``bits[n]`` of this word is flipped.
    change
        W bits to exclusive-or to this word: non-zero only where FCS bytes stand.

    Cycle behaviour
    ---------------
    The registers step in every cycle with ``valid``. ``change`` is combinational, or with
    ``egress_stages`` = 1 a cycle later, where the FCS is put in its place behind registers.
    """

    def __init__(self, config: SwitchConfig, *, bits: Sequence[int], last_word: int):
        self._config = config
        self._bits = tuple(bits)
        words = MIN_FRAME_BYTES // config.word_bytes
        self._flips_beside_fcs = last_word >= max(0, words - 2)
        # The shortest frame fills its words, so its FCS stands in the last one alone. Words that
        # a flip waits for what follows from it, and that this waits.
        self._flips_wait = last_word < words - 2
        self._changes_wait = last_word < words - 3
        super().__init__({
            "valid": In(1),
            "sop": In(1),
            "eop": In(1),
            "next_eop": In(1),
            "empty": In(config.empty_bits),
            "flip": In(len(self._bits)),
            "change": Out(config.data_width),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        state, started, difference = Signal(CRC_BITS), Signal(CRC_BITS), Signal(CRC_BITS)
        m.d.comb += started.eq(self._start(m))
        advanced = Signal(CRC_BITS)
        # Words that can hold FCS bytes see a flip of their own cycle only in the shortest frames
        # of wide words; elsewhere the register alone is right, and flips go around the matrix.
        if self._flips_beside_fcs:
            seen, seen_next = Signal(CRC_BITS), advanced
            m.d.comb += [
                seen.eq(Mux(self.sop, 0, state) ^ started),
                advanced.eq(crc32_advance(seen, self._config.word_bytes)),
            ]
            ahead = advanced
        else:
            seen, seen_next = state, advanced
            m.d.comb += advanced.eq(crc32_advance(state, self._config.word_bytes))
            # A flip that waits for the next word meets a frame that cannot be at its first.
            ahead = Mux(self.sop, 0, advanced ^ started if self._flips_wait else advanced)
            if not self._flips_wait:
                ahead = ahead ^ started
        with m.If(self.valid):
            m.d.sync += state.eq(ahead)
        m.d.comb += difference.eq(Mux(self.eop, seen, Mux(self.next_eop, seen_next, 0)))
        self._place(m, difference)
        return m

    def _start(self, m: Module) -> Value:
        """FCS change by this word's flips if it, or where they go around the matrix the next one,
        were the last one. Where they wait, by those of a word before if the next were the last one:
        frames are so long that this is early enough."""
        flip: Value = self.flip
        of_empty: Value = self.empty
        words_before = (0 if self._flips_beside_fcs else 1) + self._flips_wait + self._changes_wait
        if self._flips_wait:
            flip = Signal(len(self.flip), name="flip_before")
            of_empty = Signal(len(self.empty), name="empty_before")
            with m.If(self.valid):
                m.d.sync += [flip.eq(self.flip), of_empty.eq(self.empty)]
        constants = [Signal(CRC_BITS, name=f"flip_of_bit_{bit}") for bit in self._bits]
        with m.Switch(of_empty):
            for empty in range(self._config.word_bytes):
                with m.Case(empty):
                    m.d.comb += [
                        constant.eq(change_constant(self._config, bit, empty, words_before))
                        for constant, bit in zip(constants, self._bits, strict=True)
                    ]
        changes = [Mux(flipped, constant, 0)
                   for flipped, constant in zip(flip, constants, strict=True)]
        if not self._changes_wait:
            return reduce(xor, changes)
        # Two sums: what is added to them has a cycle, too.
        sums = []
        for half in range(2):
            changed = Signal(CRC_BITS, name=f"changed_before_{half}")
            with m.If(self.valid):
                m.d.sync += changed.eq(reduce(xor, changes[half::2]))
            sums.append(changed)
        return sums[0] ^ sums[1]

    def _place(self, m: Module, difference: Signal) -> None:
        """Puts the four bytes where the FCS stands; it may begin in the word before the last."""
        lanes = self._config.word_bytes
        late = self._config.egress_stages
        found = delayed(m, difference, "difference", late)
        # Lane n can only hold FCS byte (n + empty) mod 4.
        rotated = Signal(CRC_BITS)
        with m.Switch(delayed(m, self.empty[:2], "turn", late)):
            for turn in range(FCS_BYTES):
                with m.Case(turn):
                    m.d.comb += rotated.eq(found.rotate_right(8 * turn))
        # Counted from the highest lane down, the FCS stands in lanes empty...empty+3; what
        # passes the lowest lane stands in the word before.
        from_top = Signal(lanes + FCS_BYTES - 1)
        m.d.comb += from_top.eq(((1 << FCS_BYTES) - 1) << self.empty)
        in_last = Cat(reversed(from_top[:lanes]))
        before = Cat(reversed(from_top[lanes:]))
        in_previous = Cat(Signal(lanes - len(before), name="no_lane"), before)
        enable = Signal(lanes)
        m.d.comb += enable.eq(delayed(m, Mux(self.eop, in_last, in_previous), "enable", late))
        m.d.comb += self.change.eq(Cat(
            Mux(enable[lane], rotated.word_select(lane % FCS_BYTES, 8), 0)
            for lane in range(lanes)))
