# SPDX-License-Identifier: Apache-2.0
"""The parameters of a switch as compiled code gets them: numbers in an array, by these indexes."""

from __future__ import annotations

import numpy as np

from gavel_fast.compiled import Ints, compiled
from gavel_model.config import SwitchConfig
from gavel_model.register_map import QUANTUM_BITS

PORTS = 0
VCS = 1
WORD_BYTES = 2
LANES = 3
"""Elements of 64 bits in a word."""

CELL_WORDS = 4
MAX_WORDS = 5
MAX_BYTES = 6
SEQ_MASK = 7
REPLAY_WORDS = 8
ITERATIONS = 9
ID_ENTRIES = 10
FDB_SETS = 11
FDB_WAYS = 12
TABLE_CYCLES = 13
"""Cycles after reset until the tables are ready."""

QUANTUM = 14
"""Cycles in a quantum of PFC."""

PORT_MASK = 15
"""Bits of a port number that a table stores."""

MAX_CELLS = 16
REPLAY_FRAMES = 17
REPLAY_CELLS = 18
LATENCY = 19
ONE_QUEUE = 20
"""1: an input shows the scheduler only the frame that came first."""

TO_STORE = 21
"""Cycles from the pins to the buffer, w - t."""

TO_TRANSMITTER = 22
"""Cycles from the reading of a word to its being taken by `LlrTransmitter`."""

GATE_STAGES = 23
"""So many cycles before are those of which `allow` and `hold` are made."""

MATCH_STAGES = 24
"""1: a match is made of the requests of the cycle before."""

REGISTER_STAGES = 25
"""1: an access is held for a cycle, and so is an answer."""

TO_VERDICT = 26
"""Cycles from the pins to the verdict on a frame or an ordered set, r - t."""

TO_EGRESS = 27
"""Cycles from the reading of a word to the crossbar's output register."""

MATCH_TO_EGRESS = 28
"""Cycles from the match of a frame to its first word in `Egress`."""

CONTROL_STAGES = 29
"""1: an ordered set is held for a cycle between its choice and its loading."""

LAUNCH_STAGES = 30
"""1: a launched word is held for a cycle before it is on the pins."""

_COUNT = 31

LANE_BYTES = 8
CELL_LANES = 8
"""Elements of 64 bits in a buffer cell of 64 bytes."""

STAGES = 8
"""Places of a pipeline of which stage n is the one written n cycles ago, n < 8."""


def sizes(config: SwitchConfig) -> Ints:
    """The array."""
    values = np.zeros(_COUNT, np.int64)
    values[PORTS] = config.ports
    values[VCS] = config.vcs
    values[WORD_BYTES] = config.word_bytes
    values[LANES] = config.word_bytes // LANE_BYTES
    values[CELL_WORDS] = config.words_per_cell
    values[MAX_WORDS] = config.max_frame_words
    values[MAX_BYTES] = config.max_frame_bytes
    values[SEQ_MASK] = (1 << config.seq_bits) - 1
    values[REPLAY_WORDS] = config.replay_words
    values[ITERATIONS] = config.islip_iterations
    values[ID_ENTRIES] = config.id_entries
    values[FDB_SETS] = config.fdb_sets
    values[FDB_WAYS] = config.fdb_ways
    values[TABLE_CYCLES] = config.table_init_cycles
    values[QUANTUM] = QUANTUM_BITS // config.data_width
    values[PORT_MASK] = (1 << config.port_bits) - 1
    values[MAX_CELLS] = config.max_frame_cells
    values[REPLAY_FRAMES] = config.replay_frames
    values[REPLAY_CELLS] = config.replay_cells
    values[LATENCY] = config.latency_cycles
    values[ONE_QUEUE] = config.queueing == "fifo"
    values[TO_VERDICT] = 2 + config.receive_stages
    values[TO_STORE] = 3 + config.store_stages
    # A transfer reads its first word in the cycle after its match.
    values[TO_EGRESS] = config.match_to_egress - 1
    values[TO_TRANSMITTER] = values[TO_EGRESS] + config.egress_stages
    values[GATE_STAGES] = config.gate_stages
    values[MATCH_STAGES] = config.match_stages
    values[REGISTER_STAGES] = config.register_stages
    values[MATCH_TO_EGRESS] = config.match_to_egress
    values[CONTROL_STAGES] = config.control_stages
    values[LAUNCH_STAGES] = config.launch_stages
    return values


@compiled
def ring_place(cycle: int) -> int:
    """Place of a pipeline that is written in a cycle."""
    return cycle & STAGES - 1
