# SPDX-License-Identifier: Apache-2.0
"""The transmitter against chapter 6 of llr.md written down once more, with a ring of words."""

from __future__ import annotations

import random
from typing import Any

import pytest

from gavel_model import SwitchConfig, load_config
from gavel_model.counters import Counters
from gavel_model.link_tx import LinkTx
from gavel_model.llr_settings import LlrSettings
from gavel_model.llr_transmitter import LlrTransmitter
from gavel_model.ordered_set import Kind, OrderedSet
from gavel_model.outgoing_frame import OutgoingFrame
from gavel_model.pins import TxPins
from gavel_model.register_map import Action, Counter

OFF, INIT, ADVANCE, REPLAY, FLUSH = range(5)
TOP = (1 << 24) - 1
C = Counter


class Definition:
    """State and rules of chapter 6. Addresses of the ring count on for ever."""

    def __init__(self, settings: LlrSettings, config: SwitchConfig) -> None:
        self.set, self.max_words = settings, config.max_frame_words
        self.mask, self.size = 2**config.seq_bits - 1, config.replay_words
        self.gated, self.back_to_back = config.gate_stages, config.data_width == 512
        # ``hold`` of this cycle and of those that are decided; whether there was a match in those
        # before, the latest first.
        self.held, self.matched_before = [False] * self.gated, [False] * self.gated
        self.memory: dict[int, tuple[TxPins, bool]] = {}
        self.start = {0: 0}
        self.sent_at: dict[int, int] = {}
        self.count = dict.fromkeys(C, 0)
        self.written = self.fetch_at = self.freed_to = 0
        self.b: int | None = None
        self.late_pins = config.launch_stages
        self.o: TxPins | None = None
        self.l: TxPins | None = None
        self.mid = self.restart = self.loading = self.freeing = self.link = False
        self.state = OFF
        self.oldest = self.next = self.send = self.released = 0
        self.waiting = self.unsent = self.used = self.pending = 0
        self.replays = self.replay_from = self.replay_time = self.down_time = self.now = 0
        self.entered = 0
        self.echo_seen = False
        self.before: tuple[int, int] = (0, 0)  # oldest and next of the cycle before
        self.what = (False, False, False)  # kept, first transmission, dropped
        self.first_word = 0

    def action(self) -> int:
        action = self.set.init_action if self.state == INIT else self.set.flush_action
        if action == Action.BLOCK and self.set.pcs_lost and self.down_time >= self.set.pcs_lost:
            return Action.DISCARD
        return action

    def hold(self) -> bool:
        return self.held[0] if self.gated else self.holds(0)

    def holds(self, q: int) -> bool:
        lets = self.state in (OFF, ADVANCE, REPLAY) or self.action() != Action.BLOCK
        return not (self.used + (q + 1) * self.max_words <= self.set.window_words
                    and (self.next - self.oldest & self.mask) + self.waiting + q
                    < self.set.window_frames
                    and self.unsent < 8 and lets)

    def behind(self) -> bool:
        return self.send - self.oldest & self.mask > self.next - self.oldest & self.mask

    init_waiting = False

    def settled(self) -> bool:
        return self.released == self.oldest and not self.freeing

    def step(self, matched: bool, word: TxPins | None, length: int, poisoned: bool, ready: int,
             link: int, item: OrderedSet | None) -> None:
        if self.gated:
            q = sum(self.matched_before) + (matched and self.back_to_back)
            self.held = [*self.held[1:], self.holds(q)]
        old = dict(self.__dict__)
        was = type("Was", (), old)
        behind, settled, action = self.behind(), self.settled(), self.action()
        progress = nack = False
        data = self.set.init_data + self.entered - 1 & 0xFFFF
        if item and item.kind in (Kind.ACK, Kind.NACK) and was.state in (ADVANCE, REPLAY):
            a = item.value + 1 - self.oldest & self.mask
            if a > self.next - self.oldest & self.mask:
                self.count[C.LLR_RX_ACK_NACK_SEQ_ERROR] += 1
            else:
                self.oldest = self.oldest + a & self.mask
                progress, nack = a > 0, item.kind is Kind.NACK
                if progress:
                    self.replays = 0
        if item and item.kind is Kind.INIT_ECHO and was.state == INIT:
            self.echo_seen |= item.value == was.next and item.data == data
        # Reader.
        free = self.o is None or bool(ready)
        state, asked = self.rules(was, behind, settled, free, progress, nack)
        # OFF and FLUSH would go to INIT if L were empty.
        empty = type("Empty", (was,), {"l": None})
        held_back = was.state in (OFF, FLUSH) and self.rules(
            empty, behind, settled, free, progress, nack)[0] == INIT
        launched = False
        if self.b is not None:
            kept, first, dropped = self.what
            if self.mid:
                launched = free or dropped
            elif not (self.restart or self.loading or asked or held_back
                      or (state != was.state and INIT in (state, was.state))):
                if was.state in (ADVANCE, REPLAY):
                    launched = not behind and self.link and free
                    self.what = (True, self.send == self.next, False)
                elif was.state == OFF or action == Action.BEST_EFFORT:
                    launched = settled and free
                    self.what = (False, True, False)
                elif action == Action.DISCARD:
                    launched = settled
                    self.what = (False, True, True)
                if launched:
                    self.first_word = self.b
        kept, first, dropped = self.what
        if free:
            self.o, self.l = self.l, None
        if launched:
            at = self.b
            assert at is not None
            shown, bad = self.memory[at % self.size]
            if kept and not self.mid:
                shown = shown._replace(llr=1, seq=self.send)
            if not dropped and self.late_pins:
                self.l = shown
            elif not dropped:
                self.o = shown
            self.unsent -= first
            self.mid = not shown.eop
            if shown.eop:
                words = at + 1 - self.first_word
                if kept:
                    self.count[C.LLR_TX_POISONED if bad else C.LLR_TX_OK] += 1
                    if first:
                        self.sent_at[self.next] = self.now
                        self.waiting -= 1
                        self.next = self.next + 1 & self.mask
                    self.send = self.send + 1 & self.mask
                else:
                    self.used -= words
                    self.waiting -= 1
                    self.count[C.LLR_TX_DISCARD] += dropped
                    self.freed_to = at + 1
                if first:
                    self.start[self.next] = at + 1
        restarting = was.restart and not was.mid
        if launched:
            self.b = None
        if self.b is None and not was.loading and not restarting and self.fetch_at < was.written:
            self.b = self.fetch_at
            self.fetch_at += 1
        if was.loading:
            self.fetch_at = self.start[was.send]
        if restarting:
            self.b = None
            if was.state != REPLAY:
                self.oldest = self.next
            self.send = self.oldest
        self.loading = restarting
        self.restart = asked or (was.restart and not restarting)
        # Release.
        self.used -= self.pending
        self.pending = 0
        self.freeing = was.released != was.oldest and not behind and not restarting
        if self.freeing:
            self.pending = self.start[was.oldest] - self.freed_to
            self.freed_to = self.start[was.oldest]
            self.released = was.oldest
        self.timers(was, state, progress)
        self.before = was.oldest, was.next
        self.now = self.now + 1 & TOP
        self.link = bool(link)
        if state == INIT and was.state != INIT:
            position = self.start[self.next]
            self.oldest = self.next = self.send = self.released = self.set.init_seq
            self.start = {self.next: position}
            self.entered += 1
            self.echo_seen = False
            self.replays = 0
        self.state = state
        if self.matched_before[-1] if self.gated else matched:
            self.waiting += 1
            self.used += self.max_words
        self.matched_before = [matched, *self.matched_before][:self.gated]
        if word:
            assert self.written - self.freed_to < self.size, "ring overflows"
            self.memory[self.written % self.size] = word, poisoned
            self.written += 1
            self.unsent += 1
            self.used -= (self.max_words - length) * word.eop

    def rules(
        self, was: Any, behind: bool, settled: bool, free: bool, progress: bool, nack: bool
    ) -> tuple[int, bool]:
        sending = was.state in (ADVANCE, REPLAY)
        if not self.set.remote and was.state != OFF:
            return OFF, sending
        watched = (self.before[0] == was.oldest and self.before[0] != self.before[1]
                   and was.oldest != was.next)
        old = (self.set.data_age and watched and not progress
               and self.now - self.sent_at[was.oldest] & TOP >= self.set.data_age)
        if sending and ((self.set.pcs_lost and was.down_time >= self.set.pcs_lost) or old):
            self.count[C.LLR_TX_FLUSH] += 1
            return FLUSH, True
        due = self.oldest != self.next
        wanted = was.state == ADVANCE and due and (
            nack or (self.set.replay_timer and not progress
                     and was.replay_time >= self.set.replay_timer))
        wanted = wanted or (
            was.state == REPLAY and nack and due and self.oldest != self.replay_from)
        if wanted:
            if self.set.replay_count != 255 and self.replays >= self.set.replay_count:
                self.count[C.LLR_TX_FLUSH] += 1
                return FLUSH, True
            self.replays = min(255, self.replays + 1)
            self.count[C.LLR_TX_REPLAY] += 1
            self.replay_from = self.oldest
            return REPLAY, True
        if not (was.mid or was.restart or was.loading):
            gone = settled and free and was.l is None
            if was.state == OFF and self.set.remote and gone:
                return INIT, False
            if was.state == FLUSH and self.set.reinit and gone:
                return INIT, False
            if was.state == INIT and was.echo_seen and settled and not self.init_waiting:
                return ADVANCE, False
            if was.state == REPLAY and behind:
                return REPLAY, True
            if was.state == REPLAY and was.send == was.next:
                return ADVANCE, False
        return was.state, False

    def timers(self, was: Any, state: int, progress: bool) -> None:
        sending = (ADVANCE, REPLAY)
        if was.state != ADVANCE or was.oldest == was.next or progress:
            self.replay_time = 0
        elif was.link:
            self.replay_time = min(TOP, self.replay_time + 1)
        if state != was.state and not (state in sending and was.state in sending):
            self.down_time = 0
        elif was.state in (INIT, FLUSH) or (was.state in sending and not was.link):
            self.down_time = min(TOP, self.down_time + 1)
        else:
            self.down_time = 0


class Traffic:
    """Frames for one output as the scheduler and the buffer would give them."""

    def __init__(self, rng: random.Random, config: SwitchConfig) -> None:
        self.rng = rng
        # With a register before the scheduler two words are the least that keeps an output busy,
        # with two of them four.
        self.shortest = max(1, 2 * config.gate_stages) if config.data_width < 512 else 1
        self.cycle = self.free_at = 0
        self.words: dict[int, tuple[TxPins, OutgoingFrame]] = {}
        self.load = rng.choice((0.1, 0.5, 1.0))
        self.longest = rng.choice((self.shortest, max(3, self.shortest), config.max_frame_words))

    def match(self, hold: bool) -> bool:
        self.cycle += 1
        if hold or self.cycle < self.free_at or self.rng.random() > self.load:
            return False
        count = self.rng.randint(self.shortest, self.longest)
        words = [TxPins(1, int(not n), int(n == count - 1), data=self.rng.getrandbits(64), up=1)
                 for n in range(count)]
        frame = OutgoingFrame(words, False, self.rng.random() < 0.2)
        self.free_at = self.cycle + count
        for n, word in enumerate(words):
            self.words[self.cycle + 3 + n] = word, frame
        return True


def change(rng: random.Random, settings: LlrSettings, config: Any) -> None:
    settings.remote = rng.random() < 0.9
    settings.init_action = rng.choice(list(Action))
    settings.flush_action = rng.choice(list(Action))
    settings.reinit = rng.random() < 0.8
    settings.window_frames = rng.choice((1, 2, config.replay_frames))
    settings.window_words = config.replay_words // rng.choice((1, 2, 8)) or 1
    settings.replay_timer = rng.choice((0, 1, 7, 60, 150))
    settings.pcs_lost = rng.choice((0, 5, 60, 300))
    settings.data_age = rng.choice((0, 0, 1, 40, 200))
    settings.replay_count = rng.choice((0, 1, 3, 255))
    settings.init_seq = rng.randrange(1 << config.seq_bits)
    settings.init_data = rng.choice((0, 0xFFFF))


def answer(rng: random.Random, slow: Definition) -> OrderedSet | None:
    """A set that may come in this state."""
    if slow.state == INIT:
        data = slow.set.init_data + slow.entered - 1 & 0xFFFF
        wrong = rng.random() < 0.2
        return OrderedSet(Kind.INIT_ECHO, slow.next ^ wrong, data)
    due = slow.next - slow.oldest & slow.mask
    value = slow.oldest - 1 + rng.randrange(-1, due + 2)
    if rng.random() < 0.5:
        value = slow.oldest - 1 + rng.randrange(due + 1)
    return OrderedSet(rng.choice((Kind.ACK, Kind.ACK, Kind.NACK)), value & slow.mask)


@pytest.mark.parametrize(("gate_stages", "seed"), [
    pytest.param(stages, seed, marks=[pytest.mark.long] if stages and seed >= 16 else [])
    for stages in (0, 1, 2) for seed in range(30)])
def test_same_pins_and_same_state(seed: int, gate_stages: int) -> None:
    rng = random.Random(seed)
    config = load_config("tiny", [
        "seq_bits=" + str(rng.choice((4, 5, 20))),
        "data_width=" + str(rng.choice((64, 64, 512) if gate_stages < 2 else (64, 128))),
        f"gate_stages={gate_stages}", f"launch_stages={seed % 2}",
    ])
    settings, counters, link_tx = LlrSettings(config), Counters(), LinkTx()
    change(rng, settings, config)
    fast = LlrTransmitter(config, settings, counters, link_tx)
    slow = Definition(settings, config)
    traffic = Traffic(rng, config)
    stillness = rng.choice((0.0, 0.1, 0.6))
    quiet = rng.choice((0.02, 0.1, 0.4))
    link = True
    states = set()
    for now in range(3000):
        matched = traffic.match(slow.hold())
        word, frame = traffic.words.pop(traffic.cycle, (None, None))
        ready = int(rng.random() >= stillness)
        if rng.random() < 0.01:
            link = rng.random() < 0.8
        item = answer(rng, slow) if rng.random() < quiet else None
        length = len(frame.words) if frame else 0
        slow.init_waiting = link_tx.init_waiting = rng.random() < 0.3
        slow.step(matched, word, length, bool(frame and frame.poisoned), ready, link, item)
        if matched:
            fast.matched()
        if item:
            fast.take(item)
        if not fast.asleep or word or fast.link != link:
            fast.step(now, word, frame, ready, link)
        if rng.random() < 0.005:
            change(rng, settings, config)
            fast.settings_changed()
        window, buffer = fast.window, fast.buffer
        assert link_tx.word == slow.o
        assert (fast.state, window.oldest, window.next, window.send, buffer.used) == (
            slow.state, slow.oldest, slow.next, slow.send, slow.used)
        assert fast.hold == slow.hold()
        assert (buffer.waiting, buffer.unsent) == (slow.waiting, slow.unsent)
        timers = fast.timers
        assert (fast.replays, timers.down_time) == (slow.replays, slow.down_time)
        assert timers.replay_time == slow.replay_time or fast.asleep
        assert {n: counters[n] for n in C} == slow.count
        states.add(slow.state)
    assert len(states) >= 3
