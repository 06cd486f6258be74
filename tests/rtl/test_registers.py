# SPDX-License-Identifier: Apache-2.0
"""Registers and counters against the register chapter of the specification, at random."""

import random
from collections import deque
from dataclasses import replace

import pytest

from gavel_model.loader import load_config
from gavel_model.profiles import PROFILE_NAMES
from gavel_model.register_map import (
    COUNTERS,
    ID_VALUE,
    VERSION,
    Counter,
    Global,
    Port,
    port_address,
    vc_map_reset,
)
from gavel_rtl.counters import Counters
from gavel_rtl.flow_interfaces import VC_COUNTS
from gavel_rtl.lib.high_bits import ROW
from gavel_rtl.registers import Registers
from gavel_tb.block_sim import run_block

LLR_FIELDS = {
    "local": ("CONTROL", 0, 1), "remote": ("CONTROL", 1, 1), "init_action": ("CONTROL", 2, 2),
    "flush_action": ("CONTROL", 4, 2), "reinit": ("CONTROL", 6, 1), "protect": ("CONTROL", 7, 1),
    "forward_poisoned": ("CONTROL", 8, 1), "window_frames": ("WINDOW_FRAMES", 0, 20),
    "window_cells": ("WINDOW_CELLS", 0, 17), "replay_timer": ("REPLAY_TIMER", 0, 24),
    "pcs_lost": ("PCS_LOST", 0, 24), "data_age": ("DATA_AGE", 0, 24),
    "replay_count": ("REPLAY_COUNT", 0, 8), "spacing": ("SPACING", 0, 16),
    "min_spacing": ("SPACING", 16, 16), "init_seq": ("INIT_SEQ", 0, 20),
    "init_data": ("INIT_DATA", 0, 16),
}
"""Each field: register, lowest bit, bits."""

FLOW_FIELDS = {
    "stop": ("VC_CONTROL", 8, 8), "sender": ("CBFC_CONTROL", 0, 8),
    "receiver": ("CBFC_CONTROL", 8, 8), "total": ("CBFC_CONTROL", 16, 1),
    "resync": ("CBFC_CONTROL", 17, 1), "total_limit": ("CBFC_TOTAL_LIMIT", 0, 20),
    "cf_min": ("CBFC_CF_MIN", 0, 16), "cf_max": ("CBFC_CF_MAX", 0, 21),
    "cc_period": ("CBFC_CC_PERIOD", 0, 24), "pfc_receive": ("PFC_CONTROL", 0, 8),
    "pfc_transmit": ("PFC_CONTROL", 8, 8), "xoff": ("PFC_XOFF", 0, 17),
    "xon": ("PFC_XON", 0, 17), "pfc_time": ("PFC_TIME", 0, 16),
    "watchdog": ("PFC_WATCHDOG", 0, 24), "restore": ("PFC_RESTORE", 0, 24),
}
UNITS = (Port.CBFC_SENDER, Port.CBFC_RECEIVER)


def flow_registers(config):
    """Address offset, bits that can be written, reset value."""
    vcs, cells = config.vcs, config.buffer_cells
    two_masks = ((1 << vcs) - 1) * 0x101
    found = [
        (Port.VC_WEIGHTS, (1 << 4 * vcs) - 1, 0),
        (Port.VC_CONTROL, two_masks, 0),
        (Port.CBFC_CONTROL, 3 << 16 | two_masks, 1 << 17),
        (Port.CBFC_SENDER, 0xFF07, 1),
        (Port.CBFC_RECEIVER, 0xFF07, 1),
        (Port.CBFC_TOTAL_LIMIT, 0xFFFFF, cells),
        (Port.CBFC_CF_MIN, 0xFFFF, config.cf_min_spacing),
        (Port.CBFC_CF_MAX, 0x1FFFFF, config.cf_max_spacing),
        (Port.CBFC_CC_PERIOD, 0xFFFFFF, config.cc_period),
        (Port.PFC_CONTROL, two_masks, 0),
        (Port.PFC_XOFF, 0x1FFFF, cells // 4),
        (Port.PFC_XON, 0x1FFFF, cells // 8),
        (Port.PFC_TIME, 0xFFFF, 0xFFFF),
        (Port.PFC_WATCHDOG, 0xFFFFFF, 0),
        (Port.PFC_RESTORE, 0xFFFFFF, 0),
        (Port.MAC_ADDRESS_HI, 0xFFFF, 0x0200),
        (Port.MAC_ADDRESS_LO, 0xFFFFFFFF, None),
    ]
    for vc in range(vcs):
        found += [(Port.CBFC_LIMIT + vc, 0xFFFFF, cells // vcs),
                  (Port.RX_VC_LIMIT + vc, 0x1FFFF, 0x1FFFF),
                  (Port.VC_MATCH + vc, 0x3F3F, 0x3F00 | vc)]
    return found


class Reference:
    """State as visible in one cycle; ``step`` goes to the next."""

    def __init__(self, config):
        self.config = config
        self.cycle = 0
        major, minor, patch = VERSION
        self.fixed = {
            Global.ID: ID_VALUE, Global.VERSION: major << 16 | minor << 8 | patch,
            Global.PORTS: config.ports, Global.DATA_WIDTH: config.data_width,
            Global.VCS: config.vcs, Global.LATENCY: config.latency_cycles}
        self.widths = {Global.ROUTE_INDEX: 16, Global.FDB_INDEX: 16, Global.FDB_ADDR_HI: 16,
                       Global.FDB_ADDR_LO: 32, Global.ESUN_ETHERTYPE: 16, Global.BYPASS_LIMIT: 8}
        self.masks = {}
        self.value = dict.fromkeys(self.widths, 0)
        self.value |= {Global.ESUN_ETHERTYPE: config.esun_ethertype,
                       Global.BYPASS_LIMIT: config.bypass_limit}
        for port in range(config.ports):
            for offset, width, reset in (
                    (Port.CONTROL, 1, 1),
                    (Port.PROFILE, 6, PROFILE_NAMES.index(config.profile)),
                    (Port.VC_MAP, 32, vc_map_reset(config)),
                    (Port.ECN_THRESHOLD, 16, config.ecn_threshold),
                    (Port.LLR_CONTROL, 9, 0x0D8),
                    (Port.LLR_WINDOW_FRAMES, 20, config.replay_frames),
                    (Port.LLR_WINDOW_CELLS, 17, config.replay_cells),
                    (Port.LLR_REPLAY_TIMER, 24, config.replay_timer),
                    (Port.LLR_PCS_LOST, 24, config.pcs_lost_timer),
                    (Port.LLR_DATA_AGE, 24, config.data_age_timer),
                    (Port.LLR_REPLAY_COUNT, 8, config.replay_count),
                    (Port.LLR_SPACING, 32, config.ctl_min_spacing << 16 | config.ctl_spacing),
                    (Port.LLR_INIT_SEQ, 20, 0),
                    (Port.LLR_INIT_DATA, 16, 0)):
                address = port_address(port, offset)
                self.widths[address], self.value[address] = width, reset
            for offset, mask, reset in flow_registers(config):
                address = port_address(port, offset)
                self.masks[address] = mask
                self.value[address] = port if reset is None else reset
        self.route = [1 << 31 | n if n < config.ports else 0 for n in range(config.id_entries)]
        self.fdb = [0] * config.fdb_entries
        self.route_data = self.fdb_data = 0
        self.pending = (0, 0, 0, 0)

    @property
    def ready(self):
        return self.cycle >= self.config.table_init_cycles

    def stored(self, address, data):
        data &= self.masks[address] if address in self.masks else (1 << self.widths[address]) - 1
        offset = (address - port_address(0, 0)) % (port_address(1, 0) - port_address(0, 0))
        if address >= port_address(0, 0):
            if offset == Port.LLR_WINDOW_FRAMES:
                return min(max(data, 1), self.config.replay_frames)
            if offset == Port.LLR_WINDOW_CELLS:
                return min(max(data, self.config.max_frame_cells), self.config.replay_cells)
            if offset == Port.LLR_SPACING:
                return min(data >> 16, data & 0xFFFF) << 16 | data & 0xFFFF
            if offset == Port.PROFILE:
                return data & 0x37
            if offset == Port.CBFC_CF_MIN:
                return max(data, 64)
            if offset in UNITS:
                overhead = data >> 8
                if 0x80 <= overhead < 0xF0:
                    overhead = 0xF0
                return overhead << 8 | min(data & 7, 6)
        return data

    def read(self, address, counters, status, flow):
        if address in self.fixed:
            return self.fixed[address]
        if address == Global.STATUS:
            return int(self.ready)
        if address == Global.ROUTE_DATA:
            return self.route_data if self.ready else 0
        if address == Global.FDB_DATA:
            return self.fdb_data if self.ready else 0
        port, offset = divmod(address - port_address(0, 0), port_address(1, 0) - port_address(0, 0))
        if 0 <= port < self.config.ports and 0 <= offset - Port.COUNTERS < COUNTERS:
            return counters[port][offset - Port.COUNTERS]
        if 0 <= port < self.config.ports and offset == Port.LLR_STATUS:
            return status[port]
        if 0 <= port < self.config.ports and offset in flow[port]:
            return flow[port][offset]
        return self.value.get(address, 0)

    def step(self, pins, counters, status, flow):
        """Ends a cycle; returns what ``rdata`` shows in the next and the table write of this."""
        we, re, address, data = self.pending
        rdata = self.read(address, counters, status, flow) if re else 0
        table = None
        route_data = fdb_data = 0
        if self.value[Global.ROUTE_INDEX] < len(self.route):
            route_data = self.route[self.value[Global.ROUTE_INDEX]]
        if self.value[Global.FDB_INDEX] < len(self.fdb):
            fdb_data = self.fdb[self.value[Global.FDB_INDEX]]
        if we and self.ready and address in (Global.ROUTE_DATA, Global.FDB_DATA):
            route = address == Global.ROUTE_DATA
            entries = self.route if route else self.fdb
            index = self.value[Global.ROUTE_INDEX if route else Global.FDB_INDEX]
            if index < len(entries):
                valid = data >> 31 and data & 0x3F < self.config.ports
                port = data & (1 << self.config.port_bits) - 1
                entries[index] = valid << 31 | port
                mac = self.value[Global.FDB_ADDR_HI] << 32 | self.value[Global.FDB_ADDR_LO]
                table = (route, index, valid, port, mac)
        if we and (address in self.widths or address in self.masks):
            self.value[address] = self.stored(address, data)
        self.route_data, self.fdb_data = route_data, fdb_data
        self.pending = pins
        self.cycle += 1
        return rdata, table


def selected(ctx, select, config):
    """Offsets of the read-only registers of flow control that are selected."""
    found = [Port.CBFC_STATUS] if ctx.get(select.status) else []
    groups, vcs = ctx.get(select.vc_count), ctx.get(select.vc)
    return found + [group + vc for n, group in enumerate(VC_COUNTS) for vc in range(config.vcs)
                    if groups >> n & vcs >> vc & 1]


def check_flow(ctx, settings, reference, port):
    """All that the blocks of flow control see of the registers."""
    def held(offset):
        return reference.value[port_address(port, offset)]

    flow = settings.flow
    assert {name: ctx.get(getattr(flow, name)) for name in FLOW_FIELDS} == {
        name: held(Port[register]) >> low & (1 << width) - 1
        for name, (register, low, width) in FLOW_FIELDS.items()}, (reference.cycle, port)
    assert ctx.get(settings.strict) == held(Port.VC_CONTROL) & 0xFF
    for size, register in ((flow.sender_size, Port.CBFC_SENDER),
                           (flow.receiver_size, Port.CBFC_RECEIVER)):
        assert ctx.get(size.exponent) == held(register) & 7
        assert ctx.get(size.overhead) & 0xFF == held(register) >> 8
        assert ctx.get(size.overhead) >= -16
    assert ctx.get(flow.mac_address) == held(Port.MAC_ADDRESS_HI) << 32 | held(Port.MAC_ADDRESS_LO)
    for vc in range(reference.config.vcs):
        assert ctx.get(flow.limit[vc]) == held(Port.CBFC_LIMIT + vc)
        assert ctx.get(settings.vc_limit[vc]) == held(Port.RX_VC_LIMIT + vc)
        assert ctx.get(settings.vc_match[vc]) == held(Port.VC_MATCH + vc)


@pytest.mark.parametrize(("ports", "sets", "ways", "stages"), [
    (2, 4, 2, 1), (2, 1, 1, 0), (3, 4, 3, 0), (3, 32, 4, 0),
    pytest.param(2, 4, 2, 0, marks=pytest.mark.long),
    pytest.param(3, 1, 1, 0, marks=pytest.mark.long),
    pytest.param(5, 4, 3, 0, marks=pytest.mark.long),
    pytest.param(5, 32, 3, 1, marks=pytest.mark.long)])
def test_registers_answer_as_specified(ports, sets, ways, stages):
    config = replace(load_config("tiny"), ports=ports, fdb_sets=sets, fdb_ways=ways,
                     vcs=ports + 1, profile="afh6", ecn_threshold=7, register_stages=stages)
    dut, reference = Registers(config), Reference(config)
    rng = random.Random(f"{ports} {sets} {ways}")
    addresses = [*Global, 0x7, 0x10, 0x3FF, port_address(ports, 0), 0xFFFF, 0x8009]
    addresses += [port_address(p, o) for p in range(ports) for o in range(0x100)]
    used = [*reference.masks, *(address for address in reference.widths if address >= 0x400)]
    tables = [Global.ROUTE_INDEX, Global.ROUTE_DATA, Global.FDB_INDEX, Global.FDB_DATA]

    # Those of the first and of the last port are enough, and are met often.
    used = [address for address in used if not port_address(1, 0) <= address
            < port_address(ports - 1, 0)]
    read_only = [Port.CBFC_STATUS, *(group + vc for group in VC_COUNTS
                                     for vc in range(config.vcs))]
    used += [port_address(p, offset) for p in (0, ports - 1) for offset in read_only]

    async def bench(ctx):
        table_writes = 0
        previous = None
        read_counters, read_flow = [0] * ports, [0] * ports
        # With register_stages what is on the pins, and what was read, is held for a cycle.
        accesses = deque([(0, 0, 0, 0)] * stages)
        answers = deque([0] * (1 + stages))
        for _ in range(2000):
            status = [rng.getrandbits(16) for _ in range(ports)]
            counters = [[rng.getrandbits(32) for _ in range(COUNTERS)] for _ in range(ports)]
            flow = [{offset: rng.getrandbits(20) for offset in read_only} for _ in range(ports)]
            # Counters answer in the cycle after.
            for signal, chosen in zip(dut.counter, read_counters, strict=True):
                ctx.set(signal, chosen)
            assert ctx.get(dut.bus.rdata) == answers.popleft(), (reference.cycle, previous)
            previous = reference.pending
            read_counters = [sum(v for n, v in enumerate(counters[port])
                                 if ctx.get(dut.counter_select[port].counter) >> n & 1)
                             for port in range(ports)]
            flow_before, read_flow = read_flow, [
                sum(flow[port][offset] for offset in selected(ctx, dut.flow_select[port], config))
                for port in range(ports)]
            for port in range(ports):
                ctx.set(dut.llr_status[port], status[port])
                ctx.set(dut.flow_status[port], (flow_before if stages else read_flow)[port])
                settings = dut.settings[port]
                for name in ("control", "vc_map", "ecn_threshold", "vc_weights"):
                    value = reference.value[port_address(port, Port[name.upper()])]
                    signal = settings.enable if name == "control" else getattr(settings, name)
                    assert ctx.get(signal) == value, (reference.cycle, port, name)
                profile = reference.value[port_address(port, Port.PROFILE)]
                assert ctx.get(settings.profile) == profile & 7
                number = profile & 7 if profile & 7 < 6 else 0
                assert ctx.get(settings.profile_is) == 1 << number
                assert ctx.get(settings.class_from) == profile >> 4
                check_flow(ctx, settings, reference, port)
                llr = {name: ctx.get(getattr(settings.llr, name)) for name in LLR_FIELDS}
                assert llr == {
                    name: reference.value[port_address(port, Port[f"LLR_{register}"])]
                    >> low & (1 << width) - 1
                    for name, (register, low, width) in LLR_FIELDS.items()
                }, (reference.cycle, port)
                assert (ctx.get(settings.esun_ethertype)
                        == reference.value[Global.ESUN_ETHERTYPE])
            assert ctx.get(dut.bypass_limit) == reference.value[Global.BYPASS_LIMIT]
            assert ctx.get(dut.table.ready) == reference.ready, reference.cycle
            pins = (rng.randrange(2), rng.randrange(2),
                    rng.choice(rng.choice((tables, used, used, addresses))),
                    rng.choice((rng.getrandbits(32), rng.randrange(20),
                                1 << 31 | rng.randrange(8))))
            for name, value in zip(("we", "re", "addr", "wdata"), pins, strict=True):
                ctx.set(getattr(dut.bus, name), value)
            was_ready, cycle = reference.ready, reference.cycle
            accesses.append(pins)
            rdata, table = reference.step(accesses.popleft(), counters, status, flow)
            answers.append(rdata)
            write = dut.table
            if was_ready:
                route = table is not None and table[0]
                assert ctx.get(write.route_we) == (table is not None and route), cycle
                assert ctx.get(write.fdb_we) == (table is not None and not route), cycle
                if table is not None:
                    table_writes += 1
                    _, index, valid, port, mac = table
                    assert ctx.get(write.entry_valid) == valid
                    assert ctx.get(write.entry_port) == port
                    assert ctx.get(write.route_index if route else write.fdb_index) == index
                    assert route or ctx.get(write.fdb_address) == mac
            else:
                entry = cycle - stages
                assert ctx.get(write.route_we) == (0 <= entry < config.id_entries)
                assert ctx.get(write.fdb_we) == (0 <= entry < config.fdb_entries)
                assert ctx.get(write.entry_valid) == (0 <= entry < ports)
            await ctx.tick()
        assert table_writes > 15

    run_block(dut, bench)


def test_counters_count_events_and_bytes():
    config = load_config("tiny")
    dut = Counters(config)
    rng = random.Random(1)

    async def bench(ctx):
        expected = [0] * COUNTERS
        read = 0
        for _ in range(200):
            packed = sum(value << 32 * n for n, value in enumerate(expected))
            assert ctx.get(dut.values) == packed
            assert ctx.get(dut.value) == read
            number = rng.randrange(COUNTERS + 1)
            ctx.set(dut.select.counter, 1 << number if number < COUNTERS else 0)
            ctx.set(dut.select.row, 1 << number // ROW)
            ctx.set(dut.select.place, number % ROW)
            read = expected[number] if number < COUNTERS else 0
            bits = rng.getrandbits(COUNTERS)
            rx, tx = rng.randrange(300), rng.randrange(9)
            ctx.set(dut.events.count, bits)
            ctx.set(dut.events.rx_bytes, rx)
            ctx.set(dut.events.tx_bytes, tx)
            amounts = {Counter.RX_BYTES: rx * (bits >> Counter.RX_FRAMES & 1),
                       Counter.TX_BYTES: tx}
            expected = [value + amounts.get(n, bits >> n & 1) for n, value in enumerate(expected)]
            await ctx.tick()

    run_block(dut, bench)
