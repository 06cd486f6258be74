# SPDX-License-Identifier: Apache-2.0
"""The same board as `gavel_tb.selftest_native`, of the golden model."""

from __future__ import annotations

from gavel_model.axi_lite import ALL_STROBES, AxiLite, AxiLiteAnswer, AxiLitePins, Response
from gavel_model.config import SwitchConfig
from gavel_model.pins import Inputs, RxPins, TxPins
from gavel_model.selftest import TestedSwitch
from gavel_model.selftest_map import SELF_TEST_MAP
from gavel_tb.errors import SimulationError

_MOST_CYCLES = 64


class ModelSelfTest:
    """Every port is looped back through a register; software reads and writes through AXI4-Lite.

    Parameters
    ----------
    config
        The switch.

    Attributes
    ----------
    cycles
        Cycles since the reset.
    shown
        What the ports showed in each cycle, if `record` was called.
    """

    def __init__(self, config: SwitchConfig) -> None:
        self._switch = TestedSwitch(config)
        self._axi_lite = AxiLite(config, (SELF_TEST_MAP,))
        self._everyone = (1 << config.ports) - 1
        self._looped = tuple(RxPins(*pins) for pins in self._switch.tx)
        self.cycles = 0
        self.shown: list[list[TxPins]] | None = None
        self.run(config.table_init_cycles)

    def record(self) -> None:
        """From now on ``shown`` grows."""
        self.shown = []

    def run(self, cycles: int) -> int:
        """Lets so many cycles go by; cycles since the reset."""
        for _ in range(cycles):
            self._cycle(AxiLitePins())
        return self.cycles

    @property
    def _answer(self) -> AxiLiteAnswer:
        return self._axi_lite.answer(self._switch.rdata)

    def _cycle(self, pins: AxiLitePins) -> None:
        switch, shown, rdata = self._switch, self._switch.tx, self._switch.rdata
        if self.shown is not None:
            self.shown.append(shown)
        switch.step(Inputs(self._looped, self._everyone, self._axi_lite.access(pins), 0,
                           self._everyone))
        self._axi_lite.step(pins, rdata)
        self._looped = tuple(RxPins(*sent) for sent in shown)
        self.cycles += 1

    def write(self, address: int, value: int) -> None:
        """Writes a register at a byte address.

        Raises
        ------
        SimulationError
            The answer is an error, or there is none.
        """
        address_taken = data_taken = False
        for _ in range(_MOST_CYCLES):
            answer = self._answer
            pins = AxiLitePins(awaddr=address, awvalid=int(not address_taken), wdata=value,
                               wstrb=ALL_STROBES, wvalid=int(not data_taken), bready=1)
            address_taken |= bool(answer.awready)
            data_taken |= bool(answer.wready)
            self._cycle(pins)
            if answer.bvalid:
                self._check(answer.bresp, address)
                return
        raise SimulationError(f"AXI4-Lite: no answer to a write of 0x{address:05X}")

    def read(self, address: int) -> int:
        """Reads the register at a byte address.

        Raises
        ------
        SimulationError
            The answer is an error, or there is none.
        """
        taken = False
        for _ in range(_MOST_CYCLES):
            answer = self._answer
            pins = AxiLitePins(araddr=address, arvalid=int(not taken), rready=1)
            taken |= bool(answer.arready)
            self._cycle(pins)
            if answer.rvalid:
                self._check(answer.rresp, address)
                return answer.rdata
        raise SimulationError(f"AXI4-Lite: no answer to a read of 0x{address:05X}")

    @staticmethod
    def _check(response: int, address: int) -> None:
        if response != Response.OKAY:
            raise SimulationError(f"AXI4-Lite: {Response(response).name} at 0x{address:05X}")
