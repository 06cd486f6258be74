# SPDX-License-Identifier: Apache-2.0
"""Static forwarding tables of a port."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.profiles import FABRIC_PREFIX
from gavel_rtl.interfaces import Fields, Route, TableWrite
from gavel_rtl.lib.collisions import NO_COLLISION
from gavel_rtl.lib.delay import delayed

_ADDRESS_BITS = 48
_ID_BITS = 16
_COMPARED = 2
"""Bits of an address, or of the number of an entry, that are compared before a register: with those
of the other one, what a look-up table of four inputs takes."""

_PARTS = 2
"""Of a comparison with an entry that comes from a register. Block RAM is far away: what is left
of the comparison stands behind the next register, in one look-up table with two ports of which it
chooses one."""


def _same(one: Value, other: Value) -> Value:
    """For each few bits of two values of the same width, whether they are equal."""
    return Cat((one ^ other)[low:low + _COMPARED] == 0 for low in range(0, len(one), _COMPARED))


class _Table:
    """A memory of entries, read in t+2, and the register behind it if there is one.

    With that register a write goes through one, too, and nothing stands between them: that the
    write that comes to the memory in t+2 is of the entry that is read shows beside the entry. That
    register is far away, since it is one for all ports: a few bits are compared in t+2.

    Parameters
    ----------
    m
        Where it stands.
    name
        Of the memory.
    entry, depth
        Fields and number of entries.
    read
        Which one is read.
    enable, index, content
        The write.
    late
        There is the register.

    Attributes
    ----------
    entry
        What the memory has, in t+3, with ``late`` in t+4.
    collides, collided
        With ``late``, in t+3 and in t+4: what was written is to be taken instead.
    """

    def __init__(self, m: Module, name: str, entry: data.StructLayout, depth: int, *, read: Value,
                 enable: Value, index: Value, content: dict[str, Value], late: int):
        self._m, self._name, self._late = m, name, late
        m.submodules[name] = memory = Memory(
            shape=entry, depth=depth, init=[], attrs=NO_COLLISION if late else {})
        port, read_port = memory.write_port(), memory.read_port()
        self._write = port
        m.d.comb += [
            port.en.eq(delayed(m, enable, f"{name}_enable", late)),
            port.addr.eq(delayed(m, index, f"{name}_index", late)),
            *(port.data[field].eq(delayed(m, value, f"{name}_{field}", late))
              for field, value in content.items()),
            read_port.addr.eq(read),
        ]
        self.entry: Any = read_port.data
        self.collides = Signal(name=f"{name}_collides")
        self.collided = Signal(name=f"{name}_collided")
        if late:
            # Looked at only for a destination, and there is none after reset.
            self.entry = Signal(entry, name=f"{name}_entry", reset_less=True)
            same = delayed(m, Cat(port.en, _same(port.addr, read)), f"{name}_same", 1)
            m.d.comb += self.collides.eq(same.all())
            m.d.sync += [
                Value.cast(self.entry).eq(Value.cast(read_port.data)),
                self.collided.eq(self.collides),
            ]

    def written(self, field: str, cycles: int) -> Value:
        """What is written of a field, so many cycles after t+2."""
        return delayed(self._m, self._write.data[field], f"{self._name}_written_{field}", cycles)

    def seen(self, field: str) -> Value:
        """A field of the entry."""
        held: Value = self.entry[field]
        return Mux(self.collided, self.written(field, 2), held) if self._late else held


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
    go through one before they are looked at, and so does which of them is the right one; the
    destination waits for them in a register.
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
        m.d.comb += [hit.eq(direct_hit), port.eq(direct_port)]
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
        """The direct table, for IDs, and addresses that stand for IDs: whether it has a port, and
        that, or 0."""
        config = self._config
        fields, write, late = self.fields, self.write, self._behind_memories
        table = _Table(
            m, "direct_table",
            data.StructLayout({"valid": unsigned(1), "port": unsigned(config.port_bits)}),
            config.id_entries, read=fields.dst[:config.id_bits], enable=write.route_we,
            index=write.route_index,
            content={"valid": write.entry_valid, "port": write.entry_port}, late=late)
        dst, is_address = fields.dst, fields.is_address
        if late:
            # After reset there is none that would be found.
            dst, is_address = Signal(_ADDRESS_BITS, name="dst", init=-1), Signal()
            m.d.sync += [dst.eq(fields.dst), is_address.eq(fields.is_address)]
        prefix = Mux(is_address, FABRIC_PREFIX, 0)
        in_range = Signal()
        reset_hit = Signal()
        reset_port = Signal(config.port_bits)
        m.d.sync += [
            in_range.eq((dst[_ID_BITS:] == prefix) & (dst[config.id_bits:_ID_BITS] == 0)),
            reset_hit.eq(dst[:config.id_bits] < config.ports),
            reset_port.eq(dst[:config.port_bits]),
        ]
        hit = Signal(name="direct_hit")
        port = Signal(config.port_bits, name="direct_port")
        m.d.comb += [
            hit.eq(in_range & Mux(self._ready, table.seen("valid"), reset_hit)),
            port.eq(Mux(hit, Mux(self._ready, table.seen("port"), reset_port), 0)),
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
        write_set, write_way = self._split(m)
        entry = data.StructLayout({
            "port": unsigned(config.port_bits),
            "valid": unsigned(1),
            "address": unsigned(_ADDRESS_BITS),
        })
        ways = []
        for way in range(config.fdb_ways):
            table = _Table(
                m, f"hash_way_{way}", entry, config.fdb_sets, read=fields.hash,
                enable=write.fdb_we & (write_way == way), index=write_set,
                content={"valid": write.entry_valid & write.ready, "port": write.entry_port,
                         "address": write.fdb_address}, late=self._behind_memories)
            found = Cat(table.entry.valid, _same(table.entry.address, looked_up))
            if not self._behind_memories:
                found = Cat(found, is_address)
            else:
                # What stands beside the entry is two bits of which none needs another: the entry
                # counts, and what was written is to be found instead.
                counts, was_written = (
                    Signal(name=f"way_{way}_{name}") for name in ("counts", "written"))
                same_written = delayed(
                    m, Cat(table.written("valid", 0),
                           _same(table.written("address", 0), fields.address)),
                    f"way_{way}_same", 1)
                m.d.sync += [
                    counts.eq(is_address & ~table.collides),
                    was_written.eq(is_address & table.collides & same_written.all()),
                ]
                found = was_written.replicate(_PARTS) | Cat(
                    counts & found[part::_PARTS].all() for part in range(_PARTS))
            hit = Signal(name=f"way_{way}_hit")
            m.d.comb += hit.eq(
                delayed(m, found, f"way_{way}_found", self._behind_entries).all())
            ways.append((hit, delayed(m, table.seen("port"), f"way_{way}_port",
                                      self._behind_entries)))
        return ways

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
