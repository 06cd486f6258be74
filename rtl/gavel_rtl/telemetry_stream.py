# SPDX-License-Identifier: Apache-2.0
"""The stream of records of telemetry."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.record_format import (
    HEAD,
    LOST_BITS,
    MARK,
    PERIOD_BITS,
    VERSION,
    WORD_BITS,
    record_words,
)
from gavel_rtl.block import connect, place
from gavel_rtl.record_sums import RecordSample, RecordSums

CYCLE_BITS = HEAD["cycle"]


class RecordStream(wiring.Signature):
    """AXI4-Stream of 64 bits, as its source sees it; every byte lane has a byte."""

    def __init__(self):
        super().__init__({
            "tvalid": Out(1),
            "tready": In(1),
            "tdata": Out(WORD_BITS),
            "tlast": Out(1),
        })


class TelemetryStream(wiring.Component):
    """Sums up intervals of all ports, and sends a record of each (docs/telemetry.md, Records).

    A record stands in a row of registers, whose first is on the pins; each word that is taken
    moves the others on.

    Parameters
    ----------
    config
        P, and widths of what is observed.

    Members
    -------
    samples
        All ports in the cycle before.
    cycle
        Number of the cycle before.
    period
        Register ``STREAM_PERIOD`` as visible in this cycle.
    period_written
        It was written in the cycle before.
    axis
        The records.
    lost
        A record is lost in this cycle.
    lost_count
        Register ``STREAM_LOST``.

    Cycle behaviour
    ---------------
    With e the last cycle of an interval, whose samples come in e+1: a record is made or lost in
    e+2, and its first word is on the pins in e+3. The pins come from registers, and ``tdata`` and
    ``tlast`` are 0 without ``tvalid``. A write of the period goes before the end of an interval.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "samples": In(RecordSample(config)).array(config.ports),
            "cycle": In(CYCLE_BITS),
            "period": In(PERIOD_BITS),
            "period_written": In(1),
            "axis": Out(RecordStream()),
            "lost": Out(1),
            "lost_count": Out(LOST_BITS),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        due = Signal()
        made = Signal()
        m.d.comb += [
            made.eq(due & ~self.axis.tvalid),
            self.lost.eq(due & self.axis.tvalid),
        ]
        m.d.sync += [
            due.eq(self._is_last(m, due)),
            self.lost_count.eq(self.lost_count + self.lost),
        ]
        interval = Signal(HEAD["interval"])
        with m.If(self.period_written):
            m.d.sync += interval.eq(0)
        with m.Elif(due):
            m.d.sync += interval.eq(interval + 1)
        head = {"mark": Const(MARK, HEAD["mark"]), "version": Const(VERSION, HEAD["version"]),
                "ports": Const(self._config.ports, HEAD["ports"]), "interval": interval,
                # The cycle before is the first of the next interval.
                "cycle": (self.cycle - 1)[:CYCLE_BITS]}
        record: list[Value] = [head[name] for name in HEAD]
        for number in range(self._config.ports):
            sums = place(m, f"port{number}", RecordSums(self._config))
            connect(m, sums.sample, self.samples[number])
            m.d.comb += sums.restart.eq(made | self.period_written)
            record.append(sums.words)
        self._send(m, made, Cat(*record))
        return m

    def _is_last(self, m: Module, due: Signal) -> Value:
        """Whether the samples are the last of their interval; ``due``: those before were."""
        # Which sample of its interval this is, but if it is the first.
        turn = Signal(PERIOD_BITS)
        begins = Signal()
        m.d.comb += begins.eq(due | self.period_written)
        m.d.sync += turn.eq(Mux(begins, 1, turn) + 1)
        return ~self.period_written & (turn == self.period) & self.period.any()

    def _send(self, m: Module, made: Signal, record: Value) -> None:
        """Takes a record that is made into the row, and moves it on."""
        axis, words = self.axis, record_words(self._config.ports)
        rest = Signal(WORD_BITS * (words - 1))
        # Words behind the one on the pins.
        left = Signal(range(words))
        taken = Signal()
        m.d.comb += taken.eq(axis.tvalid & axis.tready)
        with m.If(made | taken):
            m.d.sync += [
                Cat(axis.tdata, rest).eq(Mux(made, record, rest)),
                axis.tvalid.eq(made | ~axis.tlast),
                axis.tlast.eq(~made & (left == 1)),
                left.eq(Mux(made, words, left) - 1),
            ]
