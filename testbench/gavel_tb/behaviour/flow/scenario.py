# SPDX-License-Identifier: Apache-2.0
"""What all scenarios of flow control share: bringing up, frames, the judgement at the end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gavel_model.frame import append_fcs
from gavel_model.mac_control import cc_update_frame, pfc_frame
from gavel_model.ordered_set import CreditUpdate, encode_credits
from gavel_model.register_map import Port, VcControl, mac_address_reset
from gavel_tb.behaviour.flow.judgement import judge
from gavel_tb.behaviour.flow.rig import FlowRig
from gavel_tb.behaviour.judgement import Counts
from gavel_tb.behaviour.ledger import Edit, Entry
from gavel_tb.behaviour.steps import Script, Steps
from gavel_tb.frames import frame_words
from gavel_tb.lockstep import LockstepResult
from gavel_tb.partner.device import LlrPartner
from gavel_tb.partner.flow import Flow
from gavel_tb.partner.receiver import ReceiverState
from gavel_tb.partner.sender import SenderState
from gavel_tb.stimulus import CheckError

_PEER_ADDRESS = 0x0200_0000_0200
_SETTLE_CYCLES = 60


class FlowScenario(FlowRig, Steps):
    """One behaviour. A subclass says in its class attributes and in `_plan` what the ends are told,
    in `_play` what is done, and in `_expected` which losses and errors must be counted."""

    def _expected(self) -> Mapping[int, Counts]:
        """Of each port the counters of losses and errors that are not 0; SOME: at least one."""
        return {}

    def finish(self, result: LockstepResult) -> dict[str, Any]:
        """Judges counters and frames.

        Raises
        ------
        CheckError
            With all that is not as it must be.
        """
        expected = self._expected()
        found = []
        for end in self.ends:
            found += judge(end.port, expected.get(end.port, {}), end.log.seen,
                           result.counters[end.port])
        missing = self.ledger.missing()
        if missing:
            found.append(f"{len(missing)} frames have not arrived, the first is number "
                         f"{missing[0].number}, from port {missing[0].source}")
        if found:
            raise CheckError("; ".join(found))
        return {"lost": len(self.ledger.lost), **self.figures}

    # What scripts are made of.

    def partner(self, port: int) -> LlrPartner:
        """The partner at a port."""
        partner = self.ends[port].partner
        assert partner is not None
        return partner

    def flow(self, port: int) -> Flow:
        """Flow control of the partner at a port."""
        flow = self.partner(port).flow
        assert flow is not None
        return flow

    def bring_up(self) -> Script:
        """Settings, and link-level retry where it is on."""
        for end in self.ends:
            self.write_settings(end)
        for end in self.ends:
            if end.partner is not None:
                # What comes before the switch listens would be said again only much later.
                end.partner.silence(self.writes_left + 4)
        yield from self.written()
        yield from self.until(lambda: all(self._agreed(end.partner) for end in self.ends
                                          if end.partner is not None and end.plan.llr),
                              "link-level retry comes up")
        yield from self.cycles(2 * max(end.plan.delay for end in self.ends) + _SETTLE_CYCLES)

    @staticmethod
    def _agreed(partner: LlrPartner) -> bool:
        return (partner.sender.state is SenderState.ADVANCE
                and partner.receiver.state is not ReceiverState.OFF)

    def feed(self, source: int, destination: int, frames: int = 1, size: int = 64, vc: int = 0, *,
             traffic_class: int | None = None, edit: Edit | None = None) -> list[Entry]:
        """Frames into a port without partner, back to back."""
        made = []
        for _ in range(frames):
            entry, data = self.ledger.make(source, destination, size, vc=vc,
                                           traffic_class=traffic_class, edit=edit)
            self.ends[source].feeder.extend(frame_words(self.config, data))
            made.append(entry)
        return made

    def feed_control(self, port: int, data: bytes) -> None:
        """A MAC Control frame into a port without partner."""
        self.ends[port].feeder.extend(frame_words(self.config, data))

    def feed_counts(self, port: int, *consumed: int) -> None:
        """A CC_Update into a port without partner: counts of VC 0 and up."""
        self.feed_control(port, cc_update_frame(_PEER_ADDRESS, consumed))

    def feed_pause(self, port: int, times: Mapping[int, int]) -> None:
        """A PFC frame into a port without partner: quanta by class."""
        self.feed_control(port, pfc_frame(_PEER_ADDRESS, sum(1 << n for n in times),
                                          [times.get(n, 0) for n in range(8)]))

    def give(self, port: int, vc: int, freed: int, second_vc: int | None = None,
             second_freed: int = 0) -> None:
        """A CF_Update into a port, beside what comes over its link."""
        item = CreditUpdate(vc, freed & 0x7FFF, vc if second_vc is None else second_vc,
                            (freed if second_vc is None else second_freed) & 0x7FFF)
        end = self.ends[port]
        end.back_tap.inserts.append(encode_credits(item, end.plan.protect))

    def send(self, port: int, destination: int, frames: int = 1, size: int = 64, vc: int = 0
             ) -> list[Entry]:
        """Frames into the queue of a partner."""
        made = []
        for _ in range(frames):
            entry, data = self.ledger.make(port, destination, size, vc=vc)
            self.partner(port).send(data, entry)
            made.append(entry)
        return made

    def stream(self, port: int, destination: int, vc: int = 0, size: int = 256,
               load: float = 1.0) -> None:
        """From now on a partner offers frames without end."""
        self.ends[port].streams.begin(vc, self.partner(port).now, destination, size, load)

    def end_streams(self) -> None:
        """No partner offers further frames."""
        for end in self.ends:
            end.streams.end()

    def set_rate(self, port: int, rate: float, vc: int | None = None) -> None:
        """From now on a partner reads so many words in a cycle, of a VC or of each."""
        partner = self.partner(port)
        self.flow(port).set_rate(rate, partner.now, vc)
        partner.controls.due = 0

    def stop(self, port: int, vcs: int) -> None:
        """The VCs of this mask are not dequeued at a port, all others are."""
        self.write(port, Port.VC_CONTROL, vcs << VcControl.STOP)

    def rate(self, port: int, cycles: int, vc: int | None = None, *, size: int) -> float:
        """Share of the line that frames (of a VC) have had at a port in so many cycles before the
        frame of ``size`` bytes that may be under way."""
        end = self.now - -(-size // self.word_bytes)
        return self.ends[port].log.rate_out(end - cycles, end, vc)

    def drain(self) -> Script:
        """Waits until all has arrived and all credits are home."""
        yield from self.until(
            lambda: not self.ledger.outstanding and all(end.at_rest for end in self.ends),
            "all has arrived and all credits are home")
        yield from self.cycles(_SETTLE_CYCLES)

    def quiet(self, cycles: int = _SETTLE_CYCLES) -> Script:
        """Waits until nothing is left to feed, and then for some cycles."""
        yield from self.until(lambda: not any(end.feeder for end in self.ends), "all is fed")
        yield from self.cycles(cycles)

    def own_address(self, port: int) -> bytes:
        """Source address of the MAC Control frames of a port."""
        return mac_address_reset(port).to_bytes(6, "big")

    @staticmethod
    def whole(text: str) -> bytes:
        """The 64 bytes of a frame that begins with the bytes of a hexadecimal text."""
        return append_fcs(bytes.fromhex(text.replace(" ", "")).ljust(60, b"\0"))
