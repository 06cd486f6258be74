# SPDX-License-Identifier: Apache-2.0
"""Credits and pauses of the ports (docs/flow_control.md)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gavel_fast import (
    credit_receiver,
    credit_sender,
    mac_control_transmitter,
    pause_receiver,
    pause_sender,
)
from gavel_fast import llr_state as sending
from gavel_fast.compiled import Ints, compiled
from gavel_fast.credit_receiver import CreditReceiver
from gavel_fast.credit_sender import WAITING, CreditSender
from gavel_fast.ingress_buffer import (
    END,
    END_LENGTH,
    END_VC,
    FILED,
    NOTHING,
    IngressBuffer,
)
from gavel_fast.llr_state import LlrTransmitter
from gavel_fast.mac_control_transmitter import PAUSE, TAKEN, MacControlTransmitter
from gavel_fast.pause_receiver import PauseReceiver
from gavel_fast.sizes import GATE_STAGES, PORTS, VCS
from gavel_fast.transfer import DRAINED_CELLS, DRAINED_LENGTH, DRAINED_VC
from gavel_model.config import SwitchConfig
from gavel_model.register_map import CbfcControl, Port, VcControl

_CBFC_CONTROL = int(Port.CBFC_CONTROL)
_RESYNC = int(CbfcControl.RESYNC)
_VC_CONTROL = int(Port.VC_CONTROL)
_STOP = int(VcControl.STOP)
_RX_VC_LIMIT = int(Port.RX_VC_LIMIT)


class FlowControl(NamedTuple):
    """``configured`` (P): a setting has been written since reset. Before that no VC has credits or
    pauses, and no step is needed, but with ``gate_stages`` > 0, where what comes counts later.
    ``allow_after`` (P): with ``gate_stages`` = 2 ``allow`` of the next cycle. ``paused`` (P): VCs
    that the peer pauses, in the cycle and after a block of cycles in the next."""

    configured: Ints
    allow_after: Ints
    paused: Ints
    sender: CreditSender
    receiver: CreditReceiver
    pauses: PauseReceiver
    pause_sender: Ints
    transmitter: MacControlTransmitter


def flow_control(config: SwitchConfig, registers: Ints) -> FlowControl:
    """Reset values, given those of the registers."""
    return FlowControl(
        np.full(config.ports, config.gate_stages, np.int64),
        np.full(config.ports, (1 << config.vcs) - 1, np.int64), np.zeros(config.ports, np.int64),
        credit_sender.credit_sender(config, registers), credit_receiver.credit_receiver(config),
        pause_receiver.pause_receiver(config), pause_sender.pause_sender(config),
        mac_control_transmitter.mac_control_transmitter(config),
    )


@compiled
def permit(flow: FlowControl, allow: Ints, registers: Ints, sizes: Ints, now: int) -> int:
    """First part of a cycle: ``allow`` of all outputs, unless it is made one cycle before; returns
    those that control frames claim."""
    claimed = 0
    for p in range(sizes[PORTS]):
        if not flow.configured[p]:
            continue
        flow.paused[p] = pause_receiver.look(flow.pauses, registers, sizes, now, p)
        if not sizes[GATE_STAGES]:
            allow[p] = _allowed(flow, registers, sizes, now, p)
        if mac_control_transmitter.claims(flow.transmitter, flow.pause_sender, now, p):
            claimed |= 1 << p
    return claimed


@compiled
def _allowed(flow: FlowControl, registers: Ints, sizes: Ints, now: int, p: int) -> int:
    """VCs that may send by what is visible in the cycle."""
    fits = credit_sender.fits(flow.sender, registers, sizes, now, p)
    on = credit_sender.senders(registers, p)
    ready = ~on | fits & ~flow.sender.state[p, WAITING]
    stop = registers[p, _VC_CONTROL] >> _STOP & 0xFF
    return (1 << sizes[VCS]) - 1 & ready & ~(stop | flow.paused[p])


@compiled
def look(flow: FlowControl, registers: Ints, sizes: Ints, now: int) -> None:
    """Notes what is visible in the cycle after a block of cycles."""
    for p in range(sizes[PORTS]):
        flow.paused[p] = pause_receiver.look(flow.pauses, registers, sizes, now, p)


@compiled
def take_control_frames(
    flow: FlowControl, counters: Ints, sizes: Ints, now: int, outputs: int
) -> int:
    """Outputs that are free but for a control frame that is wanted; returns those that take
    one. With ``gate_stages`` > 0 none that was matched in the cycle before does."""
    taken = 0
    for p in range(sizes[PORTS]):
        if sizes[GATE_STAGES] and credit_sender.matched_before(flow.sender, now, p):
            continue
        if outputs >> p & 1 and mac_control_transmitter.take(
            flow.transmitter, flow.pause_sender, counters, sizes, now, p
        ):
            taken |= 1 << p
    return taken


@compiled
def step(
    flow: FlowControl, buffer: IngressBuffer, transmitter: LlrTransmitter, allow: Ints,
    registers: Ints, counters: Ints, sizes: Ints, now: int, loaded: int,
) -> None:
    """The work of a cycle on what is visible in it; ``loaded`` are the ports that load a
    CF_Update."""
    for p in range(sizes[PORTS]):
        if not flow.configured[p]:
            continue
        if sizes[GATE_STAGES]:
            allowed = _allowed(flow, registers, sizes, now, p)
            if sizes[GATE_STAGES] > 1:
                allow[p] = flow.allow_after[p]
                flow.allow_after[p] = allowed
            else:
                allow[p] = allowed
        advances = bool(transmitter.state[p, sending.ADVANCE_AT] == now
                        and registers[p, _CBFC_CONTROL] >> _RESYNC & 1)
        buffer.full[p] = 0
        for v in range(sizes[VCS]):
            if buffer.vc_cells[p, v] >= registers[p, _RX_VC_LIMIT + v]:
                buffer.full[p] |= 1 << v
        credit_receiver.step(flow.receiver, registers, counters, sizes, buffer.vc_cells, now, p,
                             bool(loaded >> p & 1))
        credit_sender.step(flow.sender, registers, counters, sizes, now, p, advances)
        pause_receiver.step(flow.pauses, registers, counters, sizes, p)
        taken = flow.transmitter.state[p, TAKEN] == PAUSE
        pause_sender.step(flow.pause_sender, registers, sizes, buffer.vc_cells, now, p, taken)
        mac_control_transmitter.step(flow.transmitter, registers, p, advances)


@compiled
def account(
    flow: FlowControl, buffer: IngressBuffer, drained: Ints, registers: Ints, sizes: Ints, now: int
) -> None:
    """What frames that ended, or were read to their end, in the cycle before cost and free."""
    half = (now - 1) & 1
    ended = buffer.ended
    for p in range(sizes[PORTS]):
        if ended[half, p, END] != NOTHING:
            credit_receiver.count(flow.receiver, registers, p, ended[half, p, END_VC],
                                  ended[half, p, END_LENGTH], ended[half, p, END] == FILED)
        v = drained[half, p, DRAINED_VC]
        if v >= 0:
            buffer.vc_cells[p, v] -= drained[half, p, DRAINED_CELLS]
            credit_receiver.free(flow.receiver, registers, p, v, drained[half, p, DRAINED_LENGTH])
            drained[half, p, DRAINED_VC] = -1
