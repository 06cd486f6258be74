# SPDX-License-Identifier: Apache-2.0
"""Signatures between the blocks of telemetry (docs/telemetry.md)."""

from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from gavel_model.config import SwitchConfig
from gavel_model.register_map import COUNTERS, CREDIT_BITS
from gavel_rtl.retry_state import TransmitterState
from gavel_rtl.voq import voq_number_bits


class Observation(wiring.Signature):
    """What is observed of a port in c (docs/telemetry.md, chapter 1), under the names there.

    What describes a frame means nothing without ``filed``, ``dropped``, ``opened``, ``sent``.

    Members
    -------
    filed_cell, opened_cell
        First cell of the frame: what names it until it is opened.
    """

    def __init__(self, config: SwitchConfig):
        vcs = config.vcs
        super().__init__({
            "count": Out(COUNTERS),
            "rx_bytes": Out(config.length_bits),
            "tx_bytes": Out(config.empty_bits + 1),
            "up": Out(1),
            "state": Out(TransmitterState),
            "filed": Out(1),
            "filed_voq": Out(voq_number_bits(config)),
            "filed_cells": Out(config.frame_cells_bits),
            "filed_length": Out(config.length_bits),
            "filed_cell": Out(config.cell_bits),
            "dropped": Out(1),
            "dropped_vc": Out(config.vc_bits),
            "opened": Out(1),
            "opened_voq": Out(voq_number_bits(config)),
            "opened_cells": Out(config.frame_cells_bits),
            "opened_cell": Out(config.cell_bits),
            "sent": Out(1),
            "sent_vc": Out(config.vc_bits),
            "sent_length": Out(config.length_bits),
            "cells": Out(config.count_bits),
            "vc_cells": Out(config.count_bits).array(vcs),
            "credits_used": Out(CREDIT_BITS).array(vcs),
            "shown": Out(vcs),
            "startable": Out(vcs),
            "sending": Out(vcs),
            "claim": Out(1),
            "hold": Out(1),
            "paused": Out(vcs),
            "no_credit": Out(vcs),
            "stopped": Out(vcs),
        })


class TableRead(wiring.Signature):
    """The entry of a table that register ``INDEX`` names, the same for all ports.

    Members
    -------
    ingress, egress, latency, voq, stalls
        The table of that number is named.
    entry
        Number of the entry.
    """

    def __init__(self):
        super().__init__({
            "ingress": Out(1),
            "egress": Out(1),
            "latency": Out(1),
            "voq": Out(1),
            "stalls": Out(1),
            "entry": Out(16),
        })


TABLE_BITS = 48
"""Width of an entry."""
