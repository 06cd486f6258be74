# SPDX-License-Identifier: Apache-2.0
"""Timers of the transmit side of link-level retry."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gavel_model.config import TIMER_BITS, SwitchConfig
from gavel_rtl.lib.collisions import NO_COLLISION
from gavel_rtl.llr_interfaces import LlrSettings
from gavel_rtl.replay_buffer import frame_index_bits

_LONGEST = (1 << TIMER_BITS) - 1
_JUST_SENT = 2
"""Age of a frame when it is looked at for the first time."""


class LlrTimers(wiring.Component):
    """Time without progress, without a link, and age of the oldest frame (docs/llr.md, 6.4).

    Parameters
    ----------
    config
        ``replay_frames``.

    Members
    -------
    settings
        Registers as visible in the cycle.
    up
        The link is up.
    in_advance, running
        The state is ADVANCE; ADVANCE or REPLAY.
    coming_up
        The state is INIT or FLUSH.
    changing
        The state changes in this cycle, otherwise than between ADVANCE and REPLAY.
    outstanding
        A frame is outstanding.
    progress
        An ACK moves ``oldest`` in this cycle.
    acked_after
        Index of the oldest frame outstanding in the next cycle, if there is one then.
    drained
        If there is one, it is the frame that is launched in this cycle.
    sent, newest_frame
        A frame has been launched for the first time, and its index.
    no_progress
        The replay timer has run out.
    lost
        ``down_time`` has reached PCS_LOST.
    too_old
        The oldest frame is too old.

    Cycle behaviour
    ---------------
    The three results are combinational from registers, and count only in the states of their
    rules. ``sent_at`` is read one cycle before its answer is turned into an age, which is a
    register: it counts if ``oldest`` is still the same frame then.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "settings": In(LlrSettings(config)),
            "up": In(1),
            "in_advance": In(1),
            "running": In(1),
            "coming_up": In(1),
            "changing": In(1),
            "outstanding": In(1),
            "progress": In(1),
            "acked_after": In(frame_index_bits(config)),
            "drained": In(1),
            "sent": In(1),
            "newest_frame": In(frame_index_bits(config)),
            "no_progress": Out(1),
            "lost": Out(1),
            "too_old": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._time_replay(m)
        self._time_link(m)
        self._time_frames(m)
        return m

    @staticmethod
    def _count(m: Module, timer: Signal) -> None:
        with m.If(timer != _LONGEST):
            m.d.sync += timer.eq(timer + 1)

    def _time_replay(self, m: Module) -> None:
        limit = self.settings.replay_timer
        replay_time = Signal(TIMER_BITS)
        with m.If(~self.in_advance | ~self.outstanding | self.progress):
            m.d.sync += replay_time.eq(0)
        with m.Elif(self.up):
            self._count(m, replay_time)
        m.d.comb += self.no_progress.eq(limit.any() & (replay_time >= limit))

    def _time_link(self, m: Module) -> None:
        limit = self.settings.pcs_lost
        down_time = Signal(TIMER_BITS)
        with m.If(~self.changing & (self.coming_up | (self.running & ~self.up))):
            self._count(m, down_time)
        with m.Else():
            m.d.sync += down_time.eq(0)
        m.d.comb += self.lost.eq(limit.any() & (down_time >= limit))

    def _time_frames(self, m: Module) -> None:
        limit = self.settings.data_age
        # What is read of a frame while it is written does not count: it is two cycles old.
        m.submodules.sent_at = sent_at = Memory(
            shape=TIMER_BITS, depth=1 << frame_index_bits(self._config), init=[],
            attrs=NO_COLLISION)
        write, read = sent_at.write_port(), sent_at.read_port()
        # Memories are slow: nothing but a subtraction goes before the register.
        now, after_now = Signal(TIMER_BITS), Signal(TIMER_BITS, init=1)
        age = Signal(TIMER_BITS)
        sent_in_last, sent_before = Signal(), Signal()
        same, reached = Signal(), Signal()
        m.d.sync += [
            now.eq(after_now),
            after_now.eq(after_now + 1),
            same.eq(self.outstanding & ~self.progress),
            sent_in_last.eq(self.sent & self.drained),
            sent_before.eq(sent_in_last),
            # Of the next cycle.
            age.eq(after_now - read.data),
        ]
        m.d.comb += [
            write.addr.eq(self.newest_frame),
            write.data.eq(now),
            write.en.eq(self.sent),
            read.addr.eq(self.acked_after),
            reached.eq(Mux(sent_before, limit <= _JUST_SENT, age >= limit)),
            self.too_old.eq(limit.any() & same & self.outstanding & ~self.progress & reached),
        ]
