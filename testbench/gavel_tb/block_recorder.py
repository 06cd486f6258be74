# SPDX-License-Identifier: Apache-2.0
"""Pins of single cycles, as the plain model has them, collected to blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gavel_fast.pin_block import InputBlock, OutputBlock, PinBlock
from gavel_model.config import SwitchConfig
from gavel_model.pins import Inputs, TxPins
from gavel_tb.packing import PinPacker, pack_register
from gavel_tb.pin_record import OFFSETS, record_bytes, record_type


class BlockRecorder:
    """Takes cycle after cycle, and gives what it has as one block.

    Parameters
    ----------
    config
        The switch.
    """

    def __init__(self, config: SwitchConfig) -> None:
        form = tuple(OFFSETS.values()), record_bytes(config)
        self._pack_rx = PinPacker(config, form).pack
        self._pack_tx = PinPacker(config, form).pack
        self._everyone = (1 << config.ports) - 1
        self._record = record_type(config)
        self._ports = config.ports
        self._clear()

    def _clear(self) -> None:
        self._rx: list[bytes] = []
        self._tx: list[bytes] = []
        self._rest: list[tuple[int, int, int, int, int]] = []

    def __len__(self) -> int:
        return len(self._rest)

    def add(self, inputs: Inputs, tx: Sequence[TxPins], rdata: int) -> None:
        """Takes the pins of a cycle."""
        rx, ready, register, reset, ctl_ready = inputs
        self._rx.append(self._pack_rx(rx))
        self._tx.append(self._pack_tx(tx))
        self._rest.append((ready, ctl_ready & self._everyone,
                           pack_register(register) if register.we or register.re else 0,
                           reset, rdata))

    def take(self) -> tuple[InputBlock, OutputBlock]:
        """All cycles since the last call."""
        rest = np.array(self._rest, np.uint64).reshape(-1, 5)
        ready, ctl_ready, register, reset, rdata = (
            np.ascontiguousarray(column) for column in rest.T)
        inputs = InputBlock(self._pins(self._rx), ready, ctl_ready, register,
                            reset.astype(np.uint8))
        outputs = OutputBlock(self._pins(self._tx), rdata.astype(np.uint32))
        self._clear()
        return inputs, outputs

    def _pins(self, rows: list[bytes]) -> PinBlock:
        records: Any = np.frombuffer(b"".join(rows), self._record).reshape(-1, self._ports)
        return PinBlock(*[np.ascontiguousarray(records[name])
                          for name in ("flags", "seq", "ctl", "data")])
