# SPDX-License-Identifier: Apache-2.0
"""Scenarios of which VC a frame belongs to (CBFC-05, -06, -07)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from gavel_model.register_map import CLASS_FROM_SHIFT, ClassFrom, Port, VcMatch
from gavel_tb.behaviour.flow.direct import INPUT, OUTPUT, Direct
from gavel_tb.behaviour.flow.plan import EndPlan
from gavel_tb.behaviour.ledger import Edit
from gavel_tb.behaviour.steps import Script

_MASK = 0x3F
_TYPE_OFFSET = 12
_TAG_BYTES = 4


class _Mapped(Direct):
    """Frames of one header after the other: only the VC moves that it is mapped to, at the input,
    where CF_Update says it, and at the output, where CC_Update does."""

    CLASS_FROM: ClassVar[ClassFrom]
    MATCH: ClassVar[Mapping[int, tuple[int, int]]]
    """Mask and value of each VC; VCs that are not named match nothing of what is sent."""

    VALUES: ClassVar[tuple[tuple[int, int], ...]]
    """Values of the header, and the VC of each."""

    FRAMES: ClassVar[int] = 3

    def _plan(self, port: int) -> EndPlan:
        plan = super()._plan(port)
        every = (1 << self.config.vcs) - 1
        return replace(plan, sender=every * (port == OUTPUT), receiver=every * (port == INPUT))

    def _play(self) -> Script:
        yield from self.bring_up()
        self.write(INPUT, Port.PROFILE, self.CLASS_FROM << CLASS_FROM_SHIFT)
        for vc in range(self.config.vcs):
            mask, value = self.MATCH.get(vc, (_MASK, _MASK))
            self.write(INPUT, Port.VC_MATCH + vc, mask << VcMatch.MASK | value)
        yield from self.written()
        wanted = [0] * self.config.vcs
        for value, vc in self.VALUES:
            for edit in self._headers(value):
                self.feed(INPUT, OUTPUT, self.FRAMES, vc=vc, edit=edit)
                wanted[vc] += self.FRAMES
            yield from self.quiet(100)
            found = [self.ends[INPUT].log.freed_out(n) for n in range(self.config.vcs)]
            self.must(found == wanted, f"after header {value}: freed are {found}, not {wanted}")
        yield from self.counts(0, wanted[0], "VC 0")
        consumed = list(self.ends[OUTPUT].log.counts_out[-1][1][:self.config.vcs])
        self.must(consumed == wanted, f"consumed are {consumed}, not {wanted}")

    def _headers(self, value: int) -> tuple[Edit, ...]:
        """Headers with a value; each gives frames."""
        raise NotImplementedError


class PriorityMapped(_Mapped):
    """CBFC-05: priority and drop eligibility. 0/0 goes to VC 0 and 7/1 to VC 1, 3/0 and 3/1 by a
    mask to VC 2; what nothing matches, and what has no tag, to VC 0."""

    CLASS_FROM = ClassFrom.PCP_DEI
    MATCH: ClassVar[Mapping[int, tuple[int, int]]] = {0: (_MASK, 0), 1: (_MASK, 15), 2: (0x3E, 6)}
    VALUES = ((0, 0), (15, 1), (6, 2), (7, 2), (14, 0))

    def _headers(self, value: int) -> tuple[Edit, ...]:
        def tagged(body: bytes) -> bytes:
            return body[:14] + bytes([value << 4, 5]) + body[16:]

        def plain(body: bytes) -> bytes:
            # The bytes where a tag would have its priority say 15, which is VC 1.
            return body[:12] + b"\x88\xb5\xf0" + body[15:]

        return (tagged, plain) if value == 0 else (tagged,)


class _Dscp(_Mapped):
    CLASS_FROM = ClassFrom.DSCP
    MATCH: ClassVar[Mapping[int, tuple[int, int]]] = {
        0: (_MASK, 0), 1: (_MASK, 7), 2: (_MASK, 15), 3: (_MASK, 31)}
    VALUES = ((0, 0), (7, 1), (15, 2), (31, 3), (30, 0), (63, 0))

    def _headers(self, value: int) -> tuple[Edit, ...]:
        head = self._head(value)

        def plain(body: bytes) -> bytes:
            return body[:_TYPE_OFFSET] + head + body[_TYPE_OFFSET + len(head):]

        def tagged(body: bytes) -> bytes:
            tag = b"\x81\x00\xe0\x05"
            return body[:_TYPE_OFFSET] + tag + head + body[_TYPE_OFFSET + _TAG_BYTES + len(head):]

        return plain, tagged

    def _head(self, value: int) -> bytes:
        """EtherType and what follows, to the end of the DSCP."""
        raise NotImplementedError


class Dscp4Mapped(_Dscp):
    """CBFC-06: DSCP of IPv4, with and without a tag: 0, 7, 15 and 31 go to four VCs."""

    def _head(self, value: int) -> bytes:
        return b"\x08\x00\x45" + bytes([value << 2 | 1])


class Dscp6Mapped(_Dscp):
    """CBFC-07: the same of IPv6, whose traffic class lies across two bytes."""

    def _head(self, value: int) -> bytes:
        return b"\x86\xdd" + (6 << 12 | value << 6 | 0x2F).to_bytes(2, "big")
