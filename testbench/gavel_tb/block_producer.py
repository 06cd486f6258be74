# SPDX-License-Identifier: Apache-2.0
"""Blocks of stimulus with the pins that the model expects, made ahead of the RTL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from gavel_fast.pin_block import InputBlock, OutputBlock, PinBlock
from gavel_model.config import SwitchConfig
from gavel_model.register_map import COUNTERS
from gavel_model.switch import Switch
from gavel_tb.block_recorder import InputRecorder, OutputRecorder
from gavel_tb.jobs import Session
from gavel_tb.stimulus import CheckError

BLOCK_CYCLES = 2048


class Chunk(NamedTuple):
    """Consecutive cycles, the first of which is ``first``: inputs and the outputs expected."""

    first: int
    inputs: InputBlock
    outputs: OutputBlock

    @property
    def cycles(self) -> int:
        """Rows."""
        return len(self.inputs.reset)

    def begin(self, rows: int) -> Chunk:
        """Its first rows."""
        if rows == self.cycles:
            return self
        rx, ready, ctl_ready, register, reset = self.inputs
        return Chunk(
            self.first,
            InputBlock(_rows(rx, 0, rows), ready[:rows], ctl_ready[:rows], register[:rows],
                       reset[:rows]),
            output_rows(self.outputs, 0, rows),
        )


def _rows(pins: PinBlock, begin: int, end: int) -> PinBlock:
    flags, seq, ctl, data = pins
    return PinBlock(flags[begin:end], seq[begin:end], ctl[begin:end], data[begin:end])


def output_rows(block: OutputBlock, begin: int, end: int) -> OutputBlock:
    """A view of the rows of a block from ``begin`` to before ``end``."""
    return OutputBlock(_rows(block.tx, begin, end), block.rdata[begin:end])


def join_inputs(blocks: Sequence[InputBlock]) -> InputBlock:
    """One block of the rows of all."""
    if len(blocks) == 1:
        return blocks[0]
    rx, *rest = zip(*blocks, strict=True)
    return InputBlock(PinBlock(*map(np.concatenate, zip(*rx, strict=True))),
                      *map(np.concatenate, rest))


class Producer(Protocol):
    """Runs stimulus, model and checks.

    Attributes
    ----------
    cycles
        Cycles produced.
    check
        The check that has failed, in cycle ``cycles`` - 1; None: none has.
    timed_out
        The limit came before the end of the stimulus.
    """

    cycles: int
    check: CheckError | None
    timed_out: bool

    def chunks(self) -> Iterator[Chunk]:
        """The chunks of the run, in order; it ends with the stimulus, at the limit, or behind the
        cycle in which a check failed."""
        ...

    @property
    def progress(self) -> float:
        """Share of the work done, 0...1."""
        ...

    def counters(self) -> list[list[int]]:
        """Counters of each port, as the model has them."""
        ...


class PlainProducer:
    """The producer with the golden model in plain Python: for any stimulus, also one that answers
    to what comes out of the switch.

    Parameters
    ----------
    config
        The switch.
    session
        Stimulus and checks.
    max_cycles
        Limit; None: that of the session.
    """

    def __init__(
        self, config: SwitchConfig, session: Session, *, max_cycles: int | None = None
    ) -> None:
        self._config = config
        self._session = session
        self._limit = session.max_cycles if max_cycles is None else max_cycles
        self._model = Switch(config)
        self.cycles = 0
        self.check: CheckError | None = None
        self.timed_out = False

    def chunks(self) -> Iterator[Chunk]:
        """See `Producer`."""
        driven, shown = InputRecorder(self._config), OutputRecorder(self._config)
        model, stimulus = self._model, self._session.stimulus
        observers = [observer.observe for observer in self._session.observers]
        drive, show = driven.add, shown.add
        step, watch = stimulus.step, self._session.watch
        first = cycle = 0
        while self.check is None and not stimulus.finished:
            if cycle >= self._limit:
                self.timed_out = True
                break
            tx = model.tx
            inputs = step(cycle, tx)
            drive(inputs)
            show(tx, model.rdata)
            try:
                for observe in observers:
                    observe(cycle, inputs, tx)
            except CheckError as error:
                self.check = error
            if watch is not None:
                watch(model)
            model.step(inputs)
            cycle += 1
            self.cycles = cycle
            if cycle - first == BLOCK_CYCLES:
                yield Chunk(first, driven.take(), shown.take())
                first = cycle
        if cycle > first:
            yield Chunk(first, driven.take(), shown.take())

    @property
    def progress(self) -> float:
        """See `Producer`."""
        share = self.cycles / max(1, self._limit)
        return float(getattr(self._session.stimulus, "progress", share))

    def counters(self) -> list[list[int]]:
        """See `Producer`."""
        return [[port.counters[number] for number in range(COUNTERS)]
                for port in self._model.ports]
