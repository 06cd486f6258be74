# SPDX-License-Identifier: Apache-2.0
"""Sequence numbers and states of the transmit side of link-level retry."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, unsigned
from amaranth.lib import enum, wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.ordered_set import DATA_BITS
from gavel_model.register_map import COUNTERS, Counter
from gavel_rtl.ack_window import AckWindow, is_before
from gavel_rtl.block import connect, place
from gavel_rtl.frame_record import frame_count_bits
from gavel_rtl.lib.one_hot import select
from gavel_rtl.llr_interfaces import (
    REPLAY_COUNT_BITS,
    ControlSet,
    InitRequest,
    LlrSettings,
)
from gavel_rtl.unnumbered import UnnumberedFrames

_NO_LIMIT = (1 << REPLAY_COUNT_BITS) - 1


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
    no_progress, lost, changed, too_old, timed_out
        From `LlrTimers`.
    mid, mid_after
        A frame has begun and not ended; the same of the next cycle.
    kept_last, numbered
        The last word of a kept frame is launched; for the first time.
    ends
        It is if O is free.
    free
        Register O is empty or taken in this cycle.
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
            "timed_out": In(1),
            "mid": In(1),
            "mid_after": In(1),
            "kept_last": In(1),
            "ends": In(1),
            "numbered": In(1),
            "free": In(1),
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
        self._echo_seen = Signal(name="echo_seen")
        # No frame has begun, and no restart is to be carried out, or was in the cycle before.
        self._between = Signal(name="between", init=1)
        # In the next cycle, if no kept frame ends in this one, or if one does.
        self._behind_after = Signal(2, name="behind_after")
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
        self._nacked = Signal(name="nacked")
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
            none_left.eq(Mux(accepted, ~window.leaves, self.empty)),
            self._acked_after.eq(Mux(accepted, control.value, self._acked)),
            # Something is left to be sent again.
            self._nacked.eq(self.running & window.nacks),
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
        """Which rule of 6.4 applies. With ``no_progress`` a frame is outstanding."""
        settings = self.settings
        again = Signal(name="again")
        self._exhausted = exhausted = Signal(name="exhausted")
        self._give_up = give_up = Signal(name="give_up")
        self._wanted = wanted = Signal(name="wanted")
        self._turn_off = Signal(name="turn_off")
        self._flush = Signal(name="flush")
        self._replay = Signal(name="replay")
        self._enter_init = Signal(name="enter_init")
        self._establish = Signal(name="establish")
        self._go_back = Signal(name="go_back")
        self._caught_up = Signal(name="caught_up")
        m.d.comb += [
            self._turn_off.eq(~settings.remote & ~self._is_off),
            give_up.eq(self.running & (self.lost | (self.too_old & ~self.progress))),
            wanted.eq(
                (self.is_advance & (self._nacked | (
                    self.no_progress & ~self.progress)))
                | (self._is_replay & self._nacked & ~self._window.repeats)),
            again.eq(wanted & ~self._turn_off & ~give_up),
            self._flush.eq((give_up & ~self._turn_off) | (again & exhausted)),
            self._replay.eq(again & ~exhausted),
            self._window.replay.eq(self._replay),
            self._window.to_advance.eq(self._establish | self.is_advance | self._caught_up),
            # With O free no word of the time before can be taken for one after the INIT.
            self._enter_init.eq(self._unnumbered.may_begin & self.free),
            self._establish.eq(self._unnumbered.establish),
            self.into_init.eq(self._enter_init),
            self.out_of_init.eq(self._establish),
            # Unless a rule before these applies.
            self._go_back.eq(self._between & self._is_replay & self.behind),
            self._caught_up.eq(self._between & self._is_replay & self.send_is_next),
            self.count[Counter.LLR_TX_FLUSH].eq(self._flush),
            self.count[Counter.LLR_TX_REPLAY].eq(self._replay),
        ]

    def _change_state(self, m: Module) -> None:
        settings, give_up = self.settings, self._give_up
        window = self._window
        set_restart, crosses_init = Signal(), Signal()
        restart, held, keeps = (Signal(name=f"{name}_after") for name in (
            "restart", "held", "keeps"))
        m.d.comb += [
            crosses_init.eq(
                self._enter_init | self._establish | (self._turn_off & self.is_init)),
            # As turning off, flushing, replaying and going back come to, but not by way of them.
            # All of it is of ADVANCE and REPLAY.
            set_restart.eq((self.running & ~settings.remote) | give_up | self._wanted
                           | self._go_back),
            self.changing.eq(self._turn_off | self._flush | crosses_init),
            restart.eq(set_restart | (self._restart & self.mid)),
            held.eq(set_restart | self._restart),
            # ``set_restart`` and ``crosses_init`` of the next cycle, by state and by what comes in.
            keeps.eq(settings.coming.remote & ~held & (self._establish | self.running)),
            # Time without progress ends ADVANCE, and what comes behind it is held.
            self.must_wait.eq(self.lost | (self.timed_out & ~window.moves)),
        ]
        may_keep = (keeps & ~self._behind_after[0] & ~window.asks[0],
                    keeps & ~self._behind_after[1]
                    & ~Mux(self.send_is_next, window.asks[1], window.asks[0]))
        m.d.sync += [
            self._restart.eq(restart),
            self.clear.eq(restart & ~self.mid_after),
            self.rewind.eq(self.clear),
            self._between.eq(~held & ~self.mid_after),
            # What is known last, whether O is free, chooses last.
            self.may_keep.eq(Mux(self.free, Mux(self.ends, may_keep[1], may_keep[0]),
                                 may_keep[0])),
        ]
        self._count_replays(m)
        wanted, exhausted, on = self._wanted, self._exhausted, ~self._turn_off
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

    def _count_replays(self, m: Module) -> None:
        """Replays without progress, and whether they may be no more."""
        limit, replay = self.settings.coming.replay_count, self._replay
        reached, none, one_more = Signal(), Signal(), Signal(REPLAY_COUNT_BITS)
        m.d.comb += [
            one_more.eq(Mux(self.replays == _NO_LIMIT, _NO_LIMIT, self.replays + 1)),
            self._exhausted.eq(Mux(self.progress, none, reached)),
        ]
        cleared = self.progress | self._enter_init
        m.d.sync += [
            none.eq(limit == 0),
            reached.eq((limit != _NO_LIMIT) & Mux(
                replay, Mux(self.progress, limit <= 1, one_more >= limit),
                Mux(cleared, limit == 0, self.replays >= limit))),
            self.replays.eq(Mux(replay, Mux(self.progress, 1, one_more),
                                Mux(cleared, 0, self.replays))),
        ]
        with m.If(replay):
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
        with m.If(self.clear | self.kept_last | self._enter_init):
            m.d.sync += self.send.eq(Mux(
                self.clear, Mux(self._is_replay, oldest_after, self.next),
                Mux(to_first, first, self.send + 1)))
        with m.If(self.numbered | self._enter_init):
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
        behind, overtaken = Signal(name="behind_before"), Signal(name="overtaken")
        m.d.comb += [
            given_up.eq(self.clear & ~self._is_replay),
            self.drained.eq(self._none_left | given_up),
            self.release.eq(self._unreleased & ~self.behind & ~self.clear),
            unreleased.eq(self.progress | Mux(
                given_up, self._unreleased | ~self.empty, self._unreleased & ~self.release)),
            # An ACK goes past the frame that is launched next, unless this ends in the cycle.
            behind.eq(~self.clear & Mux(self.progress, ~is_before(value, send), self.behind)),
            overtaken.eq(Mux(self.progress, send == value, send == self._acked)),
            self._behind_after.eq(Cat(behind, behind & ~overtaken)),
        ]
        m.d.sync += [
            self.behind.eq(Mux(self.kept_last, self._behind_after[1], self._behind_after[0])),
            # An INIT begins when no frame is outstanding.
            self.empty.eq(self.drained & ~self.numbered),
            self._unreleased.eq(unreleased),
        ]
        with m.If(self.clear | self.kept_last):
            m.d.sync += self.send_is_next.eq(Mux(
                self.clear, self.drained, self.send_is_next | (send == self._newest)))

    def _initialise(self, m: Module) -> None:
        """INIT and its echo (6.4)."""
        init, control = self.init, self.control
        answered = Signal(name="answered")
        m.d.comb += answered.eq(control.init_echo & (control.value == self.next)
                                & (control.data == init.data))
        # Times that INIT was entered before this one; -1 until the first.
        earlier = Signal(DATA_BITS, init=-1 & (1 << DATA_BITS) - 1)
        m.d.comb += init.seq.eq(self.next)
        # INIT does not end well before the echo.
        m.d.sync += init.request.eq(self._enter_init | (
            self.is_init & ~self._turn_off & ~self._echo_seen & ~answered))
        # One more is added in the place below both numbers. What stands here outside of INIT is for
        # the next one, whether it begins in this cycle or not.
        m.d.sync += init.data.eq(
            (Cat(1, self.settings.coming.init_data) + Cat(~self.is_init, earlier))[1:])
        with m.If(self._enter_init):
            m.d.sync += earlier.eq(earlier + 1)
        with m.If(~self.is_init):
            m.d.sync += [init.first.eq(1), self._echo_seen.eq(0)]
        with m.Else():
            with m.If(self.init_sent):
                m.d.sync += init.first.eq(0)
            with m.If(answered):
                m.d.sync += self._echo_seen.eq(1)
        unnumbered, on = self._unnumbered, ~self._turn_off
        connect(m, unnumbered.coming, self.settings.coming)
        m.d.comb += [
            unnumbered.is_init.eq(self.is_init),
            unnumbered.is_flush.eq(self.is_flush),
            unnumbered.stays_off.eq(self._is_off | (self._turn_off & ~self.running)),
            unnumbered.stays_init.eq(self.is_init & on & ~self._establish),
            unnumbered.stays_flush.eq(self.is_flush & on),
            unnumbered.enter_init.eq(self._enter_init),
            unnumbered.echo_seen.eq(self._echo_seen | answered),
            unnumbered.mid.eq(self.mid),
            # Outside of ADVANCE and REPLAY nothing becomes unreleased without a restart.
            unnumbered.settles.eq(~self._unreleased & ~self._restart),
            unnumbered.lost.eq(self.lost),
            unnumbered.changed.eq(self.changed),
            unnumbered.init_waiting.eq(self.init_waiting),
            *(getattr(self, name).eq(getattr(unnumbered, name))
              for name in ("passes", "drops", "sends", "blocks", "discards")),
        ]
