# SPDX-License-Identifier: Apache-2.0
"""All state of a switch: the blocks' arrays in one tree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from gavel_fast.compiled import Ints
from gavel_fast.control_transmitter import control_transmitter
from gavel_fast.crossbar import Crossbar, crossbar
from gavel_fast.egress import edits
from gavel_fast.flow_control import FlowControl, flow_control
from gavel_fast.ingress_buffer import IngressBuffer, ingress_buffer
from gavel_fast.link_rx import LinkRx, link_rx
from gavel_fast.link_tx import LinkTx, link_tx
from gavel_fast.llr_receiver import FIELDS
from gavel_fast.llr_state import LlrTransmitter, llr_transmitter
from gavel_fast.lookup import Lookup, lookup
from gavel_fast.received_frame import ReceivedFrames, received_frames
from gavel_fast.registers import Registers, registers
from gavel_fast.requests import Requests, requests
from gavel_fast.scheduler import Scheduler, scheduler
from gavel_fast.sizes import sizes
from gavel_fast.transfer import Transfers, transfers
from gavel_model.config import SwitchConfig
from gavel_model.register_map import COUNTERS

_MEMORY = "memory"
"""Name of the arrays that are memories: a reset leaves them as they are."""


class SwitchState(NamedTuple):
    """``sizes`` do not change; ``time`` (1): cycles since reset; ``counters`` (P, 55) wrap;
    ``llr_receiver`` and ``control_transmitter`` (P, fields); the others are blocks."""

    sizes: Ints
    time: Ints
    counters: np.ndarray[tuple[int, int], np.dtype[np.uint32]]
    link_rx: LinkRx
    frames: ReceivedFrames
    llr_receiver: Ints
    lookup: Lookup
    ingress_buffer: IngressBuffer
    scheduler: Scheduler
    requests: Requests
    transfers: Transfers
    crossbar: Crossbar
    llr_transmitter: LlrTransmitter
    control_transmitter: Ints
    link_tx: LinkTx
    flow_control: FlowControl
    registers: Registers


def switch_state(config: SwitchConfig) -> SwitchState:
    """Reset values."""
    settings, matching = registers(config), scheduler(config)
    return SwitchState(
        sizes(config), np.zeros(1, np.int64), np.zeros((config.ports, COUNTERS), np.uint32),
        link_rx(config), received_frames(config), np.zeros((config.ports, FIELDS), np.int64),
        lookup(config), ingress_buffer(config), matching, requests(config, matching),
        transfers(config, edits(config)), crossbar(config), llr_transmitter(config),
        control_transmitter(config), link_tx(config), flow_control(config, settings.port), settings,
    )


def registers_of(state: Any) -> Iterator[Any]:
    """The arrays of a tree of blocks that a reset gives their reset values."""
    for name, item in zip(state._fields, state, strict=True):
        if isinstance(item, np.ndarray):
            if name != _MEMORY:
                yield item
        else:
            yield from registers_of(item)
