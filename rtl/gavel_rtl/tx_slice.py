# SPDX-License-Identifier: Apache-2.0
"""Registers between the transmit pins of a port and XGMII."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_rtl.interfaces import TxLink
from gavel_rtl.preamble import check_byte
from gavel_rtl.xgmii import LANES, KnownOfWord

_WORD = ("sop", "eop", "err", "empty", "llr", "seq", "data")
"""Members of a link that come with ``valid``."""


class TxSlice(wiring.Component):
    """Two places for words and two for ordered sets (docs/xgmii.md, TxSlice).

    Parameters
    ----------
    config
        W.

    Members
    -------
    pins
        Transmit pins of the switch.
    link
        The same towards `XgmiiTx`.
    ready_next
        ``pins.ready`` of the next cycle; after reset it is 1.
    known
        Of the word on ``link``, which has ``sop`` with ``valid`` only.

    Cycle behaviour
    ---------------
    What is taken from ``pins`` is on ``link`` in the next cycle, if it need not wait; words of a
    frame without a gap. Sets and frames keep their order, and a set and a first word are never on
    ``link`` together. ``up`` is not delayed. Both ``ready`` of ``pins`` are registers. Empty after
    reset.
    """

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "pins": In(TxLink(config)),
            "link": Out(TxLink(config)),
            "ready_next": Out(1),
            "known": Out(KnownOfWord()),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        pins = self.pins
        self._ready, self._ctl_ready = (Signal(name=name, init=1)
                                        for name in ("takes_word", "takes_set"))
        # The complement, for this side: what the switch waits for has no other load, and synthesis
        # does not make one register of the two.
        self._full = Signal(name="second_word")
        self._second_set_next = Signal(name="second_set_next")
        first_stays = self._words(m, self._sets(m))
        m.d.comb += [
            self.link.up.eq(pins.up),
            pins.ready.eq(self._ready),
            pins.ctl_ready.eq(self._ctl_ready),
        ]
        m.d.sync += self._ctl_ready.eq(~self._second_set_next & ~first_stays)
        return m

    def _sets(self, m: Module) -> Value:
        """Returns whether a set will be in the slice in the next cycle."""
        pins, link = self.pins, self.link
        second = Signal(name="second_set")
        second_ctl = Signal.like(pins.ctl, name="second_ctl")
        moves, taken = Signal(name="set_moves"), Signal(name="set_taken")
        m.d.comb += [
            moves.eq(~link.ctl_valid | link.ctl_ready),
            taken.eq(pins.ctl_valid & self._ctl_ready),
            self._second_set_next.eq(~moves & (second | taken)),
        ]
        m.d.sync += second.eq(self._second_set_next)
        # Whether it is taken does not matter for what is in a place that is empty.
        with m.If(~second):
            m.d.sync += second_ctl.eq(pins.ctl)
        with m.If(moves):
            m.d.sync += [link.ctl_valid.eq(second | taken),
                         link.ctl.eq(Mux(second, second_ctl, pins.ctl))]
        return second | taken | ~moves

    def _words(self, m: Module, set_stays: Value) -> Value:
        """Returns whether a first word will be in the slice in the next cycle."""
        pins, link, known = self.pins, self.link, self.known
        moves, comes, waits = (Signal(name=f"word_{name}") for name in ("moves", "comes", "waits"))
        m.d.comb += moves.eq(~link.valid | link.ready)
        full = self._full
        coming = {}
        for name in _WORD:
            pin = Value.cast(getattr(pins, name))
            second = Signal.like(pin, name=f"second_{name}")
            coming[name] = Mux(full, second, pin)
            # A place that is empty takes what is on the pins, whether that goes on or not.
            m.d.sync += second.eq(coming[name])
        m.d.comb += [
            comes.eq(full | pins.valid),
            waits.eq(coming["sop"] & set_stays),
        ]
        shown = comes & ~waits
        check = check_byte(m, coming["seq"])
        with m.If(moves):
            m.d.sync += [Value.cast(getattr(link, name)).eq(coming[name]) for name in _WORD]
            m.d.sync += [
                link.valid.eq(shown),
                link.sop.eq(coming["sop"] & ~set_stays),
                known.good.eq(shown & ~coming["err"]),
                known.kept.eq(Cat(~coming["eop"] | (coming["empty"] < LANES - lane)
                                  for lane in range(LANES))),
                known.check.eq(check),
            ]
        full_next = comes & (~moves | waits)
        m.d.comb += self.ready_next.eq(~full_next)
        m.d.sync += [full.eq(full_next), self._ready.eq(self.ready_next)]
        return coming["sop"] | (~moves & link.sop)
