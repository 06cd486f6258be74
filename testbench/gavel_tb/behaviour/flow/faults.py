# SPDX-License-Identifier: Apache-2.0
"""Faults of flow control planted in the RTL, and the scenarios that meet them."""

from __future__ import annotations

from gavel_tb.behaviour.faults import ScenarioFault
from gavel_tb.faults import Fault

_FLOW = ("flow_control",)

FLOW_FAULTS: tuple[ScenarioFault, ...] = (
    ScenarioFault(
        Fault("a frame costs a credit less", "gavel_credit_sender", "taken_0",
              "(|({0} >> 1) ? {0} - 2 : 0)", _FLOW, ("credit_tx",)),
        "CBFC-01-02-credits", "consumed are",
    ),
    ScenarioFault(
        Fault("a credit is enough that is not there", "gavel_credit_gate", "vc1_room",
              "{} + 2'sd1", ("llr_transmitter", "scheduler", "ingress_buffer"),
              ("llr_tx", "scheduler.", "voq_frames")),
        "limit-below-longest-frame", "not all of VC 0",
    ),
    ScenarioFault(
        Fault("a count that cannot be is believed", "gavel_credit_sender", "frees_0", "by_used_0",
              ("flow_control", "counters"), ("credit_tx", "CBFC_RX_CF_ERROR")),
        "credits-refused", "CBFC_RX_CF_ERROR is 2",
    ),
    ScenarioFault(
        Fault("a frame that is read frees nothing", "gavel_credit_receiver", "left_0", "{0} & 0",
              _FLOW, ("credit_rx",)),
        "CBFC-01-02-credits", "freed are",
    ),
    ScenarioFault(
        Fault("CC_Update is not taken", "gavel_credit_receiver", "received__0",
              "(cc_update ? received__0 : {})", _FLOW, ("credit_rx",)),
        "CBFC-03-damaged", "the switch gives nothing back",
    ),
    ScenarioFault(
        Fault("no new agreement after a link fault", "gavel_credit_sender", "resynchronise",
              "1'b0", _FLOW, ("credit_tx",)),
        "link-fault", "afterwards",
    ),
    ScenarioFault(
        Fault("a pause is a cycle longer", "gavel_pause_receiver", "end_5",
              "({} + came_5)", _FLOW, ("pause",)),
        "pfc-exact", "after the pause frames begin",
    ),
    ScenarioFault(
        Fault("a pause is not asked for again", "gavel_pause_sender", "repeats", "1'b0",
              ("link_tx", "counters"), ("tx_data", "tx_valid", "PFC_TX")),
        "pfc-thresholds", "XOFF comes in",
    ),
    ScenarioFault(
        Fault("the pause watchdog never bites", "gavel_pause_receiver", "bites_1", "1'b0",
              ("flow_control", "counters"), ("pause", "PFC_WATCHDOG")),
        "pfc-watchdog", "of the pause",
    ),
    ScenarioFault(
        Fault("a full VC takes frames", "gavel_vc_cells", "full", "{} & 4'd0",
              ("ingress_buffer", "counters"), ("free_cells", "voq_frames", "vc_cells", "RX_")),
        "pfc-half-headroom", "no frame is lost",
    ),
    ScenarioFault(
        Fault("a VC has no quota", "gavel_vc_turns", "quota[11:8]", "({} & 4'h0)",
              ("scheduler",), ("scheduler.quota",)),
        "weights", "the order is",
    ),
)
"""Costs, gate, refusal, freeing, repair, agreement, pauses, watchdog, limit, weights."""
