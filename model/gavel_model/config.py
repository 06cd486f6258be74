# SPDX-License-Identifier: Apache-2.0
"""The one parameter object that model, RTL, test kit and scripts hand around.

What a user may say is a field; what follows from it is a property. An impossible
combination is refused at construction, with the field, its value and the allowed range.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from gavel_model.profiles import PROFILE_NAMES

QUEUEING = ("voq", "fifo")
"""How the frames of an input wait: in virtual output queues, or in one queue."""

MACS = ("preamble", "frames")
"""What the MACs at the ports show: preambles and ordered sets, too, or frames alone."""

NAMES = {"profile": PROFILE_NAMES, "queueing": QUEUEING, "mac": MACS}
"""Fields that are names, and the names allowed."""

CELL_BYTES = 64
"""Bytes in a buffer cell: the minimum Ethernet frame and one allowed credit size."""

MIN_FRAME_BYTES = 64
"""Shortest frame, FCS included (IEEE 802.3, 4A.2.3.2.4)."""

FCS_BYTES = 4
DATA_WIDTHS = (64, 128, 256, 512)
MAX_PORTS = 64
MAX_VCS = 8
TIMER_BITS = 24
"""Width of the timers of link-level retry, in cycles."""

LEAST_CF_SPACING = 64
"""Least distance of two CF_Updates, bytes of line time."""

CF_SPACING_BITS = 21
"""Width of the largest distance of two CF_Updates, bytes of line time."""

FRAMES_UNDER_WAY = 5
"""Longest frames for which a replay buffer has room at least: what is reserved or under way when
frames follow each other at line rate (docs/llr.md, Sizes)."""

LATE_FRAME_WORDS = 4
"""Words that every frame has where requests are made a cycle earlier, or what holds frames back
follows two cycles later (docs/spec.md, Pipeline options)."""

PIPELINE_FRAMES = 8
PIPELINE_WORDS = 5
"""Frames and words of the window that the stages between match and acknowledgement take."""


_SHOWN = 120


def shortened(text: str) -> str:
    """``text``, or its two ends if it is too long for the line of a message."""
    half = _SHOWN // 2
    return text if len(text) <= _SHOWN else f"{text[:half]}...{text[-half:]}"


def _shown(value: object) -> str:
    try:
        return shortened(repr(value))
    except ValueError:  # Python prints no whole number of thousands of digits.
        return "a number too long to print"


class ConfigError(ValueError):
    """A configuration that cannot be built; the message names field, value and range."""

    def __init__(self, field: str, value: object, allowed: str) -> None:
        super().__init__(f"{field} = {_shown(value)}: must be {allowed}")
        self.field = field
        self.value = value
        self.allowed = allowed


@dataclass(frozen=True, kw_only=True)
class SwitchConfig:
    """Parameters of one switch.

    Attributes
    ----------
    ports
        Switch radix P, 2...64.
    data_width
        Bits that a port moves each cycle, W: 64, 128, 256 or 512.
    vcs
        Virtual channels V, 1...8.
    cell_bytes
        Bytes in a buffer cell, which is also the credit size: 64.
    buffer_cells
        Cells in one ingress buffer, 16...65536; at least one longest frame.
    queueing
        ``voq``, or ``fifo``: an input sends its frames in the order in which they came, for
        comparison with theory.
    mac
        ``preamble``, or ``frames``: the MACs own preamble and ordered sets, so link-level retry and
        credits cannot be turned on.
    max_frame_bytes
        Longest frame with FCS, 64...9216.
    replay_frames, replay_cells
        Replay buffer of the LLR transmitter in frames (4...524288) and in cells (4...65536; at
        least five longest frames, which is what is under way at line rate).
    seq_bits
        Bits of an LLR sequence number, 4...20. The standard has 20; fewer make the wrap frequent.
        At most half of the numbers are outstanding: ``replay_frames`` <= 2**(seq_bits-1).
    loop_cycles
        Longest time from a frame's last word on the transmit pins to the ACK on the receive pins
        that the link and the peer add, without the spacing of ACKs, 0...65535 cycles. It is not
        built in; it only judges the timers.
    replay_timer, pcs_lost_timer, data_age_timer
        Reset values of the LLR timers, 0...16777215 cycles; 0 turns a timer off. A replay timer
        must be longer than loop, ACK spacing, two longest frames, ``receive_stages`` and
        ``launch_stages`` together.
    replay_count
        Reset value of ``LLR_REPLAY_COUNT``, 0...255; 255 is no limit.
    ctl_spacing, ctl_min_spacing
        Reset values of ``LLR_SPACING``: bytes of line time between two ACKs, 400...16384, and
        between any two ordered sets, 0...``ctl_spacing``.
    cf_min_spacing, cf_max_spacing
        Reset values of ``CBFC_CF_MIN``, 64...65535, and ``CBFC_CF_MAX``, 0...2097151: bytes of line
        time between two CF_Updates.
    cc_period
        Reset value of ``CBFC_CC_PERIOD``, 0...16777215 cycles; 0 sends no CC_Update.
    islip_iterations
        iSLIP iterations made in each cycle, 1...4.
    receive_stages, ingress_stages, match_stages, read_stages, egress_stages, launch_stages,
    gate_stages, control_stages, register_stages, transmit_stages
        Pipeline options (docs/spec.md, Pipeline options). A cycle of latency each: registers behind
        the check of FCS and ordered sets (0...1), behind the lookup (0...2), between requests and
        grants (0...1, with at most 128 bits), around the cell memory (0...2), behind egress editing
        (0...1), before the frame pins (0...1). None of latency: between what holds frames back and
        the scheduler (0...2, 2 with at most 128 bits), between the choice of an ordered set and the
        set (0...1), around the register pins (0...1), between the transmit pins and XGMII with one
        clock (0...1, nothing elsewhere).
    bypass_limit
        Reset value of register ``BYPASS_LIMIT``, 0...255: how many frames an output takes
        past an input that is busy before it waits for that input; 0 turns this off.
    id_entries
        Entries of the direct lookup table, a power of two, 16...65536, at least ``ports``.
    fdb_sets, fdb_ways
        Shape of the static hash table of 48-bit addresses: a power of two 1...4096, and 1...4.
    profile
        Header profile that every port has after reset, one of the names in `profiles`.
    ecn_threshold
        Reset value of ``ECN_THRESHOLD``, cells of one VOQ, 0...65535; 65535 never marks.
    esun_ethertype
        Reset value of ``ESUN_ETHERTYPE``; not assigned by IEEE, the reset value is ours.

    Raises
    ------
    ConfigError
        For a value out of range or a combination that cannot be built.
    """

    ports: int
    data_width: int
    vcs: int
    cell_bytes: int = CELL_BYTES
    buffer_cells: int
    queueing: str = "voq"
    mac: str = "preamble"
    max_frame_bytes: int
    replay_frames: int
    replay_cells: int
    seq_bits: int = 20
    loop_cycles: int = 512
    replay_timer: int = 4096
    pcs_lost_timer: int = 40960
    data_age_timer: int = 16384
    replay_count: int = 3
    ctl_spacing: int = 2048
    ctl_min_spacing: int = 400
    cf_min_spacing: int = 800
    cf_max_spacing: int = 65536
    cc_period: int = 40000
    islip_iterations: int
    receive_stages: int = 0
    ingress_stages: int = 0
    match_stages: int = 0
    read_stages: int = 0
    egress_stages: int = 0
    launch_stages: int = 0
    gate_stages: int = 0
    control_stages: int = 0
    register_stages: int = 0
    transmit_stages: int = 0
    bypass_limit: int = 128
    id_entries: int = 1024
    fdb_sets: int = 64
    fdb_ways: int = 2
    profile: str = "ethernet"
    ecn_threshold: int = 65535
    esun_ethertype: int = 0x88B5

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            kind = str if item.name in NAMES else int
            if type(value) is not kind:
                expected = "a string" if kind is str else "a whole number"
                raise ConfigError(item.name, value, expected)
        self._in_range("ports", 2, MAX_PORTS)
        if self.data_width not in DATA_WIDTHS:
            raise ConfigError("data_width", self.data_width, "64, 128, 256 or 512 bits")
        self._in_range("vcs", 1, MAX_VCS)
        if self.cell_bytes != CELL_BYTES:
            raise ConfigError("cell_bytes", self.cell_bytes, f"{CELL_BYTES} bytes")
        self._in_range("max_frame_bytes", MIN_FRAME_BYTES, 9216)
        self._in_range("buffer_cells", 16, 65536)
        self._holds_a_frame("buffer_cells")
        self._in_range("replay_frames", 4, 524288)
        self._in_range("replay_cells", 4, 65536)
        self._holds_a_frame("replay_cells", FRAMES_UNDER_WAY)
        self._in_range("seq_bits", 4, 20)
        if self.replay_frames > 1 << self.seq_bits - 1:
            raise ConfigError("replay_frames", self.replay_frames, "at most half of the sequence "
                              f"numbers, {1 << self.seq_bits - 1} with seq_bits = {self.seq_bits}")
        self._timers()
        self._in_range("cf_min_spacing", LEAST_CF_SPACING, 65535)
        self._in_range("cf_max_spacing", 0, (1 << CF_SPACING_BITS) - 1)
        self._in_range("cc_period", 0, (1 << TIMER_BITS) - 1)
        self._in_range("islip_iterations", 1, 4)
        self._in_range("receive_stages", 0, 1)
        self._in_range("ingress_stages", 0, 2)
        self._in_range("match_stages", 0, 1)
        self._short_frames("match_stages", 0)
        self._in_range("read_stages", 0, 2)
        self._in_range("egress_stages", 0, 1)
        self._in_range("launch_stages", 0, 1)
        self._in_range("gate_stages", 0, 2)
        self._short_frames("gate_stages", 1)
        self._in_range("control_stages", 0, 1)
        self._in_range("register_stages", 0, 1)
        self._in_range("transmit_stages", 0, 1)
        self._in_range("bypass_limit", 0, 255)
        self._power_of_two("id_entries", 16, 65536)
        if self.id_entries < self.ports:
            raise ConfigError("id_entries", self.id_entries, f"at least ports = {self.ports}")
        self._power_of_two("fdb_sets", 1, 4096)
        self._in_range("fdb_ways", 1, 4)
        for field, names in NAMES.items():
            value = getattr(self, field)
            if value not in names:
                raise ConfigError(field, value, "one of " + ", ".join(names))
        self._in_range("ecn_threshold", 0, 65535)
        self._in_range("esun_ethertype", 0x0600, 0xFFFF)

    def _in_range(self, field: str, low: int, high: int) -> None:
        value = getattr(self, field)
        if not low <= value <= high:
            raise ConfigError(field, value, f"in {low}...{high}")

    def _short_frames(self, field: str, most: int) -> None:
        """With frames of fewer than `LATE_FRAME_WORDS` words an option may be ``most``."""
        value = getattr(self, field)
        if value > most and self.words_per_cell < LATE_FRAME_WORDS:
            allowed = f"at most {most}" if most else "0"
            raise ConfigError(field, value, f"{allowed} with more than 128 bits, where a frame may "
                              f"have less than {LATE_FRAME_WORDS} words")

    def _power_of_two(self, field: str, low: int, high: int) -> None:
        self._in_range(field, low, high)
        value = getattr(self, field)
        if value & (value - 1):
            raise ConfigError(field, value, f"a power of two in {low}...{high}")

    def _holds_a_frame(self, field: str, frames: int = 1) -> None:
        value = getattr(self, field)
        if value < frames * self.max_frame_cells:
            count = "one frame" if frames == 1 else f"{frames} frames"
            raise ConfigError(
                field,
                value,
                f"at least {frames * self.max_frame_cells} cells, "
                f"{count} of max_frame_bytes = {self.max_frame_bytes}",
            )

    def _timers(self) -> None:
        self._in_range("loop_cycles", 0, 65535)
        for field in ("replay_timer", "pcs_lost_timer", "data_age_timer"):
            self._in_range(field, 0, (1 << TIMER_BITS) - 1)
        self._in_range("replay_count", 0, 255)
        self._in_range("ctl_spacing", 400, 16384)
        self._in_range("ctl_min_spacing", 0, self.ctl_spacing)
        if 0 < self.replay_timer <= self.ack_cycles:
            raise ConfigError(
                "replay_timer", self.replay_timer,
                f"0 or above {self.ack_cycles} cycles: loop, ACK spacing and two longest frames"
                + ", and receive_stages" * self.receive_stages
                + ", and launch_stages" * self.launch_stages,
            )

    @property
    def word_bytes(self) -> int:
        """Bytes in one word of a port, W/8."""
        return self.data_width // 8

    @property
    def empty_bits(self) -> int:
        """Width of ``empty``: log2(W/8)."""
        return self.word_bytes.bit_length() - 1

    @property
    def words_per_cell(self) -> int:
        """Words in one buffer cell: 8, 4, 2 or 1."""
        return self.cell_bytes // self.word_bytes

    @property
    def max_frame_words(self) -> int:
        """Words of the longest frame."""
        return -(-self.max_frame_bytes // self.word_bytes)

    @property
    def max_frame_cells(self) -> int:
        """Cells of the longest frame."""
        return -(-self.max_frame_bytes // self.cell_bytes)

    @property
    def replay_words(self) -> int:
        """Words of the replay buffer."""
        return self.replay_cells * self.words_per_cell

    @property
    def ack_cycles(self) -> int:
        """Cycles in which a frame that arrives well is acknowledged, at most."""
        spacing = -(-self.ctl_spacing // self.word_bytes)
        return (self.loop_cycles + spacing + 2 * self.max_frame_words + self.receive_stages
                + self.launch_stages)

    @property
    def more_frames_under_way(self) -> int:
        """Frames that pipeline options add to those between match and acknowledgement; of two
        words `FRAMES_UNDER_WAY` and `PIPELINE_FRAMES` have enough for four of them, of more for
        all (docs/llr.md, Sizes)."""
        stages = self.gate_stages + self.read_stages + self.egress_stages
        if self.words_per_cell == 1:
            return stages
        stages += self.receive_stages + self.launch_stages
        return int(self.words_per_cell == 2 and stages > 4)

    @property
    def more_words_under_way(self) -> int:
        """Words, each of them a frame, that are launched while a frame and its acknowledgement go
        through registers of pipeline options; the rest as of `more_frames_under_way`."""
        return self.receive_stages + self.launch_stages if self.words_per_cell == 1 else 0

    @property
    def line_rate_loop_cycles(self) -> int:
        """Longest loop, from a word on the transmit pins to the ordered set that may answer it on
        the receive pins, at which 64-byte frames run at line rate with link-level retry
        (docs/llr.md, Sizes); 0 if there is none."""
        word = self.word_bytes
        more, words = self.more_frames_under_way, self.more_words_under_way
        cells = (self.replay_cells * CELL_BYTES - (PIPELINE_WORDS + words) * word
                 - (FRAMES_UNDER_WAY + more) * self.max_frame_words * word)
        frames = (self.replay_frames - PIPELINE_FRAMES - more - words) * MIN_FRAME_BYTES
        return max(0, min(cells, frames) - self.ctl_spacing) // word

    @property
    def length_bits(self) -> int:
        """Width of a frame length in bytes, able to hold one word more than the longest."""
        return (self.max_frame_words * self.word_bytes + self.word_bytes).bit_length()

    @property
    def frame_words_bits(self) -> int:
        """Width of a frame length in words, 0...max_frame_words."""
        return self.max_frame_words.bit_length()

    @property
    def frame_cells_bits(self) -> int:
        """Width of a frame length in cells, 0...max_frame_cells."""
        return self.max_frame_cells.bit_length()

    @property
    def cell_bits(self) -> int:
        """Width of a cell number, 0...buffer_cells-1."""
        return (self.buffer_cells - 1).bit_length()

    @property
    def count_bits(self) -> int:
        """Width of a count of cells or of frames in one buffer, 0...buffer_cells."""
        return self.buffer_cells.bit_length()

    @property
    def port_bits(self) -> int:
        """Width of a port number."""
        return (self.ports - 1).bit_length()

    @property
    def vc_bits(self) -> int:
        """Width of a VC number; at least 1."""
        return max(1, (self.vcs - 1).bit_length())

    @property
    def voqs(self) -> int:
        """VOQs of one input: P x V. VOQ number = output * V + VC."""
        return self.ports * self.vcs

    @property
    def id_bits(self) -> int:
        """Width of an index into the direct lookup table."""
        return self.id_entries.bit_length() - 1

    @property
    def fdb_entries(self) -> int:
        """Entries of the hash table; entry number = set * fdb_ways + way."""
        return self.fdb_sets * self.fdb_ways

    @property
    def table_init_cycles(self) -> int:
        """Cycles after reset until ``STATUS.table_ready``: one per entry of the larger table,
        and two for the last write to reach every copy."""
        return max(self.id_entries, self.fdb_entries) + 2

    @property
    def write_cycles(self) -> int:
        """Cycles from a write on the register pins to that in which the register shows its new
        value (docs/spec.md, chapter Registers)."""
        return 2 + self.register_stages

    @property
    def answer_cycles(self) -> int:
        """Cycles from a read on the register pins to its answer on ``reg_rdata``
        (docs/spec.md, chapter Registers)."""
        return 2 + 2 * self.register_stages

    @property
    def store_stages(self) -> int:
        """Cycles that pipeline options put between a frame's last word on the receive pins and the
        buffer: w - t - 3."""
        return self.receive_stages + self.ingress_stages

    @property
    def parser_stages(self) -> int:
        """Cycles after t+2 until what `Parser` finds but destination and profile is known."""
        return int(self.store_stages > 1)

    @property
    def match_to_egress(self) -> int:
        """Cycles from the match of a frame to its first word in ``Egress``: e - s
        (docs/flow_control.md)."""
        return 3 + self.read_stages

    @property
    def latency_cycles(self) -> int:
        """K: cycles from a frame's last word on the receive pins to its first on the transmit
        pins when nothing contends (docs/spec.md, chapter Latency)."""
        return (10 + self.store_stages + self.match_stages + self.read_stages
                + self.egress_stages + self.launch_stages)
