# SPDX-License-Identifier: Apache-2.0
"""Probe points from the arrays (docs/spec.md, Probe points)."""

from __future__ import annotations

from collections.abc import Iterable

from gavel_fast import credit_receiver, credit_sender, ingress_buffer, replay_buffer
from gavel_fast import llr_receiver as receiving
from gavel_fast import llr_state as sending
from gavel_fast import pause_sender as pausing
from gavel_fast import scheduler as matching
from gavel_fast.state import SwitchState
from gavel_model.config import SwitchConfig
from gavel_model.probes import CREDIT_RX_BITS, CREDIT_TX_BITS, PAUSE_BITS, QUOTA_BITS
from gavel_model.register_map import COUNTER_BITS, CREDIT_BITS

_STATE_BITS = 2
_TX_STATE_BITS = 3
_SEQ_BITS = 20


def packed(elements: Iterable[int], bits: int) -> int:
    """Elements of equal width as one number, element 0 in the low bits."""
    value = 0
    for place, element in enumerate(elements):
        value |= (int(element) & (1 << bits) - 1) << place * bits
    return value


def probe_values(config: SwitchConfig, state: SwitchState) -> list[int]:
    """Values of `gavel_model.probes.probe_points`, in its order."""
    values: list[int] = []
    for port in range(config.ports):
        values += _port_values(config, state, port)
    ports = config.ports
    scheduler = state.scheduler
    grant = scheduler.output[:, matching.GRANT]
    values += (
        packed((_thermometer(ports, pointer) for pointer in grant), ports),
        packed((_thermometer(ports, pointer) for pointer in scheduler.accept), ports),
        packed(scheduler.turn.flat, ports),
        packed(scheduler.output[:, matching.CATCH_UP], ports),
        packed(scheduler.quota.flat, QUOTA_BITS),
    )
    return values


def _port_values(config: SwitchConfig, state: SwitchState, p: int) -> list[int]:
    buffer, flow, receiver = state.ingress_buffer, state.flow_control, state.llr_receiver
    transmitter = state.llr_transmitter
    window = [int(transmitter.state[p, field])
              for field in (sending.OLDEST, sending.NEXT, sending.SEND)]
    used = int(transmitter.buffer.state[p, replay_buffer.USED])
    sender = flow.sender
    waiting = int(sender.state[p, credit_sender.WAITING])
    paused = int(flow.paused[p])
    xoff = int(flow.pause_sender[p, pausing.XOFF])
    channels = range(config.vcs)
    return [
        packed(buffer.voq[p, :, ingress_buffer.VOQ_FRAMES], config.count_bits),
        int(buffer.state[p, ingress_buffer.FREE]),
        packed(state.counters[p], COUNTER_BITS),
        int(receiver[p, receiving.STATE]) | int(receiver[p, receiving.NEXT_RX]) << _STATE_BITS,
        int(transmitter.state[p, sending.STATE])
        | (packed(window, _SEQ_BITS) | used << 3 * _SEQ_BITS) << _TX_STATE_BITS,
        packed((int(sender.vc[p, v, credit_sender.CONSUMED])
                | int(sender.vc[p, v, credit_sender.USED]) << CREDIT_BITS
                | (waiting >> v & 1) << 2 * CREDIT_BITS for v in channels), CREDIT_TX_BITS),
        packed((int(flow.receiver.vc[p, v, credit_receiver.CONSUMED])
                | int(flow.receiver.vc[p, v, credit_receiver.STORED]) << CREDIT_BITS
                for v in channels), CREDIT_RX_BITS),
        packed(buffer.vc_cells[p], config.count_bits),
        packed((paused >> v & 1 | (xoff >> v & 1) << 1 for v in channels), PAUSE_BITS),
    ]


def _thermometer(ports: int, pointer: int) -> int:
    """Bits from the pointer on; 0 for pointer 0."""
    return (1 << ports) - (1 << int(pointer)) if pointer else 0
