# SPDX-License-Identifier: Apache-2.0
"""Which register of a port is addressed, decoded once for all ports."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from gavel_model.config import MAX_VCS, SwitchConfig
from gavel_model.register_map import Port
from gavel_rtl.counters import CounterSelect
from gavel_rtl.flow_interfaces import VC_COUNTS, FlowSelect
from gavel_rtl.port_registers import EACH, PortSelect

_VC_BITS = (MAX_VCS - 1).bit_length()


class PortAccess(wiring.Signature):
    """The register of a port that is addressed.

    Members
    -------
    select
        One that can be written, or LLR_STATUS.
    counter
        A counter.
    flow
        A read-only register of flow control.
    """

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "select": Out(PortSelect(config)),
            "counter": Out(CounterSelect()),
            "flow": Out(FlowSelect(config)),
        })


def decode(m: Module, config: SwitchConfig, offset: Value, once: Value) -> wiring.PureInterface:
    """Registers that say what was addressed in the cycle before; ``once`` is decoded already."""
    access = PortAccess(config).create(path=("port",))
    _decode_counter(m, access.counter, offset)
    chosen, flow = access.select, access.flow
    group, vc = offset[_VC_BITS:], offset[:_VC_BITS]
    m.d.sync += [
        chosen.once.eq(once),
        chosen.each.eq(Cat(group == register >> _VC_BITS for register in EACH)),
        chosen.llr_status.eq(offset == Port.LLR_STATUS),
        flow.status.eq(offset == Port.CBFC_STATUS),
        flow.vc_count.eq(Cat(group == register >> _VC_BITS for register in VC_COUNTS)),
        flow.vc.eq(Cat(vc == number for number in range(config.vcs))),
    ]
    m.d.comb += chosen.vc.eq(flow.vc)
    return access


def _decode_counter(m: Module, chosen: wiring.PureInterface, offset: Value) -> None:
    """The counters begin where a row of them does."""
    place_bits = len(chosen.place)
    place, row = offset[:place_bits], offset[place_bits:]
    first = Port.COUNTERS >> place_bits
    at, of_row = Signal(1 << place_bits), Signal(len(chosen.row))
    m.d.comb += [
        at.eq(1 << place),
        of_row.eq(Cat(row == first + number for number in range(len(of_row)))),
    ]
    m.d.sync += [
        chosen.place.eq(place),
        chosen.row.eq(of_row),
        chosen.counter.eq(Cat(at & of_row[number].replicate(len(at))
                              for number in range(len(of_row)))),
    ]


def hold(m: Module, config: SwitchConfig, access: wiring.PureInterface, name: str, *,
         reads: Value, writes: Value) -> wiring.PureInterface:
    """The access of one port a cycle later: nothing if it is of another, and counters and flow
    control only if it reads."""
    held = PortAccess(config).create(path=(name,))
    for part, wanted in (("select", reads | writes), ("counter", reads), ("flow", reads)):
        now, later = getattr(access, part), getattr(held, part)
        m.d.sync += [getattr(later, member).eq(Mux(wanted, getattr(now, member), 0))
                     for member in later.signature.members]
    return held
