# SPDX-License-Identifier: Apache-2.0
"""Reads every register at the end of a run, so that what no pin has shown is seen on one."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

from gavel_model.config import SwitchConfig
from gavel_model.pins import Inputs, RegisterPins, TxPins
from gavel_tb.jobs import Session
from gavel_tb.register_kinds import addresses
from gavel_tb.stimulus import OpenStimulus, Stimulus

ALIGN = 256
_SETTLE_CYCLES = 2
"""Cycles after the answer to the last access."""


def readable(config: SwitchConfig) -> list[int]:
    """Addresses of all registers of a switch."""
    return sorted(chain.from_iterable(addresses(config).values()))


class ReadOut:
    """Stimulus that goes on when another one is finished, with a register read in every cycle.

    The reading begins in a cycle that is a multiple of `ALIGN`, so that a stimulus that is driven
    ahead in blocks is looked at between two of them.

    Parameters
    ----------
    config
        The switch.
    stimulus
        Must make no register access once it is finished. It drives the other pins to the end.

    Attributes
    ----------
    cycles
        That this takes at most.
    """

    def __init__(self, config: SwitchConfig, stimulus: Stimulus) -> None:
        self._stimulus = stimulus
        self._reads = deque(RegisterPins(addr=address, re=1) for address in readable(config))
        self._reading = False
        self._settle = config.answer_cycles + _SETTLE_CYCLES
        self.cycles = ALIGN + len(self._reads) + self._settle

    @property
    def finished(self) -> bool:
        """The last register has been read."""
        return not self._settle

    @property
    def progress(self) -> float:
        """That of the stimulus, 0...1."""
        return float(getattr(self._stimulus, "progress", 0.0))

    def step(self, cycle: int, tx: Sequence[TxPins]) -> Inputs:
        """Inputs of a cycle."""
        self._look(cycle)
        return self._read(self._stimulus.step(cycle, tx))

    def _look(self, cycle: int) -> None:
        if not cycle % ALIGN and self._stimulus.finished:
            self._reading = True

    def _read(self, inputs: Inputs) -> Inputs:
        if not self._reading:
            return inputs
        if self._reads:
            return inputs._replace(register=self._reads.popleft())
        self._settle -= 1
        return inputs


class OpenReadOut(ReadOut):
    """The same behind an `OpenStimulus`; it is one itself."""

    def __init__(self, config: SwitchConfig, stimulus: OpenStimulus) -> None:
        super().__init__(config, stimulus)
        self._open = stimulus
        self.lead = stimulus.lead

    def active(self, cycle: int) -> bool:
        """See `OpenStimulus`."""
        return self._open.active(cycle)

    def drive(self, cycle: int) -> Inputs:
        """See `OpenStimulus`. What came out before a multiple of `ALIGN` must have been watched
        before that cycle is driven, unless the stimulus is `active` then."""
        self._look(cycle)
        return self._read(self._open.drive(cycle))

    def watch(self, cycle: int, tx: Sequence[TxPins]) -> None:
        """See `OpenStimulus`."""
        self._open.watch(cycle, tx)


def with_read_out(config: SwitchConfig, session: Session) -> Session:
    """A session that ends with reading all registers."""
    inner = session.stimulus
    stimulus = (OpenReadOut(config, inner) if isinstance(inner, OpenStimulus)
                else ReadOut(config, inner))
    return replace(session, stimulus=stimulus, max_cycles=session.max_cycles + stimulus.cycles)
