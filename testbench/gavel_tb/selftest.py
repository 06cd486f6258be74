# SPDX-License-Identifier: Apache-2.0
"""Bench of the self-test: model against RTL on every pin, with links that spoil what they carry."""

from __future__ import annotations

import random
from collections import deque
from typing import Any

from gavel_model.config import SwitchConfig
from gavel_model.frame import append_fcs, join_words, split_words
from gavel_model.pins import RegisterPins, RxPins, TxPins
from gavel_model.selftest import SelfTest
from gavel_model.selftest_format import LINE_RATE, FrameFormat
from gavel_model.selftest_map import (
    COUNTS,
    GLOBAL_BASE,
    PORT_BASE,
    PORT_STRIDE,
    SELF_TEST_MAP,
    SelfTestGlobal,
    SelfTestInject,
    SelfTestLength,
    SelfTestMode,
    SelfTestRegister,
)
from gavel_tb.block_sim import Elaborated, drive, expect, number

_R = SelfTestRegister
_WORD = 0xFFFFFFFF


class FaultyWire:
    """Carries the words of one port to another, late, and spoils some frames.

    Parameters
    ----------
    rng
        What decides.
    size
        Bytes of a word.
    rate
        Share of the frames that are spoilt.
    """

    def __init__(self, rng: random.Random, size: int, rate: float) -> None:
        self._rng, self._size, self._rate = rng, size, rate
        self._frame: list[RxPins] = []
        self._queue: deque[RxPins] = deque()
        self._kept: list[RxPins] = []
        self.kinds: set[str] = set()

    def put(self, pins: RxPins | TxPins) -> None:
        """A word that was taken at the near end."""
        self._frame.append(RxPins(valid=1, sop=pins.sop, eop=pins.eop, empty=pins.empty,
                                  data=pins.data))
        if pins.eop:
            frame, self._frame = self._frame, []
            if self._rng.random() < self._rate:
                frame = self._spoil(frame)
            self._queue.extend(frame)

    def get(self) -> RxPins:
        """What is at the far end in this cycle."""
        if not self._queue or self._rng.random() < self._rate / 8:
            return RxPins(up=int(self._rng.random() >= self._rate / 50))
        return self._queue.popleft()

    def _spoil(self, frame: list[RxPins]) -> list[RxPins]:
        kind = self._rng.choice(("lost", "twice", "late", "err", "bit", "header", "body", "cut",
                                 "stray", "short"))
        self.kinds.add(kind)
        n = self._rng.randrange(len(frame))
        if kind == "lost":
            return []
        if kind == "twice":
            return frame * 2
        if kind == "late":
            kept, self._kept = self._kept, frame
            return kept
        if kind == "err":
            return [*frame[:n], frame[n]._replace(err=1), *frame[n + 1:]]
        if kind == "bit":
            flipped = frame[n].data ^ 1 << self._rng.randrange(8 * self._size)
            return [*frame[:n], frame[n]._replace(data=flipped), *frame[n + 1:]]
        if kind == "cut":
            return frame[:n]
        if kind == "stray":
            return [*frame, *(word._replace(sop=0) for word in frame[-1:])]
        return self._remade(frame, kind)

    def _remade(self, frame: list[RxPins], kind: str) -> list[RxPins]:
        """The frame with other bytes and a good FCS."""
        body = bytearray(join_words([word.data for word in frame], self._size))
        body = body[:len(body) - frame[-1].empty - 4]
        if kind == "short":
            body = body[:self._rng.randrange(1, len(body))]
        elif kind == "header" or len(body) <= 40:
            body[self._rng.randrange(min(40, len(body)))] ^= 1 << self._rng.randrange(8)
        else:
            body[self._rng.randrange(40, len(body))] ^= 1 << self._rng.randrange(8)
        data = append_fcs(bytes(body))
        words = split_words(data, self._size)
        return [RxPins(valid=1, sop=int(n == 0), eop=int(n == len(words) - 1), data=word,
                       empty=-len(data) % self._size if n == len(words) - 1 else 0)
                for n, word in enumerate(words)]


def settings_of(rng: random.Random, config: SwitchConfig, port: int, mode: SelfTestMode,
                destination: int | None) -> list[RegisterPins]:
    """Writes that set a port up."""
    longest = min(config.max_frame_bytes, 64 + rng.choice((0, 3, 40, 200)))
    classes = FrameFormat(config).classes
    mask = rng.getrandbits(config.ports) or 1
    values = {
        _R.MODE: mode, _R.ORDER: rng.getrandbits(1),
        _R.DESTINATIONS: mask if destination is None else 1 << destination,
        _R.CLASSES: rng.getrandbits(classes) or (1 << classes) - 1,
        _R.LENGTH: rng.randrange(40, longest + 1) | longest << SelfTestLength.LONGEST,
        _R.LOAD: rng.choice((LINE_RATE, LINE_RATE, rng.randrange(LINE_RATE), _WORD)),
        _R.PAYLOAD: rng.randrange(4), _R.SEED: rng.choice((0, rng.getrandbits(32))),
        _R.COUNT: rng.choice((0, 0, rng.randrange(1, 12))),
        _R.INJECT: rng.choice((0, rng.randrange(1, 6))) | rng.randrange(4) << SelfTestInject.HOW,
    }
    return [RegisterPins(SELF_TEST_MAP.port_address(port, register), value, 1, rng.getrandbits(1))
            for register, value in values.items()]


def random_access(rng: random.Random, config: SwitchConfig) -> RegisterPins:
    """A read of any register that is there, or near one; nothing, most of the time."""
    if rng.random() < 0.5:
        return RegisterPins()
    if rng.random() < 0.2:
        return RegisterPins(GLOBAL_BASE + rng.randrange(8), re=1)
    return RegisterPins(PORT_BASE + rng.randrange(config.ports * PORT_STRIDE + 8), re=1)


class SelfTestBench:
    """Runs RTL and model side by side.

    Ports in modes 1 and 2 stand in a ring in place of a switch: what the
    generator of one gives the switch comes out of its wire at its destination, so it must be fixed.

    Parameters
    ----------
    config
        The switch, which is not there.
    dut
        The RTL, `gavel_rtl.selftest.SelfTest`.
    seed
        Of everything.
    rate
        Share of the frames that are spoilt.

    Attributes
    ----------
    model
        The model.
    kinds
        What has been done to frames.
    largest
        Largest value that each register of results has had at the end of a part.
    """

    def __init__(self, config: SwitchConfig, dut: Elaborated, seed: int, *,
                 rate: float = 0.2) -> None:
        self._config, self._dut, self._rate = config, dut, rate
        self._rng = random.Random(seed)
        self.model = SelfTest(config)
        self.kinds: set[str] = set()
        self.largest: dict[_R, int] = dict.fromkeys(_R, 0)

    def run(self, cycles: int, restarts: int = 3) -> None:
        """So many cycles after each of so many changes of all settings.

        Raises
        ------
        CheckError
            If a pin differs.
        """
        async def bench(ctx: Any) -> None:
            for _ in range(restarts):
                await self._play(ctx, cycles)
        self._dut.run(bench)

    async def _play(self, ctx: Any, cycles: int) -> None:
        rng, config = self._rng, self._config
        shift = rng.randrange(config.ports)
        modes = [rng.choice(list(SelfTestMode)) for _ in range(config.ports)]
        wires = [FaultyWire(rng, config.word_bytes, self._rate) for _ in range(config.ports)]
        control = GLOBAL_BASE + SelfTestGlobal.CONTROL
        start = [access for port in range(config.ports)
                 for access in settings_of(rng, config, port, modes[port],
                                           (port + shift) % config.ports)]
        begin = deque([RegisterPins(control, 0, 1), *start, RegisterPins(control, 3, 1)])
        for cycle in range(cycles):
            access = begin.popleft() if begin else random_access(rng, config)
            if rng.random() < 0.003 and not begin:
                access = RegisterPins(control, rng.randrange(4), 1, 1)
            ready = rng.getrandbits(config.ports) | rng.getrandbits(config.ports)
            # Far ends: of port p the wire of the port that sends to it.
            got = [wires[(port - shift) % config.ports].get() for port in range(config.ports)]
            sent = [TxPins(valid=pins.valid, sop=pins.sop, eop=pins.eop, err=pins.err,
                           empty=pins.empty, up=pins.up, data=pins.data) for pins in got]
            await self._cycle(ctx, cycle, got, sent, ready, access, wires)
        for wire in wires:
            self.kinds |= wire.kinds
        for port in self.model.ports:
            for register in (*port.results.values, *COUNTS):
                self.largest[register] = max(self.largest[register], port.results.read(register))

    async def _cycle(self, ctx: Any, cycle: int, rx: list[RxPins], tx: list[TxPins], ready: int,
                     access: RegisterPins, wires: list[FaultyWire]) -> None:
        dut, model = self._dut.component, self.model
        drive(ctx, dut.bus, {"addr": access.addr, "wdata": access.wdata, "we": access.we,
                             "re": access.re})
        for port in range(self._config.ports):
            drive(ctx, dut.mac_rx[port], rx[port]._asdict())
            drive(ctx, dut.tx[port], tx[port]._asdict())
            drive(ctx, dut.mac_tx[port], {"ready": ready >> port & 1, "ctl_ready": 0})
        expect(f"cycle {cycle} rdata", number(ctx, dut.bus.rdata), model.rdata)
        for port, test in enumerate(model.ports):
            received, shown = test.received(rx[port]), test.shown(tx[port])
            for what, pins, interface in (("rx", received, dut.rx[port]),
                                          ("mac_tx", shown, dut.mac_tx[port])):
                for name, value in pins._asdict().items():
                    expect(f"cycle {cycle} p{port} {what}.{name}",
                           number(ctx, getattr(interface, name)), value)
            takes = model.takes >> port & 1
            expect(f"cycle {cycle} p{port} tx.ready", number(ctx, dut.tx[port].ready),
                   takes | ready >> port & 1)
            if test.mode == SelfTestMode.LINK:
                if shown.valid and ready >> port & 1:
                    wires[port].put(shown)
            elif test.mode != SelfTestMode.OFF and received.valid:
                wires[port].put(received)
        model.step(rx, tx, ready, access)
        await ctx.tick()
