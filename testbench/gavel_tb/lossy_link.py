# SPDX-License-Identifier: Apache-2.0
"""One direction of a link that delays, damages and loses what is sent over it.

Works on what is on the wire: a frame's first word brings its preamble of 64 bits, an ordered set
is 64 bits of which D1...D7 are 56, and idle pins have nothing to hit.
"""

from __future__ import annotations

import random
from collections import Counter as Tally
from collections import deque
from math import log, log1p

from gavel_model.pins import CTL_BITS, IDLE, RxPins, TxPins
from gavel_model.preamble import PREAMBLE_BYTES, decode, encode
from gavel_tb.link_errors import Damage, LinkEvent, LinkOptions

LOG_LENGTH = 10_000
NEVER = 1 << 62
_DOWN = IDLE._replace(up=0)
_PREAMBLE_BITS = 8 * PREAMBLE_BYTES
_SET_BITS = 64
_LANE_BITS = 8
_new_tuple = tuple.__new__  # half the time of RxPins(...)


def distance(rng: random.Random, rate: float) -> int:
    """Number of trials that fail before the first that does not (geometric, by inversion)."""
    return int(log(1.0 - rng.random()) / log1p(-rate)) if rate else NEVER


class LossyLink:
    """From the transmit pins of one end to the receive pins of the other.

    On a cycle without an error nothing is drawn: the distance to the next error is. Failures have
    a generator of their own, so that the two ends need not go in step: with a delay of D cycles
    `pull` may be up to D cycles ahead of `push`. Without a delay, `pull` follows `push`.

    Parameters
    ----------
    data_width
        Bits of a word.
    options
        What the link does.
    rng
        Own generator.

    Attributes
    ----------
    events
        The last `LOG_LENGTH` things that the link did, in the order in which they were decided.
    counts
        All that it did, by kind.
    cycle
        Cycles of the sender.
    """

    __slots__ = ("_bit_gaps", "_bits", "_change", "_down", "_failures", "_fate", "_line", "_plan",
                 "_pulled", "_rate", "_rng", "_run", "_times", "_units", "_word_bits", "counts",
                 "cycle", "events", "options")

    def __init__(self, data_width: int, options: LinkOptions, rng: random.Random) -> None:
        self.options = options
        self._rng = rng
        self._times = random.Random(rng.getrandbits(64)) if options.down_rate else rng
        self._word_bits = data_width
        self.cycle = self._pulled = 0
        self.events: deque[LinkEvent] = deque(maxlen=LOG_LENGTH)
        self.counts: Tally[Damage] = Tally()
        self._line = deque([IDLE] * options.delay)
        # Bits of a burst that has begun: distances to its other flipped bits.
        self._bit_gaps: deque[int] = deque()
        self._bits = self._next_bit()
        # Frame words and sets have one common process. What happens to a candidate is decided
        # when it is reached, because drops of the two have rates of their own.
        self._rate = options.word_errors + max(options.word_drops, options.set_drops)
        self._units = distance(rng, self._rate)
        self._run = 0
        self._fate = ""
        self._plan = deque(options.downs)
        self._down = False
        # Failures that the sender has not seen the end of: first cycle, and first cycle after it.
        self._failures: deque[tuple[int, int]] = deque()
        self._change = NEVER
        self._plan_down(0)

    @property
    def up(self) -> bool:
        """The link is up, as the receiver sees it."""
        return not self._down

    @property
    def idle(self) -> bool:
        """Nothing is under way."""
        return not any(pins[0] or pins[7] for pins in self._line)

    def step(self, pins: TxPins | RxPins) -> RxPins:
        """Puts in what the sender shows in this cycle; gives what the receiver sees in it."""
        if not self._line:
            self.push(pins)
            return self.pull()
        out = self.pull()
        self.push(pins)
        return out

    def push(self, pins: TxPins | RxPins) -> None:
        """Puts in what the sender shows in its next cycle."""
        cycle = self.cycle
        self.cycle = cycle + 1
        if cycle >= self._change:
            self._turn(cycle)
        if self._failures and self._fails(cycle):
            self._line.append(IDLE)
            return
        if pins[0] or pins[7]:
            bits = units = 0
            if pins[0]:
                bits = self._word_bits
                units = 1
                if pins[1]:
                    bits += _PREAMBLE_BITS
                if pins[2]:
                    bits -= _LANE_BITS * pins[4]
            if pins[7]:
                bits += _SET_BITS
                units += 1
            if self._bits >= bits and self._units >= units:
                self._bits -= bits
                self._units -= units
                out = pins if isinstance(pins, RxPins) else _new_tuple(RxPins, pins)
            else:
                out = self._damage(cycle, _new_tuple(RxPins, pins))
            # A failure that is known already comes while it is under way.
            self._line.append(IDLE if self._failures else out)
        else:
            self._line.append(IDLE if pins[9] or self._failures else _DOWN)

    def pull(self) -> RxPins:
        """What the receiver sees in its next cycle."""
        cycle = self._pulled
        self._pulled = cycle + 1
        if cycle >= self._change:
            self._turn(cycle)
        out = self._line.popleft()
        return _DOWN if self._down else out

    def take_down(self, cycles: int) -> None:
        """The link goes down with the next cycle of the receiver, for so many cycles."""
        if not self._down:
            self._plan.appendleft((self._pulled, cycles))
            self._change = self._pulled

    def _fails(self, cycle: int) -> bool:
        """The link is down in a cycle of the sender."""
        failures = self._failures
        while failures and cycle >= failures[0][1]:
            failures.popleft()
        return bool(failures) and cycle >= failures[0][0]

    def _turn(self, cycle: int) -> None:
        """The link goes down, or comes up again."""
        if self._down:
            self._down = False
            self._plan_down(cycle + 1)
            if cycle < self._change:
                return
        if self._plan and cycle >= self._plan[0][0]:
            _, lasts = self._plan.popleft()
        else:
            lasts = 1 + distance(self._times, 1 / self.options.down_cycles) \
                if self.options.down_cycles > 1 else 1
        self._down = True
        self._change = cycle + lasts
        self._failures.append((cycle, cycle + lasts))
        self._note(cycle, Damage.DOWN, lasts)
        # All that is under way is lost.
        under_way = len(self._line)
        self._line.clear()
        self._line.extend([IDLE] * under_way)

    def _plan_down(self, cycle: int) -> None:
        drawn = distance(self._times, self.options.down_rate)
        self._change = min(cycle + drawn, self._plan[0][0] if self._plan else NEVER)

    def _note(self, cycle: int, kind: Damage, bits: int) -> None:
        self.events.append(LinkEvent(cycle, kind, bits))
        self.counts[kind] += 1

    def _next_bit(self) -> int:
        """Clean bits before the next flipped one."""
        gaps = self._bit_gaps
        if gaps:
            return gaps.popleft()
        rng, options = self._rng, self.options
        first = distance(rng, options.bit_errors)
        if options.burst > 1.0 and first < NEVER:
            clean = 0
            for _ in range(distance(rng, 1 / options.burst)):
                if rng.getrandbits(1):
                    gaps.append(clean)
                    clean = 0
                else:
                    clean += 1
        return first

    def _flips(self, bits: int) -> int:
        """Mask of the flipped bits among the next ``bits`` on the wire."""
        mask = 0
        left = self._bits
        while left < bits:
            mask |= 1 << left
            left += 1 + self._next_bit()
        self._bits = left - bits
        return mask

    def _meets(self, bits: int, drops: float) -> tuple[int, bool]:
        """What the next word or set meets: mask of flipped bits, and whether it vanishes."""
        mask = self._flips(bits)
        if self._units:
            self._units -= 1
            return mask, False
        options, rng = self.options, self._rng
        if not self._run:
            draw = rng.random() * self._rate
            if draw < options.word_errors:
                self._fate = "hit"
            else:
                self._fate = "drop" if draw < options.word_errors + drops else ""
            self._run = 1
            if self._fate and options.burst > 1.0:
                self._run += distance(rng, 1 / options.burst)
        self._run -= 1
        if not self._run:
            self._units = distance(rng, self._rate)
        if self._fate == "hit":
            for at in rng.sample(range(bits), min(bits, rng.randint(1, options.flips))):
                mask |= 1 << at
        return mask, self._fate == "drop"

    def _damage(self, cycle: int, pins: RxPins) -> RxPins:
        """A cycle in which something may be hit; the set's block comes before the word."""
        options = self.options
        if pins.ctl_valid:
            mask, lost = self._meets(_SET_BITS, options.set_drops)
            if lost or mask >> CTL_BITS:
                self._note(cycle, Damage.SET_LOST, _SET_BITS)
                pins = pins._replace(ctl_valid=0, ctl=0)
            elif mask:
                self._note(cycle, Damage.SET, mask.bit_count())
                pins = pins._replace(ctl=pins.ctl ^ mask)
        if not pins.valid:
            return pins
        bits = self._word_bits - (_LANE_BITS * pins.empty if pins.eop else 0)
        total = bits + (_PREAMBLE_BITS if pins.sop else 0)
        mask, lost = self._meets(total, options.word_drops)
        if lost:
            self._note(cycle, Damage.WORD_LOST, total)
            return IDLE._replace(ctl_valid=pins.ctl_valid, ctl=pins.ctl, up=pins.up)
        if pins.sop:
            head = mask & (1 << _PREAMBLE_BITS) - 1
            mask >>= _PREAMBLE_BITS
            if head:
                self._note(cycle, Damage.PREAMBLE, head.bit_count())
                pins = self._read(pins, head)
        if mask:
            self._note(cycle, Damage.DATA, mask.bit_count())
            pins = pins._replace(data=pins.data ^ mask)
        return pins

    def _read(self, pins: RxPins, flips: int) -> RxPins:
        """The first word as a MAC shows it that reads a preamble with flipped bits."""
        protect = self.options.protect
        sent = int.from_bytes(encode(pins.seq if pins.llr else None, protect), "little")
        found = decode((sent ^ flips).to_bytes(PREAMBLE_BYTES, "little"), protect)
        if found is None:
            return pins._replace(llr=0, seq=0, err=1)
        return pins._replace(llr=found[0], seq=found[1])
