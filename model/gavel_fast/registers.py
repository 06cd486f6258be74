# SPDX-License-Identifier: Apache-2.0
"""The register port (docs/spec.md, Registers)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gavel_fast import credit_receiver, credit_sender, pause_receiver
from gavel_fast import llr_receiver as receiving
from gavel_fast import llr_state as sending
from gavel_fast import pause_sender as pausing
from gavel_fast.compiled import Ints, compiled
from gavel_fast.flow_control import FlowControl
from gavel_fast.ingress_buffer import IngressBuffer
from gavel_fast.llr_state import LlrTransmitter
from gavel_fast.lookup import ADDRESS, PORT, VALID, Lookup
from gavel_fast.sizes import (
    FDB_SETS,
    FDB_WAYS,
    ID_ENTRIES,
    LATENCY,
    MAX_CELLS,
    PORT_MASK,
    PORTS,
    REGISTER_STAGES,
    REPLAY_CELLS,
    REPLAY_FRAMES,
    TABLE_CYCLES,
    VCS,
    WORD_BYTES,
)
from gavel_model.config import LEAST_CF_SPACING, SwitchConfig
from gavel_model.register_map import (
    COUNTERS,
    ENTRY_PORT_MASK,
    ENTRY_VALID,
    GLOBAL_OF,
    ID_VALUE,
    LARGEST_CREDIT_SIZE,
    LEAST_OVERHEAD,
    PORT_BASE,
    PORT_STRIDE,
    SPACING_BITS,
    VERSION,
    CbfcStatus,
    CreditUnit,
    Global,
    Port,
    config_values,
    is_of_flow_control,
    reset_values,
    writable_masks,
)

COMMON = 16
"""Registers that a switch has once stand in ``common`` at their address, below this; behind them
what the port itself needs."""

ESUN_ETHERTYPE = int(Global.ESUN_ETHERTYPE)
BYPASS_LIMIT = int(Global.BYPASS_LIMIT)
_ACCESS = 16
"""The access to carry out in the cycle, as in `gavel_fast.pin_block.InputBlock`."""

_AGE = 17
_ROUTE_SHOWN = 18
_FDB_SHOWN = 19
RDATA = 20
_HELD = 21
_ANSWER = 22
"""With ``register_stages`` = 1: pins of the cycle before, and what was read in it."""

_COUNT = 23

_WE = 1 << 48
_RE = 1 << 49
_ADDRESS_MASK = 0xFFFF
_DATA_SHIFT = 16
_DATA_MASK = 0xFFFFFFFF
_PORT_SHIFT = PORT_STRIDE.bit_length() - 1

_ROUTE_INDEX = int(Global.ROUTE_INDEX)
_ROUTE_DATA = int(Global.ROUTE_DATA)
_FDB_INDEX = int(Global.FDB_INDEX)
_FDB_HI = int(Global.FDB_ADDR_HI)
_FDB_LO = int(Global.FDB_ADDR_LO)
_FDB_DATA = int(Global.FDB_DATA)
_ID = int(Global.ID)
_VERSION = int(Global.VERSION)
_VERSION_VALUE = VERSION[0] << 16 | VERSION[1] << 8 | VERSION[2]
_PORTS = int(Global.PORTS)
_DATA_WIDTH = int(Global.DATA_WIDTH)
_VCS = int(Global.VCS)
_LATENCY = int(Global.LATENCY)
_STATUS = int(Global.STATUS)
_LOW_BITS = 32

_COUNTERS = int(Port.COUNTERS)
_LLR_STATUS = int(Port.LLR_STATUS)
_CBFC_STATUS = int(Port.CBFC_STATUS)
_S_CC, _S_CF = int(Port.CBFC_S_CC), int(Port.CBFC_S_CF)
_R_CC, _R_CF = int(Port.CBFC_R_CC), int(Port.CBFC_R_CF)
_VC_CELLS = int(Port.VC_CELLS)
_STATUS_RECEIVER = 4
_STATUS_REPLAYS = 8
_WAITING, _PAUSED, _XOFF = int(CbfcStatus.WAITING), int(CbfcStatus.PAUSED), int(CbfcStatus.XOFF)

_SPACING = int(Port.LLR_SPACING)
_SPACING_MASK = (1 << SPACING_BITS) - 1
_WINDOW_FRAMES = int(Port.LLR_WINDOW_FRAMES)
_WINDOW_CELLS = int(Port.LLR_WINDOW_CELLS)
_SENDER_UNIT, _RECEIVER_UNIT = int(Port.CBFC_SENDER), int(Port.CBFC_RECEIVER)
_CF_MIN = int(Port.CBFC_CF_MIN)
_SIZE, _OVERHEAD = int(CreditUnit.SIZE), int(CreditUnit.OVERHEAD)

_TABLE_DATA = (Global.ROUTE_DATA, Global.FDB_DATA)


class Registers(NamedTuple):
    """``port`` (P, 256): registers of the ports by offset, as visible in the cycle; ``common``:
    the others. Bits that a write keeps: ``mask`` (256) by offset, ``common_mask`` (16);
    ``is_flow`` (256): the register belongs to flow control."""

    port: Ints
    common: Ints
    mask: Ints
    common_mask: Ints
    is_flow: Ints


def registers(config: SwitchConfig) -> Registers:
    """Reset values."""
    port = np.zeros((config.ports, PORT_STRIDE), np.int64)
    for number, row in enumerate(port):
        for offset, value in reset_values(config, number).items():
            row[offset] = value
    common = np.zeros(_COUNT, np.int64)
    common[ESUN_ETHERTYPE] = config.esun_ethertype
    common[BYPASS_LIMIT] = config.bypass_limit
    mask, is_flow = np.zeros(PORT_STRIDE, np.int64), np.zeros(PORT_STRIDE, np.int64)
    for offset, bits in writable_masks(config).items():
        mask[offset] = bits
        is_flow[offset] = is_of_flow_control(offset)
    common_mask = np.zeros(COMMON, np.int64)
    for address, register in GLOBAL_OF.items():
        if register.writable and address not in _TABLE_DATA:
            common_mask[address] = register.mask(config_values(config))
    return Registers(port, common, mask, common_mask, is_flow)


@compiled
def read(
    registers: Registers, counters: Ints, receiver: Ints, transmitter: LlrTransmitter,
    flow: FlowControl, buffer: IngressBuffer, sizes: Ints, now: int,
) -> None:
    """First part of a cycle: the read to carry out in it."""
    common = registers.common
    access = common[_ACCESS]
    value = 0
    if access & _RE:
        address = access & _ADDRESS_MASK
        if address < PORT_BASE:
            value = _read_common(registers, sizes, address)
        else:
            p, offset = address - PORT_BASE >> _PORT_SHIFT, address & PORT_STRIDE - 1
            if p < sizes[PORTS]:
                value = _read_port(registers, counters, receiver, transmitter, flow, buffer,
                                   sizes, now, p, offset)
    if sizes[REGISTER_STAGES]:
        common[RDATA], common[_ANSWER] = common[_ANSWER], value
    else:
        common[RDATA] = value


@compiled
def _read_common(registers: Registers, sizes: Ints, address: int) -> int:
    common = registers.common
    ready = common[_AGE] >= sizes[TABLE_CYCLES]
    value = 0
    if address == _ID:
        value = ID_VALUE
    elif address == _VERSION:
        value = _VERSION_VALUE
    elif address == _PORTS:
        value = sizes[PORTS]
    elif address == _DATA_WIDTH:
        value = 8 * sizes[WORD_BYTES]
    elif address == _VCS:
        value = sizes[VCS]
    elif address == _LATENCY:
        value = sizes[LATENCY]
    elif address == _STATUS:
        value = 1 if ready else 0
    elif address == _ROUTE_DATA:
        value = common[_ROUTE_SHOWN] if ready else 0
    elif address == _FDB_DATA:
        value = common[_FDB_SHOWN] if ready else 0
    elif address < COMMON:
        value = common[address]
    return value


@compiled
def _read_port(
    registers: Registers, counters: Ints, receiver: Ints, transmitter: LlrTransmitter,
    flow: FlowControl, buffer: IngressBuffer, sizes: Ints, now: int, p: int, offset: int,
) -> int:
    if registers.mask[offset]:
        return registers.port[p, offset]
    if _COUNTERS <= offset < _COUNTERS + COUNTERS:
        value: Any = np.int64(counters[p, offset - _COUNTERS])
        return value
    if offset == _LLR_STATUS:
        return (transmitter.state[p, sending.STATE]
                | receiver[p, receiving.STATE] << _STATUS_RECEIVER
                | transmitter.state[p, sending.REPLAYS] << _STATUS_REPLAYS)
    if offset == _CBFC_STATUS:
        paused = pause_receiver.look(flow.pauses, registers.port, sizes, now, p)
        return (flow.sender.state[p, credit_sender.WAITING] << _WAITING
                | paused << _PAUSED | flow.pause_sender[p, pausing.XOFF] << _XOFF)
    base, v = offset & ~7, offset & 7
    if v < sizes[VCS]:
        if base == _S_CC:
            return flow.sender.vc[p, v, credit_sender.CONSUMED]
        if base == _S_CF:
            return credit_sender.freed(flow.sender, p, v)
        if base == _R_CC:
            return flow.receiver.vc[p, v, credit_receiver.CONSUMED]
        if base == _R_CF:
            return credit_receiver.freed(flow.receiver, p, v)
        if base == _VC_CELLS:
            return buffer.vc_cells[p, v]
    return 0


@compiled
def write(
    registers: Registers, tables: Lookup, flow: FlowControl, sizes: Ints, access: int
) -> None:
    """Last part of a cycle: the write to carry out in it; ``access`` are the pins of this cycle."""
    common = registers.common
    # ROUTE_DATA and FDB_DATA show what their entry held one cycle earlier.
    common[_ROUTE_SHOWN] = _shown(tables.direct, sizes[ID_ENTRIES], common[_ROUTE_INDEX])
    common[_FDB_SHOWN] = _shown(tables.hashed, sizes[FDB_SETS] * sizes[FDB_WAYS],
                                common[_FDB_INDEX])
    before = common[_ACCESS]
    if before & _WE:
        address, value = before & _ADDRESS_MASK, before >> _DATA_SHIFT & _DATA_MASK
        if address == _ROUTE_DATA or address == _FDB_DATA:
            if common[_AGE] >= sizes[TABLE_CYCLES]:
                _write_entry(registers, tables, sizes, address, value)
        elif address < COMMON:
            if registers.common_mask[address]:
                common[address] = value & registers.common_mask[address]
        elif address >= PORT_BASE:
            p, offset = address - PORT_BASE >> _PORT_SHIFT, address & PORT_STRIDE - 1
            if p < sizes[PORTS] and registers.mask[offset]:
                registers.port[p, offset] = _kept(registers, sizes, offset, value)
                if registers.is_flow[offset]:
                    flow.configured[p] = 1
    common[_AGE] += 1
    if sizes[REGISTER_STAGES]:
        common[_ACCESS], common[_HELD] = common[_HELD], access
    else:
        common[_ACCESS] = access


@compiled
def _shown(table: Ints, entries: int, index: int) -> int:
    if index >= entries:
        return 0
    return (ENTRY_VALID if table[index, VALID] else 0) | table[index, PORT]


@compiled
def _write_entry(
    registers: Registers, tables: Lookup, sizes: Ints, address: int, value: int
) -> None:
    common = registers.common
    port = value & ENTRY_PORT_MASK
    valid = 1 if value & ENTRY_VALID and port < sizes[PORTS] else 0
    port &= sizes[PORT_MASK]
    if address == _ROUTE_DATA:
        index = common[_ROUTE_INDEX]
        if index < sizes[ID_ENTRIES]:
            tables.direct[index, VALID] = valid
            tables.direct[index, PORT] = port
        return
    index = common[_FDB_INDEX]
    if index < sizes[FDB_SETS] * sizes[FDB_WAYS]:
        tables.hashed[index, VALID] = valid
        tables.hashed[index, PORT] = port
        tables.hashed[index, ADDRESS] = common[_FDB_HI] << _LOW_BITS | common[_FDB_LO]


@compiled
def _kept(registers: Registers, sizes: Ints, offset: int, value: int) -> int:
    """What a write leaves in a register of a port."""
    value &= registers.mask[offset]
    if offset == _SPACING:
        spacing = value & _SPACING_MASK
        return min(value >> SPACING_BITS, spacing) << SPACING_BITS | spacing
    if offset == _WINDOW_FRAMES:
        return min(max(value, 1), sizes[REPLAY_FRAMES])
    if offset == _WINDOW_CELLS:
        return min(max(value, sizes[MAX_CELLS]), sizes[REPLAY_CELLS])
    if offset == _CF_MIN:
        return max(value, LEAST_CF_SPACING)
    if offset == _SENDER_UNIT or offset == _RECEIVER_UNIT:
        size = min(value >> _SIZE & 7, LARGEST_CREDIT_SIZE)
        overhead = value >> _OVERHEAD & 0xFF
        if overhead & 0x80:
            overhead = max(overhead - 0x100, LEAST_OVERHEAD) & 0xFF
        return size << _SIZE | overhead << _OVERHEAD
    return value
