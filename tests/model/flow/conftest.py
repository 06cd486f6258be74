# SPDX-License-Identifier: Apache-2.0
"""Flow control beside its definition, in every cycle.

Only what happens is taken from the switch: matches, frames that end and are read, `hold`, and
with link-level retry the cycles in which CF_Updates are loaded, or chosen.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest
from tests.model.flow.definition import Definition, Events
from tests.model.flow.ordered_sets import OrderedSets, check_set, other_set

from gavel_model.llr_timers import TransmitterState
from gavel_model.mac_control import CreditCounts
from gavel_model.ordered_set import CreditUpdate
from gavel_model.probes import probe_points
from gavel_model.register_map import Counter, Port


class Watched:
    """A bench, and a `Definition` for each port that is fed with what happens."""

    def __init__(self, b: Any, ctl_ready: float) -> None:
        self.b = b
        rng = random.Random(1)
        self.taken: dict[int, int] = {}
        self.sets = [OrderedSets(b.config.control_stages, b.config.word_bytes)
                     for _ in range(b.config.ports)]

        def taken(cycle: int) -> int:
            return self.taken.setdefault(cycle, sum(
                (rng.random() < ctl_ready) << j for j in range(b.config.ports)))

        b.ctl_ready = taken
        ports = range(b.config.ports)
        self.slow = [Definition(b.config) for _ in ports]
        for i in ports:
            self.slow[i].begin(dict(b.switch.ports[i].settings))
        self.flying: deque[list[tuple[int, int, int]]] = deque([[]] * b.config.match_to_egress)
        self.free_from = [0 for _ in ports]
        self.macs: dict[tuple[int, int], Any] = {}
        self.cfs: dict[tuple[int, int], CreditUpdate] = {}
        self.cells_before = [[0] * b.config.vcs for _ in ports]
        self.counted: list[list[tuple[int, int, bool]]] = [[] for _ in ports]
        self.drained: list[list[tuple[int, int, int]]] = [[] for _ in ports]
        self.points = [point.name for point in probe_points(b.config)]
        self.last_state = [TransmitterState.OFF for _ in ports]

    def run(self, cycles: int) -> None:
        for _ in range(cycles):
            self.cycle()

    def cycle(self) -> None:
        b = self.b
        c, switch = b.cycle, b.switch
        settings = [dict(port.settings) for port in switch.ports]
        held = [port.llr_transmitter.hold for port in switch.ports]
        states = [port.llr_transmitter.state for port in switch.ports]
        before = [list(port.counters.values) for port in switch.ports]
        shown = switch.tx
        self.probes = dict(zip(self.points, switch.probe_values(), strict=True))
        for i, slow in enumerate(self.slow):
            self._compare(c, i, slow, settings[i])
        b.run(1)
        arrived = self.flying.popleft()
        self.flying.append([(j, v, frame.length) for (_, j, v), frame in
                            zip(switch._matches, switch._taken, strict=False)]
                           if switch._matches else [])
        for i, slow in enumerate(self.slow):
            e = Events()
            e.matches = [v for _, j, v in switch._matches if j == i]
            e.first_words = [(v, length) for j, v, length in arrived if j == i]
            e.cf = self.cfs.get((i, c - 2))
            counter = switch.ports[i].counters
            e.cf_sent = counter[Counter.CBFC_TX_CF_UPDATE] != before[i][Counter.CBFC_TX_CF_UPDATE]
            e.idle = c >= self.free_from[i] and not held[i]
            e.advance = (states[i] is TransmitterState.ADVANCE
                         and self.last_state[i] is TransmitterState.INIT)
            e.counted_before, e.drained = self.counted[i], self.drained[i]
            ended = [frame for port, frame in switch._ended if port.index == i]
            e.filed_cells = [(f.vc, f.cells) for f in ended if not f.reason]
            e.mac, cc = self.macs.get((i, c - 3)), self.macs.get((i, c - 4))
            e.cc_before = cc.consumed if isinstance(cc, CreditCounts) else None
            self.counted[i] = [(f.vc, f.length, not f.reason) for f in ended]
            self.drained[i] = [(f.vc, f.length, f.cells) for p, f in switch._drained
                               if p.index == i]
            request = slow.cf_request(settings[i])
            assert request or not e.cf_sent
            free = not shown[i].ctl_valid or bool(self.taken[c] >> i & 1)
            sets = self.sets[i]
            e.cf_waits = sets.cf_waits(free)
            room = sets.room(free, settings[i][Port.LLR_SPACING] >> 16)
            loaded = sets.step(free, slow.says() if e.cf_sent else other_set(before[i], counter))
            if not settings[i][Port.LLR_CONTROL] & 3 and states[i] is TransmitterState.OFF:
                assert e.cf_sent == (request and room), (c, i)
                assert switch.tx[i].ctl_valid == (not free or loaded is not None)
                if not free:
                    assert switch.tx[i].ctl == shown[i].ctl
            check_set(loaded, switch.tx[i].ctl, settings[i])
            lost = self._check_limits(i, slow, settings[i], ended)
            wanted = slow.step(c, settings[i], e)
            wanted[Counter.RX_LOSSLESS_DROP] = lost
            wanted[Counter.CBFC_TX_CF_UPDATE] = int(e.cf_sent)
            for n in range(Counter.RX_LOSSLESS_DROP, Counter.PFC_WATCHDOG + 1):
                assert counter[n] - before[i][n] == wanted.get(Counter(n), 0), (c, i, Counter(n))
        for (_, j, _), frame in zip(switch._matches, switch._taken, strict=False):
            self.free_from[j] = c + len(frame.words)
        self.last_state = states

    def _compare(self, c: int, i: int, slow: Definition, s: Any) -> None:
        flow = self.b.switch.ports[i].flow_control
        where = f"cycle {c}, port {i}"
        assert flow.credit_sender.consumed == slow.s_cc, where
        assert flow.credit_sender.used == slow.used, where
        waiting = sum(w << v for v, w in enumerate(slow.waiting))
        assert flow.credit_sender.waiting == waiting, where
        assert flow.credit_receiver.consumed == slow.r_cc, where
        assert flow.credit_receiver.stored == slow.stored, where
        assert self.b.switch.ports[i].ingress_buffer.vc_cells == slow.vc_cells, where
        paused = sum(p << v for v, p in enumerate(slow.paused(s)))
        xoff = sum(x << v for v, x in enumerate(slow.xoff))
        assert (flow.pause_receiver.paused, flow.pause_sender.xoff) == (paused, xoff), where
        reasons = slow.conditions(s)
        assert (flow.paused, flow.no_credit, flow.stopped) == reasons, where
        everything = (1 << slow.vcs) - 1
        allow = everything & ~(reasons[0] | reasons[1] | reasons[2])
        assert flow.allow == self.b.switch.allow[i] == allow, where
        assert flow.transmitter.claim == slow.claim(c), where
        assert self.b.switch._claimed >> i & 1 == slow.claim(c), where
        assert flow.status == waiting | paused << 8 | xoff << 16
        cells = self.b.config.count_bits
        for point, element, bits_each in (
            ("credit_tx", lambda v: slow.s_cc[v] | slow.used[v] << 20 | slow.waiting[v] << 40, 41),
            ("credit_rx", lambda v: slow.r_cc[v] | slow.stored[v] << 20, 40),
            ("vc_cells", lambda v: slow.vc_cells[v], cells),
            ("pause", lambda v: (paused >> v & 1) | slow.xoff[v] << 1, 2),
        ):
            expected = sum(element(v) << bits_each * v for v in range(slow.vcs))
            assert self.probes[f"p{i}.{point}"] == expected, where

    def _check_limits(self, i: int, slow: Definition, s: Any, ended: Any) -> int:
        """Frames that find their VC full; returns the losses that should not be."""
        lost = 0
        for frame in ended:
            if frame.reason in (0, Counter.RX_VC_LIMIT, Counter.RX_NO_BUFFER):
                limit = slow.before[0][Port.RX_VC_LIMIT + frame.vc]
                full = self.cells_before[i][frame.vc] >= limit
                assert full == (frame.reason == Counter.RX_VC_LIMIT)
                lossless = s[Port.CBFC_CONTROL] >> 8 | s[Port.PFC_CONTROL] >> 8
                lost += bool(frame.reason) and lossless >> frame.vc & 1
        self.cells_before[i] = list(slow.vc_cells)
        return lost


@pytest.fixture
def watched(bench: Callable[..., Any]) -> Callable[..., Watched]:
    """Makes a bench that is compared with the definition in every cycle: ``watched(share of cycles
    in which ordered sets are taken, *overrides)``."""

    def make(ctl_ready: float, *overrides: str) -> Watched:
        return Watched(bench("tiny", *overrides), ctl_ready)

    return make
