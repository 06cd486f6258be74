# SPDX-License-Identifier: Apache-2.0
"""End-to-end check that does not ask the model.

Every frame that must arrive does so at the right port, once, in the order of its (source,
destination, VC), with its payload and a good FCS; its TTL is one less, and its ECN is what it was
or, where the input port may mark, 11. Nothing else arrives. A frame may be missing only if the
counter of frames that found no cell says so, and the other counters say what was put in.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections import deque
from collections.abc import Sequence
from typing import Any, Protocol

from gavel_model.config import FCS_BYTES, SwitchConfig
from gavel_model.frame import fcs, join_words, read_field
from gavel_model.pins import Inputs, RxPins, TxPins
from gavel_model.profiles import PROFILES
from gavel_model.register_map import Counter
from gavel_tb.frames import (
    NUMBER_BYTES,
    NUMBER_OFFSET,
    Edit,
    SentFrame,
    judge_edit,
    plain_body,
)
from gavel_tb.known_state import KnownState
from gavel_tb.stimulus import CheckError

_COUNTED = (
    Counter.RX_ERR,
    Counter.RX_UNDERSIZE,
    Counter.RX_OVERSIZE,
    Counter.RX_FCS,
    Counter.RX_MAC_CONTROL,
    Counter.RX_HEADER,
    Counter.RX_TTL,
    Counter.RX_NO_ROUTE,
    Counter.RX_FRAGMENT,
    Counter.RX_STRAY_WORDS,
    Counter.RX_CTL_OS,
)
_LINK_REASONS = (Counter.RX_ERR, Counter.RX_UNDERSIZE, Counter.RX_OVERSIZE, Counter.RX_FCS)


class FrameStarts(Protocol):
    """The stimulus, as far as the scoreboard asks it."""

    @property
    def starts(self) -> Sequence[SentFrame | None]:
        """For each port the frame whose first word is on the pins in this cycle."""
        ...


class _Input:
    """One input: what is open on the link, and what is under way."""

    def __init__(self) -> None:
        self.open = False
        self.frame: SentFrame | None = None
        self.expected: Tally[Counter] = Tally()
        self.accepted = 0
        self.arrived = 0
        self.arrived_bytes = 0
        self.loose = 0
        self.order: dict[tuple[int, int], deque[SentFrame]] = {}


class _Output:
    """What has come out of one output."""

    def __init__(self) -> None:
        self.frames = 0
        self.bytes = 0
        self.marked = 0
        self.loose = 0


class Scoreboard:
    """Observer of one run.

    Parameters
    ----------
    config
        The switch.
    known
        Kept up to date by the scoreboard from the register pins.
    stimulus
        Tells which frames begin.
    """

    def __init__(self, config: SwitchConfig, known: KnownState, stimulus: FrameStarts) -> None:
        self.config = config
        self.known = known
        self._stimulus = stimulus
        self._words: list[list[int]] = [[] for _ in range(config.ports)]
        self.delivered = 0
        self.delivered_bytes = 0
        self.dropped = 0
        self._clear()

    def _clear(self) -> None:
        """Forgets what a reset loses."""
        ports = self.config.ports
        self._inputs = [_Input() for _ in range(ports)]
        self._where: dict[int, tuple[SentFrame, int, int]] = {}
        self._loose: dict[int, SentFrame] = {}
        self._outputs = [_Output() for _ in range(ports)]
        for words in self._words:
            words.clear()

    @property
    def outstanding(self) -> int:
        """Frames that may still arrive."""
        return len(self._where) + len(self._loose)

    def observe(self, cycle: int, inputs: Inputs, tx: Sequence[TxPins]) -> None:
        """Checks one cycle."""
        ready = inputs.ready
        for port, pins in enumerate(tx):
            if pins.valid and ready >> port & 1:
                self._transmitted(port, pins)
        if inputs.reset:
            self._clear()
            self.known.reset(cycle)
            return
        self.known.write(cycle, inputs.register)
        starts = self._stimulus.starts
        for port, received in enumerate(inputs.rx):
            if received.valid or received.ctl_valid or self._inputs[port].open:
                self._received(port, received, starts[port])

    def _received(self, port: int, pins: RxPins, start: SentFrame | None) -> None:
        state = self._inputs[port]
        down = not (pins.up and self.known.enabled[port])
        if down:
            if state.open:
                state.open = False
                state.expected[Counter.RX_FRAGMENT] += 1
            return
        if pins.ctl_valid:
            state.expected[Counter.RX_CTL_OS] += 1
        if not pins.valid:
            return
        if pins.sop:
            if state.open:
                state.expected[Counter.RX_FRAGMENT] += 1
            state.frame = start
        elif not state.open:
            state.expected[Counter.RX_STRAY_WORDS] += 1
            return
        state.open = not pins.eop
        if pins.eop:
            self._ended(port, state)

    def _ended(self, port: int, state: _Input) -> None:
        """A frame's last word is on the receive pins: decides what must become of it."""
        frame, known = state.frame, self.known
        if frame is None:
            raise CheckError(f"the stimulus began a frame at port {port} without telling")
        if frame.reason in _LINK_REASONS or frame.reason is Counter.RX_MAC_CONTROL:
            state.expected[frame.reason] += 1
        elif known.profile[port] != _profile_number(frame):
            # The header was built for another profile: it may mean anything now.
            state.loose += 1
            self._loose[frame.number] = frame
        elif not known.matches(frame.profile, frame.data):
            state.expected[Counter.RX_HEADER] += 1
        elif frame.reason is Counter.RX_TTL:
            state.expected[Counter.RX_TTL] += 1
        else:
            output = known.route(frame.profile, frame.dst)
            if output is None:
                state.expected[Counter.RX_NO_ROUTE] += 1
                return
            vc = known.vc(port, frame.traffic_class if _has_class(frame) else 0)
            state.accepted += 1
            state.order.setdefault((output, vc), deque()).append(frame)
            self._where[frame.number] = (frame, output, vc)

    def _transmitted(self, port: int, pins: TxPins) -> None:
        words = self._words[port]
        if pins.sop == bool(words):
            what = "a frame begins inside another" if words else "a word belongs to no frame"
            raise CheckError(f"output {port}: {what}")
        words.append(pins.data)
        if not pins.eop:
            return
        data = join_words(words, self.config.word_bytes)
        words.clear()
        data = data[: len(data) - pins.empty]
        output = self._outputs[port]
        output.frames += 1
        output.bytes += len(data)
        self._arrived(port, data)

    def _arrived(self, port: int, data: bytes) -> None:
        if fcs(data[:-FCS_BYTES]) != data[-FCS_BYTES:]:
            raise CheckError(f"output {port}: a frame of {len(data)} bytes has a bad FCS")
        number = int.from_bytes(data[NUMBER_OFFSET : NUMBER_OFFSET + NUMBER_BYTES], "big")
        if number in self._loose:
            frame = self._loose.pop(number)
            self._inputs[frame.source].arrived += 1
            self._inputs[frame.source].arrived_bytes += len(data)
            self._outputs[port].loose += 1
            if len(data) != len(frame.data):
                raise CheckError(f"output {port}: frame {number} has changed its length")
            return
        if number not in self._where:
            raise CheckError(f"output {port}: a frame that must not arrive there, or a second "
                             f"time: number {number}, {len(data)} bytes")
        frame, output, vc = self._where.pop(number)
        name = f"frame {number} from input {frame.source} to output {output}, vc {vc}"
        if port != output:
            raise CheckError(f"output {port}: {name} came here")
        state = self._inputs[frame.source]
        queue = state.order[output, vc]
        while True:
            if not queue:
                raise CheckError(f"output {port}: {name} has been overtaken")
            head = queue.popleft()
            if head is frame:
                break
            # Either lost for want of a cell, which the counters must confirm at the end, or late:
            # then it arrives after this one and finds its queue without it.
        self._contents(port, name, frame, data)
        state.arrived += 1
        state.arrived_bytes += len(data)
        self.delivered += 1
        self.delivered_bytes += len(data)

    def _contents(self, port: int, name: str, frame: SentFrame, data: bytes) -> None:
        edit = judge_edit(frame, data, may_mark=bool(self.known.may_mark[frame.source]))
        if edit is Edit.WRONG:
            change = _first_change(plain_body(frame), data)
            raise CheckError(f"{name} has changed on its way{change}")
        self._outputs[port].marked += edit is Edit.MARKED

    def finish(self, counters: Sequence[Sequence[int]]) -> dict[str, Any]:
        """Compares the counters of each port at the end with what was put in.

        Returns
        -------
        Figures of the run: frames, bytes, frames of each input since the last reset, drops.

        Raises
        ------
        CheckError
            When they do not fit.
        """
        for port, state in enumerate(self._inputs):
            if self._words[port]:
                raise CheckError(f"output {port}: the last frame has no end")
            counted = counters[port]
            missing = state.accepted + state.loose - state.arrived
            for counter in _COUNTED:
                wanted = state.expected[counter]
                low, high = wanted, wanted
                if counter in (Counter.RX_HEADER, Counter.RX_TTL, Counter.RX_NO_ROUTE):
                    high += state.loose
                if not low <= counted[counter] <= high:
                    raise CheckError(f"port {port}: {counter.name} is {counted[counter]}, "
                                     f"the stimulus made {wanted}")
            lost = counted[Counter.RX_NO_BUFFER]
            if not max(0, missing - state.loose) <= lost <= missing:
                raise CheckError(f"port {port}: {missing} frames are missing, "
                                 f"RX_NO_BUFFER is {lost}")
            self._totals(port, state, counted)
            self.dropped += lost
        return {
            "frames": self.delivered,
            "bytes": self.delivered_bytes,
            "frames_from": [state.arrived for state in self._inputs],
            "no_buffer": self.dropped,
            "refused": sum(sum(state.expected.values()) for state in self._inputs),
        }

    def _totals(self, port: int, state: _Input, counted: Sequence[int]) -> None:
        """Frames and bytes of a port that is drained: all that was taken in has come out."""
        sent = self._outputs[port]
        for counter, low, high in (
            (Counter.RX_FRAMES, state.arrived, state.arrived),
            (Counter.RX_BYTES, state.arrived_bytes, state.arrived_bytes),
            (Counter.TX_FRAMES, sent.frames, sent.frames),
            (Counter.TX_BYTES, sent.bytes, sent.bytes),
            # A frame that was read by another profile than its own may be marked elsewhere.
            (Counter.TX_ECN_MARKED, sent.marked, sent.marked + sent.loose),
        ):
            if not low <= counted[counter] <= high:
                raise CheckError(f"port {port}: {counter.name} is {counted[counter]}, "
                                 f"the pins say {low}")


def _profile_number(frame: SentFrame) -> int:
    return PROFILES.index(frame.profile)


def _has_class(frame: SentFrame) -> bool:
    condition = frame.profile.class_when
    return condition is None or read_field(frame.data, condition.field) == condition.value


def _first_change(body: bytes, data: bytes) -> str:
    for at, (old, new) in enumerate(zip(body, data, strict=False)):
        if old != new:
            return f": byte {at} is 0x{new:02x}, was 0x{old:02x}"
    return f": {len(data)} bytes, were {len(body) + FCS_BYTES}"
