# SPDX-License-Identifier: Apache-2.0
"""Which counters of flow control must have moved, and by how much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gavel_model.register_map import DROPS, Counter
from gavel_tb.behaviour.judgement import SOME, Counts

C = Counter

ERRORS = (
    *DROPS, C.RX_STRAY_WORDS, C.RX_LLR, C.RX_LOSSLESS_DROP, C.CBFC_RX_CF_ERROR,
    C.CBFC_RX_CC_ERROR, C.CBFC_RX_RECOVERED, C.PFC_WATCHDOG, C.LLR_TX_REPLAY, C.LLR_TX_FLUSH,
    C.LLR_RX_ACK_NACK_SEQ_ERROR,
)
"""What a scenario must say if it is not 0."""

SENT = (C.CBFC_TX_CF_UPDATE, C.CBFC_TX_CC_UPDATE, C.PFC_TX)
RECEIVED = (C.CBFC_RX_CF_UPDATE, C.CBFC_RX_CC_UPDATE, C.PFC_RX, C.LLR_RX_CTL_UNKNOWN)


def judge(
    port: int, expected: Counts, seen: Mapping[Counter, int], counted: Sequence[int]
) -> list[str]:
    """What is wrong with the counters of a port.

    Parameters
    ----------
    expected
        Those of `ERRORS` that are not 0, and others to be looked at.
    seen
        What was on the pins.
    """
    found = []
    for counter in sorted({*ERRORS, *expected}):
        value, wanted = counted[counter], expected.get(counter, 0)
        if value != wanted and not (wanted == SOME and value):
            text = "at least 1" if wanted == SOME else wanted
            found.append(f"port {port}: {counter.name} is {value}, must be {text}")
    # One may be between counter and pins when the run ends.
    for counters, early in ((SENT, 1), (RECEIVED, -1)):
        for counter in counters:
            if counter not in expected and \
                    counted[counter] - seen[counter] not in (0, early):
                found.append(f"port {port}: {counter.name} is {counted[counter]}, by the pins it "
                             f"must be {seen[counter]}")
    return found
