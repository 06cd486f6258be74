# SPDX-License-Identifier: Apache-2.0
"""Transmit side of link-level retry: what is sent, sent again, and forgotten."""

from amaranth.hdl import Cat, Const, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.pins import SEQ_BITS
from gavel_model.register_map import COUNTERS
from gavel_rtl.block import connect, place
from gavel_rtl.frame_launcher import FrameLauncher
from gavel_rtl.frame_record import frame_index_bits
from gavel_rtl.interfaces import EgressWord
from gavel_rtl.llr_interfaces import (
    REPLAY_COUNT_BITS,
    ControlSet,
    InitRequest,
    LaunchedWord,
    LlrSettings,
)
from gavel_rtl.llr_timers import LlrTimers
from gavel_rtl.replay_buffer import ReplayBuffer
from gavel_rtl.replay_occupancy import ReplayOccupancy
from gavel_rtl.retry_state import RetryState, TransmitterState

_USED_BITS = 24
PROBE_BITS = 3 + 3 * SEQ_BITS + _USED_BITS


class LlrTransmitter(wiring.Component):
    """Keeps frames until they are acknowledged, and sends them again (docs/llr.md, chapter 6).

    Wiring only. The words stand in `ReplayBuffer`, `FrameLauncher` sends them, `RetryState` has
    sequence numbers and states, `ReplayOccupancy` holds back what would not fit, and `LlrTimers`
    has the clocks.

    Parameters
    ----------
    config
        All but P and V.

    Members
    -------
    settings
        Registers as visible in the cycle.
    matched
        A frame was matched to this output, cycle s, with ``gate_stages`` = 2 in s+1.
    hold
        No frame may be matched to it in this cycle.
    i_word
        From Egress, cycle e.
    control
        Ordered set received, cycle r.
    up
        The link was up in the cycle before.
    free
        The frame register of LinkTx, O, is empty or taken in this cycle.
    o_word
        The word launched if O is free; all members 0 without one. With ``launch_stages`` = 1 that
        of register L, whose ``empty`` and ``data`` mean nothing without one.
    init, init_sent, init_waiting
        To and from ControlTransmitter.
    count
        Counter events.
    state, replays
        For LLR_STATUS.
    probe
        Probe point ``llr_tx``: state, ``oldest``, ``next``, ``send``, ``used``.

    Cycle behaviour
    ---------------
    A word that nothing stands before is launched in e+2. Launching is combinational from
    registers, ``free``, which may come late, ``settings`` and ``control``; ``hold`` from registers
    only.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "settings": In(LlrSettings(config)),
            "matched": In(1),
            "hold": Out(1),
            "i_word": In(EgressWord(config)),
            "control": In(ControlSet(config)),
            "up": In(1),
            "free": In(1),
            "o_word": Out(LaunchedWord(config)),
            "init": Out(InitRequest(config)),
            "init_sent": In(1),
            "init_waiting": In(1),
            "count": Out(COUNTERS),
            "state": Out(TransmitterState),
            "replays": Out(REPLAY_COUNT_BITS),
            "probe": Out(PROBE_BITS),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        state = place(m, "retry_state", RetryState(self._config))
        buffer = place(m, "replay_buffer", ReplayBuffer(self._config))
        launcher = place(m, "frame_launcher", FrameLauncher(self._config))
        occupancy = place(m, "replay_occupancy", ReplayOccupancy(self._config))
        timers = place(m, "llr_timers", LlrTimers(self._config))
        for part in (state, occupancy, timers):
            connect(m, part.settings, self.settings)

        connect(m, state.control, self.control)
        index = frame_index_bits(self._config)
        connect(m, self.init, state.init)
        m.d.comb += [
            state.no_progress.eq(timers.no_progress),
            state.lost.eq(timers.lost),
            state.changed.eq(timers.changed),
            state.too_old.eq(timers.too_old),
            state.mid.eq(launcher.mid),
            state.mid_after.eq(launcher.mid_after),
            state.kept_last.eq(launcher.kept_last),
            state.ends.eq(launcher.ends),
            state.numbered.eq(launcher.numbered),
            state.free.eq(self.free),
            state.launched.eq(launcher.o_word.valid if self._config.launch_stages else 0),
            state.init_sent.eq(self.init_sent),
            state.init_waiting.eq(self.init_waiting),
            self.state.eq(state.state),
            self.replays.eq(state.replays),
        ]

        connect(m, launcher.fetched, buffer.fetched)
        connect(m, self.o_word, launcher.o_word)
        m.d.comb += [
            launcher.free.eq(self.free),
            launcher.up.eq(self.up),
            *(getattr(launcher, name).eq(getattr(state, name)) for name in (
                "may_keep", "must_wait", "running", "passes", "drops", "sends", "discards")),
            launcher.send.eq(state.send),
            launcher.send_is_next.eq(state.send_is_next),
        ]

        connect(m, buffer.i_word, self.i_word)
        m.d.comb += [
            buffer.goes.eq(launcher.goes),
            buffer.keeps.eq(launcher.keeps),
            buffer.free.eq(self.free),
            buffer.clear.eq(state.clear),
            buffer.rewind.eq(state.rewind),
            buffer.newest_frame.eq(state.newest_frame[:index]),
            buffer.coming.eq(self.control.coming[:index]),
            buffer.coming_next.eq(self.control.coming_next[:index]),
            buffer.accepted.eq(state.accepted),
            buffer.drained.eq(state.drained),
            buffer.leaves.eq(state.leaves),
            buffer.finish.eq(launcher.finish),
            buffer.numbered.eq(launcher.numbered),
            buffer.passed_by.eq(launcher.passed_by),
            buffer.release.eq(state.release),
        ]

        m.d.comb += [
            occupancy.matched.eq(self.matched),
            occupancy.written.eq(self.i_word.valid),
            occupancy.written_eop.eq(self.i_word.eop),
            occupancy.launched_first.eq(launcher.first_launch),
            occupancy.passed_by.eq(launcher.passed_by),
            occupancy.given_back.eq(buffer.given_back),
            occupancy.dropped.eq(buffer.dropped),
            occupancy.dropped_words.eq(buffer.dropped_words),
            occupancy.dropped_more.eq(buffer.dropped_more),
            occupancy.progress.eq(state.progress),
            occupancy.value.eq(self.control.value),
            occupancy.acked.eq(state.acked_frame),
            occupancy.given_up.eq(state.given_up),
            occupancy.newest.eq(state.newest_frame),
            occupancy.lets_come.eq(~state.blocks),
            self.hold.eq(occupancy.hold),
        ]

        m.d.comb += [
            timers.up.eq(self.up),
            timers.in_advance.eq(state.is_advance),
            timers.running.eq(state.running),
            timers.coming_up.eq(state.is_init | state.is_flush),
            timers.changing.eq(state.changing),
            timers.into_init.eq(state.into_init),
            timers.out_of_init.eq(state.out_of_init),
            timers.outstanding.eq(~state.empty),
            timers.progress.eq(state.progress),
            timers.drained.eq(state.drained),
            timers.leaves.eq(state.leaves),
            timers.coming.eq(self.control.coming[:index]),
            timers.coming_next.eq(self.control.coming_next[:index]),
            timers.accepted.eq(state.accepted),
            timers.numbered.eq(launcher.numbered),
            timers.newest_frame.eq(state.newest_frame[:index]),
        ]

        used = occupancy.used
        m.d.comb += [
            self.count.eq(state.count | launcher.count),
            self.probe.eq(Cat(
                state.state,
                *(Cat(number, Const(0, SEQ_BITS - len(number)))
                  for number in (state.oldest, state.next, state.send)),
                used, Const(0, _USED_BITS - len(used)))),
        ]
        return m
