# SPDX-License-Identifier: Apache-2.0
"""Words of a core that is wider than XGMII: both blocks in lockstep with their models."""

from __future__ import annotations

import importlib

import pytest

from gavel_model import word_join as join_model
from gavel_model import word_split as split_model
from gavel_model.config import SwitchConfig
from gavel_model.loader import load_config
from gavel_model.pins import RxPins, TxPins
from gavel_model.top_options import XGMII_BITS
from gavel_tb import word_join, word_split
from gavel_tb.stimulus import CheckError

WIDTHS = (128, 256, 512)
LONGER = 8
"""How much longer the repeats are that are no part of each run."""


def config(width: int) -> SwitchConfig:
    return load_config("tiny", (f"data_width={width}",))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("block", ["word_join", "word_split"])
def test_block(block: str, width: int, seed: int) -> None:
    importlib.import_module(f"gavel_tb.{block}").check(config(width), seed, 600)


@pytest.mark.long
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("block", ["word_join", "word_split"])
def test_block_for_longer(block: str, width: int, seed: int) -> None:
    importlib.import_module(f"gavel_tb.{block}").check(config(width), seed + 1, LONGER * 600)


class PatientJoin(join_model.WordJoin):
    def __init__(self, config: SwitchConfig) -> None:
        super().__init__(config)
        self._patience += 1


class JoinThatForgetsErrors(join_model.WordJoin):
    def step(self, link: RxPins) -> None:
        super().step(link._replace(err=link.err and link.eop))


class SplitThatIgnoresErr(split_model.WordSplit):
    def _slices_of(self, word: TxPins) -> list[TxPins]:
        return [pins._replace(err=word.err) for pins in super()._slices_of(word._replace(err=0))]


class SplitThatTakesTwo(split_model.WordSplit):
    def ready(self, link: TxPins) -> tuple[bool, bool]:
        return True, True


@pytest.mark.parametrize(("bench", "fault", "what"), [
    (word_join, PatientJoin, "ctl_valid"), (word_join, JoinThatForgetsErrors, "err"),
    (word_split, SplitThatIgnoresErr, "(valid|eop|data|ready)"),
    (word_split, SplitThatTakesTwo, "ready")])
def test_a_model_of_another_mind_is_found(bench, fault, what, seed, monkeypatch):
    monkeypatch.setattr(bench, "Model", fault)
    with pytest.raises(CheckError, match=rf"cycle \d+: {what}"):
        bench.check(config(128), seed)


def test_what_stands_in_a_wide_word():
    model = join_model.WordJoin(config(256))
    slices = [RxPins(valid=1, sop=1, llr=1, seq=7, data=1), RxPins(valid=1, err=1, data=2),
              RxPins(valid=1, eop=1, empty=3, data=3)]
    for pins in slices:
        assert not model.pins.valid
        model.step(pins)
    word = model.pins
    assert word._replace(data=0) == RxPins(valid=1, sop=1, eop=1, err=1, empty=11, llr=1, seq=7)
    assert word.data == 3 << 2 * XGMII_BITS | 2 << XGMII_BITS | 1


@pytest.mark.parametrize("width", WIDTHS)
def test_a_set_goes_with_the_next_word_or_when_it_has_waited(width):
    slices = width // XGMII_BITS
    for gap in range(1, 4 * slices):
        model, shown = join_model.WordJoin(config(width)), []
        pins = [RxPins(ctl_valid=1, ctl=5), *[RxPins()] * (gap - 1),
                RxPins(valid=1, sop=1), *[RxPins(valid=1)] * (slices - 1), *[RxPins()] * 30]
        for cycle, link in enumerate(pins):
            if model.pins.ctl_valid:
                shown.append((cycle, model.pins.valid))
            model.step(link)
        together = gap + slices
        assert shown == [min((together, 1), (2 + 3 * slices - 3, int(together == 3 * slices - 1)))]


def test_a_set_pushes_out_the_one_before_it():
    model, shown = join_model.WordJoin(config(128)), []
    for link in (*(RxPins(ctl_valid=1, ctl=n) for n in (1, 2, 3)), *[RxPins()] * 9):
        shown += [model.pins.ctl] * model.pins.ctl_valid
        model.step(link)
    assert shown == [1, 2, 3]


def test_slices_follow_each_other_and_a_cut_frame_ends_at_once():
    model, shown = split_model.WordSplit(config(128)), []
    words = [TxPins(valid=1, sop=1, data=1 << XGMII_BITS), TxPins(valid=1, eop=1, empty=9, data=7),
             TxPins(ctl_valid=1, ctl=9), TxPins(valid=1, sop=1), TxPins(valid=1, eop=1, err=1)]
    while words or model.pins.valid or model.pins.ctl_valid:
        link = words[0] if words else TxPins()
        shown.append(model.pins)
        if words and model.ready(link)[link.ctl_valid]:
            words.pop(0)
        model.step(link, True, True)
    assert [(p.valid, p.ctl_valid, p.sop, p.eop, p.err, p.empty, p.data) for p in shown[1:]] == [
        (1, 0, 1, 0, 0, 0, 0), (1, 0, 0, 0, 0, 0, 1), (1, 0, 0, 1, 0, 1, 7), (0, 1, 0, 0, 0, 0, 9),
        (1, 0, 1, 0, 0, 0, 0), (1, 0, 0, 0, 0, 0, 0), (1, 0, 0, 1, 1, 0, 0)]
