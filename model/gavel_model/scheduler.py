# SPDX-License-Identifier: Apache-2.0
"""Packet-mode iSLIP with waiting for busy inputs (docs/spec.md, Scheduler)."""

from __future__ import annotations

from gavel_model.config import SwitchConfig
from gavel_model.probes import QUOTA_BITS

Match = tuple[int, int, int]
"""Input, output, VC."""

_NOTHING: list[Match] = []


class Scheduler:
    """Matches free inputs to free outputs.

    Sets of inputs, of outputs and of VCs are numbers, bit n = member n.

    Attributes
    ----------
    grant, accept
        Round-robin pointers: of each output over inputs, of each input over outputs.
    turn
        For each output and VC, the inputs that have had their turn with it.
    quota
        For each output, frames of each VC that it may still take in this round.
    catch_up
        For each output, the inputs that go first.
    bypass
        For each output, frames taken past a busy input.
    bypass_limit
        Register ``BYPASS_LIMIT`` as visible in the cycle.
    weights, strict
        For each output the weights of its VCs, None without, and its VCs with strict priority, as
        visible in the cycle.
    filled, eligible
        F and E of the specification: for each output the inputs that show a frame for it, and
        those that show one that may go there.
    grant_packed, accept_packed, turn_packed, catch_up_packed, quota_packed
        The same state in the form of the probe points.
    """

    __slots__ = (
        "_allow", "_at_or_after", "_considered", "_inputs", "_iterations", "_ports", "_ready",
        "_urgent", "_vcs", "_waiting_outputs", "_wanted", "accept", "accept_packed", "bypass",
        "bypass_limit", "catch_up", "catch_up_packed", "eligible", "filled", "grant",
        "grant_packed", "quota", "quota_packed", "strict", "turn", "turn_packed", "weights",
    )

    def __init__(self, config: SwitchConfig, allow: list[int]) -> None:
        """``allow`` has for each output the mask of VCs that may send; whoever changes it calls
        `allow_changed`."""
        self._ports = config.ports
        self._vcs = config.vcs
        self._iterations = config.islip_iterations
        self._allow = allow
        everything = (1 << config.ports) - 1
        self._at_or_after = [everything >> n << n for n in range(config.ports)]
        self.bypass_limit = config.bypass_limit
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        ports = self._ports
        self.grant = [0] * ports
        self.accept = [0] * ports
        self.turn = [[0] * self._vcs for _ in range(ports)]
        self.quota = [[0] * self._vcs for _ in range(ports)]
        self.catch_up = [0] * ports
        self.bypass = [0] * ports
        self.weights: list[list[int] | None] = [None] * ports
        self.strict = [0] * ports
        self.filled = [0] * ports
        self.eligible = [0] * ports
        # VCs that each input shows, and inputs that show each VC, for each output.
        self._ready = [[0] * ports for _ in range(ports)]
        self._inputs = [[0] * self._vcs for _ in range(ports)]
        # Where not all requests of an output count: whether a new round begins, and the inputs
        # of each VC that count.
        self._considered: dict[int, tuple[bool, list[int]]] = {}
        self._waiting_outputs = 0
        self._urgent = 0
        # Outputs with an eligible input: the only ones that are looked at.
        self._wanted = 0
        self.grant_packed = 0
        self.accept_packed = 0
        self.turn_packed = 0
        self.catch_up_packed = 0
        self.quota_packed = 0

    @property
    def ready(self) -> list[list[int]]:
        """For each output and input the VCs that are shown, a mask."""
        return self._ready

    def voq_filled(self, i: int, j: int, v: int) -> None:
        """VOQ (j, v) of input i is shown: no longer empty, or with one queue per input the head."""
        self._ready[j][i] |= 1 << v
        self._inputs[j][v] |= 1 << i
        self.filled[j] |= 1 << i
        if self._allow[j] >> v & 1:
            self.eligible[j] |= 1 << i
            self._wanted |= 1 << j

    def voq_emptied(self, i: int, j: int, v: int) -> None:
        """VOQ (j, v) of input i is no longer shown."""
        ready = self._ready[j][i] & ~(1 << v)
        self._ready[j][i] = ready
        self._inputs[j][v] &= ~(1 << i)
        if not ready:
            self.filled[j] &= ~(1 << i)
        if not ready & self._allow[j]:
            self._set_eligible(j, self.eligible[j] & ~(1 << i))

    def allow_changed(self, j: int) -> None:
        """`FlowControl` has changed the mask of output j."""
        allowed = self._allow[j]
        eligible = 0
        for v, inputs in enumerate(self._inputs[j]):
            if allowed >> v & 1:
                eligible |= inputs
        self._set_eligible(j, eligible)

    def _set_eligible(self, j: int, inputs: int) -> None:
        self.eligible[j] = inputs
        if inputs:
            self._wanted |= 1 << j
        else:
            self._wanted &= ~(1 << j)

    @property
    def resting(self) -> bool:
        """No VOQ has a frame, and no output waits for an input: a step changes nothing."""
        return not (self._wanted or self._waiting_outputs or any(self.filled))

    def serve(self, j: int, weights: list[int] | None, strict: int) -> None:
        """Settings of output j."""
        self.weights[j] = weights
        self.strict[j] = strict

    def limit_bypass(self, limit: int) -> None:
        """Register ``BYPASS_LIMIT`` is written."""
        self.bypass_limit = limit

    def step(self, free_inputs: int, free_outputs: int, unknown: int = 0) -> list[Match]:
        """Makes the matches of a cycle from what is visible in it. ``unknown``: inputs that are
        not free, which requests do not know yet."""
        self._urgent = 0
        if self._waiting_outputs:
            for j, inputs in enumerate(self.catch_up):
                if inputs:
                    self._set_catch_up(j, inputs & self.filled[j])
                    if self.catch_up[j] & self.eligible[j]:
                        self._urgent |= 1 << j
        requests = self._requests(free_inputs | unknown, free_outputs)
        if not requests:
            return _NOTHING
        matches: list[Match] = []
        at_or_after = self._at_or_after
        busy_inputs = ~free_inputs
        for iteration in range(self._iterations):
            grants: dict[int, int] = {}
            for j, inputs in requests:
                inputs &= free_inputs
                if inputs:
                    inputs = inputs & at_or_after[self.grant[j]] or inputs
                    i = (inputs & -inputs).bit_length() - 1
                    grants[i] = grants.get(i, 0) | 1 << j
            if not grants:
                break
            for i, outputs in grants.items():
                outputs = outputs & self._urgent or outputs
                outputs = outputs & at_or_after[self.accept[i]] or outputs
                output = outputs & -outputs
                j = output.bit_length() - 1
                free_inputs &= ~(1 << i)
                free_outputs &= ~output
                if not iteration:
                    self._move_pointers(i, j)
                matches.append((i, j, self._choose_vc(i, j)))
                self._count_bypass(i, j, busy_inputs)
            requests = [item for item in requests if free_outputs >> item[0] & 1]
        return matches

    def _requests(self, free_inputs: int, free_outputs: int) -> list[tuple[int, int]]:
        """Free outputs with the set of free inputs that request each."""
        self._considered.clear()
        requests = []
        rest = free_outputs & self._wanted if free_inputs else 0
        while rest:
            low = rest & -rest
            rest ^= low
            j = low.bit_length() - 1
            inputs = self.eligible[j] & free_inputs
            if self._urgent & low:
                inputs &= self.catch_up[j]
            if inputs:
                if self.strict[j] or self.weights[j] is not None:
                    inputs = self._consider(j, inputs)
                requests.append((j, inputs))
        return requests

    def _consider(self, j: int, inputs: int) -> int:
        """Chooses the requests of an output that count; returns the inputs that have one."""
        allowed = self._allow[j]
        rows = [row & inputs if allowed >> v & 1 else 0 for v, row in enumerate(self._inputs[j])]
        requested = sum(1 << v for v, row in enumerate(rows) if row)
        weights = self.weights[j]
        new_round = False
        strict = requested & self.strict[j]
        if strict:
            requested = 1 << strict.bit_length() - 1
        elif weights is not None:
            left = sum(1 << v for v, quota in enumerate(self.quota[j]) if quota) & requested
            new_round = not left
            requested = left or requested
        wanted = 0
        for v, row in enumerate(rows):
            if not requested >> v & 1:
                rows[v] = 0
            elif weights is not None:
                rows[v] = row & ~self.turn[j][v] or row
            wanted |= rows[v]
        self._considered[j] = new_round, rows
        return wanted

    def _choose_vc(self, i: int, j: int) -> int:
        """The VC of a match."""
        turn, weights = self.turn[j], self.weights[j]
        new_round, rows = self._considered.pop(j, (False, None))
        if rows is None:
            vcs = self._ready[j][i] & self._allow[j]
        else:
            vcs = sum(1 << v for v, row in enumerate(rows) if row >> i & 1)
        if weights is None:
            had = sum(1 << v for v, row in enumerate(turn) if row >> i & 1)
            vcs = vcs & ~had or vcs
        v = (vcs & -vcs).bit_length() - 1
        if turn[v] >> i & 1:
            group = [v] if weights is not None else range(self._vcs)
            for u in group:
                self._set_turn(j, u, 0 if weights is not None else turn[u] & ~(1 << i))
        self._set_turn(j, v, turn[v] | 1 << i)
        if weights is not None and not self.strict[j] >> v & 1:
            quota = weights.copy() if new_round else self.quota[j].copy()
            quota[v] -= 1
            self._set_quota(j, quota)
        return v

    def _set_turn(self, j: int, v: int, inputs: int) -> None:
        self.turn_packed ^= (self.turn[j][v] ^ inputs) << (j * self._vcs + v) * self._ports
        self.turn[j][v] = inputs

    def _set_quota(self, j: int, quota: list[int]) -> None:
        for v, (old, new) in enumerate(zip(self.quota[j], quota, strict=True)):
            self.quota_packed ^= (old ^ new) << (j * self._vcs + v) * QUOTA_BITS
        self.quota[j] = quota

    def _move_pointers(self, i: int, j: int) -> None:
        ports = self._ports
        old = self.grant[j]
        new = self.grant[j] = (i + 1) % ports
        self.grant_packed ^= (self._thermometer(old) ^ self._thermometer(new)) << j * ports
        old = self.accept[i]
        new = self.accept[i] = (j + 1) % ports
        self.accept_packed ^= (self._thermometer(old) ^ self._thermometer(new)) << i * ports

    def _thermometer(self, pointer: int) -> int:
        """Bits from the pointer on; 0 for pointer 0."""
        ports = self._ports
        return (1 << ports) - (1 << pointer) if pointer else 0

    def _count_bypass(self, i: int, j: int, busy_inputs: int) -> None:
        """Updates ``catch_up`` and ``bypass`` of an output matched with input i."""
        if self._urgent >> j & 1:
            self._set_catch_up(j, self.catch_up[j] & ~(1 << i))
            self.bypass[j] = 0
            return
        passed = self.eligible[j] & busy_inputs
        limit = self.bypass_limit
        if not limit:
            self.bypass[j] = 0
        elif not passed:
            return
        elif self.bypass[j] + 1 >= limit:
            self._set_catch_up(j, self.catch_up[j] | passed)
            self.bypass[j] = 0
        else:
            self.bypass[j] += 1

    def _set_catch_up(self, j: int, inputs: int) -> None:
        self.catch_up_packed ^= (self.catch_up[j] ^ inputs) << j * self._ports
        self.catch_up[j] = inputs
        if inputs:
            self._waiting_outputs |= 1 << j
        else:
            self._waiting_outputs &= ~(1 << j)
