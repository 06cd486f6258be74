# SPDX-License-Identifier: Apache-2.0
"""The registers of link-level retry of a port."""

from collections.abc import Mapping

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import TIMER_BITS, SwitchConfig
from gavel_model.ordered_set import DATA_BITS
from gavel_model.pins import SEQ_BITS
from gavel_model.register_map import (
    LLR_CONTROL_BITS,
    LLR_CONTROL_RESET,
    SPACING_BITS,
    LlrControl,
    Port,
    refused_bits,
)
from gavel_rtl.llr_interfaces import REPLAY_COUNT_BITS, LlrSettings

REGISTER_BITS = 32
LLR_STATUS_BITS = 16
LLR_REGISTERS = (
    Port.LLR_CONTROL, Port.LLR_WINDOW_FRAMES, Port.LLR_WINDOW_CELLS, Port.LLR_REPLAY_TIMER,
    Port.LLR_PCS_LOST, Port.LLR_DATA_AGE, Port.LLR_REPLAY_COUNT, Port.LLR_SPACING,
    Port.LLR_INIT_SEQ, Port.LLR_INIT_DATA, Port.LLR_STATUS,
)
"""In the order of the bits of ``selected``."""

_FRAMES_BITS = 20
_CELLS_BITS = 17


class LlrRegisters(wiring.Component):
    """Settings of link-level retry (docs/spec.md, Registers; docs/llr.md, Settings).

    Parameters
    ----------
    config
        Reset values and limits.

    Members
    -------
    selected
        Bit n: register n of `LLR_REGISTERS` is the one addressed.
    we, wdata
        Write to the register addressed.
    status
        Value of LLR_STATUS.
    value
        Value of the register addressed, 0 if it is none of these.
    settings
        The settings.

    Cycle behaviour
    ---------------
    A write is visible in the next cycle; ``value`` is combinational.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "selected": In(len(LLR_REGISTERS)),
            "we": In(1),
            "wdata": In(REGISTER_BITS),
            "status": In(LLR_STATUS_BITS),
            "value": Out(REGISTER_BITS),
            "settings": Out(LlrSettings(config)),
        })

    def elaborate(self, platform: object) -> Module:
        config, settings = self._config, self.settings
        m = Module()
        frames, cells = config.replay_frames, config.replay_cells
        refused = refused_bits(config).get(Port.LLR_CONTROL, 0)
        control = self.wdata & ~Const(refused, REGISTER_BITS) if refused else None
        registers = {
            Port.LLR_CONTROL: self._register(
                m, "control", LLR_CONTROL_BITS, LLR_CONTROL_RESET, control),
            Port.LLR_WINDOW_FRAMES: self._register(
                m, "window_frames", frames.bit_length(), frames,
                self._limited(_FRAMES_BITS, 1, frames)),
            Port.LLR_WINDOW_CELLS: self._register(
                m, "window_cells", cells.bit_length(), cells,
                self._limited(_CELLS_BITS, config.max_frame_cells, cells)),
            Port.LLR_REPLAY_TIMER: self._register(
                m, "replay_timer", TIMER_BITS, config.replay_timer),
            Port.LLR_PCS_LOST: self._register(m, "pcs_lost", TIMER_BITS, config.pcs_lost_timer),
            Port.LLR_DATA_AGE: self._register(m, "data_age", TIMER_BITS, config.data_age_timer),
            Port.LLR_REPLAY_COUNT: self._register(
                m, "replay_count", REPLAY_COUNT_BITS, config.replay_count),
            Port.LLR_SPACING: self._register(
                m, "spacing", 2 * SPACING_BITS,
                config.ctl_min_spacing << SPACING_BITS | config.ctl_spacing, self._spacings()),
            Port.LLR_INIT_SEQ: self._register(m, "init_seq", SEQ_BITS, 0),
            Port.LLR_INIT_DATA: self._register(m, "init_data", DATA_BITS, 0),
        }
        self._show(m, registers)
        control, spacing = registers[Port.LLR_CONTROL], registers[Port.LLR_SPACING]
        m.d.comb += [
            settings.local.eq(control[LlrControl.LOCAL]),
            settings.remote.eq(control[LlrControl.REMOTE]),
            settings.init_action.eq(control[LlrControl.INIT_ACTION:]),
            settings.flush_action.eq(control[LlrControl.FLUSH_ACTION:]),
            settings.reinit.eq(control[LlrControl.REINIT]),
            settings.protect.eq(control[LlrControl.PROTECT]),
            settings.forward_poisoned.eq(control[LlrControl.FORWARD_POISONED]),
            settings.window_frames.eq(registers[Port.LLR_WINDOW_FRAMES]),
            settings.window_cells.eq(registers[Port.LLR_WINDOW_CELLS]),
            settings.replay_timer.eq(registers[Port.LLR_REPLAY_TIMER]),
            settings.pcs_lost.eq(registers[Port.LLR_PCS_LOST]),
            settings.data_age.eq(registers[Port.LLR_DATA_AGE]),
            settings.replay_count.eq(registers[Port.LLR_REPLAY_COUNT]),
            settings.spacing.eq(spacing[:SPACING_BITS]),
            settings.min_spacing.eq(spacing[SPACING_BITS:]),
            settings.init_seq.eq(registers[Port.LLR_INIT_SEQ]),
            settings.init_data.eq(registers[Port.LLR_INIT_DATA]),
        ]
        return m

    def _spacings(self) -> Value:
        """What is stored of the two spacings in ``wdata``: the upper is never above the lower."""
        spacing, least = self.wdata[:SPACING_BITS], self.wdata[SPACING_BITS:]
        return Cat(spacing, Mux(least > spacing, spacing, least))

    def _limited(self, bits: int, low: int, high: int) -> Value:
        """What is stored of ``wdata``: never below ``low`` nor above ``high``."""
        value = self.wdata[:bits]
        return Mux(value < low, low, Mux(value > high, high, value))

    def _register(self, m: Module, name: str, bits: int, reset: int,
                  stored: Value | None = None) -> Signal:
        """A register of the name LLR_``name``, that stores ``wdata`` or ``stored``."""
        register = Signal(bits, init=reset, name=name)
        number = LLR_REGISTERS.index(Port[f"LLR_{name.upper()}"])
        with m.If(self.we & self.selected[number]):
            m.d.sync += register.eq((self.wdata if stored is None else stored)[:bits])
        return register

    def _show(self, m: Module, registers: Mapping[Port, Value]) -> None:
        total: Value = Const(0, REGISTER_BITS)
        for register, selected in zip(LLR_REGISTERS, self.selected, strict=True):
            shown = registers.get(register, self.status)
            total = total | Mux(selected, shown, 0)
        m.d.comb += self.value.eq(total)
