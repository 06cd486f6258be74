# SPDX-License-Identifier: Apache-2.0
"""The self-test of a switch: one for each port, and their registers."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.selftest_format import TIME_BITS
from gavel_model.selftest_map import (
    GLOBAL_BASE,
    HIGH_OF,
    PORT_BASE,
    PORT_STRIDE,
    SELF_TEST_VALUE,
    SelfTestControl,
    SelfTestGlobal,
    SelfTestRegister,
)
from gavel_rtl.block import connect, place
from gavel_rtl.interfaces import RegisterPort, RxLink, TxLink
from gavel_rtl.selftest_port import SelfTestPort
from gavel_rtl.selftest_results import ROW_BITS

_WORD = 32
_CYCLE_BITS = 64
_OFFSET_BITS = PORT_STRIDE.bit_length() - 1
_STAGES = 4
"""Cycles from a word's time stamp to its place in the checker, but for the way between."""


class SelfTest(wiring.Component):
    """Stands between the port adapters and the pins of the switch (docs/selftest.md).

    Parameters
    ----------
    config
        The switch.

    Members
    -------
    mac_rx, mac_tx
        For each port the side of the MAC.
    rx, tx
        For each port the pins of the switch.
    bus
        The register port, which the switch listens to as well; its ``rdata`` is 0 but for the
        registers that stand here.

    Cycle behaviour
    ---------------
    As docs/selftest.md; between MAC and switch combinational. The bus is sampled and decoded in c,
    carried out in c+1, and ``rdata`` shows what was read in c+2.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "mac_rx": In(RxLink(config)).array(config.ports),
            "mac_tx": Out(TxLink(config)).array(config.ports),
            "rx": Out(RxLink(config)).array(config.ports),
            "tx": In(TxLink(config)).array(config.ports),
            "bus": In(RegisterPort()),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bus, config = self.bus, self._config
        we, re, wdata = Signal(), Signal(), Signal(_WORD)
        page, offset = bus.addr[_OFFSET_BITS:], bus.addr[:_OFFSET_BITS]
        names = list(SelfTestRegister)
        select, row = Signal(len(names)), Signal(ROW_BITS)
        turn, fresh = Signal(ROW_BITS), Signal(init=1)
        cycles = Signal(_CYCLE_BITS)
        now_before = Signal(TIME_BITS, init=(1 << TIME_BITS) - _STAGES)
        run, clear = Signal(), Signal()
        busy = Signal(config.ports)
        m.d.sync += [
            we.eq(bus.we),
            re.eq(bus.re),
            wdata.eq(bus.wdata),
            select.eq(Cat(offset == name for name in names)),
            row.eq(offset[:ROW_BITS]),
            cycles.eq(cycles + 1),
            turn.eq(Mux(clear, 0, turn + 1)),
            fresh.eq(clear | (fresh & ~turn.all())),
            now_before.eq(now_before + 1),
        ]
        value: Value = Const(0, _WORD)
        high: Value = Const(0, _WORD)
        any_port: Value = Const(0, 1)
        for number in range(config.ports):
            port = place(m, f"port{number}", SelfTestPort(config))
            selected = Signal(name=f"port{number}_selected")
            any_port = any_port | selected
            m.d.sync += selected.eq(page == PORT_BASE // PORT_STRIDE + number)
            m.d.comb += [
                port.number.eq(number),
                port.run.eq(run),
                port.clear.eq(clear),
                port.now.eq(cycles[:_WORD]),
                port.now_before.eq(now_before),
                port.turn.eq(turn),
                port.fresh.eq(fresh),
                port.select.eq(select),
                port.row.eq(row),
                port.selected.eq(selected),
                port.we.eq(we),
                port.wdata.eq(wdata),
                busy[number].eq(port.busy),
            ]
            self._links(m, number, port)
            value, high = value | port.value, high | port.high
        chosen = self._globals(m, page == GLOBAL_BASE // PORT_STRIDE, offset)
        m.d.comb += clear.eq(we & chosen["CONTROL"] & wdata[SelfTestControl.CLEAR])
        with m.If(we & chosen["CONTROL"]):
            m.d.sync += run.eq(wdata[SelfTestControl.RUN])
        held, shows_held = Signal(_WORD), Signal()
        first, second = (Cat(select[names.index(name)] for name in half)
                         for half in (HIGH_OF, HIGH_OF.values()))
        m.d.comb += shows_held.eq((any_port & second.any()) | chosen["CYCLES_HI"])
        high = high | Mux(chosen["CYCLES"], cycles[_WORD:], 0)
        first_word = Signal()
        m.d.comb += first_word.eq((any_port & first.any()) | chosen["CYCLES"])
        with m.If(re & first_word):
            m.d.sync += held.eq(high)
        for condition, content in (
            (chosen["SELF_TEST"], Const(SELF_TEST_VALUE, _WORD)), (chosen["CONTROL"], run),
            (chosen["BUSY"], busy.any()), (chosen["CYCLES"], cycles[:_WORD]),
            (shows_held, held),
        ):
            value = value | Mux(condition, content, 0)
        m.d.sync += bus.rdata.eq(Mux(re, value, 0))
        return m

    def _globals(self, m: Module, page: Value, offset: Value) -> dict[str, Signal]:
        """The register of the global page addressed, by name."""
        chosen = {}
        for register in SelfTestGlobal:
            name = register.name
            chosen[name] = selected = Signal(name=f"{name.lower()}_selected")
            m.d.sync += selected.eq(page & (offset == register))
        return chosen

    def _links(self, m: Module, number: int, port: SelfTestPort) -> None:
        connect(m, port.mac_rx, self.mac_rx[number])
        connect(m, self.rx[number], port.rx)
        ready = ("ready", "ctl_ready")
        for target, source in ((self.mac_tx[number], port.mac_tx), (port.tx, self.tx[number])):
            connect(m, target, source, [name for name in source.signature.members
                                        if name not in ready])
            connect(m, source, target, ready)
