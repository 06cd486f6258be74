# SPDX-License-Identifier: Apache-2.0
"""Whether the credits for one more longest frame are there."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import MIN_FRAME_BYTES, SwitchConfig
from gavel_model.register_map import CREDIT_BITS
from gavel_rtl.credits import cost, cost_bits
from gavel_rtl.flow_interfaces import FlowSettings

_VC_CYCLES = 3
_TOTAL_CYCLES = 4
"""Matches of so many cycles are not in ``used``, or in its sum, yet."""


class CreditGate(wiring.Component):
    """*fits* of each VC of an output (docs/flow_control.md, Sender).

    How much may be in use is worked out one cycle ahead, once without and once with a match in
    that cycle. So ``fits`` needs but one comparison, and a match only chooses.

    Parameters
    ----------
    config
        W, V and the longest frame.

    Members
    -------
    settings
        Registers as visible in the cycle.
    used
        Credits in use, for each VC.
    matched_vc
        One-hot: VC of the match for this output in this cycle; 0 without one.
    fits
        Bit v: the credits for a longest frame of VC v are there.

    Cycle behaviour
    ---------------
    ``fits`` is combinational from registers, ``total`` and ``used``. It sees the limits and the
    costs of the cycle before, and matches up to it. After reset nothing fits for one cycle.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "settings": In(FlowSettings(config)),
            "used": In(CREDIT_BITS).array(config.vcs),
            "matched_vc": In(config.vcs),
            "fits": Out(config.vcs),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        settings, vcs = self.settings, self._config.vcs
        self._longest = self._frames(m)

        fit_alone = Signal(vcs)
        for vc in range(vcs):
            name, used = f"vc{vc}", self.used[vc]
            history = self._history(m, name, self.matched_vc[vc], _VC_CYCLES)
            m.d.comb += fit_alone[vc].eq(
                used <= self._bound(m, name, settings.limit[vc], history, len(used)))

        total = Signal(CREDIT_BITS + (vcs - 1).bit_length())
        fit_together = Signal()
        history = self._history(
            m, "total", (self.matched_vc & settings.sender).any(), _TOTAL_CYCLES)
        m.d.sync += total.eq(sum(Mux(settings.sender[vc], self.used[vc], 0)
                                 for vc in range(vcs)))
        m.d.comb += [
            fit_together.eq(total <= self._bound(
                m, "total", settings.total_limit, history, len(total))),
            self.fits.eq(Mux(settings.total, fit_together.replicate(vcs), fit_alone)),
        ]
        return m

    def _most(self, cycles: int) -> int:
        """Frames that can be matched to one output in so many cycles."""
        return -(-cycles * self._config.word_bytes // MIN_FRAME_BYTES)

    def _frames(self, m: Module) -> dict[int, Signal]:
        """What so many longest frames cost."""
        bits = cost_bits(self._config)
        longest = {n: Signal(bits + n.bit_length(), name=f"longest_{n}")
                   for n in range(1, self._most(_TOTAL_CYCLES) + 2)}
        m.d.comb += longest[1].eq(cost(
            Const(self._config.max_frame_bytes, self._config.length_bits),
            self.settings.sender_size))
        for number, signal in longest.items():
            if number > 1:
                m.d.comb += signal.eq(sum(
                    Cat(Const(0, bit), longest[1]) if bit else longest[1]
                    for bit in range(number.bit_length()) if number >> bit & 1))
        return longest

    @staticmethod
    def _history(m: Module, name: str, matched: Value, cycles: int) -> list[Signal]:
        """``matched`` in the cycles before, the last one first, but for the earliest."""
        history = [Signal(name=f"{name}_matched_{n}_before") for n in range(1, cycles)]
        for value, later in zip([matched, *history], history, strict=False):
            m.d.sync += later.eq(value)
        return history

    def _bound(self, m: Module, name: str, limit: Value, history: Sequence[Signal],
               bits: int) -> Value:
        """What may be in use in this cycle, at most, of ``bits`` bits; negative if nothing may."""
        most = min(self._most(len(history) + 1), len(history) + 1)
        before = Signal(range(len(history) + 1), name=f"{name}_before")
        without = Signal.like(self._longest[most + 1], name=f"{name}_without_match")
        with_match = Signal.like(without, name=f"{name}_with_match")
        m.d.comb += before.eq(sum(history))
        with m.Switch(before):
            largest = min(most, len(history))
            for number in range(largest + 1):
                with m.Case(number) if number < largest else m.Default():
                    m.d.comb += [
                        without.eq(self._longest[number + 1]),
                        with_match.eq(self._longest[min(number + 1, most) + 1]),
                    ]
        room = Signal(signed(bits + 1), init=-1, name=f"{name}_room")
        room_after_match = Signal.like(room, init=-1, name=f"{name}_room_after_match")
        m.d.sync += [room.eq(limit - without), room_after_match.eq(limit - with_match)]
        return Mux(history[0], room_after_match, room)
