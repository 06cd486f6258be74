# SPDX-License-Identifier: Apache-2.0
"""A bench around the golden model: frames in by port and cycle, frames out with their cycles."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import pytest

from gavel_model import SwitchConfig, load_config
from gavel_model.frame import append_fcs, build_header, join_words, split_words
from gavel_model.llr_timers import TransmitterState
from gavel_model.llr_transmitter import LlrTransmitter
from gavel_model.ordered_set import Kind, OrderedSet, encode
from gavel_model.pins import IDLE, NO_ACCESS, Inputs, RegisterPins, RxPins, TxPins
from gavel_model.register_map import (
    LLR_CONTROL_RESET,
    Counter,
    LlrControl,
    Port,
    port_address,
)
from gavel_model.switch import Switch


class Sent(NamedTuple):
    """A frame seen on transmit pins: cycles of its first and last word, its bytes, and its
    sequence number if it is eligible."""

    first: int
    last: int
    data: bytes
    seq: int | None = None


class Bench:
    """Drives a switch and takes apart what it transmits.

    ``frames[j]`` are the frames of output j, ``sets[j]`` its ordered sets, each with the cycle in
    which it was taken. The helpers give the cycle in which things happen, so that a test can say
    when something else must.
    """

    def __init__(self, config: SwitchConfig) -> None:
        self.config = config
        self.switch = Switch(config)
        self.frames: list[list[Sent]] = [[] for _ in range(config.ports)]
        self.wrong_fcs = {0}
        self.ready: Callable[[int], int] = lambda _: (1 << config.ports) - 1
        self.ctl_ready: Callable[[int], int] = lambda _: -1
        self.sets: list[list[tuple[int, int]]] = [[] for _ in range(config.ports)]
        self.up: Callable[[int], int] = lambda _: -1
        self.ctl: dict[tuple[int, int], int] = {}
        self._pins: dict[tuple[int, int], RxPins] = {}
        self._next = [0] * config.ports
        self._access: dict[int, RegisterPins] = {}
        self._reset: set[int] = set()
        self._open: list[list[TxPins]] = [[] for _ in range(config.ports)]
        self._first = [0] * config.ports

    @property
    def cycle(self) -> int:
        return self.switch.cycle

    def frame(
        self,
        dst: int,
        size: int = 64,
        *,
        src: int = 0,
        seed: int = 0,
        profile: str | None = None,
        **fields: int,
    ) -> bytes:
        """A good frame; for 48-bit profiles ``dst`` stands for the address of ID ``dst``."""
        profile = self.config.profile if profile is None else profile
        base = 0x020000000000 if profile in ("ethernet", "esun") else 0
        if profile == "esun":
            fields.setdefault("ttl", 8)
        header = build_header(profile, dst=base + dst, src=base + src, **fields)
        body = header + random.Random(seed).randbytes(max(0, size - 4 - len(header)))
        return append_fcs(body[: size - 4])

    def words(self, frame: bytes) -> list[RxPins]:
        """The frame as receive pins."""
        data = split_words(frame, self.config.word_bytes)
        last = len(data) - 1
        empty = len(data) * self.config.word_bytes - len(frame)
        return [
            RxPins(
                valid=1, sop=int(n == 0), eop=int(n == last),
                empty=empty if n == last else 0, data=word,
            )
            for n, word in enumerate(data)
        ]

    def eligible(self, frame: bytes, seq: int) -> list[RxPins]:
        """The frame as receive pins, looked after by link-level retry."""
        first, *rest = self.words(frame)
        return [first._replace(llr=1, seq=seq), *rest]

    def ordered_set(
        self, port: int, kind: Kind, value: int, data: int = 0, *, at: int | None = None,
        protect: bool = True,
    ) -> int:
        """Puts a set beside whatever else is on the receive pins; returns its cycle."""
        at = self.cycle if at is None else at
        self.ctl[port, at] = encode(OrderedSet(kind, value, data), protect)
        return at

    def setting(self, port: int, offset: Port, value: int, at: int | None = None) -> int:
        """Writes a register of a port; returns the cycle in which it is on the pins."""
        return self.write(port_address(port, offset), value, at)

    def llr(self, port: int, *, at: int | None = None, **changes: int) -> int:
        """Writes ``LLR_CONTROL``: the reset value with some fields changed."""
        value = LLR_CONTROL_RESET
        for name, field in changes.items():
            low = LlrControl[name.upper()]
            value = value & ~((3 if name.endswith("action") else 1) << low) | field << low
        return self.setting(port, Port.LLR_CONTROL, value, at)

    def advance(self, port: int, **changes: int) -> None:
        """Turns the transmitter of a port on and echoes its LLR_INIT, until it is in ADVANCE."""
        self.llr(port, remote=1, **changes)
        self.run(5)
        window = self.switch.ports[port].llr_transmitter.window
        data = self.switch.ports[port].llr_transmitter.handshake.data
        protect = bool(changes.get("protect", 1))
        self.ordered_set(port, Kind.INIT_ECHO, window.oldest, data, protect=protect)
        self.run(4 + self.config.receive_stages)
        assert self.switch.ports[port].llr_transmitter.state is TransmitterState.ADVANCE

    def put(self, port: int, pins: Sequence[RxPins], at: int | None = None) -> int:
        """Places pins from cycle ``at`` (or as soon as the port is free) on; returns the last."""
        start = max(self._next[port], self.cycle) if at is None else at
        for n, item in enumerate(pins):
            self._pins[port, start + n] = item
        self._next[port] = start + len(pins)
        return start + len(pins) - 1

    def send(self, port: int, frame: bytes, at: int | None = None) -> int:
        """Sends a frame; returns the cycle of its last word."""
        return self.put(port, self.words(frame), at)

    def write(self, address: int, value: int, at: int | None = None) -> int:
        """Writes a register; returns the cycle in which it is on the pins."""
        at = self._slot() if at is None else at
        self._access[at] = RegisterPins(address, value, 1, 0)
        return at

    def access(self, at: int, pins: RegisterPins) -> None:
        """Puts anything on the register pins in a cycle."""
        self._access[at] = pins

    def read(self, address: int) -> int:
        """Reads a register (the switch goes on to the answer)."""
        at = max(self._slot(), self.cycle)
        self.run(at - self.cycle)
        self._access[at] = RegisterPins(address, 0, 0, 1)
        self.run(self.config.answer_cycles)
        return self.switch.rdata

    def _slot(self) -> int:
        return max([self.cycle, *(cycle + 1 for cycle in self._access)])

    def reset(self, at: int) -> None:
        """Holds ``rst`` in a cycle."""
        self._reset.add(at)

    def run(self, cycles: int) -> None:
        """Steps; collects what the transmit pins show."""
        for _ in range(cycles):
            now = self.cycle
            ready, ctl_ready = self.ready(now), self.ctl_ready(now)
            for j, pins in enumerate(self.switch.tx):
                self._watch(now, j, pins, ready >> j & 1)
                assert pins.ctl_valid or not pins.ctl, "ctl is 0 without ctl_valid"
                if pins.ctl_valid and ctl_ready >> j & 1:
                    self.sets[j].append((now, pins.ctl))
            rx = tuple(self._received(i, now) for i in range(self.config.ports))
            self.switch.step(
                Inputs(rx, ready, self._access.get(now, NO_ACCESS), int(now in self._reset),
                       ctl_ready)
            )

    def _received(self, port: int, now: int) -> RxPins:
        pins = self._pins.get((port, now), IDLE)
        if (port, now) in self.ctl:
            pins = pins._replace(ctl_valid=1, ctl=self.ctl[port, now])
        return pins if self.up(now) >> port & 1 else pins._replace(up=0)

    def until(self, cycle: int) -> None:
        """Steps until that cycle is the current one."""
        self.run(cycle - self.cycle)

    def drain(self, cycles: int = 200) -> None:
        """Steps until all that was placed is through."""
        self.run(max(0, max(self._next) - self.cycle) + cycles)

    def table_ready(self) -> None:
        """Steps until the tables can be written."""
        self.run(self.config.table_init_cycles - self.cycle)

    def counters(self, port: int) -> dict[int, int]:
        """Counters of a port that are not 0."""
        values = {n: self.switch.ports[port].counters[n] for n in Counter}
        return {n: value for n, value in values.items() if value}

    def _watch(self, now: int, j: int, pins: TxPins, ready: int) -> None:
        if not pins.valid:
            idle = TxPins(up=pins.up, ctl_valid=pins.ctl_valid, ctl=pins.ctl)
            assert pins == idle, "idle pins are 0"
            return
        if not ready:
            return
        words = self._open[j]
        assert bool(pins.sop) == (not words), "sop only with the first word"
        assert pins.eop or not pins.empty, "empty only with eop"
        if not words:
            self._first[j] = now
        assert pins.sop or not (pins.llr or pins.seq), "llr and seq only with sop"
        words.append(pins)
        if pins.eop:
            data = join_words([word.data for word in words], self.config.word_bytes)
            length = len(data) - pins.empty
            assert not any(data[length:]), "unused lanes are 0"
            data = data[:length]
            wrong = zlib.crc32(data[:-4]) ^ int.from_bytes(data[-4:], "little")
            assert wrong in self.wrong_fcs, "transmitted FCS"
            seq = words[0].seq if words[0].llr else None
            self.frames[j].append(Sent(self._first[j], now, data, seq))
            self._open[j] = []


class RetryBench(Bench):
    """Frames come in at port 0 and leave by port 1, whose transmitter is looked at."""

    def __init__(self, config: SwitchConfig) -> None:
        super().__init__(config)
        self._fed = 0

    @property
    def tx(self) -> LlrTransmitter:
        return self.switch.ports[1].llr_transmitter

    def feed(self, count: int = 1, size: int = 64) -> int:
        """Sends frames; gives the cycle in which the last word of the last is launched."""
        t = 0
        for _ in range(count):
            self._fed += 1
            t = self.send(0, self.frame(1, size, seed=self._fed))
        return t + 9 + -(-size // self.config.word_bytes) - 1

    def expected(self, *numbers: int) -> list[bytes]:
        """Frames of 64 bytes by the order of feeding, from 1 on."""
        return [self.frame(1, seed=n) for n in numbers]

    def shown(self) -> list[tuple[int | None, bytes]]:
        """Numbers and bytes of what was sent."""
        return [(sent.seq, sent.data) for sent in self.frames[1]]

    def states(self, first: int, last: int) -> list[TransmitterState]:
        """State as visible in each cycle."""
        self.until(first)
        seen = []
        while self.cycle <= last:
            seen.append(self.tx.state)
            self.run(1)
        return seen


@pytest.fixture
def retry() -> Callable[..., RetryBench]:
    """Makes a tiny switch whose port 1 is in ADVANCE, without timers, unless ``advance`` is False;
    ``settings`` are registers of that port, ``changes`` fields of its ``LLR_CONTROL``."""

    def make(
        *overrides: str, settings: Mapping[Port, int] | None = None, advance: bool = True,
        **changes: int,
    ) -> RetryBench:
        b = RetryBench(load_config("tiny", overrides))
        if advance:
            timers = (Port.LLR_REPLAY_TIMER, Port.LLR_PCS_LOST, Port.LLR_DATA_AGE)
            for offset, value in {**dict.fromkeys(timers, 0), **(settings or {})}.items():
                b.setting(1, offset, value)
            b.run(12)
            b.advance(1, **changes)
        return b

    return make


@pytest.fixture
def bench() -> Callable[..., Bench]:
    """Makes a bench: ``bench("pod", "ports=3")``, or ``bench(config)``."""

    def make(source: str | SwitchConfig = "tiny", *overrides: str) -> Bench:
        return Bench(load_config(source, overrides) if isinstance(source, str) else source)

    return make
