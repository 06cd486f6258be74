# SPDX-License-Identifier: Apache-2.0
"""What a port's self-test has counted (docs/selftest.md, Counts)."""

from __future__ import annotations

from gavel_model.register_map import WORD_BITS
from gavel_model.selftest_checker import CheckedFrame
from gavel_model.selftest_format import COUNT_BITS, COUNT_ROWS, TIME_BITS
from gavel_model.selftest_map import (
    COUNTS,
    HIGH_OF,
    SelfTestFinding,
    SelfTestFirstError,
    SelfTestRegister,
)

_R = SelfTestRegister
_WORD = (1 << WORD_BITS) - 1
_COUNT = (1 << COUNT_BITS) - 1
_ROWS = {register % COUNT_ROWS: register for register in COUNTS}


class SelfTestResults:
    """Counts, latency, first error.

    Attributes
    ----------
    values
        Value of each register but the counts, as visible in the cycle.
    """

    def __init__(self) -> None:
        self._kept = dict.fromkeys(COUNTS, 0)
        self.reset()

    def reset(self) -> None:
        """Reset values; also what clear does. A count is 0 only from its next turn on."""
        self.values: dict[SelfTestRegister, int] = {
            _R.LATENCY_MIN: (1 << TIME_BITS) - 1, _R.LATENCY_MAX: 0, _R.FIRST_ERROR: 0,
            _R.FIRST_ERROR_CYCLE: 0}
        self._to_come = dict.fromkeys(COUNTS, 0)
        self._turn = 0
        self._fresh = True

    def read(self, register: SelfTestRegister) -> int:
        """Value as visible in the cycle, both halves of a wide one."""
        if register not in COUNTS:
            return self.values[register]
        count = self._kept[register]
        return count if register in HIGH_OF else min(count, _WORD)

    def step(self, sent: bool, count_bytes: int, frame: CheckedFrame, now: int) -> None:
        """A cycle in which this happens."""
        values = self.values
        due = _ROWS.get(self._turn)
        if due is not None:
            before = 0 if self._fresh else self._kept[due]
            self._kept[due] = before + self._to_come[due] & _COUNT
            self._to_come[due] = 0
        for register, amount in (
            (_R.SENT, sent), (_R.FRAMES, frame.ended), (_R.BYTES, count_bytes),
            (_R.BAD_FCS, frame.bad), (_R.HEADER_ERRORS, frame.header),
            (_R.PAYLOAD_ERRORS, frame.payload), (_R.LOST, frame.lost),
            (_R.OUT_OF_ORDER, frame.late), (_R.LATENCY_SUM, frame.latency or 0),
        ):
            self._to_come[register] += amount
        self._turn = (self._turn + 1) % COUNT_ROWS
        self._fresh &= self._turn != 0
        if frame.latency is not None:
            values[_R.LATENCY_MIN] = min(values[_R.LATENCY_MIN], frame.latency)
            values[_R.LATENCY_MAX] = max(values[_R.LATENCY_MAX], frame.latency)
        if values[_R.FIRST_ERROR]:
            return
        kinds = SelfTestFinding
        for kind, found in ((kinds.BAD_FCS, frame.bad), (kinds.HEADER, frame.header),
                            (kinds.PAYLOAD, frame.payload), (kinds.LOST, frame.lost),
                            (kinds.OUT_OF_ORDER, frame.late)):
            if found:
                values[_R.FIRST_ERROR] = (
                    1 << SelfTestFirstError.VALID | kind << SelfTestFirstError.KIND
                    | frame.source << SelfTestFirstError.SOURCE | frame.sequence)
                values[_R.FIRST_ERROR_CYCLE] = now & _WORD
                break
