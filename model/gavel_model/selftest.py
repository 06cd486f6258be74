# SPDX-License-Identifier: Apache-2.0
"""The self-test of a switch (docs/selftest.md): all of it, and a switch with it."""

from __future__ import annotations

from collections.abc import Sequence

from gavel_model.config import MIN_FRAME_BYTES, SwitchConfig
from gavel_model.link_tx import IDLE_UP
from gavel_model.pins import IDLE, Inputs, RegisterPins, RxPins, TxPins
from gavel_model.port import Port
from gavel_model.selftest_checker import SelfTestChecker
from gavel_model.selftest_format import LINE_RATE, FrameFormat, Mode
from gavel_model.selftest_generator import SelfTestGenerator
from gavel_model.selftest_map import (
    GLOBAL_BASE,
    INJECT_HOW_SHIFT,
    LARGEST_COUNT,
    LONGEST_SHIFT,
    PORT_BASE,
    PORT_STRIDE,
    SELF_TEST_VALUE,
    WIDE,
    SelfTestControl,
    SelfTestGlobal,
    SelfTestRegister,
)
from gavel_model.selftest_results import SelfTestResults
from gavel_model.switch import Switch

_R = SelfTestRegister
_WORD = 32
_STAGES = 4
_LENGTH_MASK = 0x3FFF
_LOAD_MASK = 0x1FFFF
_MODE_MASK = 3
_HIGH = tuple(register + 1 for register in WIDE)
_SIMPLE = {_R.MODE: ("mode", _MODE_MASK), _R.ORDER: ("order", 1), _R.PAYLOAD: ("payload", 3),
           _R.SEED: ("seed", LARGEST_COUNT), _R.COUNT: ("count", LARGEST_COUNT)}


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
        self._config = config
        self._classes = FrameFormat(config).classes
        self.generator = SelfTestGenerator(config, number)
        self.checker = SelfTestChecker(config, number)
        self.results = SelfTestResults()

    def reset(self) -> None:
        """Reset values."""
        self.generator.reset()
        self.checker.reset()
        self.results.reset()

    @property
    def mode(self) -> int:
        """``MODE`` as visible in the cycle."""
        return self.generator.settings.mode

    def read(self, offset: int, run: int) -> int:
        """Value of a register, both halves of a wide one."""
        settings = self.generator.settings
        if offset in _SIMPLE:
            return int(getattr(settings, _SIMPLE[_R(offset)][0]))
        values = {
            _R.DESTINATIONS: settings.destinations & LARGEST_COUNT,
            _R.DESTINATIONS_HI: settings.destinations >> _WORD,
            _R.CLASSES: settings.classes,
            _R.LENGTH: settings.shortest | settings.longest << LONGEST_SHIFT,
            _R.LOAD: settings.load,
            _R.INJECT: settings.inject_every | settings.inject_how << INJECT_HOW_SHIFT,
            _R.BUSY: int(self.generator.busy(run)),
            **self.results.values,
        }
        return values.get(_R(offset), 0) if offset in values else 0

    def write(self, offset: int, value: int) -> None:
        """Stores what the register makes of a value."""
        settings = self.generator.settings
        if offset in _SIMPLE:
            name, mask = _SIMPLE[_R(offset)]
            setattr(settings, name, value & mask)
        elif offset == _R.DESTINATIONS:
            low = value & (1 << min(_WORD, self._config.ports)) - 1
            settings.destinations = settings.destinations >> _WORD << _WORD | low
        elif offset == _R.DESTINATIONS_HI:
            high = value & (1 << max(0, self._config.ports - _WORD)) - 1
            settings.destinations = settings.destinations & LARGEST_COUNT | high << _WORD
        elif offset == _R.CLASSES:
            settings.classes = value & (1 << self._classes) - 1
        elif offset == _R.LENGTH:
            settings.shortest = self._limited(value)
            settings.longest = self._limited(value >> LONGEST_SHIFT)
        elif offset == _R.LOAD:
            settings.load = min(value & _LOAD_MASK, LINE_RATE)
        elif offset == _R.INJECT:
            settings.inject_every = value & (1 << INJECT_HOW_SHIFT) - 1
            settings.inject_how = value >> INJECT_HOW_SHIFT & 3

    def _limited(self, length: int) -> int:
        return min(max(length & _LENGTH_MASK, MIN_FRAME_BYTES), self._config.max_frame_bytes)

    def checked(self, given: RxPins, sent: TxPins) -> RxPins | TxPins | None:
        """What the checker gets."""
        if self.mode == Mode.OFF:
            return None
        return sent if self.mode == Mode.INTERNAL else given

    def received(self, given: RxPins) -> RxPins:
        """What the switch receives."""
        if self.mode == Mode.OFF:
            return given
        if self.mode == Mode.LINK:
            return RxPins(up=given.up)
        return self.generator.word or IDLE

    def shown(self, sent: TxPins) -> TxPins:
        """What the MAC is given."""
        if self.mode in (Mode.OFF, Mode.EXTERNAL):
            return sent
        word = self.generator.word if self.mode == Mode.LINK else None
        if word is None:
            return TxPins(up=sent.up)
        return IDLE_UP._replace(valid=1, sop=word.sop, eop=word.eop, empty=word.empty,
                                data=word.data, up=sent.up)

    def step(self, pins: RxPins | TxPins | None, run: int, clear: int, cycles: int,
             ready: int) -> None:
        """A cycle; ``pins`` is what the checker gets in it."""
        results, generator, checker = self.results, self.generator, self.checker
        before = checker.frame
        generator.step(run, clear, cycles & LARGEST_COUNT,
                       ready if self.mode == Mode.LINK else 1)
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

    @property
    def takes(self) -> int:
        """Mask of ports at which all that the switch transmits is taken."""
        return sum(1 << number for number, port in enumerate(self.ports)
                   if port.mode in (Mode.INTERNAL, Mode.LINK))

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
        clear = 0
        self.rdata = 0
        if before is not None:
            control = before.addr == GLOBAL_BASE + SelfTestGlobal.CONTROL
            clear = before.we & control & before.wdata >> SelfTestControl.CLEAR & 1
            self.rdata = self._read(before.addr) if before.re else 0
        for number, port in enumerate(self.ports):
            port.step(port.checked(rx[number], tx[number]), self._run, clear, self._cycles,
                      ready >> number & 1)
        if before is not None and before.we:
            self._write(before.addr, before.wdata)
        self._cycles += 1
        self._access = access if access.we or access.re else None

    def _read(self, address: int) -> int:
        number, offset = divmod(address - PORT_BASE, PORT_STRIDE)
        if 0 <= number < len(self.ports):
            if offset in _HIGH:
                return self._held
            if offset not in _R.__members__.values():
                return 0
            value = self.ports[number].read(offset, self._run)
            if offset not in WIDE:
                return value
            self._held = value >> _WORD
            return value & LARGEST_COUNT
        return self._read_global(address - GLOBAL_BASE)

    def _read_global(self, offset: int) -> int:
        if offset == SelfTestGlobal.SELF_TEST:
            return SELF_TEST_VALUE
        if offset == SelfTestGlobal.CONTROL:
            return self._run
        if offset == SelfTestGlobal.BUSY:
            return int(any(port.generator.busy(self._run) for port in self.ports))
        if offset == SelfTestGlobal.CYCLES:
            self._held = self._cycles >> _WORD
            return self._cycles & LARGEST_COUNT
        return self._held if offset == SelfTestGlobal.CYCLES + 1 else 0

    def _write(self, address: int, value: int) -> None:
        number, offset = divmod(address - PORT_BASE, PORT_STRIDE)
        if 0 <= number < len(self.ports):
            self.ports[number].write(offset, value)
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
    """

    __test__ = False
    """Not a test, whatever its name begins with."""

    def __init__(self, config: SwitchConfig) -> None:
        self.config = config
        self.switch = Switch(config)
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
