# SPDX-License-Identifier: Apache-2.0
"""What the parts of the ingress buffer share: VOQ numbers and what is kept of a frame."""

from amaranth.hdl import Cat, Const, Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import Out

from gavel_model.config import SwitchConfig
from gavel_rtl.interfaces import PROFILE_BITS
from gavel_rtl.lib.decode import is_one_of


class FrameInfo(data.StructLayout):
    """What the buffer keeps of a filed frame.

    Members
    -------
    cell
        Its first cell.
    more
        Words that follow its first word.
    empty
        Unused lanes of its last word.
    profile
        Header profile, for the edits at the egress.
    poisoned
        It came poisoned, and goes on so.
    filed_before
        Cells that were filed in its VOQ before it: a cyclic total (`VoqOccupancy`).
    """

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "cell": unsigned(config.cell_bits),
            "more": unsigned(more_bits(config)),
            "empty": unsigned(config.empty_bits),
            "profile": unsigned(PROFILE_BITS),
            "poisoned": unsigned(1),
            "filed_before": unsigned(config.count_bits),
        })


class QueuedFrame(wiring.Signature):
    """A frame that goes into a VOQ, or out of it.

    Members
    -------
    valid
        There is one: the other members are meaningless without.
    voq
        Number of the VOQ.
    cell, cells
        The first cell of the frame, and how many it has.
    """

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "valid": Out(1),
            "voq": Out(voq_number_bits(config)),
            "cell": Out(config.cell_bits),
            "cells": Out(config.frame_cells_bits),
        })


def more_bits(config: SwitchConfig) -> int:
    """Width of the words of a frame that follow one of them, 0...max_frame_words-1."""
    return max(1, (config.max_frame_words - 1).bit_length())


def position_bits(config: SwitchConfig) -> int:
    """Width of a word's position in its cell; 0 if a cell is one word."""
    return config.words_per_cell.bit_length() - 1


def one_word_frames(config: SwitchConfig) -> bool:
    """A frame may be a single word, so that an input may be matched in every cycle. If not, none is
    free in the cycle behind its match."""
    return config.words_per_cell == 1


def shows_ahead(config: SwitchConfig) -> bool:
    """What an input will show in the next cycle is known before that cycle's match is: no frame is
    a single word, and there is no queue whose next frame has to be read first."""
    return config.queueing == "voq" and not one_word_frames(config)


def allows_from_register(config: SwitchConfig) -> bool:
    """What may be sent in the next cycle is known: a register says it, behind which nothing is
    added."""
    return config.gate_stages > 1 or (config.gate_stages > 0 and not one_word_frames(config))


def allows_ahead(config: SwitchConfig) -> bool:
    """It is, with what an input shows. Where requests are a cycle older anyway nobody asks."""
    return allows_from_register(config) and shows_ahead(config) and not config.match_stages


def frame_cells(config: SwitchConfig, more: Value) -> Value:
    """Cells of a frame of ``more`` + 1 words."""
    return more[position_bits(config):] + 1


def frame_bytes(more: Value, empty: Value) -> Value:
    """Bytes of a frame of ``more`` + 1 words, ``empty`` lanes of the last one unused."""
    # A word has a power of two of bytes, so ~empty is the number of the last used lane.
    return Cat(~empty, more) + 1


def voq_number_bits(config: SwitchConfig) -> int:
    """Width of a VOQ number."""
    return (config.voqs - 1).bit_length()


def voq_number(config: SwitchConfig, port: Value, vc: Value) -> Value:
    """VOQ number of output ``port`` and ``vc``: port * V + vc."""
    if config.vcs & (config.vcs - 1):
        return (port * config.vcs + vc)[:voq_number_bits(config)]
    return Cat(vc[:config.vcs.bit_length() - 1], port)


def vc_of_voq(config: SwitchConfig, number: Value) -> Value:
    """VC of VOQ ``number``, `SwitchConfig.vc_bits` wide. Pass a Signal."""
    vcs = config.vcs
    if vcs & (vcs - 1) == 0:
        return Cat(number[:vcs.bit_length() - 1], Const(0, config.vc_bits))[:config.vc_bits]
    return Cat(is_one_of(number, [voq for voq in range(config.voqs) if voq % vcs >> bit & 1])
               for bit in range(config.vc_bits))
