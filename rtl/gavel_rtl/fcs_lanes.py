# SPDX-License-Identifier: Apache-2.0
"""Where the FCS stands in the last words of a frame."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, ValueLike

from gavel_model.config import FCS_BYTES
from gavel_rtl.lib.crc import CRC_BITS


def fcs_lanes(m: Module, lanes: int, value: ValueLike, empty: Value, is_last: Value) -> Value:
    """A word with the four bytes where the FCS stands, 0 elsewhere.

    Parameters
    ----------
    lanes
        Bytes of a word.
    value
        32 bits, first byte on the wire in bits 7:0; 0 unless this word or the next is a last one.
    empty
        Unused lanes of the frame's last word.
    is_last
        This word is the last one, not the one before.
    """
    value = Value.cast(value)
    # Lane n can only hold FCS byte (n + empty) mod 4.
    rotated = Signal(CRC_BITS)
    with m.Switch(empty[:2]):
        for turn in range(FCS_BYTES):
            with m.Case(turn):
                m.d.comb += rotated.eq(value.rotate_right(8 * turn))
    # Counted from the highest lane down, the FCS stands in lanes empty...empty+3; what passes the
    # lowest lane stands in the word before.
    from_top = Signal(lanes + FCS_BYTES - 1)
    m.d.comb += from_top.eq(((1 << FCS_BYTES) - 1) << empty)
    in_last = Cat(reversed(from_top[:lanes]))
    before = Cat(reversed(from_top[lanes:]))
    in_previous = Cat(Signal(lanes - len(before), name="no_lane"), before)
    enable = Signal(lanes)
    m.d.comb += enable.eq(Mux(is_last, in_last, in_previous))
    return Cat(Mux(enable[lane], rotated.word_select(lane % FCS_BYTES, 8), 0)
               for lane in range(lanes))
