# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from fractions import Fraction
from itertools import product
from statistics import NormalDist

import numpy as np
import pytest

from gavel_model.loader import load_config
from gavel_tb.credit_loop import CreditLoopJob, credit_config, rate_on_model
from gavel_tb.theory.collectives import least_cycles
from gavel_tb.theory.credit_rate import least_credit_rate, most_credit_rate
from gavel_tb.theory.expected import expected
from gavel_tb.theory.head_of_line import LIMIT, fifo_throughput
from gavel_tb.theory.slotted import admissible, output_queue_wait, random_match
from gavel_tb.theory.student import interval, student_t
from gavel_tb.workload.collectives import Collective

PUBLISHED = (1.0, 0.7500, 0.6825, 0.6552, 0.6399, 0.6302, 0.6234, 0.6184)
"""Karol, Hluchyj and Morgan 1987, table I; the last digit of some is rounded up there."""


@pytest.mark.parametrize(("ports", "published"), list(enumerate(PUBLISHED, 1)))
def test_one_fifo_per_input_is_the_published_throughput(ports, published):
    exact = fifo_throughput(ports)
    assert isinstance(exact, Fraction)
    assert float(exact) == pytest.approx(published, abs=6e-5)


def test_one_fifo_per_input_beyond_the_fractions():
    assert float(fifo_throughput(2)) == 0.75 and fifo_throughput(4) == Fraction(325, 496)
    values = [float(fifo_throughput(ports)) for ports in range(1, 12)]
    assert values == sorted(values, reverse=True) and values[-1] > LIMIT
    assert values[8] == pytest.approx(values[7] ** 2 / values[6], abs=2e-3)
    for ports in (0, 17):
        with pytest.raises(ValueError, match=f"ports = {ports}"):
            fifo_throughput(ports)


def test_output_queues_by_simulation():
    ports, load, slots = 4, 0.7, 40_000
    rng = np.random.default_rng(1)
    arrived = rng.binomial(ports, load / ports, (slots, 64))
    queue, waits, count = np.zeros(64), 0.0, 0
    for now in arrived:
        # Of n that come to a queue of q, the k-th waits for q + k - 1 slots.
        waits += float((queue * now + now * (now - 1) / 2).sum())
        count += int(now.sum())
        queue = np.maximum(0, queue + now - 1)
    assert waits / count == pytest.approx(output_queue_wait(ports, load), rel=0.02)
    assert output_queue_wait(16, 0.5) == 15 / 16 / 2
    with pytest.raises(ValueError, match=r"load = 1\.0"):
        output_queue_wait(4, 1.0)


def test_one_random_iteration_by_enumeration():
    # Three outputs grant each one of three inputs: how many inputs have a grant.
    matched = [len(set(grants)) for grants in product(range(3), repeat=3)]
    assert random_match(3) == pytest.approx(sum(matched) / len(matched) / 3)
    assert random_match(10**9) == pytest.approx(0.632, abs=1e-3)


def test_what_lines_can_carry():
    assert admissible("incast", 8, 0.9, 0.5) == 1 / 8
    assert admissible("incast", 8, 0.1, 0.5) == 0.1
    assert admissible("uniform", 8, 0.9, 0.5) == 0.9
    # Half of 4 x 0.8 to one output, which takes 1; the others get 0.1 each of 4 inputs.
    assert admissible("hotspot", 4, 0.8, 0.5) == pytest.approx((1 + 3 * 4 * 0.1) / 4)
    assert admissible("hotspot", 4, 0.2, 0.5) == pytest.approx(0.2)


def test_student_t_is_that_of_the_tables():
    for freedom, t in ((1, 12.706), (2, 4.303), (3, 3.182), (9, 2.262), (30, 2.042)):
        assert student_t(0.95, freedom) == pytest.approx(t, abs=6e-4)
    assert student_t(0.99, 4) == pytest.approx(4.604, abs=6e-4)
    assert student_t(0.95, 10_001) == pytest.approx(NormalDist().inv_cdf(0.975), abs=1e-3)


def test_an_interval_holds_the_mean_as_often_as_it_says():
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(2000):
        mean, spread = interval(list(rng.normal(3.0, 2.0, 4)))
        assert spread is not None
        held += abs(mean - 3.0) <= spread
    assert held / 2000 == pytest.approx(0.95, abs=0.015)
    assert interval([5.0]) == (5.0, None)


@pytest.mark.parametrize(("delay", "longest", "limit"), [(5, 64, 16), (20, 64, 42), (20, 1024, 84)])
def test_credits_give_a_rate_between_the_bounds(delay, longest, limit):
    job = CreditLoopJob(frame_bytes=64, delay=delay, credits=limit)
    config = credit_config(512, 64, delay, longest)
    rate = rate_on_model(config, job)
    low = least_credit_rate(config, 64, job.loop, limit)
    high = most_credit_rate(config, 64, job.loop, limit)
    assert 0.2 < low <= rate <= high <= 1.0


def test_collectives_take_their_factor():
    assert least_cycles(Collective.ALL_REDUCE, 8, 8192, 8) == 1024 * 2 * 7 / 8
    assert least_cycles(Collective.ALL_TO_ALL, 4, 4096, 64) == 64 * 3 / 4


def test_which_formula_fits():
    traffic = {"load": 0.8, "pattern": "uniform", "arrivals": "bernoulli", "hot": 0.5}
    voq = load_config("rack", ["vcs=1"])
    fifo = load_config("rack", ["vcs=1", "queueing=fifo"])
    found = expected(voq, **traffic, size=64)
    assert found["accepted"].value == 0.8
    assert found["wait_mean"].value == output_queue_wait(16, 0.8)
    # Four words a slot.
    assert expected(voq, **traffic, size=256)["wait_mean"].value == 4 * output_queue_wait(16, 0.8)
    assert "wait_mean" not in expected(voq, **traffic, size="imix")
    assert "wait_mean" not in expected(voq, **{**traffic, "load": 1.0}, size=64)
    assert expected(fifo, **traffic, size=64)["accepted"].value == fifo_throughput(16)
    assert expected(fifo, **{**traffic, "load": 0.3}, size=64) == {}
    assert expected(fifo, **{**traffic, "pattern": "tornado"}, size=64) == {}
