# SPDX-License-Identifier: Apache-2.0
"""The counts of why VCs do not send: RTL against the model."""

from __future__ import annotations

from typing import Any

import pytest

from gavel_model.loader import load_config
from gavel_rtl import stall_counts
from gavel_rtl.stall_account import StallAccount
from gavel_tb import stall_account
from gavel_tb.stimulus import CheckError

SHAPES = (("ports=3", "data_width=512", "vcs=3"), ("ports=5", "data_width=128", "vcs=1"),
          ("data_width=256", "vcs=8"))


@pytest.mark.parametrize("shape", SHAPES)
def test_states_of_every_cycle(shape: tuple[str, ...], seed: int) -> None:
    stall_account.check(load_config("tiny", shape), seed)


def test_a_state_that_goes_before_another_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    right = StallAccount._why_blocked

    def wrong(account: Any, v: int, not_up: Any) -> Any:
        return right(account, v, not_up & ~account.seen.hold)

    monkeypatch.setattr(StallAccount, "_why_blocked", wrong)
    with pytest.raises(CheckError, match="entry"):
        stall_account.check(load_config("tiny"), 1)


def test_a_cause_that_is_not_told_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    right = StallAccount._is_blocked

    def wrong(account: Any, v: int, not_up: Any) -> Any:
        return right(account, v, not_up) & ~account.seen.no_credit[v]

    monkeypatch.setattr(StallAccount, "_is_blocked", wrong)
    with pytest.raises(CheckError, match="blocked"):
        stall_account.check(load_config("tiny"), 1)


def test_low_bits_that_turn_between_two_looks_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stall_counts, "_LOW_BITS", 5)
    monkeypatch.setattr(stall_counts, "_TOP", 4)
    with pytest.raises(CheckError, match="entry"):
        stall_account.check(load_config("tiny"), 1)
