# SPDX-License-Identifier: Apache-2.0
"""The self-test of a switch (docs/selftest.md): all of it, and a switch with it."""

from __future__ import annotations

from collections.abc import Sequence

from gavel_model.config import SwitchConfig
from gavel_model.pins import IDLE, Inputs, RegisterPins, RxPins, TxPins
from gavel_model.port import Port
from gavel_model.register_map import WORD_BITS
from gavel_model.register_stage import RegisterStage
from gavel_model.selftest_checker import SelfTestChecker
from gavel_model.selftest_generator import SelfTestGenerator
from gavel_model.selftest_map import (
    GLOBAL_BASE,
    HIGH_OF,
    PORT_BASE,
    PORT_STRIDE,
    RESULTS,
    SELF_TEST_VALUE,
    SelfTestControl,
    SelfTestGlobal,
    SelfTestMode,
    SelfTestRegister,
)
from gavel_model.selftest_results import SelfTestResults
from gavel_model.selftest_settings import SelfTestRegisters
from gavel_model.switch import Switch
from gavel_model.telemetry import WatchedSwitch

_STAGES = 4
_WORD_MASK = (1 << WORD_BITS) - 1
_OFFSETS = frozenset(SelfTestRegister)


class SelfTestPort:
    """Generator, checker and results of a port, and its page of registers.

    Parameters
    ----------
    config
        The switch.
    number
        Number of the port.
    """

    def __init__(self, config: SwitchConfig, number: int) -> None:
        self.registers = SelfTestRegisters(config)
        self.generator = SelfTestGenerator(config, number)
        self.checker = SelfTestChecker(config, number)
        self.results = SelfTestResults()

    def reset(self) -> None:
        """Reset values."""
        self.registers.reset()
        self.generator.reset()
        self.checker.reset()
        self.results.reset()

    @property
    def mode(self) -> int:
        """``MODE`` as visible in the cycle."""
        return self.generator.settings.mode

    def read(self, register: SelfTestRegister, run: int) -> int:
        """Value of a register, both halves of a wide one."""
        if register is SelfTestRegister.BUSY:
            return int(self.generator.busy(run))
        if register in RESULTS:
            return self.results.read(register)
        return self.registers.values.get(register, 0)

    def write(self, register: SelfTestRegister, value: int) -> None:
        """Stores what the register makes of a value; nothing if it is read only."""
        if register in self.registers.values:
            self.registers.write(register, value)
            self.generator.settings = self.registers.settings

    def checked(self, given: RxPins, sent: TxPins) -> RxPins | TxPins | None:
        """What the checker gets."""
        if self.mode == SelfTestMode.OFF:
            return None
        return sent if self.mode == SelfTestMode.INTERNAL else given

    def received(self, given: RxPins) -> RxPins:
        """What the switch receives."""
        if self.mode == SelfTestMode.OFF:
            return given
        if self.mode == SelfTestMode.LINK:
            return given._replace(valid=0, ctl_valid=0)
        return (self.generator.word or IDLE)._replace(ctl=given.ctl)

    def shown(self, sent: TxPins) -> TxPins:
        """What the MAC is given."""
        if self.mode in (SelfTestMode.OFF, SelfTestMode.EXTERNAL):
            return sent
        if self.mode == SelfTestMode.INTERNAL:
            return sent._replace(valid=0, ctl_valid=0)
        word = self.generator.word or IDLE
        return TxPins(valid=word.valid, sop=word.sop, eop=word.eop, empty=word.empty,
                      ctl=sent.ctl, up=sent.up, data=word.data)

    def step(self, pins: RxPins | TxPins | None, run: int, clear: int, cycles: int,
             ready: int) -> None:
        """A cycle; ``pins`` is what the checker gets in it."""
        results, generator, checker = self.results, self.generator, self.checker
        before = checker.frame
        generator.step(run, clear, cycles & _WORD_MASK,
                       ready if self.mode == SelfTestMode.LINK else 1)
        checker.step(pins, cycles - _STAGES, clear)
        results.step(generator.sent, checker.bytes, before, cycles)
        if clear:
            results.reset()


class SelfTest:
    """The self-test of all ports.

    Attributes
    ----------
    ports
        Those of each port.
    rdata
        What it adds to pin ``reg_rdata`` in the cycle.

    Parameters
    ----------
    config
        The switch.
    """

    def __init__(self, config: SwitchConfig) -> None:
        self.ports = [SelfTestPort(config, number) for number in range(config.ports)]
        self._stage = RegisterStage(config)
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        for port in self.ports:
            port.reset()
        self.rdata = 0
        self._run = 0
        self._cycles = 0
        self._held = 0
        self._access: RegisterPins | None = None
        self._stage.reset()

    @property
    def takes(self) -> int:
        """Mask of ports at which all that the switch transmits is taken."""
        return sum(1 << number for number, port in enumerate(self.ports)
                   if port.mode in (SelfTestMode.INTERNAL, SelfTestMode.LINK))

    def step(self, rx: Sequence[RxPins], tx: Sequence[TxPins], ready: int,
             access: RegisterPins) -> None:
        """A cycle.

        Parameters
        ----------
        rx
            What the MACs give.
        tx
            What the switch transmits.
        ready
            Bit i: MAC i takes the word that it is given.
        access
            Pins of the register port.
        """
        before = self._access
        clear = value = 0
        if before is not None:
            control = before.addr == GLOBAL_BASE + SelfTestGlobal.CONTROL
            clear = before.we & control & before.wdata >> SelfTestControl.CLEAR & 1
            value = self._read(before.addr) if before.re else 0
        self.rdata = self._stage.answer(value)
        for number, port in enumerate(self.ports):
            port.step(port.checked(rx[number], tx[number]), self._run, clear, self._cycles,
                      ready >> number & 1)
        if before is not None and before.we:
            self._write(before.addr, before.wdata)
        self._cycles += 1
        self._access = self._stage.take(access)

    def _read(self, address: int) -> int:
        number, offset = divmod(address - PORT_BASE, PORT_STRIDE)
        if 0 <= number < len(self.ports):
            if offset not in _OFFSETS:
                return 0
            register = SelfTestRegister(offset)
            if register in HIGH_OF.values():
                return self._held
            value = self.ports[number].read(register, self._run)
            if register not in HIGH_OF:
                return value
            self._held = value >> WORD_BITS
            return value & _WORD_MASK
        return self._read_global(address - GLOBAL_BASE)

    def _read_global(self, offset: int) -> int:
        if offset == SelfTestGlobal.SELF_TEST:
            return SELF_TEST_VALUE
        if offset == SelfTestGlobal.CONTROL:
            return self._run
        if offset == SelfTestGlobal.BUSY:
            return int(any(port.generator.busy(self._run) for port in self.ports))
        if offset == SelfTestGlobal.CYCLES:
            self._held = self._cycles >> WORD_BITS
            return self._cycles & _WORD_MASK
        return self._held if offset == SelfTestGlobal.CYCLES_HI else 0

    def _write(self, address: int, value: int) -> None:
        number, offset = divmod(address - PORT_BASE, PORT_STRIDE)
        if 0 <= number < len(self.ports):
            if offset in _OFFSETS:
                self.ports[number].write(SelfTestRegister(offset), value)
        elif address == GLOBAL_BASE + SelfTestGlobal.CONTROL:
            self._run = value >> SelfTestControl.RUN & 1


class TestedSwitch:
    """A switch and its self-test, with the pins of a switch; used as `Switch` is.

    Attributes
    ----------
    config, switch, self_test
        Parameters and parts.
    tx, rdata
        Outputs in the current cycle.

    Parameters
    ----------
    config
        The switch.
    telemetry
        It is watched.
    """

    __test__ = False
    """Not a test, whatever its name begins with."""

    def __init__(self, config: SwitchConfig, *, telemetry: bool = False) -> None:
        self.config = config
        self.switch = WatchedSwitch(config) if telemetry else Switch(config)
        self.self_test = SelfTest(config)
        self._show()

    @property
    def ports(self) -> list[Port]:
        """Those of the switch."""
        return self.switch.ports

    def _show(self) -> None:
        self.tx = [port.shown(sent) for port, sent in zip(self.self_test.ports, self.switch.tx,
                                                          strict=True)]
        self.rdata = self.switch.rdata | self.self_test.rdata

    def step(self, inputs: Inputs) -> None:
        """A cycle with these inputs."""
        rx, ready, register, reset, ctl_ready = inputs
        test, sent = self.self_test, self.switch.tx
        inner = tuple(port.received(given) for port, given in zip(test.ports, rx, strict=True))
        taken = test.takes
        self.switch.step(Inputs(inner, ready | taken, register, reset, ctl_ready | taken))
        if reset:
            test.reset()
        else:
            test.step(rx, sent, ready, register)
        self._show()
