# SPDX-License-Identifier: Apache-2.0
"""`gavel info`: a configuration, what follows from it, and its register map."""

from __future__ import annotations

from dataclasses import fields
from typing import NamedTuple

import click

from gavel_cli.errors import EXIT_CODES
from gavel_cli.options import config_options, json_option, make_config, print_json, print_pairs
from gavel_model.config import SwitchConfig
from gavel_model.register_entry import Register as Entry
from gavel_model.register_map import GLOBALS, Counter, Port, port_address, port_registers

UNITS = {
    "data_width": "bits", "cell_bytes": "bytes", "buffer_cells": "cells",
    "max_frame_bytes": "bytes", "replay_frames": "frames", "replay_cells": "cells",
    "receive_stages": "cycles", "ingress_stages": "cycles", "match_stages": "cycles",
    "read_stages": "cycles", "egress_stages": "cycles", "launch_stages": "cycles",
    "gate_stages": "cycles", "control_stages": "cycles", "register_stages": "cycles",
    "transmit_stages": "cycles, at XGMII with one clock",
    "bypass_limit": "frames", "id_entries": "entries", "ecn_threshold": "cells",
    "latency_cycles": "cycles", "table_init_cycles": "cycles", "word_bytes": "bytes",
    "words_per_cell": "words", "max_frame_words": "words", "max_frame_cells": "cells",
    "voqs": "per input", "fdb_entries": "entries", "buffer_bytes": "bytes per input",
    "seq_bits": "bits", "loop_cycles": "cycles", "replay_timer": "cycles",
    "pcs_lost_timer": "cycles", "data_age_timer": "cycles", "replay_count": "replays",
    "ctl_spacing": "bytes of line time", "ctl_min_spacing": "bytes of line time",
    "replay_bytes": "bytes per output", "line_rate_loop_cycles": "cycles, with 64-byte frames",
    "bits_per_cycle": "bits, each direction", "frames_per_cycle": "64-byte frames, all ports",
}
HEXADECIMAL = frozenset({"esun_ethertype"})


class Register(NamedTuple):
    """A line of the register map: word address, name, and ``ro`` or ``rw``."""

    address: int
    name: str
    access: str


def derived(config: SwitchConfig) -> dict[str, int | float]:
    """Numbers that follow from a configuration, by name; units in `UNITS`."""
    return {
        "latency_cycles": config.latency_cycles,
        "table_init_cycles": config.table_init_cycles,
        "word_bytes": config.word_bytes,
        "words_per_cell": config.words_per_cell,
        "max_frame_words": config.max_frame_words,
        "max_frame_cells": config.max_frame_cells,
        "voqs": config.voqs,
        "fdb_entries": config.fdb_entries,
        "buffer_bytes": config.buffer_cells * config.cell_bytes,
        "replay_bytes": config.replay_cells * config.cell_bytes,
        "line_rate_loop_cycles": config.line_rate_loop_cycles,
        "bits_per_cycle": config.ports * config.data_width,
        "frames_per_cycle": config.ports / config.words_per_cell,
    }


def _access(entry: Entry) -> str:
    return "rw" if entry.writable else "ro"


def register_map(config: SwitchConfig) -> list[Register]:
    """All registers of a switch in the order of their addresses."""
    found = [Register(entry.address, entry.name, _access(entry)) for entry in GLOBALS]
    for port in range(config.ports):
        found += [Register(port_address(port, offset),
                           f"P{port}_{entry.name}{f'_{vc}' if entry.of_each_vc else ''}",
                           _access(entry))
                  for offset, (entry, vc) in port_registers(config.vcs).items()]
        found += [Register(port_address(port, Port.COUNTERS + item), f"P{port}_{item.name}", "ro")
                  for item in Counter]
    return sorted(found)


@click.command(epilog=EXIT_CODES)
@config_options("pod")
@click.option("--registers", is_flag=True, help="Print the register map, too.")
@json_option
def info(config: str, overrides: tuple[str, ...], registers: bool, as_json: bool) -> None:
    """Show a configuration and the numbers that follow from it, the latency K among them."""
    switch = make_config(config, overrides)
    chosen = {item.name: getattr(switch, item.name) for item in fields(switch)}
    lines = register_map(switch) if registers else []
    if as_json:
        result: dict[str, object] = {"config": chosen, "derived": derived(switch)}
        if registers:
            result["registers"] = [line._asdict() for line in lines]
        print_json(result)
        return
    click.echo(f"Configuration {config}")
    print_pairs([(f"  {name}", f"0x{value:04X}" if name in HEXADECIMAL else value,
                  UNITS.get(name, "")) for name, value in chosen.items()])
    click.echo(f"\nDerived (K = latency_cycles = {switch.latency_cycles}: last word in to first "
               "word out, nothing contending)")
    print_pairs([(f"  {name}", value, UNITS.get(name, ""))
                 for name, value in derived(switch).items()])
    if registers:
        click.echo("\nRegisters (addresses count 32-bit words)")
        for line in lines:
            click.echo(f"  0x{line.address:04X}  {line.access}  {line.name}")
