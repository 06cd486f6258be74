# SPDX-License-Identifier: Apache-2.0
"""What stands around the switch in a scenario: partner, links, feeder, registers, script."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from gavel_model.config import MIN_FRAME_BYTES, SwitchConfig
from gavel_model.pins import IDLE, NO_ACCESS, Inputs, RegisterPins, RxPins, TxPins
from gavel_model.register_map import SPACING_BITS, Action, LlrControl, Port, port_address
from gavel_tb.behaviour.ledger import Entry, Ledger
from gavel_tb.behaviour.pin_log import PinLog
from gavel_tb.behaviour.steps import Script
from gavel_tb.behaviour.switches import CLEAN, LINK, MIN_SPACING, NO_LIMIT, REPLAY_TIMER, SPACING
from gavel_tb.behaviour.tap import Tap, taken
from gavel_tb.link_errors import LinkOptions
from gavel_tb.lossy_link import LossyLink
from gavel_tb.partner.device import LlrPartner
from gavel_tb.partner.receiver import Arrival, Framer
from gavel_tb.partner.rule_checker import RuleChecker
from gavel_tb.partner.rules import RuleLimits
from gavel_tb.partner.settings import PartnerSettings
from gavel_tb.stimulus import CheckError, derived_random

_WRITE_CYCLES = 24


def word_errors(frame_errors: float, word_bytes: int) -> float:
    """Probability that a word is hit when a frame of 64 bytes is with ``frame_errors``."""
    return float(1.0 - (1.0 - frame_errors) ** (word_bytes / MIN_FRAME_BYTES))


class Rig:
    """Stimulus and observer, driven by the script of a subclass, which says in its class attributes
    what the two ends are told.

    ``OUT_ERRORS`` and ``BACK_ERRORS`` are the probability that a frame of 64 bytes is hit on its
    way from the switch, and to it.

    Parameters
    ----------
    config
        A switch of `behaviour_config`.
    seed
        Of payloads and of what the links do.

    Attributes
    ----------
    partner, out, back
        The far end and the two directions of its link, seen from the switch.
    out_tap, back_tap
        Places at the switch's end of both.
    log, ledger
        What was on the pins, and where the frames are.
    ready, ctl_ready
        Transmit pins of the port in the next cycle.
    feeder, fed_ends
        Words that the clean port is still to get, and cycles in which frames ended there.
    now
        The current cycle.
    replay_timer
        Of both ends, cycles.
    figures
        What was measured.
    """

    SWITCH: ClassVar[str] = "long"
    DELAY: ClassVar[int] = 10
    OUT_ERRORS: ClassVar[float] = 0.0
    BACK_ERRORS: ClassVar[float] = 0.0
    PARTNER: ClassVar[Mapping[str, Any]] = {}
    LOCAL: ClassVar[bool] = True
    REMOTE: ClassVar[bool] = True
    PROTECT: ClassVar[bool] = True
    FORWARD_POISONED: ClassVar[bool] = False
    INIT_ACTION: ClassVar[Action] = Action.BLOCK
    FLUSH_ACTION: ClassVar[Action] = Action.DISCARD
    REINIT: ClassVar[bool] = True
    WINDOW_FRAMES: ClassVar[int] = 0
    WINDOW_CELLS: ClassVar[int] = 0
    REPLAY_TIMER: ClassVar[int] = REPLAY_TIMER
    PCS_LOST: ClassVar[int] = 0
    DATA_AGE: ClassVar[int] = 0
    REPLAY_COUNT: ClassVar[int] = NO_LIMIT
    SPACING: ClassVar[int] = SPACING
    INIT_SEQ: ClassVar[int] = 0
    INIT_DATA: ClassVar[int] = 0

    def __init__(self, config: SwitchConfig, seed: int) -> None:
        self.config = config
        self.seed = seed
        self.word_bytes = config.word_bytes
        self.now = 0
        self.replay_timer = self._timer()
        self.ready = self.ctl_ready = 1
        self.reset = 0
        self.figures: dict[str, Any] = {}
        self.ledger = Ledger(config, seed)
        self._entered: list[Entry] = []
        self._arrived: list[Arrival] = []
        settings = PartnerSettings(**{
            "data_width": config.data_width, "seq_bits": config.seq_bits, "protect": self.PROTECT,
            "window_frames": min(8192, 1 << config.seq_bits - 1), "spacing": self.SPACING,
            "replay_timer": self.replay_timer, "min_spacing": MIN_SPACING, **self.PARTNER,
        })
        self.partner = LlrPartner(settings, self._arrived.append)
        # An INIT that the switch does not listen to yet would be repeated only much later.
        self.partner.silence(_WRITE_CYCLES)
        width = config.data_width
        self.out, self.back = (
            LossyLink(width, LinkOptions(delay=self.DELAY, protect=self.PROTECT,
                                         word_errors=word_errors(errors, config.word_bytes)),
                      derived_random(seed, name))
            for name, errors in (("out", self.OUT_ERRORS), ("back", self.BACK_ERRORS))
        )
        self.out_tap, self.back_tap = Tap(), Tap()
        self.log = PinLog(settings, self._file)
        self.checker = self._make_checker()
        self.feeder: deque[RxPins] = deque()
        self.fed_ends: list[int] = []
        self._accesses: deque[RegisterPins] = deque()
        self._framer = Framer(config.word_bytes)
        self._script = self._play()
        self._ended = False

    def _play(self) -> Script:
        """What is done."""
        raise NotImplementedError

    def _timer(self) -> int:
        """Replay timer of both ends, cycles."""
        return self.REPLAY_TIMER

    @property
    def finished(self) -> bool:
        """The script has come to its end."""
        return self._ended

    def step(self, cycle: int, tx: Sequence[TxPins]) -> Inputs:
        """Inputs of a cycle."""
        self.now = cycle
        access = self._accesses.popleft() if self._accesses else NO_ACCESS
        if access.we and access.addr == port_address(LINK, Port.LLR_CONTROL):
            self._switched(access.wdata)
        sent = self.out_tap.step(taken(tx[LINK], self.ready, self.ctl_ready))
        answer = self.back_tap.step(self.back.step(self.partner.step(self.out.step(sent))))
        word = self.feeder.popleft() if self.feeder else IDLE
        others = 1 << CLEAN
        unused = (IDLE,) * (self.config.ports - len((LINK, CLEAN)))
        return Inputs((answer, word, *unused), self.ready | others, access, self.reset,
                      self.ctl_ready | others)

    def observe(self, cycle: int, inputs: Inputs, tx: Sequence[TxPins]) -> None:
        """Looks at a cycle, and makes a step of the script."""
        sent, received = tx[LINK], inputs.rx[LINK]
        if inputs.reset:
            self.log.restart()
            self.checker = self._make_checker()
            self._entered.clear()
        else:
            if sent.valid or sent.ctl_valid:
                self.log.sent(cycle, taken(sent, self.ready, self.ctl_ready))
            if received is not IDLE:
                self.log.received(cycle, received)
            self.checker.observe(cycle, sent, received, self.ready, self.ctl_ready)
        if inputs.rx[CLEAN].eop:
            self.fed_ends.append(cycle)
        if tx[CLEAN].valid:
            arrival = self._framer.word(tx[CLEAN])
            if arrival is not None:
                self.ledger.arrived(CLEAN, arrival.data, cycle)
        if self._arrived:
            for arrival in self._arrived:
                self.ledger.arrived(LINK, arrival.data, cycle)
            self._arrived.clear()
        if next(self._script, self) is self:
            self._ended = True

    def _file(self, data: bytes) -> None:
        """The port under test files a frame."""
        entry = self.ledger.find(data)
        if entry is None:
            raise CheckError("a frame is filed that nobody has sent")
        self._entered.append(entry)

    def write(self, offset: Port, value: int, port: int = LINK) -> None:
        """Writes a register as soon as the writes before it are done."""
        self._accesses.append(RegisterPins(port_address(port, offset), value, 1))

    def control(self, *, local: bool | None = None, remote: bool | None = None) -> int:
        """Value of ``LLR_CONTROL``, as the scenario has it but for what is given."""
        flags = {
            LlrControl.LOCAL: self.LOCAL if local is None else local,
            LlrControl.REMOTE: self.REMOTE if remote is None else remote,
            LlrControl.INIT_ACTION: self.INIT_ACTION,
            LlrControl.FLUSH_ACTION: self.FLUSH_ACTION,
            LlrControl.REINIT: self.REINIT,
            LlrControl.PROTECT: self.PROTECT,
            LlrControl.FORWARD_POISONED: self.FORWARD_POISONED,
        }
        return sum(int(value) << bit for bit, value in flags.items())

    def _switched(self, control: int) -> None:
        log = self.log
        log.local = bool(control >> LlrControl.LOCAL & 1)
        log.remote = bool(control >> LlrControl.REMOTE & 1)
        log.forward_poisoned = bool(control >> LlrControl.FORWARD_POISONED & 1)
        if not log.local:
            log.turn_off_receiver()

    def write_settings(self) -> None:
        """Writes all settings."""
        config = self.config
        window_frames = self.WINDOW_FRAMES or config.replay_frames
        window_cells = self.WINDOW_CELLS or config.replay_cells
        for offset, value in (
            (Port.LLR_WINDOW_FRAMES, window_frames), (Port.LLR_WINDOW_CELLS, window_cells),
            (Port.LLR_REPLAY_TIMER, self.replay_timer), (Port.LLR_PCS_LOST, self.PCS_LOST),
            (Port.LLR_DATA_AGE, self.DATA_AGE), (Port.LLR_REPLAY_COUNT, self.REPLAY_COUNT),
            (Port.LLR_SPACING, MIN_SPACING << SPACING_BITS | self.SPACING),
            (Port.LLR_INIT_SEQ, self.INIT_SEQ), (Port.LLR_INIT_DATA, self.INIT_DATA),
            (Port.LLR_CONTROL, self.control()),
        ):
            self.write(offset, value)

    def _make_checker(self) -> RuleChecker:
        config = self.config
        cells = self.WINDOW_CELLS or config.replay_cells
        return RuleChecker(LINK, RuleLimits(
            data_width=config.data_width, protect=self.PROTECT, seq_bits=config.seq_bits,
            window_frames=self.WINDOW_FRAMES or config.replay_frames,
            window_words=cells * config.words_per_cell, replay_timer=self.replay_timer,
            spacing=self.SPACING, min_spacing=MIN_SPACING,
        ))
