# SPDX-License-Identifier: Apache-2.0
"""AXI4-Lite in front of the register port."""

from collections.abc import Sequence
from typing import NamedTuple

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import enum, wiring
from amaranth.lib.wiring import In, Out

from gavel_model.address_map import AddressMap
from gavel_model.config import SwitchConfig
from gavel_model.register_map import SWITCH_MAP, config_values
from gavel_rtl.interfaces import RegisterPort
from gavel_rtl.lib.decode import is_one_of

ADDRESS_BITS = 18
DATA_BITS = 32
STROBES = 4
_BYTE_BITS = STROBES.bit_length() - 1


class Response(enum.Enum, shape=unsigned(2)):
    """Values of ``bresp`` and ``rresp`` (AMBA AXI, IHI 0022)."""

    OKAY = 0
    SLVERR = 2


class AxiLiteBus(wiring.Signature):
    """The five channels of AXI4-Lite, as driven by the manager (AMBA AXI, IHI 0022).

    Addresses are those of bytes. ``awprot`` and ``arprot`` mean nothing here.
    """

    def __init__(self):
        super().__init__({
            "awaddr": Out(ADDRESS_BITS),
            "awprot": Out(3),
            "awvalid": Out(1),
            "awready": In(1),
            "wdata": Out(DATA_BITS),
            "wstrb": Out(STROBES),
            "wvalid": Out(1),
            "wready": In(1),
            "bresp": In(Response),
            "bvalid": In(1),
            "bready": Out(1),
            "araddr": Out(ADDRESS_BITS),
            "arprot": Out(3),
            "arvalid": Out(1),
            "arready": In(1),
            "rdata": In(DATA_BITS),
            "rresp": In(Response),
            "rvalid": In(1),
            "rready": Out(1),
        })


class _Held(NamedTuple):
    """Whether there is something of a channel, in this cycle and in the next one, and it."""

    full: Signal
    full_next: Signal
    held: Signal


class AxiLite(wiring.Component):
    """A subordinate of AXI4-Lite that reads and writes registers (docs/axi_lite.md).

    Parameters
    ----------
    config
        P and V, which decide what addresses have a register.
    further
        Address maps beside that of the switch.

    Members
    -------
    axil
        The five channels.
    bus
        To the register port.

    Cycle behaviour
    ---------------
    Address and data of a write taken in t, the later of the two: ``bus`` in t+1, ``bvalid`` in
    t+2. Address of a read taken in t: ``bus`` in t+1, ``rvalid`` in t+3, with ``register_stages``
    in t+5. When both want ``bus`` the write has it, and the read a cycle later. A channel takes
    something every second cycle, that of reads with ``register_stages`` every fourth. What
    ``axil`` shows does not depend on what it gets in the same cycle. Nothing is under way after
    reset.
    """

    def __init__(self, config: SwitchConfig, further: Sequence[AddressMap] = ()):
        self._config = config
        self._maps = (SWITCH_MAP, *further)
        super().__init__({"axil": In(AxiLiteBus()), "bus": Out(RegisterPort())})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        axil, bus = self.axil, self.bus
        begin_write, response_next = Signal(name="begin_write"), Signal()
        begin_read = Signal()
        # How long the read under way has been so, one-hot; 0 if there is none.
        fetching = Signal(self._config.answer_cycles - 1)
        arrived = Signal()
        aw, w, ar = (self._take(m, name, payload, done) for name, payload, done in (
            ("aw", axil.awaddr, begin_write),
            ("w", Cat(axil.wdata, axil.wstrb.all(), axil.wstrb.any()), begin_write),
            ("ar", axil.araddr, begin_read)))
        written = w.held
        address = Signal(ADDRESS_BITS)
        aligned = Signal()
        data, whole, anything = written[:DATA_BITS], written[DATA_BITS], written[DATA_BITS + 1]
        # That a write begins is known a cycle ahead, for the address comes before much else. A
        # response that is taken makes room for the next write in the cycle after.
        m.d.sync += begin_write.eq(aw.full_next & w.full_next & ~response_next)
        m.d.comb += [
            response_next.eq(begin_write | (axil.bvalid & ~axil.bready)),
            begin_read.eq(ar.full & ~begin_write & ~fetching.any() & (~axil.rvalid | axil.rready)),
            address.eq(Mux(begin_write, aw.held, ar.held)),
            aligned.eq(~address[:_BYTE_BITS].any()),
            bus.addr.eq(address[_BYTE_BITS:]),
            bus.wdata.eq(data),
            bus.we.eq(begin_write & whole & aligned),
            bus.re.eq(begin_read & aligned),
        ]
        # What is known of an address is brought together behind registers.
        writable, mapped = (
            self._decode(m, name, channel.held, begin, writable=writable)
            for name, channel, begin, writable in (("write", aw, begin_write, True),
                                                   ("read", ar, begin_read, False)))
        m.d.sync += axil.bvalid.eq(response_next)
        may_write, nothing = Signal(), Signal(init=1)
        with m.If(begin_write):
            m.d.sync += [may_write.eq(whole), nothing.eq(~anything)]
        m.d.comb += [
            axil.bresp.eq(_response(nothing | (may_write & writable))),
            axil.rresp.eq(_response(mapped)),
        ]

        held = Signal(DATA_BITS)
        m.d.sync += [fetching.eq(Cat(begin_read, fetching[:-1])), arrived.eq(fetching[-1])]
        with m.If(fetching[-1]):
            m.d.sync += axil.rvalid.eq(1)
        with m.Elif(axil.rready):
            m.d.sync += axil.rvalid.eq(0)
        with m.If(arrived):
            m.d.sync += held.eq(bus.rdata)
        m.d.comb += axil.rdata.eq(Mux(arrived, bus.rdata, held))
        return m

    def _take(self, m: Module, name: str, payload: Value, done: Signal) -> _Held:
        """Holds what a channel has given until ``done``."""
        found = _Held(Signal(name=f"{name}_full"), Signal(name=f"{name}_full_next"),
                      Signal(len(payload), name=f"{name}_held"))
        m.d.comb += [
            getattr(self.axil, f"{name}ready").eq(~found.full),
            found.full_next.eq(Mux(found.full, ~done, getattr(self.axil, f"{name}valid"))),
        ]
        m.d.sync += found.full.eq(found.full_next)
        with m.If(~found.full & found.full_next):
            m.d.sync += found.held.eq(payload)
        return found

    def _decode(self, m: Module, name: str, address: Value, begin: Signal, *,
                writable: bool) -> Value:
        """In the cycle after ``begin`` and until the next: the byte address of then is that of a
        register, or of one that can be written. Before the first: it is."""
        values = config_values(self._config)
        aligned = ~address[:_BYTE_BITS].any()
        word = address[_BYTE_BITS:]
        found: Value = Const(0, 1)
        conditions = []
        for part in self._maps:
            found = found | is_one_of(word, part.global_addresses(values, writable=writable))
            offsets = part.port_offsets(values, writable=writable)
            if offsets:
                bits = part.port_stride.bit_length() - 1
                first = part.port_base // part.port_stride
                conditions.append(
                    (is_one_of(word[bits:], range(first, first + self._config.ports)),
                     is_one_of(word[:bits], offsets)))
        terms = []
        for number, condition in enumerate([(found,), *conditions]):
            held = Signal(1 + len(condition), name=f"{name}_found_{number}", init=-1)
            with m.If(begin):
                m.d.sync += held.eq(Cat(aligned, *condition))
            terms.append(held.all())
        return Cat(terms).any()


def _response(good: Value) -> Value:
    return Mux(good, Response.OKAY, Response.SLVERR)
