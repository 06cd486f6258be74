# SPDX-License-Identifier: Apache-2.0
"""Telemetry of one port: its blocks, and its page of registers."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.register_map import DROPS, config_values
from gavel_model.telemetry_map import PORT_OF
from gavel_model.telemetry_map import TelemetryRegister as Offset
from gavel_rtl.block import connect, place
from gavel_rtl.counters import FROZEN_BITS
from gavel_rtl.latency_histogram import LatencyHistogram
from gavel_rtl.lib.one_hot import select
from gavel_rtl.link_health import LinkHealth
from gavel_rtl.port_events import EVENT_BITS, PortEvents
from gavel_rtl.record_sums import RecordSample
from gavel_rtl.register_fields import REGISTER_BITS, RegisterFields
from gavel_rtl.stall_account import StallAccount
from gavel_rtl.telemetry_interfaces import TABLE_BITS, Observation, TableRead
from gavel_rtl.vc_statistics import VcStatistics
from gavel_rtl.voq_levels import VoqLevels
from gavel_rtl.watermarks import Watermarks

ONCE = tuple(offset for offset, register in PORT_OF.items()
             if not register.of_each_vc and register.elements == 1)
EACH = tuple(offset for offset, register in PORT_OF.items() if register.of_each_vc)
"""Registers that a port has once, those that it has for each VC."""


class TelemetrySelect(wiring.Signature):
    """Which register of a port is addressed, the same for all ports.

    Members
    -------
    once, each
        One-hot, as in `ONCE` and `EACH`.
    vc
        One-hot: the VC in an address of `EACH`, 0 for one that there is not.
    count, count_hi
        A word of a frozen counter.
    """

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "once": Out(len(ONCE)),
            "each": Out(len(EACH)),
            "vc": Out(config.vcs),
            "count": Out(1),
            "count_hi": Out(1),
        })


class TelemetryPort(wiring.Component):
    """Everything that is kept of one port (docs/telemetry.md).

    Parameters
    ----------
    config
        P, V, and widths of what is observed.

    Members
    -------
    observation
        What is observed of the port.
    freeze, clear
        A snapshot was taken, the watermarks were cleared, in the cycle before.
    read
        The entry that ``DATA`` shows.
    settled
        What is frozen can be read.
    selected, select
        The register addressed belongs to this port; which one it is.
    we, wdata
        Write to the register addressed.
    frozen
        The counter addressed, as it was frozen.
    value
        Value of the register addressed if it belongs to this port, else 0.
    events, wants
        Register ``EVENTS``; an event that is enabled is in it.
    sample
        What the next record is told of the cycle before.

    Cycle behaviour
    ---------------
    Observations are registered first, and what is kept of them shows two cycles later. A write is
    visible in the next cycle; ``value`` is combinational.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "observation": In(Observation(config)),
            "freeze": In(1),
            "clear": In(1),
            "read": In(TableRead()),
            "settled": In(1),
            "selected": In(1),
            "select": In(TelemetrySelect(config)),
            "we": In(1),
            "wdata": In(REGISTER_BITS),
            "frozen": In(FROZEN_BITS),
            "value": Out(REGISTER_BITS),
            "events": Out(EVENT_BITS),
            "wants": Out(1),
            "sample": Out(RecordSample(config)),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        self._seen = Observation(config).create(path=("seen",))
        self._register(m)
        written = Signal()
        m.d.comb += written.eq(self.we & self.selected)
        fields = RegisterFields(m, written, self.wdata, config_values(config))
        chosen = dict(zip(ONCE, self.select.once, strict=True))
        kept = {offset: fields.add(PORT_OF[offset], chosen[offset]) for offset in ONCE
                if PORT_OF[offset].writable and offset is not Offset.EVENTS}

        health = self._watch(m, fields, chosen, kept, written)
        blocked = self._tables(m, fields, chosen)
        self._levels(m, fields, chosen)
        connect(m, self.sample.seen, self._seen)
        value = Signal(REGISTER_BITS, name="any_value")
        m.d.comb += [
            value.eq(fields.value()),
            self.value.eq(Mux(self.selected, value, 0)),
            self.sample.blocked.eq(blocked),
            self.sample.corrected.eq(health.corrected_now),
            self.sample.uncorrectable.eq(health.uncorrectable_now),
            self.sample.dropped.eq(sum((self._seen.count[counter] for counter in DROPS),
                                       Const(0, 1))),
            self.sample.events.eq(self.events),
        ]
        return m

    def _register(self, m: Module) -> None:
        """What is observed in a cycle is seen in the next."""
        for name, member in self._seen.signature.members.items():
            source, target = getattr(self.observation, name), getattr(self._seen, name)
            pairs = zip(source, target, strict=True) if member.dimensions else [(source, target)]
            m.d.sync += [Value.cast(later).eq(Value.cast(now)) for now, later in pairs]

    def _watch(self, m: Module, fields: RegisterFields, chosen: dict[Offset, Value],
               kept: dict[Offset, dict[str, Value]], written: Signal) -> LinkHealth:
        """Events and the health of the link."""
        events = place(m, "port_events", PortEvents(self._config))
        health = place(m, "link_health", LinkHealth(self._config))
        connect(m, events.seen, self._seen)
        connect(m, health.seen, self._seen)
        enable = Cat(kept[Offset.EVENT_ENABLE].values())
        m.d.comb += [
            health.window.eq(kept[Offset.HEALTH_WINDOW]["cycles"]),
            health.corrected_limit.eq(kept[Offset.CORRECTED_LIMIT]["limit"]),
            health.uncorrectable_limit.eq(kept[Offset.UNCORRECTABLE_LIMIT]["limit"]),
            health.begin.eq(written & chosen[Offset.HEALTH_WINDOW]),
            events.cells_limit.eq(kept[Offset.CELLS_LIMIT]["cells"]),
            events.corrected_alarm.eq(health.corrected_alarm),
            events.uncorrectable_alarm.eq(health.uncorrectable_alarm),
            events.clear.eq(Mux(written & chosen[Offset.EVENTS], self.wdata, 0)),
            self.events.eq(events.events),
            self.wants.eq((events.events & enable).any()),
        ]
        for offset, value in ((Offset.EVENTS, events.events),
                              (Offset.CORRECTED, health.corrected),
                              (Offset.UNCORRECTABLE, health.uncorrectable)):
            fields.show(chosen[offset], value)
        return health

    def _tables(self, m: Module, fields: RegisterFields, chosen: dict[Offset, Value]) -> Value:
        """What is counted; returns whether a VC is blocked."""
        config = self._config
        stalls = StallAccount(config)
        frozen = {"vc_statistics": VcStatistics(config),
                  "latency_histogram": LatencyHistogram(config), "stall_account": stalls}
        entry: Value = Const(0, TABLE_BITS)
        for name, table in frozen.items():
            place(m, name, table)
            connect(m, table.seen, self._seen)
            connect(m, table.read, self.read)
            m.d.comb += table.freeze.eq(self.freeze)
            entry = entry | table.value
        levels = place(m, "voq_levels", VoqLevels(config))
        connect(m, levels.seen, self._seen)
        connect(m, levels.read, self.read)
        shown = Signal(TABLE_BITS, name="entry")
        m.d.comb += [
            levels.clear.eq(self.clear),
            shown.eq(Mux(self.settled, entry, 0) | levels.value),
        ]
        fields.show(chosen[Offset.DATA], shown[:REGISTER_BITS])
        fields.show(chosen[Offset.DATA_HI], shown[REGISTER_BITS:])
        for wanted, half in ((self.select.count, self.frozen[:REGISTER_BITS]),
                             (self.select.count_hi, self.frozen[REGISTER_BITS:])):
            fields.show(wanted & self.settled, half)
        return stalls.blocked

    def _levels(self, m: Module, fields: RegisterFields, chosen: dict[Offset, Value]) -> None:
        """How full the buffer is, and the most that was seen."""
        marks = place(m, "watermarks", Watermarks(self._config))
        connect(m, marks.seen, self._seen)
        m.d.comb += marks.clear.eq(self.clear)
        fields.show(chosen[Offset.CELLS], self._seen.cells)
        fields.show(chosen[Offset.CELLS_WATERMARK], marks.cells)
        each = {Offset.VC_CELLS_WATERMARK: marks.vc_cells,
                Offset.CREDITS_USED_WATERMARK: marks.credits_used}
        for wanted, offset in zip(self.select.each, EACH, strict=True):
            fields.show(wanted, select(list(zip(self.select.vc, each[offset], strict=True))))
