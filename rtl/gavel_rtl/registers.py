# SPDX-License-Identifier: Apache-2.0
"""The register port: address decoding, global registers, read multiplexer."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import MAX_VCS, SwitchConfig
from gavel_model.register_map import (
    COUNTERS,
    ID_VALUE,
    PORT_BASE,
    PORT_STRIDE,
    VERSION,
    Global,
    Port,
)
from gavel_rtl.block import connect, place
from gavel_rtl.flow_interfaces import FLOW_SETTINGS, VC_COUNTS, VC_SETTINGS, FlowSelect
from gavel_rtl.interfaces import PortSettings, RegisterPort, TableWrite
from gavel_rtl.llr_registers import LLR_REGISTERS, LLR_STATUS_BITS
from gavel_rtl.port_registers import REGISTER_BITS, PortRegisters
from gavel_rtl.scheduler_output import BYPASS_BITS
from gavel_rtl.table_registers import TableRegisters

_OFFSET_BITS = PORT_STRIDE.bit_length() - 1
_SETTINGS = (Port.CONTROL, Port.PROFILE, Port.VC_MAP, Port.ECN_THRESHOLD)
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
        One-hot: the counter addressed, the same for all ports; 0 if none is.
    counter
        For each port the counter selected.
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
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        ports = config.ports
        super().__init__({
            "bus": In(RegisterPort()),
            "settings": Out(PortSettings(config)).array(ports),
            "bypass_limit": Out(BYPASS_BITS, init=config.bypass_limit),
            "table": Out(TableWrite(config)),
            "counter_select": Out(COUNTERS),
            "counter": In(REGISTER_BITS).array(ports),
            "llr_status": In(LLR_STATUS_BITS).array(ports),
            "flow_select": Out(FlowSelect(config)),
            "flow_status": In(REGISTER_BITS).array(ports),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        we, re, wdata = Signal(), Signal(), Signal(REGISTER_BITS)
        m.d.sync += [we.eq(self.bus.we), re.eq(self.bus.re), wdata.eq(self.bus.wdata)]
        global_selected = {register: self._decode(m, register) for register in Global}

        esun_ethertype = Signal(16, init=self._config.esun_ethertype)
        value = self._ports(m, we, wdata, esun_ethertype)
        value = value | self._tables(m, we, wdata, global_selected)
        for register, selected in (
            (esun_ethertype, global_selected[Global.ESUN_ETHERTYPE]),
            (self.bypass_limit, global_selected[Global.BYPASS_LIMIT]),
        ):
            with m.If(we & selected):
                m.d.sync += register.eq(wdata[:len(register)])
            value = value | Mux(selected, register, 0)
        for register, content in self._read_only().items():
            value = value | Mux(global_selected[register], content, 0)
        addressed = Signal(REGISTER_BITS)
        m.d.comb += addressed.eq(value)
        m.d.sync += self.bus.rdata.eq(Mux(re, addressed, 0))
        return m

    def _read_only(self) -> dict[Global, Value]:
        config = self._config
        major, minor, patch = VERSION
        return {
            Global.ID: Const(ID_VALUE, REGISTER_BITS),
            Global.VERSION: Const(major << 16 | minor << 8 | patch, REGISTER_BITS),
            Global.PORTS: Const(config.ports, REGISTER_BITS),
            Global.DATA_WIDTH: Const(config.data_width, REGISTER_BITS),
            Global.VCS: Const(config.vcs, REGISTER_BITS),
            Global.LATENCY: Const(config.latency_cycles, REGISTER_BITS),
            Global.STATUS: self.table.ready,
        }

    def _decode(self, m: Module, register: Global) -> Signal:
        selected = Signal(name=f"{register.name.lower()}_selected")
        m.d.sync += selected.eq(self.bus.addr == register)
        return selected

    def _ports(self, m: Module, we: Signal, wdata: Signal, esun_ethertype: Signal) -> Value:
        """Registers and counters of the ports; returns the value addressed among them."""
        page, offset = self.bus.addr[_OFFSET_BITS:], self.bus.addr[:_OFFSET_BITS]
        offset_selected = {}
        for setting in _SETTINGS:
            selected = Signal(name=f"{setting.name.lower()}_selected")
            m.d.sync += selected.eq(offset == setting)
            offset_selected[setting] = selected
        llr_selected = Signal(len(LLR_REGISTERS))
        m.d.sync += llr_selected.eq(Cat(offset == register for register in LLR_REGISTERS))
        for number in range(COUNTERS):
            m.d.sync += self.counter_select[number].eq(offset == Port.COUNTERS + number)
        self._select_flow(m, offset)

        total: Value = Const(0, REGISTER_BITS)
        for number, settings in enumerate(self.settings):
            port = PortRegisters(self._config)
            place(m, f"port{number}", port)
            port_selected = Signal(name=f"port{number}_selected")
            m.d.sync += port_selected.eq(page == PORT_BASE // PORT_STRIDE + number)
            m.d.comb += [
                port.number.eq(number),
                port.selected.eq(port_selected),
                port.control_selected.eq(offset_selected[Port.CONTROL]),
                port.profile_selected.eq(offset_selected[Port.PROFILE]),
                port.vc_map_selected.eq(offset_selected[Port.VC_MAP]),
                port.ecn_threshold_selected.eq(offset_selected[Port.ECN_THRESHOLD]),
                port.we.eq(we),
                port.wdata.eq(wdata),
                port.llr_selected.eq(llr_selected),
                port.llr_status.eq(self.llr_status[number]),
                port.flow_status.eq(self.flow_status[number]),
                port.counter.eq(self.counter[number]),
                settings.esun_ethertype.eq(esun_ethertype),
            ]
            connect(m, port.flow_select, self.flow_select)
            connect(m, settings, port, [name for name in settings.signature.members
                                        if name != "esun_ethertype"])
            total = total | port.value
        return total

    def _select_flow(self, m: Module, offset: Value) -> None:
        """Decodes the registers of flow control."""
        select = self.flow_select
        vc_bits = (MAX_VCS - 1).bit_length()
        group, vc = offset[vc_bits:], offset[:vc_bits]
        m.d.sync += [
            select.setting.eq(Cat(offset == register for register in FLOW_SETTINGS)),
            select.status.eq(offset == Port.CBFC_STATUS),
            select.vc_setting.eq(Cat(group == register >> vc_bits for register in VC_SETTINGS)),
            select.vc_count.eq(Cat(group == register >> vc_bits for register in VC_COUNTS)),
            select.vc.eq(Cat(vc == number for number in range(self._config.vcs))),
        ]

    def _tables(self, m: Module, we: Signal, wdata: Signal,
                selected: dict[Global, Signal]) -> Value:
        """Registers of the lookup tables; returns the value addressed among them."""
        tables = TableRegisters(self._config)
        place(m, "tables", tables)
        m.d.comb += [getattr(tables, f"{register.name.lower()}_selected").eq(selected[register])
                     for register in _TABLES]
        m.d.comb += [tables.we.eq(we), tables.wdata.eq(wdata)]
        m.d.comb += [getattr(self.table, name).eq(getattr(tables.write, name))
                     for name in self.table.signature.members]
        return tables.value
