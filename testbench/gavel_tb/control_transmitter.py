# SPDX-License-Identifier: Apache-2.0
"""Bench of ControlTransmitter: RTL against the model, requests and distances at random."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

from gavel_model.config import CF_SPACING_BITS, LEAST_CF_SPACING, SwitchConfig
from gavel_model.control_transmitter import ControlTransmitter as Model
from gavel_model.counters import Counters
from gavel_model.link_tx import LinkTx
from gavel_model.ordered_set import CF_BITS, CF_UPDATE, DATA_BITS, CreditUpdate, Kind
from gavel_model.register_map import COUNTERS, Counter, Port
from gavel_rtl.control_transmitter import ControlTransmitter
from gavel_tb.block_sim import drive, expect, run_block
from gavel_tb.llr_stimulus import RandomSettings, small_config
from gavel_tb.stimulus import CheckError, derived_random

_PHASE = 150
_LONGEST = 128
_SENT = {"ack": Kind.ACK, "nack": Kind.NACK, "init": Kind.INIT, "echo": Kind.INIT_ECHO}
_FARTHEST = (1 << CF_SPACING_BITS) - 1


class _Credits:
    """Stands in for the model's CreditReceiver: asks for a CF_Update as the specification says.

    Attributes
    ----------
    enabled, pending
        Some VC has a receiver; one has something to tell.
    cf_min, cf_max
        Bytes of line time from one CF_Update to the next, with something to tell and without.
    request_at
        The cycle, if a CF_Update is asked for in it.
    """

    def __init__(self, config: SwitchConfig, rng: random.Random) -> None:
        self._config = config
        self._rng = rng
        self._since = _FARTHEST
        self._sent = False
        self.enabled = self.pending = False
        self.cf_min = self.cf_max = 0
        self.request_at = 0
        self._item = self._entries()
        self.change()

    def change(self) -> None:
        """Settings at random."""
        rng = self._rng
        self.cf_min = rng.choice((LEAST_CF_SPACING, rng.randrange(LEAST_CF_SPACING, 900)))
        self.cf_max = rng.choice((0, rng.randrange(3000), _FARTHEST))

    def begin(self, now: int, wish: float) -> None:
        """What is asked for in cycle ``now``."""
        rng = self._rng
        if self._sent:
            self._since = 0
        elif now:
            self._since = min(self._since + self._config.word_bytes, _FARTHEST)
        self._sent = False
        self.enabled, self.pending = rng.random() < 0.9, rng.random() < wish
        asked = self.enabled and (
            (self.pending and self._since >= self.cf_min) or self._since >= self.cf_max)
        self.request_at = now if asked else now + 1
        if rng.random() < 0.2:
            self._item = self._entries()

    def _entries(self) -> CreditUpdate:
        rng, vcs = self._rng, self._config.vcs
        return CreditUpdate(rng.randrange(vcs), rng.getrandbits(CF_BITS),
                            rng.randrange(vcs), rng.getrandbits(CF_BITS))

    def cf_update(self) -> CreditUpdate:
        """What it says."""
        return self._item

    def loaded(self) -> None:
        """It is loaded in this cycle, or chosen."""
        self._sent = True

    def put_off(self, now: int) -> None:
        """It is loaded only in this cycle, in which its distance is 0."""
        self._since = 0


def check(config: SwitchConfig, seed: int, cycles: int = 4000) -> None:
    """What is loaded, and what stands on the pins, is that of the model in every cycle.

    Raises
    ------
    CheckError
        At the first difference, or if a kind of set was never sent.
    """
    config = small_config(config, longest=_LONGEST)
    rng = derived_random(seed, "control_transmitter")
    settings, counters, link_tx = RandomSettings(config, rng), Counters(), LinkTx()
    receiver = SimpleNamespace(ack_request=False, nack_request=False, echo_request=False,
                               ack_seq=0, echo_seq=0, echo_data=0)
    transmitter = SimpleNamespace(
        init_request=False, window=SimpleNamespace(oldest=0),
        handshake=SimpleNamespace(first=False, data=0))
    requests = _Credits(config, rng)
    # Stand-ins: they have all that the model reads of the three blocks.
    model = Model(config, settings.model, counters, receiver,  # type: ignore[arg-type]  # stand-in
                  transmitter, link_tx, requests)  # type: ignore[arg-type]  # stand-in
    block = ControlTransmitter(config)

    def change_spacing() -> None:
        settings.write(Port.LLR_SPACING,
                       rng.choice((0, 64, 300)) << 16 | rng.choice((0, 100, 700, 20000)))

    change_spacing()

    async def bench(ctx: Any) -> None:
        wish = ready_share = 0.0
        for cycle in range(cycles):
            if cycle % _PHASE == 0:
                wish, ready_share = rng.choice((0.05, 0.5)), rng.choice((0.3, 1.0))
            where = f"cycle {cycle}"
            settings.drive(ctx, block.settings)
            receiver.ack_request = rng.random() < wish
            receiver.nack_request = not receiver.ack_request and rng.random() < wish / 4
            receiver.echo_request = rng.random() < wish / 8
            for target, name in ((receiver, "ack_seq"), (receiver, "echo_seq"),
                                 (transmitter.window, "oldest")):
                setattr(target, name, rng.getrandbits(config.seq_bits))
            receiver.echo_data = rng.getrandbits(DATA_BITS)
            transmitter.init_request = rng.random() < wish / 2
            transmitter.handshake.first = rng.random() < 0.2
            transmitter.handshake.data = rng.getrandbits(DATA_BITS)
            if config.control_stages and not receiver.echo_request:
                receiver.echo_seq = receiver.echo_data = 0
            drive(ctx, block.receiver, {
                "ack": int(receiver.ack_request), "nack": int(receiver.nack_request),
                "echo": int(receiver.echo_request), "ack_seq": receiver.ack_seq,
                "echo_seq": receiver.echo_seq, "echo_data": receiver.echo_data})
            drive(ctx, block.init, {
                "request": int(transmitter.init_request), "first": int(transmitter.handshake.first),
                "seq": transmitter.window.oldest, "data": transmitter.handshake.data})
            requests.begin(cycle, wish)
            drive(ctx, block.credits, {"enabled": int(requests.enabled),
                                       "pending": int(requests.pending),
                                       **requests.cf_update()._asdict()})
            ready = int(rng.random() < ready_share)
            free = link_tx.ctl is None or bool(ready)
            ctx.set(block.free, int(free))
            before = list(counters.values)
            waiting = model.chosen
            sent = model.step(cycle, ready)
            expect(f"{where}: sent", {name: ctx.get(getattr(block.sent, name)) for name in _SENT},
                   {name: int(sent is kind) for name, kind in _SENT.items()})
            expect(f"{where}: init_waiting", ctx.get(block.init_waiting),
                   int(link_tx.init_waiting))
            expect(f"{where}: cf_sent", ctx.get(block.cf_sent), int(sent == CF_UPDATE))
            if free:
                loaded = waiting is not None if config.control_stages else sent is not None
                expect(f"{where}: load", ctx.get(block.load), int(loaded))
                expect(f"{where}: ctl", hex(ctx.get(block.ctl)), hex(link_tx.ctl or 0))
            events = ctx.get(block.count)
            expect(f"{where}: events",
                   [Counter(n).name for n in range(COUNTERS) if events >> n & 1],
                   [Counter(n).name for n in range(COUNTERS) if counters[n] != before[n]])
            if rng.random() < 0.01:
                settings.change()
                requests.change()
            if (cycle + 1) % _PHASE == 0:
                change_spacing()
            settings.drive_coming(ctx, block.settings)
            drive(ctx, block, {"cf_min": requests.cf_min, "cf_max": requests.cf_max})
            await ctx.tick()

    run_block(block, bench)
    missing = [Counter(n).name for n in (*range(Counter.LLR_TX_INIT_CTL_OS,
                                                Counter.LLR_TX_NACK_CTL_OS + 1),
                                         Counter.CBFC_TX_CF_UPDATE) if not counters[n]]
    if missing:
        raise CheckError(f"never sent: {', '.join(missing)}")
