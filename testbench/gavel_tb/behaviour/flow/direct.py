# SPDX-License-Identifier: Apache-2.0
"""Scenarios in which the script itself plays both peers: frames go in at one port and out at
another."""

from __future__ import annotations

from gavel_model.register_map import Port
from gavel_tb.behaviour.flow.scenario import FlowScenario
from gavel_tb.behaviour.steps import Script

OUTPUT, INPUT = 0, 1
"""Port at which credits are needed, and port that gives them."""

MATCH_TO_PINS = 6
"""Cycles from a match to the first word on the transmit pins (docs/spec.md, Latency)."""

_CC_SOON = 40


class Direct(FlowScenario):
    """No link-level retry, and no partners."""

    def counts(self, vc: int, wanted: int, what: str, port: int = OUTPUT) -> Script:
        """Waits for a CC_Update, which must say so much for a VC."""
        log = self.ends[port].log
        before = len(log.counts_out)
        self.write(port, Port.CBFC_CC_PERIOD, _CC_SOON)
        yield from self.until(lambda: len(log.counts_out) > before, "CC_Update")
        self.write(port, Port.CBFC_CC_PERIOD, 0)
        yield from self.written()
        consumed = log.counts_out[-1][1][vc]
        self.must(consumed == wanted, f"{what}: consumed are {consumed}, not {wanted}")
