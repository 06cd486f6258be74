# SPDX-License-Identifier: Apache-2.0
"""Goodput of go-back-N by the rules of link-level retry, computed and not simulated.

A sender at line rate with frames of n words, each frame hit with probability p on its way. A frame
that arrives well costs n cycles. The first failure of a frame costs the loop: until the NACK is
back everything sent is thrown away. The receiver asks once for each gap, so every further failure
of the same frame costs the replay of all that is outstanding, and then the replay timer.

How much is outstanding follows from what was sent before, so the number of frames that are to be
sent again is the state of a Markov chain, seen at the first attempt of each frame: a success takes
one away, the first failure leaves at least what the loop holds, and each further failure adds what
is sent while the timer runs, up to the window. Its stationary distribution is found by equal flows
over each cut of the chain, and the time per delivered frame is a mean over it (a renewal argument
as for go-back-N in Bertsekas and Gallager, Data Networks, 2.4.2, with one repeat request per gap
instead of one per frame). Errors on the way back are not part of it.
"""

from __future__ import annotations

from dataclasses import dataclass

NACK_TO_REPLAY = 7
"""Cycles from a NACK on the receive pins to the first replayed word on the transmit pins, if no
frame is under way, without pipeline options (docs/llr.md, Restart)."""

_RESTART_TO_PINS = 4
_NACK_TO_RESTART = NACK_TO_REPLAY - _RESTART_TO_PINS
_TIMER_TO_RESTART = 2
_NEGLIGIBLE = 1e-12


@dataclass(frozen=True, kw_only=True)
class GoBackN:
    """One sender, receiver and link.

    Attributes
    ----------
    frame_words
        Words of a frame, n; on the segment interface frames follow each other without a gap.
    loop_cycles
        Cycles from the last word of a frame on the sender's transmit pins to the ordered set that
        answers it on the sender's receive pins, and ``receive_stages`` and ``launch_stages`` of
        the sender.
    window_frames
        Frames that may be outstanding.
    replay_timer
        Register ``LLR_REPLAY_TIMER``, cycles.
    """

    frame_words: int
    loop_cycles: int
    window_frames: int
    replay_timer: int

    def goodput(self, word_error: float) -> float:
        """Delivered words per cycle, 0...1.

        Parameters
        ----------
        word_error
            Probability that a word is hit; a frame is lost if any of its words is.
        """
        n = self.frame_words
        p = 1.0 - (1.0 - word_error) ** n
        return n / self._cycles_per_frame(p)

    @property
    def _sent_in_loop(self) -> int:
        """Frames sent after one that has failed, until the replay begins."""
        return -(-(self.loop_cycles + _NACK_TO_RESTART) // self.frame_words)

    @property
    def _sent_in_timer(self) -> int:
        """Frames sent while the timer runs, as far as the window lets them."""
        return -(-(self.replay_timer + _TIMER_TO_RESTART) // self.frame_words)

    def _cycles_per_frame(self, p: float) -> float:
        n, window = self.frame_words, self.window_frames
        # Without errors a window smaller than the loop opens once per loop.
        clean = max(float(n), (self.loop_cycles + n) / window)
        # A restart waits for the frame under way, unless the window has closed.
        lost = self._sent_in_loop * n
        if 1 + self._sent_in_loop > window:
            lost = self.loop_cycles + _NACK_TO_RESTART
        total = clean + p * (lost + _RESTART_TO_PINS - 1 + n)
        if p:
            total += sum(share * self._repeats(p, max(again, self._least))
                         for again, share in enumerate(self._distribution(p)))
        return total

    @property
    def _least(self) -> int:
        """Frames that are sent again after a first failure, at least."""
        return min(self.window_frames, 1 + self._sent_in_loop)

    def _repeats(self, p: float, again: int) -> float:
        """Mean cycles that second and further failures of a frame cost, with ``again`` frames to be
        sent again after its first."""
        n, window, more = self.frame_words, self.window_frames, self._sent_in_timer
        total, weight = 0.0, p * p
        while weight > _NEGLIGIBLE:
            full = again + more > window
            wait = self.replay_timer + _TIMER_TO_RESTART if full else more * n
            total += weight * (again * n + wait + _RESTART_TO_PINS - 1)
            if full:
                # The window stays full: the rest is a geometric series.
                rest = window * n + self.replay_timer + _TIMER_TO_RESTART + _RESTART_TO_PINS - 1
                return total + weight * p / (1.0 - p) * rest
            again += more
            weight *= p
        return total

    def _distribution(self, p: float) -> list[float]:
        """Shares of the numbers of frames to be sent again, the first attempt of a frame included,
        at these attempts: 0, 1, ... up to where they are negligible, at most window - 1."""
        q, least, more = 1.0 - p, self._least, self._sent_in_timer
        shares = [1.0]
        below = [0.0, 1.0]  # below[n]: sum of the first n shares
        for state in range(1, self.window_frames):
            # Upwards over the cut below ``state``: so many failures in a row, from where few or
            # none are to be sent again, and from each stretch of ``more`` numbers above that.
            few = below[min(state, least + 1)]
            flow = few * p ** (1 + max(0, -(-(state + 1 - least) // more)))
            end, failures = state, 2
            while end > least + 1 and p**failures > _NEGLIGIBLE:
                start = max(least + 1, end - more)
                flow += (below[end] - below[start]) * p**failures
                end, failures = start, failures + 1
            if state > least and flow < _NEGLIGIBLE * below[-1]:
                break
            shares.append(flow / (q if state < least else q + p * q))
            below.append(below[-1] + shares[-1])
        total = sum(shares)
        return [share / total for share in shares]
