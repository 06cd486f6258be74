# SPDX-License-Identifier: Apache-2.0
"""Which formula fits a point without link partners, and what it says."""

from __future__ import annotations

from typing import NamedTuple

from gavel_model.config import MIN_FRAME_BYTES, SwitchConfig
from gavel_tb.theory.head_of_line import LIMIT, MOST_PORTS, fifo_throughput
from gavel_tb.theory.slotted import admissible, output_queue_wait
from gavel_tb.traffic_options import frame_size


class Expected(NamedTuple):
    """What theory says of a figure: its value, the name of the formula, and whether measurements
    must agree with it; otherwise it is a bound that is only approached."""

    value: float
    formula: str
    equal: bool


def expected(
    config: SwitchConfig, *, load: float, pattern: str, arrivals: str, hot: float, size: str | int
) -> dict[str, Expected]:
    """Theory by the names of `gavel_tb.sweep.open_loop.measure_open_loop`; empty if none fits.

    Frames of one length that come in slots of that length make a slotted switch, whose slot is as
    many cycles as a frame has words.
    """
    found: dict[str, Expected] = {}
    length = MIN_FRAME_BYTES if size == "min" else frame_size(size)
    length = config.max_frame_bytes if length == "max" else length
    slotted = isinstance(length, int) and pattern == "uniform" and arrivals == "bernoulli"
    fifo = config.queueing == "fifo"
    if not fifo:
        found["accepted"] = Expected(
            admissible(pattern, config.ports, load, hot), "capacity of the lines", False)
    elif slotted:
        chain = config.ports <= MOST_PORTS
        most = float(fifo_throughput(config.ports)) if chain else LIMIT
        if load == 1.0 or load > most:
            found["accepted"] = Expected(
                most, "one FIFO per input" if chain else "one FIFO per input, limit of many ports",
                chain)
    if slotted and not fifo and load < 1.0:
        assert isinstance(length, int)
        words = -(-length // config.word_bytes)
        found["wait_mean"] = Expected(
            words * output_queue_wait(config.ports, load), "output queues", False)
    return found
