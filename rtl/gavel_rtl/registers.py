# SPDX-License-Identifier: Apache-2.0
"""The register port: address decoding, global registers, read multiplexer."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import MAX_VCS, SwitchConfig
from gavel_model.register_map import (
    GLOBAL_OF,
    PORT_BASE,
    PORT_STRIDE,
    Global,
    Port,
    config_values,
)
from gavel_rtl.block import connect, place
from gavel_rtl.counters import CounterSelect
from gavel_rtl.flow_interfaces import VC_COUNTS, FlowSelect
from gavel_rtl.interfaces import PortSettings, RegisterPort, TableWrite
from gavel_rtl.port_registers import EACH, LLR_STATUS_BITS, ONCE, PortRegisters, PortSelect
from gavel_rtl.register_fields import REGISTER_BITS, RegisterFields
from gavel_rtl.scheduler_output import BYPASS_BITS
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
        The counter addressed, the same for all ports; 0 if none is.
    counter
        For each port the counter that was selected in the cycle before.
    llr_status
        For each port the value of its LLR_STATUS.
    flow_select
        The register of flow control addressed, the same for all ports.
    flow_status
        For each port the value of the read-only one, 0 if none is.

    Cycle behaviour
    ---------------
    The bus is sampled and its address decoded in c. In c+1 a write takes effect, visible in
    c+2, and the register addressed is read; ``bus.rdata`` shows it in c+2, and 0 without a read.
    What is read of each port, and of all else, is a register; they are brought together in c+2.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        ports = config.ports
        super().__init__({
            "bus": In(RegisterPort()),
            "settings": Out(PortSettings(config)).array(ports),
            "bypass_limit": Out(BYPASS_BITS),
            "table": Out(TableWrite(config)),
            "counter_select": Out(CounterSelect()),
            "counter": In(REGISTER_BITS).array(ports),
            "llr_status": In(LLR_STATUS_BITS).array(ports),
            "flow_select": Out(FlowSelect(config)),
            "flow_status": In(REGISTER_BITS).array(ports),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        we = Signal()
        re = Signal()
        wdata = Signal(REGISTER_BITS)
        m.d.sync += [we.eq(self.bus.we), re.eq(self.bus.re), wdata.eq(self.bus.wdata)]
        global_selected = {register: self._decode(m, register) for register in Global}

        values = config_values(self._config)
        settings = RegisterFields(m, we, wdata, values)
        esun, bypass = (settings.add(GLOBAL_OF[register], global_selected[register])
                        for register in (Global.ESUN_ETHERTYPE, Global.BYPASS_LIMIT))
        m.d.comb += self.bypass_limit.eq(bypass["frames"])
        for address, register in GLOBAL_OF.items():
            if not register.writable:
                constant = Const(register.reset(values), REGISTER_BITS)
                settings.show(global_selected[address],
                              self.table.ready if address is Global.STATUS else constant)
        of_tables, others = (Signal(REGISTER_BITS, name=name)
                             for name in ("tables_read", "value_read"))
        m.d.sync += [
            of_tables.eq(self._tables(m, we, re, wdata, global_selected)),
            others.eq(Mux(re, settings.value(), 0)),
        ]
        m.d.comb += self.bus.rdata.eq(
            self._ports(m, wdata, esun["ethertype"]) | of_tables | others)
        return m

    def _decode(self, m: Module, register: Global) -> Signal:
        selected = Signal(name=f"{register.name.lower()}_selected")
        m.d.sync += selected.eq(self.bus.addr == register)
        return selected

    def _ports(self, m: Module, wdata: Signal, esun_ethertype: Value) -> Value:
        """Registers and counters of the ports; returns the value of the one that was read."""
        page, offset = self.bus.addr[_OFFSET_BITS:], self.bus.addr[:_OFFSET_BITS]
        self._select_counter(m, offset)
        once = Signal(len(ONCE), name="once")
        m.d.comb += once.eq(Cat(offset == register for register in ONCE))
        select = self._select(m, offset, once)

        total: Value = Const(0, REGISTER_BITS)
        for number, settings in enumerate(self.settings):
            port = PortRegisters(self._config)
            place(m, f"port{number}", port)
            here = page == PORT_BASE // PORT_STRIDE + number
            reads, writes = Signal(name=f"port{number}_reads"), Signal(name=f"port{number}_writes")
            writes_once = Signal(len(ONCE), name=f"port{number}_writes_once")
            m.d.sync += [
                reads.eq(self.bus.re & here),
                writes.eq(self.bus.we & here),
                writes_once.eq(Mux(self.bus.we & here, once, 0)),
            ]
            m.d.comb += [
                port.number.eq(number),
                port.reads.eq(reads),
                port.writes.eq(writes),
                port.writes_once.eq(writes_once),
                port.wdata.eq(wdata),
                port.llr_status.eq(self.llr_status[number]),
                port.flow_status.eq(self.flow_status[number]),
                port.counter.eq(self.counter[number]),
                settings.esun_ethertype.eq(esun_ethertype),
            ]
            connect(m, port.select, select)
            connect(m, settings, port, [name for name in settings.signature.members
                                        if name != "esun_ethertype"])
            total = total | port.value
        return total

    def _select_counter(self, m: Module, offset: Value) -> None:
        """Decodes the counters, which begin where a row of them does."""
        chosen = self.counter_select
        place_bits = len(chosen.place)
        place, row = offset[:place_bits], offset[place_bits:]
        first = Port.COUNTERS >> place_bits
        at, of_row = Signal(1 << place_bits), Signal(len(chosen.row))
        m.d.comb += [
            at.eq(1 << place),
            of_row.eq(Cat(row == first + number for number in range(len(of_row)))),
        ]
        m.d.sync += [
            chosen.place.eq(place),
            chosen.row.eq(of_row),
            chosen.counter.eq(Cat(at & of_row[number].replicate(len(at))
                                  for number in range(len(of_row)))),
        ]

    def _select(self, m: Module, offset: Value, once: Value) -> wiring.PureInterface:
        """Decodes the registers of the ports, but for the counters; ``once`` is done."""
        flow = self.flow_select
        chosen = PortSelect(self._config).create(path=("port_select",))
        vc_bits = (MAX_VCS - 1).bit_length()
        group, vc = offset[vc_bits:], offset[:vc_bits]
        m.d.sync += [
            chosen.once.eq(once),
            chosen.each.eq(Cat(group == register >> vc_bits for register in EACH)),
            chosen.llr_status.eq(offset == Port.LLR_STATUS),
            flow.status.eq(offset == Port.CBFC_STATUS),
            flow.vc_count.eq(Cat(group == register >> vc_bits for register in VC_COUNTS)),
            flow.vc.eq(Cat(vc == number for number in range(self._config.vcs))),
        ]
        m.d.comb += chosen.vc.eq(flow.vc)
        return chosen

    def _tables(self, m: Module, we: Signal, re: Signal, wdata: Signal,
                selected: dict[Global, Signal]) -> Value:
        """Registers of the lookup tables; returns the value of the one that is read."""
        tables = TableRegisters(self._config)
        place(m, "tables", tables)
        m.d.comb += [getattr(tables, f"{register.name.lower()}_selected").eq(selected[register])
                     for register in _TABLES]
        m.d.comb += [tables.we.eq(we), tables.re.eq(re), tables.wdata.eq(wdata)]
        m.d.comb += [getattr(self.table, name).eq(getattr(tables.write, name))
                     for name in self.table.signature.members]
        return tables.value
