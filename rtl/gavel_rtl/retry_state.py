# SPDX-License-Identifier: Apache-2.0
"""Sequence numbers and states of the transmit side of link-level retry."""

from amaranth.hdl import Const, Module, Mux, Signal, unsigned
from amaranth.lib import enum, wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.register_map import COUNTERS, Counter
from gavel_rtl.ack_window import AckWindow, is_before, is_same
from gavel_rtl.block import connect, place
from gavel_rtl.frame_record import frame_count_bits
from gavel_rtl.init_exchange import InitExchange
from gavel_rtl.lib.one_hot import select
from gavel_rtl.llr_interfaces import (
    REPLAY_COUNT_BITS,
    ControlSet,
    InitRequest,
    LlrSettings,
)
from gavel_rtl.replay_count import ReplayCount
from gavel_rtl.unnumbered import UnnumberedFrames


class TransmitterState(enum.Enum, shape=unsigned(3)):
    """Where the transmit side stands."""

    OFF = 0
    INIT = 1
    ADVANCE = 2
    REPLAY = 3
    FLUSH = 4


class RetryState(wiring.Component):
    """What is acknowledged, sent again and given up (docs/llr.md, 6.3 and 6.4).

    Parameters
    ----------
    config
        S.

    Members
    -------
    settings
        Registers as visible in the cycle.
    control
        Ordered set received, cycle r.
    no_progress, lost, changed, too_old
        From `LlrTimers`.
    mid, mid_after
        A frame has begun and not ended; the same of the next cycle.
    kept_last, numbered
        The last word of a kept frame is launched; for the first time.
    ends
        It is if O is free.
    free
        Register O is empty or taken in this cycle.
    launched
        A word stands between B and O: in L of ``launch_stages``.
    init_sent, init_waiting
        From ControlTransmitter.
    state, oldest, next, send, replays
        State.
    is_init, is_flush, is_advance, running
        The state is this one; ADVANCE or REPLAY.
    acked_frame, newest_frame
        Low bits of the numbers before ``oldest`` and ``next``, enough to count frames.
    accepted
        An ACK or NACK is accepted in this cycle.
    drained
        In the next cycle ``oldest`` is what ``next`` is in this.
    leaves
        ``accepted``, and other frames are left outstanding. None is given up then.
    empty
        ``oldest`` is ``next``.
    given_up
        ``oldest`` becomes ``next``.
    behind, send_is_next
        As in the specification.
    progress
        An ACK moves ``oldest`` in this cycle.
    changing, into_init, out_of_init
        The state changes, otherwise than between ADVANCE and REPLAY; as of `LlrTimers`.
    may_keep, must_wait
        In ADVANCE or REPLAY nothing here forbids a first word in this cycle, but for the latter;
        it is meaningless without the former.
    passes, drops, sends, blocks, discards
        As of `UnnumberedFrames`: in another state.
    clear, rewind
        A restart is carried out; was carried out in the cycle before.
    release
        What stands before ``oldest`` is to be given back in the next cycle.
    init
        Request to ControlTransmitter.
    count
        Counter events.

    Cycle behaviour
    ---------------
    All decisions of a cycle are combinational from registers, ``control`` and ``free``, and change
    the state in the next; of the rules of 6.4 the first that applies counts. After reset the state
    is OFF and all numbers are 0. ``free``, ``kept_last``, ``numbered`` and ``mid_after`` come late:
    what they decide about is ready by then. What a first word needs is put together in the cycle
    before, and so is whether replays are used up.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "settings": In(LlrSettings(config)),
            "control": In(ControlSet(config)),
            "no_progress": In(1),
            "lost": In(1),
            "changed": In(1),
            "too_old": In(1),
            "mid": In(1),
            "mid_after": In(1),
            "kept_last": In(1),
            "ends": In(1),
            "numbered": In(1),
            "free": In(1),
            "launched": In(1),
            "init_sent": In(1),
            "init_waiting": In(1),
            "state": Out(TransmitterState),
            "oldest": Out(config.seq_bits),
            "next": Out(config.seq_bits),
            "send": Out(config.seq_bits),
            "replays": Out(REPLAY_COUNT_BITS),
            **dict.fromkeys(("is_init", "is_flush", "is_advance", "running"), Out(1)),
            "acked_frame": Out(frame_count_bits(config)),
            "newest_frame": Out(frame_count_bits(config)),
            "accepted": Out(1),
            "drained": Out(1),
            "leaves": Out(1),
            "empty": Out(1, init=1),
            "given_up": Out(1),
            "behind": Out(1),
            "send_is_next": Out(1, init=1),
            "progress": Out(1),
            **dict.fromkeys(("changing", "into_init", "out_of_init"), Out(1)),
            "may_keep": Out(1),
            "must_wait": Out(1),
            **dict.fromkeys(("passes", "drops", "sends", "blocks", "discards"), Out(1)),
            "clear": Out(1),
            "rewind": Out(1),
            "release": Out(1),
            "init": Out(InitRequest(config)),
            "count": Out(COUNTERS),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._unnumbered = place(m, "unnumbered", UnnumberedFrames())
        self._exchange = place(m, "init_exchange", InitExchange(self._config))
        self._counted = place(m, "replay_count", ReplayCount())
        self._declare(m)
        self._acknowledge(m)
        self._decide(m)
        self._change_state(m)
        self._renumber(m)
        self._relate(m)
        self._initialise(m)
        return m

    def _declare(self, m: Module) -> None:
        """State that several rules share, and what it comes to."""
        bits = self._config.seq_bits
        # Most numbers are kept as the number before them: what v is compared with.
        self._acked, self._newest = (
            Signal(bits, name=name, init=(1 << bits) - 1) for name in ("acked", "newest"))
        self._replayed = Signal(bits, name="replayed")
        self._unreleased = Signal(name="unreleased")
        self._restart = Signal(name="restart")
        # A restart is to be carried out, or was in the cycle before.
        self._held = Signal(name="held")
        # In the next cycle, if no kept frame ends in this one; not, if one does.
        self._behind_kept = Signal(name="behind_kept")
        self._overtaken = Signal(name="overtaken")
        # One flip-flop for each state, since all that is decided looks at them.
        self._is_off = Signal(init=1, name="is_off")
        self._is_replay = Signal(name="is_replay")
        here = (self._is_off, self.is_init, self.is_advance, self._is_replay, self.is_flush)
        m.d.comb += [
            self.state.eq(select([(is_here, Const(state.value, 3)) for is_here, state
                                  in zip(here, TransmitterState, strict=True)])),
            self.oldest.eq(self._acked + 1),
            self.acked_frame.eq(self._acked),
            self.newest_frame.eq(self._newest),
        ]

    def _acknowledge(self, m: Module) -> None:
        """ACK and NACK (6.3)."""
        control = self.control
        accepted = self.accepted
        self._none_left = none_left = Signal(name="none_left")
        self._acked_after = Signal(self._config.seq_bits, name="acked_after_control")
        self._window = window = place(m, "ack_window", AckWindow(self._config))
        m.d.comb += [
            window.coming.eq(control.coming),
            window.coming_ack.eq(control.coming_ack),
            window.coming_nack.eq(control.coming_nack),
            window.value.eq(control.value),
            window.acked.eq(self._acked),
            window.newest.eq(self._newest),
            window.next.eq(self.next),
            window.replayed.eq(self._replayed),
            window.numbered.eq(self.numbered),
            accepted.eq(self.running & window.fits),
            self.progress.eq(self.running & window.moves),
            self.leaves.eq(self.running & window.leaves),
            # With none outstanding an ACK leaves none.
            none_left.eq(self.empty | (self.running & window.drains)),
            self._acked_after.eq(Mux(accepted, control.value, self._acked)),
        ]
        remote = self.settings.remote
        m.d.comb += [self.count[counter].eq(event) for counter, event in (
            (Counter.LLR_RX_ACK_CTL_OS, remote & control.ack),
            (Counter.LLR_RX_NACK_CTL_OS, remote & control.nack),
            (Counter.LLR_RX_INIT_ECHO_CTL_OS, remote & control.init_echo),
            (Counter.LLR_RX_CTL_UNKNOWN, (remote | self.settings.local) & control.unknown),
            (Counter.LLR_RX_ACK_NACK_SEQ_ERROR,
             self.running & (control.ack | control.nack) & ~window.fits),
        )]

    def _decide(self, m: Module) -> None:
        """Which rule of 6.4 applies. With ``no_progress`` a frame is outstanding.

        Much waits for it: what is known only in ADVANCE and REPLAY is not asked again whether the
        state is one of them.
        """
        settings, window = self.settings, self._window
        moves, running = window.moves, self.running
        hopeless, ends = Signal(name="hopeless"), Signal(name="ends_unless_again")
        exhausted = self._counted.exhausted
        self._give_up = give_up = Signal(name="give_up")
        self._wanted = wanted = Signal(name="wanted")
        self._turn_off = Signal(name="turn_off")
        self._flush = Signal(name="flush")
        self._replay = Signal(name="replay")
        self._enter_init = Signal(name="enter_init")
        self._establish = Signal(name="establish")
        self._go_back = Signal(name="go_back")
        self._caught_up = Signal(name="caught_up")
        # No frame has begun, and no restart is to be carried out.
        between = ~self._held & ~self.mid & self._is_replay
        m.d.comb += [
            self._turn_off.eq(~settings.remote & ~self._is_off),
            hopeless.eq(self.lost | (self.too_old & ~moves)),
            give_up.eq(running & hopeless),
            # Something is left to be sent again, or too long on its way.
            wanted.eq((window.nacks & (self.is_advance | (self._is_replay & ~window.repeats)))
                      | (self.is_advance & self.no_progress & ~moves)),
            ends.eq(~settings.remote | hopeless | exhausted),
            self._replay.eq(wanted & ~ends),
            self._flush.eq(running & settings.remote & (hopeless | (wanted & exhausted))),
            window.replay.eq(self._replay),
            window.to_advance.eq(self._establish | self.is_advance | self._caught_up),
            # With O free, and none before it, no word of the time before can be taken for one after
            # the INIT.
            self._enter_init.eq(self.free & self._unnumbered.may_begin),
            self._establish.eq(self._unnumbered.establish),
            self.into_init.eq(self._enter_init),
            self.out_of_init.eq(self._establish),
            # Unless a rule before these applies.
            self._go_back.eq(between & self.behind),
            self._caught_up.eq(between & self.send_is_next),
            self.count[Counter.LLR_TX_FLUSH].eq(self._flush),
            self.count[Counter.LLR_TX_REPLAY].eq(self._replay),
        ]

    def _change_state(self, m: Module) -> None:
        settings, give_up = self.settings, self._give_up
        window = self._window
        set_restart = Signal()
        restart, held, keeps = (Signal(name=f"{name}_after") for name in (
            "restart", "held", "keeps"))
        m.d.comb += [
            # As turning off, flushing, replaying and going back come to, but not by way of them.
            # All of it is of ADVANCE and REPLAY.
            set_restart.eq((self.running & ~settings.remote) | give_up | self._wanted
                           | self._go_back),
            self.changing.eq(self._turn_off | self._flush | self._establish | self._enter_init),
            restart.eq(set_restart | (self._restart & self.mid)),
            held.eq(set_restart | self._restart),
            # ``set_restart`` and other changes of the next cycle, by state and by what comes in.
            keeps.eq(settings.coming.remote & ~held & (self._establish | self.running)),
            # Time without progress ends ADVANCE, and a NACK what is sent for the first time: what
            # comes behind it is held.
            self.must_wait.eq(self.lost | window.asks
                              | ((self.no_progress | self.too_old) & ~window.moves)),
        ]
        m.d.sync += [
            self._restart.eq(restart),
            self.clear.eq(restart & ~self.mid_after),
            self.rewind.eq(self.clear),
            self._held.eq(held),
            # What is known last, whether a kept frame ends, chooses last.
            self.may_keep.eq(keeps & ~(self._behind_kept & ~(self.kept_last & self._overtaken))),
        ]
        wanted, exhausted, on = self._wanted, self._counted.exhausted, ~self._turn_off
        goes_on = on & ~give_up
        m.d.sync += [
            self.running.eq(goes_on & (
                self._establish | (self.running & ~(wanted & exhausted)))),
            self._is_off.eq(self._turn_off | (self._is_off & ~self._enter_init)),
            self.is_init.eq(self._enter_init | (on & self.is_init & ~self._establish)),
            self.is_flush.eq(on & (give_up | (wanted & exhausted)
                                    | (self.is_flush & ~self._enter_init))),
            self._is_replay.eq(goes_on & Mux(
                wanted, ~exhausted, self._is_replay & ~self._caught_up)),
            self.is_advance.eq(goes_on & (self._establish | (~wanted & (
                self.is_advance | self._caught_up)))),
        ]
        counted = self._counted
        connect(m, counted.coming, settings.coming)
        m.d.comb += [
            counted.moves.eq(window.moves),
            counted.replay.eq(self._replay),
            counted.clear.eq(self.progress | self._enter_init),
            self.replays.eq(counted.replays),
        ]
        with m.If(self._replay):
            m.d.sync += self._replayed.eq(self._acked_after)

    def _renumber(self, m: Module) -> None:
        """Sequence numbers through ACKs, launches, restarts and INIT."""
        first, bits = self.settings.init_seq, self._config.seq_bits
        acked, value, to_first = self._acked, self.control.value, Signal()
        before_first, after_value, oldest_after = Signal(bits), Signal(bits), Signal(bits)
        m.d.comb += [
            # But for a restart nothing else than INIT changes numbers then.
            to_first.eq(~self.running & ~self.mid),
            before_first.eq(first - 1),
            after_value.eq(value + 1),
            oldest_after.eq(Mux(self.accepted, after_value, self.oldest)),
        ]
        # Whether a number changes is known late; what to, with an INIT or without, is ready.
        may_begin = self._unnumbered.may_begin
        with m.If(self.clear | (self.free & (self.ends | may_begin))):
            m.d.sync += self.send.eq(Mux(
                self.clear, Mux(self._is_replay, oldest_after, self.next),
                Mux(to_first, first, self.send + 1)))
        with m.If(self.free & ((self.ends & self.send_is_next) | may_begin)):
            m.d.sync += [
                self.next.eq(Mux(to_first, first, self.next + 1)),
                self._newest.eq(Mux(to_first, before_first, self.next)),
            ]
        with m.If(self.given_up | self.accepted | self._enter_init):
            m.d.sync += acked.eq(Mux(self.given_up, self._newest, Mux(
                to_first, before_first, value)))

    def _relate(self, m: Module) -> None:
        """How the numbers stand to each other, kept as they change."""
        value, send = self.control.value, self.send
        given_up, unreleased = self.given_up, Signal()
        behind, overtaken = self._behind_kept, self._overtaken
        m.d.comb += [
            given_up.eq(self.clear & ~self._is_replay),
            self.drained.eq(self._none_left | given_up),
            self.release.eq(self._unreleased & ~self.behind & ~self.clear),
            unreleased.eq(self.progress | Mux(
                given_up, self._unreleased | ~self.empty, self._unreleased & ~self.release)),
            # An ACK goes past the frame that is launched next, unless this ends in the cycle.
            behind.eq(~self.clear & Mux(self.progress, ~is_before(value, send), self.behind)),
            overtaken.eq(Mux(self.progress, is_same(send, value), is_same(send, self._acked))),
        ]
        m.d.sync += [
            self.behind.eq(behind & ~(self.kept_last & overtaken)),
            # An INIT begins when no frame is outstanding.
            self.empty.eq(self.drained & ~self.numbered),
            self._unreleased.eq(unreleased),
        ]
        with m.If(self.clear | self.kept_last):
            m.d.sync += self.send_is_next.eq(Mux(
                self.clear, self.drained, self.send_is_next | (send == self._newest)))

    def _initialise(self, m: Module) -> None:
        """INIT and its echo (6.4), and frames without a number."""
        exchange, unnumbered, on = self._exchange, self._unnumbered, ~self._turn_off
        for part in (exchange.settings, self.settings), (exchange.control, self.control), (
                self.init, exchange.request), (unnumbered.coming, self.settings.coming):
            connect(m, *part)
        m.d.comb += [
            exchange.next.eq(self.next),
            exchange.is_init.eq(self.is_init),
            exchange.stays.eq(self.is_init & on),
            exchange.enter_init.eq(self._enter_init),
            exchange.sent.eq(self.init_sent),
            unnumbered.is_init.eq(self.is_init),
            unnumbered.is_flush.eq(self.is_flush),
            unnumbered.stays_off.eq(self._is_off | (self._turn_off & ~self.running)),
            unnumbered.stays_init.eq(self.is_init & on & ~self._establish),
            unnumbered.stays_flush.eq(self.is_flush & on),
            unnumbered.enter_init.eq(self._enter_init),
            unnumbered.echo_seen.eq(exchange.seen),
            unnumbered.mid.eq(self.mid),
            unnumbered.launched.eq(self.launched),
            # Outside of ADVANCE and REPLAY nothing becomes unreleased without a restart.
            unnumbered.settles.eq(~self._unreleased & ~self._restart),
            unnumbered.lost.eq(self.lost),
            unnumbered.changed.eq(self.changed),
            unnumbered.init_waiting.eq(self.init_waiting),
            *(getattr(self, name).eq(getattr(unnumbered, name))
              for name in ("passes", "drops", "sends", "blocks", "discards")),
        ]
