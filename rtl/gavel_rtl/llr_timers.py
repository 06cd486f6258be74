# SPDX-License-Identifier: Apache-2.0
"""Timers of the transmit side of link-level retry."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, ValueLike
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import TIMER_BITS, SwitchConfig
from gavel_rtl.block import place
from gavel_rtl.frame_record import FrameRecord, frame_index_bits
from gavel_rtl.lib.sums import less_both
from gavel_rtl.llr_interfaces import LlrSettings

_LONGEST = (1 << TIMER_BITS) - 1


class SendingTimes(FrameRecord):
    """When each outstanding frame was launched for the first time, in cycles."""

    def __init__(self, config: SwitchConfig):
        super().__init__(config, TIMER_BITS)


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
        The state changes in this cycle, otherwise than between ADVANCE and REPLAY. Known late.
    into_init, out_of_init
        It becomes INIT; or ADVANCE behind it.
    outstanding
        A frame is outstanding.
    progress
        An ACK moves ``oldest`` in this cycle.
    coming, coming_next, accepted, drained, leaves, numbered, newest_frame
        As of `FrameRecord`.
    no_progress
        The replay timer has run out.
    lost
        ``down_time`` has reached PCS_LOST; in the first cycle of FLUSH and of OFF, it had before.
    changed
        ``changing`` of the cycle before.
    too_old
        The oldest frame is too old, if there is no progress in this cycle either.

    Cycle behaviour
    ---------------
    The results belong to the cycle in which they show, with the limits as visible in it, and
    count only in the states of their rules. They are registers: comparing takes most of a cycle, so
    all of it is done one cycle ahead, with the limits that will be visible then.
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
            "into_init": In(1),
            "out_of_init": In(1),
            "outstanding": In(1),
            "progress": In(1),
            "coming": In(frame_index_bits(config)),
            "coming_next": In(frame_index_bits(config)),
            "accepted": In(1),
            "drained": In(1),
            "leaves": In(1),
            "numbered": In(1),
            "newest_frame": In(frame_index_bits(config)),
            "no_progress": Out(1),
            "lost": Out(1),
            "changed": Out(1),
            "too_old": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.sync += [
            self.no_progress.eq(self._time_replay(m)),
            self.too_old.eq(self._time_frames(m)),
        ]
        self._time_link(m)
        return m

    @staticmethod
    def _time(m: Module, name: str, kept_up: Value, runs: ValueLike, limit: Value,
              restarted: ValueLike = 0) -> Value:
        """Whether a timer will have reached ``limit``, which is not 0, in the next cycle.

        ``kept_up``, which may come late: the timer does not go back to 0, which it also did in the
        cycle before if it was ``restarted``; if so, it ``runs`` or holds. What is kept of it is one
        more than its value, so that nothing has to be added before the comparison.
        """
        kept, later = (Signal(TIMER_BITS + 1, name=f"{name}_{which}", init=1)
                       for which in ("kept", "later"))
        m.d.comb += later.eq(Mux(restarted, 1, kept))
        with m.If(kept_up):
            m.d.sync += kept.eq(later + (runs & ~later[-1]))
        with m.Else():
            m.d.sync += kept.eq(1)
        # From 0 it reaches no limit but 1 in the next cycle, so that the comparison does not have
        # to wait for ``restarted``.
        return kept_up & Mux(restarted, Value.cast(runs) & (limit == 1),
                             (Cat(Const(0, 1), limit) < Cat(runs, kept)) & limit.any())

    def _time_replay(self, m: Module) -> Value:
        """Whether the replay timer will have run out."""
        waits = Signal()
        m.d.comb += waits.eq(self.in_advance & self.outstanding & ~self.progress)
        return self._time(m, "replay_time", waits, self.up, self.settings.coming.replay_timer)

    def _time_link(self, m: Module) -> None:
        runs = Signal()
        m.d.comb += runs.eq(self.coming_up | (self.running & ~self.up))
        m.d.sync += [
            self.changed.eq(self.changing),
            self.lost.eq(~self.into_init & ~self.out_of_init & self._time(
                m, "down_time", runs, Const(1, 1), self.settings.coming.pcs_lost, self.changed)),
        ]

    def _time_frames(self, m: Module) -> Value:
        """Whether the oldest frame will be too old."""
        limit = self.settings.coming.data_age
        record = place(m, "sending_times", SendingTimes(self._config))
        now, after_now = Signal(TIMER_BITS), Signal(TIMER_BITS, init=1)
        sent = record.oldest
        m.d.sync += [now.eq(after_now), after_now.eq(after_now + 1)]
        m.d.comb += [
            record.coming.eq(self.coming),
            record.coming_next.eq(self.coming_next),
            record.accepted.eq(self.accepted),
            record.drained.eq(self.drained),
            record.leaves.eq(self.leaves),
            record.numbered.eq(self.numbered),
            record.newest_frame.eq(self.newest_frame),
            record.value.eq(now),
            record.following.eq(now),
        ]
        # Age of the next cycle, less the limit: modulo 2**TIMER_BITS, and then as a number.
        wraps, reached = Signal(), Signal()
        beyond = Signal(TIMER_BITS + 2)
        m.d.comb += [
            wraps.eq(after_now < sent),
            beyond.eq(less_both(Cat(after_now, Const(0, 2)), sent, limit)),
            reached.eq(Mux(wraps, beyond[-2], ~beyond[-1])),
        ]
        # The oldest frame is the same in both cycles.
        return self.outstanding & ~self.progress & limit.any() & reached
