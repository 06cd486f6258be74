# SPDX-License-Identifier: Apache-2.0
"""Transmitter of link-level retry (docs/llr.md, LlrTransmitter)."""

from __future__ import annotations

from collections.abc import Callable

from gavel_model.config import SwitchConfig
from gavel_model.counters import Counters
from gavel_model.link_tx import LinkTx
from gavel_model.llr_handshake import LlrHandshake
from gavel_model.llr_settings import LlrSettings
from gavel_model.llr_timers import SENDING, LlrTimers, TransmitterState
from gavel_model.llr_window import LlrWindow
from gavel_model.ordered_set import Kind, OrderedSet
from gavel_model.outgoing_frame import OutgoingFrame
from gavel_model.pins import TxPins
from gavel_model.register_map import Action, Counter
from gavel_model.replay_buffer import Launch, ReplayBuffer

_OFF = TransmitterState.OFF
_INIT = TransmitterState.INIT
_ADVANCE = TransmitterState.ADVANCE
_REPLAY = TransmitterState.REPLAY
_FLUSH = TransmitterState.FLUSH

UNSENT_LIMIT = 8
"""Words written and not launched from which on no more frames are matched."""

_MOST_REPLAYS = 255


class LlrTransmitter:
    """Stands between `Egress` and `LinkTx`: numbers frames, keeps them, and sends them again.

    In a cycle `matched` comes first, if there is a match for this output; then `take`, if an
    ordered set takes effect; then `step`.

    Attributes
    ----------
    buffer, window, handshake, timers
        The frames and their reader; sequence numbers; LLR_INIT; timers.
    state, replays
        As the specification says.
    replay_from
        ``oldest`` when the latest replay was asked for.
    restart, loading
        The reader is to go back, its address is being set.
    link
        The link is up.
    hold
        No frame may be matched to this output.
    asleep
        A step would change nothing, unless it brings a word, an ordered set or a change of the
        link. A new setting ends it.
    on_advance
        Called with the cycle at whose end the state goes from INIT to ADVANCE.
    """

    __slots__ = (
        "_back_to_back", "_counters", "_held", "_late", "_launch_stages", "_link_tx", "_max_words",
        "_passing", "_received", "_settings", "asleep", "buffer", "handshake", "hold", "link",
        "loading", "on_advance", "replay_from", "replays", "restart", "state", "timers", "window",
    )

    def __init__(
        self, config: SwitchConfig, settings: LlrSettings, counters: Counters, link_tx: LinkTx
    ) -> None:
        self._max_words = config.max_frame_words
        self._late = config.gate_stages
        self._launch_stages = config.launch_stages
        # A frame may be matched in the cycle after another.
        self._back_to_back = config.words_per_cell == 1
        self._settings = settings
        self._counters = counters
        self._link_tx = link_tx
        self.buffer = buffer = ReplayBuffer(config, link_tx)
        self.window = LlrWindow(config, buffer)
        self.handshake = LlrHandshake(settings)
        self.timers = LlrTimers()
        self.on_advance: Callable[[int], None] = lambda _: None
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self.buffer.reset()
        self.window.reset()
        self.handshake.reset()
        self.timers.reset()
        self.state = _OFF
        self.replays = 0
        self.replay_from = 0
        self.restart = False
        self.loading = False
        self.link = False
        self._received: OrderedSet | None = None
        self.hold = False
        # Of the cycle after the next, with two stages.
        self._held = [False] * (self._late - 1)
        self.settings_changed()

    @property
    def init_request(self) -> bool:
        """LLR_INIT is to be sent."""
        return self.state is _INIT and not self.handshake.echo_seen

    @property
    def action(self) -> Action:
        """The action in force, in INIT and FLUSH."""
        return self._settings.action(self.state is _INIT, self.timers.down_time)

    def matched(self) -> None:
        """A frame is matched to this output."""
        self.buffer.matched()
        if self._late:
            self.asleep = False
        else:
            self.hold = self._holding(0)

    def take(self, item: OrderedSet) -> None:
        """A valid ACK, NACK or INIT_ECHO takes effect in this cycle."""
        if self.state is not _OFF:
            self._received = item
            self.asleep = False

    def settings_changed(self) -> None:
        """New settings are visible from the next cycle on."""
        self._look_whether_passing()
        if not self._late:
            self.hold = self._holding(0)
        self.asleep = False

    def step(
        self, now: int, word: TxPins | None, frame: OutgoingFrame | None, ready: int, link: bool
    ) -> None:
        """One cycle: ``now`` cycles since reset, with the word that `Egress` gives and its frame
        (or None) and pin ``ready`` (0 or not 0). ``link``, whether the link is up on the pins,
        counts from the next cycle on."""
        buffer = self.buffer
        hold = self._late > 0 and self._holding(self._matches_not_counted())
        free = ready or self._link_tx.word is None
        if free and self._launch_stages:
            buffer.show()
        if self._passing:
            buffer.pass_on(free)
        elif not self._advance(now, free):
            self._run(now, free)
        self.link = link
        if word is not None and frame is not None:
            buffer.write(word, frame)
        self.asleep = not buffer.busy and self._at_rest()
        if self._late:
            buffer.reserve()
            self._held.append(hold)
            self.hold = self._held.pop(0)
            if any(buffer.uncounted) or not self.hold == hold == self._holding(0):
                self.asleep = False
        else:
            self.hold = self._holding(0)

    def _matches_not_counted(self) -> int:
        """Matches that are not in ``used`` and ``waiting`` as visible in the cycle, and can have
        been made before one that it is to hold back: q of the specification."""
        now, *before = self.buffer.uncounted
        return sum(before) + (self._back_to_back and now)

    def _holding(self, coming: int) -> bool:
        """What ``hold`` is to be by what is visible, with ``coming`` frames that are not counted
        yet."""
        settings = self._settings
        buffer = self.buffer
        return (
            buffer.unsent >= UNSENT_LIMIT
            or buffer.used + (coming + 1) * self._max_words > settings.window_words
            or self.window.outstanding + buffer.waiting + coming >= settings.window_frames
            or ((self.state is _INIT or self.state is _FLUSH) and self.action is Action.BLOCK)
        )

    def _look_whether_passing(self) -> None:
        """Off, with nothing left of the time before: frames pass, and nothing else happens."""
        buffer = self.buffer
        self._passing = (
            self.state is _OFF and self.window.settled
            and not (self._settings.remote or self.restart or self.loading)
            and not (buffer.mid and buffer.decision is not Launch.PLAIN)
        )

    def _at_rest(self) -> bool:
        """Whether the next step does nothing, if there are no words."""
        if self.state is _ADVANCE:
            return (not self.window.outstanding and self.window.settled and self.link
                    and not self.timers.down_time and self._settings.remote)
        return self._passing

    def _advance(self, now: int, free: object) -> bool:
        """The work of `_run` in ADVANCE when nothing but words moves; returns whether that is so,
        and does nothing if it is not."""
        window = self.window
        if (
            self.state is not _ADVANCE or self._received is not None or not self.link
            or window.released != window.oldest or window.freeing or self.timers.down_time
            or not self._settings.remote or self._replay_wanted(False, False)
            or window.too_old(now, self._settings.data_age)
        ):
            return False
        sent_all = window.oldest == window.next
        self._launch(now, Launch.KEEP, free)
        self.buffer.fetch(window.index)
        self.timers.step(_ADVANCE, _ADVANCE, sent_all, True)
        window.watched = None if sent_all else window.oldest
        return True

    def _run(self, now: int, free: object) -> None:
        window = self.window
        # As visible in the cycle; attributes of these names become the next values.
        state, oldest, behind, settled = self.state, window.oldest, window.behind, window.settled
        restarting = self.restart and not self.buffer.mid
        sent_all, action = oldest == window.next, self.action
        echo_seen = self.handshake.echo_seen
        progress, nack = self._receive()
        after, asked = self._decide(now, behind, settled, free, echo_seen, progress, nack)
        initialising = after is not state and _INIT in (after, state)
        blocked = self.restart or self.loading or asked or initialising
        decision = (Launch.WAIT if blocked
                    else self._first_word(action, behind, settled, free))
        self._launch(now, decision, free)
        if not (self.loading or restarting):
            self.buffer.fetch(window.index)
        window.release(oldest, not (behind or restarting))
        if restarting:
            self.buffer.held = False
            window.rewind(state is _REPLAY)
        self.restart = asked or (self.restart and not restarting)
        self.loading = restarting
        self.timers.step(state, after, sent_all or progress, self.link)
        window.watched = None if sent_all else oldest
        self.state = after
        if after is _ADVANCE and state is _INIT:
            self.on_advance(now)
        if after is _INIT and state is not _INIT:
            window.begin_at(self._settings.init_seq)
            self.handshake.begin()
            self.replays = 0
        self._look_whether_passing()

    def _receive(self) -> tuple[bool, bool]:
        """The ordered set of the cycle: whether there is progress, and an accepted NACK."""
        item, self._received = self._received, None
        if item is None:
            return False, False
        if item.kind is Kind.INIT_ECHO:
            if self.state is _INIT and self.handshake.fits(item, self.window.next):
                self.handshake.echo_seen = True
            return False, False
        if self.state not in SENDING:
            return False, False
        new = self.window.acknowledge(item.value)
        if new is None:
            self._counters.add(Counter.LLR_RX_ACK_NACK_SEQ_ERROR, 1)
            return False, False
        if new:
            self.replays = 0
        return new > 0, item.kind is Kind.NACK

    def _decide(
        self, now: int, behind: bool, settled: bool, free: object, echo_seen: bool,
        progress: bool, nack: bool,
    ) -> tuple[TransmitterState, bool]:
        """State after the cycle, and whether it sets ``restart``.

        The arguments are as visible in the cycle, the window after the ACK or NACK.
        """
        settings = self._settings
        state = self.state
        if not settings.remote and state is not _OFF:
            return _OFF, state in SENDING
        if state in SENDING:
            silent = settings.peer_is_silent(self.timers.down_time)
            if silent or (not progress and self.window.too_old(now, settings.data_age)):
                return self._flush()
            if self._replay_wanted(progress, nack):
                return self._replay()
        if self.buffer.mid or self.restart or self.loading:
            return state, False
        if state is _OFF or state is _FLUSH:
            quiet = settled and free and not self.buffer.launching
            return (_INIT if self._starts() and quiet else state), False
        if state is _INIT:
            agreed = echo_seen and settled and not self._link_tx.init_waiting
            return (_ADVANCE if agreed else state), False
        if state is _REPLAY and not behind and self.window.send == self.window.next:
            return _ADVANCE, False
        return state, state is _REPLAY and behind

    def _replay_wanted(self, progress: bool, nack: bool) -> bool:
        window = self.window
        if not window.outstanding:
            return False
        if self.state is _REPLAY:
            return nack and window.oldest != self.replay_from
        limit = self._settings.replay_timer
        return nack or (0 < limit <= self.timers.replay_time and not progress)

    def _replay(self) -> tuple[TransmitterState, bool]:
        if self._settings.replays_are_over(self.replays):
            return self._flush()
        self.replays = min(self.replays + 1, _MOST_REPLAYS)
        self.replay_from = self.window.oldest
        self._counters.add(Counter.LLR_TX_REPLAY, 1)
        return _REPLAY, True

    def _flush(self) -> tuple[TransmitterState, bool]:
        self._counters.add(Counter.LLR_TX_FLUSH, 1)
        return _FLUSH, True

    def _starts(self) -> bool:
        """In OFF and FLUSH: INIT is what comes next."""
        settings = self._settings
        return bool(settings.remote and (self.state is _OFF or settings.reinit))

    def _first_word(self, action: Action, behind: bool, settled: bool, free: object) -> Launch:
        """What is done with a frame whose first word is in B."""
        if self.state in SENDING:
            return Launch.KEEP if self.link and not behind else Launch.WAIT
        if not settled or (free and self.state is not _INIT and self._starts()):
            return Launch.WAIT
        if self.state is _OFF or action is Action.BEST_EFFORT:
            return Launch.PLAIN
        return Launch.DROP if action is Action.DISCARD else Launch.WAIT

    def _launch(self, now: int, decision: Launch, free: object) -> None:
        buffer = self.buffer
        window = self.window
        if not buffer.launch(decision, window.index, window.send, free):
            return
        if buffer.decision is not Launch.KEEP:
            buffer.forget()
            if buffer.decision is Launch.DROP:
                self._counters.add(Counter.LLR_TX_DISCARD, 1)
            return
        counter = Counter.LLR_TX_POISONED if buffer.frame.poisoned else Counter.LLR_TX_OK
        self._counters.add(counter, 1)
        if buffer.first:
            buffer.keep(now)
        window.sent(buffer.first)
