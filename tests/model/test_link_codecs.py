# SPDX-License-Identifier: Apache-2.0
"""Ordered sets and preambles of link-level retry against published layouts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gavel_model import ordered_set, preamble
from gavel_model.crc8 import crc8
from gavel_model.ordered_set import Kind, OrderedSet

_SEQ = st.integers(0, (1 << 20) - 1)
_SETS = st.one_of(
    st.builds(OrderedSet, st.sampled_from([Kind.ACK, Kind.NACK]), _SEQ, st.just(0)),
    st.builds(OrderedSet, st.sampled_from([Kind.INIT, Kind.INIT_ECHO]), _SEQ,
              st.integers(0, 0xFFFF)),
)


def _bytes(ctl: int) -> str:
    return ctl.to_bytes(7, "little").hex()


def test_crc8_check_value() -> None:
    assert crc8(b"123456789") == 0xF4  # the catalogue's check value of CRC-8/SMBUS


def test_published_vectors() -> None:
    assert preamble.encode(0x12345, protect=False).hex() == "fb172345555555d5"
    assert _bytes(ordered_set.encode(OrderedSet(Kind.ACK, 0x12345), False)) == "01123456000000"
    assert _bytes(ordered_set.encode(OrderedSet(Kind.NACK, 900), False)) == "02003846000000"
    assert preamble.encode(None, protect=True).hex() == "fb555555555555d5"


def test_init_data_is_high_byte_first() -> None:
    assert _bytes(ordered_set.encode(OrderedSet(Kind.INIT, 1, 0xABCD), False)) == "03000016abcd00"


@given(_SETS, st.booleans())
def test_sets_come_back(item: OrderedSet, protect: bool) -> None:
    assert ordered_set.decode(ordered_set.encode(item, protect), protect) == item


@given(_SEQ, st.booleans())
def test_preambles_come_back(seq: int, protect: bool) -> None:
    assert preamble.decode(preamble.encode(seq, protect), protect) == (1, seq)
    assert preamble.decode(preamble.PLAIN, protect) == (0, 0)


@given(_SETS, st.sets(st.integers(0, 55), min_size=1, max_size=3))
def test_up_to_three_flipped_bits_of_a_set_are_found(item: OrderedSet, bits: set[int]) -> None:
    flipped = ordered_set.encode(item, True) ^ sum(1 << bit for bit in bits)
    assert ordered_set.decode(flipped, True) is None


@given(_SEQ, st.sets(st.integers(0, 63), min_size=1, max_size=3))
def test_up_to_three_flipped_bits_of_a_preamble_are_found(seq: int, bits: set[int]) -> None:
    flips = sum(1 << bit for bit in bits)
    sent = int.from_bytes(preamble.encode(seq, True), "little")
    assert preamble.decode((sent ^ flips).to_bytes(8, "little"), True) is None


@given(st.sets(st.integers(0, 63), min_size=1, max_size=8))
def test_no_eight_flipped_bits_give_a_plain_preamble_a_number(bits: set[int]) -> None:
    flips = sum(1 << bit for bit in bits)
    sent = int.from_bytes(preamble.PLAIN, "little")
    assert preamble.decode((sent ^ flips).to_bytes(8, "little"), True) is None


def test_without_protection_a_flipped_set_is_another_set() -> None:
    ack = ordered_set.encode(OrderedSet(Kind.ACK, 0x100), False)
    assert ordered_set.decode(ack ^ 1 << 8, False) == OrderedSet(Kind.ACK, 0x1100)


@pytest.mark.parametrize("ctl", [
    0x00_0000_6000_0000 | 0x05,              # unknown type
    0x00_0000_0000_0001,                     # low nibble of D4 is not 6
    0x00_0001_6000_0001 | 6 << 24,           # ACK with data
    0x55_0000_0600_0001,                     # check byte without protection
])
def test_what_is_not_valid_is_refused(ctl: int) -> None:
    assert ordered_set.decode(ctl, False) is None


def test_numbers_wider_than_the_sequence_are_refused() -> None:
    ctl = ordered_set.encode(OrderedSet(Kind.ACK, 16), False)
    assert ordered_set.decode(ctl, False, seq_bits=5) == OrderedSet(Kind.ACK, 16)
    assert ordered_set.decode(ctl, False, seq_bits=4) is None


@pytest.mark.parametrize("item", [
    OrderedSet(Kind.ACK, 1 << 20), OrderedSet(Kind.NACK, 0, 1), OrderedSet(Kind.INIT, 0, 1 << 16),
])
def test_what_does_not_fit_is_not_encoded(item: OrderedSet) -> None:
    with pytest.raises(ValueError, match="must be in 0"):
        ordered_set.encode(item, True)


@pytest.mark.parametrize("seq", [-1, 1 << 20])
def test_numbers_that_do_not_fit_are_not_encoded(seq: int) -> None:
    with pytest.raises(ValueError, match="must be in 0"):
        preamble.encode(seq, True)
