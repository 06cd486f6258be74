# SPDX-License-Identifier: Apache-2.0
"""Frames and ordered sets that the MAC holds up must not undo what an INIT agrees.

The two pins of a port are taken at their own pace, so a frame and an INIT can overtake each other
on their way to the wire.
"""

from __future__ import annotations

from collections.abc import Callable

from gavel_model.frame import append_fcs, build_header
from gavel_model.loader import load_config
from gavel_model.ordered_set import Kind, decode
from gavel_model.pins import IDLE, NO_ACCESS, Inputs, RegisterPins, TxPins
from gavel_model.register_map import LLR_CONTROL_RESET, Counter, Port, port_address
from gavel_model.switch import Switch
from gavel_tb.frames import NUMBER_BYTES, NUMBER_OFFSET
from gavel_tb.partner.device import LlrPartner
from gavel_tb.partner.misbehaviour import Fault
from gavel_tb.partner.outgoing import partner_words
from gavel_tb.partner.sender import SenderState
from gavel_tb.partner.settings import PartnerSettings

CONFIG = load_config("tiny", ["data_width=512", "ctl_spacing=400", "ctl_min_spacing=0"])
ON = LLR_CONTROL_RESET | 3
INIT_CYCLES = 25


class Far:
    """Frames of one word come in at port 0; a partner that only receives is at port 1."""

    def __init__(self, *writes: tuple[Port, int]) -> None:
        self.switch = Switch(CONFIG)
        self.numbers: list[int] = []
        settings = PartnerSettings(data_width=512, spacing=400, min_spacing=0)
        self.partner = LlrPartner(settings, lambda arrival: self.numbers.append(
            int.from_bytes(arrival.data[NUMBER_OFFSET:][:NUMBER_BYTES], "big")))
        self.partner.sender.state = SenderState.OFF
        self.writes = {2 + n: write for n, write in enumerate((*writes, (Port.LLR_CONTROL, ON)))}
        self.frames: dict[int, int] = {}
        self.ready: Callable[[int, TxPins], bool] = lambda cycle, tx: True
        self.ctl_ready: Callable[[int, TxPins], bool] = lambda cycle, tx: True

    def run(self, cycles: int) -> None:
        switch = self.switch
        for cycle in range(cycles):
            tx = switch.tx[1]
            ready, ctl_ready = self.ready(cycle, tx), self.ctl_ready(cycle, tx)
            shown = tx if ready else tx._replace(valid=0, sop=0, eop=0)
            shown = shown if ctl_ready else shown._replace(ctl_valid=0, ctl=0)
            back = self.partner.step(shown)
            number = self.frames.get(cycle)
            rx = IDLE if number is None else partner_words(_frame(number), 64, None)[0]
            access = NO_ACCESS
            if cycle in self.writes:
                offset, value = self.writes[cycle]
                access = RegisterPins(port_address(1, offset), value, 1)
            switch.step(Inputs((rx, back), 1 | ready << 1, access, 0, 1 | ctl_ready << 1))


def _frame(number: int) -> bytes:
    header = build_header("ethernet", dst=0x0200_0000_0001, src=0x0200_0000_0000)
    return append_fcs(header + bytes(NUMBER_OFFSET - len(header))
                      + number.to_bytes(NUMBER_BYTES, "big") + bytes(28))


def is_init(tx: TxPins) -> bool:
    item = decode(tx.ctl, True) if tx.ctl_valid else None
    return item is not None and item.kind is Kind.INIT


def test_frames_do_not_overtake_a_repeated_init():
    for late in range(INIT_CYCLES - 8, INIT_CYCLES + 8):
        for no_ack in (0, 1):
            far = Far()
            far.frames = {12 + n: n for n in range(6)}
            far.partner.faults.arm(Fault.LATE_ECHO, value=late)
            if no_ack:
                far.partner.faults.arm(Fault.NO_ACK)
            inits: list[int] = []

            def held(cycle: int, tx: TxPins, inits: list[int] = inits) -> bool:
                if is_init(tx) and (not inits or cycle > inits[-1] + 15):
                    inits.append(cycle)
                # Only the second INIT is held up, and for longer than some frames take.
                return not (len(inits) == 2 and cycle < inits[1] + 15)

            far.ctl_ready = held
            far.run(600)
            assert far.numbers == list(range(6)), (late, no_ack)


def test_an_init_does_not_overtake_the_frame_before_it():
    for held_until in range(30, 90, 5):
        far = Far((Port.LLR_REPLAY_TIMER, 20), (Port.LLR_REPLAY_COUNT, 0))
        far.frames = {12: 0, 120: 1, 140: 2}
        # mypy cannot infer a lambda with a default.
        far.ready = lambda cycle, tx, until=held_until: not 20 < cycle < until  # type: ignore[misc]  # bound early
        far.run(400)
        flushes = far.switch.ports[1].counters[Counter.LLR_TX_FLUSH]
        assert flushes == (held_until >= 45), held_until
        assert far.numbers == [0, 1, 2], held_until
