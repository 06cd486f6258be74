# SPDX-License-Identifier: Apache-2.0
"""A stimulus that drives ahead makes the same blocks as one that is stepped beside the plain model,
and ends in the same cycle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gavel_model.config import SwitchConfig
from gavel_tb.block_producer import BLOCK_CYCLES, PlainProducer, Producer
from gavel_tb.block_switch import block_arrays
from gavel_tb.fast_compare import FastResult, compare_blocks
from gavel_tb.jobs import Session, finish_session, open_session
from gavel_tb.open_producer import OpenProducer, producer_for
from gavel_tb.plain_switch import PlainSwitch
from gavel_tb.read_out import with_read_out
from gavel_tb.stimulus import CheckError

BAD: dict[str, Any] = {"bit_errors": 1e-5, "word_errors": 2e-3, "word_drops": 1e-3,
                       "set_drops": 0.02}


def ahead(config: SwitchConfig, session: Session, **options: Any) -> OpenProducer:
    return OpenProducer(config, session, PlainSwitch(config), **options)


def made(
    config: SwitchConfig, producer: Callable[..., Producer], kind: str, parameters: Any
) -> tuple[Any, list[np.ndarray[Any, Any]]]:
    """What is known at the end of a run, and all pins in all cycles."""
    session = with_read_out(config, open_session(config, kind, parameters))
    running = producer(config, session)
    chunks = list(running.chunks())
    assert running.check is None
    assert not running.timed_out
    assert all(chunk.cycles <= BLOCK_CYCLES for chunk in chunks)
    result = FastResult(cycles=running.cycles, counters=running.counters())
    figures = finish_session(session, result, seed=None, repeat=None)
    assert result.report is None
    assert figures["frames"] > 0
    return (result.cycles, result.counters, figures), [
        np.concatenate(arrays) for arrays in zip(*(
            [*block_arrays(chunk.inputs), *block_arrays(chunk.outputs)] for chunk in chunks),
            strict=True)]


@pytest.mark.parametrize(("name", "kind", "parameters"), [
    ("odd3", "traffic", {"cycles": 2500, "registers": True, "resets": 2, "faults": 0.2,
                         "backpressure": "bursts"}),
    ("odd3", "traffic", {"cycles": 3, "pattern": "incast", "size": "max"}),
    ("odd3", "traffic", {"cycles": BLOCK_CYCLES, "load": 0.1}),
    ("odd3", "llr", {"cycles": 1500, "delay": 20, "stalls": True, **BAD}),
    ("odd3", "llr", {"cycles": 2500, "delay": 7, "down_rate": 2e-3, "down_cycles": 20.0, **BAD}),
    ("odd3", "llr", {"cycles": 1500, "delay": 300, "size": "min", "word_drops": 2e-3}),
    ("odd5", "llr", {"cycles": 1000, "delay": 20, "credits": True, "total_credits": True,
                     "stuck_ports": "0,3", "stuck_cycles": 300, "size": "min", **BAD}),
    ("tiny", "llr", {"frames": 60, "delay": 1, "credits": True, "slow_ports": "0", "size": "min",
                     "slow_rate": 0.3, "stalls": True, "down_rate": 1e-3, "down_cycles": 15.0}),
    ("tiny", "llr", {"cycles": 1200, "delay": 7, "pfc": True, "slow_ports": "all",
                     "slow_rate": 0.5}),
    ("tiny", "llr", {"cycles": 1200, "delay": 20, "credits": True, "requests": True, "size": "min",
                     "slow_ports": "all", "slow_rate": 0.3, "profile": "mixed"}),
], ids=str)
def test_the_same_blocks(switch, seed: int, name: str, kind: str, parameters: Any) -> None:
    config = switch(name)
    plain, driven = (made(config, producer, kind, {"seed": seed, **parameters})
                     for producer in (PlainProducer, ahead))
    assert plain[0] == driven[0]
    assert all(np.array_equal(*pair) for pair in zip(plain[1], driven[1], strict=True))


def _no_routes(session: Session) -> None:
    session.observers[0].known.routes.clear()  # type: ignore[attr-defined]  # of this job


def _small_window(session: Session) -> None:
    rules = session.stimulus.around.checkers[0].sender  # type: ignore[attr-defined]  # it has links
    rules._limits = replace(rules._limits, window_frames=2)


@pytest.mark.parametrize(("kind", "spoil"), [("traffic", _no_routes), ("llr", _small_window)])
def test_the_end_at_a_check_and_at_the_limit(switch, kind: str, spoil: Any) -> None:
    config = switch("odd3")
    ends = []
    for producer in (PlainProducer, ahead):
        cut = producer(config, open_session(config, kind, {"cycles": 700}), max_cycles=501)
        assert sum(chunk.cycles for chunk in cut.chunks()) == 501
        assert cut.timed_out
        session = open_session(config, kind, {"cycles": 700})
        spoil(session)
        failed = producer(config, session)
        assert sum(chunk.cycles for chunk in failed.chunks()) == failed.cycles
        assert isinstance(failed.check, CheckError)
        assert not failed.timed_out
        ends.append((failed.cycles, str(failed.check)))
    assert ends[0] == ends[1]


class Misleading(PlainSwitch):
    """The plain model with one bit wrong in one cycle."""

    def __init__(self, config: SwitchConfig, cycle: int) -> None:
        super().__init__(config)
        self._left = cycle

    def run(self, inputs: Any, outputs: Any) -> None:
        super().run(inputs, outputs)
        if 0 <= self._left < len(outputs.rdata):
            outputs.tx.data[self._left, 1, 0] ^= np.uint64(1 << 63)
        self._left -= len(outputs.rdata)


@pytest.mark.parametrize("kind", ["traffic", "llr"])
@pytest.mark.parametrize("cycle", [0, 20, BLOCK_CYCLES - 1, BLOCK_CYCLES, BLOCK_CYCLES + 3])
def test_one_wrong_bit_is_named_at_the_edges_of_blocks(
    switch, seed: int, kind: str, cycle: int
) -> None:
    config = switch("odd3")
    session = open_session(config, kind, {"seed": seed, "cycles": BLOCK_CYCLES + 50})
    result = compare_blocks(config, ahead(config, session), Misleading(config, cycle))
    found = result.difference
    assert found is not None
    assert (found.cycle, found.port, found.signal) == (cycle, 1, "p1_tx_data")
    assert found.rtl ^ found.model == 1 << 63
    history = [line for line in str(result.report).splitlines() if line.startswith("  ")]
    assert len(history) == 5 + min(cycle, 24) - 1


def test_who_gets_the_compiled_model(switch) -> None:
    config = switch("odd3")
    for kind, options, wanted in (("traffic", {}, OpenProducer), ("llr", {}, OpenProducer),
                                  ("llr", {"delay": 0}, PlainProducer)):
        session = with_read_out(config, open_session(config, kind, {"size": "min", **options}))
        assert type(producer_for(config, session)) is wanted
