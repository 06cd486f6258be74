# SPDX-License-Identifier: Apache-2.0
"""A bench around the golden model: frames in by port and cycle, frames out with their cycles."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

import pytest

from gavel_model import SwitchConfig, load_config
from gavel_model.frame import append_fcs, build_header, join_words, split_words
from gavel_model.pins import IDLE, NO_ACCESS, Inputs, RegisterPins, RxPins, TxPins
from gavel_model.switch import Switch


class Sent(NamedTuple):
    """A frame seen on transmit pins: cycles of its first and last word, and its bytes."""

    first: int
    last: int
    data: bytes


class Bench:
    """Drives a switch and takes apart what it transmits.

    ``frames[j]`` are the frames of output j. The helpers give the cycle in which things happen,
    so that a test can say when something else must.
    """

    def __init__(self, config: SwitchConfig) -> None:
        self.config = config
        self.switch = Switch(config)
        self.frames: list[list[Sent]] = [[] for _ in range(config.ports)]
        self.ready: Callable[[int], int] = lambda _: (1 << config.ports) - 1
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
        """Reads a register (the switch goes on by two cycles)."""
        at = max(self._slot(), self.cycle)
        self.run(at - self.cycle)
        self._access[at] = RegisterPins(address, 0, 0, 1)
        self.run(2)
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
            ready = self.ready(now)
            for j, pins in enumerate(self.switch.tx):
                self._watch(now, j, pins, ready >> j & 1)
            rx = tuple(self._pins.get((i, now), IDLE) for i in range(self.config.ports))
            self.switch.step(
                Inputs(rx, ready, self._access.get(now, NO_ACCESS), int(now in self._reset))
            )

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
        values = {n: self.switch.ports[port].counters[n] for n in range(17)}
        return {n: value for n, value in values.items() if value}

    def _watch(self, now: int, j: int, pins: TxPins, ready: int) -> None:
        if not pins.valid:
            assert pins == TxPins(up=pins.up), "idle pins are 0"
            return
        if not ready:
            return
        words = self._open[j]
        assert bool(pins.sop) == (not words), "sop only with the first word"
        assert pins.eop or not pins.empty, "empty only with eop"
        if not words:
            self._first[j] = now
        words.append(pins)
        if pins.eop:
            data = join_words([word.data for word in words], self.config.word_bytes)
            length = len(data) - pins.empty
            assert not any(data[length:]), "unused lanes are 0"
            data = data[:length]
            good = zlib.crc32(data[:-4]) == int.from_bytes(data[-4:], "little")
            assert good, "transmitted FCS"
            self.frames[j].append(Sent(self._first[j], now, data))
            self._open[j] = []


@pytest.fixture
def bench() -> Callable[..., Bench]:
    """Makes a bench: ``bench("pod", "ports=3")``, or ``bench(config)``."""

    def make(source: str | SwitchConfig = "tiny", *overrides: str) -> Bench:
        return Bench(load_config(source, overrides) if isinstance(source, str) else source)

    return make
