# SPDX-License-Identifier: Apache-2.0
"""What a bus model sees of the stream of records: a switch of which everything is known, and no
switch."""

from __future__ import annotations

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.record_format import LOST_BITS, PERIOD_BITS
from gavel_rtl.block import place
from gavel_rtl.telemetry_stream import (
    CYCLE_BITS,
    RecordStream,
    TelemetryStream,
)
from gavel_tb.harness import TOP

_INPUTS = {"clk": 1, "rst": 1, "period": PERIOD_BITS, "period_written": 1,
           "m_axis_telemetry_tready": 1}
_OUTPUTS = {"m_axis_telemetry_tvalid": 1, "m_axis_telemetry_tdata": 64,
            "m_axis_telemetry_tlast": 1, "lost_count": LOST_BITS}

EVENTS = 0x5A0
"""``EVENTS`` of port 0; each next port has one more."""


class KnownRecords(wiring.Component):  # type: ignore[misc]  # Amaranth has no types
    """`TelemetryStream` of a switch whose port p gets p + 1 bytes and sends a word in each cycle,
    and is always blocked.

    Cycle behaviour: that of `TelemetryStream`.
    """

    def __init__(self, config: SwitchConfig) -> None:
        self._config = config
        stream = RecordStream()  # type: ignore[no-untyped-call]  # as RTL is
        super().__init__({
            "period": In(PERIOD_BITS), "period_written": In(1),
            "m_axis_telemetry": Out(stream),
            "lost_count": Out(LOST_BITS),
        })

    def elaborate(self, platform: object) -> Module:
        """The module, for Amaranth."""
        m = Module()
        stream = place(m, "stream", TelemetryStream(self._config))
        cycle = Signal(CYCLE_BITS)
        m.d.sync += cycle.eq(cycle + 1)
        outer, inner = self.m_axis_telemetry, stream.axis
        m.d.comb += [
            stream.cycle.eq(cycle), stream.period.eq(self.period),
            stream.period_written.eq(self.period_written), self.lost_count.eq(stream.lost_count),
            inner.tready.eq(outer.tready), outer.tvalid.eq(inner.tvalid),
            outer.tdata.eq(inner.tdata), outer.tlast.eq(inner.tlast),
        ]
        for number, port in enumerate(stream.samples):
            m.d.comb += [
                port.seen.rx_bytes.eq(number + 1), port.seen.tx_bytes.eq(self._config.word_bytes),
                port.seen.cells.eq(number), port.blocked.eq(1), port.events.eq(EVENTS + number),
            ]
        return m


def record_harness() -> str:
    """Text of the wrapper, whose pins have the names that bus models look for."""
    pins = {**dict.fromkeys(_INPUTS, "input"), **dict.fromkeys(_OUTPUTS, "output")}
    ports = ",\n".join(f"  {direction} wire [{(_INPUTS | _OUTPUTS)[name] - 1}:0] {name} "
                       "/*verilator public_flat_rw*/" for name, direction in pins.items())
    places = ",\n".join(
        f"    .{name.replace('m_axis_telemetry_', 'm_axis_telemetry__')}({name})" for name in pins)
    return (f"// SPDX-License-Identifier: Apache-2.0\nmodule {TOP} (\n{ports}\n);\n"
            f"  gavel_known_records dut (\n{places}\n  );\nendmodule\n")
