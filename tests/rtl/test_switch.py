# SPDX-License-Identifier: Apache-2.0
"""A few frames through the whole switch in Amaranth's simulator."""

import random
import zlib
from collections import deque
from dataclasses import replace
from functools import cache

import pytest

from gavel_model.loader import load_config
from gavel_model.pins import Inputs, RxPins
from gavel_model.profiles import PROFILE_NAMES
from gavel_model.register_map import Port, port_address
from gavel_model.switch import Switch as Model
from gavel_rtl.switch import Switch
from gavel_tb.block_sim import Elaborated


def make_frame(rng: random.Random, length: int, port: int, vc: int) -> bytes:
    """An Ethernet frame to ``port`` with an 802.1Q tag of class ``vc``."""
    head = bytes([2, 0, 0, 0, 0, port]) + rng.randbytes(6) + bytes([0x81, 0x00, vc << 5, 0])
    body = head + rng.randbytes(length - len(head) - 4)
    return body + zlib.crc32(body).to_bytes(4, "little")


def words_of(frame: bytes, lanes: int) -> list[dict[str, int]]:
    count = -(-len(frame) // lanes)
    return [{
        "valid": 1, "sop": n == 0, "eop": n == count - 1,
        "empty": -len(frame) % lanes if n == count - 1 else 0,
        "data": int.from_bytes(frame[n * lanes:(n + 1) * lanes], "little"),
    } for n in range(count)]


NOTHING = {"valid": 0, "sop": 0, "eop": 0, "empty": 0, "data": 0}


BASE = replace(load_config("tiny"), buffer_cells=64)
CONFIGS = {
    "tiny": BASE,
    "3x128": replace(BASE, ports=3, data_width=128, vcs=3),
    "4x512": replace(BASE, ports=4, data_width=512, islip_iterations=2),
}
SHORT = [pytest.param(name, marks=[] if name == "tiny" else pytest.mark.long) for name in CONFIGS]
"""Whole switches with 128 and with 512 bits are compared under load and with ESUN, Verilated, in
tests/sim/test_compare_fast.py and tests/sim/test_lockstep.py, and their Egress in
tests/rtl/test_egress.py. One with 512 bits and one queue per input stays."""

SWITCHES = CONFIGS | {
    "one queue": replace(CONFIGS["4x512"], ports=3, queueing="fifo", buffer_cells=21),
}


@cache
def elaborated(name):
    return Elaborated(Switch(SWITCHES[name]))


class Bench:
    """Plays words on the receive pins, and notes what stands on the transmit pins."""

    def __init__(self, name):
        self.config = config = SWITCHES[name]
        self._switch = elaborated(name)
        self.dut = self._switch.component
        self.cycle = 0
        self.waiting = [deque() for _ in range(config.ports)]
        self.sent = []
        """(cycle of the last word, port, bytes)"""
        self.taken = [[] for _ in range(config.ports)]
        """For each output: (cycle of the first word, bytes)."""
        self._open = [None] * config.ports

    async def step(self, ctx, ready=-1):
        lanes = self.config.word_bytes
        for port in range(self.config.ports):
            word = self.waiting[port].popleft() if self.waiting[port] else NOTHING
            for name in NOTHING:
                ctx.set(getattr(self.dut, f"p{port}_rx_{name}"), word[name])
            ctx.set(getattr(self.dut, f"p{port}_rx_up"), 1)
            ctx.set(getattr(self.dut, f"p{port}_tx_ready"), ready >> port & 1)
            if word["eop"]:
                self.sent.append((self.cycle, port, word["frame"]))
            got = {name: ctx.get(getattr(self.dut, f"p{port}_tx_{name}")) for name in NOTHING}
            if not got["valid"]:
                assert got == NOTHING
            elif ready >> port & 1:
                if got["sop"]:
                    assert self._open[port] is None
                    self._open[port] = (self.cycle, b"")
                start, data = self._open[port]
                data += got["data"].to_bytes(lanes, "little")[:lanes - got["empty"]]
                self._open[port] = (start, data)
                if got["eop"]:
                    self.taken[port].append(self._open[port])
                    self._open[port] = None
        self.cycle += 1
        await ctx.tick()

    def put(self, port, frame):
        for word in words_of(frame, self.config.word_bytes):
            self.waiting[port].append(word | {"frame": frame})

    async def write(self, ctx, port, offset, value):
        ctx.set(self.dut.reg_we, 1)
        ctx.set(self.dut.reg_addr, port_address(port, offset))
        ctx.set(self.dut.reg_wdata, value)
        await self.step(ctx)
        ctx.set(self.dut.reg_we, 0)

    def run(self, bench):
        self._switch.run(bench)


@pytest.mark.parametrize("name", SHORT)
def test_latency_is_the_same_for_every_pair_vc_and_length(name):
    bench = Bench(name)
    config = bench.config
    rng = random.Random(name)

    async def run(ctx):
        for source in range(config.ports):
            for target in range(config.ports):
                for vc in range(config.vcs):
                    length = rng.choice((64, 65, 71, 72, 127, 128, 129, rng.randrange(64, 257)))
                    frame = make_frame(rng, length, target, vc)
                    bench.put(source, frame)
                    while bench.waiting[source]:
                        await bench.step(ctx)
                    last = bench.sent[-1][0]
                    for _ in range(config.latency_cycles + config.max_frame_words + 2):
                        await bench.step(ctx)
                    assert bench.taken[target] == [(last + config.latency_cycles, frame)]
                    bench.taken[target].clear()

    bench.run(run)


@pytest.mark.parametrize("name", SHORT)
def test_every_frame_arrives_once_in_order_under_load(name):
    bench = Bench(name)
    config = bench.config
    rng = random.Random(name)

    async def run(ctx):
        flows = {}
        for source in range(config.ports):
            for _ in range(12):
                target, vc = rng.randrange(config.ports), rng.randrange(config.vcs)
                frame = make_frame(rng, rng.choice((64, 64, 65, 80, 256)), target, vc)
                bench.put(source, frame)
                flows.setdefault((source, target, vc), []).append(frame)
        for cycle in range(12 * config.max_frame_words * 3 + 100):
            ready = -1 if cycle < 30 else rng.getrandbits(config.ports) | rng.getrandbits(
                config.ports)
            await bench.step(ctx, ready)
        arrived = [frame for taken in bench.taken for _, frame in taken]
        assert len(arrived) == sum(map(len, flows.values()))
        for (_, target, _), frames in flows.items():
            order = [frame for _, frame in bench.taken[target] if frame in frames]
            assert order == frames

    bench.run(run)


def test_with_one_queue_per_input_each_frame_leaves_when_the_model_says():
    bench = Bench("one queue")
    config = bench.config
    model = Model(config)
    rng = random.Random("one queue")
    waited = 0

    async def run(ctx):
        nonlocal waited
        for source in range(config.ports):
            for _ in range(60):
                target, vc = rng.randrange(config.ports), rng.randrange(config.vcs)
                bench.put(source, make_frame(rng, rng.choice((64, 64, 64, 256)), target, vc))
        for cycle in range(400):
            ready = rng.choice((-1, rng.getrandbits(3))) if cycle < 200 else -1
            for port, pins in enumerate(model.tx):
                shown = ctx.get(getattr(bench.dut, f"p{port}_tx_data"))
                assert shown == pins.data, f"cycle {cycle}, port {port}"
            rx = tuple(RxPins(**{name: int(words[0][name]) for name in NOTHING}) if words
                       else RxPins() for words in bench.waiting)
            await bench.step(ctx, ready)
            model.step(Inputs(rx, ready & 0b111))
            waited += sum(sum(map(bool, port.voq_frames)) > 1 for port in model.ports)

    bench.run(run)
    assert waited > 100
    assert sum(map(len, bench.taken)) > 60


@pytest.mark.parametrize("name", SHORT)
def test_ttl_ecn_and_fcs_are_edited_on_the_way(name):
    bench = Bench(name)
    config = bench.config
    rng = random.Random(name)

    def esun(target: int, length: int, ecn: int, ttl: int, tail: bytes) -> bytes:
        head = bytes([2, 0, 0, 0, 0, target]) + bytes(6) + bytes([0x88, 0xB5, ecn, 1, 2, ttl << 4])
        body = head + tail[:length - len(head) - 4]
        return body + zlib.crc32(body).to_bytes(4, "little")

    async def run(ctx):
        for port in range(config.ports):
            await bench.write(ctx, port, Port.PROFILE, PROFILE_NAMES.index("esun"))
            await bench.write(ctx, port, Port.ECN_THRESHOLD, 0)
        for ecn in range(4):
            for ttl in (2, 3, 8, 15):
                length, tail = rng.randrange(64, 130), rng.randbytes(256)
                target = rng.randrange(config.ports)
                bench.put(0, esun(target, length, ecn, ttl, tail))
                for _ in range(config.latency_cycles + 2 * config.max_frame_words):
                    await bench.step(ctx)
                marked = 3 if ecn in (1, 2) else ecn
                (_, frame), = bench.taken[target]
                assert frame == esun(target, length, marked, ttl - 1, tail)
                bench.taken[target].clear()

    bench.run(run)
