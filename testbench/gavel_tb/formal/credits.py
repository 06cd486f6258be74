# SPDX-License-Identifier: Apache-2.0
"""Credits are neither made nor lost, and the receiver never holds more than the limit."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import Any

from amaranth.hdl import Elaboratable, Module, Mux, Signal, Value
from amaranth.lib.data import ArrayLayout

from gavel_model.config import MIN_FRAME_BYTES, SwitchConfig
from gavel_model.ordered_set import CF_BITS
from gavel_model.register_map import CREDIT_BITS, LARGEST_CREDIT_SIZE, Counter
from gavel_rtl.credit_gate import CreditGate
from gavel_rtl.credit_receiver import CreditReceiver
from gavel_rtl.credit_reporter import CreditReporter
from gavel_rtl.credit_sender import CreditSender
from gavel_rtl.credits import cost, cost_bits
from gavel_tb.formal.channel import Channel
from gavel_tb.formal.design import Design, Fault
from gavel_tb.formal.harness import Harness, implies

_PLACES = 1


class CreditBlocks(Elaboratable):  # type: ignore[misc]  # Amaranth has no types
    """Sender side of one port and receiver side of its peer, with nothing between them."""

    def __init__(self, config: SwitchConfig) -> None:
        self.sender, self.gate = CreditSender(config), CreditGate(config)
        self.receiver, self.reporter = CreditReceiver(config), CreditReporter(config)

    def elaborate(self, platform: object) -> Module:
        """The module, for Amaranth."""
        m = Module()
        m.submodules.sender, m.submodules.gate = self.sender, self.gate
        m.submodules.receiver, m.submodules.reporter = self.receiver, self.reporter
        m.d.comb += [used.eq(self.sender.used[vc]) for vc, used in enumerate(self.gate.used)]
        m.d.comb += [released.eq(self.receiver.released[vc])
                     for vc, released in enumerate(self.reporter.released)]
        m.d.comb += self.reporter.cc_update.eq(self.receiver.cc_update)
        return m


class CreditsHarness(Harness):
    """Credits over a link that loses frames, CF_Updates and CC_Updates as it likes.

    Frames are matched only if they fit, and are as long as they like; frames and CC_Updates come
    in order, and so do CF_Updates. The buffer files or drops what comes, and frees in any order.
    Link-level retry may begin anew in every cycle. Costs and limits are symbolic constants; a
    limit fits in the 15 bits of a CF_Update. All claims are about differences of counters, so that
    they hold through every wrap.

    Parameters
    ----------
    total
        One limit for all VCs together.
    """

    def __init__(self, config: SwitchConfig, fault: Fault | None = None, *,
                 total: bool = False, native: bool = True) -> None:
        super().__init__(config, fault)
        self.native = native
        self.total = total

    def build(self) -> None:
        """Both ends, the link, the claims."""
        config, m = self.config, self.m
        self.blocks = blocks = CreditBlocks(config)
        self.design = Design(blocks, self.fault)
        m.submodules.dut = self.design.fragment
        self._set()
        self._send()
        self._receive()
        self._report()
        for vc in range(config.vcs):
            self._claim(vc)
        self._claim_limits()

    def _claim_limits(self) -> None:
        """What the peer was promised, frames that are on their way to Egress with their most."""
        in_use = [used + self.under_way[vc] for vc, used in enumerate(self.blocks.sender.used)]
        if self.total:
            self.claim("no more is in use than the limit of all",
                       reduce(add, in_use) <= self.limits[0])
        else:
            for vc, most in enumerate(in_use):
                self.claim(f"VC {vc}: no more is in use than its limit",
                           most <= self.limits[vc])

    def _set(self) -> None:
        """Settings, the same at both ends and for ever."""
        config, blocks, m = self.config, self.blocks, self.m
        exponent = self.constant(3, "exponent")
        overhead = self.constant(blocks.sender.settings.sender_size.overhead.shape(), "overhead")
        self.limits = [self.constant(CF_BITS, f"limit{vc}") for vc in range(config.vcs)]
        if self.native:
            self.suppose((exponent == 1) & (overhead == 0))
        else:
            self.suppose((exponent <= LARGEST_CREDIT_SIZE) & (overhead >= -16))
        everyone = (1 << config.vcs) - 1
        for block in (blocks.sender, blocks.gate, blocks.receiver):
            settings = block.settings
            m.d.comb += [
                settings.sender.eq(everyone), settings.receiver.eq(everyone),
                settings.resync.eq(1), settings.total.eq(self.total),
                settings.total_limit.eq(self.limits[0]),
                settings.cc_period.eq(0),
                *(limit.eq(self.limits[vc]) for vc, limit in enumerate(settings.limit)),
            ]
            for size in (settings.sender_size, settings.receiver_size):
                m.d.comb += [size.exponent.eq(exponent), size.overhead.eq(overhead)]
            m.d.comb += [
                settings.coming.receiver_exponent.eq(exponent),
                settings.coming.receiver_overhead.eq(overhead),
            ]
        self.size = blocks.sender.settings.sender_size
        m.d.comb += [blocks.reporter.receiver.eq(everyone), blocks.reporter.receives.eq(1)]

    def _cost(self, name: str, length: Value) -> Signal:
        return self.let(name, cost_bits(self.config), cost(length, self.size))

    def _send(self) -> None:
        """Matches, and frames on their way to Egress."""
        config, blocks, m = self.config, self.blocks, self.m
        longest = self._cost("longest", Signal(
            config.length_bits, init=config.max_frame_bytes, name="longest_length"))
        length = self.anything(config.length_bits, "length")
        self.suppose((length >= MIN_FRAME_BYTES) & (length <= config.max_frame_bytes))
        self.matched = self.anything(config.vcs, "matched")
        m.d.sync += blocks.gate.vc_before.eq(self.matched)
        self.suppose((self.matched & (self.matched - 1)) == 0)
        self.suppose((self.matched & ~(blocks.gate.fits & ~blocks.sender.waiting)) == 0)
        stages = [(self.matched, length)]
        for n in range(config.match_to_egress):
            stage = (Signal(config.vcs, name=f"stage{n}"), Signal.like(length, name=f"length{n}"))
            m.d.sync += [new.eq(old) for new, old in zip(stage, stages[-1], strict=True)]
            self.claim(f"length in stage {n}", implies(stage[0], (
                (stage[1] >= MIN_FRAME_BYTES) & (stage[1] <= config.max_frame_bytes))))
            self.claim(f"one frame in stage {n}", (stage[0] & (stage[0] - 1)) == 0)
            stages.append(stage)
        # Credits that are kept for frames matched and not sent.
        self.under_way = [self.let(f"under_way{vc}", CREDIT_BITS + 2, reduce(add, (
            Mux(stage[vc], longest, 0) for stage, _ in stages[1:]))) for vc in range(config.vcs)]
        if not self.total:
            for vc in range(config.vcs):
                self._claim_gate(f"vc{vc}", self.limits[vc], longest,
                                 [stage[vc] for stage, _ in stages[1:]])
        sent_vcs, sent_length = stages[-1]
        if self.total:
            self._claim_total(longest, stages)
        m.d.comb += [
            blocks.sender.sent.eq(sent_vcs.any()),
            blocks.sender.sent_length.eq(sent_length),
            blocks.sender.established.eq(self.anything(1, "established")),
            blocks.sender.cc_taken.eq(self.anything(1, "cc_taken")),
        ]
        for vc in range(config.vcs):
            with m.If(sent_vcs[vc]):
                m.d.comb += blocks.sender.sent_vc.eq(vc)
        self.frames = Channel(self, "frames", {
            "tells": 1, "vc": config.vc_bits, "length": config.length_bits,
            "price": cost_bits(config),
            "cc": ArrayLayout(CREDIT_BITS, config.vcs),
        }, _PLACES)
        tells = self.anything(1, "tells")
        item = self.frames.item
        m.d.comb += [self.frames.push.eq(tells | blocks.sender.sent), item.tells.eq(tells),
                     item.vc.eq(blocks.sender.sent_vc), item.length.eq(sent_length),
                     item.price.eq(self._cost("price", sent_length))]
        m.d.comb += [item.cc[vc].eq(consumed) for vc, consumed in enumerate(blocks.sender.consumed)]
        self.suppose(~(tells & blocks.sender.sent))

    def _claim_gate(self, name: str, limit: Value, longest: Value, stages: list[Value]) -> None:
        """What the gate has worked out in the cycle before."""
        gate = self.design.part("gate")
        earlier = reduce(add, stages[1:])
        for n, stage in enumerate(stages[:-1], 1):
            self.claim(f"{name}: matches {n} before",
                       gate.signal(f"{name}_matched_{n}_before") == stage)
        room, after = gate.signal(f"{name}_room"), gate.signal(f"{name}_room_after_match")
        untouched = (room == -1) & (after == -1)
        for shown, frames in ((room, earlier + 1), (after, earlier + 2)):
            self.claim(f"{name}: room for {shown.name}", untouched | (
                shown == limit - (longest * frames)))

    def _claim_total(self, longest: Value, stages: list[tuple[Value, Value]]) -> None:
        """The gate's sum of all VCs is of the cycle before: the frame sent then is not in it."""
        m, limit = self.m, self.limits[0]
        vcs, length = stages[-1]
        gone, price = Signal(name="gone"), Signal(cost_bits(self.config), name="gone_price")
        m.d.sync += [gone.eq(vcs.any()), price.eq(Mux(vcs.any(), self._cost(
            "leaving_price", length), 0))]
        taken = [stage.any() for stage, _ in stages[1:]] + [gone]
        self._claim_gate("total", limit, longest, taken)
        total = self.design.part("gate").signal("total")
        self.claim("a frame that has gone cost no more than the longest",
                   price <= Mux(gone, longest, 0))
        self.claim("the sum is that of the cycle before",
                   reduce(add, self.blocks.sender.used) <= total + price)
        self.claim("the sum of the cycle before fits",
                   total + longest * reduce(add, taken) <= limit)

    def _receive(self) -> None:
        """What comes, what is lost, and what the buffer frees."""
        config, blocks, m = self.config, self.blocks, self.m
        receiver, head = blocks.receiver, self.frames.head
        lost = self.anything(1, "frame_lost")
        filed = self.anything(1, "filed")
        freed_vc = self.anything(config.vc_bits, "freed_vc")
        # Lengths come a cycle before their frames.
        counted_coming, freed_coming = (self.anything(config.length_bits, f"{name}_length_coming")
                                        for name in ("counted", "freed"))
        counted_length, freed_length = (Signal(config.length_bits, name=f"{name}_length")
                                        for name in ("counted", "freed"))
        m.d.sync += [counted_length.eq(counted_coming), freed_length.eq(freed_coming)]
        frees = self.anything(1, "frees")
        came = self.let("came", 1, self.frames.pop & ~lost)
        m.d.comb += [
            receiver.counted.filed.eq(filed),
            *(receiver.counted.vcs[vc].eq(came & ~head.tells & (head.vc == vc))
              for vc in range(config.vcs)),
            receiver.counted.length_coming.eq(counted_coming),
            receiver.cc_update.eq(came & head.tells),
            *(receiver.cc[vc].eq(head.cc[vc]) for vc in range(config.vcs)),
            *(receiver.freed.vcs[vc].eq(frees & (freed_vc == vc)) for vc in range(config.vcs)),
            receiver.freed.length_coming.eq(freed_coming),
        ]
        self.suppose(implies(filed, came & ~head.tells))
        self.suppose(implies(came & ~head.tells, head.length == counted_length))
        freed_price = self._cost("freed_cost", freed_length)
        # Credits of frames lost and not yet given back.
        self.missing = [Signal(CREDIT_BITS, name=f"missing{vc}") for vc in range(config.vcs)]
        in_buffer = [Signal(CREDIT_BITS, name=f"in_buffer{vc}") for vc in range(config.vcs)]
        for vc, missing in enumerate(self.missing):
            m.d.sync += in_buffer[vc].eq(
                in_buffer[vc] + Mux(filed & (head.vc == vc), head.price, 0)
                - Mux(frees & (freed_vc == vc), freed_price, 0))
            self.claim(f"VC {vc}: what is stored is what the buffer holds",
                       receiver.stored[vc] == in_buffer[vc])
            with m.If(came & head.tells):
                m.d.sync += missing.eq(0)
            with m.Elif(self.frames.pop & lost & ~head.tells & (head.vc == vc)):
                m.d.sync += missing.eq(missing + head.price)
            self.suppose(implies(frees & (freed_vc == vc), freed_price <= in_buffer[vc]))

    def _report(self) -> None:
        """CF_Updates back to the sender."""
        blocks, m = self.blocks, self.m
        request, update = blocks.reporter.request, blocks.sender.credits
        names = ("vc", "freed", "second_vc", "second_freed")
        self.updates = Channel(self, "updates", {
            name: getattr(update, name).shape() for name in names}, _PLACES)
        m.d.comb += [getattr(self.updates.item, name).eq(getattr(request, name))
                     for name in names]
        m.d.comb += [getattr(update, name).eq(getattr(self.updates.head, name))
                     for name in names]
        m.d.comb += [
            self.updates.push.eq(self.anything(1, "reports")),
            blocks.reporter.sent.eq(self.updates.push),
            update.valid.eq(self.updates.pop & ~self.anything(1, "update_lost")),
        ]

    def _claim(self, vc: int) -> None:
        """The account of one VC."""
        blocks = self.blocks
        consumed, used = blocks.sender.consumed[vc], blocks.sender.used[vc]
        received, stored = blocks.receiver.received[vc], blocks.receiver.stored[vc]
        missing = self.missing[vc]

        def difference(name: str, larger: Any, smaller: Any, bits: int = CREDIT_BITS) -> Signal:
            return self.let(f"{name}{vc}", bits, larger - smaller)

        known = self.let(f"known{vc}", CREDIT_BITS, consumed - used)
        freed = self.let(f"freed{vc}", CREDIT_BITS, received - stored)
        self.claim(f"VC {vc}: the receiver holds no more than is in use",
                   stored + missing <= used)
        # On the way from the sender's count down to what it knows to be freed.
        on_link: Value = missing
        for n, (valid, item) in enumerate(self.frames.places):
            # A CC_Update says what the count was when all behind it had not been sent.
            behind: Value = missing
            for is_there, before in self.frames.places[:n]:
                behind = behind + Mux(is_there & ~before.tells & (before.vc == vc),
                                      before.price, 0)
            self.claim(f"VC {vc}: CC_Update in place {n}", implies(
                valid & item.tells, (received + behind - item.cc[vc])[:CREDIT_BITS] == 0))
            self.claim(f"VC {vc}: length in place {n}", implies(valid & ~item.tells, (
                (item.length >= MIN_FRAME_BYTES)
                & (item.length <= self.config.max_frame_bytes)
                & (item.price == cost(item.length, self.size)))))
            on_link = on_link + Mux(valid & ~item.tells & (item.vc == vc),
                                    item.price, 0)
        on_link = self.let(f"on_link{vc}", CREDIT_BITS, on_link)
        not_known = difference("not_known", freed, known)
        self.claim(f"VC {vc}: credits are neither made nor lost",
                   (consumed - received - on_link)[:CREDIT_BITS] == 0)
        self.claim(f"VC {vc}: all that is in use is somewhere",
                   (not_known <= used) & (stored <= used) & (on_link <= used)
                   & (not_known + stored + on_link == used))
        told: Value = not_known
        for n, (valid, item) in reversed(list(enumerate(self.updates.places))):
            is_first = item.vc == vc
            names = valid & (is_first | (item.second_vc == vc))
            says = difference(f"says_{n}_", Mux(is_first, item.freed, item.second_freed),
                              known, CF_BITS)
            self.claim(f"VC {vc}: CF_Update in place {n}", implies(names, says <= told))
            told = Mux(names, says, told)
        self.claim(f"VC {vc}: no CF_Update is refused",
                   ~blocks.sender.count[Counter.CBFC_RX_CF_ERROR])
        self.reach(f"VC {vc}: lost credits come back", self._seen(
            vc, missing.any() & blocks.receiver.cc_update))

    def _seen(self, vc: int, event: Value) -> Signal:
        seen = Signal(name=f"seen{vc}")
        self.m.d.sync += seen.eq(seen | event)
        return seen


class CreditSenderHarness(CreditsHarness):
    """The sender side alone, with CF_Updates of whatever contents, true or not.

    Link-level retry does not begin anew: then the peer is believed.
    """

    def build(self) -> None:
        """The sender, the claims."""
        config, m = self.config, self.m
        self.blocks = CreditBlocks(config)
        self.design = Design(self.blocks, self.fault)
        m.submodules.dut = self.design.fragment
        self._set()
        self._send()
        self.suppose(~self.blocks.sender.established)
        update = self.blocks.sender.credits
        m.d.comb += [Value.cast(getattr(update, name)).eq(
            self.anything(Value.cast(getattr(update, name)).shape(), f"update_{name}"))
            for name in update.signature.members]
        for vc in range(config.vcs):
            self.claim(f"VC {vc} does not wait", ~self.blocks.sender.waiting[vc])
        self._claim_limits()
