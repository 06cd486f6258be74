# SPDX-License-Identifier: Apache-2.0
"""The register port: address decoding, global registers, read multiplexer."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.register_map import (
    GLOBAL_OF,
    PORT_BASE,
    PORT_OF,
    PORT_STRIDE,
    Global,
    config_values,
)
from gavel_rtl.block import connect, place
from gavel_rtl.catch_up import BYPASS_BITS
from gavel_rtl.counters import CounterSelect
from gavel_rtl.flow_interfaces import FlowSelect
from gavel_rtl.interfaces import PortSettings, RegisterPort, TableWrite
from gavel_rtl.lib.delay import delayed
from gavel_rtl.port_access import decode, hold
from gavel_rtl.port_registers import (
    LIMITED,
    LLR_STATUS_BITS,
    ONCE,
    PortRegisters,
    limited_widths,
)
from gavel_rtl.register_fields import REGISTER_BITS, RegisterFields, limited
from gavel_rtl.table_registers import TableRegisters

_OFFSET_BITS = PORT_STRIDE.bit_length() - 1
_TABLES = (Global.ROUTE_INDEX, Global.ROUTE_DATA, Global.FDB_INDEX, Global.FDB_ADDR_HI,
           Global.FDB_ADDR_LO, Global.FDB_DATA)


class Registers(wiring.Component):
    """All registers behind one port (docs/spec.md, Registers).

    Parameters
    ----------
    config
        P and all reset values.

    Members
    -------
    bus
        The register port.
    settings
        For each port its settings.
    bypass_limit
        Register ``BYPASS_LIMIT``.
    table
        Writes to the lookup tables of every port.
    counter_select
        For each port the counter addressed, which is the same for all; 0 if none is. With
        ``register_stages``: the counter read, 0 if none of this port is.
    counter
        For each port the counter that was selected in the cycle before.
    llr_status
        For each port the value of its LLR_STATUS.
    flow_select
        For each port the register of flow control addressed; which port's, as of a counter.
    flow_status
        For each port the value of the read-only one, 0 if none is; with ``register_stages`` of the
        one that was selected in the cycle before.

    Cycle behaviour
    ---------------
    The bus is sampled and its address decoded in c. In c+1 a write takes effect, visible in
    c+2, and the register addressed is read; ``bus.rdata`` shows it in c+2, and 0 without a read.
    What is read of each port, and of all else, is a register; they are brought together in c+2.

    With ``register_stages`` a port's decoded access and data pass a register of its own, near it,
    and so does what is read of it: a write takes effect in c+2, a read is carried out in c+2 and
    shown in c+4. What stands here is written and read in c+1 as before; its outputs and its answer
    pass as many registers.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        ports = config.ports
        super().__init__({
            "bus": In(RegisterPort()),
            "settings": Out(PortSettings(config)).array(ports),
            "bypass_limit": Out(BYPASS_BITS),
            "table": Out(TableWrite(config)),
            "counter_select": Out(CounterSelect()).array(ports),
            "counter": In(REGISTER_BITS).array(ports),
            "llr_status": In(LLR_STATUS_BITS).array(ports),
            "flow_select": Out(FlowSelect(config)).array(ports),
            "flow_status": In(REGISTER_BITS).array(ports),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        late = self._config.register_stages
        we = Signal()
        re = Signal()
        wdata = Signal(REGISTER_BITS)
        m.d.sync += [we.eq(self.bus.we), re.eq(self.bus.re), wdata.eq(self.bus.wdata)]
        global_selected = {register: self._decode(m, register) for register in Global}

        values = config_values(self._config)
        settings = RegisterFields(m, we, wdata, values)
        esun, bypass = (settings.add(GLOBAL_OF[register], global_selected[register])
                        for register in (Global.ESUN_ETHERTYPE, Global.BYPASS_LIMIT))
        m.d.comb += self.bypass_limit.eq(self._shown_later(m, bypass["frames"]))
        tables = self._tables(m, we, re, wdata, global_selected)
        for address, register in GLOBAL_OF.items():
            if not register.writable:
                constant = Const(register.reset(values), REGISTER_BITS)
                settings.show(global_selected[address],
                              tables.ready if address is Global.STATUS else constant)
        of_tables, others = (Signal(REGISTER_BITS, name=name)
                             for name in ("tables_read", "value_read"))
        m.d.sync += others.eq(Mux(re, settings.value(), 0))
        if late:
            # What tables answer is as late as the register before it.
            m.d.sync += of_tables.eq(tables.value | others)
            answer = delayed(m, of_tables, "answer", 1)
        else:
            m.d.sync += of_tables.eq(tables.value)
            answer = of_tables | others
        m.d.comb += self.bus.rdata.eq(
            self._ports(m, wdata, self._shown_later(m, esun["ethertype"])) | answer)
        return m

    def _shown_later(self, m: Module, kept: Value) -> Value:
        """A register that stands here, as the ports see it."""
        if not self._config.register_stages:
            return kept
        shown = Signal.like(kept, name_suffix="_shown")
        m.d.sync += shown.eq(kept)
        return shown

    def _decode(self, m: Module, register: Global) -> Signal:
        selected = Signal(name=f"{register.name.lower()}_selected")
        m.d.sync += selected.eq(self.bus.addr == register)
        return selected

    def _ports(self, m: Module, wdata: Signal, esun_ethertype: Value) -> Value:
        """Registers and counters of the ports; returns the value of the one that was read."""
        late, bus = self._config.register_stages, self.bus
        page, offset = bus.addr[_OFFSET_BITS:], bus.addr[:_OFFSET_BITS]
        once = Signal(len(ONCE), name="once")
        m.d.comb += once.eq(Cat(offset == register for register in ONCE))
        access = decode(m, self._config, offset, once)
        in_limits = self._limited(m) if late else None

        total: Value = Const(0, REGISTER_BITS)
        for number, settings in enumerate(self.settings):
            port = PortRegisters(self._config)
            name = f"port{number}"
            place(m, name, port)
            here = page == PORT_BASE // PORT_STRIDE + number
            reads, writes = Signal(name=f"{name}_reads"), Signal(name=f"{name}_writes")
            m.d.sync += [reads.eq(bus.re & here), writes.eq(bus.we & here)]
            if late:
                self._place_near(m, name, port, access, reads, writes, wdata)
                m.d.comb += port.early_limited.eq(in_limits)
            else:
                writes_once = Signal(len(ONCE), name=f"{name}_writes_once")
                m.d.sync += writes_once.eq(Mux(bus.we & here, once, 0))
                m.d.comb += [
                    port.reads.eq(reads),
                    port.writes.eq(writes),
                    port.writes_once.eq(writes_once),
                    port.wdata.eq(wdata),
                ]
            self._select(m, number, port, hold(m, self._config, access, name, reads=reads,
                                               writes=writes) if late else access)
            m.d.comb += [
                port.number.eq(number),
                port.llr_status.eq(self.llr_status[number]),
                port.flow_status.eq(self.flow_status[number]),
                port.counter.eq(self.counter[number]),
                settings.esun_ethertype.eq(esun_ethertype),
            ]
            connect(m, settings, port, [name for name in settings.signature.members
                                        if name != "esun_ethertype"])
            total = total | port.value
        return total

    def _place_near(self, m: Module, name: str, port: PortRegisters,
                    access: wiring.PureInterface, reads: Signal, writes: Signal,
                    wdata: Signal) -> None:
        """Registers that only this port has, so that they can stand near it."""
        writes_once = Mux(writes, access.select.once, 0)
        m.d.comb += [port.early_writes_once.eq(writes_once), port.early_wdata.eq(wdata)]
        for target, value in ((port.reads, reads), (port.writes, writes)):
            m.d.comb += target.eq(delayed(m, value, f"{name}_{target.name}", 1))
        data = Signal(REGISTER_BITS, name=f"{name}_wdata")
        # Not the same register in every port, or synthesis would make one of them.
        with m.If(writes):
            m.d.sync += data.eq(wdata)
        m.d.comb += port.wdata.eq(data)

    def _select(self, m: Module, number: int, port: PortRegisters,
                access: wiring.PureInterface) -> None:
        """What is addressed, to those who have it."""
        connect(m, port.select, access.select)
        connect(m, self.counter_select[number], access.counter)
        connect(m, self.flow_select[number], access.flow)

    def _limited(self, m: Module) -> Signal:
        """What the fields of `LIMITED` store of the write data, which ports have in common."""
        values, widths = config_values(self._config), limited_widths(self._config)
        data = Signal(sum(widths), name="limited")
        m.d.sync += data.eq(Cat(
            Value.cast(limited(PORT_OF[offset], field, self.bus.wdata, values))[:width]
            for (offset, field), width in zip(LIMITED, widths, strict=True)))
        return data

    def _tables(self, m: Module, we: Signal, re: Signal, wdata: Signal,
                selected: dict[Global, Signal]) -> TableRegisters:
        """Registers of the lookup tables."""
        tables = TableRegisters(self._config)
        place(m, "tables", tables)
        m.d.comb += [getattr(tables, f"{register.name.lower()}_selected").eq(selected[register])
                     for register in _TABLES]
        m.d.comb += [tables.we.eq(we), tables.re.eq(re), tables.wdata.eq(wdata)]
        m.d.comb += [getattr(self.table, name).eq(getattr(tables.write, name))
                     for name in self.table.signature.members]
        return tables
