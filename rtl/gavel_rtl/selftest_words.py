# SPDX-License-Identifier: Apache-2.0
"""What generator and checker both know of the words of a self-test frame."""

from collections.abc import Mapping

from amaranth.hdl import Cat, Const, Module, Signal, Value

from gavel_model.config import FCS_BYTES, SwitchConfig
from gavel_model.profiles import Field
from gavel_model.selftest_format import GROUP_BYTES, HEAD_BYTES, PRBS_BITS, PRBS_TAP
from gavel_model.selftest_map import SelfTestPayload

HEAD_BITS = 8 * HEAD_BYTES
INCREMENT_BITS = 8


def head_words(config: SwitchConfig) -> int:
    """Words in which header or stamp stand; the last may have payload as well."""
    return -(-HEAD_BITS // config.data_width)


def payload_start(config: SwitchConfig) -> int:
    """Number of the word in which the payload begins."""
    return HEAD_BYTES // config.word_bytes


def in_payload(config: SwitchConfig, in_head: Value, number: Value) -> Value:
    """Whether a word has payload, from whether and which word of the head it is."""
    starts = payload_start(config)
    return ~in_head if starts == head_words(config) else ~in_head | (number >= starts)


def number_bits(config: SwitchConfig) -> int:
    """Width of a word's number, which comes round as the increment payload does."""
    return INCREMENT_BITS - config.empty_bits


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


def prbs(state: Value, bits: int) -> Value:
    """The next bits of PRBS31 behind the 31 of ``state``, of which bit 0 is the oldest."""
    found = {n - PRBS_BITS: state[n] for n in range(PRBS_BITS)}
    for n in range(bits):
        # The recurrence holds for 2**k times the distances as well: far fewer gates in a row.
        step = 1
        while n - 2 * step * PRBS_BITS >= -PRBS_BITS:
            step *= 2
        found[n] = found[n - step * PRBS_BITS] ^ found[n - step * PRBS_TAP]
    return Cat(found[n] for n in range(bits))


def payload(m: Module, config: SwitchConfig, *, kind: Value, state: Value,
            number: Value) -> tuple[Signal, Signal]:
    """A word of payload, and what the next one has for ``state``.

    Parameters
    ----------
    kind
        2 bits.
    state
        32 bits: the seed with the first word, later what the word before left.
    number
        The word's number in the frame, `number_bits`.
    """
    width, lanes = config.data_width, config.word_bytes
    random, word, following = Signal(width), Signal(width), Signal.like(state)
    swapped = Cat(state[low:low + 8] for low in (24, 16, 8, 0))
    m.d.comb += random.eq(prbs(state[:PRBS_BITS], width))
    with m.Switch(kind):
        with m.Case(SelfTestPayload.PRBS):
            m.d.comb += [word.eq(random), following.eq(random[-PRBS_BITS:])]
        with m.Case(SelfTestPayload.CONSTANT):
            m.d.comb += [word.eq(swapped.replicate(lanes // 4)), following.eq(state)]
        with m.Default():
            counted = [Cat(Const(lane, config.empty_bits), number) for lane in range(lanes)]
            m.d.comb += [word.eq(Cat(counted)), following.eq(state)]
    return word, following


def groups(m: Module, config: SwitchConfig, left: Value) -> Signal:
    """W/64 bits: the groups of eight lanes that have nothing of tail and FCS.

    Parameters
    ----------
    left
        Bytes that the frame has from this word on.
    """
    mask = Signal(config.word_bytes // GROUP_BYTES, name="groups")
    m.d.comb += mask.eq(Cat(left >= GROUP_BYTES * (n + 1) + FCS_BYTES for n in range(len(mask))))
    return mask


def lanes_of(mask: Value) -> Value:
    """W bits: those of the lanes of the groups in a mask."""
    return Cat(bit.replicate(8 * GROUP_BYTES) for bit in mask)
