# SPDX-License-Identifier: Apache-2.0
"""Telemetry: what watches a switch, and its registers."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import MAX_VCS, SwitchConfig
from gavel_model.register_map import COUNTERS, config_values
from gavel_model.telemetry_map import (
    GLOBAL_BASE,
    GLOBAL_OF,
    PORT_BASE,
    PORT_STRIDE,
    SNAPSHOT_REST,
    TelemetryGlobal,
    TelemetryRegister,
    TelemetryTable,
    least_period,
)
from gavel_rtl.block import connect, place
from gavel_rtl.counters import COUNTER_NUMBER_BITS, FROZEN_BITS
from gavel_rtl.interfaces import RegisterPort
from gavel_rtl.register_fields import REGISTER_BITS, RegisterFields
from gavel_rtl.telemetry_interfaces import Observation, TableRead
from gavel_rtl.telemetry_port import EACH, ONCE, TelemetryPort, TelemetrySelect
from gavel_rtl.telemetry_stream import PERIOD_BITS, RecordStream, TelemetryStream

_OFFSET_BITS = PORT_STRIDE.bit_length() - 1
_TIME_BITS = 64
_G = TelemetryGlobal


class Telemetry(wiring.Component):
    """Counts, keeps and tells what is observed of all ports (docs/telemetry.md).

    Parameters
    ----------
    config
        The switch.

    Members
    -------
    observations
        Of each port.
    bus
        The register port, which the switch listens to as well; its ``rdata`` is 0 but for the
        registers that stand here.
    freeze
        The counters of all ports are to be frozen as they are visible in this cycle.
    frozen_number, frozen
        Counter to read, and what it was when it was frozen, of each port.
    irq
        An event that is enabled is there.
    axis
        The stream of records.

    Cycle behaviour
    ---------------
    As docs/telemetry.md. The bus is sampled and decoded in c, the access carried out in c+1, and
    ``rdata`` shows what was read in c+2. ``irq`` and ``axis`` come from registers.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "observations": In(Observation(config)).array(config.ports),
            "bus": In(RegisterPort()),
            "freeze": Out(1),
            "frozen_number": Out(COUNTER_NUMBER_BITS),
            "frozen": In(FROZEN_BITS).array(config.ports),
            "irq": Out(1),
            "axis": Out(RecordStream()),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bus = self.bus
        self._we, re, self._wdata = Signal(name="we"), Signal(), Signal(REGISTER_BITS, name="wdata")
        m.d.sync += [self._we.eq(bus.we), re.eq(bus.re), self._wdata.eq(bus.wdata)]
        self._time = Signal(_TIME_BITS, name="cycle")
        self._clear = Signal(name="clear_watermarks")
        self._settled = Signal(name="settled")
        self._read = TableRead().create(path=("read",))
        m.d.sync += self._time.eq(self._time + 1)

        ports = [TelemetryPort(self._config) for _ in range(self._config.ports)]
        values = self._ports(m, ports)
        fields = RegisterFields(m, self._we, self._wdata, config_values(self._config))
        self._globals(m, fields, ports)
        value = fields.value()
        for of_port in values:
            value = value | of_port
        m.d.sync += bus.rdata.eq(Mux(re, value, 0))
        return m

    def _ports(self, m: Module, ports: list[TelemetryPort]) -> list[Value]:
        """The pages of the ports; returns for each the value addressed there."""
        page, offset = self.bus.addr[_OFFSET_BITS:], self.bus.addr[:_OFFSET_BITS]
        select = self._select(m, offset)
        for number, port in enumerate(ports):
            place(m, f"port{number}", port)
            selected = Signal(name=f"port{number}_selected")
            m.d.sync += selected.eq(page == PORT_BASE // PORT_STRIDE + number)
            connect(m, port.observation, self.observations[number])
            connect(m, port.read, self._read)
            connect(m, port.select, select)
            m.d.comb += [
                port.freeze.eq(self.freeze),
                port.clear.eq(self._clear),
                port.settled.eq(self._settled),
                port.selected.eq(selected),
                port.we.eq(self._we),
                port.wdata.eq(self._wdata),
                port.frozen.eq(self.frozen[number]),
            ]
        return [port.value for port in ports]

    def _select(self, m: Module, offset: Value) -> wiring.PureInterface:
        """Decodes the registers of the ports."""
        chosen = TelemetrySelect(self._config).create(path=("port_select",))
        vc_bits = (MAX_VCS - 1).bit_length()
        first = TelemetryRegister.COUNT
        count = Signal()
        m.d.comb += count.eq((offset >= first) & (offset < first + 2 * COUNTERS))
        m.d.sync += [
            chosen.once.eq(Cat(offset == register for register in ONCE)),
            chosen.each.eq(Cat(offset[vc_bits:] == register >> vc_bits for register in EACH)),
            chosen.vc.eq(Cat(offset[:vc_bits] == vc for vc in range(self._config.vcs))),
            chosen.count.eq(count & ~offset[0]),
            chosen.count_hi.eq(count & offset[0]),
            self.frozen_number.eq((offset - first)[1:1 + COUNTER_NUMBER_BITS]),
        ]
        return chosen

    def _globals(self, m: Module, fields: RegisterFields, ports: list[TelemetryPort]) -> None:
        """The registers that there are once."""
        selected = {}
        for register in TelemetryGlobal:
            selected[register] = chosen = Signal(name=f"{register.name.lower()}_selected")
            m.d.sync += chosen.eq(self.bus.addr == GLOBAL_BASE + register)
        stream = place(m, "stream", TelemetryStream(self._config))
        enable = fields.add(GLOBAL_OF[_G.EVENT_ENABLE], selected[_G.EVENT_ENABLE])["record_lost"]
        events = Signal(len(enable))
        clear = Mux(self._we & selected[_G.EVENTS], self._wdata[:len(events)], 0)
        m.d.sync += [
            events.eq((events & ~clear) | stream.lost),
            self.irq.eq((events & enable).any() | Cat(port.wants for port in ports).any()),
        ]
        wanting = Cat(port.wants for port in ports)
        for register, value in (
            (_G.TELEMETRY, Const(GLOBAL_OF[_G.TELEMETRY].reset({}), REGISTER_BITS)),
            (_G.EVENTS, events),
            (_G.EVENT_PORTS, wanting[:REGISTER_BITS]),
            *([(_G.EVENT_PORTS_HI, wanting[REGISTER_BITS:])]
              if len(wanting) > REGISTER_BITS else []),
            (_G.STREAM_LOST, stream.lost_count),
        ):
            fields.show(selected[register], value)
        self._snapshot(m, fields, selected)
        self._name_entry(m, fields, selected)
        self._stream(m, fields, selected, stream, ports)

    def _snapshot(self, m: Module, fields: RegisterFields,
                  selected: dict[TelemetryGlobal, Signal]) -> None:
        """Freezes counters and tables, and clears watermarks."""
        take, rest = Signal(name="take_snapshot"), Signal(range(SNAPSHOT_REST + 1))
        count, time = Signal(REGISTER_BITS, name="snapshots"), Signal(_TIME_BITS, name="frozen_at")
        asked = Signal(2)
        m.d.comb += [
            asked.eq(Mux(self._we & selected[_G.SNAPSHOT], self._wdata[:2], 0)),
            take.eq(asked[0] & ~rest.any()),
            self._settled.eq(~rest.any()),
        ]
        m.d.sync += [self.freeze.eq(take), self._clear.eq(asked[1])]
        with m.If(take):
            m.d.sync += [rest.eq(SNAPSHOT_REST), count.eq(count + 1), time.eq(self._time)]
        with m.Elif(rest.any()):
            m.d.sync += rest.eq(rest - 1)
        fields.show(selected[_G.SNAPSHOTS], count)
        fields.show(selected[_G.SNAPSHOT_TIME], time[:REGISTER_BITS])
        fields.show(selected[_G.SNAPSHOT_TIME_HI], time[REGISTER_BITS:])

    def _name_entry(self, m: Module, fields: RegisterFields,
                    selected: dict[TelemetryGlobal, Signal]) -> None:
        """The entry that ``INDEX`` names."""
        index = fields.add(GLOBAL_OF[_G.INDEX], selected[_G.INDEX])
        m.d.comb += self._read.entry.eq(index["entry"])
        for table in TelemetryTable:
            m.d.comb += getattr(self._read, table.name.lower()).eq(index["table"] == table)

    def _stream(self, m: Module, fields: RegisterFields,
                selected: dict[TelemetryGlobal, Signal], stream: TelemetryStream,
                ports: list[TelemetryPort]) -> None:
        """The period, and what the records are made of."""
        period, written = Signal(PERIOD_BITS), Signal()
        wanted, least = self._wdata[:PERIOD_BITS], least_period(self._config.ports)
        m.d.sync += written.eq(self._we & selected[_G.STREAM_PERIOD])
        with m.If(self._we & selected[_G.STREAM_PERIOD]):
            m.d.sync += period.eq(Mux(wanted.any() & (wanted < least), least, wanted))
        fields.show(selected[_G.STREAM_PERIOD], period)
        m.d.sync += stream.cycle.eq(self._time)
        m.d.comb += [stream.period.eq(period), stream.period_written.eq(written)]
        for number, port in enumerate(ports):
            connect(m, stream.samples[number], port.sample)
        for name, member in self.axis.signature.members.items():
            outer, inner = getattr(self.axis, name), getattr(stream.axis, name)
            m.d.comb += outer.eq(inner) if member.flow is Out else inner.eq(outer)
