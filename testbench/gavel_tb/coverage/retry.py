# SPDX-License-Identifier: Apache-2.0
"""Functional coverage of link-level retry and flow control of one port of the golden model."""

from __future__ import annotations

from collections.abc import Callable

from gavel_model.config import SwitchConfig
from gavel_model.llr_receiver import ReceiverState
from gavel_model.llr_timers import SENDING, TransmitterState
from gavel_model.port import Port
from gavel_model.register_map import Counter
from gavel_tb.coverage.bins import VCS

Hit = Callable[[str], None]
"""Counts a hit of a bin."""

_Seen = tuple[TransmitterState, int, int, int, int, int, int, bool, bool]
"""States of transmitter and receiver, VCs with credits, of them those that wait and those that
fit, VCs paused and in XOFF, ``hold``, and whether credits are counted together."""

_START: _Seen = (TransmitterState.OFF, ReceiverState.OFF, 0, 0, 0, 0, 0, False, False)


class PortCoverage:
    """Looks at a port in each cycle."""

    def __init__(self, config: SwitchConfig, hit: Hit) -> None:
        self._hit = hit
        self._vcs = config.vcs
        self._half = 1 << config.seq_bits - 1
        self._seen = _START
        self._replay_time = 0
        self._down_time = 0
        self._replays = 0
        self._in_replay = False
        self._counted = 0
        self._nacks = 0
        self._next = self._next_rx = 0

    def watch(self, port: Port) -> None:
        """Sees the port in a cycle."""
        flow, transmitter = port.flow_control, port.llr_transmitter
        receiver, settings = port.llr_receiver, flow.settings
        sender = settings.sender
        seen: _Seen = (
            transmitter.state, receiver.state, sender, flow.credit_sender.waiting & sender,
            flow.credit_sender.fits & sender, flow.pause_receiver.paused, flow.pause_sender.xoff,
            transmitter.hold, settings.total,
        )
        if seen != self._seen:
            before, self._seen = self._seen, seen
            self._changes(before, seen, port)
        if transmitter.state in SENDING:
            self._sending(port)

    def _sending(self, port: Port) -> None:
        """Link-level retry is on: what the next change came from, and numbers that wrap."""
        transmitter = port.llr_transmitter
        counted = port.counters[Counter.LLR_TX_REPLAY]
        if self._in_replay and counted > self._counted:
            self._hit("replay.NACK in a replay")
        self._in_replay = transmitter.state is TransmitterState.REPLAY
        self._counted = counted
        self._nacks = port.counters[Counter.LLR_RX_NACK_CTL_OS]
        self._replays = transmitter.replays
        self._replay_time = transmitter.timers.replay_time
        self._down_time = transmitter.timers.down_time
        number, number_rx = transmitter.window.next, port.llr_receiver.next_rx
        if self._next - number > self._half:
            self._hit("sequence.transmitter")
        if self._next_rx - number_rx > self._half:
            self._hit("sequence.receiver")
        self._next, self._next_rx = number, number_rx

    def _changes(self, before: _Seen, now: _Seen, port: Port) -> None:
        hit = self._hit
        if before[0] is not now[0]:
            hit(f"llr_tx.{before[0].name} to {now[0].name}")
            self._moved(before[0], now[0], port)
        if before[1] != now[1]:
            hit(f"llr_rx.{ReceiverState(before[1]).name} to {ReceiverState(now[1]).name}")
        if before[7] != now[7]:
            hit("hold.begins" if now[7] else "hold.ends")
        sender = now[2]
        if sender and (before[2], before[8]) != (sender, now[8]):
            hit("credit_limit.of all VCs together" if now[8] else "credit_limit.of each VC")
        # A VC that gets or loses credits as such has neither gained nor spent any.
        same = sender & before[2]
        for old, new, names in (
            (before[3] & same, now[3] & same, ("credits", "waiting", "known")),
            (before[4] & same, now[4] & same, ("credits", "back", "gone")),
            (before[5], now[5], ("pause", "paused", "goes on")),
            (before[6], now[6], ("pause", "XOFF", "XON")),
        ):
            if old != new:
                self._vc_changes(old, new, *names)

    def _vc_changes(self, old: int, new: int, group: str, begins: str, ends: str) -> None:
        for vc in range(self._vcs):
            if (old ^ new) >> vc & 1:
                name = begins if new >> vc & 1 else ends
                self._hit(f"{group}.{name}")
                self._hit(f"{group}_vc.{name}/{VCS[min(vc, len(VCS) - 1)]}")

    def _moved(self, before: TransmitterState, now: TransmitterState, port: Port) -> None:
        settings = port.llr_settings
        if now is TransmitterState.REPLAY:
            self._hit("replay.replay timer" if self._timer_is_due(port) else "replay.NACK")
            self._in_replay = False
        elif now is TransmitterState.FLUSH:
            asked = (port.counters[Counter.LLR_RX_NACK_CTL_OS] > self._nacks
                     or (before is TransmitterState.ADVANCE and self._timer_is_due(port)))
            why = ("peer is silent" if settings.peer_is_silent(self._down_time)
                   else "too many replays" if asked and settings.replays_are_over(self._replays)
                   else "data too old")
            self._hit(f"flush.{why} in {before.name}")
        elif now is TransmitterState.INIT:
            self._next = port.llr_transmitter.window.next

    def _timer_is_due(self, port: Port) -> bool:
        return 0 < port.llr_settings.replay_timer <= self._replay_time
