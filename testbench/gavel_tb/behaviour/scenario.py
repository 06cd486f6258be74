# SPDX-License-Identifier: Apache-2.0
"""What all scenarios of link-level retry share: bringing up, frames, the judgement at the end."""

from __future__ import annotations

from typing import Any

from gavel_tb.behaviour.judgement import Counts, compare, expected_elsewhere
from gavel_tb.behaviour.ledger import Entry
from gavel_tb.behaviour.rig import Rig
from gavel_tb.behaviour.steps import Script, Steps
from gavel_tb.behaviour.switches import CLEAN, LINK
from gavel_tb.frames import frame_words
from gavel_tb.lockstep import LockstepResult
from gavel_tb.partner.receiver import ReceiverState
from gavel_tb.partner.sender import SenderState
from gavel_tb.stimulus import CheckError

_ECHO_CYCLES = 4
_SETTLE_CYCLES = 100


class Scenario(Rig, Steps):
    """One behaviour. A subclass says in its class attributes what the two ends are told, in
    `_play` what is done, and in `_expected` what counters must say."""

    def _expected(self) -> Counts:
        """Counters of link-level retry of the port under test that are not 0; SOME: as many as
        there were on the pins, at least one."""
        raise NotImplementedError

    def finish(self, result: LockstepResult) -> dict[str, Any]:
        """Judges counters and frames.

        Raises
        ------
        CheckError
            With all that is not as it must be.
        """
        seen = self.log.counters()
        found = compare(self._expected(), seen, result.counters[LINK])
        found += expected_elsewhere(self._entered, seen, result.counters)
        missing = self.ledger.missing()
        if missing:
            found.append(f"{len(missing)} frames have not arrived, the first is number "
                         f"{missing[0].number}, from port {missing[0].source}")
        if found:
            raise CheckError("; ".join(found))
        return {"lost": len(self.ledger.lost), **self.figures}

    # What scripts are made of.

    def bring_up(self) -> Script:
        """Settings, and INIT with its echo in both directions, as far as they are on."""
        self.write_settings()
        yield from self.until(lambda: self.agreed, "link-level retry comes up")
        # The echo that the switch waits for may still be under way.
        yield from self.cycles(self.DELAY + _ECHO_CYCLES)

    @property
    def agreed(self) -> bool:
        """The partner has what it needs to send, and to receive."""
        partner = self.partner
        return ((not self.LOCAL or partner.sender.state is SenderState.ADVANCE)
                and (not self.REMOTE or partner.receiver.state is not ReceiverState.OFF))

    def feed(self, frames: int = 1, size: int = 64, destination: int = LINK) -> list[Entry]:
        """Frames into the clean port, back to back."""
        made = []
        for _ in range(frames):
            entry, data = self.ledger.make(CLEAN, destination, size)
            self.feeder.extend(frame_words(self.config, data))
            self._entered.append(entry)
            made.append(entry)
        return made

    def send(self, frames: int = 1, size: int = 64, destination: int = CLEAN, *,
             eligible: bool = True, poison: bool = False) -> list[Entry]:
        """Frames into the partner's queue."""
        made = []
        for _ in range(frames):
            entry, data = self.ledger.make(LINK, destination, size, eligible=eligible,
                                           poison=poison)
            self.partner.send(data, entry, eligible=eligible, poisoned=poison)
            made.append(entry)
        return made

    @property
    def at_rest(self) -> bool:
        """All has arrived or is written off, all answers are there."""
        return not (self.ledger.outstanding or self.feeder) and self.log.acknowledged \
            and self.partner.idle

    def drain(self) -> Script:
        """Waits until all is at rest, and then so long that a late replay would be seen."""
        yield from self.until(lambda: self.at_rest, "all has arrived and is acknowledged")
        yield from self.cycles(2 * self.DELAY + self.replay_timer + _SETTLE_CYCLES)
