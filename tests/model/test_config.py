# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from gavel_model import ConfigError, SwitchConfig, load_config
from gavel_model.loader import PRESETS
from gavel_model.probes import probe_points


@pytest.mark.parametrize(
    ("override", "field", "value", "allowed"),
    [
        ("ports=1", "ports", 1, "2...64"),
        ("ports=65", "ports", 65, "2...64"),
        ("data_width=32", "data_width", 32, "64, 128, 256 or 512"),
        ("data_width=1024", "data_width", 1024, "64, 128, 256 or 512"),
        ("vcs=0", "vcs", 0, "1...8"),
        ("vcs=9", "vcs", 9, "1...8"),
        ("cell_bytes=128", "cell_bytes", 128, "64"),
        ("buffer_cells=15", "buffer_cells", 15, "16...65536"),
        ("buffer_cells=65537", "buffer_cells", 65537, "16...65536"),
        ("buffer_cells=143", "buffer_cells", 143, "at least 144 cells"),
        ("max_frame_bytes=63", "max_frame_bytes", 63, "64...9216"),
        ("max_frame_bytes=9217", "max_frame_bytes", 9217, "64...9216"),
        ("replay_frames=3", "replay_frames", 3, "4...524288"),
        ("replay_frames=524289", "replay_frames", 524289, "4...524288"),
        ("replay_cells=3", "replay_cells", 3, "4...65536"),
        ("replay_cells=65537", "replay_cells", 65537, "4...65536"),
        ("replay_cells=143", "replay_cells", 143, "at least 720 cells, 5 frames"),
        ("seq_bits=3", "seq_bits", 3, "4...20"),
        ("seq_bits=8", "replay_frames", 256, "at most half of the sequence numbers, 128"),
        ("loop_cycles=65536", "loop_cycles", 65536, "0...65535"),
        ("replay_timer=3072", "replay_timer", 3072, "0 or above 3072 cycles"),
        ("pcs_lost_timer=16777216", "pcs_lost_timer", 16777216, "0...16777215"),
        ("data_age_timer=-1", "data_age_timer", -1, "0...16777215"),
        ("replay_count=256", "replay_count", 256, "0...255"),
        ("ctl_spacing=399", "ctl_spacing", 399, "400...16384"),
        ("ctl_min_spacing=2049", "ctl_min_spacing", 2049, "0...2048"),
        ("islip_iterations=0", "islip_iterations", 0, "1...4"),
        ("islip_iterations=5", "islip_iterations", 5, "1...4"),
        ("launch_stages=2", "launch_stages", 2, "0...1"),
        ("gate_stages=3", "gate_stages", 3, "0...2"),
        ("bypass_limit=-1", "bypass_limit", -1, "0...255"),
        ("bypass_limit=256", "bypass_limit", 256, "0...255"),
        ("id_entries=8", "id_entries", 8, "16...65536"),
        ("id_entries=131072", "id_entries", 131072, "16...65536"),
        ("id_entries=1000", "id_entries", 1000, "power of two"),
        ("fdb_sets=0", "fdb_sets", 0, "1...4096"),
        ("fdb_sets=48", "fdb_sets", 48, "power of two"),
        ("fdb_sets=8192", "fdb_sets", 8192, "1...4096"),
        ("fdb_ways=0", "fdb_ways", 0, "1...4"),
        ("fdb_ways=5", "fdb_ways", 5, "1...4"),
        ("profile=token_ring", "profile", "token_ring", "ethernet, esun"),
        ("queueing=lifo", "queueing", "lifo", "one of voq, fifo"),
        ("mac=phy", "mac", "phy", "one of preamble, frames"),
        ("ecn_threshold=-1", "ecn_threshold", -1, "0...65535"),
        ("ecn_threshold=65536", "ecn_threshold", 65536, "0...65535"),
        ("esun_ethertype=0x5FF", "esun_ethertype", 0x5FF, "1536...65535"),
        ("esun_ethertype=0x10000", "esun_ethertype", 0x10000, "1536...65535"),
    ],
)
def test_an_impossible_value_is_refused_by_field_value_and_range(
    override: str, field: str, value: object, allowed: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config("pod", [override])
    assert caught.value.field == field
    assert caught.value.value == value
    text = str(caught.value)
    assert field in text
    assert repr(value) in text
    assert allowed in text
    assert "\n" not in text


@pytest.mark.parametrize(("override", "most"), [("match_stages=1", "0"),
                                                ("gate_stages=2", "at most 1")])
@pytest.mark.parametrize("width", [256, 512])
def test_an_option_for_frames_of_four_words_is_refused_with_wide_words(
    width: int, override: str, most: str
) -> None:
    message = (f"{override.replace('=', ' = ')}: must be {most} with more than 128 bits, where a "
               "frame may have less than 4 words")
    with pytest.raises(ConfigError) as caught:
        load_config("tiny", [f"data_width={width}", override])
    assert str(caught.value) == message
    load_config("tiny", ["data_width=128", override])


@pytest.mark.parametrize("option", ["receive_stages", "launch_stages"])
def test_a_replay_timer_is_longer_than_the_registers_of_its_loop_too(option: str) -> None:
    load_config("pod", ["replay_timer=3073"])
    with pytest.raises(ConfigError, match=r"replay_timer = 3073: must be 0 or above 3073 cycles: "
                       f"loop, ACK spacing and two longest frames, and {option}$"):
        load_config("pod", ["replay_timer=3073", f"{option}=1"])


def test_direct_table_must_hold_every_port() -> None:
    with pytest.raises(ConfigError, match=r"id_entries = 16: must be at least ports = 64"):
        load_config("scale", ["id_entries=16"])


@pytest.mark.parametrize("value", ["8", 8.0, True, None])
def test_a_value_of_the_wrong_type_is_refused(value: object) -> None:
    fields = {
        "ports": value, "data_width": 64, "vcs": 2, "buffer_cells": 16, "max_frame_bytes": 256,
        "replay_frames": 8, "replay_cells": 16, "islip_iterations": 1,
    }
    with pytest.raises(ConfigError, match=r"ports = .*: must be a whole number"):
        SwitchConfig(**fields)  # type: ignore[arg-type]  # wrong types are the point


@pytest.mark.parametrize("field", ["profile", "queueing", "mac"])
def test_a_name_must_be_a_string(tmp_path: Path, field: str) -> None:
    path = tmp_path / "switch.toml"
    path.write_text(f'base = "tiny"\n{field} = 3\n')
    with pytest.raises(ConfigError, match=f"{field} = 3: must be a string"):
        load_config(str(path))


@pytest.mark.parametrize(
    ("preset", "ports", "width", "vcs", "latency"),
    [("tiny", 2, 64, 2, 10), ("fpga", 4, 64, 2, 18), ("pod", 8, 64, 4, 10),
     ("rack", 16, 512, 4, 10), ("scale", 64, 512, 4, 10)],
)
def test_presets(preset: str, ports: int, width: int, vcs: int, latency: int) -> None:
    config = load_config(preset)
    assert (config.ports, config.data_width, config.vcs) == (ports, width, vcs)
    assert config.latency_cycles == latency
    assert config.words_per_cell * config.data_width == 512
    assert config.queueing == "voq"
    assert config.mac == "preamble"


def test_the_presets_named_are_those_there_are() -> None:
    assert PRESETS == ("tiny", "fpga", "pod", "rack", "scale")


def test_derived_numbers() -> None:
    config = load_config("pod", ["ports=5", "data_width=256", "vcs=3", "max_frame_bytes=1000"])
    assert config.word_bytes == 32
    assert config.empty_bits == 5
    assert config.words_per_cell == 2
    assert config.max_frame_words == 32  # 31.25 words
    assert config.max_frame_cells == 16
    assert config.voqs == 15
    assert config.port_bits == 3
    assert config.vc_bits == 2
    assert config.count_bits == 11  # 0...1024
    assert config.cell_bits == 10
    assert config.table_init_cycles == 1024 + 2


def test_vc_bits_is_at_least_one() -> None:
    assert load_config("tiny", ["vcs=1"]).vc_bits == 1


def test_the_larger_table_decides_when_tables_are_ready() -> None:
    assert load_config("tiny", ["fdb_sets=64", "fdb_ways=3"]).table_init_cycles == 192 + 2


def test_toml_with_base_and_overrides(tmp_path: Path) -> None:
    path = tmp_path / "switch.toml"
    path.write_text('base = "tiny"\nports = 3\nvcs = 1\nprofile = "afh6"\n')
    config = load_config(str(path), ["vcs=8", "esun_ethertype=0x88B6"])
    assert (config.ports, config.vcs, config.profile) == (3, 8, "afh6")
    assert config.esun_ethertype == 0x88B6
    assert config.buffer_cells == 16


def test_overrides_are_checked_together() -> None:
    config = load_config("tiny", ["max_frame_bytes=9216", "buffer_cells=144", "replay_cells=720"])
    assert config.max_frame_cells == 144


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense=1", "nonsense: unknown field; one of ports"),
        ("ports", "-P = 'ports': must be of the form name=value"),
        ("ports=many", "ports = 'many': must be a whole number"),
        ("ports=2.5", "ports = '2.5': must be a whole number"),
    ],
)
def test_a_bad_override_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config("tiny", [text])
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ports = [", "must be TOML"),
        ("ports = " + 3000 * "[" + 3000 * "]", "must be TOML that nests less deeply"),
        ("ports = " + 5000 * "9", "must be TOML"),
        ('base = "tiny"\nports = 0x' + 5000 * "f", "ports = a number too long to print: must be"),
        ('base = "tiny"\nprofile = "' + 999 * "x" + '"', "xxx...xxx"),
        ('base = "huge"', "base = 'huge': must be one of tiny"),
        ('base = "tiny"\nport = 3', "port: unknown field; one of ports, data_width"),
        ("ports = 2", "data_width, vcs, buffer_cells, max_frame_bytes, replay_frames, "
         "replay_cells, islip_iterations: missing in "),
    ],
)
def test_a_bad_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "switch.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(str(path))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value).replace(str(path), "")


def test_a_missing_file_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"must be a TOML file or one of tiny, fpga"):
        load_config("/nowhere/switch.toml")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"must be a TOML file or one of tiny"):
        load_config(str(tmp_path))


def test_probe_points_have_the_widths_of_the_specification() -> None:
    points = {point.name: point.width for point in probe_points(load_config("tiny"))}
    assert points == {
        "p0.voq_frames": 4 * 5, "p0.free_cells": 5, "p0.counters": 1760,
        "p0.llr_rx": 22, "p0.llr_tx": 87,
        "p0.credit_tx": 82, "p0.credit_rx": 80, "p0.vc_cells": 2 * 5, "p0.pause": 4,
        "p1.voq_frames": 4 * 5, "p1.free_cells": 5, "p1.counters": 1760,
        "p1.llr_rx": 22, "p1.llr_tx": 87,
        "p1.credit_tx": 82, "p1.credit_rx": 80, "p1.vc_cells": 2 * 5, "p1.pause": 4,
        "scheduler.grant": 4, "scheduler.accept": 4, "scheduler.turn": 8, "scheduler.catch_up": 4,
        "scheduler.quota": 16,
    }
