# SPDX-License-Identifier: Apache-2.0
"""Packet-mode iSLIP with waiting for busy inputs (docs/spec.md, Scheduler)."""

from __future__ import annotations

from gavel_model.config import SwitchConfig

Match = tuple[int, int, int]
"""Input, output, VC."""

_NOTHING: list[Match] = []


class Scheduler:
    """Matches free inputs to free outputs.

    Sets of inputs, of outputs and of VCs are numbers, bit n = member n.

    Attributes
    ----------
    grant, accept, vc
        Round-robin pointers: of each output over inputs, of each input over outputs, of each
        output over VCs.
    catch_up
        For each output, the inputs that go first.
    bypass
        For each output, frames taken past a busy input.
    bypass_limit
        Register ``BYPASS_LIMIT`` as visible in the cycle.
    eligible
        E of the specification: for each output the inputs with a frame that may go there.
    grant_packed, accept_packed, vc_packed, catch_up_packed
        The same state in the form of the probe points.
    """

    __slots__ = (
        "_allow", "_at_or_after", "_iterations", "_ports", "_ready", "_vc_bits", "_vcs",
        "_waiting_outputs", "accept", "accept_packed", "bypass", "bypass_limit", "catch_up",
        "catch_up_packed", "eligible", "grant", "grant_packed", "vc", "vc_packed",
    )

    def __init__(self, config: SwitchConfig, allow: list[int]) -> None:
        self._ports = config.ports
        self._vcs = config.vcs
        self._vc_bits = config.vc_bits
        self._iterations = config.islip_iterations
        self._allow = allow
        everything = (1 << max(config.ports, config.vcs)) - 1
        self._at_or_after = [everything >> n << n for n in range(max(config.ports, config.vcs))]
        self.bypass_limit = config.bypass_limit
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        ports = self._ports
        self.grant = [0] * ports
        self.accept = [0] * ports
        self.vc = [0] * ports
        self.catch_up = [0] * ports
        self.bypass = [0] * ports
        self.eligible = [0] * ports
        self._ready = [[0] * ports for _ in range(ports)]
        self._waiting_outputs = 0
        self.grant_packed = 0
        self.accept_packed = 0
        self.vc_packed = 0
        self.catch_up_packed = 0

    def voq_filled(self, i: int, j: int, v: int) -> None:
        """VOQ (j, v) of input i is no longer empty."""
        self._ready[j][i] |= 1 << v
        if self._allow[j] >> v & 1:
            self.eligible[j] |= 1 << i

    def voq_emptied(self, i: int, j: int, v: int) -> None:
        """VOQ (j, v) of input i has become empty."""
        ready = self._ready[j][i] & ~(1 << v)
        self._ready[j][i] = ready
        if not ready & self._allow[j]:
            self.eligible[j] &= ~(1 << i)

    def allow_changed(self, j: int) -> None:
        """`FlowControl` has changed the mask of output j."""
        allowed = self._allow[j]
        self.eligible[j] = sum(
            1 << i for i, ready in enumerate(self._ready[j]) if ready & allowed
        )

    def step(self, free_inputs: int, free_outputs: int) -> list[Match]:
        """Makes the matches of a cycle from what is visible in it."""
        if self._waiting_outputs:
            for j, inputs in enumerate(self.catch_up):
                self._set_catch_up(j, inputs & self.eligible[j])
        requests = self._requests(free_inputs, free_outputs)
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
                outputs = outputs & self._waiting_outputs or outputs
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
        requests = []
        rest = free_outputs if free_inputs else 0
        while rest:
            low = rest & -rest
            rest ^= low
            j = low.bit_length() - 1
            inputs = (self.catch_up[j] or self.eligible[j]) & free_inputs
            if inputs:
                requests.append((j, inputs))
        return requests

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

    def _choose_vc(self, i: int, j: int) -> int:
        old = self.vc[j]
        vcs = self._ready[j][i] & self._allow[j]
        vcs = vcs & self._at_or_after[old] or vcs
        v = (vcs & -vcs).bit_length() - 1
        new = self.vc[j] = (v + 1) % self._vcs
        self.vc_packed ^= (old ^ new) << j * self._vc_bits
        return v

    def _count_bypass(self, i: int, j: int, busy_inputs: int) -> None:
        """Updates ``catch_up`` and ``bypass`` of an output matched with input i."""
        if self.catch_up[j]:
            self._set_catch_up(j, self.catch_up[j] & ~(1 << i))
            self.bypass[j] = 0
            return
        passed = self.eligible[j] & busy_inputs
        limit = self.bypass_limit
        if not passed or not limit:
            self.bypass[j] = 0
        elif self.bypass[j] + 1 >= limit:
            self._set_catch_up(j, passed)
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
