# SPDX-License-Identifier: Apache-2.0
"""Signatures between the blocks of the self-test (docs/selftest.md)."""

from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from gavel_model.config import SwitchConfig
from gavel_model.selftest_format import (
    DRAW_BITS,
    GROUP_BYTES,
    PORT_BITS,
    SEQUENCE_BITS,
    TIME_BITS,
    FrameFormat,
)

LOAD_BITS = 17
COUNT_BITS = 32
INJECT_BITS = 24
KIND_BITS = 3


class SelfTestSettings(wiring.Signature):
    """Registers of a port as visible in the cycle, named as in docs/selftest.md.

    ``inject_every`` and ``inject_how`` are the fields of ``INJECT``.
    """

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "mode": Out(2),
            "order": Out(1),
            "destinations": Out(config.ports),
            "classes": Out(FrameFormat(config).classes),
            "shortest": Out(config.length_bits),
            "longest": Out(config.length_bits),
            "load": Out(LOAD_BITS),
            "payload": Out(2),
            "seed": Out(DRAW_BITS),
            "count": Out(COUNT_BITS),
            "inject_every": Out(INJECT_BITS),
            "inject_how": Out(2),
        })


class PlannedFrame(wiring.Signature):
    """A frame that `SelfTestDraw` has decided (register D2), ``length`` less one byte; all but
    ``valid`` mean nothing without it."""

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "valid": Out(1),
            "destination": Out(config.port_bits),
            "class_": Out(config.vc_bits),
            "length": Out(config.length_bits),
        })


class MadeWord(wiring.Signature):
    """A word of a frame, members as of a link; all 0 without ``valid``."""

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "valid": Out(1),
            "sop": Out(1),
            "eop": Out(1),
            "empty": Out(config.empty_bits),
            "data": Out(config.data_width),
        })


class BareWord(wiring.Signature):
    """A word of a frame with 0 in the place of tail and FCS.

    Members
    -------
    valid, sop, eop, empty, data
        As of a `MadeWord`.
    has_tail, has_rest
        Tail and FCS begin in this word; they began in the last group of the word before.
    group
        Group of eight lanes in which they begin; 0 without ``has_tail``.
    tail
        Bytes of the tail, the same with every word of a frame.
    spoilt
        One bit of the FCS is to be wrong, the same with every word of a frame.
    """

    def __init__(self, config: SwitchConfig):
        super().__init__({
            **MadeWord(config).members,
            "has_tail": Out(1),
            "has_rest": Out(1),
            "group": Out(range(max(2, config.word_bytes // GROUP_BYTES))),
            "tail": Out(range(GROUP_BYTES)),
            "spoilt": Out(1),
        })


class CheckedFrame(wiring.Signature):
    """What the checker found in a frame, and outside of frames, in t+3.

    Members
    -------
    ended
        A frame ended.
    bad, header, payload, late
        Adds to ``BAD_FCS`` (0...2), ``HEADER_ERRORS``, ``PAYLOAD_ERRORS``, ``OUT_OF_ORDER``.
    lost
        Adds to ``LOST``.
    timed, latency
        The frame has a latency, and which; else 0.
    source, sequence
        As its stamp has them.
    """

    def __init__(self):
        super().__init__({
            "ended": Out(1),
            "bad": Out(2),
            "header": Out(1),
            "payload": Out(1),
            "late": Out(1),
            "lost": Out(SEQUENCE_BITS),
            "timed": Out(1),
            "latency": Out(TIME_BITS),
            "source": Out(PORT_BITS),
            "sequence": Out(SEQUENCE_BITS),
        })
