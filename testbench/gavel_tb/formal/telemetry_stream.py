# SPDX-License-Identifier: Apache-2.0
"""AXI4-Stream of records: a word waits unchanged, and a record has its length."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Cat, Signal, Value

from gavel_model.record_format import record_words
from gavel_rtl.telemetry_stream import TelemetryStream
from gavel_tb.formal.design import Design
from gavel_tb.formal.harness import Harness, implies


class TelemetryStreamHarness(Harness):
    """A switch that does anything, registers that are written at any time, and any sink."""

    def build(self) -> None:
        """Free inputs and the claims."""
        m = self.m
        dut = TelemetryStream(self.config)
        design = Design(dut, self.fault)
        m.submodules.dut = design.fragment
        axis = dut.axis
        for name in ("cycle", "period", "period_written"):
            self._free(getattr(dut, name), name)
        self._free(axis.tready, "tready")
        for n, port in enumerate(dut.samples):
            for name in ("blocked", "corrected", "uncorrectable", "dropped", "events"):
                self._free(getattr(port, name), f"{name}_{n}")
            for name in ("rx_bytes", "tx_bytes", "cells"):
                self._free(getattr(port.seen, name), f"{name}_{n}")
        words = record_words(self.config.ports)
        payload = Cat(axis.tdata, axis.tlast)

        refused = Signal()
        before = Signal(len(payload))
        m.d.sync += [refused.eq(axis.tvalid & ~axis.tready), before.eq(payload)]
        self.claim("a word that is not taken stays", implies(
            refused, axis.tvalid & (payload == before)))
        self.claim("there is nothing without tvalid", implies(~axis.tvalid, payload == 0))

        # Which word of a record is on the pins, or is the next to come there.
        word = Signal(range(words))
        with m.If(axis.tvalid & axis.tready):
            m.d.sync += word.eq(word + 1)
            with m.If(word == words - 1):
                m.d.sync += word.eq(0)
        self.claim("tlast is with the last word", axis.tlast == (axis.tvalid & (word == words - 1)))
        self.claim("a record has no gap", implies(word != 0, axis.tvalid))
        made = design.signal("made")
        self.claim("a record is made when none is sent", implies(made, ~axis.tvalid))
        # What makes this inductive.
        left = design.signal("left")
        self.claim("what is left is counted", implies(axis.tvalid, left == words - 1 - word))
        self.claim("words that are not there are 0", self._behind(design, left, words))

    def _free(self, pin: Any, name: str) -> None:
        self.m.d.comb += Value.cast(pin).eq(self.anything(len(pin), f"any_{name}"))

    def _behind(self, design: Design, left: Signal, words: int) -> Value:
        """No bit of the row is set behind the last word."""
        rest = design.signal("rest")
        size = len(rest) // (words - 1)
        return Cat(implies(left <= n, rest.word_select(n, size) == 0)
                   for n in range(words - 1)).all()
