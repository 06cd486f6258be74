# SPDX-License-Identifier: Apache-2.0
"""Whether the credits for one more longest frame are there."""

from collections.abc import Sequence
from itertools import pairwise

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import MIN_FRAME_BYTES, SwitchConfig
from gavel_model.register_map import CREDIT_BITS
from gavel_rtl.credits import cost, cost_bits
from gavel_rtl.flow_interfaces import CreditSize, FlowSettings
from gavel_rtl.voq import one_word_frames

_UNTIL_SUMMED = 1
"""Cycles from ``used`` to its sum."""


class CreditGate(wiring.Component):
    """*fits* of each VC of an output (docs/flow_control.md, Sender).

    How much may be in use is worked out one cycle ahead, once without and once with a match in
    that cycle. So ``fits`` needs but one comparison of each, and a match only chooses. (``>=`` is
    one carry chain, ``<=`` is synthesized as one and a comparison for equality.) With
    ``gate_stages`` = 2 it is compared with room for every number of matches that there may be, and
    in the next cycle their number chooses: a match comes through a register, and meets no sum.

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
    vc_before
        One-hot: VC of the match for this output in the cycle before; 0 without one.
    fits
        Bit v: the credits for a longest frame of VC v are there.
    overdrawn
        Bit v: it needs them, and there are none behind the match of the cycle before, which
        ``fits`` of that cycle does not know. Only with ``gate_stages`` = 1 and where a frame may be
        a single word, else 0: without, the output is busy.

    Cycle behaviour
    ---------------
    ``fits`` is combinational from registers, ``total``, ``used`` and ``vc_before``. It sees the
    limits and the costs of the cycle before, and matches up to it; with ``gate_stages`` = 1 costs
    of two cycles before. With 2 it is of registers and ``total`` as of the cycle before, sees
    ``used`` and ``total`` of the cycle before, limits of two and costs of four before, and matches
    up to two before. ``overdrawn`` is a function of two registers and ``vc_before``. After
    reset nothing fits for as many cycles.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "settings": In(FlowSettings(config)),
            "used": In(CREDIT_BITS).array(config.vcs),
            "vc_before": In(config.vcs),
            "fits": Out(config.vcs),
            "overdrawn": Out(config.vcs),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # Matches of so many cycles are not in ``used`` yet.
        self._cycles = self._config.match_to_egress + min(self._config.gate_stages, 1)
        if self._config.gate_stages > 1:
            self._in_two_steps(m)
        else:
            self._in_one_step(m)
        return m

    def _in_one_step(self, m: Module) -> None:
        settings, vcs = self.settings, self._config.vcs
        # Matches that are not known in the cycle of the comparison.
        self._unknown = self._config.gate_stages if one_word_frames(self._config) else 0
        self._longest = self._frames(m)

        alone = [Signal(vcs, name=f"fit_alone_after_{n}") for n in range(self._unknown + 1)]
        own, any_sender = Signal(vcs), Signal()
        for vc in range(vcs):
            name, used = f"vc{vc}", self.used[vc]
            history = self._history(m, name, self.vc_before[vc], self._cycles)
            rooms = self._rooms(m, name, settings.limit[vc], history, len(used))
            m.d.comb += [own[vc].eq(history[0]),
                         *(fits[vc].eq(Mux(history[0], after >= used, room >= used))
                           for fits, (room, after) in zip(alone, pairwise(rooms), strict=True))]

        total, sender_before = self._total(m), Signal(vcs)
        m.d.sync += sender_before.eq(settings.sender)
        history = self._history(
            m, "total", (self.vc_before & sender_before).any(), self._cycles + _UNTIL_SUMMED)
        together = [Signal(name=f"fit_together_after_{n}") for n in range(self._unknown + 1)]
        rooms = self._rooms(m, "total", settings.total_limit, history, len(total))
        m.d.comb += [
            any_sender.eq(history[0]),
            *(fits.eq(Mux(history[0], after >= total, room >= total))
              for fits, (room, after) in zip(together, pairwise(rooms), strict=True)),
            self.fits.eq(Mux(settings.total, together[0].replicate(vcs), alone[0])),
        ]
        if self._unknown:
            last_of_own, last_of_all = Signal(vcs), Signal(vcs)
            m.d.sync += [
                last_of_own.eq(Mux(settings.total, 0, settings.sender & ~alone[1])),
                last_of_all.eq(Mux(settings.total & ~together[1], settings.sender, 0)),
            ]
            m.d.comb += self.overdrawn.eq(
                (last_of_own & own) | (last_of_all & any_sender.replicate(vcs)))

    def _in_two_steps(self, m: Module) -> None:
        settings, vcs = self.settings, self._config.vcs
        self._unknown = 0
        self._longest = self._frames(m)
        before = Signal(vcs, name="matched_before")
        sender_before, sender_earlier = Signal(vcs), Signal(vcs)
        with_sender = Signal(name="total_matched_before")
        total = self._total(m)
        is_total, together, alone = Signal(), Signal(), Signal(vcs)
        m.d.sync += [
            before.eq(self.vc_before),
            sender_before.eq(settings.sender),
            sender_earlier.eq(sender_before),
            is_total.eq(settings.total),
        ]
        m.d.comb += with_sender.eq((before & sender_earlier).any())
        for vc in range(vcs):
            m.d.comb += alone[vc].eq(self._fits_behind(
                m, f"vc{vc}", before[vc], self._cycles, settings.limit[vc], self.used[vc]))
        m.d.comb += [
            together.eq(self._fits_behind(m, "total", with_sender, self._cycles + _UNTIL_SUMMED,
                                          settings.total_limit, total)),
            self.fits.eq(Mux(is_total, together.replicate(vcs), alone)),
        ]

    def _total(self, m: Module) -> Signal:
        """What was in use of all VCs with credits in the cycle before."""
        vcs = self._config.vcs
        total = Signal(CREDIT_BITS + (vcs - 1).bit_length(), name="total")
        m.d.sync += total.eq(sum(Mux(self.settings.sender[vc], self.used[vc], 0)
                                 for vc in range(vcs)))
        return total

    def _fits_behind(self, m: Module, name: str, before: Value, cycles: int, limit: Value,
                     used: Value) -> Value:
        """Whether a frame fits behind the matches of ``cycles``, ``before`` of the last one."""
        most = self._most(cycles)
        fits = []
        for number in range(most + 1):
            room = Signal(signed(len(used) + 1), init=-1, name=f"{name}_room_{number}")
            fit = Signal(name=f"{name}_fits_behind_{number}")
            m.d.sync += [room.eq(limit - self._longest[number + 1]), fit.eq(room >= used)]
            fits.append(fit)
        # Bit n: n + 2 cycles before.
        earlier = Signal(cycles - 2, name=f"{name}_matched_earlier")
        some_earlier, far, two_earlier = (Signal(name=f"{name}_{what}") for what in (
            "some_earlier", "some_far", "two_earlier"))
        # As they will be in the next cycle.
        shifted = [before, *earlier]
        words = self._config.words_per_cell
        m.d.sync += [earlier.eq(Cat(shifted[:-1])), some_earlier.eq(Cat(shifted).any())]
        fitting = Mux(before | some_earlier, fits[1], fits[0])
        if most == 1:
            return fitting
        # Two matches are a shortest frame apart.
        pairs = [late & early for n, late in enumerate(shifted) for early in shifted[n + words:]]
        m.d.sync += [far.eq(Cat(shifted[words - 1:]).any()),
                     two_earlier.eq(Cat(pairs).any() if pairs else 0)]
        return Mux((before & far) | two_earlier, fits[2], fitting)

    def _most(self, cycles: int) -> int:
        """Frames that can be matched to one output in so many cycles."""
        return -(-cycles * self._config.word_bytes // MIN_FRAME_BYTES)

    def _frames(self, m: Module) -> dict[int, Signal]:
        """What so many longest frames cost."""
        bits = cost_bits(self._config)
        late = min(self._config.gate_stages, 1)
        cycles = self._cycles + _UNTIL_SUMMED + self._unknown
        longest = {n: Signal(bits + n.bit_length(), name=f"longest_{n}")
                   for n in range(1, self._most(cycles) + 2)}
        size = self.settings.sender_size
        if self._config.gate_stages > 1:
            # Registers of the gate's own: many look at those of the setting.
            size = CreditSize().create(path=("sender_size_before",))
            m.d.sync += [size.exponent.eq(self.settings.sender_size.exponent),
                         size.overhead.eq(self.settings.sender_size.overhead)]
        m.d["sync" if late else "comb"] += longest[1].eq(cost(
            Const(self._config.max_frame_bytes, self._config.length_bits), size))
        for number, signal in longest.items():
            if number > 1:
                m.d.comb += signal.eq(sum(
                    Cat(Const(0, bit), longest[1]) if bit else longest[1]
                    for bit in range(number.bit_length()) if number >> bit & 1))
        return longest

    @staticmethod
    def _history(m: Module, name: str, before: Value, cycles: int) -> list[Signal]:
        """Matches of the cycles before, the last one, ``before``, first, but for the earliest."""
        history = [Signal(name=f"{name}_matched_{n}_before") for n in range(1, cycles)]
        m.d.comb += history[0].eq(before)
        m.d.sync += [later.eq(value) for value, later in pairwise(history)]
        return history

    def _rooms(self, m: Module, name: str, limit: Value, history: Sequence[Signal],
               bits: int) -> list[Signal]:
        """What may be in use in this cycle, at most, of ``bits`` bits, negative if nothing may:
        without a match in the cycle before, with one, and where that is unknown with one in this
        cycle, too."""
        most = min(self._most(len(history) + 1), len(history) + 1)
        earlier = Signal(range(len(history)), name=f"{name}_earlier")
        m.d.comb += earlier.eq(sum(history[1:]))
        largest = min(most, len(history) - 1)
        # The cycle before is the last to be known of.
        needs = []
        for more in range(3 + self._unknown):
            need = Signal.like(self._longest[most + self._unknown + 1], name=f"{name}_need_{more}")
            with m.Switch(earlier):
                for number in range(largest + 1):
                    with m.Case(number) if number < largest else m.Default():
                        m.d.comb += need.eq(self._longest[min(
                            number + more, most + min(self._unknown, max(0, more - 1))) + 1])
            needs.append(need)
        rooms = []
        for suffix, needed in zip(("", "_after_match", "_after_matches"), pairwise(needs),
                                  strict=False):
            room = Signal(signed(bits + 1), init=-1, name=f"{name}_room{suffix}")
            m.d.sync += room.eq(limit - Mux(history[0], needed[1], needed[0]))
            rooms.append(room)
        return rooms
