# SPDX-License-Identifier: Apache-2.0
"""A scenario of an ingress buffer that is full to its last cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from gavel_tb.behaviour.flow.direct import INPUT, OUTPUT, Direct
from gavel_tb.behaviour.judgement import C, Counts
from gavel_tb.behaviour.steps import Script


class FullBuffer(Direct):
    """No VC of the output is dequeued: frames of one cell fill the ingress buffer to its last cell,
    what comes then is dropped and counted, and all that was filed arrives when the VCs go on. Then
    there is room for as many again."""

    WIDTHS = (512,)
    TOO_MANY: ClassVar[int] = 3

    def _play(self) -> Script:
        yield from self.bring_up()
        config = self.config
        for _ in range(2):
            self.stop(OUTPUT, (1 << config.vcs) - 1)
            yield from self.written()
            left = len(self.ends[OUTPUT].log.frames_out)
            for vc in range(config.vcs):
                self.feed(INPUT, OUTPUT, config.buffer_cells // config.vcs, vc=vc)
            late = self.feed(INPUT, OUTPUT, self.TOO_MANY)
            yield from self.quiet()
            self.ledger.write_off(late)
            self.must(len(self.ends[OUTPUT].log.frames_out) == left, "a frame has left")
            self.stop(OUTPUT, 0)
            yield from self.until(lambda: not self.ledger.outstanding, "all that was filed")

    def _expected(self) -> Mapping[int, Counts]:
        return {INPUT: {C.RX_NO_BUFFER: 2 * self.TOO_MANY}}
