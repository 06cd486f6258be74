# SPDX-License-Identifier: Apache-2.0
"""One cycle of a switch: the blocks in the order in which it needs them."""

from __future__ import annotations

from gavel_fast import (
    control_transmitter,
    egress,
    flow_control,
    ingress_buffer,
    link_rx,
    link_tx,
    llr_transmitter,
    mac_control_receiver,
    mac_control_transmitter,
    port,
    registers,
    replay_buffer,
    requests,
    scheduler,
    transfer,
)
from gavel_fast import credit_sender as crediting
from gavel_fast.bits import lowest
from gavel_fast.compiled import compiled
from gavel_fast.pin_block import InputBlock, OutputBlock
from gavel_fast.scheduler import MATCHED_OUTPUT, MATCHED_VC
from gavel_fast.sizes import MATCH_STAGES, PORTS
from gavel_fast.state import SwitchState
from gavel_fast.transfer import BUSY_INPUTS, BUSY_OUTPUTS, OPENING


@compiled
def show(state: SwitchState, outputs: OutputBlock, row: int) -> None:
    """First part of a cycle: writes what its pins show."""
    tx = outputs.tx
    outputs.rdata[row] = state.registers.common[registers.RDATA]
    link_tx.show(state.link_tx, state.registers.port, state.sizes, tx.flags, tx.seq, tx.ctl,
                 tx.data, row)


@compiled
def look(state: SwitchState) -> None:
    """After a block of cycles: notes what probe points need beside the state."""
    flow_control.look(state.flow_control, state.registers.port, state.sizes, state.time[0])


@compiled
def step(state: SwitchState, inputs: InputBlock, row: int) -> None:
    """The rest of it. What a block is given is what is visible in the cycle, unless it says so."""
    sizes, counters = state.sizes, state.counters
    settings = state.registers.port
    now = state.time[0]
    flow, buffer = state.flow_control, state.ingress_buffer
    registers.read(state.registers, counters, state.llr_receiver, state.llr_transmitter, flow,
                   buffer, sizes, now)
    claimed = flow_control.permit(flow, state.scheduler.allow, settings, sizes, now)
    mac_control_transmitter.build(flow.transmitter, flow.sender, flow.pause_sender, settings,
                                  sizes, now)
    init_waiting, loaded = control_transmitter.step(
        state.control_transmitter, state.link_tx, state.llr_receiver, state.llr_transmitter,
        flow.receiver, settings, counters, sizes, now, inputs.ctl_ready[row])

    # What comes in. Frames are filed at the end of the cycle, and cells are allocated before this
    # cycle's reads free any.
    ingress_buffer.write(buffer, state.link_rx, state.frames, settings, counters, sizes, now)
    mac_control_receiver.receive(buffer, state.frames, flow.receiver, flow.pauses, counters, sizes,
                                 now)
    port.decide(state.link_rx, state.frames, state.llr_receiver, state.llr_transmitter,
                flow.sender, state.lookup, settings, counters, sizes, now,
                state.registers.common[registers.ESUN_ETHERTYPE])
    rx = inputs.rx
    link_rx.step(state.link_rx, state.frames, settings, counters, sizes, now, rx.flags, rx.seq,
                 rx.ctl, rx.data, row)

    # What goes through.
    transfer.open_transfers(state.transfers, buffer, settings, sizes)
    transfer.read(state.transfers, buffer, state.crossbar, sizes, now)
    _match(state, now, claimed)

    # What goes out.
    egress.count(state.crossbar, flow.sender, settings, counters, sizes, now)
    mac_control_transmitter.send(flow.transmitter, state.crossbar, sizes, now)
    llr_transmitter.step(state.llr_transmitter, state.link_tx, state.link_rx, state.crossbar,
                         settings, counters, sizes, now, inputs.ready[row], init_waiting)

    flow_control.step(flow, buffer, state.llr_transmitter, state.scheduler.allow, settings,
                      counters, sizes, now, loaded)
    flow_control.account(flow, buffer, state.transfers.drained, settings, sizes, now)
    ingress_buffer.file(buffer, state.scheduler, sizes, now)
    state.time[0] = now + 1
    registers.write(state.registers, state.lookup, flow, sizes, inputs.register[row])


@compiled
def _match(state: SwitchState, now: int, claimed: int) -> None:
    """Control frames take free outputs that they claim; `Scheduler` matches the others."""
    sizes, settings = state.sizes, state.registers.port
    sets, flow = state.transfers.sets, state.flow_control
    replay = state.llr_transmitter.buffer
    late = sizes[MATCH_STAGES]
    everyone = -1 if sizes[PORTS] == 64 else (1 << sizes[PORTS]) - 1
    free_inputs, free_outputs = everyone & ~sets[BUSY_INPUTS], everyone & ~sets[BUSY_OUTPUTS]
    held = 0
    for j in range(sizes[PORTS]):
        if (late or free_outputs >> j & 1) and llr_transmitter.holding(
            state.llr_transmitter, settings, sizes, j
        ):
            held |= 1 << j
    taking = claimed & state.requests.common[requests.CLAIMED] if late else claimed
    if taking:
        rest = flow_control.take_control_frames(flow, state.counters, sizes, now,
                                                free_outputs & taking & ~held)
        while rest:
            replay_buffer.matched(replay, sizes, lowest(rest))
            rest &= rest - 1
    bypass_limit = state.registers.common[registers.BYPASS_LIMIT]
    if late:
        matched = requests.step(state.requests, state.scheduler, settings, sizes, bypass_limit,
                                free_inputs, free_outputs, held | claimed, claimed)
    else:
        matched = scheduler.step(state.scheduler, settings, sizes, bypass_limit, free_inputs,
                                 free_outputs & ~(held | claimed), 0)
    sets[OPENING] = matched
    sets[BUSY_INPUTS] |= matched
    while matched:
        i = lowest(matched)
        matched &= matched - 1
        j = state.scheduler.match[i, MATCHED_OUTPUT]
        v = state.scheduler.match[i, MATCHED_VC]
        sets[BUSY_OUTPUTS] |= 1 << j
        state.transfers.state[i, transfer.CELL] = ingress_buffer.take(
            state.ingress_buffer, state.scheduler, sizes, i, j, v)
        replay_buffer.matched(replay, sizes, j)
        crediting.matched(flow.sender, settings, now, j, v)
