# SPDX-License-Identifier: Apache-2.0
"""Signatures between the blocks of the switch.

All of them are free-running: a member is meaningful in every cycle, and a stage never waits for
the next one. Names and cycles (t, w, s, c) are those of docs/spec.md.
"""

from amaranth.hdl import unsigned
from amaranth.lib import enum, wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.pins import CTL_BITS, SEQ_BITS
from gavel_model.profiles import PROFILES
from gavel_model.register_map import CELL_LIMIT_BITS, COUNTER_BITS, COUNTERS
from gavel_rtl.flow_interfaces import FlowSettings
from gavel_rtl.llr_interfaces import LlrSettings

PROFILE_BITS = 3
CLASS_FROM_BITS = 2
VC_MATCH_BITS = 14
LINK_MEMBERS = ("valid", "sop", "eop", "err", "empty", "llr", "seq", "ctl_valid", "ctl", "up",
                "data")
"""Members of a link in the order of `gavel_model.pins`."""

READY_MEMBERS = ("ready", "ctl_ready")
"""Members of a `TxLink` that go the other way."""


class Reason(enum.Enum, shape=unsigned(6)):
    """What becomes of a frame; the value is the number of the counter that counts it."""

    FILED = 0
    ERR = 2
    UNDERSIZE = 3
    OVERSIZE = 4
    FCS = 5
    MAC_CONTROL = 6
    HEADER = 7
    TTL = 8
    NO_ROUTE = 9
    NO_BUFFER = 10
    RX_LLR = 17
    RX_POISONED = 18
    VC_LIMIT = 43


def _link(config: SwitchConfig) -> dict[str, wiring.Member]:
    return {
        "valid": Out(1),
        "sop": Out(1),
        "eop": Out(1),
        "err": Out(1),
        "empty": Out(config.empty_bits),
        "llr": Out(1),
        "seq": Out(SEQ_BITS),
        "ctl_valid": Out(1),
        "ctl": Out(CTL_BITS),
        "up": Out(1),
        "data": Out(config.data_width),
    }


class RxLink(wiring.Signature):
    """Receive pins of a port, as driven by the MAC (spec chapter 3). No back-pressure."""

    def __init__(self, config: SwitchConfig):
        super().__init__(_link(config))


class TxLink(wiring.Signature):
    """Transmit pins of a port, as driven by the switch; the MAC drives the two ready members."""

    def __init__(self, config: SwitchConfig):
        super().__init__({**_link(config), "ready": In(1), "ctl_ready": In(1)})


class FrameWord(wiring.Signature):
    """A word of a received frame (LinkRx in t+1, delayed by the port to w).

    Members
    -------
    valid
        The word belongs to a frame; stray words never appear.
    sop, eop
        First, last word.
    abort
        The frame that was open before this word ended without its last word. May come with
        ``valid`` (the word is then the first of a new frame) or without.
    data
        The word, unused lanes 0.
    """

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "valid": Out(1),
            "sop": Out(1),
            "eop": Out(1),
            "abort": Out(1),
            "data": Out(config.data_width),
        })


class Verdict(wiring.Signature):
    """What LinkRx and LlrReceiver found of a frame, in r.

    Members
    -------
    reason
        FILED (good so far), ERR, UNDERSIZE, OVERSIZE or FCS, and from LlrReceiver RX_LLR and
        RX_POISONED. Meaningless in other cycles.
    length
        Bytes, FCS included.
    poisoned
        From LlrReceiver: with FILED, a poisoned frame that goes on. 0 from LinkRx.
    """

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "reason": Out(Reason),
            "length": Out(config.length_bits),
            "poisoned": Out(1),
        })


class Fields(wiring.Signature):
    """What Parser found in the header, in t+2; with `SwitchConfig.parser_stages` ``reason`` and
    ``vc`` in t+3.

    Members
    -------
    reason
        FILED (nothing wrong), MAC_CONTROL, HEADER or TTL.
    dst
        Destination, right-aligned.
    is_address
        1 if ``dst`` is a 48-bit address, 0 if it is an ID.
    address
        What would be ``dst`` with a 48-bit address, whatever the profile: the frame's first bytes.
    hash
        Its set in the hash table. A register.
    vc
        Virtual channel.
    profile
        Number of the profile that was used, for the edits at the egress.
    """

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "reason": Out(Reason),
            "dst": Out(48),
            "is_address": Out(1),
            "address": Out(48),
            "hash": Out(range(max(2, config.fdb_sets))),
            "vc": Out(config.vc_bits),
            "profile": Out(PROFILE_BITS),
        })


class Route(wiring.Signature):
    """Answer of Lookup to the destination of t+2, in t+3 or later."""

    def __init__(self, config: SwitchConfig):
        super().__init__({"hit": Out(1), "port": Out(config.port_bits)})


class TableWrite(wiring.Signature):
    """Writes to every port's copy of the lookup tables, driven by Registers.

    In a cycle with ``route_we`` / ``fdb_we`` the entry takes its new value at the end of the
    cycle. ``ready`` is STATUS.table_ready as visible in the cycle; until it is 1 the tables are
    being filled with their reset contents, and ``entry_valid`` and ``entry_port`` are those of the
    direct table: a hash entry is then written as not valid.
    """

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "ready": Out(1),
            "route_we": Out(1),
            "route_index": Out(config.id_bits),
            "fdb_we": Out(1),
            "fdb_index": Out(range(max(2, config.fdb_entries))),
            "fdb_address": Out(48),
            "entry_valid": Out(1),
            "entry_port": Out(config.port_bits),
        })


class Match(wiring.Signature):
    """Scheduler's decision for one input, made in cycle s.

    Members
    -------
    valid
        In s: a match is made.
    output
        In s: P bits, one-hot; 0 without a match.
    vc
        In s+1: V bits, one-hot; meaningless without a match in s.
    vc_if_output
        In s+1: for each output V bits, one-hot, from registers: ``vc`` if the match in s was with
        it, else meaningless.
    """

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "valid": Out(1),
            "output": Out(config.ports),
            "vc": Out(config.vcs),
            "vc_if_output": Out(config.voqs),
        })


class SwitchWord(wiring.Signature):
    """A word between IngressBuffer (e-1), Crossbar (e) and Egress, e = c+2 + ``read_stages``.

    Without ``valid``, ``sop``, ``eop`` and ``next_eop`` are 0. The other members are then
    meaningless before the crossbar, and 0 behind it.

    Members
    -------
    valid, sop, eop
        A word is present; first, last word of its frame.
    next_eop
        The next word of this frame is its last one.
    empty
        Unused high lanes of the frame's last word, the same with every word of the frame.
    profile
        Header profile of the frame.
    mark, poisoned
        ECN decision; it came poisoned: the same with every word of the frame.
    vc, length
        Virtual channel and bytes (FCS included) of the frame, the same with every word of it.
    data
        The word.
    """

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "valid": Out(1),
            "sop": Out(1),
            "eop": Out(1),
            "next_eop": Out(1),
            "empty": Out(config.empty_bits),
            "profile": Out(PROFILE_BITS),
            "mark": Out(1),
            "poisoned": Out(1),
            "vc": Out(config.vc_bits),
            "length": Out(config.length_bits),
            "data": Out(config.data_width),
        })


class CountedFrame(wiring.Signature):
    """A frame that counts for its sender's credits, in w+1 (docs/flow_control.md, Receiver).

    Members
    -------
    valid
        It counts: the other members are meaningless without.
    filed
        It was filed in a VOQ; else it was dropped.
    vc, length
        Virtual channel, bytes with FCS.
    vcs
        Bit v: ``valid``, and of VC v.
    length_coming
        In w: ``length`` of the next cycle.
    """

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "valid": Out(1),
            "filed": Out(1),
            "vc": Out(config.vc_bits),
            "vcs": Out(config.vcs),
            "length": Out(config.length_bits),
            "length_coming": Out(config.length_bits),
        })


class FreedFrame(wiring.Signature):
    """A frame of which a transfer read the last word in c, in c+1.

    Members
    -------
    vcs
        Bit v: there is one, of VC v.
    length_coming
        In c, a cycle before: bytes with FCS, meaningless without one.
    """

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "vcs": Out(config.vcs),
            "length_coming": Out(config.length_bits),
        })


class EgressWord(wiring.Signature):
    """A finished word from Egress to LlrTransmitter, cycle e.

    Members as those of a link: all 0 without ``valid``, ``empty`` 0 unless ``eop``. ``poisoned``
    is the same with every word of the frame, and ``next_eop`` says that the next one is its last.
    """

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "valid": Out(1),
            "sop": Out(1),
            "eop": Out(1),
            "next_eop": Out(1),
            "empty": Out(config.empty_bits),
            "poisoned": Out(1),
            "data": Out(config.data_width),
        })


class PortSettings(wiring.Signature):
    """Registers of a port as visible in the cycle, and the global ones that a port uses.

    Members are named as in docs/spec.md and docs/flow_control.md. ``vc_match``, ``vc_limit`` have
    an element for each VC; ``vc_match`` has mask and value in the places of their register.
    ``weighted`` says that ``vc_weights`` is not 0; with ``strict`` and ``enable`` also of the next
    cycle.
    ``profile_is`` is the number of the profile that is used, one-hot: 0 for a ``profile`` that
    there is not.
    """

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "enable": Out(1),
            "enable_next": Out(1),
            "profile": Out(PROFILE_BITS),
            "profile_is": Out(len(PROFILES)),
            "class_from": Out(CLASS_FROM_BITS),
            "vc_map": Out(32),
            "vc_match": Out(VC_MATCH_BITS).array(config.vcs),
            "vc_limit": Out(CELL_LIMIT_BITS).array(config.vcs),
            "vc_weights": Out(32),
            "weighted": Out(1),
            "strict": Out(config.vcs),
            "strict_next": Out(config.vcs),
            "weighted_next": Out(1),
            "ecn_threshold": Out(16),
            "esun_ethertype": Out(16),
            "llr": Out(LlrSettings(config)),
            "flow": Out(FlowSettings(config)),
        })


class CounterEvents(wiring.Signature):
    """What a port's counters add in a cycle.

    Members
    -------
    count
        Bit n: counter n adds one. Bits RX_BYTES and TX_BYTES are unused.
    rx_bytes
        What RX_BYTES adds with RX_FRAMES; meaningless without.
    tx_bytes
        What TX_BYTES adds.
    """

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "count": Out(COUNTERS),
            "rx_bytes": Out(config.length_bits),
            "tx_bytes": Out(config.empty_bits + 1),
        })


class RegisterPort(wiring.Signature):
    """The register port (spec chapter 12), as driven by its user."""

    def __init__(self):
        super().__init__({
            "addr": Out(16),
            "wdata": Out(32),
            "we": Out(1),
            "re": Out(1),
            "rdata": In(32),
        })


COUNTER_VALUES = COUNTERS * COUNTER_BITS
"""Width of all counters of a port, counter 0 in the low bits."""
