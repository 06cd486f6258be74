# SPDX-License-Identifier: Apache-2.0
"""The golden model in plain Python, driven in blocks of cycles."""

from __future__ import annotations

from typing import Self

import numpy as np
import numpy.typing as npt

from gavel_fast.pin_block import EMPTY_SHIFT, UP, InputBlock, OutputBlock
from gavel_model.config import SwitchConfig
from gavel_model.link_tx import IDLE_UP
from gavel_model.pins import IDLE, NO_ACCESS, Inputs, RegisterPins, RxPins
from gavel_model.register_map import COUNTERS
from gavel_model.switch import Switch


class PlainSwitch:
    """`gavel_model.switch.Switch` behind `gavel_tb.block_switch.ModelSwitch`.

    Attributes
    ----------
    config
        Its parameters.
    switch
        The model.
    """

    def __init__(self, config: SwitchConfig) -> None:
        self.config = config
        self.switch = Switch(config)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    @property
    def cycle(self) -> int:
        """Cycles stepped since construction."""
        return self.switch.cycle

    def reset(self) -> None:
        """See `BlockSwitch`."""
        self.switch.reset()

    def counters(self) -> npt.NDArray[np.uint32]:
        """See `ModelSwitch`."""
        return np.array([[port.counters[number] for number in range(COUNTERS)]
                         for port in self.switch.ports], np.uint32)

    def probe_values(self) -> list[int]:
        """As `Switch.probe_values`."""
        return self.switch.probe_values()

    def run(self, inputs: InputBlock, outputs: OutputBlock) -> None:
        """See `BlockSwitch`."""
        switch, size = self.switch, self.config.word_bytes
        rx, tx = inputs.rx, outputs.tx
        cycles, ports = rx.flags.shape
        flags, seq, ctl, rdata = [], [], [], []
        words, data = rx.data.astype("<u8").tobytes(), bytearray(cycles * ports * size)
        columns = (rx.flags, rx.seq, rx.ctl, inputs.ready, inputs.ctl_ready, inputs.register,
                   inputs.reset)
        at = 0
        for row in zip(*(column.tolist() for column in columns), strict=True):
            received = []
            for port, word in enumerate(row[0]):
                # The model knows idle pins by their identity, and passes quickly over them.
                received.append(IDLE if word == UP else RxPins(
                    word & 1, word >> 1 & 1, word >> 2 & 1, word >> 3 & 1, word >> EMPTY_SHIFT,
                    word >> 4 & 1, row[1][port], word >> 5 & 1, row[2][port], word >> 6 & 1,
                    int.from_bytes(words[at : at + size], "little")))
                pins = switch.tx[port]
                if pins is IDLE_UP:
                    flags.append(UP)
                    seq.append(0)
                    ctl.append(0)
                else:
                    flags.append(pins.valid | pins.sop << 1 | pins.eop << 2 | pins.err << 3
                                 | pins.llr << 4 | pins.ctl_valid << 5 | pins.up << 6
                                 | pins.empty << EMPTY_SHIFT)
                    seq.append(pins.seq)
                    ctl.append(pins.ctl)
                    data[at : at + size] = pins.data.to_bytes(size, "little")
                at += size
            rdata.append(switch.rdata)
            access = NO_ACCESS if not row[5] else RegisterPins(
                row[5] & 0xFFFF, row[5] >> 16 & 0xFFFFFFFF, row[5] >> 48 & 1, row[5] >> 49 & 1)
            switch.step(Inputs(tuple(received), row[3], access, row[6], row[4]))
        tx.flags[:cycles] = np.array(flags, np.uint16).reshape(cycles, ports)
        tx.seq[:cycles] = np.array(seq, np.uint32).reshape(cycles, ports)
        tx.ctl[:cycles] = np.array(ctl, np.uint64).reshape(cycles, ports)
        tx.data[:cycles] = np.frombuffer(data, "<u8").reshape(cycles, ports, -1)
        outputs.rdata[:cycles] = rdata
