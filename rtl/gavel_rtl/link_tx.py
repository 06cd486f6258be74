# SPDX-License-Identifier: Apache-2.0
"""The transmit pins: two output registers."""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.pins import CTL_BITS
from gavel_rtl.interfaces import TxLink
from gavel_rtl.llr_interfaces import LaunchedWord

_FROM_MEMORY = "empty", "data"


class LinkTx(wiring.Component):
    """Drives the transmit pins of a port (docs/spec.md, LlrTransmitter and LinkTx).

    Parameters
    ----------
    config
        W, ``launch_stages``.
    ready_known
        ``ready`` of the pins is known a cycle ahead, and 1 after reset.

    Members
    -------
    word
        Word to send, all 0 without one; it counts in a cycle with ``word_free``. With
        ``launch_stages`` = 1 ``empty`` and ``data`` mean nothing without one.
    word_free
        The frame register is empty or taken in this cycle. With ``ready_known`` a register.
    ready_next
        With ``ready_known``: ``link.ready`` of the next cycle.
    ctl_load, ctl
        Ordered set to send, all 0 without one; it counts in a cycle with ``ctl_free``.
    ctl_free
        The ordered-set register is empty or taken in this cycle.
    enable
        Bit 0 of register ``CONTROL``, sent as ``up``.
    link
        The pins.

    Cycle behaviour
    ---------------
    What is given is on the pins in the next cycle, and stays until it is taken. ``up`` follows
    ``enable``. After reset both registers are empty.
    """

    def __init__(self, config: SwitchConfig, *, ready_known: bool = False):
        self._config = config
        self._ready_known = ready_known
        super().__init__({
            "word": In(LaunchedWord(config)),
            "word_free": Out(1),
            **({"ready_next": In(1)} if ready_known else {}),
            "ctl_load": In(1),
            "ctl": In(CTL_BITS),
            "ctl_free": Out(1),
            "enable": In(1),
            "link": Out(TxLink(config)),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        link = self.link
        empty = ~link.valid
        m.d.comb += [
            self.ctl_free.eq(~link.ctl_valid | link.ctl_ready),
            link.up.eq(self.enable),
        ]
        shown = {name: Value.cast(getattr(link, name)) for name in self.word.signature.members}
        if self._config.launch_stages:
            if not self._ready_known:
                # What is free decides much, and late in the cycle: that register has no other load.
                # Synthesis does not make one of it and its complement.
                empty = Signal(name="empty", init=1)
                with m.If(self.word_free):
                    m.d.sync += empty.eq(~self.word.valid)
            # Registers right behind block RAM, which can be those that it has.
            for name in _FROM_MEMORY:
                held = Signal(len(shown[name]), name=f"{name}_held", reset_less=True)
                m.d.comb += shown[name].eq(Mux(link.valid, held, 0))
                shown[name] = held
        if self._ready_known:
            free = Signal(name="free", init=1)
            m.d.sync += free.eq(self.ready_next | (free & ~self.word.valid))
        else:
            free = empty | link.ready
        m.d.comb += self.word_free.eq(free)
        with m.If(self.word_free):
            m.d.sync += [register.eq(getattr(self.word, name)) for name, register in shown.items()]
        with m.If(self.ctl_free):
            m.d.sync += [link.ctl_valid.eq(self.ctl_load), link.ctl.eq(self.ctl)]
        return m
