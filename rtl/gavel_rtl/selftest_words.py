# SPDX-License-Identifier: Apache-2.0
"""What generator and checker both know of the words of a self-test frame."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from gavel_model.config import SwitchConfig
from gavel_model.profiles import Field
from gavel_model.selftest_format import HEAD_BYTES, PRBS_BITS, PRBS_TAP
from gavel_model.selftest_map import SelfTestPayload
from gavel_rtl.lib.xor_network import shared_xor

HEAD_BITS = 8 * HEAD_BYTES
CONTINUED_BITS = 32
"""Bits before a payload, or before a word of it, that it continues: those of the seed at first."""

_INCREMENT_BITS = 8

_Bit = TypeVar("_Bit", int, Value)


def head_words(config: SwitchConfig) -> int:
    """Words in which header or stamp stand; the last may have payload as well."""
    return -(-HEAD_BITS // config.data_width)


def payload_start(config: SwitchConfig) -> int:
    """Number of the word in which the payload begins."""
    return HEAD_BYTES // config.word_bytes


def payload_lane(config: SwitchConfig) -> int:
    """First lane of the payload in that word."""
    return HEAD_BYTES % config.word_bytes


def number_bits(config: SwitchConfig) -> int:
    """Width of a word's number, which comes round as the increment payload does."""
    return _INCREMENT_BITS - config.empty_bits


def places(field: Field) -> list[int]:
    """Where a field's bits stand in the words of a frame, put one after the other; low bit
    first."""
    drawn = range(field.offset + field.width - 1, field.offset - 1, -1)
    return [8 * (n // 8) + 7 - n % 8 for n in drawn]


def constant_bits(constant: int) -> list[int]:
    """A number whose top byte is byte 0 of a frame, as bits in the order of its words."""
    data = int.from_bytes(constant.to_bytes(HEAD_BYTES, "big"), "little")
    return [data >> n & 1 for n in range(HEAD_BITS)]


def head(constant: int, fields: Mapping[Field, Value]) -> list[Value]:
    """Bits of header and stamp: ``constant``, and values in fields where it is 0."""
    bits: list[Value] = [Const(bit, 1) for bit in constant_bits(constant)]
    for field, value in fields.items():
        for place, bit in zip(places(field), value, strict=False):
            bits[place] = bit
    return bits


def _sequence(state: Sequence[_Bit], first: int, last: int, sign: int) -> dict[int, _Bit]:
    """Bits of PRBS31 from the 31 of ``state``, which are bits -31 to -1.

    A bit is a value, or the mask of the bits that it is the exclusive-or of.
    """
    found = {n - PRBS_BITS: state[n] for n in range(PRBS_BITS)}
    lowest, highest = -PRBS_BITS, -1
    for n in range(first, last, sign):
        # The recurrence holds for 2**k times the distances as well: far fewer gates in a row.
        step = 1
        while lowest <= n - sign * 2 * step * PRBS_BITS <= highest:
            step *= 2
        near = PRBS_TAP if sign > 0 else PRBS_BITS - PRBS_TAP
        found[n] = found[n - sign * step * PRBS_BITS] ^ found[n - sign * step * near]
        lowest, highest = min(lowest, n), max(highest, n)
    return found


def prbs(state: Value, bits: int) -> Value:
    """The next bits of PRBS31 behind the 31 of ``state``, of which bit 0 is the oldest."""
    found = _sequence(state, 0, bits, 1)
    return Cat(found[n] for n in range(bits))


def prbs_before(m: Module, state: Value, bits: int) -> Value:
    """The 31 bits of PRBS31 that come ``bits`` bits before those of ``state``."""
    masks = [1 << n for n in range(PRBS_BITS)]
    found = _sequence(masks, -PRBS_BITS - 1, -PRBS_BITS - bits - 1, -1)
    rows = [found[n - PRBS_BITS - bits] for n in range(PRBS_BITS)]
    return shared_xor(m, state, rows, "prbs_parts")


def payload(m: Module, config: SwitchConfig, *, kind: Value, enable: Value, random: Value,
            repeated: Value, number: Value) -> Signal:
    """A word of payload, 0 without ``enable``.

    Parameters
    ----------
    kind
        2 bits.
    random, repeated
        W bits: of each bit what it is with PRBS, and with a constant.
    number
        The word's number in the frame; its low `number_bits` count.
    """
    lanes = config.word_bytes
    is_random, is_repeated, is_counted = (
        Signal(name=f"payload_{name}") for name in ("random", "repeated", "counted"))
    count = Signal(number_bits(config))
    word = Signal(config.data_width, name="payload")
    m.d.comb += [
        is_random.eq(enable & (kind == SelfTestPayload.PRBS)),
        is_repeated.eq(enable & (kind == SelfTestPayload.CONSTANT)),
        is_counted.eq(enable & (kind >= SelfTestPayload.INCREMENT)),
        count.eq(Mux(is_counted, number, 0)),
        word.eq((random & is_random.replicate(len(word)))
                ^ (repeated & is_repeated.replicate(len(word)))
                ^ Cat(Cat(*(is_counted if lane >> bit & 1 else Const(0, 1)
                            for bit in range(config.empty_bits)), count)
                      for lane in range(lanes))),
    ]
    return word
