# SPDX-License-Identifier: Apache-2.0
"""Flow control against docs/flow_control.md written down once more, all registers in every cycle.

Only what happens is taken from the switch: matches, frames that end and are read, `hold`, and
with link-level retry the cycles in which CF_Updates are loaded, or chosen.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from tests.model.flow.ordered_sets import OrderedSets, check_set, other_set

from gavel_model.llr_timers import TransmitterState
from gavel_model.mac_control import CreditCounts, Pause, cc_update_frame, pfc_frame
from gavel_model.ordered_set import CreditUpdate
from gavel_model.probes import probe_points
from gavel_model.register_map import Counter, Port

M20 = (1 << 20) - 1
M15 = (1 << 15) - 1
WORD_TO_PINS = 3


def bits(value: int, low: int, width: int) -> int:
    return value >> low & (1 << width) - 1


def cost(unit: int, length: int) -> int:
    overhead = bits(unit, 8, 8)
    overhead -= 256 if overhead > 127 else 0
    return -(-(length + overhead) // (32 << bits(unit, 0, 3)))


class Visible(NamedTuple):
    """What is visible in a cycle: settings, and of each VC `used`, `waiting`, `paused`."""

    s: Any
    used: list[int]
    waiting: list[int]
    paused: list[bool]


class Definition:
    """One port. Names are those of the text; lists have an element for each VC."""

    def __init__(self, config: Any) -> None:
        self.vcs, self.longest = config.vcs, config.max_frame_bytes
        self.step_bytes, self.q = config.word_bytes, 512 // config.data_width
        v = self.vcs
        self.s_cc, self.used, self.waiting = [0] * v, [0] * v, [0] * v
        self.r_cc, self.stored, self.reported, self.due = [0] * v, [0] * v, [0] * v, [0] * v
        self.turn = self.first = self.second = 0
        self.some = False
        self.since_cf, self.since_pfc = (1 << 21) - 1, (1 << 19) - 1
        self.cc_time, self.cc_wanted, self.pfc_wanted = 0, False, False
        self.timer, self.watch, self.restore, self.xoff = [0] * 8, [0] * v, [0] * v, [0] * v
        self.vc_cells = [0] * v
        self.busy_until = -1
        self.g, self.back_to_back = config.gate_stages, config.data_width == 512
        self.b, self.f, self.m = config.read_stages, min(self.g, 1), config.match_stages
        self.matches: deque[list[tuple[int, bool]]] = deque([[]] * 9, 9)
        # What was visible in the latest cycles, the newest first.
        self.past: deque[Visible] = deque(maxlen=5)
        self.cycles, self.claimed_before, self.xoff_changed = 0, False, False
        self.frames = deque([[0] * v] * self.f)
        self.updates: deque[CreditUpdate | None] = deque([None] * self.g)
        self.keys_before = [0] * v
        self.under_way: deque[tuple[int, str]] = deque()
        self.content: dict[int, tuple[str, bytes]] = {}

    def mask(self, s: Any, register: Port, low: int) -> list[bool]:
        return [bool(s[register] >> low + v & 1) for v in range(self.vcs)]

    def class_vc(self, s: Any, n: int) -> int:
        return min(bits(s[Port.VC_MAP], 4 * n, 4), self.vcs - 1)

    def asked(self, s: Any) -> list[bool]:
        receive = self.mask(s, Port.PFC_CONTROL, 0)
        return [receive[v] and any(self.timer[n] and self.class_vc(s, n) == v for n in range(8))
                for v in range(self.vcs)]

    def paused(self, s: Any) -> list[bool]:
        return [a and not r for a, r in zip(self.asked(s), self.restore, strict=True)]

    def begin(self, s: Any) -> None:
        """In reset, with settings ``s``."""
        none = [0] * self.vcs
        self.past.extend([Visible(s, none, none, [False] * self.vcs)] * 5)

    def says(self) -> CreditUpdate:
        """A CF_Update of this cycle."""
        return CreditUpdate(self.first, self.r_cf(self.first) & M15,
                            self.second, self.r_cf(self.second) & M15)

    @property
    def before(self) -> tuple[Any, int]:
        return self.past[0].s, self.sum_of_used(self.past[0])

    def sum_of_used(self, at: Visible) -> int:
        sender = self.mask(at.s, Port.CBFC_CONTROL, 0)
        return sum(u for u, on in zip(at.used, sender, strict=True) if on)

    def visible(self, s: Any) -> Visible:
        return Visible(s, self.used, self.waiting, self.paused(s))

    def conditions(self, s: Any) -> tuple[int, int, int]:
        """In the cycle in which settings ``s`` are visible: `paused`, `no credit`, `stopped`."""
        g = self.g
        if self.cycles < g:
            return 0, 0, 0
        at = [self.visible(s), *self.past]
        gate, used, limits = at[g], at[g].used, at[1 + g].s
        m = cost(at[1 + 2 * g].s[Port.CBFC_SENDER], self.longest)
        sender = self.mask(gate.s, Port.CBFC_CONTROL, 0)
        stop = self.mask(gate.s, Port.VC_CONTROL, 8)
        matches = list(self.matches)
        reach = g + self.f
        if g and not self.back_to_back:
            matches[-g:] = [[]] * g
        paused = no_credit = 0
        for v in range(self.vcs):
            if gate.s[Port.CBFC_CONTROL] >> 16 & 1:
                n = sum(on for cycle in matches[-4 - self.b - reach:] for _, on in cycle)
                fits = (self.sum_of_used(at[1 + g]) + (n + 1) * m
                        <= limits[Port.CBFC_TOTAL_LIMIT])
            else:
                n = sum(vc == v for cycle in matches[-3 - self.b - reach:] for vc, _ in cycle)
                fits = used[v] + (n + 1) * m <= limits[Port.CBFC_LIMIT + v]
            paused |= gate.paused[v] << v
            no_credit |= (sender[v] and (bool(gate.waiting[v]) or not fits)) << v
        return paused, no_credit, sum(on << v for v, on in enumerate(stop))

    def cf_request(self, s: Any) -> bool:
        on = all(any(self.mask(at, Port.CBFC_CONTROL, 8)) for at in (s, self.before[0]))
        return on and (
            (self.some and self.since_cf >= s[Port.CBFC_CF_MIN])
            or self.since_cf >= s[Port.CBFC_CF_MAX])

    def r_cf(self, v: int) -> int:
        return self.r_cc[v] - self.stored[v] & M20

    def claim(self, c: int) -> bool:
        return self.cc_wanted or self.pfc_wanted or c <= self.busy_until

    def step(self, c: int, s: Any, e: Any) -> dict[Counter, int]:
        """Cycle ``c`` with settings ``s`` and events ``e``; returns what is counted."""
        count: dict[Counter, int] = {}

        def add(counter: Counter) -> None:
            count[counter] = count.get(counter, 0) + 1

        self._frames(c, s)
        taken = ""
        just_matched = self.g and self.matches[-1]
        waited = self.claimed_before or not self.m
        self.claimed_before = self.claim(c)
        if ((self.cc_wanted or self.pfc_wanted) and c > self.busy_until and e.idle
                and waited and not just_matched):
            taken = "PFC" if self.pfc_wanted else "CC"
            add(Counter.PFC_TX if taken == "PFC" else Counter.CBFC_TX_CC_UPDATE)
            self.busy_until = c + 64 // self.step_bytes + 1
            self.under_way.append((c + 3 + self.b, taken))
        visible = self.visible(s)
        pause = self._pause(c, s, e, add, taken)
        cc = self._cc_time(s, e.advance, taken)
        receiver = self._receiver(s, e, add)
        self._sender(s, e, add)
        self.cc_time, self.cc_wanted = cc
        self.timer, self.watch, self.restore, self.xoff, self.since_pfc, self.pfc_wanted = pause
        (self.r_cc, self.stored, self.reported, self.due, self.turn, self.since_cf, self.first,
         self.second, self.some) = receiver
        for v, cells in e.filed_cells:
            self.vc_cells[v] += cells
        for v, _, cells in e.drained:
            self.vc_cells[v] -= cells
        self.past.appendleft(visible)
        self.cycles += 1
        return count

    def _frames(self, c: int, s: Any) -> None:
        """Content of control frames: what is visible in the third cycle, or the fourth."""
        while self.under_way and self.under_way[0][0] == c:
            _, kind = self.under_way.popleft()
            address = s[Port.MAC_ADDRESS_HI] << 32 | s[Port.MAC_ADDRESS_LO]
            if kind == "CC":
                on = self.mask(s, Port.CBFC_CONTROL, 0)
                data = cc_update_frame(address, [n * o for n, o in zip(self.s_cc, on, strict=True)])
            else:
                sends = self.mask(s, Port.PFC_CONTROL, 8)
                vcs = [self.class_vc(s, n) for n in range(8)]
                data = pfc_frame(address, sum(sends[v] << n for n, v in enumerate(vcs)), [
                    s[Port.PFC_TIME] * (sends[v] and self.xoff[v]) for v in vcs])
            self.content[c + 2 + WORD_TO_PINS] = kind, data

    def _sender(self, s: Any, e: Any, add: Any) -> None:
        sender = self.mask(s, Port.CBFC_CONTROL, 0)
        s_cc, used, waiting = list(self.s_cc), list(self.used), list(self.waiting)
        k = [0] * self.vcs
        for v, length in e.first_words:
            k[v] += cost(s[Port.CBFC_SENDER], length)
        self.frames.append(k)
        self.updates.append(e.cf)
        k, cf = self.frames.popleft(), self.updates.popleft()
        for v in range(self.vcs):
            s_cc[v] += k[v]
            used[v] += k[v]
        if cf is not None:
            add(Counter.CBFC_RX_CF_UPDATE)
            entries = [(cf.vc, cf.freed)]
            if cf.second_vc != cf.vc:
                entries.append((cf.second_vc, cf.second_freed))
            refused = False
            for v, cf in entries:
                if v >= self.vcs or not sender[v]:
                    refused = True
                elif self.waiting[v]:
                    u = self.s_cc[v] - cf & M15
                    total = s[Port.CBFC_CONTROL] >> 16 & 1
                    limit = s[Port.CBFC_TOTAL_LIMIT] if total else s[Port.CBFC_LIMIT + v]
                    if u > limit:
                        refused = True
                    else:
                        used[v], waiting[v] = u + k[v], 0
                else:
                    d = cf - (self.s_cc[v] - self.used[v]) & M15
                    if d > self.used[v]:
                        refused = True
                    else:
                        used[v] -= d
            if refused:
                add(Counter.CBFC_RX_CF_ERROR)
        for v in range(self.vcs):
            if e.advance and s[Port.CBFC_CONTROL] >> 17 & 1 and sender[v]:
                waiting[v] = 1
            if not sender[v]:
                s_cc[v] = used[v] = waiting[v] = 0
        self.s_cc, self.used, self.waiting = [n & M20 for n in s_cc], used, waiting
        self.matches.append([(v, sender[v]) for v in e.matches])

    def _receiver(self, s: Any, e: Any, add: Any) -> Any:
        receiver = self.mask(s, Port.CBFC_CONTROL, 8)
        r_cc, stored = list(self.r_cc), list(self.stored)
        reported, due, turn = list(self.reported), list(self.due), self.turn
        since = min(self.since_cf + self.step_bytes, (1 << 21) - 1)
        all_keys = [2 * (self.r_cf(v) - self.reported[v] & M15) + self.due[v]
                    for v in range(self.vcs)]
        if self.g == 2:
            all_keys, self.keys_before = self.keys_before, [
                0 if e.cf_sent and v in (self.first, self.second) else key
                for v, key in enumerate(all_keys)]
        keys = {v: key for v, key in enumerate(all_keys) if receiver[v]}
        order = [(self.turn + n) % self.vcs for n in range(self.vcs)]
        ranked = sorted(keys, key=lambda v: (-keys[v], order.index(v)))
        first = ranked[0] if ranked else 0
        others = [v for v in order if v in keys and v != first]
        second = next((v for v in others if keys[v]), others[0] if others else first)
        some = bool(ranked) and keys[first] > 0
        if e.cf_sent:
            for v in (self.first, self.second):
                reported[v], due[v] = self.r_cf(v) & M15, 0
            turn, since = (self.second + 1) % self.vcs, 0
        if e.cf_waits:
            since = 0
        unit = s[Port.CBFC_RECEIVER]
        for v, length, filed in e.counted_before:
            r_cc[v] += cost(unit, length) * receiver[v]
            stored[v] += cost(unit, length) * filed
        for v, length, _ in e.drained:
            stored[v] -= cost(unit, length)
        if e.cc_before is not None:
            x = [e.cc_before[v] - self.r_cc[v] & M20 for v in range(self.vcs) if receiver[v]]
            if any(0 < n < 1 << 19 for n in x):
                add(Counter.CBFC_RX_RECOVERED)
            if any(n >= 1 << 19 for n in x):
                add(Counter.CBFC_RX_CC_ERROR)
            for v in range(self.vcs):
                if receiver[v]:
                    r_cc[v], due[v] = e.cc_before[v], 1
        for v in range(self.vcs):
            if not receiver[v]:
                r_cc[v] = reported[v] = due[v] = 0
                if not self.vc_cells[v]:
                    stored[v] = 0
        return ([n & M20 for n in r_cc], [n & M20 for n in stored], reported, due, turn, since,
                first, second, some)

    def _cc_time(self, s: Any, advance: bool, taken: str) -> tuple[int, bool]:
        sender, period = any(self.mask(s, Port.CBFC_CONTROL, 0)), s[Port.CBFC_CC_PERIOD]
        time, wanted = self.cc_time, self.cc_wanted and taken != "CC"
        if not sender or not period:
            time = 0
        elif time + 1 >= period:
            time, wanted = 0, True
        else:
            time += 1
        wanted |= advance and bool(s[Port.CBFC_CONTROL] >> 17 & 1)
        return time, sender and wanted

    def _pause(self, c: int, s: Any, e: Any, add: Any, taken: str) -> Any:
        asked, transmit = self.asked(s), self.mask(s, Port.PFC_CONTROL, 8)
        timer = [max(0, n - 1) for n in self.timer]
        if isinstance(e.mac, Pause):
            add(Counter.PFC_RX)
            for n in range(8):
                if e.mac.enabled >> n & 1:
                    timer[n] = e.mac.times[n] * self.q
        if isinstance(e.mac, CreditCounts):
            add(Counter.CBFC_RX_CC_UPDATE)
        watch, restore, bitten = list(self.watch), list(self.restore), False
        for v in range(self.vcs):
            if restore[v]:
                restore[v] -= 1
                watch[v] = 0
            elif not asked[v]:
                watch[v] = 0
            elif s[Port.PFC_WATCHDOG] and watch[v] + 1 >= s[Port.PFC_WATCHDOG]:
                watch[v], restore[v], bitten = 0, s[Port.PFC_RESTORE], True
            else:
                watch[v] += 1
        if bitten:
            add(Counter.PFC_WATCHDOG)
        xoff = [0 if not transmit[v] else 1 if self.vc_cells[v] >= s[Port.PFC_XOFF]
                else 0 if self.vc_cells[v] <= s[Port.PFC_XON] else self.xoff[v]
                for v in range(self.vcs)]
        since = 0 if taken == "PFC" else min(self.since_pfc + 1, (1 << 19) - 1)
        late = self.since_pfc >= s[Port.PFC_TIME] * self.q // 2
        changes = xoff != self.xoff
        if self.g == 2:
            changes, self.xoff_changed = self.xoff_changed, changes
        if changes or (any(self.xoff) and late and taken != "PFC"):
            wanted = True
        else:
            wanted = self.pfc_wanted and taken != "PFC"
        return timer, watch, restore, xoff, since, wanted


class Events:
    """What happens to a port in a cycle."""

    def __init__(self) -> None:
        self.matches: list[int] = []
        self.first_words: list[tuple[int, int]] = []
        self.cf: CreditUpdate | None = None
        self.cf_sent = self.cf_waits = self.idle = self.advance = False
        self.counted_before: list[tuple[int, int, bool]] = []
        self.drained: list[tuple[int, int, int]] = []
        self.filed_cells: list[tuple[int, int]] = []
        self.mac: Any = None
        self.cc_before: Any = None


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
