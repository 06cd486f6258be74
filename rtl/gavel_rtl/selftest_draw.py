# SPDX-License-Identifier: Apache-2.0
"""Decides what frames a self-test generator sends: length, destination, class."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.selftest_format import (
    CLASS_DRAW,
    DESTINATION_DRAW,
    DRAW_BITS,
    LENGTH_DRAW,
    XORSHIFT,
    FrameFormat,
)
from gavel_rtl.lib.one_hot import encode
from gavel_rtl.lib.round_robin import pick, pointer_after
from gavel_rtl.selftest_interfaces import PlannedFrame, SelfTestSettings


def _bits(draw: Value, where: tuple[int, int]) -> Value:
    first, width = where
    return draw[first:first + width]


def xorshift(m: Module, draw: Signal) -> Value:
    """The draw after this one (Marsaglia, Xorshift RNGs, 2003)."""
    for n, shift in enumerate(XORSHIFT):
        moved = draw << shift if shift > 0 else draw >> -shift
        stage = Signal(DRAW_BITS, name=f"xorshift_{n}")
        m.d.comb += stage.eq(draw ^ moved[:DRAW_BITS])
        draw = stage
    return draw


class SelfTestDraw(wiring.Component):
    """One planned frame after the other (docs/selftest.md, chapters 4 and 5).

    Parameters
    ----------
    config
        P, the header profile, `max_frame_bytes`.

    Members
    -------
    settings
        Registers as visible in the cycle.
    on, step, taken
        As in the specification; ``frame`` is taken by F in this cycle.
    frame
        Register D2.
    draw
        Register X.

    Cycle behaviour
    ---------------
    With ``on`` = 0 everything begins anew. Else, in a cycle with ``step`` in which D2 is empty or
    taken, X goes to D1 and D1 to D2. So a frame can be taken in each cycle, from the third cycle of
    ``on`` on.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        self._classes = FrameFormat(config).classes
        super().__init__({
            "settings": In(SelfTestSettings(config)),
            "on": In(1),
            "step": In(1),
            "taken": In(1),
            "frame": Out(PlannedFrame(config)),
            "draw": Out(DRAW_BITS, init=1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config, settings = self._config, self.settings
        advance, valid = Signal(), Signal()
        destination, class_ = Signal(config.ports), Signal(self._classes)
        next_destination, next_class = Signal.like(destination), Signal.like(class_)
        extra = Signal(config.length_bits)
        m.d.comb += advance.eq(self.step & (~self.frame.valid | self.taken))
        self._choose(m, destination, class_, next_destination, next_class)
        span = Signal(config.length_bits + 1)
        m.d.comb += span.eq(Mux(settings.longest > settings.shortest,
                                settings.longest - settings.shortest, 0) + 1)
        first, width = LENGTH_DRAW
        scaled = (self.draw[first:first + width] * span)[width:]
        following = xorshift(m, self.draw)
        with m.If(~self.on):
            m.d.sync += [
                self.draw.eq(Cat(settings.seed[0] | ~settings.seed.any(), settings.seed[1:])),
                valid.eq(0),
                self.frame.valid.eq(0),
                destination.eq(0),
                class_.eq(0),
            ]
        with m.Elif(advance):
            m.d.sync += [
                self.draw.eq(following),
                valid.eq(1),
                destination.eq(next_destination),
                class_.eq(next_class),
                extra.eq(scaled),
                self.frame.valid.eq(valid),
                self.frame.destination.eq(encode(destination, config.port_bits)),
                self.frame.class_.eq(encode(class_, config.vc_bits)),
                self.frame.length.eq(settings.shortest + extra - 1),
            ]
        return m

    def _choose(self, m: Module, last: Signal, last_class: Signal, chosen: Signal,
                class_: Signal) -> None:
        """Destination and class that X decides, one-hot, behind those of D1 (0 at first)."""
        settings = self.settings
        behind, from_class = Signal.like(last), Signal.like(last_class)
        around = Signal()
        m.d.comb += [
            behind.eq(Mux(settings.order, self._from_draw(last, DESTINATION_DRAW),
                          pointer_after(last))),
            chosen.eq(pick(settings.destinations, behind)),
            # In turn, a destination that is not above the last one.
            around.eq((chosen & ~pointer_after(last)).any()),
            from_class.eq(Mux(settings.order, self._from_draw(last_class, CLASS_DRAW),
                              pointer_after(last_class) | Mux(around, 0, last_class))),
            class_.eq(pick(settings.classes, from_class)),
        ]

    def _from_draw(self, one_of: Signal, where: tuple[int, int]) -> Value:
        """Mask of the members at or after a random one."""
        count = len(one_of)
        number = (_bits(self.draw, where) * count)[where[1]:]
        return Cat(number <= n for n in range(count))
