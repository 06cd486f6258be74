# SPDX-License-Identifier: Apache-2.0
"""The scheduler as the text of the specification says, written out slowly: a second reading of
docs/spec.md, chapter Scheduler, beside the golden model."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable
from dataclasses import dataclass

from gavel_model.config import SwitchConfig


def first_at_or_after(members: set[int], pointer: int) -> int:
    """The first of a set at or after a pointer, cyclically."""
    later = [n for n in members if n >= pointer]
    return min(later or members)


@dataclass
class Inputs:
    """What the scheduler sees in one cycle; ``ready`` by input, ``allow`` as flags of VOQs, the
    others by output."""

    ready: list[list[bool]]
    allow: list[bool]
    done: set[int]
    hold: list[bool]
    claim: list[bool]
    weights: list[list[int]]
    strict: list[set[int]]
    limit: int
    ends: set[int] | None = None
    """Transfers that are done in the next cycle, if the scheduler is told so early."""
    coming: list[list[bool]] | None = None
    """VOQs shown in the next cycle, if it is told so early, too."""
    allow_next: list[bool] | None = None
    """What may be sent in the next cycle, the same; with weights and strict VCs of then."""
    settings_next: tuple[list[list[int]], list[set[int]]] | None = None


class Reference:
    """docs/spec.md, chapter Scheduler, with sets and lists.

    Attributes
    ----------
    before
        The matches of the cycle before, as `step` has returned them; kept by its user.
    idle
        Outputs that only a control frame can keep from a match.
    seen
        How often what is rare has come up.
    """

    def __init__(self, config: SwitchConfig):
        self.config = config
        p = config.ports
        self.grant = [0] * p
        self.accept = [0] * p
        self.turn: list[set[tuple[int, int]]] = [set() for _ in range(p)]
        self.quota = [[0] * config.vcs for _ in range(p)]
        self.catch_up: list[set[int]] = [set() for _ in range(p)]
        self.bypass = [0] * p
        self.open: dict[int, int] = {}
        self.idle: set[int] = set()
        self.before: dict[int, tuple[int, int]] = {}
        self.asked: Inputs | None = None
        """What was seen in the cycle before."""

        self.seen: Tally[str] = Tally()

    def step(self, now: Inputs) -> dict[int, tuple[int, int]]:
        """One cycle: for each matched input its output and VC."""
        p, v = self.config.ports, self.config.vcs
        inputs = outputs = range(p)
        done = now.done
        going_on = {i: out for i, out in self.open.items() if i not in done}
        busy, free_in = set(going_on), set(inputs) - set(going_on)
        free_out = set(outputs) - set(going_on.values())
        self.idle = {j for j in free_out if not now.hold[j]}
        unknown: set[int] = set()
        if self.config.match_stages:
            # A match is made of what was seen one cycle ago, when matches of then were not known.
            unknown = set(self.before)
            last, self.asked = self.asked, now
            now = last or plain(self.config)
        free_out = {j for j in free_out if not now.hold[j] and not now.claim[j]}
        frames = {(i, j): {k for k in range(v) if now.ready[i][j * v + k]}
                  for i in inputs for j in outputs}
        may_send = {(i, j): {k for k in vcs if now.allow[j * v + k]}
                    for (i, j), vcs in frames.items()}
        known = [{i for i in self.catch_up[j] if frames[i, j]} for j in outputs]
        late = [{i for i in known[j] if may_send[i, j]} for j in outputs]
        request = {(i, j, k) for (i, j), vcs in may_send.items() for k in vcs
                   if i in free_in | unknown and j in free_out and (not late[j] or i in late[j])}
        choice = {j: self.choose(j, {(i, k) for i, out, k in request if out == j}, now)
                  for j in outputs}
        pairs: dict[int, int] = {}
        for iteration in range(self.config.islip_iterations):
            grants: dict[int, set[int]] = {}
            for j in set(outputs) - set(pairs.values()):
                asking = {i for i, _ in choice[j][0]}
                wanting = asking - set(pairs) - unknown
                self.seen["asked by the busy alone"] += asking != set() and asking <= unknown
                if wanting:
                    grants.setdefault(first_at_or_after(wanting, self.grant[j]), set()).add(j)
            for i, granting in grants.items():
                j = first_at_or_after({j for j in granting if late[j]} or granting, self.accept[i])
                pairs[i] = j
                if iteration == 0:
                    self.grant[j], self.accept[i] = (i + 1) % p, (j + 1) % p
        matched = {i: (j, self.take(j, i, *choice[j], now)) for i, j in pairs.items()}
        for i, j in pairs.items():
            self.wait(j, i, known, late, {n for n in busy if may_send[n, j]}, now.limit)
        for j in set(outputs) - set(pairs.values()):
            self.seen["kept without allow"] += known[j] != late[j]
            self.catch_up[j] = known[j]
        for i in done:
            self.open.pop(i, None)
        self.open |= pairs
        return matched

    def choose(self, j: int, asking: set[tuple[int, int]],
               now: Inputs) -> tuple[set[tuple[int, int]], bool]:
        """Of the pairs (input, VC) that request output j those that count, which is U, and
        whether a new round begins."""
        weighted = any(now.weights[j])
        vcs = {k for _, k in asking}
        left = {k for k in vcs if self.quota[j][k] > 0}
        new_round = False
        if vcs & now.strict[j]:
            self.seen["strict"] += 1
            vcs = {max(vcs & now.strict[j])}
        elif weighted and left:
            vcs = left
        elif weighted:
            new_round = True
        considered = {(i, k) for i, k in asking if k in vcs}
        waiting = considered - self.turn[j]
        member = 1 if weighted else 0
        groups = {pair[member] for pair in waiting}
        return waiting | {pair for pair in considered if pair[member] not in groups}, new_round

    def take(self, j: int, i: int, counting: set[tuple[int, int]], new_round: bool,
             now: Inputs) -> int:
        """Moves turns and quotas of an output that is matched; returns the VC."""
        weighted = any(now.weights[j])
        vc = min(k for h, k in counting if h == i)
        if (i, vc) in self.turn[j]:
            self.seen["turns begin anew"] += 1
            group = {(h, k) for h, k in self.turn[j] if (k == vc if weighted else h == i)}
            self.turn[j] -= group
        self.turn[j] |= {(i, vc)}
        if weighted and vc not in now.strict[j]:
            self.seen["new round"] += new_round
            self.seen["round goes on"] += not new_round
            if new_round:
                self.quota[j] = [max(1, now.weights[j][k]) for k in range(self.config.vcs)]
            self.quota[j][vc] -= 1
        return vc

    def wait(self, j: int, i: int, known: list[set[int]], late: list[set[int]], busy: set[int],
             limit: int) -> None:
        """The catch-up set of an output that is matched."""
        self.catch_up[j] = known[j]
        if late[j]:
            self.catch_up[j] = known[j] - {i}
            self.bypass[j] = 0
        elif limit == 0:
            self.bypass[j] = 0
        elif not busy:
            return
        elif self.bypass[j] + 1 >= limit:
            self.seen["joins"] += bool(known[j])
            self.catch_up[j], self.bypass[j] = known[j] | busy, 0
        else:
            self.bypass[j] += 1

    def probes(self) -> dict[str, int]:
        """The state in the form of the probe points."""
        p = self.config.ports

        def mask(pointer: int) -> int:
            return 0 if pointer == 0 else -1 << pointer & (1 << p) - 1

        def pack(values: Iterable[int], width: int) -> int:
            return sum(value << n * width for n, value in enumerate(values))

        return {
            "grant": pack(map(mask, self.grant), p),
            "accept": pack(map(mask, self.accept), p),
            "turn": pack((sum(1 << i for i in range(p) if (i, k) in pairs)
                          for pairs in self.turn for k in range(self.config.vcs)), p),
            "catch_up": pack((sum(1 << i for i in s) for s in self.catch_up), p),
            "quota": pack((n for row in self.quota for n in row), 4),
        }


def plain(config: SwitchConfig, **changes: object) -> Inputs:
    """Nothing is asked for, everything is allowed, no weights."""
    ports = config.ports
    values = {
        "ready": [[False] * config.voqs for _ in range(ports)], "allow": [True] * config.voqs,
        "done": set(), "hold": [False] * ports, "claim": [False] * ports,
        "weights": [[0] * config.vcs for _ in range(ports)],
        "strict": [set() for _ in range(ports)],
        "limit": 0, **changes,
    }
    return Inputs(**values)  # type: ignore[arg-type]  # the caller names members
