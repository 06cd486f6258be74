# SPDX-License-Identifier: Apache-2.0
"""Ports of 64 bits at a core that is wider, each with its clock: everything arrives."""

from __future__ import annotations

import pytest

from gavel_model.config import SwitchConfig
from gavel_model.loader import load_config
from gavel_model.top_options import LEAST_CLOCK
from gavel_rtl.word_join import WordJoin
from gavel_tb import link_crossing, retry_crossing, wide_load
from gavel_tb.stimulus import CheckError

RATIOS = (0.9999, 1.5)
"""N periods of the port's clock, in periods of the core's."""

LONG_RATIOS = (0.99, 1.0, 1.0001, 1.37, 2.0, 4.0)
WIDTHS = (128, 256, 512)
long = pytest.mark.long


def config(width: int) -> SwitchConfig:
    return load_config("tiny", (f"data_width={width}", "max_frame_bytes=1522", "buffer_cells=64",
                                "replay_cells=256"))


@pytest.mark.parametrize(("width", "ratio"), [
    *((128, ratio) for ratio in RATIOS),
    *(pytest.param(width, ratio, marks=long) for width in WIDTHS for ratio in LONG_RATIOS)])
def test_everything_arrives_in_order(width: int, ratio: float, seed: int) -> None:
    slices = link_crossing.slices_of(config(width))
    link_crossing.check(config(width), seed, ratio / slices)


@pytest.mark.parametrize("domain", ["port", "sync"])
@pytest.mark.parametrize("width", [128, *(pytest.param(width, marks=long) for width in (256, 512))])
def test_one_side_is_reset_in_traffic(width: int, domain: str, seed: int) -> None:
    link_crossing.check_reset(config(width), seed, domain)


@pytest.mark.parametrize(("width", "sizes"), [
    (128, (65,)), (512, (64,)),
    *(pytest.param(width, sizes, marks=long) for width in WIDTHS
      for sizes in ((64,), (65,), (64, 65), (129,), (257,), (1521,), range(64, 130)))])
def test_full_load_with_a_set_in_each_gap(width: int, sizes: tuple[int, ...], seed: int) -> None:
    slowest = LEAST_CLOCK[width // 64] * 0.9998
    wide_load.check(config(width), seed, sizes, clock=slowest,
                    frames=100 if len(sizes) == 1 else 400)


class HastyJoin(WordJoin):
    """Sets do not wait for a word."""

    def __init__(self, config: SwitchConfig):
        super().__init__(config)
        self._patience = 0


def test_sets_that_take_a_place_each_are_too_many(seed: int,
                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wide_load, "WordJoin", HastyJoin)
    with pytest.raises(CheckError, match="were lost"):
        wide_load.check(config(128), seed, (65,), frames=50)


@long
@pytest.mark.parametrize(("width", "sizes"), [(128, (65,)), (256, (65,)), (512, (64, 65))])
def test_a_slower_core_is_too_slow(width: int, sizes: tuple[int, ...], seed: int) -> None:
    """So the rule of docs/width.md is no more than what is needed; and what is lost is marked."""
    slow = LEAST_CLOCK[width // 64] * 0.88
    with pytest.raises(CheckError, match="were lost"):
        wide_load.check(config(width), seed, sizes, clock=slow, frames=400)


@pytest.mark.parametrize(("width", "resets"), [
    (128, True), *(pytest.param(width, resets, marks=long) for width, resets in (
        (64, False), (64, True), (128, False), (256, True), (512, False), (512, True)))])
def test_link_level_retry_over_the_crossings(width: int, resets: bool, seed: int) -> None:
    """Between two switches; with resets of the port, which it repairs."""
    ratio = 0.9998 * LEAST_CLOCK[width // 64]
    retry_crossing.check(config(width), seed, ratio, resets=resets)
