# SPDX-License-Identifier: Apache-2.0
"""The registers of a port's self-test that software writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gavel_model.config import MIN_FRAME_BYTES, SwitchConfig
from gavel_model.register_map import WORD_BITS, config_values
from gavel_model.selftest_format import LINE_RATE
from gavel_model.selftest_map import (
    PORT_OF,
    WRITABLE,
    SelfTestInject,
    SelfTestLength,
    SelfTestRegister,
)

_R = SelfTestRegister


@dataclass
class SelfTestSettings:
    """Registers of a port as visible in the cycle, named as in the specification.

    ``inject_every`` and ``inject_how`` are the fields of ``INJECT``.
    """

    mode: int = 0
    order: int = 0
    destinations: int = 0
    classes: int = 0
    shortest: int = MIN_FRAME_BYTES
    longest: int = MIN_FRAME_BYTES
    load: int = LINE_RATE
    payload: int = 0
    seed: int = 0
    count: int = 0
    inject_every: int = 0
    inject_how: int = 0


def settings_of(values: Mapping[SelfTestRegister, int]) -> SelfTestSettings:
    """What the values of the registers mean."""
    length, inject = values[_R.LENGTH], values[_R.INJECT]
    return SelfTestSettings(
        mode=values[_R.MODE],
        order=values[_R.ORDER],
        destinations=values[_R.DESTINATIONS] | values.get(_R.DESTINATIONS_HI, 0) << WORD_BITS,
        classes=values[_R.CLASSES],
        shortest=length & (1 << SelfTestLength.LONGEST) - 1,
        longest=length >> SelfTestLength.LONGEST,
        load=values[_R.LOAD],
        payload=values[_R.PAYLOAD],
        seed=values[_R.SEED],
        count=values[_R.COUNT],
        inject_every=inject & (1 << SelfTestInject.HOW) - 1,
        inject_how=inject >> SelfTestInject.HOW,
    )


class SelfTestRegisters:
    """Those of one port.

    Attributes
    ----------
    values
        Of each register that this switch has, as visible in the cycle.

    Parameters
    ----------
    config
        The switch.
    """

    def __init__(self, config: SwitchConfig) -> None:
        self._known = config_values(config)
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self.values = {name: PORT_OF[name].reset(self._known) for name in WRITABLE
                       if PORT_OF[name].is_there(self._known)}

    def write(self, register: SelfTestRegister, value: int) -> None:
        """Stores what the register makes of a value."""
        self.values[register] = PORT_OF[register].stored(value, self._known)

    @property
    def settings(self) -> SelfTestSettings:
        """What they mean."""
        return settings_of(self.values)
