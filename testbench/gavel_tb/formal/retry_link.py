# SPDX-License-Identifier: Apache-2.0
"""What link-level retry accepts is what was sent: every frame, once, in order."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from amaranth.hdl import Cat, Elaboratable, Module, Mux, Signal

from gavel_model.config import SwitchConfig
from gavel_model.pins import CTL_BITS
from gavel_model.register_map import Action, Counter
from gavel_rtl.block import connect
from gavel_rtl.control_transmitter import ControlTransmitter
from gavel_rtl.interfaces import Reason
from gavel_rtl.link_tx import LinkTx
from gavel_rtl.llr_receiver import LlrReceiver, ReceiverState
from gavel_rtl.llr_transmitter import LlrTransmitter
from gavel_rtl.ordered_set import OrderedSetReader
from gavel_rtl.retry_state import TransmitterState
from gavel_tb.formal.channel import Channel
from gavel_tb.formal.design import Design, Fault
from gavel_tb.formal.harness import Harness, implies

_BEFORE_WRAP = 2
"""Frames before the numbers wrap, from the agreed state on."""


def _number(state: Any) -> int:
    return int(state.value)


class RetryBlocks(Elaboratable):  # type: ignore[misc]  # Amaranth has no types
    """The transmit side of one end and the receive side of the other, without the wire."""

    def __init__(self, config: SwitchConfig) -> None:
        self.transmitter, self.link_tx = LlrTransmitter(config), LinkTx(config)
        self.near_control, self.near_reader = ControlTransmitter(config), OrderedSetReader(config)
        self.receiver, self.far_link_tx = LlrReceiver(config), LinkTx(config)
        self.far_control, self.far_reader = ControlTransmitter(config), OrderedSetReader(config)

    def elaborate(self, platform: object) -> Module:
        """The module, for Amaranth."""
        m = Module()
        for name in ("transmitter", "link_tx", "near_control", "near_reader", "receiver",
                     "far_link_tx", "far_control", "far_reader"):
            m.submodules[name] = getattr(self, name)
        return m


class RetryLinkHarness(Harness):
    """Two ends of a link with the real blocks of link-level retry, and a wire that may do anything.

    Frames go from the near to the far end. The wire loses and spoils frames and loses ordered sets
    as it likes, and takes what stands on the pins when it likes; ordered sets and frames of one
    direction stay in order. The replay timer runs out when it likes. Frame n has n as its contents
    (modulo 2**bits); frames that come in while the link is not agreed are held back. The far end
    gives up nothing, so that what it keeps must be 0, 1, 2 and so on.
    """

    resets = False

    def __init__(self, config: SwitchConfig, fault: Fault | None = None, *,
                 places: int = 1, agreed: bool = False) -> None:
        super().__init__(config, fault)
        self._agreed = agreed
        self._places = places

    def build(self) -> None:
        """Both ends, the wire, the claim."""
        self.blocks = RetryBlocks(self.config)
        self.design = Design(self.blocks, self.fault)
        self.m.submodules.dut = self.design.fragment
        if self._agreed:
            self._begin_agreed()
        self._set()
        self._feed()
        self._carry()
        self._carry_back()
        self._judge()

    def _begin_agreed(self) -> None:
        """The state behind INIT and its echo, two frames before the numbers wrap."""
        first = (1 << self.config.seq_bits) - _BEFORE_WRAP
        state = self.design.part("transmitter", "retry_state")
        state.begin("is_off", 0)
        state.begin("is_advance", 1)
        state.begin("running", 1)
        for name, number in (("acked", first - 1), ("newest", first - 1), ("next", first),
                             ("send", first)):
            state.begin(name, number)
        receiver = self.design.part("receiver")
        receiver.begin("state", _number(ReceiverState.SEND_ACKS))
        receiver.begin("has_agreed", 1)
        receiver.begin("next_rx", first)
        receiver.begin("last_rx", first - 1)
        receiver.begin("after_next", first + 1)

    def _set(self) -> None:
        """Settings: nothing is ever given up."""
        blocks, m = self.blocks, self.m
        timer = self.anything(2, "replay_timer")
        config = self.config
        for block in (blocks.transmitter, blocks.near_control, blocks.receiver,
                      blocks.far_control):
            settings = block.settings
            m.d.comb += [
                settings.local.eq(1), settings.remote.eq(1), settings.reinit.eq(1),
                settings.init_action.eq(Action.BLOCK), settings.flush_action.eq(Action.BLOCK),
                settings.window_frames.eq(config.replay_frames),
                settings.window_cells.eq(config.replay_cells),
                settings.coming.local.eq(1), settings.coming.remote.eq(1),
                settings.coming.reinit.eq(1),
                settings.coming.init_action.eq(Action.BLOCK),
                settings.coming.flush_action.eq(Action.BLOCK),
                settings.coming.replay_timer.eq(timer), settings.coming.replay_count.eq(255),
            ]
        m.d.comb += blocks.transmitter.up.eq(self.anything(1, "up"))

    def _feed(self) -> None:
        """Frames one after the other, each three cycles after its match, as Egress brings them."""
        m, config, transmitter = self.m, self.config, self.blocks.transmitter
        length = self.anything(range(config.max_frame_words + 1), "length")
        matched = self.let("matched", 1, length > 0)
        busy = Signal.like(length)
        # In OFF frames would pass that have no number.
        self.suppose(implies(matched, (length <= config.max_frame_words) & (busy == 0)
                             & ~transmitter.hold & (transmitter.state != TransmitterState.OFF)))
        m.d.sync += busy.eq(Mux(matched, length - 1, Mux(busy > 0, busy - 1, 0)))
        stages = [length, *(Signal.like(length, name=f"length_{n}_before") for n in range(1, 4))]
        m.d.sync += [later.eq(sooner) for sooner, later in pairwise(stages)]
        begins = self.let("begins", 1, stages[-1] > 0)
        left, number = Signal.like(length), Signal(config.data_width - 1)
        words = self.let("words", len(length), Mux(begins, stages[-1], left))
        present, last = words > 0, words == 1
        m.d.sync += [left.eq(Mux(present, words - 1, 0)), number.eq(number + last)]
        word = transmitter.i_word
        m.d.comb += [
            transmitter.matched.eq(matched), word.valid.eq(present), word.sop.eq(begins),
            word.eop.eq(last), word.next_eop.eq(words == 2),
            # The lowest bit tells first words from others.
            word.data.eq(Mux(present, Cat(begins, number), 0)),
        ]

    def _carry(self) -> None:
        """Near to far: frames and ordered sets in the order in which the wire takes them."""
        blocks, m, config = self.blocks, self.m, self.config
        link_tx, control = blocks.link_tx, blocks.near_control
        transmitter, receiver = blocks.transmitter, blocks.receiver
        link = link_tx.link
        for name in link_tx.word.signature.members:
            m.d.comb += getattr(link_tx.word, name).eq(getattr(transmitter.o_word, name))
        m.d.comb += [
            transmitter.free.eq(link_tx.word_free),
            link.ready.eq(self.anything(1, "ready")),
            link.ctl_ready.eq(self.anything(1, "ctl_ready")),
            control.free.eq(link_tx.ctl_free), link_tx.ctl_load.eq(control.load),
            link_tx.ctl.eq(control.ctl),
            transmitter.init_sent.eq(control.sent.init),
            transmitter.init_waiting.eq(control.init_waiting),
            control.init.request.eq(transmitter.init.request),
            control.init.first.eq(transmitter.init.first),
            control.init.seq.eq(transmitter.init.seq),
            control.init.data.eq(transmitter.init.data),
        ]
        wire = Channel(self, "wire", {
            "ended": 1, "llr": 1, "seq": config.seq_bits, "data": config.data_width,
            "has_set": 1, "set": CTL_BITS}, self._places)
        # What the first word said, and whether the frame came well so far.
        llr, seq, first = Signal(), Signal(config.seq_bits), Signal(config.data_width)
        is_sop = link.sop
        takes = self.let("takes", 1, link.valid & link.ready)
        takes_set = self.let("takes_set", 1, link.ctl_valid & link.ctl_ready)
        with m.If(takes & link.sop):
            m.d.sync += [llr.eq(link.llr), seq.eq(link.seq), first.eq(link.data)]
        m.d.comb += [
            wire.push.eq((takes & link.eop) | takes_set),
            wire.item.ended.eq(takes & link.eop),
            wire.item.llr.eq(Mux(is_sop, link.llr, llr)),
            wire.item.seq.eq(Mux(is_sop, link.seq, seq)),
            wire.item.data.eq(Mux(is_sop, link.data, first)),
            wire.item.has_set.eq(takes_set),
            wire.item.set.eq(link.ctl),
        ]
        self.claim("a frame's words are all its own", implies(
            takes & ~link.sop, (link.data[1:] == first[1:]) & ~link.data[0]))
        self.claim("a frame's first word is first", implies(takes & link.sop, link.data[0]))
        head = wire.head
        frame_lost, set_lost = self.anything(1, "frame_lost"), self.anything(1, "set_lost")
        # LinkRx needs two cycles, as the reader of ordered sets does.
        came = [self.let("came", 1, wire.pop & head.ended & ~frame_lost),
                Signal(name="came_1"), Signal(name="came_2")]
        what = [(head.llr, head.seq, head.data),
                *((Signal(name=f"llr_{n}"), Signal(config.seq_bits, name=f"seq_{n}"),
                   Signal(config.data_width, name=f"data_{n}")) for n in (1, 2))]
        for n in (1, 2):
            m.d.sync += [came[n].eq(came[n - 1]),
                         *(new.eq(old) for new, old in zip(what[n], what[n - 1], strict=True))]
        far = blocks.far_reader
        m.d.comb += [
            far.present.eq(wire.pop & head.has_set & ~set_lost), far.ctl.eq(head.set),
            receiver.end.eligible.eq(came[2] & what[2][0]),
            receiver.end.seq_coming.eq(what[1][1]),
            receiver.end.bad.eq(self.anything(1, "bad")),
            receiver.i_verdict.reason.eq(Reason.FILED),
        ]
        self._connect(receiver.control, far.received)
        self.came, self.contents = came[2], what[2][2]

    def _carry_back(self) -> None:
        """Far to near: ordered sets."""
        blocks, m = self.blocks, self.m
        control, link_tx, receiver = blocks.far_control, blocks.far_link_tx, blocks.receiver
        self._connect(control.receiver, receiver.requests)
        self._connect(receiver.sent, control.sent)
        link = link_tx.link
        m.d.comb += [
            control.free.eq(link_tx.ctl_free), link_tx.ctl_load.eq(control.load),
            link_tx.ctl.eq(control.ctl), link.ctl_ready.eq(self.anything(1, "far_ctl_ready")),
        ]
        back = Channel(self, "back", {"set": CTL_BITS}, self._places)
        reader = blocks.near_reader
        m.d.comb += [
            back.push.eq(link.ctl_valid & link.ctl_ready), back.item.set.eq(link.ctl),
            reader.present.eq(back.pop & ~self.anything(1, "back_lost")),
            reader.ctl.eq(back.head.set),
        ]
        self._connect(blocks.transmitter.control, reader.received)

    def _connect(self, target: Any, source: Any) -> None:
        connect(self.m, target, source)

    def _judge(self) -> None:
        """The far end keeps 0, 1, 2, ..."""
        receiver, m = self.blocks.receiver, self.m
        kept = self.let("kept", 1, receiver.end.eligible
                        & (receiver.o_verdict.reason == Reason.FILED))
        expected = Signal(self.config.data_width - 1)
        with m.If(kept):
            m.d.sync += expected.eq(expected + 1)
        self.expected = expected
        self.claim("what is kept is the next frame", implies(
            kept, (self.contents[1:] == expected) & self.contents[0]))
        replay = receiver.state == ReceiverState.NACK_SENT
        self.reach("a replay brings what was lost", kept & replay & (expected == 1))
        if self._agreed:
            self.reach("numbers have wrapped", kept & (expected == _BEFORE_WRAP))
        self.claim("every frame has a number", implies(self.came, receiver.end.eligible))
        self.claim("no ACK or NACK is refused",
                   ~self.blocks.transmitter.count[Counter.LLR_RX_ACK_NACK_SEQ_ERROR])
