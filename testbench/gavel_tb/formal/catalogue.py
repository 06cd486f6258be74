# SPDX-License-Identifier: Apache-2.0
"""The properties that are proved, in the order of the table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gavel_model.config import SwitchConfig
from gavel_model.loader import load_config
from gavel_tb.formal import faults
from gavel_tb.formal.axi_lite import AxiLiteHarness
from gavel_tb.formal.credits import CreditSenderHarness, CreditsHarness
from gavel_tb.formal.design import Fault
from gavel_tb.formal.free_list import FreeListHarness
from gavel_tb.formal.frozen_counters import FrozenCountersHarness
from gavel_tb.formal.harness import Harness
from gavel_tb.formal.ingress_buffer import IngressBufferHarness
from gavel_tb.formal.late_credits import LateCreditSenderHarness
from gavel_tb.formal.narrow import narrow
from gavel_tb.formal.ordered_set import OrderedSetHarness
from gavel_tb.formal.proof import Method, Proof
from gavel_tb.formal.retry_link import RetryLinkHarness
from gavel_tb.formal.scheduler import SchedulerHarness, SchedulerWaitHarness
from gavel_tb.formal.telemetry_stream import TelemetryStreamHarness

_TINY = load_config("tiny")
_FULL_RATE = replace(_TINY, data_width=512)
"""A match in every cycle, and so as many under way as can be."""


def _named(*planted: Fault) -> Mapping[str, Fault]:
    return {fault.__name__: fault for fault in planted}


def _proof(name: str, claim: str, harness: type[Harness], config: SwitchConfig, method: Method,
           depth: int, short_depth: int, planted: Mapping[str, Fault], *, fault_depth: int = 20,
           **more: Any) -> Proof:
    return Proof(
        name=name, claim=claim, config=config, method=method, depth=depth,
        short_depth=short_depth, faults=planted, fault_depth=fault_depth,
        harness=lambda built, fault: harness(built, fault, **more))


def _wait(name: str, what: str, served: str, bound: int, heaviest: int, fault: Fault) -> Proof:
    return _proof(
        name, f"{what} within {bound} cycles", SchedulerWaitHarness, _FULL_RATE, "induction",
        bound + 1, bound + 1, _named(fault), fault_depth=bound + 8,
        bound=bound, frame_cycles=2, heaviest=heaviest, bypass_limit=1, served=served)


PROOFS: tuple[Proof, ...] = (
    _proof("free-list", "a cell handed out is free; none is lost or given twice",
           FreeListHarness, _TINY, "induction", 1, 1,
           _named(faults.forgets_start)),
    _proof("buffer-cells", "each cell is free, in the open frame, in one VOQ, or leaving",
           IngressBufferHarness, narrow(frame_words=2, buffer_cells=4), "bounded", 10, 7,
           _named(faults.buffer_forgets_start, faults.takes_nothing_back), fault_depth=9,
           follows=("cell",)),
    _proof("buffer-frames", "a frame leaves whole, unchanged and in the order of its VOQ",
           IngressBufferHarness, narrow(frame_words=2, buffer_cells=4), "bounded", 10, 8,
           _named(faults.loses_frame_behind_the_last, faults.never_follows), fault_depth=10,
           follows=("frame",)),
    _proof("buffer-read", "the same with registers around the cell memory",
           IngressBufferHarness, replace(narrow(frame_words=2, buffer_cells=4), read_stages=2),
           "bounded", 10, 8, _named(faults.reads_one_cell), fault_depth=10,
           follows=("frame",)),
    _proof("scheduler", "matches are one to one, and only of what asks and may be sent",
           SchedulerHarness, _TINY, "induction", 1, 1,
           _named(faults.ignores_hold, faults.ignores_allow)),
    _proof("scheduler-full-rate", "the same where a frame may be a single word",
           SchedulerHarness, _FULL_RATE, "induction", 1, 1, {}),
    _proof("scheduler-gate", "the same where it is known before what may be sent",
           SchedulerHarness, replace(_TINY, gate_stages=1), "induction", 1, 1,
           _named(faults.ignores_allow)),
    _proof("scheduler-requests", "the same with requests of the cycle before",
           SchedulerHarness, replace(_TINY, match_stages=1), "induction", 1, 1,
           _named(faults.asks_for_all, faults.forgets_transfers)),
    _proof("scheduler-large", "the same with three ports, three VCs and two iterations",
           SchedulerHarness, replace(_TINY, ports=3, vcs=3, islip_iterations=2), "induction", 1, 1,
           {}),
    _wait("wait-frame", "with VC_WEIGHTS = 0 every frame is matched", "frame", 34, 0,
          faults.forgets_turns),
    _wait("wait-input", "with weights an input gets an output it wants", "input", 20, 1,
          faults.forgets_who_waits),
    _wait("wait-vc", "with weights a VC gets an output it wants", "VC", 40, 1,
          faults.forgets_quotas),
    _proof("check-family", "a set with up to 3 flipped bits is no other of its family",
           OrderedSetHarness, _TINY, "bounded", 4, 0,
           _named(faults.checks_no_acks, faults.checks_no_credits), fault_depth=4, flips=3),
    _proof("check-any", "a set with a flipped bit is none",
           OrderedSetHarness, _TINY, "bounded", 4, 4, {}, flips=1),
    _proof("retry-start", "from reset on, what is kept is what was sent, once and in order",
           RetryLinkHarness, narrow(), "bounded", 34, 20,
           _named(faults.takes_spoilt_frames), fault_depth=26, agreed=False),
    _proof("retry-running", "the same from an agreed state on, through loss, replay and wrap",
           RetryLinkHarness, narrow(), "bounded", 22, 16,
           _named(faults.takes_older_frames, faults.takes_spoilt_frames,
                  faults.replays_from_where_it_reads), agreed=True),
    _proof("retry-words", "the same with frames of one and two words",
           RetryLinkHarness, narrow(frame_words=2, replay_words=10), "bounded", 20, 14, {},
           agreed=True),
    _proof("retry-stage", "the same with registers before the pins of words and of ordered sets",
           RetryLinkHarness, replace(narrow(), control_stages=1, launch_stages=1), "bounded", 22,
           0, {},
           agreed=True),
    _proof("credits-vc", "no VC is sent more than its limit, whatever CF_Updates say",
           CreditSenderHarness, _FULL_RATE, "induction", 1, 1,
           _named(faults.forgets_matches, faults.believes_everything), native=False),
    _proof("credits-read", "the same with a register before the cell memory",
           CreditSenderHarness, replace(_FULL_RATE, read_stages=1), "induction", 1, 0,
           {}, native=False),
    _proof("credits-total", "no more is sent than one limit of all VCs, whatever CF_Updates say",
           CreditSenderHarness, _FULL_RATE, "induction", 1, 0,
           _named(faults.forgets_matches_of_all), native=False, total=True),
    _proof("credits-late", "the same of each VC with two stages between the gate and the match",
           LateCreditSenderHarness, replace(_TINY, data_width=128, gate_stages=2, match_stages=1),
           "induction", 1, 1, _named(faults.forgets_late_matches), native=False),
    _proof("credits-loop", "credits are neither made nor lost, with losses of all kinds",
           CreditsHarness, replace(_FULL_RATE, vcs=1), "bounded", 12, 9,
           _named(faults.keeps_credits_of_dropped_frames, faults.credits_before_they_are_sent),
           fault_depth=12),
    _proof("credits-loop-vcs", "the same with two VCs",
           CreditsHarness, _FULL_RATE, "bounded", 10, 8, {}),
    _proof("axi-lite", "each request has one answer, which comes soon and stays until it is taken",
           AxiLiteHarness, _TINY, "induction", 1, 1,
           _named(faults.withdraws_answers, faults.forgets_what_it_read, faults.writes_parts)),
    _proof("axi-lite-late", "the same with registers around the register port",
           AxiLiteHarness, replace(_TINY, register_stages=1), "induction", 1, 1,
           _named(faults.answers_too_soon)),
    _proof("frozen-counters", "a frozen counter is what was counted up to the freeze",
           FrozenCountersHarness, _TINY, "induction", 1, 1,
           _named(faults.never_copies, faults.copies_again)),
    _proof("telemetry-stream", "a word of a record waits unchanged, and tlast ends each record",
           TelemetryStreamHarness, _TINY, "induction", 1, 1,
           _named(faults.offers_words_once, faults.makes_records_at_any_time)),
)
