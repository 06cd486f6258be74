# SPDX-License-Identifier: Apache-2.0
"""The registers of a port's self-test that software writes."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import MIN_FRAME_BYTES, SwitchConfig
from gavel_model.selftest_format import LINE_RATE
from gavel_model.selftest_map import INJECT_HOW_SHIFT, LONGEST_SHIFT, SelfTestRegister
from gavel_rtl.selftest_interfaces import (
    COUNT_BITS,
    INJECT_BITS,
    LOAD_BITS,
    SelfTestSettings,
)

WRITABLE = tuple(register for register in SelfTestRegister if register < SelfTestRegister.BUSY)
"""Registers that stand here, in the order of `SelfTestPortSettings.select`."""

_LENGTH_FIELD = 14
_WORD = 32


class SelfTestPortSettings(wiring.Component):
    """Settings of one port (docs/selftest.md, Registers).

    Parameters
    ----------
    config
        P, V, the header profile, `max_frame_bytes`.

    Members
    -------
    select
        One-hot, as in `WRITABLE`: the register addressed.
    we, wdata
        Write to it.
    settings
        As visible in the cycle.
    value
        The register addressed; 0 if none is.

    Cycle behaviour
    ---------------
    A write is visible in the next cycle; ``value`` is combinational.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "select": In(len(WRITABLE)),
            "we": In(1),
            "wdata": In(_WORD),
            "settings": Out(SelfTestSettings(config)),
            "value": Out(_WORD),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        settings, wdata, register = self.settings, self.wdata, SelfTestRegister
        # Members of the interface have no reset values of their own.
        stored = {name: Signal(len(member), name=name,
                               init={"shortest": MIN_FRAME_BYTES, "longest": MIN_FRAME_BYTES,
                                     "load": LINE_RATE}.get(name, 0))
                  for name in settings.signature.members
                  for member in (getattr(settings, name),)}
        m.d.comb += [getattr(settings, name).eq(value) for name, value in stored.items()]
        low = stored["destinations"][:_WORD]
        high = stored["destinations"][_WORD:]
        full = wdata[:LOAD_BITS]
        fields: dict[SelfTestRegister, list[tuple[int, Value, Value]]] = {
            register.MODE: [(0, stored["mode"], wdata)],
            register.ORDER: [(0, stored["order"], wdata)],
            register.DESTINATIONS: [(0, low, wdata)],
            register.CLASSES: [(0, stored["classes"], wdata)],
            register.LENGTH: [(0, stored["shortest"], self._limited(wdata[:_LENGTH_FIELD])),
                              (LONGEST_SHIFT, stored["longest"], self._limited(
                                  wdata[LONGEST_SHIFT:LONGEST_SHIFT + _LENGTH_FIELD]))],
            register.LOAD: [(0, stored["load"], Mux(full >= LINE_RATE, LINE_RATE, full))],
            register.PAYLOAD: [(0, stored["payload"], wdata)],
            register.SEED: [(0, stored["seed"], wdata)],
            register.COUNT: [(0, stored["count"], wdata)],
            register.INJECT: [(0, stored["inject_every"], wdata),
                              (INJECT_HOW_SHIFT, stored["inject_how"],
                               wdata[INJECT_HOW_SHIFT:])],
        }
        if len(high):
            fields[register.DESTINATIONS_HI] = [(0, high, wdata)]
        assert INJECT_BITS == INJECT_HOW_SHIFT and COUNT_BITS == _WORD
        total: Value = Const(0, _WORD)
        for number, name in enumerate(WRITABLE):
            for at, value, written in fields.get(name, ()):
                with m.If(self.we & self.select[number]):
                    m.d.sync += value.eq(written)
                total = total | Mux(self.select[number], Cat(Const(0, at), value), 0)
        m.d.comb += self.value.eq(total)
        return m

    def _limited(self, length: Value) -> Value:
        longest = self._config.max_frame_bytes
        return Mux(length < MIN_FRAME_BYTES, MIN_FRAME_BYTES,
                   Mux(length > longest, longest, length))
