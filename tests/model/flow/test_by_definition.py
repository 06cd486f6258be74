# SPDX-License-Identifier: Apache-2.0
"""Random traffic, settings, CF_Updates, CC_Updates and pauses, some of them wrong: the state of
flow control is that of its second transcription in every cycle."""

from __future__ import annotations

import random
from typing import Any

import pytest

from gavel_model.llr_timers import TransmitterState
from gavel_model.mac_control import CreditCounts, Pause, cc_update_frame, pfc_frame
from gavel_model.ordered_set import CreditUpdate, Kind, encode_credits
from gavel_model.register_map import LlrControl, Port

M20 = (1 << 20) - 1
M15 = (1 << 15) - 1
REGISTERS = {
    Port.VC_CONTROL: (0, 0, 0, 0, 0, 0x0100, 0x0502),
    Port.CBFC_CONTROL: (0, 0, 0x0F0F, 0x20F0F, 0x30F0F, 0x20F0F, 0x20F0F, 0x3FFFF, 0x20503,
                        0x10A0C),
    Port.CBFC_SENDER: (1, 1, 1, 0, 0x1401, 0xF001, 0x0002),
    Port.CBFC_RECEIVER: (1, 1, 1, 0, 0x1401, 0xF001, 0x0002),
    Port.CBFC_TOTAL_LIMIT: (4, 8, 20, 40, 2000),
    Port.CBFC_CF_MIN: (0, 64, 64, 100, 300),
    Port.CBFC_CF_MAX: (0, 200, 1000, 5000, 1 << 20),
    Port.CBFC_CC_PERIOD: (0, 1, 100, 300, 300),
    Port.PFC_CONTROL: (0, 0xFFFF, 0x0503, 0xFF00, 0x00FF),
    Port.PFC_XOFF: (0, 2, 4, 8, 30),
    Port.PFC_XON: (0, 1, 3, 6),
    Port.PFC_TIME: (0, 1, 40, 40, 1000),
    Port.PFC_WATCHDOG: (0, 0, 1, 2, 30, 100),
    Port.PFC_RESTORE: (0, 1, 5, 60),
    Port.MAC_ADDRESS_LO: (1, 0x12345678),
    Port.VC_MAP: (0x76543210, 0x10210210, 0, 0x33221100),
    Port.LLR_SPACING: (400 << 16 | 2048, 0x0400, 100 << 16 | 0x0200),
}
PER_VC = {Port.CBFC_LIMIT: (4, 5, 8, 16, 60, 60, 2000), Port.RX_VC_LIMIT: (0, 8, 40, 40, 48, 99)}


class Traffic:
    """Stimulus of a `Watched` bench."""

    def __init__(self, w: Any, rng: random.Random, *, retry: bool) -> None:
        self.w, self.b, self.rng = w, w.b, rng
        self.load, self.changes, self.retry = 0.0, 0.0, retry
        self.seed = 0

    def run(self, cycles: int) -> None:
        for _ in range(cycles):
            for i in range(self.b.config.ports):
                self._frame(i)
                self._set(i)
            if self.rng.random() < self.changes:
                self._register()
            self.w.cycle()

    def _frame(self, i: int) -> None:
        b, rng, now = self.b, self.rng, self.b.cycle
        if b._next[i] > now or rng.random() >= self.load:
            return
        kind = rng.random()
        if kind < 0.05:
            slow = self.w.slow[i]
            mac: Any = CreditCounts(tuple(
                (slow.r_cc[v] if v < slow.vcs else 0) + rng.choice((0, 0, 1, 5, -3)) & M20
                for v in range(16)))
            data = cc_update_frame(5, mac.consumed)
        elif kind < 0.12:
            times = tuple(rng.choice((0, 1, 5, 20)) for _ in range(8))
            mac = Pause(rng.getrandbits(8), times)
            data = pfc_frame(5, *mac)
        else:
            self.seed += 1
            data = b.frame(rng.randrange(b.config.ports + 1), rng.randrange(60, 257),
                           seed=self.seed, traffic_class=rng.randrange(8))
            if rng.random() < 0.05:
                data = data[:-1] + bytes((data[-1] ^ 1,))
            b.send(i, data)
            return
        self.w.macs[i, b.send(i, data)] = mac

    def _set(self, i: int) -> None:
        b, rng = self.b, self.rng
        flow, transmitter = b.switch.ports[i].flow_control, b.switch.ports[i].llr_transmitter
        protect = bool(b.switch.ports[i].settings[Port.LLR_CONTROL] >> LlrControl.PROTECT & 1)
        window = transmitter.window
        if self.retry and rng.random() < 0.3:
            if transmitter.state is TransmitterState.INIT:
                b.ordered_set(i, Kind.INIT_ECHO, window.next, transmitter.handshake.data,
                              protect=protect)
                return
            if window.outstanding:
                b.ordered_set(i, Kind.ACK, window.next - 1 & M20, protect=protect)
                return
        if rng.random() >= 0.05:
            return
        sender = flow.credit_sender
        entries = []
        for _ in range(2):
            v = rng.randrange(8) if rng.random() < 0.1 else rng.randrange(b.config.vcs)
            freed = rng.getrandbits(15)
            if v < b.config.vcs and rng.random() < 0.9:
                used = sender.used[v]
                freed = sender.consumed[v] - rng.choice((0, used // 2, rng.randint(0, used)))
            entries += [v, freed & M15]
        update = CreditUpdate(*entries)
        self.w.cfs[i, b.cycle] = update
        b.ctl[i, b.cycle] = encode_credits(update, protect)

    def _register(self) -> None:
        b, rng = self.b, self.rng
        port = rng.randrange(b.config.ports)
        if self.retry and rng.random() < 0.05:
            protect = b.switch.ports[port].settings[Port.LLR_CONTROL] >> LlrControl.PROTECT & 1
            b.llr(port, remote=rng.getrandbits(1), protect=protect, at=b.cycle)
        elif rng.random() < 0.3:
            register = rng.choice(list(PER_VC))
            b.setting(port, Port(register), rng.choice(PER_VC[register]), at=b.cycle)
            address = b._access[b.cycle].addr + rng.randrange(b.config.vcs)
            b._access[b.cycle] = b._access[b.cycle]._replace(addr=address)
        else:
            register = rng.choice(list(REGISTERS))
            b.setting(port, register, rng.choice(REGISTERS[register]), at=b.cycle)


WIDTHS = {0: (64, 128, 256, 512), 1: (64, 128, 256, 512), 2: (128, 64, 128, 128)}


# Eight seeds have every width with and without protection, with and without retry, and with and
# without a register before the cell memory; four with and without one behind the choice of a set.
@pytest.mark.parametrize(("gate_stages", "seed"), [
    pytest.param(stages, seed, marks=[pytest.mark.long] if seed >= 8 else [])
    for stages in (0, 1, 2) for seed in range(12)])
def test_all_state_is_that_of_the_definition(watched: Any, seed: int, gate_stages: int) -> None:
    rng = random.Random(seed)
    ready = rng.choice((1.0, 0.9, 0.5))
    w = watched(
        ready, f"data_width={WIDTHS[gate_stages][seed % 4]}",
        f"vcs={rng.choice((1, 2, 3, 4, 8))}", f"ports={rng.choice((2, 3))}", "buffer_cells=48",
        "replay_cells=64", f"islip_iterations={rng.randrange(1, 3)}", "replay_timer=0",
        "data_age_timer=0", f"gate_stages={gate_stages}",
        f"read_stages={(seed % 4 + seed // 4) % 3}",
        f"match_stages={int(gate_stages == 2 and seed % 3 == 1)}",
        f"control_stages={(seed // 2 + gate_stages) % 2}",
    )
    b = w.b
    retry = seed % 3 == 0
    b.ready = lambda _: sum((rng.random() < ready) << j for j in range(b.config.ports))
    for i in range(b.config.ports):
        b.llr(i, remote=int(retry and i > 0), protect=seed // 4 % 2)
    w.run(8)
    t = Traffic(w, rng, retry=retry)
    for changes in (0.5, 0.02, 0.2, 0.01, 0.05):
        t.changes = changes
        t.load = rng.choice((1.0, 0.5, 0.1))
        t.run(400)
    if ready == 1.0 and not retry:
        # Nothing is in the way between taking a control frame and its first word on the pins.
        for j, slow in enumerate(w.slow):
            sent = {s.first: s.data for s in b.frames[j] if s.data[:6].hex() == "0180c2000001"}
            expected = {c: data for c, (_, data) in slow.content.items() if c + 8 < b.cycle}
            assert {c: data for c, data in sent.items() if c + 8 < b.cycle} == expected
