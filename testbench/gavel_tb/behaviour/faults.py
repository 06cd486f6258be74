# SPDX-License-Identifier: Apache-2.0
"""Faults of link-level retry planted in the RTL, and the scenarios that meet them."""

from __future__ import annotations

from dataclasses import dataclass

from gavel_tb.faults import Fault


@dataclass(frozen=True)
class ScenarioFault:
    """A fault and what must find it.

    Attributes
    ----------
    fault
        The wrong signal, and where lockstep must see it.
    scenario
        Name of a scenario that meets it.
    check
        Part of what the scenario says without the model.
    """

    fault: Fault
    scenario: str
    check: str


RETRY_FAULTS: tuple[ScenarioFault, ...] = (
    ScenarioFault(
        Fault("an ACK frees one frame too many", "gavel_retry_state", "acked",
              "(progress & ({0} != newest)) ? {0} + 1'd1 : {0}",
              ("llr_transmitter",), ("llr_tx",)),
        "LLR-04-lost-frame", 'rule "replay start" is broken',
    ),
    ScenarioFault(
        Fault("a NACK is never sent", "gavel_llr_receiver", "requests__nack", "1'd0",
              ("link_tx", "llr_receiver", "counters"), ("ctl", "llr_rx", "LLR_TX_NACK")),
        "LLR-02-skipped-frame", "not one NACK with 900",
    ),
    ScenarioFault(
        Fault("a replay begins one number late", "gavel_retry_state", "send",
              "({0} + (clear & is_replay & ~rst))", ("llr_transmitter",), ("llr_tx",)),
        "nack-repeated", 'rule "replay start" is broken',
    ),
    ScenarioFault(
        Fault("a duplicate is filed", "gavel_frame_writer", "finds_room",
              "{0} | (word__valid & word__eop & (verdict__reason == 5'h11))",
              ("ingress_buffer", "counters"), ("free_cells", "voq_frames", "RX_")),
        "duplicates", "has arrived a second time",
    ),
    ScenarioFault(
        Fault("the window is one frame too large", "gavel_replay_occupancy", "frames_fit",
              "{} | (frames == settings__window_frames)",
              ("ingress_buffer", "scheduler", "llr_transmitter"),
              ("voq_frames", "scheduler.", "llr_tx")),
        "window-frames", 'rule "window" is broken',
    ),
    ScenarioFault(
        Fault("ACKs come twice as often", "gavel_control_transmitter", "since_ack",
              "{} + 1'h1", ("link_tx", "llr_receiver", "counters"), ("ctl", "LLR_TX_ACK")),
        "LLR-01-line-rate", 'rule "spacing" is broken',
    ),
    ScenarioFault(
        Fault("a replay is never given up", "gavel_retry_state", "give_up", "{0} & ~is_replay",
              ("llr_transmitter", "counters"), ("llr_tx", "LLR_TX_FLUSH")),
        "given-up-in-replay-data-age", "frames have not arrived",
    ),
)
"""Acknowledgement, request, replay, acceptance, window, spacing, giving up."""
