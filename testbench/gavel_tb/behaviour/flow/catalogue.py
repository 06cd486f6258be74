# SPDX-License-Identifier: Apache-2.0
"""Scenarios of flow control by name."""

from __future__ import annotations

from gavel_tb.behaviour.flow import (
    accounts,
    again,
    full,
    gate,
    headroom,
    losses,
    mapping,
    mismatch,
    order,
    pauses,
    rates,
    vectors,
)
from gavel_tb.behaviour.flow.scenario import FlowScenario

FLOW_SCENARIOS: dict[str, type[FlowScenario]] = {
    "CBFC-01-02-credits": accounts.CreditsOfSizes,
    "CBFC-01-02-wraps": accounts.Wraps,
    "CBFC-03-damaged": accounts.Damaged,
    "CBFC-04-slow-receiver": rates.SlowReceiver,
    "CBFC-05-priority": mapping.PriorityMapped,
    "CBFC-06-dscp-ipv4": mapping.Dscp4Mapped,
    "CBFC-07-dscp-ipv6": mapping.Dscp6Mapped,
    "CBFC-08-choked-vc": rates.ChokedVc,
    "CBFC-10-incast": rates.Incast,
    "CBFC-11-incast-with-best-effort": rates.IncastWithBestEffort,
    "CBFC-12-long-loop": rates.LongLoopCredits,
    "vectors-cf-update": vectors.CreditVectors,
    "vectors-cc-update": vectors.CountVectors,
    "vectors-pfc": vectors.PauseVectors,
    "usable-per-vc": gate.Usable,
    "usable-total": gate.UsableTotal,
    "limit-below-longest-frame": gate.OneShort,
    "credits-refused": gate.Refused,
    "bring-up-in-traffic": gate.BringUp,
    "blocked-vc": gate.BlockedVc,
    "blocked-total": gate.BlockedTotal,
    "cf-lost": losses.CreditsLost,
    "cf-repeated": losses.CreditsRepeated,
    "cf-damaged": losses.CreditsDamaged,
    "cf-damaged-far-unprotected": losses.CreditsDamagedFar,
    "cf-damaged-near-unprotected": losses.CreditsDamagedNear,
    "cc-lost": losses.CountsLost,
    "cc-lost-retried": losses.CountsRetried,
    "cc-in-replay": losses.CountsInReplay,
    "cc-repeated": losses.CountsRepeated,
    "peer-counts-less": mismatch.PeerCountsLess,
    "peer-counts-more": mismatch.PeerCountsMore,
    "link-fault": again.LinkFault,
    "peer-reset": again.PeerReset,
    "link-fault-managed": again.Management,
    "pfc-thresholds": pauses.Thresholds,
    "pfc-exact": pauses.PauseExact,
    "pfc-ends": pauses.PauseEnds,
    "pfc-watchdog": pauses.PauseHasEnd,
    "pfc-watchdog-counts": pauses.PauseIsCounted,
    "pfc-headroom": headroom.Headroom,
    "pfc-half-headroom": headroom.HalfHeadroom,
    "LLR-PFC-nack-in-pause": headroom.ReplayInPause,
    "LLR-PFC-timeout-in-pause": headroom.TimeoutInPause,
    "buffer-full": full.FullBuffer,
    "weights": order.Weights,
    "weights-of-inputs": order.WeightsOfInputs,
    "strict": order.Strict,
    "strict-comes-late": order.StrictComesLate,
    "nobody-starves": order.NobodyStarves,
    "nobody-starves-at-all": order.NobodyStarvesAtAll,
}
"""All of them."""

LONG_FLOW_SCENARIOS: dict[str, type[FlowScenario]] = {
    "CBFC-01-02-wrap-of-20-bits": accounts.LongWrap,
}
"""Further ones that take minutes."""
