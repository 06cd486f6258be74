# SPDX-License-Identifier: Apache-2.0
"""Scenarios of what is on the pins, byte by byte, and of public bytes that come in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from gavel_model.register_map import PfcControl, Port
from gavel_tb.behaviour.flow.direct import INPUT, OUTPUT, Direct
from gavel_tb.behaviour.flow.plan import EndPlan, cbfc_control, unit_bits
from gavel_tb.behaviour.judgement import C, Counts
from gavel_tb.behaviour.steps import Script
from gavel_tb.partner.flow_settings import CreditSize

_LARGEST = (1 << 20) - 1
_PEER = "0180C2000001 020000000099 8808"
_CLASSES_APART = 0x0000_3210
"""``VC_MAP``: classes 0...3 on VCs of their own, 4...7 on VC 0."""


class CreditVectors(Direct):
    """CF_Update in the public layout (``protect`` = 0), sent and received."""

    PROTECT = False
    WIDTHS = (512,)
    UNIT: ClassVar[CreditSize] = CreditSize(32, 127)

    def _plan(self, port: int) -> EndPlan:
        plan = super()._plan(port)
        return replace(plan, receiver=0b1010 if port == INPUT else 0)

    def _play(self) -> Script:
        yield from self.bring_up()
        # The peer's CC_Update makes the counts what the vector has.
        self.feed_counts(INPUT, 0, 0x7FFF, 0, 0x1234)
        yield from self.quiet()
        found = {seen.ctl.to_bytes(7, "little").hex(" ")
                 for seen in self.ends[INPUT].log.credits_out}
        wanted = {"10 19 23 46 0f ff f0", "10 0f ff f6 19 23 40"}
        self.must(bool(found & wanted), f"sent were {found}")
        yield from self._received()

    def _received(self) -> Script:
        """10 19 23 46 FF FF F0: VC 3 to 0x1234, and VC 31, which is refused."""
        plan = self.ends[OUTPUT].plan
        self.write(OUTPUT, Port.CBFC_SENDER, unit_bits(self.UNIT))
        self.write(OUTPUT, Port.CBFC_LIMIT + 3, _LARGEST)
        self.write(OUTPUT, Port.CBFC_CONTROL, cbfc_control(plan, sender=1 << 3, receiver=0))
        yield from self.written()
        frames = -(-0x1234 // 6)
        self.feed(INPUT, OUTPUT, frames, vc=3)
        yield from self.quiet()
        # Room for a longest frame if two credits are in use, and not with three.
        used = 6 * frames - 0x1234
        self.write(OUTPUT, Port.CBFC_LIMIT + 3, self.UNIT.credits(self.config.max_frame_bytes)
                   + used)
        yield from self.written()
        self.feed(INPUT, OUTPUT, vc=3)
        yield from self.quiet()
        out = self.ends[OUTPUT]
        self.must(len(out.log.out) == frames, "a frame was sent without credits")
        for text in ("10192336FFFFF0", "10192346FFFFF0"):  # one less, then the vector
            out.back_tap.inserts.append(int.from_bytes(bytes.fromhex(text), "little"))
            yield from self.cycles(60)
            sent = len(out.log.out) - frames
            self.must(sent == (text[6] == "4"), f"after {text} {sent} frames were sent")

    def _expected(self) -> Mapping[int, Counts]:
        return {INPUT: {C.CBFC_RX_RECOVERED: 1},
                OUTPUT: {C.CBFC_RX_CF_ERROR: 2, C.CBFC_RX_CF_UPDATE: 2}}


class CountVectors(Direct):
    """CC_Update as sent, byte by byte: CC[i] = i * 0x1111; and as received."""

    WIDTHS = (512,)
    UNIT: ClassVar[CreditSize] = CreditSize(32, 127)
    FRAME: ClassVar[str] = ("0180C2000001 020000000000 8808 FFFE FA7ACB 01"
                            "00000 01111 02222 03333")

    def _play(self) -> Script:
        yield from self.bring_up()
        plan, out = self.ends[OUTPUT].plan, self.ends[OUTPUT].log
        self.write(OUTPUT, Port.CBFC_SENDER, unit_bits(self.UNIT))
        for vc in range(4):
            self.write(OUTPUT, Port.CBFC_LIMIT + vc, _LARGEST)
        self.write(OUTPUT, Port.CBFC_CONTROL, cbfc_control(plan, sender=0xF, receiver=0))
        yield from self.written()
        for vc in range(1, 4):
            # 64 and 65 bytes cost six credits, 66 bytes seven.
            total = vc * 0x1111
            sevens = total % 6
            for size, frames in ((64, (total - 7 * sevens) // 6), (66, sevens)):
                self.feed(INPUT, OUTPUT, frames, size, vc)
        yield from self.quiet(100)
        yield from self.counts(0, 0, "VC 0")
        seen = out.counts_out[-1][0]
        wanted = self.whole(self.FRAME)
        self.must(seen.data == wanted, f"sent was {seen.data.hex(' ')}")
        self.write(INPUT, Port.CBFC_CONTROL,
                   cbfc_control(self.ends[INPUT].plan, sender=0, receiver=0xF))
        yield from self.written()
        counts = "".join(f"{vc * 0x1111:05X}" for vc in range(16))
        self.feed_control(INPUT, self.whole(f"{_PEER} FFFE FA7ACB 01 {counts}"))
        # Message 2 is for VC 16 and up, another opcode is for nobody: both do nothing.
        self.feed_control(INPUT, self.whole(f"{_PEER} FFFE FA7ACB 02 {counts[::-1]}"))
        self.feed_control(INPUT, self.whole(f"{_PEER} FFFD FA7ACB 01 {counts[::-1]}"))
        yield from self.quiet(100)
        found = [self.ends[INPUT].log.freed_out(vc) for vc in range(4)]
        self.must(found == [vc * 0x1111 for vc in range(4)], f"freed are {found}")

    def _expected(self) -> Mapping[int, Counts]:
        return {INPUT: {C.CBFC_RX_RECOVERED: 1, C.RX_MAC_CONTROL: 3}}


class PauseVectors(Direct):
    """PFC as sent, byte by byte: class 3 XOFF; and as received."""

    FRAME: ClassVar[str] = ("0180C2000001 020000000001 8808 0101 0008 0000 0000 0000 FFFF "
                            "0000 0000 0000 0000")

    def _play(self) -> Script:
        yield from self.bring_up()
        for port in (INPUT, OUTPUT):
            self.write(port, Port.VC_MAP, _CLASSES_APART)
        self.write(INPUT, Port.PFC_XOFF, 4)
        self.write(INPUT, Port.PFC_XON, 3)
        self.write(INPUT, Port.PFC_CONTROL, 1 << 3 << PfcControl.TRANSMIT)
        self.write(OUTPUT, Port.PFC_CONTROL, 1 << 3 << PfcControl.RECEIVE)
        yield from self.written()
        # The peer of the output sends the vector with its own address.
        self.feed_control(OUTPUT, self.whole(f"{_PEER} {self.FRAME[31:]}"))
        yield from self.quiet()
        self.feed(INPUT, OUTPUT, 4, vc=3)
        self.feed(INPUT, OUTPUT, 1, vc=2)
        yield from self.quiet()
        self.must(self.ends[OUTPUT].log.vcs_out() == [2], "not VC 3, and only it, is paused")
        seen, _ = self.ends[INPUT].log.pauses_out[0]
        self.must(seen.data == self.whole(self.FRAME), f"sent was {seen.data.hex(' ')}")
        self.feed_pause(OUTPUT, {3: 0})
        yield from self.quiet()
        seen, _ = self.ends[INPUT].log.pauses_out[-1]
        self.must(seen.data == self.whole(self.FRAME.replace("FFFF", "0000")),
                  f"sent was {seen.data.hex(' ')}")
