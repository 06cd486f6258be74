# SPDX-License-Identifier: Apache-2.0
"""What a record of telemetry looks like, as data (docs/telemetry.md, Records)."""

from __future__ import annotations

from collections.abc import Mapping

MARK = 0x5447
"""First two bytes, "GT"."""

VERSION = 1
WORD_BITS = 64
HEAD_WORDS = 2
PORT_WORDS = 3
"""Words for each port, behind those of the head."""

HEAD = {"mark": 16, "version": 8, "ports": 8, "interval": 32, "cycle": 64}
"""Fields of the head and their bits, from bit 0 of word 0 on."""

PORT = {
    "rx_bytes": 32, "tx_bytes": 32,
    "cells": 32, "blocked": 32,
    "events": 16, "corrected": 16, "uncorrectable": 16, "dropped": 16,
}
"""Fields of a port."""

SUMS = ("rx_bytes", "tx_bytes", "blocked", "corrected", "uncorrectable", "dropped")
"""Fields of a port that are added up over the interval."""

PERIOD_BITS = 24
"""Width of ``STREAM_PERIOD``."""

LOST_BITS = 32
"""Width of ``STREAM_LOST``; it wraps."""


def record_words(ports: int) -> int:
    """Words of 64 bits in a record of a switch with so many ports."""
    return HEAD_WORDS + PORT_WORDS * ports


def pack(fields: Mapping[str, int], values: Mapping[str, int]) -> int:
    """One number with the values of ``fields``, the first in its low bits."""
    number = shift = 0
    for name, bits in fields.items():
        number |= values[name] << shift
        shift += bits
    return number
