# SPDX-License-Identifier: Apache-2.0
"""Pins of single cycles, as the plain model has them, collected to blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gavel_fast.pin_block import InputBlock, OutputBlock, PinBlock
from gavel_model.config import SwitchConfig
from gavel_model.pins import Inputs, RxPins, TxPins
from gavel_tb.packing import PinPacker, pack_register
from gavel_tb.pin_record import OFFSETS, record_bytes, record_type


class _PinRows:
    """Pins of one direction, row after row."""

    def __init__(self, config: SwitchConfig) -> None:
        self._pack = PinPacker(config, (tuple(OFFSETS.values()), record_bytes(config))).pack
        self._record = record_type(config)
        self._ports = config.ports
        self._rows: list[bytes] = []

    def add(self, pins: Sequence[RxPins] | Sequence[TxPins]) -> None:
        self._rows.append(self._pack(pins))

    def take(self) -> PinBlock:
        records: Any = np.frombuffer(b"".join(self._rows), self._record).reshape(-1, self._ports)
        self._rows = []
        return PinBlock(*[np.ascontiguousarray(records[name])
                          for name in ("flags", "seq", "ctl", "data")])


class InputRecorder:
    """Takes the inputs of cycle after cycle, and gives what it has as one block.

    Parameters
    ----------
    config
        The switch.
    """

    def __init__(self, config: SwitchConfig) -> None:
        self._rx = _PinRows(config)
        self._everyone = (1 << config.ports) - 1
        self._rest: list[tuple[int, int, int, int]] = []

    def add(self, inputs: Inputs) -> None:
        """Takes a cycle."""
        rx, ready, register, reset, ctl_ready = inputs
        self._rx.add(rx)
        self._rest.append((ready, ctl_ready & self._everyone,
                           pack_register(register) if register.we or register.re else 0, reset))

    def take(self) -> InputBlock:
        """All cycles since the last call."""
        rest = np.array(self._rest, np.uint64).reshape(-1, 4)
        self._rest = []
        ready, ctl_ready, register, reset = (np.ascontiguousarray(column) for column in rest.T)
        return InputBlock(self._rx.take(), ready, ctl_ready, register, reset.astype(np.uint8))


class OutputRecorder:
    """The same of outputs."""

    def __init__(self, config: SwitchConfig) -> None:
        self._tx = _PinRows(config)
        self._rdata: list[int] = []

    def add(self, tx: Sequence[TxPins], rdata: int) -> None:
        """Takes a cycle."""
        self._tx.add(tx)
        self._rdata.append(rdata)

    def take(self) -> OutputBlock:
        """All cycles since the last call."""
        rdata, self._rdata = self._rdata, []
        return OutputBlock(self._tx.take(), np.array(rdata, np.uint32))
