# SPDX-License-Identifier: Apache-2.0
"""Control ordered sets of link-level retry: the one place where they are made and read."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.ordered_set import DATA_BITS, VALUE_BITS, Kind
from gavel_model.pins import CTL_BITS
from gavel_rtl.lib.crc8 import CRC8_BITS, crc8
from gavel_rtl.llr_interfaces import ControlSet

_BODY_BITS = CTL_BITS - CRC8_BITS
_NIBBLE = 0x6
"""Low nibble of D4; v stands above it."""


def _byte(ctl: Value, number: int) -> Value:
    """D1...D7."""
    return ctl[8 * (number - 1):8 * number]


class OrderedSetWriter(wiring.Component):
    """Puts an ordered set together (docs/llr.md, Control ordered sets).

    Members
    -------
    kind
        D1.
    value, data
        v, and the init data, which must be 0 in ACK and NACK.
    protect
        D7 is the CRC-8, and not 0.
    ctl
        D1...D7, D1 in bits 7:0.

    Cycle behaviour
    ---------------
    Combinational.
    """

    def __init__(self):
        super().__init__({
            "kind": In(Kind),
            "value": In(VALUE_BITS),
            "data": In(DATA_BITS),
            "protect": In(1),
            "ctl": Out(CTL_BITS),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        value = self.value
        body = Signal(_BODY_BITS)
        m.d.comb += [
            body.eq(Cat(Value.cast(self.kind), Const(0, 8 - len(Value.cast(self.kind))),
                        value[12:20], value[4:12], Const(_NIBBLE, 4), value[:4],
                        self.data[8:], self.data[:8])),
            self.ctl.eq(Cat(body, Mux(self.protect, crc8(body), 0))),
        ]
        return m


class OrderedSetReader(wiring.Component):
    """Tells what a received ordered set says (docs/llr.md, Control ordered sets).

    Members
    -------
    present, ctl
        An ordered set is on the pins in t, and it.
    protect
        As visible in t+2: D7 must be the CRC-8, and not 0.
    received
        What it was, in t+2.

    Cycle behaviour
    ---------------
    t: sampled. t+1: everything is compared, and registered. t+2: one of two checks is chosen.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "present": In(1),
            "ctl": In(CTL_BITS),
            "protect": In(1),
            "received": Out(ControlSet(config)),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        received = self.received
        present = Signal(name="present_q")
        ctl = Signal(CTL_BITS, name="ctl_q")
        value = Signal(VALUE_BITS)
        data = Signal(DATA_BITS)
        fits = Signal()
        m.d.sync += [present.eq(self.present), ctl.eq(self.ctl)]
        m.d.comb += [
            value.eq(Cat(_byte(ctl, 4)[4:], _byte(ctl, 3), _byte(ctl, 2))),
            data.eq(Cat(_byte(ctl, 6), _byte(ctl, 5))),
            fits.eq((_byte(ctl, 4)[:4] == _NIBBLE) & ~value[self._config.seq_bits:].any()),
        ]

        came, guarded, plain, valid = Signal(), Signal(), Signal(), Signal()
        m.d.sync += [
            came.eq(present),
            guarded.eq(_byte(ctl, 7) == crc8(ctl[:_BODY_BITS])),
            plain.eq(_byte(ctl, 7) == 0),
            received.value.eq(value),
            received.following.eq(value + 1),
            received.data.eq(data),
        ]
        m.d.comb += valid.eq(Mux(self.protect, guarded, plain))
        known = []
        for kind, shown, says_data in (
            (Kind.ACK, received.ack, False),
            (Kind.NACK, received.nack, False),
            (Kind.INIT, received.init, True),
            (Kind.INIT_ECHO, received.init_echo, True),
        ):
            found = Signal(name=f"is_{kind.name.lower()}")
            m.d.sync += found.eq(
                present & fits & (_byte(ctl, 1) == kind) & (says_data | ~data.any()))
            m.d.comb += shown.eq(found & valid)
            known.append(shown)
        m.d.comb += received.unknown.eq(came & ~Cat(known).any())
        return m
