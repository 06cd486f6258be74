# SPDX-License-Identifier: Apache-2.0
"""Scenarios by name, as jobs of the simulation process and on the golden model alone."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from gavel_model.config import SwitchConfig
from gavel_model.register_map import COUNTERS
from gavel_model.switch import Switch
from gavel_tb.behaviour import (
    basic,
    giving_up,
    handshake,
    in_replay,
    loads,
    repair,
    settings,
    timers,
    turned_off,
    windows,
)
from gavel_tb.behaviour.flow.catalogue import FLOW_SCENARIOS, LONG_FLOW_SCENARIOS
from gavel_tb.behaviour.flow.scenario import FlowScenario
from gavel_tb.behaviour.scenario import Scenario
from gavel_tb.jobs import Session
from gavel_tb.lockstep import LockstepResult
from gavel_tb.stimulus import CheckError

SCENARIOS: dict[str, type[Scenario]] = {
    "LLR-01-line-rate": basic.LineRate,
    "LLR-02-skipped-frame": basic.SkippedFrame,
    "LLR-03-bad-frame": basic.SpoiltFrame,
    "LLR-04-lost-frame": basic.LostFrame,
    "LLR-05-nack-lost": repair.NackLost,
    "LLR-06-poisoned": basic.Poisoned,
    "LLR-06-poisoned-forwarded": basic.PoisonedForwarded,
    "LLR-07-replays-exhausted": giving_up.ReplaysExhausted,
    "LLR-08-long-loop": loads.LongLoop,
    "LLR-09-data-age": giving_up.DataAge,
    "LLR-09-data-age-edge": timers.DataAgeEdge,
    "LLR-09-data-age-after": timers.DataAgeAfter,
    "LLR-10-latency": basic.Latency,
    "LLR-11-mixed": loads.Mixed,
    "LLR-PFC-stopped": windows.Stopped,
    "LLR-PFC-stopped-in-frame": windows.StoppedInFrame,
    "wrap": windows.Wrap,
    "wrap-in-replay": windows.WrapInReplay,
    "wrap-often": windows.WrapOften,
    "load": loads.Load,
    "nack-of-switch-lost": repair.NackOfSwitchLost,
    "nack-withdrawn": repair.NackWithdrawn,
    "nack-repeated": repair.NackRepeated,
    "nack-in-replay": repair.NackInReplay,
    "ack-lost": repair.AckLost,
    "last-acks-lost": repair.LastAcksLost,
    "all-sets-lost": repair.AllSetsLost,
    "stale-answers": repair.StaleAnswers,
    "flipped-sets": repair.FlippedSets,
    "unknown-sets": repair.UnknownSets,
    "duplicates": repair.Duplicates,
    "both-directions-bad": repair.BothBad,
    "replay-timer-before": timers.ReplayTimerBefore,
    "replay-timer-edge": timers.ReplayTimerEdge,
    "replay-timer-after": timers.ReplayTimerAfter,
    "replay-overtaken": timers.ReplayOvertaken,
    "replay-not-overtaken": timers.ReplayNotOvertaken,
    "flush-discards": giving_up.FlushDiscards,
    "flush-passes": giving_up.FlushPasses,
    "flush-blocks": giving_up.FlushBlocks,
    "link-down-short": giving_up.LinkDownShort,
    "link-down-long": giving_up.LinkDownLong,
    "given-up-in-replay-link-down": in_replay.LinkDownInReplay,
    "given-up-in-replay-data-age": in_replay.TooOldInReplay,
    "given-up-in-replay-count": in_replay.NoMoreReplays,
    "silent-peer": giving_up.SilentPeer,
    "late-peer": giving_up.LatePeer,
    "window-frames": windows.WindowFrames,
    "window-cells": windows.WindowCells,
    "init-lost": handshake.InitLost,
    "init-damaged": handshake.InitDamaged,
    "init-repeated": handshake.InitRepeated,
    "init-in-traffic": handshake.InitInTraffic,
    "echo-damaged": handshake.EchoDamaged,
    "echo-wrong": handshake.EchoWrong,
    "echo-repeated": handshake.EchoRepeated,
    "partner-begins-again": handshake.PartnerBeginsAgain,
    "partner-reset": handshake.PartnerReset,
    "switch-reset": handshake.SwitchReset,
    "receiver-only": settings.ReceiverOnly,
    "transmitter-only": settings.TransmitterOnly,
    "remote-off-on": settings.RemoteOffOn,
    "best-effort-in-init": settings.BestEffortInInit,
    "local-off-on": settings.LocalOffOn,
    "remote-off-in-init": turned_off.OffInInit,
    "remote-off-in-replay": turned_off.OffInReplay,
    "local-off-after-nack": turned_off.LocalOffAfterNack,
    "local-off-before-nack": turned_off.LocalOffBeforeNack,
    "vectors": handshake.Vectors,
    "vector-nack": handshake.NackVector,
}
"""All of link-level retry."""

Played = Scenario | FlowScenario
_ALL: dict[str, type[Scenario] | type[FlowScenario]] = {
    **SCENARIOS, **FLOW_SCENARIOS, **LONG_FLOW_SCENARIOS}


@dataclass(frozen=True, kw_only=True)
class BehaviourJob:
    """One scenario.

    Attributes
    ----------
    name
        One of `SCENARIOS`, `FLOW_SCENARIOS`, `LONG_FLOW_SCENARIOS`.
    seed
        Of payloads and of random errors.
    """

    name: str
    seed: int = 1

    def parameters(self) -> dict[str, Any]:
        """The job as plain data."""
        return asdict(self)

    def scenario(self, config: SwitchConfig) -> Played:
        """The scenario, for one run.

        Raises
        ------
        ValueError
            For an unknown name.
        """
        if self.name not in _ALL:
            raise ValueError(f"scenario {self.name!r}: must be one of {', '.join(_ALL)}")
        return _ALL[self.name](config, self.seed)

    def session(self, config: SwitchConfig) -> Session:
        """Stimulus, which is its own check, and its figures."""
        scenario = self.scenario(config)
        return Session(scenario, (scenario,), scenario.MOST_CYCLES, scenario.finish)


def play_on_model(config: SwitchConfig, job: BehaviourJob) -> tuple[dict[str, Any], Switch]:
    """Figures of a scenario on the golden model alone, and the model at its end.

    Raises
    ------
    CheckError
        As in lockstep.
    """
    scenario, switch = job.scenario(config), Switch(config)
    cycle = 0
    while not scenario.finished:
        if cycle > scenario.MOST_CYCLES:
            raise CheckError(f"no end after {cycle} cycles")
        tx = switch.tx
        inputs = scenario.step(cycle, tx)
        try:
            scenario.observe(cycle, inputs, tx)
        except CheckError as error:
            raise CheckError(f"cycle {cycle}: {error}") from error
        switch.step(inputs)
        cycle += 1
    result = LockstepResult(cycles=cycle)
    result.counters = [[port.counters[n] for n in range(COUNTERS)] for port in switch.ports]
    return scenario.finish(result) | {"cycles": cycle}, switch
