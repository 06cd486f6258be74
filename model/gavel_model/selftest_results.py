# SPDX-License-Identifier: Apache-2.0
"""What a port's self-test has counted (docs/selftest.md, Registers)."""

from __future__ import annotations

from gavel_model.register_map import WORD_BITS
from gavel_model.selftest_checker import CheckedFrame
from gavel_model.selftest_format import ERROR_BITS, TIME_BITS
from gavel_model.selftest_map import (
    RESULTS,
    SelfTestFinding,
    SelfTestFirstError,
    SelfTestRegister,
)

_R = SelfTestRegister
_WIDTHS = {_R.SENT: 48, _R.FRAMES: 48, _R.BYTES: 56, _R.LATENCY_SUM: 56}
_LARGEST_ERRORS = (1 << ERROR_BITS) - 1
_SATURATING = (_R.BAD_FCS, _R.HEADER_ERRORS, _R.PAYLOAD_ERRORS, _R.LOST,
               _R.OUT_OF_ORDER)


class SelfTestResults:
    """Counts, latency, first error.

    Attributes
    ----------
    values
        Value of each register, as visible in the cycle.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self.values: dict[SelfTestRegister, int] = dict.fromkeys(RESULTS, 0)
        self.values[_R.LATENCY_MIN] = (1 << TIME_BITS) - 1

    def step(self, sent: bool, count_bytes: int, frame: CheckedFrame, now: int) -> None:
        """A cycle in which this happens."""
        values = self.values
        amounts = {
            _R.SENT: sent, _R.FRAMES: frame.ended, _R.BYTES: count_bytes,
            _R.BAD_FCS: frame.bad, _R.HEADER_ERRORS: frame.header,
            _R.PAYLOAD_ERRORS: frame.payload, _R.LOST: frame.lost, _R.OUT_OF_ORDER: frame.late,
            _R.LATENCY_SUM: frame.latency or 0,
        }
        for register, amount in amounts.items():
            total = values[register] + amount
            if register in _WIDTHS:
                values[register] = total & (1 << _WIDTHS[register]) - 1
            elif register in _SATURATING:
                values[register] = min(total, _LARGEST_ERRORS)
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
                values[_R.FIRST_ERROR_CYCLE] = now & (1 << WORD_BITS) - 1
                break
