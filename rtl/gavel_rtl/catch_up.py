# SPDX-License-Identifier: Apache-2.0
"""Inputs that an output has gone past too often, and serves before it goes on."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_rtl.voq import one_word_frames

BYPASS_BITS = 8


class CatchUp(wiring.Component):
    """The catch-up set of one output (docs/spec.md, Scheduler: Waiting for busy inputs).

    Parameters
    ----------
    config
        P, and whether a frame may be a single word.

    Members
    -------
    eligible
        P bits: inputs with a frame for this output that may be sent.
    inputs_free
        P bits: inputs that can be matched in this cycle.
    waiting
        A member of the set has a frame that may be sent.
    bypass_limit
        Register ``BYPASS_LIMIT``.
    matched_before
        P bits, one-hot: input of the match of the cycle before; 0 without one.
    members, members_before
        P bits: the set, and what it was in the cycle before.

    Cycle behaviour
    ---------------
    ``members`` is a function of registers and ``matched_before``; ``members_before`` is a register.
    After reset the set is empty.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        ports = config.ports
        super().__init__({
            "eligible": In(ports),
            "inputs_free": In(ports),
            "waiting": In(1),
            "bypass_limit": In(BYPASS_BITS),
            "matched_before": In(ports),
            "members": Out(ports),
            "members_before": Out(ports),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        ports = self._config.ports
        passed_by, joins = Signal(ports), Signal(ports)
        turned_on, changes, turns_back, matched = Signal(), Signal(), Signal(), Signal()
        bypass = Signal(BYPASS_BITS)
        bypass_plus_one = Signal(BYPASS_BITS + 1)
        m.d.comb += [
            matched.eq(self.matched_before.any()),
            passed_by.eq(self.eligible & ~self.inputs_free),
            turned_on.eq(self.bypass_limit.any()),
            changes.eq(self.waiting | ~turned_on | passed_by.any()),
        ]
        bypass_after, bypass_shown = Signal(BYPASS_BITS), Signal(BYPASS_BITS)
        goes_past, went_past, changed = Signal(), Signal(), Signal()
        at_last = bypass_plus_one >= self.bypass_limit
        m.d.comb += [
            bypass_after.eq(Mux(went_past, bypass + 1, 0)),
            bypass_shown.eq(Mux(matched & changed, bypass_after, bypass)),
            bypass_plus_one.eq((bypass_shown if one_word_frames(self._config) else bypass) + 1),
            goes_past.eq(~self.waiting & ~at_last),
            turns_back.eq(~self.waiting & turned_on & at_last),
            # Without a wait no member of the set can be matched, so it loses the match or nothing.
            self.members.eq((self.members_before & ~self.matched_before)
                            | Mux(matched, joins, 0)),
        ]
        m.d.sync += [
            self.members_before.eq(self.members),
            joins.eq(Mux(turns_back, passed_by, 0)),
            bypass.eq(bypass_shown),
            changed.eq(changes),
            went_past.eq(goes_past),
        ]
        return m
