# SPDX-License-Identifier: Apache-2.0
"""Signatures between the blocks of link-level retry; cycles are those of docs/llr.md."""

from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from gavel_model.config import TIMER_BITS, SwitchConfig
from gavel_model.ordered_set import DATA_BITS
from gavel_model.pins import SEQ_BITS
from gavel_model.register_map import SPACING_BITS

REPLAY_COUNT_BITS = 8


class FrameEnd(wiring.Signature):
    """What LlrReceiver needs to know of a frame, in r.

    Members
    -------
    eligible
        The last word of a frame whose first one had ``llr`` was on the pins in t. The others are
        meaningless without it.
    seq_coming
        In r-1, a cycle before the others: low bits of the sequence number of a frame that ends
        with this word; meaningless if none does.
    poisoned, bad
        Its class, good with neither.
    """

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "eligible": Out(1),
            "seq_coming": Out(config.seq_bits),
            "poisoned": Out(1),
            "bad": Out(1),
        })


class ControlSet(wiring.Signature):
    """An ordered set that was on the receive pins in t, in r.

    Members
    -------
    ack, nack, init, init_echo
        A valid set of that kind; at most one is set.
    unknown
        A set that is not valid.
    value
        v, modulo 2^S; for valid sets only, as the next one.
    data
        Init data.
    coming
        v of the set of the next cycle, whatever it is; known a cycle before the others.
    coming_next
        With ``receive_stages`` = 1: ``coming`` of the next cycle.
    coming_ack, coming_nack, coming_init
        That set is a valid one of that kind: ``ack``, ``nack`` and ``init`` of the next cycle.
    """

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "ack": Out(1),
            "nack": Out(1),
            "init": Out(1),
            "init_echo": Out(1),
            "unknown": Out(1),
            "value": Out(config.seq_bits),
            "data": Out(DATA_BITS),
            "coming": Out(config.seq_bits),
            "coming_next": Out(config.seq_bits),
            "coming_ack": Out(1),
            "coming_nack": Out(1),
            "coming_init": Out(1),
        })


class ReceiverRequests(wiring.Signature):
    """What LlrReceiver wants to be sent: ACK or NACK with ``ack_seq``, ECHO with the others, which
    mean nothing without one; with ``control_stages`` = 1 they are 0 without one, but for the cycle
    behind one in which an ECHO is chosen. Registers."""

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "ack": Out(1),
            "nack": Out(1),
            "ack_seq": Out(config.seq_bits),
            "echo": Out(1),
            "echo_seq": Out(config.seq_bits),
            "echo_data": Out(DATA_BITS),
        })


class InitRequest(wiring.Signature):
    """What LlrTransmitter wants to be sent.

    Members
    -------
    request
        An INIT with ``seq`` and ``data``.
    first
        None was sent yet: this one waits for no other.
    """

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "request": Out(1),
            "first": Out(1),
            "seq": Out(config.seq_bits),
            "data": Out(DATA_BITS),
        })


class ControlSent(wiring.Signature):
    """The ordered set that ControlTransmitter loads in this cycle, one-hot; 0 for none."""

    def __init__(self):
        super().__init__({"ack": Out(1), "nack": Out(1), "init": Out(1), "echo": Out(1)})


class FetchedWord(wiring.Signature):
    """Register B of the replay buffer; without ``valid`` the other members mean nothing, and
    ``poisoned`` without ``eop``."""

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "valid": Out(1),
            "eop": Out(1),
            "empty": Out(config.empty_bits),
            "poisoned": Out(1),
            "data": Out(config.data_width),
        })


class LaunchedWord(wiring.Signature):
    """A word on its way to the frame pins. Members as theirs: all 0 without ``valid``."""

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "valid": Out(1),
            "sop": Out(1),
            "eop": Out(1),
            "empty": Out(config.empty_bits),
            "llr": Out(1),
            "seq": Out(SEQ_BITS),
            "data": Out(config.data_width),
        })


class ComingLlrSettings(wiring.Signature):
    """Settings as visible in the next cycle; members as of `LlrSettings`.

    ``min_spacing`` counts as far as it is not more than ``spacing``.
    """

    def __init__(self):
        super().__init__({
            "replay_timer": Out(TIMER_BITS),
            "pcs_lost": Out(TIMER_BITS),
            "data_age": Out(TIMER_BITS),
            "spacing": Out(SPACING_BITS),
            "min_spacing": Out(SPACING_BITS),
            "init_data": Out(DATA_BITS),
            "protect": Out(1),
            "local": Out(1),
            "remote": Out(1),
            "replay_count": Out(REPLAY_COUNT_BITS),
            "init_action": Out(2),
            "flush_action": Out(2),
            "reinit": Out(1),
        })


class LlrSettings(wiring.Signature):
    """Registers of link-level retry as visible in the cycle (docs/llr.md, Settings).

    ``coming`` are those to which a time or a count is compared one cycle ahead, ``protect``, with
    which an ordered set is checked, ``local``, without which none is asked for, and those that say
    what becomes of frames.
    """

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "local": Out(1),
            "remote": Out(1),
            "init_action": Out(2),
            "flush_action": Out(2),
            "reinit": Out(1),
            "protect": Out(1),
            "forward_poisoned": Out(1),
            "window_frames": Out(config.replay_frames.bit_length()),
            "window_cells": Out(config.replay_cells.bit_length()),
            "replay_timer": Out(TIMER_BITS),
            "pcs_lost": Out(TIMER_BITS),
            "data_age": Out(TIMER_BITS),
            "replay_count": Out(REPLAY_COUNT_BITS),
            "spacing": Out(SPACING_BITS),
            "min_spacing": Out(SPACING_BITS),
            "init_seq": Out(config.seq_bits),
            "init_data": Out(DATA_BITS),
            "coming": Out(ComingLlrSettings()),
        })
