# SPDX-License-Identifier: Apache-2.0
"""The sink finds what is wrong with frames that have come through the golden model."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest

from gavel_fast.pin_block import EOP, ERR, LLR, SOP, VALID, OutputBlock, PinBlock, output_block
from gavel_model.config import SwitchConfig
from gavel_model.loader import load_config
from gavel_tb.plain_switch import PlainSwitch
from gavel_tb.stimulus import CheckError
from gavel_tb.sweep.histogram import bin_of, largest_of, quantile
from gavel_tb.sweep.kernels import kernels
from gavel_tb.sweep.open_loop import OpenLoop, OpenLoopJob, jain, steady
from gavel_tb.sweep.sink import raise_fault, sink_state

CYCLES = 1024


@dataclass
class Recorded:
    config: SwitchConfig
    run: OpenLoop
    outputs: OutputBlock

    def judge(self, tx: PinBlock, latency: int = 10) -> np.ndarray:
        """What a new sink says of some pins; frames that have arrived, by source."""
        state = sink_state(self.config, self.run.source.fill_key)
        kernels().absorb(tx, state, latency, 0, self.run.job.span)
        raise_fault(state)
        return state.arrived

    def copy(self) -> PinBlock:
        return PinBlock(*(array.copy() for array in self.outputs.tx))


@pytest.fixture(scope="module")
def recorded() -> Recorded:
    config = load_config("rack", ["ports=3", "vcs=2", "data_width=256"])
    run = OpenLoop(config, OpenLoopJob(load=0.6, size=64, cycles=4000), PlainSwitch(config))
    run._block()
    outputs = output_block(config, CYCLES)
    for ours, theirs in zip(outputs.tx, run._outputs.tx, strict=True):
        ours[:] = theirs
    return Recorded(config, run, outputs)


def frames(tx: PinBlock, port: int, source: int, vc: int) -> list[int]:
    """Rows in which frames of a flow begin at an output."""
    place = tx.data[:, port, 2]
    begins = (tx.flags[:, port] & (VALID | SOP)) == VALID | SOP
    wanted = ((place >> np.uint64(16) & np.uint64(0xFF)) == source) & (
        (place >> np.uint64(32) & np.uint64(0xFF)) == vc)
    return np.flatnonzero(begins & wanted).tolist()


def swap(tx: PinBlock, port: int, one: int, two: int) -> None:
    """Exchanges two frames of two words."""
    for n in range(2):
        for array in (tx.flags, tx.data):
            kept = array[one + n, port].copy()
            array[one + n, port] = array[two + n, port]
            array[two + n, port] = kept


def test_what_the_switch_sends_is_right(recorded):
    arrived = recorded.judge(recorded.outputs.tx)
    assert arrived.sum() > 500
    assert (arrived <= recorded.run.source.sent).all()


def test_a_loss_is_counted_and_no_fault_by_itself(recorded):
    tx = recorded.copy()
    row = frames(tx, 1, 0, 0)[5]
    tx.flags[row : row + 2, 1] = 64
    before = recorded.judge(recorded.outputs.tx)
    assert (before - recorded.judge(tx)).tolist() == [1, 0, 0]


def test_a_loss_that_counters_do_not_explain_is_a_failure():
    config = load_config("tiny")

    class Losing(PlainSwitch):
        def run(self, inputs, outputs):
            super().run(inputs, outputs)
            ends = np.flatnonzero(outputs.tx.flags[:, 0] & SOP)
            if not self.lost and len(ends):
                self.lost = True
                outputs.tx.flags[ends[0] : ends[0] + 8, 0] = 64

    switch = Losing(config)
    switch.lost = False
    with pytest.raises(CheckError, match=r"1 of .* frames are missing, and 0 have found no room"):
        OpenLoop(config, OpenLoopJob(load=0.4, cycles=400), switch).run()


def test_a_second_copy_is_found(recorded):
    tx = recorded.copy()
    one, two = frames(tx, 1, 0, 0)[3:5]
    for array in (tx.flags, tx.data):
        array[two : two + 2, 1] = array[one : one + 2, 1]
    with pytest.raises(CheckError, match=f"output 1, cycle {two + 1}: a frame has come a second"):
        recorded.judge(tx)


def test_a_wrong_order_is_found(recorded):
    tx = recorded.copy()
    one, two = frames(tx, 2, 1, 1)[3:5]
    swap(tx, 2, one, two)
    with pytest.raises(CheckError, match="after one that was sent later: number 3 from input 1, "
                       "vc 1; the next was to be number 5"):
        recorded.judge(tx)


def test_frames_of_different_flows_may_overtake(recorded):
    tx = recorded.copy()
    both = sorted((row, vc) for vc in (0, 1) for row in frames(tx, 1, 0, vc))
    one, two = next((one, two) for (one, vc), (two, other) in pairwise(both) if vc != other)
    swap(tx, 1, one, two)
    recorded.judge(tx, latency=-CYCLES)


@pytest.mark.parametrize("bit", [0, 17, 63])
@pytest.mark.parametrize("lane", range(8))
def test_every_flipped_bit_is_found(recorded, lane, bit):
    tx = recorded.copy()
    row = frames(tx, 0, 2, 0)[4] + lane // 4
    tx.data[row, 0, lane % 4] ^= np.uint64(1 << bit)
    with pytest.raises(CheckError, match=r"output 0, cycle .*: a frame is not as it was sent"):
        recorded.judge(tx)


@pytest.mark.parametrize(("flag", "what"), [
    (ERR, "err or llr"), (LLR, "err or llr"), (SOP, "not a frame"), (EOP, "not a frame"),
])
def test_wrong_flags_are_found(recorded, flag, what):
    tx = recorded.copy()
    row = frames(tx, 0, 1, 0)[4]
    tx.flags[row, 0] ^= flag
    with pytest.raises(CheckError, match=what):
        recorded.judge(tx)


def test_a_frame_at_another_output_is_found(recorded):
    tx = recorded.copy()
    for array in (tx.flags, tx.data):
        array[:, 1] = recorded.outputs.tx.flags[:, 0] if array is tx.flags else (
            recorded.outputs.tx.data[:, 0])
    with pytest.raises(CheckError, match=r"output 1, .*: a frame has come to the wrong output"):
        recorded.judge(tx)


def test_a_frame_that_is_too_early_is_found(recorded):
    tx = PinBlock(*(array[1:] for array in recorded.copy()))
    with pytest.raises(CheckError, match="less than K cycles"):
        recorded.judge(tx)


def test_a_frame_that_nobody_sent_is_found(recorded):
    # Good frames of another run.
    recorded.run.source.fill_key[0] ^= np.uint64(1)
    try:
        with pytest.raises(CheckError, match="not as it was sent"):
            recorded.judge(recorded.outputs.tx)
    finally:
        recorded.run.source.fill_key[0] ^= np.uint64(1)


def test_bins_are_exact_then_close():
    place = bin_of.py_func
    for value in (*range(300), 1000, 12345, 10**6, 10**9):
        largest = largest_of(place(value))
        assert value <= largest <= value * (1 + 1 / 64)
        assert place(largest) == place(value) != place(largest + 1)
    counts = np.zeros(2560, np.int64)
    assert quantile(counts, 0.5) is None
    for value in range(1, 101):
        counts[place(value)] += 1
    assert (quantile(counts, 0.5), quantile(counts, 0.99)) == (50, 99)


def test_fairness_and_steadiness():
    assert jain(np.array([0.5, 0.5, 0.5])) == pytest.approx(1.0)
    assert jain(np.array([1.0, 0.0, 0.0, 0.0])) == pytest.approx(0.25)
    assert jain(np.zeros(3)) is None
    assert steady([1.0, 1.2, 0.9, 1.1] * 5)
    assert not steady([float(n) for n in range(20)])
    assert not steady([1.0])
