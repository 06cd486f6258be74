# SPDX-License-Identifier: Apache-2.0
"""Everything that may be on the pins, at random: no peer sends this, but each model must agree.

What is drawn is near what the switch expects, so that most of it has an effect: numbers near those
that count, frames of every kind, all registers with small values.
"""

from __future__ import annotations

from collections import deque

from gavel_model.config import FCS_BYTES, MIN_FRAME_BYTES, SwitchConfig
from gavel_model.frame import PAYLOAD_ETHERTYPE, append_fcs, build_header, split_words
from gavel_model.link_rx import POISON
from gavel_model.mac_control import cc_update_frame, pfc_frame
from gavel_model.ordered_set import CreditUpdate, Kind, OrderedSet, encode, encode_credits
from gavel_model.pins import CTL_BITS, NO_ACCESS, Inputs, RegisterPins, RxPins
from gavel_model.profiles import DSCP_PLACES, PROFILES, TAGGED
from gavel_model.register_map import (
    ENTRY_VALID,
    PORT_STRIDE,
    SPACING_BITS,
    Global,
    port_address,
)
from gavel_model.register_map import Port as Offset
from gavel_model.switch import Switch
from gavel_tb.stimulus import derived_random

_ETHERTYPES = [PAYLOAD_ETHERTYPE, *(match.value or 0 for match, _ in DSCP_PLACES)]
_TAG = TAGGED.value or 0
_ADDRESSES = 12
_SET_RATE = 0.1
_REGISTER_RATE = 0.3
_RESET_RATE = 0.0004
_READY_RATE = 0.9
_DOWN_RATE = 0.002
_CREDITS = 60
_CELLS = 24


class RandomPins:
    """Inputs of a switch; it is looked at for what it expects.

    Parameters
    ----------
    config
        The switch.
    seed
        Everything that is drawn follows from it.
    """

    def __init__(self, config: SwitchConfig, seed: int) -> None:
        self._config = config
        self._rng = derived_random(seed, "random pins")
        self._words: list[deque[RxPins]] = [deque() for _ in range(config.ports)]
        self._down = [0] * config.ports
        self._seq = [0] * config.ports

    def step(self, switch: Switch) -> Inputs:
        """Inputs of the current cycle of the switch."""
        rng, config = self._rng, self._config
        rx = tuple(self._pins(switch, port) for port in range(config.ports))
        ready = ctl_ready = 0
        for port in range(config.ports):
            ready |= (rng.random() < _READY_RATE) << port
            ctl_ready |= (rng.random() < _READY_RATE) << port
        register = self._register() if rng.random() < _REGISTER_RATE else NO_ACCESS
        return Inputs(rx, ready, register, int(rng.random() < _RESET_RATE), ctl_ready)

    def _pins(self, switch: Switch, port: int) -> RxPins:
        rng = self._rng
        words = self._words[port]
        if not words and rng.random() < 0.6:
            words.extend(self._frame(switch, port))
        if words and rng.random() < 0.8:
            pins = words.popleft()
        else:
            sop, eop, err = (rng.getrandbits(1) for _ in range(3))
            pins = RxPins(sop=sop, eop=eop, err=err, data=rng.getrandbits(64))
        if rng.random() < _SET_RATE:
            pins = pins._replace(ctl_valid=1, ctl=self._ordered_set(switch, port))
        if not self._down[port] and rng.random() < _DOWN_RATE:
            self._down[port] = rng.randrange(1, 40)
        if self._down[port]:
            self._down[port] -= 1
            pins = pins._replace(up=0)
        return pins

    def _frame(self, switch: Switch, port: int) -> list[RxPins]:
        rng, config = self._rng, self._config
        data = self._content(switch, port)
        kind = rng.randrange(25)
        if kind == 0:
            at = rng.randrange(len(data))
            data = data[:at] + bytes((data[at] ^ 1 << rng.randrange(8),)) + data[at + 1:]
        elif kind <= 2:
            fcs = int.from_bytes(data[-FCS_BYTES:], "little") ^ POISON
            data = data[:-FCS_BYTES] + fcs.to_bytes(FCS_BYTES, "little")
        elif kind == 3:
            data = data[:rng.randrange(1, len(data) + 1)]
        llr, seq = self._number(switch, port)
        words = split_words(data, config.word_bytes)
        last = len(words) - 1
        pins = []
        for n, word in enumerate(words):
            empty = len(words) * config.word_bytes - len(data) if n == last else 0
            pins.append(RxPins(1, int(n == 0), int(n == last), int(rng.random() < 0.002), empty,
                               llr, seq, data=word))
        if kind == 4:
            del pins[rng.randrange(len(pins))]
        return pins

    def _number(self, switch: Switch, port: int) -> tuple[int, int]:
        rng = self._rng
        receiver = switch.ports[port].llr_receiver
        if rng.random() < 0.2:
            return 0, rng.getrandbits(20)
        if rng.random() < 0.15:
            self._seq[port] = receiver.next_rx
        seq = self._seq[port]
        self._seq[port] = (seq + 1) % (1 << self._config.seq_bits)
        if rng.random() < 0.03:
            seq = rng.getrandbits(20)
        return 1, seq

    def _content(self, switch: Switch, port: int) -> bytes:
        rng, config = self._rng, self._config
        flow = switch.ports[port].flow_control
        kind = rng.randrange(12)
        if kind == 0:
            return self._another(pfc_frame(rng.getrandbits(48), rng.getrandbits(8),
                                           [rng.choice((0, rng.randrange(30))) for _ in range(8)]))
        if kind == 1:
            counts = [count + rng.choice((0, 0, 3, -1)) & 0xFFFFF
                      for count in flow.credit_receiver.consumed]
            return self._another(cc_update_frame(rng.getrandbits(48), counts))
        number = switch.ports[port].parser.number
        profile = PROFILES[number]
        destination = rng.randrange(config.ports + 1)
        header = build_header(
            profile.name,
            dst=0x0200_0000_0000 | destination if profile.dst.width == 48 else destination,
            traffic_class=rng.getrandbits(profile.traffic_class.width),
            ecn=rng.getrandbits(2) if profile.ecn else 0,
            ttl=rng.choice((1, 2, 9)) if profile.ttl else 0,
            esun_ethertype=config.esun_ethertype,
        )
        if profile.name == "ethernet" and rng.getrandbits(1):
            # What may stand behind the addresses: a tag or none, IPv4, IPv6 or another.
            tag = _TAG.to_bytes(2, "big") + rng.randbytes(2) if rng.getrandbits(1) else b""
            ethertype = rng.choice(_ETHERTYPES).to_bytes(2, "big")
            header = header[:_ADDRESSES] + tag + ethertype + rng.randbytes(6)
        longest = config.max_frame_bytes + 2 * config.word_bytes
        size = rng.choice((MIN_FRAME_BYTES, MIN_FRAME_BYTES, rng.randrange(60, longest)))
        return append_fcs(header + rng.randbytes(size - len(header) - FCS_BYTES))

    def _another(self, frame: bytes) -> bytes:
        """A MAC Control frame, now and then with a bit changed that says what it is."""
        rng = self._rng
        if rng.random() < 0.8:
            return frame
        body = bytearray(frame[:-FCS_BYTES])
        body[rng.choice((rng.randrange(6), *range(12, 20)))] ^= 1 << rng.randrange(8)
        return append_fcs(bytes(body))

    def _ordered_set(self, switch: Switch, port: int) -> int:
        rng, config = self._rng, self._config
        block = switch.ports[port]
        protect = block.llr_settings.protect ^ (rng.random() < 0.05)
        mask = (1 << config.seq_bits) - 1
        window = block.llr_transmitter.window
        kind = rng.randrange(12)
        if kind == 0:
            return rng.getrandbits(CTL_BITS)
        if kind <= 4:
            value = window.oldest - 1 + rng.randrange(-1, window.outstanding + 2) & mask
            return encode(OrderedSet(Kind.NACK if kind <= 2 else Kind.ACK, value), protect)
        if kind <= 6:
            data = block.llr_transmitter.handshake.data ^ (rng.random() < 0.1)
            return encode(OrderedSet(Kind.INIT_ECHO, window.next & mask, data), protect)
        if kind == 7:
            value = rng.choice((block.llr_receiver.next_rx, rng.getrandbits(config.seq_bits)))
            return encode(OrderedSet(Kind.INIT, value & mask, rng.getrandbits(16)), protect)
        sender = block.flow_control.credit_sender
        channels = [rng.randrange(config.vcs) for _ in range(2)]
        counts = [sender.freed(vc) + rng.randrange(sender.used[vc] + 2) & 0x7FFF
                  for vc in channels]
        return encode_credits(CreditUpdate(channels[0], counts[0], channels[1], counts[1]),
                              protect)

    def _register(self) -> RegisterPins:
        rng, config = self._rng, self._config
        kind = rng.randrange(10)
        port = rng.randrange(config.ports)
        if kind <= 2:
            address = rng.choice((rng.randrange(0x12),
                                  port_address(port, rng.randrange(PORT_STRIDE)),
                                  rng.getrandbits(16)))
            return RegisterPins(address, rng.getrandbits(32), 0, 1)
        if kind == 3:
            address = rng.choice(tuple(Global))
            values = {Global.ROUTE_INDEX: rng.randrange(config.ports + 2),
                      Global.FDB_INDEX: rng.randrange(config.fdb_entries + 1),
                      Global.ESUN_ETHERTYPE: config.esun_ethertype}
            value = values.get(address, ENTRY_VALID | rng.randrange(config.ports + 1))
            return RegisterPins(address, value, 1, rng.getrandbits(1))
        offset = rng.choice(self._offsets())
        value = self._value(offset)
        return RegisterPins(port_address(port, offset), value, 1, rng.getrandbits(1))

    def _offsets(self) -> list[int]:
        vcs = range(self._config.vcs)
        single = range(Offset.CONTROL, Offset.MAC_ADDRESS_LO + 1)
        return [*single, Offset.LLR_CONTROL, Offset.CBFC_CONTROL, Offset.PFC_CONTROL,
                *(base + vc for base in (Offset.CBFC_LIMIT, Offset.RX_VC_LIMIT, Offset.VC_MATCH)
                  for vc in vcs)]

    def _value(self, offset: int) -> int:
        """A small value for a register, that makes something happen soon."""
        rng = self._rng
        base = offset & ~7 if offset >= Offset.CBFC_LIMIT else offset
        mostly_all = rng.choice((0xFF, 0xFF, rng.getrandbits(8)))
        control = (rng.random() < 0.9) | (rng.random() < 0.9) << 1 | rng.getrandbits(7) << 2
        values: dict[int, int] = {
            Offset.CONTROL: int(rng.random() < 0.95),
            Offset.PROFILE: rng.randrange(8) | rng.randrange(4) << 4,
            Offset.ECN_THRESHOLD: rng.choice((0, 1, 4, 65535)),
            Offset.LLR_CONTROL: control,
            Offset.LLR_WINDOW_FRAMES: rng.choice((rng.randrange(10), 1 << 19)),
            Offset.LLR_WINDOW_CELLS: rng.choice((0, rng.randrange(40), 1 << 16)),
            Offset.LLR_REPLAY_TIMER: rng.choice((0, rng.randrange(1, 60))),
            Offset.LLR_PCS_LOST: rng.choice((0, 0, rng.randrange(1, 60))),
            Offset.LLR_DATA_AGE: rng.choice((0, 0, rng.randrange(1, 90))),
            Offset.LLR_REPLAY_COUNT: rng.choice((rng.randrange(4), 254, 255, 255)),
            Offset.LLR_SPACING: rng.randrange(300) | rng.randrange(100) << SPACING_BITS,
            Offset.VC_WEIGHTS: rng.choice((0, rng.getrandbits(32))),
            Offset.VC_CONTROL: rng.choice((0, rng.getrandbits(8),
                                           rng.getrandbits(8) << 8 if rng.random() < 0.3 else 0)),
            Offset.CBFC_CONTROL: mostly_all | rng.choice((0xFF, rng.getrandbits(8))) << 8
            | (rng.random() < 0.3) << 16 | (rng.random() < 0.7) << 17,
            Offset.CBFC_SENDER: rng.choice((1, rng.getrandbits(16))),
            Offset.CBFC_RECEIVER: rng.choice((1, rng.getrandbits(16))),
            Offset.CBFC_TOTAL_LIMIT: rng.randrange(2 * _CREDITS),
            Offset.CBFC_CF_MIN: rng.randrange(300),
            Offset.CBFC_CF_MAX: rng.choice((0, rng.randrange(3000))),
            Offset.CBFC_CC_PERIOD: rng.choice((0, rng.randrange(200))),
            Offset.PFC_CONTROL: rng.getrandbits(8) | rng.getrandbits(8) << 8,
            Offset.PFC_XOFF: rng.randrange(_CELLS),
            Offset.PFC_XON: rng.randrange(_CELLS),
            Offset.PFC_TIME: rng.choice((rng.randrange(60), 0xFFFF)),
            Offset.PFC_WATCHDOG: rng.choice((0, rng.randrange(60))),
            Offset.PFC_RESTORE: rng.choice((0, rng.randrange(60))),
            Offset.CBFC_LIMIT: rng.randrange(_CREDITS),
            Offset.RX_VC_LIMIT: rng.choice((rng.randrange(_CELLS), 0x1FFFF)),
        }
        return values.get(base, rng.getrandbits(32))
