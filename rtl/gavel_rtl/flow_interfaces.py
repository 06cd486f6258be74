# SPDX-License-Identifier: Apache-2.0
"""Signatures between the blocks of flow control; cycles are those of docs/flow_control.md."""

from amaranth.hdl import signed
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from gavel_model.config import CF_SPACING_BITS, TIMER_BITS, SwitchConfig
from gavel_model.mac_control import PFC_CLASSES, PFC_TIME_BITS
from gavel_model.ordered_set import CF_BITS, VC_BITS
from gavel_model.register_map import CELL_LIMIT_BITS, CREDIT_BITS, SPACING_BITS, Port

CREDIT_SIZE_BITS = 3
OVERHEAD_BITS = 8
MAC_ADDRESS_BITS = 48
VC_OF_CLASS_BITS = 4
VC_MAP_BITS = VC_OF_CLASS_BITS * PFC_CLASSES

VC_COUNTS = (Port.CBFC_S_CC, Port.CBFC_S_CF, Port.CBFC_R_CC, Port.CBFC_R_CF, Port.VC_CELLS)
"""Read-only registers that stand once for each VC, in the order of the bits that select them."""


class CreditSize(wiring.Signature):
    """What a frame costs at one end of a link.

    Members
    -------
    exponent
        n: a credit is 32 * 2**n bytes, n in 0...6.
    overhead
        Bytes added to the length of a frame, -16...127.
    """

    def __init__(self):
        super().__init__({
            "exponent": Out(CREDIT_SIZE_BITS),
            "overhead": Out(signed(OVERHEAD_BITS)),
        })


class FlowSettings(wiring.Signature):
    """Registers of flow control as visible in the cycle (docs/flow_control.md, Settings);
    ``receives``: ``receiver`` is not 0."""

    def __init__(self, config: SwitchConfig):
        vcs = config.vcs
        super().__init__({
            "stop": Out(vcs),
            "sender": Out(vcs),
            "receiver": Out(vcs),
            "receives": Out(1),
            "total": Out(1),
            "resync": Out(1),
            "sender_size": Out(CreditSize()),
            "receiver_size": Out(CreditSize()),
            "total_limit": Out(CREDIT_BITS),
            "limit": Out(CREDIT_BITS).array(vcs),
            "cf_min": Out(SPACING_BITS),
            "cf_max": Out(CF_SPACING_BITS),
            "cc_period": Out(TIMER_BITS),
            "pfc_receive": Out(vcs),
            "pfc_transmit": Out(vcs),
            "xoff": Out(CELL_LIMIT_BITS),
            "xon": Out(CELL_LIMIT_BITS),
            "pfc_time": Out(PFC_TIME_BITS),
            "watchdog": Out(TIMER_BITS),
            "restore": Out(TIMER_BITS),
            "mac_address": Out(MAC_ADDRESS_BITS),
            "coming": Out(ComingFlowSettings(config)),
        })


class ComingFlowSettings(wiring.Signature):
    """Settings as visible in the next cycle; members as of `FlowSettings`, VC_MAP, and those of
    ``receiver_size``."""

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "cf_min": Out(SPACING_BITS),
            "cf_max": Out(CF_SPACING_BITS),
            "vc_map": Out(VC_MAP_BITS),
            "receiver_exponent": Out(CREDIT_SIZE_BITS),
            "receiver_overhead": Out(signed(OVERHEAD_BITS)),
            "cc_period": Out(TIMER_BITS),
            "pfc_receive": Out(config.vcs),
            "watchdog": Out(TIMER_BITS),
        })


def _entries() -> dict[str, wiring.Member]:
    return {
        "vc": Out(VC_BITS),
        "freed": Out(CF_BITS),
        "second_vc": Out(VC_BITS),
        "second_freed": Out(CF_BITS),
    }


class CreditEntries(wiring.Signature):
    """What a CF_Update says.

    Members
    -------
    vc, freed, second_vc, second_freed
        Entries 0 and 1: VC, and the low 15 bits of its count of freed credits.
    """

    def __init__(self):
        super().__init__(_entries())


class CreditUpdate(wiring.Signature):
    """A CF_Update that was on the receive pins in t, in r.

    Members
    -------
    valid
        There is a valid one. The others, as in `CreditEntries`, are meaningless without it.
    """

    def __init__(self):
        super().__init__({"valid": Out(1), **_entries()})


class CreditRequest(wiring.Signature):
    """The CF_Update that may be sent in this cycle.

    Members
    -------
    enabled
        Some VC has a receiver.
    pending
        A VC that had one in the cycle before had something to tell.
    The others are those of `CreditEntries`.
    """

    def __init__(self):
        super().__init__({"enabled": Out(1), "pending": Out(1), **_entries()})


class PauseFrame(wiring.Signature):
    """A PFC frame that ended in the cycle, w.

    Members
    -------
    valid
        There is one. The others are meaningless without it.
    enabled, lasts
        Bit n: the frame says something of class n; it gives it a time that is not 0.
    times
        In w+1: for each class its time in quanta.
    """

    def __init__(self):
        super().__init__({
            "valid": Out(1),
            "enabled": Out(PFC_CLASSES),
            "lasts": Out(PFC_CLASSES),
            "times": Out(PFC_TIME_BITS).array(PFC_CLASSES),
        })


class FlowSelect(wiring.Signature):
    """Which read-only register of flow control is addressed, the same for all ports.

    Members
    -------
    vc_count
        One-hot, as in `VC_COUNTS`; 0 for none of them.
    status
        CBFC_STATUS.
    vc
        One-hot: the VC in an address of those, 0 for one that there is not. Meaningless with
        others.
    """

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "vc_count": Out(len(VC_COUNTS)),
            "status": Out(1),
            "vc": Out(config.vcs),
        })
