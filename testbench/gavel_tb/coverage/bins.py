# SPDX-License-Identifier: Apache-2.0
"""Functional coverage: the table of what is to be met. `collector` says when each bin is hit.

A bin is named ``group.bin``; a bin of a cross has the bins of its groups with ``/`` between them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import product

from gavel_model.llr_receiver import ReceiverState
from gavel_model.llr_timers import TransmitterState
from gavel_model.profiles import PROFILE_NAMES, PROFILES
from gavel_model.register_map import DROPS, Counter
from gavel_model.stall_account import STALLS
from gavel_tb.register_kinds import KINDS
from gavel_tb.source import PATTERNS


@dataclass(frozen=True)
class Group:
    """Bins of one kind.

    Attributes
    ----------
    name, text
        Name, and what is looked at and when.
    bins
        Names.
    """

    name: str
    text: str
    bins: tuple[str, ...]


@dataclass(frozen=True)
class Cross:
    """Every combination of the bins of some groups, but for those that cannot be.

    Attributes
    ----------
    without
        Patterns of combinations that are left out, each with the reason.
    """

    name: str
    text: str
    groups: tuple[str, ...]
    without: Mapping[str, str] = field(default_factory=dict)


LENGTHS = ("64", "65...127", "128...511", "512...", "longest")
ENDS = ("exact", "one byte over", "one byte short", "between")
VCS = ("0", "1", "2", "3", "4...7")
LEVELS = ("empty", "below 25 %", "below 75 %", "below 95 %", "full")
POINTER_PORTS = (2, 3, 4, 5, 8)
"""Numbers of ports whose pointer positions are bins."""

_TX, _RX = TransmitterState, ReceiverState


def _moves(pairs: Iterable[tuple[TransmitterState | ReceiverState, ...]]) -> tuple[str, ...]:
    return tuple(f"{old.name} to {new.name}" for old, new in pairs)


GROUPS: tuple[Group, ...] = (
    Group("length", "bytes of a frame that came well", LENGTHS),
    Group("word_end", "where its last byte lies in its word", ENDS),
    Group("cell_end", "where its last byte lies in its cell", ENDS),
    Group("vc", "its virtual channel", VCS),
    Group("profile", "header profile of its port", PROFILE_NAMES),
    Group("vc_source", "what decided its VC", ("profile", "priority code point", "DSCP")),
    Group("route", "where a match leads", ("back to its port", "to another port")),
    Group("matches", "matches in a cycle", ("1", "2", "3", "4...", "all ports")),
    Group("wanted", "inputs that want one output, each 16 cycles", ("1", "2", "3...", "all")),
    Group("match_rule", "order of service in force at a match", ("turns", "weights", "strict")),
    Group("grant_pointer", "positions of grant pointers",
          tuple(f"{at} of {ports}" for ports in POINTER_PORTS for at in range(ports))),
    Group("accept_pointer", "positions of accept pointers",
          tuple(f"{at} of {ports}" for ports in POINTER_PORTS for at in range(ports))),
    Group("catch_up", "an output has inputs to catch up with: it begins, it has served them",
          ("begins", "ends")),
    Group("level", "cells in use in the fullest ingress buffer, each 16 cycles", LEVELS),
    Group("pattern", "pattern of the traffic", (*PATTERNS, "scenario")),
    Group("rx_words", "words on the receive pins",
          ("frame of one word", "back to back", "gap in a frame", "start in a frame",
           "outside of a frame", "error", "link down", "ordered set beside a word")),
    Group("tx_stall", "transmit pins that are not ready at a word",
          ("first word", "middle word", "last word", "ordered set")),
    Group("reset", "what a reset interrupts", ("silence", "reception", "transmission", "retry")),
    Group("register", "what an access on the register pins reads or writes",
          tuple(f"{kind} {way}" for kind in (*KINDS, "unknown") for way in ("read", "written"))),
    Group("llr_tx", "transmitter of link-level retry",
          _moves(((_TX.OFF, _TX.INIT), (_TX.INIT, _TX.ADVANCE), (_TX.ADVANCE, _TX.REPLAY),
                  (_TX.REPLAY, _TX.ADVANCE), (_TX.ADVANCE, _TX.FLUSH), (_TX.REPLAY, _TX.FLUSH),
                  (_TX.FLUSH, _TX.INIT), (_TX.INIT, _TX.OFF), (_TX.ADVANCE, _TX.OFF),
                  (_TX.REPLAY, _TX.OFF), (_TX.FLUSH, _TX.OFF)))),
    Group("llr_rx", "receiver of link-level retry",
          _moves(((_RX.OFF, _RX.SEND_ACKS), (_RX.SEND_ACKS, _RX.SEND_NACK),
                  (_RX.SEND_NACK, _RX.NACK_SENT), (_RX.NACK_SENT, _RX.SEND_ACKS),
                  (_RX.SEND_NACK, _RX.SEND_ACKS), (_RX.SEND_ACKS, _RX.OFF),
                  (_RX.SEND_NACK, _RX.OFF), (_RX.NACK_SENT, _RX.OFF)))),
    Group("replay", "why a replay begins", ("NACK", "replay timer", "NACK in a replay")),
    Group("flush", "why a transmitter gives up, and in which state",
          tuple(f"{why} in {state.name}" for state in (_TX.ADVANCE, _TX.REPLAY)
                for why in ("peer is silent", "too many replays", "data too old"))),
    Group("sequence", "sequence numbers wrap", ("transmitter", "receiver")),
    Group("hold", "the replay buffer takes no more frames: it begins, it ends",
          ("begins", "ends")),
    Group("credits", "a VC's credits do not suffice for a longest frame, suffice again, are not "
          "known", ("gone", "back", "waiting", "known")),
    Group("credit_limit", "credits that are counted", ("of each VC", "of all VCs together")),
    Group("pause", "a VC is paused by the peer, asks the peer to pause",
          ("paused", "goes on", "XOFF", "XON")),
    Group("stall", "why a VC with a frame does not send", STALLS),
    Group("counter", "a counter of a port counts", tuple(item.name for item in Counter)),
    Group("drop", "a frame is lost, and counted by", tuple(item.name for item in DROPS)),
)
"""All groups, the parts of crosses among them."""

_NARROW = {f"*/{VCS[-1]}/{profile.name}": "its class has two bits"
           for profile in PROFILES if profile.traffic_class.width < 3}

CROSSES: tuple[Cross, ...] = (
    Cross("frame", "length, VC and profile of a frame that came well",
          ("length", "vc", "profile"), _NARROW),
    Cross("load", "pattern of the traffic and level of the buffer", ("pattern", "level")),
    Cross("credits_vc", "credits of each VC", ("credits", "vc")),
    Cross("pause_vc", "pauses of each VC", ("pause", "vc")),
    Cross("stall_vc", "stalls of each VC", ("stall", "vc"),
          {f"stopped/{VCS[-1]}": "management stops VCs in scenarios, whose switches have four"}),
)


def _tables() -> tuple[dict[str, str], dict[str, str]]:
    groups = {group.name: group for group in GROUPS}
    found = {f"{group.name}.{name}": group.text for group in GROUPS for name in group.bins}
    left_out = {}
    for cross in CROSSES:
        for parts in product(*(groups[name].bins for name in cross.groups)):
            name = "/".join(parts)
            reasons = [why for pattern, why in cross.without.items() if fnmatchcase(name, pattern)]
            if reasons:
                left_out[f"{cross.name}.{name}"] = reasons[0]
            else:
                found[f"{cross.name}.{name}"] = cross.text
    return found, left_out


BINS: Mapping[str, str]
LEFT_OUT: Mapping[str, str]
BINS, LEFT_OUT = _tables()
"""What each bin looks at, by its name; and why a combination is no bin."""


def chosen(patterns: Iterable[str]) -> list[str]:
    """Names of the bins that match one of some patterns, in the order of the table.

    Raises
    ------
    ValueError
        If a pattern matches none.
    """
    result: set[str] = set()
    for pattern in patterns:
        found = [name for name in BINS if fnmatchcase(name, pattern)]
        if not found:
            known = ", ".join([*(group.name for group in GROUPS),
                               *(cross.name for cross in CROSSES)])
            raise ValueError(f"cover = {pattern!r}: no bin has this name; groups: {known}")
        result.update(found)
    return [name for name in BINS if name in result]


def merge(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Sum of counts by bin."""
    total: dict[str, int] = {}
    for part in counts:
        for name, number in part.items():
            total[name] = total.get(name, 0) + number
    return total


def holes(counts: Mapping[str, int], names: Iterable[str]) -> list[str]:
    """Those of some bins that were not hit."""
    return [name for name in names if not counts.get(name)]
