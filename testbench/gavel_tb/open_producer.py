# SPDX-License-Identifier: Apache-2.0
"""Blocks of a stimulus that drives ahead, expected pins by a model that takes whole blocks.

The model's blocks are as long as the stimulus can be driven ahead; chunks for the RTL have many.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np

from gavel_fast.pin_block import (
    CTL_VALID,
    EMPTY_SHIFT,
    EOP,
    ERR,
    LLR,
    SOP,
    UP,
    VALID,
    InputBlock,
    OutputBlock,
    PinBlock,
    output_block,
)
from gavel_model.config import SwitchConfig
from gavel_model.pins import TxPins
from gavel_tb.block_producer import (
    BLOCK_CYCLES,
    Chunk,
    PlainProducer,
    Producer,
    join_inputs,
    output_rows,
)
from gavel_tb.block_recorder import InputRecorder
from gavel_tb.block_switch import ModelSwitch
from gavel_tb.jobs import Session
from gavel_tb.read_out import ALIGN
from gavel_tb.stimulus import CheckError, OpenStimulus

_SILENT = TxPins()
_IDLE = TxPins(up=1)
_new_tuple = tuple.__new__  # half the time of TxPins(...)


@cache
def _head(flags: int) -> tuple[tuple[int, ...], int, int]:
    """The pins before ``seq``; ``ctl_valid``; ``up``."""
    first = tuple(int(bool(flags & bit)) for bit in (VALID, SOP, EOP, ERR))
    return ((*first, flags >> EMPTY_SHIFT, int(bool(flags & LLR))),
            int(bool(flags & CTL_VALID)), int(bool(flags & UP)))


def tx_rows(block: PinBlock) -> Iterator[list[TxPins]]:
    """Transmit pins of all ports, cycle by cycle. The list is reused."""
    moving = (block.flags & (VALID | CTL_VALID)).astype(bool)
    fresh = np.ones(block.flags.shape, bool)
    # Idle pins look like those of the cycle before, in most cycles.
    fresh[1:] = moving[1:] | moving[:-1] | (block.flags[1:] != block.flags[:-1])
    seq, ctl = block.seq.tolist(), block.ctl.tolist()
    data, size = block.data.tobytes(), block.data[0, 0].nbytes if block.data.size else 0
    row = [_SILENT] * block.flags.shape[1]
    start = 0
    read = int.from_bytes
    for flags, changed, seqs, ctls in zip(block.flags.tolist(), fresh.tolist(), seq, ctl,
                                          strict=True):
        for port, flag in enumerate(flags):
            if changed[port]:
                at = start + port * size
                if flag == UP:
                    row[port] = _IDLE
                    continue
                head, ctl_valid, up = _head(flag)
                row[port] = _new_tuple(TxPins, (
                    *head, seqs[port], ctl_valid, ctls[port], up,
                    read(data[at : at + size], "little")))
        start += size * len(flags)
        yield row


class OpenProducer:
    """See `gavel_tb.block_producer.Producer`.

    Parameters
    ----------
    config
        The switch.
    session
        Its stimulus is an `OpenStimulus` with a ``lead``. One that does not end with `ReadOut` may
        be driven past its end.
    model
        In its first cycle.
    max_cycles
        Limit; None: that of the session.
    """

    def __init__(
        self, config: SwitchConfig, session: Session, model: ModelSwitch, *,
        max_cycles: int | None = None,
    ) -> None:
        assert isinstance(session.stimulus, OpenStimulus)
        self._config = config
        self._stimulus: OpenStimulus = session.stimulus
        self._observers = [observer.observe for observer in session.observers]
        self._limit = session.max_cycles if max_cycles is None else max_cycles
        self._model = model
        self._recorder = InputRecorder(config)
        self.cycles = 0
        self.check: CheckError | None = None
        self.timed_out = False

    def chunks(self) -> Iterator[Chunk]:
        """See `Producer`."""
        while self._goes_on():
            yield self._chunk(self.cycles)
        self.timed_out = self.check is None and not self._stimulus.finished

    def _goes_on(self) -> bool:
        return (self.check is None and not self._stimulus.finished
                and self.cycles < self._limit)

    def _chunk(self, first: int) -> Chunk:
        """About as many cycles as the RTL takes at a call, from several blocks where the stimulus
        cannot be driven so far ahead."""
        inputs: list[InputBlock] = []
        outputs = output_block(self._config, BLOCK_CYCLES)
        end = first + BLOCK_CYCLES
        while self._goes_on() and self.cycles < end:
            inputs.append(self._block(self.cycles, end, outputs, self.cycles - first))
        taken = join_inputs(inputs)
        return Chunk(first, taken, output_rows(outputs, 0, len(taken.reset))).begin(
            self.cycles - first)

    def _block(self, first: int, end: int, room: OutputBlock, row: int) -> InputBlock:
        """Drives and watches the cycles from ``first`` to ``end`` at most; what comes out goes into
        ``room`` from ``row`` on."""
        stimulus = self._stimulus
        driven = []
        for cycle in range(first, self._reach(first, end)):
            if stimulus.finished:
                break
            driven.append(stimulus.drive(cycle))
            self._recorder.add(driven[-1])
        inputs = self._recorder.take()
        outputs = output_rows(room, row, row + len(driven))
        self._model.run(inputs, outputs)
        for cycle, (pins, tx) in enumerate(zip(driven, tx_rows(outputs.tx), strict=True), first):
            stimulus.watch(cycle, tx)
            self.cycles = cycle + 1
            try:
                for observe in self._observers:
                    observe(cycle, pins, tx)
            except CheckError as error:
                self.check = error
                break
        return inputs

    def _reach(self, first: int, end: int) -> int:
        """Where a block ends that begins with ``first``: a stimulus that may be finished is looked
        at at every multiple of `ALIGN`."""
        end = min(end, first + self._stimulus.lead, self._limit)
        return end if self._stimulus.active(end) else min(end, first + ALIGN - first % ALIGN)

    @property
    def progress(self) -> float:
        """See `Producer`."""
        return float(getattr(self._stimulus, "progress", self.cycles / max(1, self._limit)))

    def counters(self) -> list[list[int]]:
        """See `Producer`."""
        counters: list[list[int]] = self._model.counters().tolist()
        return counters


def producer_for(config: SwitchConfig, session: Session) -> Producer:
    """The fastest producer that a session allows: the compiled model, where the stimulus does not
    wait for what comes out, else the model in plain Python."""
    if not isinstance(session.stimulus, OpenStimulus) or not session.stimulus.lead:
        return PlainProducer(config, session)
    # Loading compiled code takes a moment.
    from gavel_fast.switch import FastSwitch

    return OpenProducer(config, session, FastSwitch(config))
