# SPDX-License-Identifier: Apache-2.0
"""The whole switch: wiring of the blocks, one `step` per clock cycle."""

from __future__ import annotations

from gavel_model.alarm import NEVER
from gavel_model.config import SwitchConfig
from gavel_model.crossbar import Crossbar, CrossbarWord
from gavel_model.ingress_buffer import IngressBuffer
from gavel_model.late_scheduler import LateScheduler
from gavel_model.link_tx import IDLE_UP
from gavel_model.lookup import Lookup
from gavel_model.outgoing_frame import OutgoingFrame
from gavel_model.pins import IDLE, Inputs, TxPins
from gavel_model.port import Port
from gavel_model.received_frame import ReceivedFrame
from gavel_model.registers import Registers
from gavel_model.scheduler import Match, Scheduler

Handled = tuple[Port, ReceivedFrame]
"""A frame of an input port."""

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
    allow
        For each output the mask of VCs that may send in the current cycle.
    ports, scheduler, registers, lookup, crossbar
        The blocks.

    *Cycle behaviour*: all outputs are registers. `step` consumes the inputs of the current
    cycle; afterwards the outputs are those of the next one.
    """

    def __init__(self, config: SwitchConfig) -> None:
        self.config = config
        self.cycle = 0
        self.lookup = Lookup(config)
        self.allow = [0] * config.ports
        kind = LateScheduler if config.match_stages else Scheduler
        self.scheduler = kind(config, self.allow)
        self.ports = [Port(config, index, self.lookup) for index in range(config.ports)]
        self.registers = Registers(config, self.ports, self.lookup, self.scheduler)
        self.crossbar = Crossbar(config)
        self._everyone = (1 << config.ports) - 1
        self._egress_stages = config.egress_stages
        self._match_stages = config.match_stages
        self.reset()

    def reset(self) -> None:
        """Gives everything its reset value; ``cycle`` goes on."""
        for port in self.ports:
            port.reset()
        self.lookup.reset()
        self.allow[:] = [port.flow_control.allow for port in self.ports]
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
        self._talking: list[Port] = []
        self._flowing: list[Port] = [port for port in self.ports
                                     if port.flow_control.configured]
        self._disabled = 0
        self._hold = 0
        self._claimed = self._claimed_before = 0
        self._blocked_before = 0
        self._claiming: list[Port] = []
        self._given: list[CrossbarWord] = []
        self._busy_inputs = 0
        self._busy_outputs = 0
        self._transfers: list[IngressBuffer] = []
        self._matches: list[Match] = []
        self._taken: list[ReceivedFrame] = []
        self._ended: list[Handled] = []
        self._drained: list[Handled] = []

    def step(self, inputs: Inputs) -> None:
        """Consumes the inputs of the current cycle and moves on to the next."""
        self.cycle += 1
        if inputs.reset:
            self.reset()
            return
        registers = self.registers
        registers.read()
        for port in self._talking:
            if not port.control_transmitter.idle(self._now):
                self._send_control(port, inputs.ctl_ready)
        # Filing is put off to the end, because scheduler and flow control work on what is visible
        # in this cycle; cells are allocated before this cycle's reads free any.
        ended = self._receive(inputs)
        drained: list[Handled] = []
        if self._matches:
            self._open_transfers()
        words = self._read_transfers(drained) if self._transfers else []
        self._schedule()
        self._transmit(self.crossbar.step(words), inputs.ready)
        self._control_flow()
        self._account()
        self._file(ended)
        self._ended = ended
        self._drained = drained
        self._now += 1
        if registers.write(inputs.register):
            self._take_settings()
        self.rdata = registers.rdata
        self.tx = self._shown.copy()
        if self._disabled:
            for port in self.ports:
                if not port.enabled:
                    self.tx[port.index] = self.tx[port.index]._replace(up=0)

    def quiet_cycles(self) -> int:
        """How many cycles from the current one on would change nothing but counts of cycles, if
        all pins were idle, links up and everything ready: what `skip` may skip. 0 if a step is
        needed.

        Only `step`'s own shortcuts are put together here: whatever it looks at in a cycle without
        an event keeps time by a cycle number, not by being stepped.
        """
        if (self._transfers or self._matches or self._ended or self._drained or self._awake
                or self._claimed or self._claiming or self._given or not self.crossbar.empty
                or not self.scheduler.resting or not self.registers.resting):
            return 0
        now, due = self._now, NEVER
        for port in self.ports:
            if not port.quiet:
                return 0
        for port in self._retrying:
            transmitter = port.llr_transmitter
            if not transmitter.asleep or transmitter.link != port.link_rx.up:
                return 0
        for port in self._talking:
            if not port.control_transmitter.idle(now):
                return 0
            due = min(due, port.flow_control.credit_receiver.request_at)
        for port in self._flowing:
            alarm = port.flow_control.alarm
            if alarm.now:
                return 0
            due = min(due, alarm.at)
        return max(0, due - now)

    def skip(self, cycles: int) -> None:
        """Moves on by at most `quiet_cycles`, as so many steps with idle pins do."""
        self.cycle += cycles
        self._now += cycles
        self.registers.skip(cycles)

    def _take_settings(self) -> None:
        """Settings have changed; the ports have them already."""
        self._disabled = self._hold = 0
        self._retrying = []
        self._talking = []
        self._flowing = []
        for port in self.ports:
            mask = 1 << port.index
            if not port.enabled:
                self._disabled |= mask
            if port.llr_transmitter.hold:
                self._hold |= mask
            if port.retrying:
                self._retrying.append(port)
            if port.retrying or not port.llr_transmitter.asleep:
                self._awake |= mask
            if port.talking:
                self._talking.append(port)
            if port.flow_control.configured:
                self._flowing.append(port)
                settings = port.flow_control.settings
                self.scheduler.serve(port.index, settings.weights, settings.strict)
                self._permit(port)

    def _send_control(self, port: Port, ctl_ready: int) -> None:
        before = port.link_tx.ctl
        port.send_control(self._now, ctl_ready >> port.index & 1)
        if port.link_tx.ctl != before:
            self._shown[port.index] = port.link_tx.pins()

    def _receive(self, inputs: Inputs) -> list[Handled]:
        """Words come in; returns the good frames that end, those to be filed and others."""
        ended = []
        now = self._now
        for port, pins in zip(self.ports, inputs.rx, strict=True):
            if pins is IDLE and port.quiet:
                continue
            frame = port.receive(pins, now)
            if frame is not None:
                ended.append((port, frame))
        return ended

    def _open_transfers(self) -> None:
        """Opens the transfers of the frames matched in the cycle before."""
        for (i, j, _), frame in zip(self._matches, self._taken, strict=True):
            buffer = self.ports[i].ingress_buffer
            buffer.open(j, frame, self.ports[j].edit(frame, buffer.mark(frame)))
            self._transfers.append(buffer)

    def _read_transfers(self, drained: list[Handled]) -> list[CrossbarWord]:
        """Every open transfer reads a word; ``drained`` gets the frames whose last word it is."""
        words = []
        for buffer in self._transfers:
            words.append(buffer.read())
            if buffer.done:
                drained.append((self.ports[buffer.index], buffer.frame))
        if drained:
            self._transfers = [buffer for buffer in self._transfers if not buffer.done]
            self._busy_inputs = self._busy_outputs = 0
            for buffer in self._transfers:
                self._busy_inputs |= 1 << buffer.index
                self._busy_outputs |= 1 << buffer.output
        return words

    def _schedule(self) -> None:
        free_inputs = self._everyone & ~self._busy_inputs
        claimed, blocked = self._claimed, self._hold | self._claimed
        if self._match_stages:
            # Requests were made in the cycle before.
            blocked, self._blocked_before = self._blocked_before, blocked
            claimed &= self._claimed_before
            self._claimed_before = self._claimed
        if claimed:
            self._take_control_frames(claimed)
        free_outputs = self._everyone & ~(self._busy_outputs | blocked)
        scheduler = self.scheduler
        matches = self._matches = scheduler.step(free_inputs, free_outputs)
        if matches:
            self._taken = []
            for i, j, v in matches:
                buffer = self.ports[i].ingress_buffer
                voq = j * self.config.vcs + v
                self._taken.append(buffer.take(voq))
                shown = buffer.shown_after(voq)
                if shown != voq:
                    scheduler.voq_emptied(i, j, v)
                    if shown is not None:
                        scheduler.voq_filled(i, *divmod(shown, self.config.vcs))
                self._busy_inputs |= 1 << i
                self._busy_outputs |= 1 << j
                port = self.ports[j]
                port.flow_control.credit_sender.matched(v, self._now)
                self._reserve(port)

    def _take_control_frames(self, claimed: int) -> None:
        """Those of a set of outputs that are free but for a control frame that is wanted take it;
        with ``gate_stages`` > 0 none that was matched in the cycle before."""
        rest = claimed & ~(self._busy_outputs | self._hold)
        if self.config.gate_stages:
            for _, j, _ in self._matches:
                rest &= ~(1 << j)
        while rest:
            output = rest & -rest
            rest ^= output
            port = self.ports[output.bit_length() - 1]
            transmitter = port.flow_control.transmitter
            if not transmitter.under_way:
                transmitter.take(self._now)
                self._reserve(port)
                if port not in self._claiming:
                    self._claiming.append(port)

    def _reserve(self, port: Port) -> None:
        """A frame or a control frame is matched to an output."""
        transmitter = port.llr_transmitter
        transmitter.matched()
        if transmitter.hold:
            self._hold |= 1 << port.index
        if not transmitter.asleep:
            self._awake |= 1 << port.index

    def _transmit(self, arrived: list[CrossbarWord], ready: int) -> None:
        """`Egress` counts the words that arrive; every `LlrTransmitter` with something to do
        makes a step."""
        rest = self._awake
        for port in self._retrying:
            transmitter = port.llr_transmitter
            if not transmitter.asleep or transmitter.link != port.link_rx.up:
                rest |= 1 << port.index
        for j, word, frame in arrived:
            port = self.ports[j]
            port.egress.count(word, frame.marked)
            if word[1]:
                port.flow_control.credit_sender.sent(frame.vc, frame.length)
        if self._claiming:
            arrived += self._control_words()
        if self._egress_stages:
            arrived, self._given = self._given, arrived
        for j, word, frame in arrived:
            self._step_output(j, word, frame, ready)
            rest &= ~(1 << j)
        while rest:
            output = rest & -rest
            rest ^= output
            self._step_output(output.bit_length() - 1, None, None, ready)

    def _control_words(self) -> list[CrossbarWord]:
        """Words of control frames, in the place of words of `Egress`."""
        words = []
        for port in self._claiming:
            content = port.flow_control.transmitter.word(self._now)
            if content is not None:
                words.append((port.index, *content))
        if words:
            self._claiming = [port for port in self._claiming
                              if port.flow_control.transmitter.busy]
        return words

    def _control_flow(self) -> None:
        """Flow control of the ports where something is to be done."""
        now = self._now
        for port in self._flowing:
            alarm = port.flow_control.alarm
            if alarm.now or now >= alarm.at:
                port.flow_control.step(now)
                self._permit(port)
        port_written = self.registers.writing
        if port_written is not None and not port_written.flow_control.configured:
            port_written.flow_control.step(now)

    def _permit(self, port: Port) -> None:
        """Tells the scheduler what an output may send from the next cycle on."""
        j = port.index
        allow = port.flow_control.allow
        if self.allow[j] != allow:
            self.allow[j] = allow
            self.scheduler.allow_changed(j)
        if port.flow_control.transmitter.claim:
            self._claimed |= 1 << j
        else:
            self._claimed &= ~(1 << j)

    def _account(self) -> None:
        """What frames that ended, or were read to their end, in the cycle before cost and free."""
        now = self._now
        for port, frame in self._ended:
            port.flow_control.credit_receiver.count(
                frame.vc, frame.length, not frame.reason, now)
        for port, frame in self._drained:
            port.flow_control.drain(frame, now)

    def _file(self, ended: list[Handled]) -> None:
        """Frames that end in this cycle go into their VOQs."""
        for port, frame in ended:
            if not frame.reason:
                if port.ingress_buffer.file(frame, self._now):
                    self.scheduler.voq_filled(port.index, frame.output, frame.vc)
                port.flow_control.filled(frame.vc)

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

    @property
    def reading(self) -> list[tuple[int, int, int, bool]]:
        """Words that transfers read in the current cycle: input, output, VC, and whether it is
        the last of its frame."""
        words = [(buffer.index, buffer.output, buffer.frame.vc, buffer.at_last)
                 for buffer in self._transfers]
        if self._matches:
            size = self.config.word_bytes
            words += [(i, j, v, frame.length <= size)
                      for (i, j, v), frame in zip(self._matches, self._taken, strict=True)]
        return words

    @property
    def arrived(self) -> list[Handled]:
        """Frames that ended in the cycle before and cost credits: input port and frame, which is
        filed if its reason is 0."""
        return self._ended

    @property
    def matches(self) -> list[Match]:
        """Matches of the cycle before."""
        return self._matches

    @property
    def taken(self) -> list[tuple[Match, ReceivedFrame]]:
        """The same, each with its frame."""
        return list(zip(self._matches, self._taken, strict=True)) if self._matches else []

    def probe_values(self) -> list[int]:
        """Values of `gavel_model.probes.probe_points` in the current cycle, in its order."""
        values: list[int] = []
        for port in self.ports:
            buffer = port.ingress_buffer
            receiver = port.llr_receiver
            flow_control = port.flow_control
            values += (
                buffer.voq_frames_packed,
                buffer.free,
                port.counters.packed(),
                receiver.state | receiver.next_rx << _RX_NEXT,
                port.llr_transmitter.state | port.llr_transmitter.window.packed(),
                flow_control.credit_sender.packed.value,
                flow_control.credit_receiver.packed.value,
                buffer.vc_cells_packed,
                flow_control.pause_packed,
            )
        scheduler = self.scheduler
        values += (
            scheduler.grant_packed,
            scheduler.accept_packed,
            scheduler.turn_packed,
            scheduler.catch_up_packed,
            scheduler.quota_packed,
        )
        return values
