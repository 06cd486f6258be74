# SPDX-License-Identifier: Apache-2.0
"""Scenarios of the order of service: weights and strict priority, and that nobody starves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from gavel_model.register_map import Port, VcControl
from gavel_tb.behaviour.flow.direct import INPUT, OUTPUT, Direct
from gavel_tb.behaviour.steps import Script

_ALL = 0xF


class _Order(Direct):
    """Frames of all VCs wait at an output that is stopped, and then it is not."""

    WAITING: ClassVar[tuple[int, ...]]
    """Frames of each VC, at each of ``INPUTS``."""

    INPUTS: ClassVar[tuple[int, ...]] = (INPUT,)
    STRICT: ClassVar[int] = 0
    WEIGHTS: ClassVar[int] = 0x1111

    def _play(self) -> Script:
        yield from self.bring_up()
        self.write(OUTPUT, Port.VC_WEIGHTS, self.WEIGHTS)
        self.stop(OUTPUT, _ALL)
        yield from self.written()
        for port in self.INPUTS:
            for vc, frames in enumerate(self.WAITING):
                self.feed(port, OUTPUT, frames, vc=vc)
        yield from self.quiet()
        self.write(OUTPUT, Port.VC_CONTROL, self.STRICT << VcControl.STRICT)
        yield from self.until(lambda: not self.ledger.outstanding, "all has left")
        log = self.ends[OUTPUT].log.out
        words = sum(seen.words for seen in log)
        self.must(log[-1].last - log[0].first + 1 == words, "there were gaps")
        self._judge(self.ends[OUTPUT].log.vcs_out())

    def _judge(self, order: list[int]) -> None:
        """Looks at the VCs of the frames, in the order in which they left."""
        raise NotImplementedError


def rounds_are(order: list[int], weights: Mapping[int, int]) -> bool:
    """Whether a sequence is made of rounds that have each VC as often as its weight says."""
    length = sum(weights.values())
    wanted = sorted(vc for vc, weight in weights.items() for _ in range(weight))
    return len(order) % length == 0 and all(
        sorted(order[at:at + length]) == wanted for at in range(0, len(order), length))


class Weights(_Order):
    """Weights 1, 2 and 5: in each round there are just so many frames of the VCs; a weight of 0
    acts as 1."""

    WEIGHTS = 0x0521
    WAITING = (12, 24, 60, 12)

    def _judge(self, order: list[int]) -> None:
        self.must(rounds_are(order, {0: 1, 1: 2, 2: 5, 3: 1}), f"the order is {order}")


class WeightsOfInputs(Weights):
    """The same with the frames at three inputs: weights are those of an output's VCs, whatever
    input they come from."""

    INPUTS = (1, 2, 3)
    WAITING = (4, 8, 20, 4)


class Strict(_Order):
    """VC 3 and then VC 2 before all others, which share by their weights."""

    STRICT = 0b1100
    WEIGHTS = 0x0021
    WAITING = (20, 40, 15, 15)

    def _judge(self, order: list[int]) -> None:
        self.must(order[:30] == [3] * 15 + [2] * 15 and rounds_are(order[30:], {0: 1, 1: 2}),
                  f"the order is {order}")


class StrictComesLate(Direct):
    """A frame of a strict VC that comes in the middle of others goes out as soon as it can: the one
    that is under way, and what was matched, goes before."""

    def _play(self) -> Script:
        yield from self.bring_up()
        self.write(OUTPUT, Port.VC_CONTROL, 1 << 3 << VcControl.STRICT)
        yield from self.written()
        for port in (1, 2):
            self.feed(port, OUTPUT, 60, vc=port)
        yield from self.cycles(100)
        self.feed(3, OUTPUT, vc=3)
        yield from self.until(lambda: not self.ledger.outstanding, "all has left")
        late = next(seen for seen in self.ends[OUTPUT].log.frames_out
                    if seen.entry is not None and seen.entry.vc == 3)
        came = self.ends[3].log.back[-1].last
        words = 64 // self.word_bytes
        self.must(0 <= late.first - came - self.config.latency_cycles < words,
                  f"it leaves {late.first - came} cycles after it came")


class NobodyStarves(Direct):
    """Two inputs have frames of two VCs for one output, always: each of the four queues gets a
    quarter."""

    FRAMES: ClassVar[int] = 40
    INPUTS: ClassVar[tuple[int, ...]] = (1, 2)
    VCS: ClassVar[tuple[int, ...]] = (0, 1)

    def _play(self) -> Script:
        yield from self.bring_up()
        self.stop(OUTPUT, _ALL)
        yield from self.written()
        queues = [(port, vc) for port in self.INPUTS for vc in self.VCS]
        for port, vc in queues:
            self.feed(port, OUTPUT, self.FRAMES, vc=vc)
        yield from self.quiet()
        self.stop(OUTPUT, 0)
        yield from self.until(lambda: not self.ledger.outstanding, "all has left")
        left = [(seen.entry.source, seen.entry.vc) for seen in self.ends[OUTPUT].log.frames_out
                if seen.entry is not None]
        half = left[:len(left) // 2]
        counts = {queue: half.count(queue) for queue in queues}
        self.must(max(counts.values()) - min(counts.values()) <= len(queues),
                  f"of the first half by (input, VC): {counts}")


class NobodyStarvesAtAll(NobodyStarves):
    """The same with three inputs and all VCs."""

    INPUTS = (1, 2, 3)
    VCS = (0, 1, 2, 3)
    FRAMES = 20
