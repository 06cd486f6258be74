# SPDX-License-Identifier: Apache-2.0
"""The registers behind which the lookup tables stand, and the walk that fills these at reset."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_rtl.interfaces import TableWrite
from gavel_rtl.lib.delay import delayed
from gavel_rtl.register_fields import REGISTER_BITS

INDEX_BITS = 16
PORT_FIELD_BITS = 6


class TableRegisters(wiring.Component):
    """Direct table and hash table as registers (docs/spec.md, Registers).

    The tables themselves stand in every port's Lookup; here is one copy of their contents,
    without the addresses, for reading back.

    Parameters
    ----------
    config
        Shapes of the tables.

    Members
    -------
    route_index_selected ... fdb_data_selected
        The register addressed.
    we, wdata
        Write to the register addressed.
    re
        Read of the register addressed.
    value
        Value of the register read, 0 if it is none of these.
    ready
        ``STATUS.table_ready`` for the access of this cycle.
    write
        Writes to every copy of the tables.

    Cycle behaviour
    ---------------
    A write to an index or address register is visible in the next cycle; a write to a data
    register drives ``write`` in the same cycle, and ``value`` answers in the same. With
    ``register_stages`` both are a register, a cycle later; within, everything is a cycle ahead of
    what the specification names, ``ready`` too. After reset one entry of each table is written per
    cycle.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "route_index_selected": In(1),
            "route_data_selected": In(1),
            "fdb_index_selected": In(1),
            "fdb_addr_hi_selected": In(1),
            "fdb_addr_lo_selected": In(1),
            "fdb_data_selected": In(1),
            "we": In(1),
            "re": In(1),
            "wdata": In(REGISTER_BITS),
            "value": Out(REGISTER_BITS),
            "ready": Out(1),
            "write": Out(TableWrite(config)),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        write = self.write
        if config.register_stages:
            write = TableWrite(config).create(path=("write_next",))
            m.d.sync += [getattr(self.write, name).eq(getattr(write, name))
                         for name in write.signature.members]
        route_index, fdb_index = Signal(INDEX_BITS), Signal(INDEX_BITS)
        fdb_addr_hi, fdb_addr_lo = Signal(16), Signal(32)
        route_fits, fdb_fits = (Signal(name=f"{name}_fits", init=1) for name in ("route", "fdb"))
        total: Value = Const(0, REGISTER_BITS)
        for register, selected in (
            (route_index, self.route_index_selected),
            (fdb_index, self.fdb_index_selected),
            (fdb_addr_hi, self.fdb_addr_hi_selected),
            (fdb_addr_lo, self.fdb_addr_lo_selected),
        ):
            with m.If(self.we & selected):
                m.d.sync += register.eq(self.wdata[:len(register)])
            total = total | Mux(selected, register, 0)
        for fits, selected, entries in (
            (route_fits, self.route_index_selected, config.id_entries),
            (fdb_fits, self.fdb_index_selected, config.fdb_entries),
        ):
            with m.If(self.we & selected):
                m.d.sync += fits.eq(self.wdata[:INDEX_BITS] < entries)

        walk = self._walk(m, write.ready)
        m.d.comb += self.ready.eq(write.ready)
        port = self.wdata[:PORT_FIELD_BITS]
        with m.If(write.ready):
            m.d.comb += [
                write.route_we.eq(self.we & self.route_data_selected & route_fits),
                write.route_index.eq(route_index),
                write.fdb_we.eq(self.we & self.fdb_data_selected & fdb_fits),
                write.fdb_index.eq(fdb_index),
                write.fdb_address.eq(Cat(fdb_addr_lo, fdb_addr_hi)),
                write.entry_valid.eq(self.wdata[-1] & (port < config.ports)),
                write.entry_port.eq(port),
            ]
        with m.Else():
            m.d.comb += [
                write.route_we.eq(walk < config.id_entries),
                write.route_index.eq(walk),
                write.fdb_we.eq(walk < config.fdb_entries),
                write.fdb_index.eq(walk),
                write.entry_valid.eq(walk < config.ports),
                write.entry_port.eq(Mux(walk < config.ports, walk, 0)),
            ]
        # What the copies take and show is as late as what leaves.
        entry = Cat(self.write.entry_port, self.write.entry_valid)
        asked = self.re & write.ready
        route = self._copy(m, "route", config.id_entries, self.write.route_we,
                           self.write.route_index, entry,
                           self._next(route_index, self.route_index_selected),
                           route_fits, asked & self.route_data_selected)
        fdb = self._copy(m, "fdb", max(2, config.fdb_entries), self.write.fdb_we,
                         self.write.fdb_index, Mux(self.write.ready, entry, 0),
                         self._next(fdb_index, self.fdb_index_selected),
                         fdb_fits, asked & self.fdb_data_selected)
        plain = delayed(m, Mux(self.re, total, 0), "plain", config.register_stages)
        m.d.comb += self.value.eq(plain | route | fdb)
        return m

    def _next(self, index: Signal, selected: Signal) -> Value:
        """``index`` as it will be in the next cycle; with ``register_stages`` as it is."""
        if self._config.register_stages:
            return index
        return Mux(self.we & selected, self.wdata[:len(index)], index)

    def _walk(self, m: Module, ready: Signal) -> Signal:
        """Counts the cycles after reset, and raises ``ready`` when the tables are filled."""
        last = self._config.table_init_cycles - 1 - self._config.register_stages
        walk = Signal(range(last + 1))
        with m.If(walk == last):
            m.d.sync += ready.eq(1)
        with m.Else():
            m.d.sync += walk.eq(walk + 1)
        return walk

    def _copy(self, m: Module, name: str, entries: int, enable: Signal, index: Signal,
              entry: Value, chosen_next: Value, fits: Signal, asked: Value) -> Signal:
        """What the chosen entry held one cycle earlier, in the form of a data register; 0 if that
        is not asked for. The memory is slow: it is read as an entry is chosen, into a register."""
        bits = self._config.port_bits
        m.submodules[f"{name}_copy"] = copy = memory.Memory(
            shape=1 + bits, depth=entries, init=[])
        write = copy.write_port()
        read = copy.read_port(transparent_for=(write,))
        fitted = Signal(name=f"{name}_fitted")
        held = Signal(1 + bits, name=f"{name}_held")
        m.d.sync += [fitted.eq(fits), held.eq(read.data)]
        m.d.comb += [
            write.en.eq(enable),
            write.addr.eq(index),
            write.data.eq(entry),
            read.addr.eq(chosen_next),
        ]
        data = Signal(REGISTER_BITS, name=f"{name}_data")
        shown = Cat(held[:bits], Const(0, REGISTER_BITS - 1 - bits), held[bits])
        shows = delayed(m, fitted & asked, f"{name}_shows", self._config.register_stages)
        m.d.comb += data.eq(Mux(shows, shown, 0))
        return data
