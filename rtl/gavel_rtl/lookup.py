# SPDX-License-Identifier: Apache-2.0
"""Static forwarding tables of a port."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.profiles import FABRIC_PREFIX
from gavel_rtl.interfaces import Fields, Route, TableWrite
from gavel_rtl.lib.delay import delayed

_ADDRESS_BITS = 48
_ID_BITS = 16
_COMPARED = 2
"""Bits of an address that are compared before the register behind the memories: with those of
the destination, what a look-up table of four inputs takes."""


class Lookup(wiring.Component):
    """Port's copy of the direct table and of the hash table (spec chapter 6).

    Members
    -------
    fields
        Destination, in t+2.
    write
        Table write, and whether the tables have come to their reset contents.
    route
        Answer, in t+3, with ``store_stages`` = 2 in t+4, and with 3 in t+5.

    Cycle behaviour
    ---------------
    t+2: both tables are read, at the ID and at the CRC of the address; a write of the same cycle
    is not seen. t+3: the entries are compared with the destination. While ``write.ready`` as of
    t+2 is 0 the answer is that of the reset contents: ID n < P to port n. With
    ``store_stages`` = 2 what is found of each entry goes through a register: block RAM of an FPGA
    shows its data late, and one small look-up table fits behind it. With 3 the entries themselves
    go through one before they are looked at, and so does which of them is the right one.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "fields": In(Fields(config)),
            "write": In(TableWrite(config)),
            "route": Out(Route(config)),
        })

    def elaborate(self, platform):
        config = self._config
        m = Module()
        self._behind_entries = int(config.store_stages > 1)
        self._behind_memories = int(config.store_stages > 2)
        ready = Signal(name="ready_q")
        m.d.sync += ready.eq(self.write.ready)
        self._ready = self._late(m, ready, "ready_q")
        direct_hit, direct_port = self._direct(m)
        ways = self._hash(m)
        hit, port = Signal(), Signal(config.port_bits)
        with m.If(direct_hit):
            m.d.comb += [hit.eq(1), port.eq(direct_port)]
        hash_hit = Signal()
        m.d.comb += hash_hit.eq(Cat(way_hit for way_hit, _ in ways).any())
        for way_hit, way_port in reversed(ways):
            with m.If(way_hit):
                m.d.comb += port.eq(way_port)
        with m.If(hash_hit):
            m.d.comb += hit.eq(1)
        m.d.comb += [self.route.hit.eq(hit), self.route.port.eq(port)]
        return m

    def _late(self, m: Module, value: Value, name: str) -> Value:
        """What is to be seen together with an entry that has gone through a register."""
        return delayed(m, value, name, self._behind_memories)

    def _direct(self, m):
        """The direct table: IDs, and addresses that stand for IDs."""
        config = self._config
        fields = self.fields
        entry = data.StructLayout({"valid": unsigned(1), "port": unsigned(config.port_bits)})
        m.submodules.direct_table = table = Memory(shape=entry, depth=config.id_entries, init=[])
        self._fill(m, table.write_port(), enable=self.write.route_we,
                   index=self.write.route_index, valid=self.write.entry_valid)
        read = table.read_port()
        prefix = Mux(fields.is_address, FABRIC_PREFIX, 0)
        in_range = Signal()
        reset_hit = Signal()
        reset_port = Signal(config.port_bits)
        m.d.comb += read.addr.eq(fields.dst[:config.id_bits])
        m.d.sync += [
            in_range.eq((fields.dst[_ID_BITS:] == prefix)
                        & (fields.dst[config.id_bits:_ID_BITS] == 0)),
            reset_hit.eq(fields.dst[:config.id_bits] < config.ports),
            reset_port.eq(fields.dst[:config.port_bits]),
        ]
        hit = Signal(name="direct_hit")
        port = Signal(config.port_bits, name="direct_port")
        m.d.comb += [
            hit.eq(self._late(m, in_range, "in_range")
                   & Mux(self._ready, self._late(m, read.data.valid, "direct_valid"),
                         self._late(m, reset_hit, "reset_hit"))),
            port.eq(Mux(self._ready, self._late(m, read.data.port, "direct_entry_port"),
                        self._late(m, reset_port, "reset_port"))),
        ]
        return (delayed(m, hit, "direct_hit", self._behind_entries),
                delayed(m, port, "direct_port", self._behind_entries))

    def _hash(self, m):
        """The hash table: for each way, whether it holds the address, and its port."""
        config = self._config
        fields = self.fields
        write = self.write
        address = Signal(_ADDRESS_BITS)
        is_address = Signal()
        m.d.sync += [
            address.eq(fields.address),
            is_address.eq(fields.is_address & write.ready),
        ]
        looked_up = self._late(m, address, "address")
        asked = self._late(m, is_address, "is_address")
        write_set, write_way = self._split(m)
        entry = data.StructLayout({
            "port": unsigned(config.port_bits),
            "valid": unsigned(1),
            "address": unsigned(_ADDRESS_BITS),
        })
        ways = []
        for way in range(config.fdb_ways):
            m.submodules[f"hash_way_{way}"] = table = Memory(
                shape=entry, depth=config.fdb_sets, init=[])
            port = table.write_port()
            self._fill(m, port, enable=write.fdb_we & (write_way == way), index=write_set,
                       valid=write.entry_valid & write.ready)
            m.d.comb += port.data.address.eq(write.fdb_address)
            read = table.read_port()
            m.d.comb += read.addr.eq(fields.hash)
            held = self._late(m, read.data.address, f"way_{way}_address")
            same = Cat((held ^ looked_up).word_select(n, _COMPARED) == 0
                       for n in range(_ADDRESS_BITS // _COMPARED))
            found = Cat(asked & self._late(m, read.data.valid, f"way_{way}_valid"), same)
            if self._behind_memories:
                # There is time for all of it.
                found = found.all()
            hit = Signal(name=f"way_{way}_hit")
            m.d.comb += hit.eq(
                delayed(m, found, f"way_{way}_found", self._behind_entries).all())
            entry_port = self._late(m, read.data.port, f"way_{way}_entry_port")
            ways.append((hit, delayed(m, entry_port, f"way_{way}_port", self._behind_entries)))
        return ways

    def _fill(self, m, port, *, enable, index, valid):
        m.d.comb += [
            port.en.eq(enable),
            port.addr.eq(index),
            port.data.valid.eq(valid),
            port.data.port.eq(self.write.entry_port),
        ]

    def _split(self, m):
        """Set and way of ``fdb_index``, an entry number: quotient and remainder by the ways."""
        config = self._config
        index = self.write.fdb_index
        ways = config.fdb_ways
        write_set = Signal(range(max(2, config.fdb_sets)))
        write_way = Signal(range(max(2, ways)))
        # A product with the rounded-up reciprocal is exact for this many bits of numerator.
        shift = len(index) + 2
        reciprocal = -(-(1 << shift) // ways)
        m.d.comb += [
            write_set.eq((index * reciprocal) >> shift),
            write_way.eq(index - write_set * ways),
        ]
        return write_set, write_way
