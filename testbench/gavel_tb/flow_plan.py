# SPDX-License-Identifier: Apache-2.0
"""What follows from a run's flow control: room for each VC, both ends' settings, registers."""

from __future__ import annotations

from fractions import Fraction

from gavel_model.config import MIN_FRAME_BYTES, SwitchConfig
from gavel_model.register_map import (
    CBFC_CONTROL_RESET,
    QUANTUM_BITS,
    CbfcControl,
    CreditUnit,
    PfcControl,
    Port,
    VcControl,
    mac_address_reset,
)
from gavel_tb.flow_options import CREDIT_SIZES, FlowOptions, number_list
from gavel_tb.link_errors import LinkOptions
from gavel_tb.partner.flow_settings import BufferLimits, CreditSize, FlowSettings, cells_of

_PARTNER_ADDRESS = 0x0100
_LARGEST_SPACINGS = 8
_WORDS_UNDER_WAY = 16
_PFC_CYCLES = 24
_LONGEST_TIME = 0xFFFF


class FlowPlan:
    """Flow control of a run.

    The VCs without loss share the switch's ingress buffers; best-effort VCs have room for two
    longest frames above their limit (docs/flow_control.md, IngressBuffer). A partner's buffer is
    as large as the switch's share, and has room for two longest frames in any case.

    Parameters
    ----------
    config
        The switch.
    options
        What the user says.
    links
        What each direction of each link does.
    longest_bytes
        Longest frame of the run.
    errors_free
        Links lose nothing, and transmit pins are always ready.

    Attributes
    ----------
    best_effort, lossless
        Masks of VCs.
    lossless_cells
        Cells of an ingress buffer for all VCs without loss.
    held_back
        VCs whose frames must be held back at the source: nothing else keeps the buffer from
        overflowing.

    Raises
    ------
    ValueError
        Names the parameter that leaves too little room, and what it must be.
    """

    def __init__(
        self, config: SwitchConfig, options: FlowOptions, links: LinkOptions, longest_bytes: int,
        *, errors_free: bool,
    ) -> None:
        self._config = config
        self._options = options
        named = number_list("best_effort", options.best_effort, config.vcs)
        self.best_effort = sum(1 << vc for vc in named)
        self.lossless = (1 << config.vcs) - 1 & ~self.best_effort
        if not self.lossless:
            raise ValueError(f"best_effort = {options.best_effort!r}: must leave a VC without loss")
        self._unit = CreditSize(options.credit_size, options.credit_overhead)
        frame = config.max_frame_cells
        self._best_effort_cells = frame
        kept = len(named) * 3 * frame + (frame if named else 0)
        self.lossless_cells = config.buffer_cells - kept
        channels = 1 if options.total_credits else self.lossless.bit_count()
        self._share = self.lossless_cells // channels
        dense = max(Fraction(cells_of(n), self._unit.credits(n))
                    for n in range(MIN_FRAME_BYTES, config.max_frame_bytes + 1))
        self._limit = int(max(0, self._share) / dense)
        least = self._unit.credits(longest_bytes)
        if options.credits and self._limit < least:
            wanted = kept + channels * -int(-least * dense // 1)
            raise ValueError(
                f"buffer_cells = {config.buffer_cells}: must be at least {wanted}, so that a frame "
                f"of {longest_bytes} bytes fits the share of "
                + ("all VCs" if options.total_credits else f"each of {channels} VCs"))
        self._pause_time, headroom = self._pauses(links, longest_bytes)
        self.held_back = 0
        self._xoff = max(2, self._share // 2)
        if not options.credits:
            room = self._share - headroom
            if options.pfc and errors_free and room >= cells_of(longest_bytes):
                self._xoff = room
            else:
                self.held_back = self.lossless

    def _pauses(self, links: LinkOptions, longest_bytes: int) -> tuple[int, int]:
        """Quanta of a pause, four times what a change takes; and headroom above xoff, cells."""
        config = self._config
        word, loop = config.word_bytes, 2 * links.delay
        longest = -(-longest_bytes // word)
        stages = (config.store_stages + config.match_stages + config.read_stages
                  + config.egress_stages + config.launch_stages + config.gate_stages)
        pipeline = _PFC_CYCLES + stages + _WORDS_UNDER_WAY
        cycles = 4 * (loop + 2 * longest + pipeline)
        quanta = min(_LONGEST_TIME, -(-cycles * config.data_width // QUANTUM_BITS))
        under_way = 2 * longest_bytes + MIN_FRAME_BYTES + word * (loop + pipeline)
        return quanta, 2 * cells_of(under_way)

    @property
    def limits(self) -> BufferLimits:
        """What an ingress buffer of the switch holds."""
        per_vc = (self._limit * (self.lossless >> vc & 1) for vc in range(self._config.vcs))
        return BufferLimits(unit=self._unit, per_vc=tuple(per_vc),
                            total=self._limit * self._options.total_credits)

    def switch(self, port: int, peer: BufferLimits | None = None) -> FlowSettings:
        """Settings of a port of the switch; ``peer`` is what the buffer at the other end of its
        link holds, None for that of a partner."""
        config, options = self._config, self._options
        own = self.limits
        if peer is None:
            theirs = max(self._limit, 2 * self._unit.credits(config.max_frame_bytes))
            peer = BufferLimits(
                unit=self._unit, per_vc=tuple(theirs if limit else 0 for limit in own.per_vc),
                total=theirs * options.total_credits,
            )
        paused = self.lossless * options.pfc
        return FlowSettings(
            vcs=config.vcs, credited=self.lossless * options.credits, own=own, peer=peer,
            cf_min=config.cf_min_spacing, cf_max=_LARGEST_SPACINGS * config.cf_min_spacing,
            cc_period=options.cc_period, pause_receive=paused, pause_send=paused,
            xoff=self._xoff, xon=self._xoff // 2, pause_time=self._pause_time,
            address=mac_address_reset(port),
        )

    def partner(self, port: int) -> FlowSettings:
        """Settings of the partner at a port."""
        return self.switch(port).other_end(mac_address_reset(port) | _PARTNER_ADDRESS)

    def writes(self, port: int, peer: BufferLimits | None = None) -> list[tuple[int, int]]:
        """Register offsets and values of a port, in the order of bringing up
        (docs/flow_control.md, Settings); ``peer`` as in `switch`."""
        flow = self.switch(port, peer)
        unit = (CREDIT_SIZES.index(self._unit.size) << CreditUnit.SIZE
                | (self._unit.overhead & 0xFF) << CreditUnit.OVERHEAD)
        control = CBFC_CONTROL_RESET | bool(flow.own.total) << CbfcControl.TOTAL
        receiver = control | flow.credited << CbfcControl.RECEIVER
        every = range(flow.vcs)
        return [
            (Port.CBFC_CONTROL, control),
            (Port.VC_CONTROL, flow.credited << VcControl.STOP),
            (Port.CBFC_SENDER, unit),
            (Port.CBFC_RECEIVER, unit),
            (Port.CBFC_TOTAL_LIMIT, flow.peer.total),
            (Port.CBFC_CF_MIN, flow.cf_min),
            (Port.CBFC_CF_MAX, flow.cf_max),
            (Port.CBFC_CC_PERIOD, flow.cc_period),
            *((Port.CBFC_LIMIT + vc, flow.peer.per_vc[vc]) for vc in every),
            *((Port.RX_VC_LIMIT + vc, self._vc_cells(vc)) for vc in every),
            (Port.PFC_XOFF, flow.xoff),
            (Port.PFC_XON, flow.xon),
            (Port.PFC_TIME, flow.pause_time),
            (Port.PFC_CONTROL, flow.pause_receive << PfcControl.RECEIVE
             | flow.pause_send << PfcControl.TRANSMIT),
            (Port.CBFC_CONTROL, receiver),
            (Port.CBFC_CONTROL, receiver | flow.credited << CbfcControl.SENDER),
            (Port.VC_CONTROL, 0),
        ]

    def _vc_cells(self, vc: int) -> int:
        if self.best_effort >> vc & 1:
            return self._best_effort_cells
        return self._share if self._options.credits else self._config.buffer_cells
