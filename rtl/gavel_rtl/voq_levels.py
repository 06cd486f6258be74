# SPDX-License-Identifier: Apache-2.0
"""How full the VOQs of an input are, and were at most."""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_rtl.telemetry_interfaces import TABLE_BITS, Observation, TableRead
from gavel_rtl.voq import voq_number_bits


class VoqLevels(wiring.Component):
    """Cells in each VOQ of an input, and the most since the watermarks were cleared
    (docs/telemetry.md, table 3).

    The cells filed and the cells opened are two cyclic totals of each VOQ, each written from one
    side only; what is in the VOQ is their difference.

    Parameters
    ----------
    config
        P, V, the number of cells.

    Members
    -------
    seen
        What was observed in the cycle before; no frame is opened that was not filed.
    clear
        The watermarks were cleared in the cycle before: they forget ``seen``, too.
    read
        The entry wanted.
    value
        It; 0 if no entry of this table is wanted.

    Cycle behaviour
    ---------------
    ``seen`` shows in the next cycle; ``value`` follows ``read`` in the same. The watermark of a VOQ
    that gains a frame as it loses one sees both. After reset everything is 0.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "seen": In(Observation(config)),
            "clear": In(1),
            "read": In(TableRead()),
            "value": Out(TABLE_BITS),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config, seen = self._config, self.seen
        bits = config.count_bits
        shown = Signal(voq_number_bits(config))
        m.d.comb += shown.eq(self.read.entry[1:])
        filed, opened, marks = (_Words(m, name, config.voqs, bits)
                                for name in ("filed", "opened", "marks"))
        filed_after, level, most = (Signal(bits, name=name)
                                    for name in ("filed_after", "level", "most"))
        m.d.comb += [
            filed_after.eq(filed.read(seen.filed_voq) + seen.filed_cells),
            level.eq(filed.read(shown) - opened.read(shown)),
        ]
        filed.write(seen.filed, seen.filed_voq, filed_after)
        opened.write(seen.opened, seen.opened_voq,
                     opened.read(seen.opened_voq) + seen.opened_cells)
        # The level that a frame has made, which is compared with the watermark in the next cycle.
        made = Signal()
        made_voq = Signal.like(shown)
        made_level = Signal(bits)
        exceeds = Signal()
        m.d.sync += [
            made.eq(seen.filed & ~self.clear),
            made_voq.eq(seen.filed_voq),
            made_level.eq(filed_after - opened.read(seen.filed_voq)),
        ]
        m.d.comb += [
            exceeds.eq(made & (made_level > marks.read(made_voq))),
            most.eq(Mux(exceeds & (made_voq == shown), made_level, marks.read(shown))),
        ]
        marks.write(exceeds, made_voq, made_level)
        marks.forget(self.clear)
        wanted = self.read.voq & ~self.read.entry[1 + len(shown):].any()
        m.d.comb += self.value.eq(Mux(
            wanted, Mux(self.read.entry[0], most, level), 0))
        return m


class _Words:
    """A memory made of LUTs whose words are 0 until they are written, after reset."""

    def __init__(self, m: Module, name: str, depth: int, bits: int):
        self._m = m
        m.submodules[name] = self._memory = Memory(shape=bits, depth=depth, init=[])
        self._written = Signal(depth, name=f"{name}_written")

    def read(self, address: Value) -> Value:
        port = self._memory.read_port(domain="comb")
        self._m.d.comb += port.addr.eq(address)
        return Mux(self._written.bit_select(address, 1), port.data, 0)

    def write(self, enable: Value, address: Value, value: Value) -> None:
        port = self._memory.write_port()
        self._m.d.comb += [port.addr.eq(address), port.data.eq(value), port.en.eq(enable)]
        self._m.d.sync += self._written.eq(self._written | enable << address)

    def forget(self, everything: Value) -> None:
        """From the next cycle on all words are 0 again."""
        with self._m.If(everything):
            self._m.d.sync += self._written.eq(0)
