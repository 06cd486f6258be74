# SPDX-License-Identifier: Apache-2.0
"""Credits that frames to the peer take, and that the peer gives back."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import TIMER_BITS, SwitchConfig
from gavel_model.ordered_set import CF_BITS
from gavel_model.register_map import COUNTERS, CREDIT_BITS, Counter
from gavel_rtl.credits import cost_bits, half_credits
from gavel_rtl.flow_interfaces import CreditUpdate, FlowSettings
from gavel_rtl.lib.one_hot import select
from gavel_rtl.lib.sums import add_three, is_less


class CreditSender(wiring.Component):
    """S_CC, ``used`` and ``waiting`` of each VC, and when the peer is told S_CC
    (docs/flow_control.md, Sender).

    Parameters
    ----------
    config
        V and the longest frame.

    Members
    -------
    settings
        Registers as visible in the cycle.
    sent, sent_vc, sent_length
        Egress gives the first word of a frame in this cycle, cycle e.
    credits
        CF_Update received, cycle r.
    established
        Link-level retry has just begun anew: ADVANCE in this cycle, INIT in the one before.
    cc_taken
        A CC_Update is taken in this cycle.
    cc_wanted
        A CC_Update is to be sent; in the cycle behind ``cc_taken`` it means nothing.
    consumed, used, waiting
        State; ``consumed`` is S_CC.
    count
        Counter events.

    Cycle behaviour
    ---------------
    What happens in a cycle shows in the next; with ``gate_stages`` > 0 frames and CF_Updates stand
    in a register first, CF_Updates with 2 in another before it. A VC without ``sender`` is held at
    0; with no such VC at all ``cc_wanted`` is.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "settings": In(FlowSettings(config)),
            "sent": In(1),
            "sent_vc": In(config.vc_bits),
            "sent_length": In(config.length_bits),
            "credits": In(CreditUpdate()),
            "established": In(1),
            "cc_taken": In(1),
            "cc_wanted": Out(1),
            "consumed": Out(CREDIT_BITS).array(config.vcs),
            "used": Out(CREDIT_BITS).array(config.vcs),
            "waiting": Out(config.vcs),
            "count": Out(COUNTERS),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        vcs, update = self._config.vcs, self.credits
        # What a frame or a CF_Update says comes to its VC at once, or in the next cycle.
        self._domain = "sync" if self._config.gate_stages else "comb"
        self._half_credits = Signal(cost_bits(self._config) + 1, name="half_credits")
        self._resynchronise = Signal(name="resynchronise")
        # A CF_Update as it counts a cycle earlier: at once, or out of a register.
        self._first_domain = "sync" if self._config.gate_stages > 1 else "comb"
        valid, names_none, refused = Signal(), Signal(), Signal(vcs)
        is_wrong = Signal()
        comes, comes_for_none = Signal(), Signal()
        m.d[self._first_domain] += [
            comes.eq(update.valid),
            # A second VC that is passed over is as large as the first.
            comes_for_none.eq((update.vc >= vcs) | (update.second_vc >= vcs)),
        ]
        m.d[self._domain] += [valid.eq(comes), names_none.eq(comes_for_none)]
        m.d.comb += [
            self._half_credits.eq(half_credits(self.sent_length, self.settings.sender_size)),
            self._resynchronise.eq(self.established & self.settings.resync),
            self.count[Counter.CBFC_RX_CF_UPDATE].eq(valid),
            # Only for a VC that it names it is known late.
            self.count[Counter.CBFC_RX_CF_ERROR].eq(is_wrong | refused.any()),
        ]
        unasked = [self._keep(m, vc, refused[vc]) for vc in range(vcs)]
        m.d.comb += is_wrong.eq((valid & names_none) | Cat(unasked).any())
        self._time(m)
        return m

    def _come(self, m: Module, vc: int) -> tuple[Signal, Signal, Signal]:
        """What has come for one VC: half credits of a frame; whether a CF_Update names it, and the
        credits outstanding by that, as of the cycle in which they are compared."""
        update, consumed = self.credits, self.consumed[vc]
        named = Signal(name=f"named_{vc}")
        taken = Signal.like(self._half_credits, name=f"taken_{vc}")
        freed = Signal(CF_BITS, name=f"freed_{vc}")
        outstanding = Signal(CF_BITS, name=f"outstanding_{vc}")
        is_first = update.vc == vc
        names = Signal(name=f"names_{vc}")
        m.d[self._first_domain] += [
            freed.eq(Mux(is_first, update.freed, update.second_freed)),
            names.eq(update.valid & (is_first | (update.second_vc == vc))),
        ]
        m.d[self._domain] += [
            taken.eq(Mux(self.sent & (self.sent_vc == vc), self._half_credits, 0)),
            named.eq(names),
        ]
        if not self._config.gate_stages:
            m.d.comb += outstanding.eq(consumed - freed)
            return taken, named, outstanding
        # S_CC of the next cycle: with what is added in this, or 0.
        halves, more, other = (Signal(CF_BITS + 1, name=f"{name}_{vc}") for name in (
            "halves_before", "halves_more", "halves_freed"))
        counts = self.settings.sender[vc]
        m.d.comb += [
            halves.eq(Mux(counts, Cat(1, consumed), 0)),
            more.eq(Mux(counts, taken, 0)),
            other.eq(~Cat(0, freed)),
        ]
        m.d.sync += outstanding.eq(add_three(halves, more, other, Const(1, 1))[1:])
        return taken, named, outstanding

    def _keep(self, m: Module, vc: int, refused: Signal) -> Value:
        """The state of one VC. A CF_Update that names it may be ``refused`` for what it says;
        returns whether it is because the VC has no ``sender``."""
        settings = self.settings
        consumed, used, waiting = self.consumed[vc], self.used[vc], self.waiting[vc]
        taken, named, outstanding = self._come(m, vc)
        low, high = used[:CF_BITS], used[CF_BITS:]
        low_after, told_low = (Signal(CF_BITS + 1, name=f"{name}_{vc}") for name in (
            "low_after", "told_low"))
        # Where a CF_Update names the VC: which limit counts, or what is in use.
        by_total, by_own, by_used = (Signal(name=f"{name}_{vc}") for name in (
            "by_total", "by_own", "by_used"))
        resumes, frees, passes_used = (Signal(name=f"{name}_{vc}") for name in (
            "resumes", "frees", "passes_used"))
        wide = Cat(outstanding, Const(0, CREDIT_BITS - CF_BITS))
        m.d.comb += [
            by_total.eq(named & waiting & settings.total),
            by_own.eq(named & waiting & ~settings.total),
            by_used.eq(named & ~waiting),
            # All are compared at once, and a highest bit says whether it counts: nothing has to be
            # asked behind a comparison.
            resumes.eq(~is_less(settings.total_limit, Cat(wide, ~by_total))
                       | ~is_less(settings.limit[vc], Cat(wide, ~by_own))),
            frees.eq(~is_less(used, Cat(wide, ~by_used))),
            passes_used.eq(is_less(low, outstanding)),
            refused.eq(named & ~(resumes | frees)),
            # Both sums are there by the time at which one of them is known to count.
            low_after.eq(self._sum(low, taken)),
            told_low.eq(self._sum(outstanding, taken)),
        ]
        # ``used`` less what is newly freed is ``outstanding`` again, in the bits that it has; above
        # them it borrows from or carries to what ``used`` has there. No choice says that a register
        # keeps what it has, or synthesis would make an enable of it that waits for the comparison.
        up, down = Signal(name=f"up_{vc}"), Signal(name=f"down_{vc}")
        more, less, moved, high_after = (Signal(len(high), name=f"{name}_{vc}") for name in (
            "more", "less", "moved", "high_after"))
        told_carries, carries = told_low[CF_BITS], low_after[CF_BITS]
        m.d.comb += [
            up.eq(Mux(frees, told_carries & ~passes_used, carries)),
            down.eq(frees & passes_used & ~told_carries),
            more.eq(high + 1),
            less.eq(high - 1),
            moved.eq(select([(up, more), (down, less), (~up & ~down, high)])),
            high_after.eq(select([(resumes, told_carries), (~resumes, moved)])),
        ]
        with m.If(settings.sender[vc]):
            m.d.sync += [
                consumed.eq(self._sum(consumed, taken)),
                waiting.eq(self._resynchronise | (waiting & ~resumes)),
                used.eq(Cat(
                    Mux(resumes | frees, told_low[:CF_BITS], low_after[:CF_BITS]), high_after)),
            ]
        with m.Else():
            m.d.sync += [consumed.eq(0), used.eq(0), waiting.eq(0)]
        return named & ~settings.sender[vc]

    @staticmethod
    def _sum(count: Value, half_credits: Value) -> Value:
        """A count and the credits of a frame, rounded up."""
        return (Cat(1, count) + half_credits)[1:]

    def _time(self, m: Module) -> None:
        """When a CC_Update is wanted."""
        period, coming = self.settings.cc_period, self.settings.coming.cc_period
        # Two above ``cc_time``, so that nothing has to be added before the comparison, which is
        # made in the cycle before.
        later = Signal(TIMER_BITS + 1, init=2)
        reached = Signal(init=int(self._config.cc_period == 1))
        goes_on = Signal()
        timed, comes = Signal(), Signal()
        # That one is taken is known late, and nobody looks in the cycle behind it: what came with
        # it counts then.
        came, just_taken = Signal(), Signal()
        has_sender = self.settings.sender.any()
        m.d.comb += [
            timed.eq(has_sender & period.any()),
            goes_on.eq(timed & ~reached),
            comes.eq(has_sender & ((timed & reached) | self._resynchronise)),
        ]
        m.d.sync += [
            just_taken.eq(self.cc_taken),
            came.eq(comes),
            later.eq(Mux(goes_on, later + 1, 2)),
            reached.eq(Mux(goes_on, ~is_less(later, coming), coming <= 1)),
            self.cc_wanted.eq(
                comes | (has_sender & Mux(just_taken, came, self.cc_wanted))),
        ]
