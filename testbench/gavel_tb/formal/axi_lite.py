# SPDX-License-Identifier: Apache-2.0
"""AXI4-Lite: one answer for each request, which stays until it is taken, and comes soon."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Cat, Mux, Signal, Value

from gavel_rtl.axi_lite import ADDRESS_BITS, DATA_BITS, STROBES, AxiLite
from gavel_rtl.interfaces import RegisterPort
from gavel_tb.formal.design import Design
from gavel_tb.formal.harness import Harness, implies

_BYTE_BITS = 2


class AxiLiteHarness(Harness):
    """A manager and a register port that do what they like."""

    def build(self) -> None:
        """Free inputs and the claims."""
        m = self.m
        dut = AxiLite(self.config)
        self._design = Design(dut, self.fault)
        m.submodules.dut = self._design.fragment
        axil = self._axil = dut.axil
        for name in ("awaddr", "awvalid", "wdata", "wstrb", "wvalid", "bready", "araddr", "arvalid",
                     "rready"):
            pin = getattr(axil, name)
            m.d.comb += pin.eq(self.anything(len(pin), name))
        m.d.comb += dut.bus.rdata.eq(self.anything(DATA_BITS, "reg_rdata"))
        stages = self._design.signal("fetching")
        self._fetching = self.let("under_way", 1, stages.any())
        # Cycles from the one in which an address is held, and the answer before it is taken, to
        # the answer: one for a write that goes first.
        self._longest = self.config.answer_cycles + 1
        addresses, data, reads = (self._unanswered(name, response) for name, response in (
            ("aw", "b"), ("w", "b"), ("ar", "r")))
        self.claim("an answer to a write has an address and data",
                   implies(axil.bvalid, (addresses > 0) & (data > 0)))
        self.claim("an answer to a read has an address", implies(axil.rvalid, reads > 0))
        self._stays("b", Value.cast(axil.bresp))
        self._stays("r", Cat(axil.rdata, axil.rresp))
        self.claim("data arrive with their answer",
                   implies(self._design.signal("arrived"), axil.rvalid))
        self._asks_for_what_was_taken(dut.bus)
        self._is_soon(addresses, data, reads)

    def _happens(self, name: str) -> Value:
        valid, ready = (getattr(self._axil, f"{name}{what}") for what in ("valid", "ready"))
        return valid & ready

    def _unanswered(self, request: str, response: str) -> Signal:
        """Transfers of a channel that have been taken and not been answered."""
        count = Signal(3, name=f"{request}_unanswered")
        self.m.d.sync += count.eq(count + self._happens(request) - self._happens(response))
        under_way = self._fetching if response == "r" else 0
        answered = getattr(self._axil, f"{response}valid")
        self.claim(f"transfers of {request} are held, under way or answered", count == (
            ~getattr(self._axil, f"{request}ready") + answered + under_way))
        return count

    def _stays(self, name: str, payload: Value) -> None:
        """An answer that is not taken is there in the next cycle, unchanged."""
        valid, ready = (getattr(self._axil, f"{name}{what}") for what in ("valid", "ready"))
        refused, before = Signal(name=f"{name}_refused"), Signal(len(payload), name=f"{name}_was")
        self.m.d.sync += [refused.eq(valid & ~ready), before.eq(payload)]
        self.claim(f"{name} stays", implies(refused, valid & (payload == before)))

    def _asks_for_what_was_taken(self, bus: RegisterPort) -> None:
        """What is on the register port is what the manager gave last, and all of it."""
        m, axil, port = self.m, self._axil, bus
        taken = {}
        for name, payload in (("aw", axil.awaddr), ("w", Cat(axil.wdata, axil.wstrb)),
                              ("ar", axil.araddr)):
            last = taken[name] = Signal(len(payload), name=f"{name}_taken")
            with m.If(self._happens(name)):
                m.d.sync += last.eq(payload)
            kept = self._design.signal(f"{name}_held")
            same = kept == last
            if name == "w":
                strobes = last[DATA_BITS:]
                same = kept == Cat(last[:DATA_BITS], strobes.all(), strobes.any())
            self.claim(f"what is held of {name} is what was taken",
                       getattr(axil, f"{name}ready") | same)
        asked: Any = self.let("asked", ADDRESS_BITS, port.addr << _BYTE_BITS)
        self.claim("a register is written whole, as it was asked for", implies(
            port.we, (taken["aw"] == asked)
            & (taken["w"] == Cat(port.wdata, *[port.we] * STROBES))))
        self.claim("a register is read that was asked for", implies(port.re, taken["ar"] == asked))
        begins = self._design.signal("begin_write")
        self.claim("a write begins when it can",
                   begins == ~axil.awready & ~axil.wready & ~axil.bvalid)
        self.claim("one access at a time", ~(port.we & port.re))

    def _is_soon(self, addresses: Signal, data: Signal, reads: Signal) -> None:
        """Answers do not wait but for an answer that is not taken."""
        m, axil = self.m, self._axil
        due = Signal(name="due")
        m.d.sync += due.eq((addresses > 0) & (data > 0) & ~axil.bvalid)
        self.claim("a write is answered in the next cycle", implies(due, axil.bvalid))
        age = Signal(range(2 * self._longest), name="age")
        with m.If(reads <= axil.rvalid):
            m.d.sync += age.eq(0)
        with m.Elif(~axil.rvalid | axil.rready):
            m.d.sync += age.eq(Mux(axil.rvalid, 1, age + 1))
        self.claim("a read is answered soon", age <= self._longest)
        # What makes this inductive: only a write makes a read wait, and only once; and how long a
        # read has been under way is known.
        fetching, stages = self._fetching, self._design.signal("fetching")
        self.claim("one read is under way", (stages & (stages - 1)) == 0)
        for cycle, stage in enumerate(stages):
            self.claim("a read under way has no answer yet",
                       implies(stage, ~axil.rvalid & (age > cycle) & (age <= 2 + cycle)))
        self.claim("a read waits for one write only", implies(
            (reads > 0) & ~fetching & ~axil.rvalid,
            (age == 0) | ((age == 1) & axil.bvalid)))
