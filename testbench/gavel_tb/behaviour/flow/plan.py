# SPDX-License-Identifier: Apache-2.0
"""What the two ends of a port's link are told, and the register writes that tell the switch."""

from __future__ import annotations

from dataclasses import dataclass

from gavel_model.config import CELL_BYTES, SwitchConfig
from gavel_model.register_map import (
    CBFC_CONTROL_RESET,
    SPACING_BITS,
    CbfcControl,
    CreditUnit,
    PfcControl,
    Port,
    mac_address_reset,
)
from gavel_tb.behaviour.switches import MIN_SPACING, SPACING
from gavel_tb.flow_options import CREDIT_SIZES
from gavel_tb.partner.flow_settings import BufferLimits, CreditSize, FlowSettings

Write = tuple[int, int]
"""Offset of a register of a port, and its value."""

_PARTNER_ADDRESS = 0x0100
_OVERHEAD_MASK = 0xFF
_PARTNER_CYCLES = 3


@dataclass(frozen=True, kw_only=True)
class EndPlan:
    """A port and what stands at it.

    Attributes
    ----------
    flow
        What the switch is told; ``own`` is its buffer.
    sender, receiver
        VCs with credits in either direction; None: those of ``flow``.
    partner
        A link partner stands there; without it the script itself plays the peer.
    theirs
        What the partner is told; None: the same as the switch, seen from the other end.
    llr
        Link-level retry is on.
    protect
        Check bytes in ordered sets.
    delay
        Cycles in each direction.
    resync
        Credits are agreed anew by themselves.
    watched
        The rules of the switch's end are checked from outside.
    """

    flow: FlowSettings
    sender: int | None = None
    receiver: int | None = None
    partner: bool = False
    theirs: FlowSettings | None = None
    llr: bool = False
    protect: bool = True
    delay: int = 10
    resync: bool = True
    watched: bool = True

    @property
    def senders(self) -> int:
        """Mask of the VCs on which the switch needs credits to send."""
        return self.flow.credited if self.sender is None else self.sender

    @property
    def receivers(self) -> int:
        """Mask of the VCs on which the switch gives credits."""
        return self.flow.credited if self.receiver is None else self.receiver

    @property
    def partner_flow(self) -> FlowSettings:
        """What the partner is told."""
        address = self.flow.address | _PARTNER_ADDRESS
        return self.theirs or self.flow.other_end(address)


def limits(config: SwitchConfig, credits_each: int, unit: CreditSize | None = None,
           total: int = 0) -> BufferLimits:
    """The same limit for each VC."""
    return BufferLimits(unit=unit or CreditSize(), per_vc=(credits_each,) * config.vcs, total=total)


def line_rate_credits(config: SwitchConfig, loop: int, frame_bytes: int) -> int:
    """Native credits that the switch needs for line rate with frames of a length, by
    docs/flow_control.md, Sizes; ``loop`` in cycles, from a frame's end to its CF_Update."""
    more = {64: 0, 128: 0, 256: 1, 512: 3}[config.data_width]
    needed = (config.word_bytes * (loop + 10) + config.cf_min_spacing + frame_bytes
              + CELL_BYTES * (1 + more) * config.max_frame_cells)
    return -(-needed // CELL_BYTES)


def partner_loop(config: SwitchConfig, delay: int, frame_bytes: int) -> int:
    """Cycles from a frame's end to its CF_Update with a partner that reads at line rate."""
    return 2 * delay + -(-frame_bytes // config.word_bytes) + _PARTNER_CYCLES


def agreement(config: SwitchConfig, port: int, **settings: object) -> FlowSettings:
    """Flow control of a port with an equal share of the ingress buffer for each VC, and as much at
    the peer, but for what is given (attributes of `FlowSettings`)."""
    share = limits(config, config.buffer_cells // config.vcs)
    told: dict[str, object] = {
        "vcs": config.vcs, "own": share, "peer": share, "cf_min": config.cf_min_spacing,
        "cf_max": config.cf_max_spacing, "cc_period": config.cc_period,
        "address": mac_address_reset(port),
    }
    return FlowSettings(**{**told, **settings})  # type: ignore[arg-type]  # plain data


def unit_bits(unit: CreditSize) -> int:
    """A credit as ``CBFC_SENDER`` and ``CBFC_RECEIVER`` hold it."""
    return (CREDIT_SIZES.index(unit.size) << CreditUnit.SIZE
            | (unit.overhead & _OVERHEAD_MASK) << CreditUnit.OVERHEAD)


def cbfc_control(plan: EndPlan, *, sender: int, receiver: int) -> int:
    """Value of ``CBFC_CONTROL`` with these masks."""
    rest = CBFC_CONTROL_RESET if plan.resync else 0
    return (rest | bool(plan.flow.peer.total) << CbfcControl.TOTAL
            | sender << CbfcControl.SENDER | receiver << CbfcControl.RECEIVER)


def pfc_control(flow: FlowSettings) -> int:
    """Value of ``PFC_CONTROL``."""
    return flow.pause_receive << PfcControl.RECEIVE | flow.pause_send << PfcControl.TRANSMIT


def flow_writes(config: SwitchConfig, plan: EndPlan) -> list[Write]:
    """What differs from the reset values, in the order of bringing up."""
    flow = plan.flow
    every = range(config.vcs)
    share = config.buffer_cells // config.vcs
    idle = cbfc_control(plan, sender=0, receiver=0)
    receiving = cbfc_control(plan, sender=0, receiver=plan.receivers)
    wanted = [
        (Port.CBFC_CONTROL, idle, CBFC_CONTROL_RESET),
        (Port.CBFC_SENDER, unit_bits(flow.peer.unit), unit_bits(CreditSize())),
        (Port.CBFC_RECEIVER, unit_bits(flow.own.unit), unit_bits(CreditSize())),
        (Port.CBFC_TOTAL_LIMIT, flow.peer.total or config.buffer_cells, config.buffer_cells),
        (Port.CBFC_CF_MIN, flow.cf_min, config.cf_min_spacing),
        (Port.CBFC_CF_MAX, flow.cf_max, config.cf_max_spacing),
        (Port.CBFC_CC_PERIOD, flow.cc_period, config.cc_period),
        *((Port.CBFC_LIMIT + vc, flow.peer.per_vc[vc], share) for vc in every),
        (Port.PFC_XOFF, min(flow.xoff, config.buffer_cells // 4), config.buffer_cells // 4),
        (Port.PFC_XON, min(flow.xon, config.buffer_cells // 8), config.buffer_cells // 8),
        (Port.PFC_TIME, flow.pause_time, 0xFFFF),
        (Port.PFC_CONTROL, pfc_control(flow), 0),
        (Port.CBFC_CONTROL, receiving, idle),
        (Port.CBFC_CONTROL, cbfc_control(plan, sender=plan.senders, receiver=plan.receivers),
         receiving),
    ]
    return [(offset, value) for offset, value, reset in wanted if value != reset]


def llr_writes(control: int, timer: int, replay_count: int) -> list[Write]:
    """Settings of link-level retry; ``timer`` in cycles."""
    return [
        (Port.LLR_REPLAY_TIMER, timer),
        (Port.LLR_REPLAY_COUNT, replay_count),
        (Port.LLR_SPACING, MIN_SPACING << SPACING_BITS | SPACING),
        (Port.LLR_CONTROL, control),
    ]
