# SPDX-License-Identifier: Apache-2.0
"""What the harnesses share: free inputs, symbolic constants, claims."""

from __future__ import annotations

from typing import Any

from amaranth.asserts import AnyConst, AnySeq
from amaranth.hdl import Assert, Assume, Cover, Elaboratable, Module, ResetSignal, Signal, Value

from gavel_model.config import SwitchConfig
from gavel_tb.formal.design import Fault


class Harness(Elaboratable):  # type: ignore[misc]  # Amaranth has no types
    """A block with assertions; `build` fills the module `m`.

    Parameters
    ----------
    config
        Of the block.
    fault
        Makes the block wrong, to see that the assertions notice.
    resets
        The reset is a free input, too; without, it is 0 after the initial state.
    """

    resets = True

    def __init__(self, config: SwitchConfig, fault: Fault | None = None) -> None:
        self.config = config
        self.fault = fault
        self.reaches = False

    def elaborate(self, platform: object) -> Module:
        """The module, for Amaranth."""
        self.m = Module()
        self.build()
        if not self.resets:
            self.m.d.comb += Assume(~ResetSignal())
        return self.m

    def build(self) -> None:
        """Fills `m`."""
        raise NotImplementedError

    def anything(self, shape: Any, name: str) -> Any:
        """A signal that may have any value in each cycle."""
        signal = Signal(shape, name=name)
        self.m.d.comb += Value.cast(signal).eq(AnySeq(Value.cast(signal).shape()))
        return signal

    def constant(self, shape: Any, name: str) -> Any:
        """A signal that may have any value, the same in all cycles: what is proved with it holds
        for each value."""
        signal = Signal(shape, name=name)
        self.m.d.comb += Value.cast(signal).eq(AnyConst(Value.cast(signal).shape()))
        return signal

    def let(self, name: str, shape: Any, value: Any) -> Any:
        """A named signal with a value."""
        signal = Signal(shape, name=name)
        self.m.d.comb += signal.eq(value)
        return signal

    def after(self, cycles: int) -> Signal:
        """1 from cycle ``cycles`` on."""
        passed = Signal(range(cycles + 1), name="cycles_passed")
        done = Signal(name=f"after_{cycles}")
        self.m.d.comb += done.eq(passed == cycles)
        with self.m.If(~done):
            self.m.d.sync += passed.eq(passed + 1)
        return done

    def claim(self, message: str, condition: Any) -> None:
        """Must hold in every cycle."""
        found = Assert(condition)
        # What smtbmc names when the claim fails.
        found.src_loc = message.replace(" ", "_"), 0
        self.m.d.comb += found

    def reach(self, message: str, condition: Any) -> None:
        """Can happen within the depth of the proof: claims about nothing prove nothing."""
        self.reaches = True
        found = Cover(condition)
        found.src_loc = message.replace(" ", "_"), 0
        self.m.d.comb += found

    def suppose(self, condition: Any) -> None:
        """The surroundings of the block keep this rule in every cycle."""
        self.m.d.comb += Assume(condition)


def implies(condition: Any, consequence: Any) -> Value:
    """1 unless ``condition`` holds and ``consequence`` does not."""
    return ~Value.cast(condition).bool() | Value.cast(consequence).bool()
