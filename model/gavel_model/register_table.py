# SPDX-License-Identifier: Apache-2.0
"""The registers of ``rdl/gavel.rdl`` as data. Made by ``make registers``; do not edit."""

from __future__ import annotations

from gavel_model.register_entry import Field, Register

GLOBALS = (
    Register("ID", 0x00, (Field("id", 0, bits=32, reset=0x4741564C),), writable=False),
    Register("VERSION", 0x01, (
        Field("patch", 0, bits=8),
        Field("minor", 8, bits=8, reset=3),
        Field("major", 16, bits=16),
    ), writable=False),
    Register("PORTS", 0x02, (Field("count", 0, bits=32, reset="ports"),), writable=False),
    Register("DATA_WIDTH", 0x03, (Field("bits", 0, bits=32, reset="data_width"),), writable=False),
    Register("VCS", 0x04, (Field("count", 0, bits=32, reset="vcs"),), writable=False),
    Register("LATENCY", 0x05, (
        Field("cycles", 0, bits=32, reset="latency_cycles"),
    ), writable=False),
    Register("STATUS", 0x06, (Field("table_ready", 0, bits=1, reset=None),), writable=False),
    Register("ROUTE_INDEX", 0x08, (Field("index", 0, bits=16),)),
    Register("ROUTE_DATA", 0x09, (
        Field("port", 0, bits=6, reset=None),
        Field("valid", 31, bits=1, reset=None),
    )),
    Register("FDB_INDEX", 0x0A, (Field("index", 0, bits=16),)),
    Register("FDB_ADDR_HI", 0x0B, (Field("address", 0, bits=16),)),
    Register("FDB_ADDR_LO", 0x0C, (Field("address", 0, bits=32),)),
    Register("FDB_DATA", 0x0D, (
        Field("port", 0, bits=6, reset=None),
        Field("valid", 31, bits=1, reset=None),
    )),
    Register("ESUN_ETHERTYPE", 0x0E, (Field("ethertype", 0, bits=16, reset="esun_ethertype"),)),
    Register("BYPASS_LIMIT", 0x0F, (Field("frames", 0, bits=8, reset="bypass_limit"),)),
)
"""Registers that a switch has once."""

PORT_REGISTERS = (
    Register("CONTROL", 0x00, (Field("enable", 0, bits=1, reset=1),)),
    Register("PROFILE", 0x01, (
        Field("profile", 0, bits=3, reset="profile_number"),
        Field("class_from", 4, bits=2),
    )),
    Register("VC_MAP", 0x02, (Field("vc_of_class", 0, bits=32, reset="vc_map"),)),
    Register("ECN_THRESHOLD", 0x03, (Field("cells", 0, bits=16, reset="ecn_threshold"),)),
    Register("LLR_CONTROL", 0x04, (
        Field("local", 0, bits=1, needs="preamble"),
        Field("remote", 1, bits=1, needs="preamble"),
        Field("init_action", 2, bits=2, reset=2),
        Field("flush_action", 4, bits=2, reset=1),
        Field("reinit", 6, bits=1, reset=1),
        Field("protect", 7, bits=1, reset=1),
        Field("forward_poisoned", 8, bits=1),
    )),
    Register("LLR_WINDOW_FRAMES", 0x05, (
        Field("frames", 0, bits=20, reset="replay_frames", at_least=1, at_most="replay_frames"),
    )),
    Register("LLR_WINDOW_CELLS", 0x06, (
        Field("cells", 0, bits=17, reset="replay_cells", at_least="max_frame_cells",
              at_most="replay_cells"),
    )),
    Register("LLR_REPLAY_TIMER", 0x07, (Field("cycles", 0, bits=24, reset="replay_timer"),)),
    Register("LLR_PCS_LOST", 0x08, (Field("cycles", 0, bits=24, reset="pcs_lost_timer"),)),
    Register("LLR_DATA_AGE", 0x09, (Field("cycles", 0, bits=24, reset="data_age_timer"),)),
    Register("LLR_REPLAY_COUNT", 0x0A, (Field("replays", 0, bits=8, reset="replay_count"),)),
    Register("LLR_SPACING", 0x0B, (
        Field("spacing", 0, bits=16, reset="ctl_spacing"),
        Field("min_spacing", 16, bits=16, reset="ctl_min_spacing", at_most="spacing"),
    )),
    Register("LLR_INIT_SEQ", 0x0C, (Field("seq", 0, bits=20),)),
    Register("LLR_INIT_DATA", 0x0D, (Field("data", 0, bits=16),)),
    Register("LLR_STATUS", 0x0E, (
        Field("tx_state", 0, bits=3, reset=None),
        Field("rx_state", 4, bits=2, reset=None),
        Field("replays", 8, bits=8, reset=None),
    ), writable=False),
    Register("VC_WEIGHTS", 0x0F, (Field("weights", 0, per_vc=4),)),
    Register("VC_CONTROL", 0x10, (
        Field("strict", 0, per_vc=1),
        Field("stop", 8, per_vc=1),
    )),
    Register("CBFC_CONTROL", 0x11, (
        Field("sender", 0, per_vc=1, needs="preamble"),
        Field("receiver", 8, per_vc=1, needs="preamble"),
        Field("total", 16, bits=1),
        Field("resync", 17, bits=1, reset=1),
    )),
    Register("CBFC_SENDER", 0x12, (
        Field("size", 0, bits=3, reset=1, at_most=6),
        Field("overhead", 8, bits=8, at_least=-16),
    )),
    Register("CBFC_RECEIVER", 0x13, (
        Field("size", 0, bits=3, reset=1, at_most=6),
        Field("overhead", 8, bits=8, at_least=-16),
    )),
    Register("CBFC_TOTAL_LIMIT", 0x14, (Field("credits", 0, bits=20, reset="buffer_cells"),)),
    Register("CBFC_CF_MIN", 0x15, (
        Field("spacing", 0, bits=16, reset="cf_min_spacing", at_least=0x40),
    )),
    Register("CBFC_CF_MAX", 0x16, (Field("spacing", 0, bits=21, reset="cf_max_spacing"),)),
    Register("CBFC_CC_PERIOD", 0x17, (Field("cycles", 0, bits=24, reset="cc_period"),)),
    Register("PFC_CONTROL", 0x18, (
        Field("receive", 0, per_vc=1),
        Field("transmit", 8, per_vc=1),
    )),
    Register("PFC_XOFF", 0x19, (Field("cells", 0, bits=17, reset="xoff"),)),
    Register("PFC_XON", 0x1A, (Field("cells", 0, bits=17, reset="xon"),)),
    Register("PFC_TIME", 0x1B, (Field("quanta", 0, bits=16, reset=0xFFFF),)),
    Register("PFC_WATCHDOG", 0x1C, (Field("cycles", 0, bits=24),)),
    Register("PFC_RESTORE", 0x1D, (Field("cycles", 0, bits=24),)),
    Register("MAC_ADDRESS_HI", 0x1E, (Field("address", 0, bits=16, reset=0x200),)),
    Register("MAC_ADDRESS_LO", 0x1F, (Field("address", 0, bits=32, reset="port"),)),
    Register("CBFC_STATUS", 0x70, (
        Field("waiting", 0, per_vc=1, reset=None),
        Field("paused", 8, per_vc=1, reset=None),
        Field("xoff", 16, per_vc=1, reset=None),
    ), writable=False),
    Register("CBFC_LIMIT", 0x80, (
        Field("credits", 0, bits=20, reset="share_of_a_vc"),
    ), of_each_vc=True),
    Register("RX_VC_LIMIT", 0x88, (Field("cells", 0, bits=17, reset=0x1FFFF),), of_each_vc=True),
    Register("VC_MATCH", 0x90, (
        Field("value", 0, bits=6, reset="vc"),
        Field("mask", 8, bits=6, reset=0x3F),
    ), of_each_vc=True),
    Register("CBFC_S_CC", 0x98, (
        Field("credits", 0, bits=20, reset=None),
    ), writable=False, of_each_vc=True),
    Register("CBFC_S_CF", 0xA0, (
        Field("credits", 0, bits=20, reset=None),
    ), writable=False, of_each_vc=True),
    Register("CBFC_R_CC", 0xA8, (
        Field("credits", 0, bits=20, reset=None),
    ), writable=False, of_each_vc=True),
    Register("CBFC_R_CF", 0xB0, (
        Field("credits", 0, bits=20, reset=None),
    ), writable=False, of_each_vc=True),
    Register("VC_CELLS", 0xB8, (
        Field("cells", 0, bits=17, reset=None),
    ), writable=False, of_each_vc=True),
)
"""Registers that each port has, beside the counters."""
