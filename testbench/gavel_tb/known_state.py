# SPDX-License-Identifier: Apache-2.0
"""What the stimulus has configured, kept by the test kit itself: which frame goes where.

Written from the specification's chapters on the parser, the lookup and the registers at the level
of whole frames; it knows nothing of cycles but when a register write counts for a frame.
"""

from __future__ import annotations

import zlib
from collections import deque

from gavel_model.config import SwitchConfig
from gavel_model.frame import read_field
from gavel_model.pins import NO_ACCESS, RegisterPins
from gavel_model.profiles import FABRIC_PREFIX, PROFILE_NAMES, PROFILES, Profile
from gavel_model.register_map import (
    ENTRY_PORT_MASK,
    ENTRY_VALID,
    PORT_BASE,
    PORT_STRIDE,
    Global,
    Port,
    vc_map_reset,
)

_CLASS_BITS = 4
_ID_BITS = 16
_ENABLE_DELAY = 2


class KnownState:
    """Settings as they count for a frame whose last word is on the pins in the current cycle.

    Call `write` in every cycle before asking. A write on the register pins in cycle c counts for
    frames that end in c or later; only ``CONTROL`` acts on words, from c+2 on. With
    ``register_stages`` a write is as if it had been on the pins a cycle later.
    """

    def __init__(self, config: SwitchConfig) -> None:
        self.config = config
        self.reset(-1)

    def reset(self, cycle: int) -> None:
        """Everything as it is after a reset that was asserted in ``cycle``."""
        config = self.config
        count = config.ports
        self.routes: dict[int, int | None] = {port: port for port in range(count)}
        self.fdb: dict[int, tuple[int, int | None]] = {}
        self.profile = [PROFILE_NAMES.index(config.profile)] * count
        self.vc_map = [vc_map_reset(config)] * count
        self.enabled = [True] * count
        self.may_mark = [config.ecn_threshold != 0xFFFF] * count
        self.esun_ethertype = config.esun_ethertype
        self._indexes = {Global.ROUTE_INDEX: 0, Global.FDB_INDEX: 0, Global.FDB_ADDR_HI: 0,
                         Global.FDB_ADDR_LO: 0}
        self._pending_enable: list[tuple[int, int, bool]] = []
        self._held = deque([NO_ACCESS] * config.register_stages)
        # Cycle cycle+1 is the first with table_ready = 0.
        self._tables_ready_at = cycle + 1 + config.table_init_cycles

    def write(self, cycle: int, access: RegisterPins) -> None:
        """Takes over the register pins of ``cycle``."""
        while self._pending_enable and self._pending_enable[0][0] <= cycle:
            _, port, value = self._pending_enable.pop(0)
            self.enabled[port] = value
        self._held.append(access)
        access = self._held.popleft()
        if not access.we:
            return
        if access.addr >= PORT_BASE:
            self._write_port(cycle, access)
        else:
            self._write_global(cycle, access)

    def _write_port(self, cycle: int, access: RegisterPins) -> None:
        port, offset = divmod(access.addr - PORT_BASE, PORT_STRIDE)
        if port >= self.config.ports:
            return
        value = access.wdata
        if offset == Port.CONTROL:
            self._pending_enable.append((cycle + _ENABLE_DELAY, port, bool(value & 1)))
        elif offset == Port.PROFILE:
            number = value & 7
            self.profile[port] = number if number < len(PROFILES) else 0
        elif offset == Port.VC_MAP:
            self.vc_map[port] = value
        elif offset == Port.ECN_THRESHOLD and value & 0xFFFF != 0xFFFF:
            self.may_mark[port] = True

    def _write_global(self, cycle: int, access: RegisterPins) -> None:
        addr, value = access.addr, access.wdata
        if addr in (Global.ROUTE_INDEX, Global.FDB_INDEX, Global.FDB_ADDR_HI):
            self._indexes[Global(addr)] = value & 0xFFFF
        elif addr == Global.FDB_ADDR_LO:
            self._indexes[Global.FDB_ADDR_LO] = value
        elif addr == Global.ESUN_ETHERTYPE:
            self.esun_ethertype = value & 0xFFFF
        elif addr in (Global.ROUTE_DATA, Global.FDB_DATA) and cycle + 1 >= self._tables_ready_at:
            port: int | None = value & ENTRY_PORT_MASK
            if not value & ENTRY_VALID or port is None or port >= self.config.ports:
                port = None
            if addr == Global.ROUTE_DATA:
                index = self._indexes[Global.ROUTE_INDEX]
                if index < self.config.id_entries:
                    self.routes[index] = port
            else:
                index = self._indexes[Global.FDB_INDEX]
                address = self._indexes[Global.FDB_ADDR_HI] << 32
                if index < self.config.fdb_entries:
                    self.fdb[index] = (address | self._indexes[Global.FDB_ADDR_LO], port)

    def route(self, profile: Profile, dst: int) -> int | None:
        """Output port of a destination, None when it is unknown."""
        config = self.config
        if profile.dst.width == 48:
            first = zlib.crc32(dst.to_bytes(6, "big")) % config.fdb_sets * config.fdb_ways
            for entry in range(first, first + config.fdb_ways):
                address, port = self.fdb.get(entry, (0, None))
                if port is not None and address == dst:
                    return port
            if dst >> _ID_BITS != FABRIC_PREFIX:
                return None
            dst &= (1 << _ID_BITS) - 1
        return self.routes.get(dst) if dst < config.id_entries else None

    def matches(self, profile: Profile, data: bytes) -> bool:
        """Whether a header meets all conditions of a profile."""
        return all(
            read_field(data, field) == (self.esun_ethertype if value is None else value)
            for field, value in profile.match
        )

    def vc(self, port: int, traffic_class: int) -> int:
        """VC of a class at an input port."""
        nibble = self.vc_map[port] >> (_CLASS_BITS * traffic_class) & 0xF
        return min(nibble, self.config.vcs - 1)
