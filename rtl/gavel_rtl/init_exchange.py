# SPDX-License-Identifier: Apache-2.0
"""The INIT that begins an agreement, and its echo."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.ordered_set import DATA_BITS
from gavel_rtl.llr_interfaces import ControlSet, InitRequest, LlrSettings


class InitExchange(wiring.Component):
    """Asks for INIT until it is answered (docs/llr.md, 6.4).

    Parameters
    ----------
    config
        S.

    Members
    -------
    settings
        Registers as visible in the cycle.
    control
        Ordered set received, cycle r.
    next
        State of `RetryState`.
    is_init, stays
        The state is INIT; and LLR is not turned off in this cycle.
    enter_init
        It is INIT in the next cycle. Known late.
    sent
        From ControlTransmitter.
    request
        Request to ControlTransmitter.
    seen
        In the next cycle, if the state is INIT then and is in this one, it has been answered.

    Cycle behaviour
    ---------------
    ``seen`` is combinational; the members of ``request`` but ``seq`` are registers.
    """

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "settings": In(LlrSettings(config)),
            "control": In(ControlSet(config)),
            "next": In(config.seq_bits),
            "is_init": In(1),
            "stays": In(1),
            "enter_init": In(1),
            "sent": In(1),
            "request": Out(InitRequest(config)),
            "seen": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        init, control = self.request, self.control
        answered, echo_seen = Signal(name="answered"), Signal(name="echo_seen")
        # Times that INIT was entered before this one; -1 until the first.
        earlier = Signal(DATA_BITS, init=-1 & (1 << DATA_BITS) - 1)
        m.d.comb += [
            answered.eq(control.init_echo & (control.value == self.next)
                        & (control.data == init.data)),
            self.seen.eq(echo_seen | answered),
            init.seq.eq(self.next),
        ]
        m.d.sync += [
            # INIT does not end well before the echo.
            init.request.eq(self.enter_init | (self.stays & ~echo_seen & ~answered)),
            # One more is added in the place below both numbers. What stands here outside of INIT is
            # for the next one, whether it begins in this cycle or not.
            init.data.eq((Cat(1, self.settings.coming.init_data)
                          + Cat(~self.is_init, earlier))[1:]),
            echo_seen.eq(self.is_init & self.seen),
        ]
        with m.If(self.enter_init):
            m.d.sync += earlier.eq(earlier + 1)
        with m.If(~self.is_init | self.sent):
            m.d.sync += init.first.eq(~self.is_init)
        return m
