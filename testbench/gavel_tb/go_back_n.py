# SPDX-License-Identifier: Apache-2.0
"""Goodput of go-back-N by the rules of link-level retry, computed and not simulated.

A sender at line rate with frames of n words, each frame hit with probability p on its way. A frame
that arrives well costs n cycles. The first failure of a frame costs the loop: until the NACK is
back everything sent is thrown away. The receiver asks once for each gap, so every further failure
of the same frame costs the replay of all that is outstanding, and then the replay timer. Frames
fail independently of one another, so the time per delivered frame is

    E = n + p C1 + p**2 C2[1] + p**3 C2[2] + ...

(a renewal argument as in Bertsekas and Gallager, Data Networks, 2.4.2, with one repeat request per
gap instead of one per frame). Errors on the way back are not part of it.
"""

from __future__ import annotations

from dataclasses import dataclass

NACK_TO_REPLAY = 7
"""Cycles from a NACK on the receive pins to the first replayed word on the transmit pins, if no
frame is under way (docs/llr.md, Restart)."""

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
        answers it on the sender's receive pins.
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

    def _cycles_per_frame(self, p: float) -> float:
        n, window = self.frame_words, self.window_frames
        # Without errors a window smaller than the loop opens once per loop.
        clean = max(float(n), (self.loop_cycles + n) / window)
        sent_in_loop = -(-(self.loop_cycles + _NACK_TO_RESTART) // n)
        outstanding = min(window, 1 + sent_in_loop)
        # A restart waits for the frame under way, unless the window has closed.
        lost = self.loop_cycles + _NACK_TO_RESTART
        if 1 + sent_in_loop <= window:
            lost = sent_in_loop * n
        total = clean + p * (lost + _RESTART_TO_PINS - 1 + n)
        weight = p * p
        while weight > _NEGLIGIBLE:
            wait = self.replay_timer + _TIMER_TO_RESTART
            more = -(-wait // n)
            full = outstanding + more > window
            total += weight * (
                outstanding * n + (wait if full else more * n) + _RESTART_TO_PINS - 1
            )
            outstanding = min(window, outstanding + more)
            weight *= p
        return total
