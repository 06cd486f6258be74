# SPDX-License-Identifier: Apache-2.0
"""Bench of AxiLite: RTL against the model in every cycle, transfers at random."""

from __future__ import annotations

import random
from typing import Any

from gavel_model.axi_lite import ALL_STROBES, WORD_BYTES, AxiLite, AxiLiteAnswer, AxiLitePins
from gavel_model.config import SwitchConfig
from gavel_model.pins import NO_ACCESS
from gavel_model.register_map import (
    PORT_BASE,
    PORT_STRIDE,
    SWITCH_MAP,
    config_values,
    port_address,
)
from gavel_rtl import axi_lite
from gavel_tb.block_sim import drive, expect, number, run_block
from gavel_tb.stimulus import CheckError, derived_random

_SHARES = (0.1, 0.5, 0.9, 1.0)
_PHASE = 50
"""Cycles in which a channel is as eager as it is."""

_CHANNELS = {"aw": ("awaddr",), "w": ("wdata", "wstrb"), "ar": ("araddr",)}
_RESPONSES = {"b": ("bresp",), "r": ("rdata", "rresp")}


class Manager:
    """Drives the channels by the rules: what is valid stays, unchanged, until it is taken.

    Parameters
    ----------
    config
        The switch: most addresses are of its registers, and the others stand near them.
    rng
        Own generator.
    """

    def __init__(self, config: SwitchConfig, rng: random.Random) -> None:
        self._rng = rng
        ports = (0, config.ports - 1, config.ports)
        values = config_values(config)
        mapped = [*SWITCH_MAP.global_addresses(values), *(
            port_address(port, offset) for port in ports
            for offset in SWITCH_MAP.port_offsets(values))]
        near = [max(0, address + step) for address in mapped for step in (-1, 1, 0x800)]
        near += [port_address(0, offset) for offset in range(PORT_STRIDE)] + [PORT_BASE - 1, 0xFFFF]
        self._addresses = (mapped, mapped, near)
        self._share = dict.fromkeys((*_CHANNELS, *_RESPONSES), 1.0)
        self._offered: dict[str, dict[str, int]] = {name: {} for name in _CHANNELS}

    def drive(self, cycle: int) -> AxiLitePins:
        """Pins of the next cycle."""
        rng = self._rng
        if cycle % _PHASE == 0:
            self._share = {name: rng.choice(_SHARES) for name in self._share}
        pins: dict[str, int] = {}
        for name, offered in self._offered.items():
            if not offered and rng.random() < self._share[name]:
                offered |= {field: self._draw(field) for field in _CHANNELS[name]}
            # Without valid there may be anything.
            pins |= offered or {field: self._draw(field) for field in _CHANNELS[name]}
            pins[f"{name}valid"] = int(bool(offered))
        for name in _RESPONSES:
            pins[f"{name}ready"] = int(rng.random() < self._share[name])
        return AxiLitePins(**pins)

    def take(self, answer: AxiLiteAnswer) -> None:
        """Sees what was ready in the cycle."""
        for name, offered in self._offered.items():
            if getattr(answer, f"{name}ready"):
                offered.clear()

    def _draw(self, field: str) -> int:
        rng = self._rng
        if field == "wdata":
            return rng.getrandbits(32)
        if field == "wstrb":
            return ALL_STROBES if rng.random() < 0.8 else rng.randrange(ALL_STROBES + 1)
        address = rng.choice(rng.choice(self._addresses)) & 0xFFFF
        return address * WORD_BYTES + (rng.randrange(WORD_BYTES) if rng.random() < 0.1 else 0)


class Rules:
    """Checks what the standard asks of a subordinate, without knowing how it works."""

    def __init__(self) -> None:
        self._taken = dict.fromkeys(_CHANNELS, 0)
        self._held: dict[str, list[int]] = {}

    def check(self, cycle: int, pins: AxiLitePins, answer: AxiLiteAnswer) -> None:
        """Sees a cycle.

        Raises
        ------
        CheckError
            At a response to nothing, or one that is withdrawn or changed.
        """
        taken = self._taken
        for name, needed in (("b", min(taken["aw"], taken["w"])), ("r", taken["ar"])):
            response = [getattr(answer, field) for field in _RESPONSES[name]]
            valid = getattr(answer, f"{name}valid")
            if valid and not needed:
                raise CheckError(f"cycle {cycle}: {name}valid without a request")
            if name in self._held:
                expect(f"cycle {cycle}: {name}valid that was not taken", valid, 1)
                expect(f"cycle {cycle}: response {name} not taken", response, self._held.pop(name))
            if valid and getattr(pins, f"{name}ready"):
                for channel in ("aw", "w") if name == "b" else ("ar",):
                    taken[channel] -= 1
            elif valid:
                self._held[name] = response
        for name in _CHANNELS:
            taken[name] += getattr(pins, f"{name}valid") & getattr(answer, f"{name}ready")


def check(config: SwitchConfig, seed: int, cycles: int = 3000) -> None:
    """All that the manager sees and what is on the register port are those of the model; the
    register port answers at random.

    Raises
    ------
    CheckError
        At the first difference, or breach of the rules.
    """
    rng = derived_random(seed, "axi_lite")
    manager, rules, model = Manager(config, rng), Rules(), AxiLite(config)
    block = axi_lite.AxiLite(config)

    async def bench(ctx: Any) -> None:
        for cycle in range(cycles):
            pins, rdata = manager.drive(cycle), rng.getrandbits(32)
            drive(ctx, block.axil, pins._asdict())
            ctx.set(block.bus.rdata, rdata)
            answer, access = model.answer(rdata), model.access(pins)
            seen = AxiLiteAnswer(*(number(ctx, getattr(block.axil, name))
                                   for name in answer._fields))
            rules.check(cycle, pins, seen)
            for name, value in answer._asdict().items():
                expect(f"cycle {cycle}: {name}", getattr(seen, name), value)
            for name in ("we", "re"):
                expect(f"cycle {cycle}: {name}", ctx.get(getattr(block.bus, name)),
                       getattr(access, name))
            if access != NO_ACCESS:
                expect(f"cycle {cycle}: addr", ctx.get(block.bus.addr), access.addr)
            if access.we:
                expect(f"cycle {cycle}: wdata", ctx.get(block.bus.wdata), access.wdata)
            manager.take(seen)
            model.step(pins, rdata)
            await ctx.tick()

    run_block(block, bench)
