# SPDX-License-Identifier: Apache-2.0
"""Control ordered sets: the one place where they are made and read."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.ordered_set import CF_BITS, CF_UPDATE, DATA_BITS, VALUE_BITS, VC_BITS, Kind
from gavel_model.pins import CTL_BITS
from gavel_rtl.flow_interfaces import CreditEntries, CreditUpdate
from gavel_rtl.lib.crc8 import CRC8_BITS, crc8
from gavel_rtl.lib.delay import delayed
from gavel_rtl.llr_interfaces import ControlSet

_BODY_BITS = CTL_BITS - CRC8_BITS
_NIBBLE = 0x6
"""Low nibble of D4; v stands above it."""


def _byte(ctl: Value, number: int) -> Value:
    """D1...D7."""
    return ctl[8 * (number - 1):8 * number]


_CHECK_PLACES = (*range(48, 52), 38, 39, 14, 15)
"""Where the check bits of CF_Update stand in D1...D7, bit 0 of the check first: in D7, and in the
upper bits of the VCs of entry 1 and of entry 0."""

_CHECKED_VC_BITS = 3


def _check_mask() -> Const:
    """1 where a check bit of CF_Update stands."""
    return Const(sum(1 << place for place in _CHECK_PLACES), CTL_BITS)


class OrderedSetWriter(wiring.Component):
    """Puts an ordered set together (docs/llr.md, Control ordered sets; docs/flow_control.md,
    CF_Update).

    Members
    -------
    kind
        D1.
    value, data
        v, and the init data, which must be 0 in ACK and NACK.
    is_credits, credits
        It is a CF_Update, with these entries, and not one of ``kind``. VCs have three bits.
    protect
        There is a CRC-8 in it, and not 0.
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
            "is_credits": In(1),
            "credits": In(CreditEntries()),
            "protect": In(1),
            "ctl": Out(CTL_BITS),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        value, entries = self.value, self.credits
        body = Signal(_BODY_BITS)
        retry_set, credit_set = Signal(CTL_BITS), Signal(CTL_BITS)
        content, check = Signal(CTL_BITS), Signal(CRC8_BITS)
        first, second = Signal(VALUE_BITS), Signal(VALUE_BITS)
        m.d.comb += [
            first.eq(Cat(entries.freed, entries.vc)),
            second.eq(Cat(entries.second_freed, entries.second_vc)),
            content.eq(Cat(Const(CF_UPDATE, 8), first[12:], first[4:12],
                           Const(_NIBBLE, 4), first[:4], second[12:], second[4:12],
                           Const(0, 4), second[:4])),
            check.eq(crc8(content)),
            credit_set.eq(content | Mux(self.protect, self._placed(check), 0)),
            body.eq(Cat(Value.cast(self.kind), Const(0, 8 - len(Value.cast(self.kind))),
                        value[12:20], value[4:12], Const(_NIBBLE, 4), value[:4],
                        self.data[8:], self.data[:8])),
            retry_set.eq(Cat(body, Mux(self.protect, crc8(body), 0))),
            self.ctl.eq(Mux(self.is_credits, credit_set, retry_set)),
        ]
        return m

    @staticmethod
    def _placed(check: Signal) -> Value:
        """The check bits of a CF_Update where they stand."""
        places = {place: check[bit] for bit, place in enumerate(_CHECK_PLACES)}
        return Cat(places.get(place, Const(0, 1)) for place in range(CTL_BITS))


class OrderedSetReader(wiring.Component):
    """Tells what a received ordered set says (docs/llr.md, Control ordered sets;
    docs/flow_control.md, CF_Update).

    Members
    -------
    present, ctl
        An ordered set is on the pins in t, and it.
    coming_protect
        As visible in the next cycle, and so in r what is needed in r-1: there must be the CRC-8,
        and not 0.
    received, credits
        What it was, in r = t + 2 + ``receive_stages``; ``credits`` if it was a CF_Update.

    Cycle behaviour
    ---------------
    t: everything is compared, and registered. r-1: one of two checks is chosen; with
    ``receive_stages`` = 1 they are registers. All outputs but ``coming`` and those that
    begin so are registers.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "present": In(1),
            "ctl": In(CTL_BITS),
            "coming_protect": In(1),
            "received": Out(ControlSet(config)),
            "credits": Out(CreditUpdate()),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        received, ctl = self.received, self.ctl
        present = Signal(name="present_q")
        value, value_before = Signal(VALUE_BITS), Signal(self._config.seq_bits, name="value_q")
        data, data_before = Signal(DATA_BITS), Signal(DATA_BITS, name="data_q")
        fits = Signal()
        coming = self._late(m, value_before, "value_q")
        m.d.comb += [
            value.eq(Cat(_byte(ctl, 4)[4:], _byte(ctl, 3), _byte(ctl, 2))),
            data.eq(Cat(_byte(ctl, 6), _byte(ctl, 5))),
            fits.eq((_byte(ctl, 4)[:4] == _NIBBLE) & ~value[self._config.seq_bits:].any()),
            received.coming.eq(coming),
        ]
        if self._config.receive_stages:
            m.d.comb += received.coming_next.eq(value_before)
        m.d.sync += [
            present.eq(self.present),
            value_before.eq(value),
            data_before.eq(data),
            received.value.eq(coming),
            received.data.eq(self._late(m, data_before, "data_q")),
        ]

        guarded, plain = self._checks(m, "", _byte(ctl, 7) ^ crc8(ctl[:_BODY_BITS]), _byte(ctl, 7))
        known = []
        for kind, shown, says_data in (
            (Kind.ACK, received.ack, False),
            (Kind.NACK, received.nack, False),
            (Kind.INIT, received.init, True),
            (Kind.INIT_ECHO, received.init_echo, True),
        ):
            found = Signal(name=f"is_{kind.name.lower()}")
            valid = Signal(name=f"{kind.name.lower()}_valid")
            m.d.sync += found.eq(
                self.present & fits & (_byte(ctl, 1) == kind) & (says_data | ~data.any()))
            m.d.comb += valid.eq(self._late(m, found, f"is_{kind.name.lower()}")
                                 & Mux(self.coming_protect, guarded, plain))
            m.d.sync += shown.eq(valid)
            known.append(valid)
        m.d.comb += [
            received.coming_ack.eq(known[0]),
            received.coming_nack.eq(known[1]),
            received.coming_init.eq(known[2]),
        ]
        known.append(self._read_credits(m))
        m.d.sync += received.unknown.eq(self._late(m, present, "present_q") & ~Cat(known).any())
        return m

    def _late(self, m: Module, value: Value, name: str) -> Value:
        """In r-1 what is known in t+1."""
        return delayed(m, value, name, self._config.receive_stages)

    def _checks(self, m: Module, name: str, differs: Value, check: Value) -> tuple[Value, Value]:
        """r-1: the check bits are right; they are 0. ``differs``: in t, where they are not."""
        syndrome, bits = Signal(CRC8_BITS, name=f"{name}syndrome"), Signal(len(check))
        guarded, plain = Signal(name=f"{name}guarded"), Signal(name=f"{name}plain")
        m.d.sync += [syndrome.eq(differs), bits.eq(check)]
        m.d.comb += [guarded.eq(~syndrome.any()), plain.eq(~bits.any())]
        return self._late(m, guarded, f"{name}guarded"), self._late(m, plain, f"{name}plain")

    def _read_credits(self, m: Module) -> Signal:
        """A CF_Update; returns that it is one, in r-1."""
        update, ctl = self.credits, self.ctl
        content, check = Signal(CTL_BITS), Signal(CRC8_BITS)
        found, valid = Signal(name="credits_found"), Signal(name="credits_valid")
        m.d.comb += [
            content.eq(ctl & ~_check_mask()),
            check.eq(Cat(ctl[place] for place in _CHECK_PLACES)),
        ]
        guarded, plain = self._checks(m, "credits_", check ^ crc8(content), _byte(ctl, 7)[:4])
        m.d.sync += found.eq(
            self.present & (_byte(ctl, 1) == CF_UPDATE) & (_byte(ctl, 4)[:4] == _NIBBLE))
        m.d.comb += valid.eq(self._late(m, found, "credits_found")
                             & Mux(self.coming_protect, guarded, plain))
        m.d.sync += update.valid.eq(valid)
        for name, number in (("", 2), ("second_", 5)):
            freed_shown, vc_shown = (getattr(update, name + member) for member in ("freed", "vc"))
            freed = Signal(len(freed_shown), name=f"{name}freed_q")
            vc = Signal(VC_BITS, name=f"{name}vc_q")
            late_vc = self._late(m, vc, f"{name}vc_q")
            m.d.sync += [
                freed.eq(Cat(_byte(ctl, number + 2)[4:], _byte(ctl, number + 1),
                             _byte(ctl, number))),
                vc.eq(_byte(ctl, number)[CF_BITS - 12:]),
                freed_shown.eq(self._late(m, freed, f"{name}freed_q")),
                vc_shown.eq(Mux(self.coming_protect, late_vc[:_CHECKED_VC_BITS], late_vc)),
            ]
        return valid
