# SPDX-License-Identifier: Apache-2.0
"""The whole switch: wiring of the blocks, one `step` per clock cycle."""

from __future__ import annotations

from gavel_model.config import SwitchConfig
from gavel_model.crossbar import Crossbar, CrossbarWord
from gavel_model.flow_control import FlowControl
from gavel_model.ingress_buffer import IngressBuffer
from gavel_model.link_tx import IDLE_UP
from gavel_model.lookup import Lookup
from gavel_model.outgoing_frame import OutgoingFrame
from gavel_model.pins import IDLE, Inputs, TxPins
from gavel_model.port import Port
from gavel_model.received_frame import ReceivedFrame
from gavel_model.registers import Registers
from gavel_model.scheduler import Match, Scheduler

_RX_NEXT = 2
"""Where ``next_rx`` stands in probe point ``llr_rx``, above the state."""


class Switch:
    """Golden model of the switch, cycle and bit exact.

    Attributes
    ----------
    config
        Its parameters.
    cycle
        Cycles stepped since construction.
    tx
        Transmit pins of each port in the current cycle. A new list in each cycle.
    rdata
        Pin ``reg_rdata`` in the current cycle.
    ports, scheduler, registers, lookup, crossbar, flow_control
        The blocks.

    *Cycle behaviour*: all outputs are registers. `step` consumes the inputs of the current
    cycle; afterwards the outputs are those of the next one.
    """

    def __init__(self, config: SwitchConfig) -> None:
        self.config = config
        self.cycle = 0
        self.lookup = Lookup(config)
        self.flow_control = FlowControl(config)
        self.scheduler = Scheduler(config, self.flow_control.allow)
        self.ports = [Port(config, index, self.lookup) for index in range(config.ports)]
        self.registers = Registers(config, self.ports, self.lookup, self.scheduler)
        self.crossbar = Crossbar()
        self._everyone = (1 << config.ports) - 1
        self.reset()

    def reset(self) -> None:
        """Gives everything its reset value; ``cycle`` goes on."""
        for port in self.ports:
            port.reset()
        self.lookup.reset()
        self.flow_control.reset()
        self.scheduler.reset()
        self.registers.reset()
        self.crossbar.reset()
        ports = self.config.ports
        self.tx = [IDLE_UP] * ports
        self.rdata = 0
        self._shown = [IDLE_UP] * ports
        self._now = 0
        self._awake = 0
        self._retrying: list[Port] = []
        self._disabled = 0
        self._hold = 0
        self._busy_inputs = 0
        self._busy_outputs = 0
        self._transfers: list[IngressBuffer] = []
        self._matches: list[Match] = []
        self._taken: list[ReceivedFrame] = []

    def step(self, inputs: Inputs) -> None:
        """Consumes the inputs of the current cycle and moves on to the next."""
        self.cycle += 1
        if inputs.reset:
            self.reset()
            return
        registers = self.registers
        registers.read()
        for port in self._retrying:
            if not port.control_transmitter.idle:
                self._send_control(port, inputs.ctl_ready)
        # Filing is put off to the end, because the scheduler works on what is visible in this
        # cycle; cells are allocated before this cycle's reads free any.
        filed = self._receive(inputs)
        if self._matches:
            self._open_transfers()
        words = self._read_transfers() if self._transfers else []
        self._schedule()
        for port, frame in filed:
            if port.ingress_buffer.file(frame):
                self.scheduler.voq_filled(port.index, frame.output, frame.vc)
        self._transmit(self.crossbar.step(words), inputs.ready)
        self._now += 1
        if registers.write(inputs.register):
            self._take_settings()
        self.rdata = registers.rdata
        self.tx = self._shown.copy()
        if self._disabled:
            for port in self.ports:
                if not port.enabled:
                    self.tx[port.index] = self.tx[port.index]._replace(up=0)

    def _take_settings(self) -> None:
        """Settings have changed; the ports have them already."""
        self._disabled = self._hold = 0
        self._retrying = []
        for port in self.ports:
            mask = 1 << port.index
            if not port.enabled:
                self._disabled |= mask
            if port.llr_transmitter.hold:
                self._hold |= mask
            if port.retrying:
                self._retrying.append(port)
                self._awake |= mask

    def _send_control(self, port: Port, ctl_ready: int) -> None:
        before = port.link_tx.ctl
        port.send_control(self._now, ctl_ready >> port.index & 1)
        if port.link_tx.ctl != before:
            self._shown[port.index] = port.link_tx.pins()

    def _receive(self, inputs: Inputs) -> list[tuple[Port, ReceivedFrame]]:
        filed = []
        for port, pins in zip(self.ports, inputs.rx, strict=True):
            if pins is IDLE and port.quiet:
                continue
            frame = port.receive(pins)
            if frame is not None:
                filed.append((port, frame))
        return filed

    def _open_transfers(self) -> None:
        """Opens the transfers of the frames matched in the cycle before."""
        for (i, j, _), frame in zip(self._matches, self._taken, strict=True):
            buffer = self.ports[i].ingress_buffer
            buffer.open(j, self.ports[j].edit(frame, buffer.mark(frame)))
            self._transfers.append(buffer)

    def _read_transfers(self) -> list[CrossbarWord]:
        """Every open transfer reads a word."""
        words = []
        ended = False
        for buffer in self._transfers:
            words.append(buffer.read())
            if buffer.done:
                ended = True
        if ended:
            self._transfers = [buffer for buffer in self._transfers if not buffer.done]
            self._busy_inputs = self._busy_outputs = 0
            for buffer in self._transfers:
                self._busy_inputs |= 1 << buffer.index
                self._busy_outputs |= 1 << buffer.output
        return words

    def _schedule(self) -> None:
        free_inputs = self._everyone & ~self._busy_inputs
        free_outputs = self._everyone & ~(self._busy_outputs | self._hold)
        scheduler = self.scheduler
        matches = self._matches = scheduler.step(free_inputs, free_outputs)
        if matches:
            self._taken = []
            for i, j, v in matches:
                buffer = self.ports[i].ingress_buffer
                voq = j * self.config.vcs + v
                self._taken.append(buffer.take(voq))
                if not buffer.voq_frames[voq]:
                    scheduler.voq_emptied(i, j, v)
                self._busy_inputs |= 1 << i
                self._busy_outputs |= 1 << j
                transmitter = self.ports[j].llr_transmitter
                transmitter.matched()
                if transmitter.hold:
                    self._hold |= 1 << j

    def _transmit(self, arrived: list[CrossbarWord], ready: int) -> None:
        """`Egress` counts the words that arrive; every `LlrTransmitter` with something to do
        makes a step."""
        rest = self._awake
        for port in self._retrying:
            transmitter = port.llr_transmitter
            if not transmitter.asleep or transmitter.link != port.link_rx.up:
                rest |= 1 << port.index
        for j, word, frame in arrived:
            self.ports[j].egress.count(word, frame.marked)
            self._step_output(j, word, frame, ready)
            rest &= ~(1 << j)
        while rest:
            output = rest & -rest
            rest ^= output
            self._step_output(output.bit_length() - 1, None, None, ready)

    def _step_output(
        self, j: int, word: TxPins | None, frame: OutgoingFrame | None, ready: int
    ) -> None:
        port = self.ports[j]
        output = 1 << j
        transmitter = port.llr_transmitter
        transmitter.step(self._now, word, frame, ready & output, port.link_rx.up)
        link_tx = port.link_tx
        self._shown[j] = (link_tx.word or IDLE_UP) if link_tx.ctl is None else link_tx.pins()
        if transmitter.hold:
            self._hold |= output
        else:
            self._hold &= ~output
        if transmitter.asleep:
            self._awake &= ~output
        else:
            self._awake |= output

    def probe_values(self) -> list[int]:
        """Values of `gavel_model.probes.probe_points` in the current cycle, in its order."""
        values: list[int] = []
        for port in self.ports:
            buffer = port.ingress_buffer
            receiver = port.llr_receiver
            values += (
                buffer.voq_frames_packed,
                buffer.free,
                port.counters.packed(),
                receiver.state | receiver.next_rx << _RX_NEXT,
                port.llr_transmitter.state | port.llr_transmitter.window.packed(),
            )
        scheduler = self.scheduler
        values += (
            scheduler.grant_packed,
            scheduler.accept_packed,
            scheduler.vc_packed,
            scheduler.catch_up_packed,
        )
        return values
