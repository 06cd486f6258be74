# SPDX-License-Identifier: Apache-2.0
"""Bench of LlrTransmitter: RTL against the model, with a peer that does what it likes."""

from __future__ import annotations

import random
from collections import Counter as Tally
from collections import deque
from typing import Any

from gavel_model.config import MIN_FRAME_BYTES, SwitchConfig
from gavel_model.counters import Counters
from gavel_model.link_tx import LinkTx
from gavel_model.llr_timers import TransmitterState
from gavel_model.llr_transmitter import LlrTransmitter as Model
from gavel_model.ordered_set import Kind, OrderedSet
from gavel_model.outgoing_frame import OutgoingFrame
from gavel_model.pins import TxPins
from gavel_model.register_map import COUNTERS, Counter, LlrControl, Port
from gavel_rtl.llr_transmitter import LlrTransmitter
from gavel_tb.block_sim import drive, expect, number, run_block
from gavel_tb.llr_stimulus import RandomSettings, drive_control, small_config
from gavel_tb.stimulus import CheckError, derived_random

_MATCH_TO_WORD = 3
_PHASE = 120
_RECEIVED = {Kind.ACK: Counter.LLR_RX_ACK_CTL_OS, Kind.NACK: Counter.LLR_RX_NACK_CTL_OS,
             Kind.INIT_ECHO: Counter.LLR_RX_INIT_ECHO_CTL_OS}

SEEN = (Counter.LLR_TX_DISCARD, Counter.LLR_TX_OK, Counter.LLR_TX_POISONED, Counter.LLR_TX_REPLAY,
        Counter.LLR_TX_FLUSH, Counter.LLR_RX_ACK_NACK_SEQ_ERROR, Counter.LLR_RX_CTL_UNKNOWN)
"""Counters that must move in every run, beside every state."""


class _Frames:
    """Matches of one output, and the words that follow from them."""

    def __init__(self, config: SwitchConfig, rng: random.Random) -> None:
        self.config = config
        self.rng = rng
        self.words: deque[tuple[int, int, TxPins, OutgoingFrame]] = deque()
        """For each the cycle in which it comes, and how many follow it."""
        self.free_at = 0

    def match(self, cycle: int) -> None:
        """A frame of any length is matched in this cycle."""
        config, rng = self.config, self.rng
        longest = config.max_frame_words
        shortest = min(longest, -(-MIN_FRAME_BYTES // config.word_bytes))
        count = rng.choice((shortest, shortest, longest, rng.randint(shortest, longest)))
        words = []
        for n in range(count):
            eop = int(n == count - 1)
            words.append(TxPins(valid=1, sop=int(n == 0), eop=eop, up=1,
                                empty=rng.randrange(config.word_bytes) if eop else 0,
                                data=rng.getrandbits(config.data_width)))
        frame = OutgoingFrame(words, False, rng.random() < 0.2)
        for n, word in enumerate(words):
            self.words.append((cycle + _MATCH_TO_WORD + n, count - n - 1, word, frame))
        self.free_at = cycle + count


class _Peer:
    """Ordered sets that mostly make sense."""

    def __init__(self, config: SwitchConfig, rng: random.Random, model: Model) -> None:
        self.config = config
        self.rng = rng
        self.model = model

    def send(self) -> OrderedSet | None:
        """A valid set for the transmitter."""
        rng, model = self.rng, self.model
        limit = 1 << self.config.seq_bits
        window = model.window
        if model.state is TransmitterState.INIT and rng.random() < 0.7:
            value, data = window.next, model.handshake.data
            if rng.random() < 0.3:
                value, data = rng.choice(((value, data ^ 1), (value + 1 & limit - 1, data)))
            return OrderedSet(Kind.INIT_ECHO, value, data)
        kind = Kind.NACK if rng.random() < 0.25 else Kind.ACK
        value = window.oldest + rng.randrange(-1, max(window.outstanding, 1)) & limit - 1
        if rng.random() < 0.1:
            value = rng.randrange(limit)
        return OrderedSet(kind, value)


def check(config: SwitchConfig, seed: int, cycles: int = 4000) -> None:
    """Frames of all lengths, every register, ACKs, links and pins at random; also with frames of
    the shortest length only.

    Raises
    ------
    CheckError
        At the first difference, or if a state was not reached.
    """
    for longest in (config.max_frame_bytes, MIN_FRAME_BYTES):
        _check(small_config(config, longest=longest), seed, cycles)


def _check(config: SwitchConfig, seed: int, cycles: int) -> None:
    rng = derived_random(seed, "llr_transmitter", config.max_frame_bytes)
    settings = RandomSettings(config, rng)
    counters, link_tx = Counters(), LinkTx()
    model = Model(config, settings.model, counters, link_tx)
    block = LlrTransmitter(config)
    frames, peer = _Frames(config, rng), _Peer(config, rng, model)
    seen: Tally[object] = Tally()

    async def bench(ctx: Any) -> None:
        was_up = 0
        late, matched_before = config.gate_stages > 1, False
        load = ready_share = up_share = talk = changes = 1.0
        coming: deque[OrderedSet | None] = deque([None] * (1 + config.receive_stages))
        for cycle in range(cycles):
            if cycle % _PHASE == 0:
                load, ready_share = rng.choice((1.0, 1.0, 0.3)), rng.choice((1.0, 0.9, 0.4))
                up_share, talk = rng.choice((1.0, 1.0, 0.8, 0.02)), rng.choice((0.3, 0.08, 0.0))
                changes = rng.choice((0.0, 0.02, 0.2))
            where = f"{config.max_frame_bytes} bytes, cycle {cycle}"
            settings.drive(ctx, block.settings)
            up, ready = int(rng.random() < up_share), int(rng.random() < ready_share)
            ctx.set(block.up, was_up)
            was_up = up
            expect(f"{where}: hold", ctx.get(block.hold), int(model.hold))
            expect(f"{where}: probe", hex(ctx.get(block.probe)),
                   hex(int(model.state) | model.window.packed()))
            expect(f"{where}: replays", ctx.get(block.replays), model.replays)
            expect(f"{where}: state", number(ctx, block.state), int(model.state))
            _expect_init(ctx, where, block, model)
            seen[model.state] += 1
            before = list(counters.values)

            matched = not model.hold and cycle >= frames.free_at and rng.random() < load
            ctx.set(block.matched, int(matched_before if late else matched))
            matched_before = matched
            init_sent = ctx.get(block.init.request) & (rng.random() < 0.3)
            ctx.set(block.init_sent, init_sent)
            link_tx.init_waiting = rng.random() < 0.3
            ctx.set(block.init_waiting, int(link_tx.init_waiting))
            if init_sent:
                model.handshake.first = False
            coming.append(peer.send() if rng.random() < talk else None)
            item = coming.popleft()
            unknown = int(item is None and rng.random() < 0.02)
            drive_control(ctx, block.control, item, unknown, *coming)
            free = link_tx.word is None or ready
            ctx.set(block.free, int(free))
            word, frame, more = None, None, 0
            if frames.words and frames.words[0][0] == cycle:
                _, more, word, frame = frames.words.popleft()
            _drive_word(ctx, block.i_word, word, frame, more)

            if unknown and (settings.model.local or settings.model.remote):
                counters.add(Counter.LLR_RX_CTL_UNKNOWN, 1)
            if matched:
                model.matched()
                frames.match(cycle)
            # With L the word for O is what stands in L; without, what is launched in this cycle.
            waiting = model.buffer.launched.word
            if item is not None:
                if settings.model.remote:
                    counters.add(_RECEIVED[item.kind], 1)
                model.take(item)
            model.step(cycle, word, frame, ready, bool(up))
            events = ctx.get(block.count)
            got = [Counter(n).name for n in range(COUNTERS) if events >> n & 1]
            wanted = [Counter(n).name for n in range(COUNTERS) if counters[n] != before[n]]
            expect(f"{where}: events", got, wanted)
            if config.launch_stages:
                _expect_word(ctx, where, block.o_word, waiting, config.launch_stages)
            elif free:
                _expect_word(ctx, where, block.o_word, link_tx.word, config.launch_stages)
            if cycle == 0:
                settings.write(Port.LLR_CONTROL, 1 << LlrControl.REMOTE | 1 << LlrControl.REINIT)
            elif rng.random() < changes:
                settings.change()
            model.settings_changed()
            settings.drive_coming(ctx, block.settings)
            await ctx.tick()
        missing = [state.name for state in TransmitterState if not seen[state]]
        missing += [counter.name for counter in SEEN if not counters[counter]]
        if missing:
            raise CheckError(f"never seen: {', '.join(missing)}")

    run_block(block, bench)


def _drive_word(ctx: Any, interface: Any, word: TxPins | None,
                frame: OutgoingFrame | None, more: int) -> None:
    shown = word or TxPins()
    members = {name: getattr(shown, name) for name in ("valid", "sop", "eop", "empty", "data")}
    poisoned = frame is not None and frame.poisoned
    drive(ctx, interface, {**members, "poisoned": int(poisoned), "next_eop": int(more == 1)})


def _expect_word(
    ctx: Any, where: str, interface: Any, word: TxPins | None, staged: int,
) -> None:
    # Register L shows what the memory does, also where that is no word.
    from_memory = () if word is None and staged else ("empty", "data")
    shown = word or TxPins()
    for name in ("valid", "sop", "eop", "llr", "seq", *from_memory):
        expect(f"{where}: {name}", ctx.get(getattr(interface, name)), getattr(shown, name))


def _expect_init(ctx: Any, where: str, block: LlrTransmitter, model: Model) -> None:
    in_init = model.state is TransmitterState.INIT
    expect(f"{where}: INIT", ctx.get(block.init.request),
           int(in_init and not model.handshake.echo_seen))
    if in_init:
        expect(f"{where}: INIT", [ctx.get(getattr(block.init, name))
                                  for name in ("first", "seq", "data")],
               [int(model.handshake.first), model.window.oldest, model.handshake.data])
