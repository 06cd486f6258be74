# SPDX-License-Identifier: Apache-2.0
"""The stream of records: RTL against the model, and the rules of AXI4-Stream."""

from __future__ import annotations

from typing import Any

import pytest

from gavel_model.loader import load_config
from gavel_rtl.record_sums import RecordSums
from gavel_rtl.telemetry_stream import TelemetryStream
from gavel_tb import record_sums, telemetry_stream
from gavel_tb.stimulus import CheckError
from gavel_tb.telemetry_stream import Pins, StreamRules

TINY = load_config("tiny")
LONG = pytest.mark.long


@pytest.mark.parametrize("shape", [
    ("ports=3", "data_width=512", "vcs=3"),
    pytest.param(("ports=5", "data_width=128", "vcs=1"), marks=LONG),
])
def test_records(shape: tuple[str, ...], seed: int) -> None:
    telemetry_stream.check(load_config("tiny", shape), seed)


@LONG
def test_records_of_many_ports(seed: int) -> None:
    config = load_config("tiny", ("ports=16",))
    telemetry_stream.check(config, seed, cycles=1500, wanted=("sent", "lost"))


def test_sums_stay_at_their_largest_value(seed: int) -> None:
    record_sums.check(TINY, seed)


def test_sums_that_come_round_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    right = RecordSums._sum

    def wrong(sums: Any, m: Any, name: str, amount: Any) -> Any:
        # Without the flag behind the sum.
        return right(sums, m, name, amount).operands[0]

    monkeypatch.setattr(RecordSums, "_sum", wrong)
    with pytest.raises(CheckError, match=r"cycle \d{4}"):
        record_sums.check(TINY, 1)


def test_an_interval_that_ends_as_the_period_is_written_is_found(
        monkeypatch: pytest.MonkeyPatch) -> None:
    right = TelemetryStream._is_last
    monkeypatch.setattr(TelemetryStream, "_is_last", lambda stream, m, due: (
        right(stream, m, due) | stream.period_written))
    with pytest.raises(CheckError, match=r"pins|lost"):
        telemetry_stream.check(TINY, 1)


@pytest.mark.parametrize(("second", "what"), [
    (Pins(), "not taken"), (Pins(1, 1, 6), "not taken"), (Pins(1, 0, 5, 1), "not taken"),
    (Pins(1, 0, 5), None),
])
def test_a_word_that_waits_must_not_change(second: Pins, what: str | None) -> None:
    rules = StreamRules(TINY)
    rules.step("first", Pins(1, 0, 5))
    if what is None:
        rules.step("second", second)
    else:
        with pytest.raises(CheckError, match=what):
            rules.step("second", second)


def test_a_record_has_its_length() -> None:
    rules = StreamRules(TINY)
    with pytest.raises(CheckError, match="word 3"):
        for word in range(5):
            rules.step("now", Pins(1, 1, word, int(word == 3)))
