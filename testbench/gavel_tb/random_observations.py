# SPDX-License-Identifier: Apache-2.0
"""Observations of a port at random, for the benches of the blocks of telemetry."""

from __future__ import annotations

import random
from typing import Any

from gavel_model.config import SwitchConfig
from gavel_model.observation import Observation
from gavel_model.register_map import COUNTERS, CREDIT_BITS, Counter
from gavel_rtl.retry_state import TransmitterState

_PHASE = 25
"""Cycles in which everything is as likely as it is."""

_SHARES = (0.01, 0.1, 0.5, 0.95)
_RARE = (0.01, 0.02, 0.1, 0.7)
_OFTEN = tuple(1 - share for share in _RARE)
_SHARES_OF = {
    "up": _OFTEN, "shown": _OFTEN,
    **dict.fromkeys(("sending", "claim", "hold", "paused", "no_credit", "stopped"), _RARE),
}
"""Where a VC must be free of many hindrances to come into the later states."""

_STATES = tuple(state.value for state in TransmitterState.__members__.values())
_BYTES = 1 << Counter.RX_BYTES | 1 << Counter.TX_BYTES


class RandomObservations:
    """A stream of them; what they say of frames is not what a switch would do.

    Parameters
    ----------
    config
        Widths.
    rng
        Decides everything.
    """

    def __init__(self, config: SwitchConfig, rng: random.Random) -> None:
        self._config, self._rng = config, rng
        self._cycle = 0
        self._shares: dict[str, float] = {}
        self._state = _STATES[0]

    def next(self) -> Observation:
        """What is observed in the next cycle."""
        rng, config = self._rng, self._config
        if self._cycle % _PHASE == 0:
            self._shares = {}
        self._cycle += 1
        if self._happens("state"):
            self._state = rng.choice(_STATES)
        cells = rng.choice((0, 1, config.buffer_cells, rng.randint(0, config.buffer_cells)))
        return Observation(
            count=self._mask("count", COUNTERS) & ~_BYTES,
            rx_bytes=self._happens("rx") and rng.randint(1, config.max_frame_bytes),
            tx_bytes=self._happens("tx") and rng.randint(1, config.word_bytes),
            up=self._happens("up"), state=self._state,
            filed=self._happens("filed"), filed_voq=rng.randrange(config.voqs),
            filed_cells=rng.randint(1, config.max_frame_cells),
            filed_length=rng.randint(1, config.max_frame_bytes),
            dropped=self._happens("dropped"), dropped_vc=rng.randrange(config.vcs),
            opened=self._happens("opened"), opened_voq=rng.randrange(config.voqs),
            opened_cells=rng.randint(1, config.max_frame_cells),
            sent=self._happens("sent"), sent_vc=rng.randrange(config.vcs),
            sent_length=rng.randint(1, config.max_frame_bytes),
            cells=cells,
            vc_cells=tuple(rng.randint(0, config.buffer_cells) for _ in range(config.vcs)),
            credits_used=tuple(rng.getrandbits(CREDIT_BITS) for _ in range(config.vcs)),
            claim=self._happens("claim"), hold=self._happens("hold"),
            **{name: self._mask(name, config.vcs) for name in (
                "shown", "startable", "sending", "paused", "no_credit", "stopped")},
        )

    def _share(self, name: str) -> float:
        return self._shares.setdefault(name, self._rng.choice(_SHARES_OF.get(name, _SHARES)))

    def _happens(self, name: str) -> int:
        return int(self._rng.random() < self._share(name))

    def _mask(self, name: str, bits: int) -> int:
        share = self._share(name)
        return sum((self._rng.random() < share) << bit for bit in range(bits))


def drive_observation(ctx: Any, interface: Any, seen: Observation) -> None:
    """Sets the members of an interface of `gavel_rtl.telemetry_interfaces.Observation`."""
    for name, value in seen._asdict().items():
        member = getattr(interface, name)
        if isinstance(value, tuple):
            for element, part in zip(member, value, strict=True):
                ctx.set(element, part)
        else:
            ctx.set(member, TransmitterState(value) if name == "state" else value)
