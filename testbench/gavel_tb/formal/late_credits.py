# SPDX-License-Identifier: Apache-2.0
"""The limit is kept with registers on the way of everything that it depends on."""

from __future__ import annotations

from functools import reduce
from itertools import pairwise
from operator import add, or_

from amaranth.hdl import Cat, Mux, Signal, Value

from gavel_model.config import LATE_FRAME_WORDS, MIN_FRAME_BYTES
from gavel_model.register_map import CREDIT_BITS
from gavel_tb.formal.credits import CreditSenderHarness
from gavel_tb.formal.harness import implies

_TO_EGRESS = 3
_WARM = 8
"""Cycles after reset until limits and costs are where they are compared. No VC has credits then:
management cannot have written anything."""

_REMEMBERED = 8
"""Cycles whose matches somebody still counts."""


class LateCreditSenderHarness(CreditSenderHarness):
    """`CreditSenderHarness` with ``gate_stages`` = 2: frames of four words, and between the gate
    and the match a register of FlowControl, and another one with ``match_stages`` = 1.

    ``b[n]`` is a match n cycles before. What a frame takes is counted in the fifth cycle behind its
    match, so each of the claims says what was known in its cycle of what is in use, and with how
    many longest frames that is made up for.
    """

    def _send(self) -> None:
        config, blocks, m = self.config, self.blocks, self.m
        vcs, gate = config.vcs, self.design.part("gate")
        sender = self.design.part("sender")
        longest = self._cost("longest", Signal(
            config.length_bits, init=config.max_frame_bytes, name="longest_length"))
        length = self.anything(config.length_bits, "length")
        self.suppose((length >= MIN_FRAME_BYTES) & (length <= config.max_frame_bytes))
        matched = self.matched = self.anything(vcs, "matched")
        # Of each register behind the gate.
        self.may = [Signal(vcs, name=f"may_{n}") for n in range(1 + config.match_stages)]
        m.d.sync += [held.eq(value) for value, held in zip(
            [blocks.gate.fits, *self.may], self.may, strict=False)]
        b = [matched, *(Signal(vcs, name=f"matched_{n}_before") for n in range(1, _REMEMBERED + 1))]
        lengths = [length, *(Signal.like(length, name=f"length_{n}_before")
                             for n in range(1, _TO_EGRESS + 1))]
        for row in (b, lengths):
            m.d.sync += [later.eq(value) for value, later in pairwise(row)]
        self.suppose((matched & (matched - 1)) == 0)
        self.suppose((matched & ~self.may[-1]) == 0)
        self.suppose(implies(matched.any(), ~reduce(or_, b[1:LATE_FRAME_WORDS]).any()))
        # Bit n: cycle n + 1 or a later one.
        self.age = Signal(_WARM, name="age")
        m.d.sync += self.age.eq(Cat(1, self.age))
        self.claim("cycles pass one by one", (self.age & (self.age + 1)) == 0)
        warm = self.age[-1]
        self.suppose(implies(~warm, matched == 0))
        for n in range(1, _REMEMBERED + 1):
            self.claim(f"one frame {n} before", (b[n] & (b[n] - 1)) == 0)
            self.claim(f"none beside that {n} before", implies(
                b[n].any(), ~reduce(or_, b[n + 1:n + LATE_FRAME_WORDS], b[n] & 0).any()))
            self.claim(f"none {n} before, if that is before the first", implies(
                ~warm, b[n] == 0))
        for n in range(1, _TO_EGRESS + 1):
            self.claim(f"length {n} before", implies(b[n].any(), (
                (lengths[n] >= MIN_FRAME_BYTES) & (lengths[n] <= config.max_frame_bytes))))
        m.d.comb += [
            blocks.gate.vc_before.eq(b[1]),
            blocks.sender.sent.eq(b[_TO_EGRESS].any()),
            blocks.sender.sent_length.eq(lengths[_TO_EGRESS]),
            blocks.sender.cc_taken.eq(self.anything(1, "cc_taken")),
            blocks.sender.sent_vc.eq(reduce(add, (
                Mux(b[_TO_EGRESS][vc], vc, 0) for vc in range(vcs)))),
        ]
        self.under_way = [self.let(f"under_way{vc}", CREDIT_BITS + 2, Mux(
            reduce(or_, (b[n][vc] for n in range(1, 5))), longest, 0)) for vc in range(vcs)]
        self.claim("the size of a credit is known", implies(self.age[0], (
            gate.signal("sender_size_before__exponent") == self.size.exponent)
            & (gate.signal("sender_size_before__overhead") == self.size.overhead)))
        self.claim("what a longest frame costs is known",
                   implies(self.age[1], gate.signal("longest_1") == longest))
        for vc in range(vcs):
            row = [stage[vc] for stage in b]
            self.claim(f"VC {vc}: no frame takes more than the longest", (
                sender.signal(f"taken_{vc}") <= Mux(row[4], 2 * longest, 0)))
            self._claim_gate_of(vc, longest, row)

    def _claim_gate_of(self, vc: int, longest: Value, b: list[Value]) -> None:
        """What the gate knows of a VC, and what that is worth in its cycle."""
        m, gate, name = self.m, self.design.part("gate"), f"vc{vc}"
        used: list[Value] = [self.blocks.sender.used[vc]]
        limit = self.limits[vc]
        for n in range(1, 3 + self.config.match_stages):
            used.append(Signal(CREDIT_BITS, name=f"used{vc}_{n}_before"))
            m.d.sync += used[-1].eq(used[-2])
            self.claim(f"VC {vc}: used has grown by a frame at most, {n} before",
                       used[n - 1] <= used[n] + Mux(b[4 + n], longest, 0))
        self.claim(f"VC {vc}: matches", (
            (gate.signal("matched_before")[vc] == b[2])
            & (gate.signal(f"{name}_matched_earlier") == Cat(b[3], b[4]))
            & (gate.signal(f"{name}_some_earlier") == (b[3] | b[4] | b[5]))))
        for number in range(2):
            frames = longest * (number + 1)
            self.claim(f"VC {vc}: room behind {number}", implies(
                self.age[2], gate.signal(f"{name}_room_{number}") == limit - frames))
            self.claim(f"VC {vc}: it fits behind {number}", implies(
                self.age[3],
                gate.signal(f"{name}_fits_behind_{number}") == (used[1] + frames <= limit)))
        for n, may in enumerate(self.may):
            counted = reduce(or_, b[3 + n:7 + n])
            self.claim(f"VC {vc}: what register {n} behind the gate says", implies(
                self.age[4 + n] & may[vc],
                used[2 + n] + longest + Mux(counted, longest, 0) <= limit))
