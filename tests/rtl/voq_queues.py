# SPDX-License-Identifier: Apache-2.0
"""IngressBuffer as queues of Python objects, written from the spec, and a source of words."""

from __future__ import annotations

import random
from collections import Counter as Tally
from collections import deque
from dataclasses import dataclass, field

from gavel_model.config import SwitchConfig
from gavel_rtl.interfaces import Reason


@dataclass
class Frame:
    empty: int = 0
    profile: int = 0
    poisoned: int = 0
    vc: int = 0
    length: int = 0
    cells: int = 0
    overflow: bool = False
    words: list[int] = field(default_factory=list)


@dataclass
class Word:
    """Stimulus of one cycle at stage w."""

    valid: int = 0
    sop: int = 0
    eop: int = 0
    abort: int = 0
    data: int = 0
    empty: int = 0
    verdict: Reason = Reason.FILED
    poisoned: int = 0
    fields: Reason = Reason.FILED
    hit: int = 0
    port: int = 0
    vc: int = 0
    profile: int = 0
    length: int = 0


@dataclass
class Open:
    """The open transfer."""

    frame: Frame
    output: int
    voq: int
    position: int = 0
    mark: int | None = None


class Queues:
    """Chapter 7 of the specification, and chapters 4 and 7 of that of flow control."""

    def __init__(self, config: SwitchConfig) -> None:
        self.config = config
        self.free = config.buffer_cells
        self.open = Frame()
        self.voqs: list[deque[Frame]] = [deque() for _ in range(config.voqs)]
        self.transfer: Open | None = None
        # What has been read and does not go out yet.
        self.outs: deque[dict[str, int]] = deque([{}] * (1 + config.read_stages))
        self.vc_cells = [0] * config.vcs
        self.full = [False] * config.vcs
        self.counted: tuple[int, int, int] | None = None
        self.freed: Frame | None = None
        self.seen: Tally[str] = Tally()

    def voq_frames(self) -> int:
        return sum(len(queue) << n * self.config.count_bits for n, queue in enumerate(self.voqs))

    def read(self, threshold: int) -> tuple[bool, dict[str, int], int]:
        """The transfer's part of a cycle: (done, what was read and goes out, cells freed)."""
        transfer = self.transfer
        if transfer is None:
            return False, {}, 0
        frame = transfer.frame
        if transfer.mark is None:
            occupied = frame.cells + sum(other.cells for other in self.voqs[transfer.voq])
            transfer.mark = int(occupied > threshold and threshold != 65535)
            self.seen["marked"] += transfer.mark
        n = transfer.position
        transfer.position += 1
        left = len(frame.words) - transfer.position
        out = {
            "valid": 1, "sop": int(n == 0), "eop": int(left == 0), "next_eop": int(left == 1),
            "empty": frame.empty, "profile": frame.profile, "mark": transfer.mark,
            "poisoned": frame.poisoned, "vc": frame.vc, "length": frame.length,
            "data": frame.words[n], "connect": 1 << transfer.output,
        }
        freed = int(left == 0 or transfer.position % self.config.words_per_cell == 0)
        return left == 0, out, freed

    def write(self, word: Word) -> tuple[Reason | None, int]:
        """Steps 1 to 4: (what became of a frame that ended, bytes filed)."""
        config = self.config
        if word.abort:
            self.free += self.open.cells
            self.open = Frame()
        if not word.valid:
            return None, 0
        if word.sop:
            self.open = Frame()
        frame = self.open
        if not frame.overflow and len(frame.words) < config.max_frame_words:
            needs_cell = len(frame.words) % config.words_per_cell == 0
            if needs_cell and self.free == 0:
                frame.overflow = True
            else:
                self.free -= needs_cell
                frame.cells += needs_cell
                frame.words.append(word.data)
        if not word.eop:
            return None, 0
        for reason in (word.verdict, word.fields):
            if reason is not Reason.FILED:
                break
        else:
            if not word.hit:
                reason = Reason.NO_ROUTE
            elif self.full[word.vc]:
                reason = Reason.VC_LIMIT
            elif frame.overflow:
                reason = Reason.NO_BUFFER
        if word.verdict is Reason.FILED and word.fields in (Reason.FILED, Reason.TTL):
            self.counted = (int(reason is Reason.FILED), word.vc, word.length)
            self.seen["counts, not filed"] += reason is not Reason.FILED
        if reason is not Reason.FILED:
            self.free += frame.cells
            return reason, 0
        frame.empty = word.empty
        frame.profile = word.profile
        frame.poisoned = word.poisoned
        frame.vc, frame.length = word.vc, word.length
        self.voqs[word.port * config.vcs + word.vc].append(frame)
        return reason, word.length

    def account(self, limits: list[int], filed: bool, word: Word, ended: Frame | None) -> None:
        """The end of the cycle: what was filed in it, and what was freed in the one before."""
        self.full = [cells >= limit for cells, limit in zip(self.vc_cells, limits, strict=True)]
        if filed:
            self.vc_cells[word.vc] += self.voqs[word.port * self.config.vcs + word.vc][-1].cells
        if self.freed is not None:
            self.vc_cells[self.freed.vc] -= self.freed.cells
        self.freed = ended


class Source:
    """Random words of frames, with gaps, aborts, and every way to end badly."""

    def __init__(self, config: SwitchConfig, rng: random.Random, *, narrow: bool) -> None:
        self.config = config
        self.rng = rng
        self.narrow = narrow
        self.left = 0
        self.total = 0
        self.started = False

    def next(self, gap: float, bad: float) -> Word:
        rng, config = self.rng, self.config
        is_open = self.started and self.left > 0
        if rng.random() < gap:
            if is_open and rng.random() < self._abort(bad):
                self.left = 0
                return Word(abort=1)
            return Word(data=rng.getrandbits(config.data_width), eop=rng.getrandbits(1))
        abort = int(is_open and rng.random() < self._abort(bad))
        sop = int(abort or not is_open)
        if sop:
            shortest = -(-64 // config.word_bytes)
            kind = rng.random()
            if kind < bad / 3:
                self.total = rng.randint(1, config.max_frame_words + 3)
            elif kind < 0.6:
                self.total = shortest
            else:
                self.total = rng.randint(shortest, config.max_frame_words)
            self.left = self.total
            self.started = True
        self.left -= 1
        word = Word(valid=1, sop=sop, abort=abort, data=rng.getrandbits(config.data_width),
                    eop=int(self.left == 0))
        if word.eop:
            self._end(word, bad)
        return word

    def _abort(self, bad: float) -> float:
        """Chance in each cycle, about the same for each frame at every width."""
        return bad / 4 / self.config.words_per_cell

    def _end(self, word: Word, bad: float) -> None:
        rng, config = self.rng, self.config
        word.empty = rng.randrange(config.word_bytes)
        word.length = max(1, self.total * config.word_bytes - word.empty)
        if self.total == 1:
            word.empty = word.empty if config.word_bytes < 64 else 0
            word.length = config.word_bytes - word.empty
        word.hit = int(rng.random() >= bad / 4)
        word.port = 1 if self.narrow else rng.randrange(config.ports)
        word.vc = 0 if self.narrow else rng.randrange(config.vcs)
        word.profile = rng.randrange(6)
        word.poisoned = rng.getrandbits(1)
        if self.total * config.word_bytes < 64:
            word.verdict = Reason.UNDERSIZE
        elif self.total > config.max_frame_words:
            word.verdict = Reason.OVERSIZE
        elif rng.random() < bad:
            word.verdict = rng.choice([Reason.ERR, Reason.FCS, Reason.RX_LLR, Reason.RX_POISONED])
        elif rng.random() < bad / 2:
            word.fields = rng.choice([Reason.MAC_CONTROL, Reason.HEADER, Reason.TTL])
