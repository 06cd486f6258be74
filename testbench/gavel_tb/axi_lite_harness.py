# SPDX-License-Identifier: Apache-2.0
"""What bus models see of AXI4-Lite: all registers of a switch, and no switch; beside them the
register block that PeakRDL makes of the same source."""

from __future__ import annotations

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from gavel_model.config import SwitchConfig
from gavel_model.register_map import COUNTERS, Port
from gavel_rtl.axi_lite import ADDRESS_BITS, DATA_BITS, STROBES, AxiLite, AxiLiteBus
from gavel_rtl.block import connect, place
from gavel_rtl.flow_interfaces import VC_COUNTS
from gavel_rtl.lib.one_hot import select
from gavel_rtl.registers import Registers
from gavel_tb.harness import TOP
from gavel_tb.rdl.exports import ORACLE
from gavel_tb.registers import counter_value, flow_status_value, llr_status_value

_INPUTS = {
    "awaddr": ADDRESS_BITS, "awprot": 3, "awvalid": 1, "wdata": DATA_BITS, "wstrb": STROBES,
    "wvalid": 1, "bready": 1, "araddr": ADDRESS_BITS, "arprot": 3, "arvalid": 1, "rready": 1,
}
_OUTPUTS = {"awready": 1, "wready": 1, "bresp": 2, "bvalid": 1, "arready": 1, "rdata": DATA_BITS,
            "rresp": 2, "rvalid": 1}
OURS, OTHER = "s_axil", "o_axil"
"""Before the names of the pins: our registers, and PeakRDL's."""

_PUBLIC = "/*verilator public_flat_rw*/"


class AxiLiteRegisters(wiring.Component):  # type: ignore[misc]  # Amaranth has no types
    """`AxiLite` and `Registers`; counters and status have the values of `gavel_tb.registers`.

    Cycle behaviour: that of the two.
    """

    def __init__(self, config: SwitchConfig) -> None:
        self._config = config
        super().__init__({"axil": In(AxiLiteBus())})  # type: ignore[no-untyped-call]  # as RTL is

    def elaborate(self, platform: object) -> Module:
        """The module, for Amaranth."""
        m = Module()
        config = self._config
        front = place(m, "axi_lite", AxiLite(config))
        registers = place(m, "registers", Registers(config))
        for name in _INPUTS:
            m.d.comb += getattr(front.axil, name).eq(getattr(self.axil, name))
        for name in _OUTPUTS:
            m.d.comb += getattr(self.axil, name).eq(getattr(front.axil, name))
        bus = registers.bus
        connect(m, bus, front.bus, ("addr", "wdata", "we", "re"))
        m.d.comb += front.bus.rdata.eq(bus.rdata)
        for port in range(config.ports):
            selected, chosen = registers.counter_select[port].counter, registers.flow_select[port]
            counter = Signal.like(selected)
            m.d.sync += counter.eq(selected)
            m.d["sync" if config.register_stages else "comb"] += registers.flow_status[port].eq(
                select([
                    (chosen.status, flow_status_value(port, Port.CBFC_STATUS)),
                    *((chosen.vc_count[n] & chosen.vc[vc], flow_status_value(port, register + vc))
                      for n, register in enumerate(VC_COUNTS) for vc in range(config.vcs))]))
            m.d.comb += [
                registers.llr_status[port].eq(llr_status_value(port)),
                registers.counter[port].eq(select([
                    (counter[n], counter_value(port, n))
                    for n in range(COUNTERS)])),
            ]
        return m


def axi_lite_harness() -> str:
    """Text of the wrapper, whose pins have the names that bus models look for."""
    pins = {"clk": ("input", 1), "rst": ("input", 1)}
    for prefix in (OURS, OTHER):
        for direction, widths in (("input", _INPUTS), ("output", _OUTPUTS)):
            pins |= {f"{prefix}_{name}": (direction, width) for name, width in widths.items()}
    ports = ",\n".join(f"  {direction} wire [{width - 1}:0] {name} {_PUBLIC}"
                       for name, (direction, width) in pins.items())
    ours, other = (
        ",\n".join(f"    .{port}_{name}({pin}_{name})" for name in _INPUTS | _OUTPUTS)
        for port, pin in (("axil_", OURS), ("s_axil", OTHER)))
    types = f"{ORACLE}_pkg::gavel"
    return (f"// SPDX-License-Identifier: Apache-2.0\nmodule {TOP} (\n{ports}\n);\n"
            f"  gavel_axi_lite_registers ours (\n    .clk(clk),\n    .rst(rst),\n{ours}\n  );\n"
            f"  {types}__in_t hwif_in;\n  {types}__out_t hwif_out;\n"
            f"  {ORACLE} other (\n    .clk(clk),\n    .rst(rst),\n{other},\n"
            "    .hwif_in(hwif_in),\n    .hwif_out(hwif_out)\n  );\nendmodule\n")
