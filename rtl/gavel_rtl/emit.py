# SPDX-License-Identifier: Apache-2.0
"""Verilog of a whole switch or of a top level around it, and the sidecar that describes it."""

import hashlib
from dataclasses import asdict
from typing import NamedTuple

from amaranth.hdl import Value
from amaranth.lib import wiring

from gavel_model.config import SwitchConfig
from gavel_model.probes import probe_points
from gavel_model.register_map import VERSION
from gavel_model.top_options import TopOptions
from gavel_rtl.memory_module import MemoryShape, memory_places
from gavel_rtl.netlist import Library, Netlist
from gavel_rtl.switch import Switch
from gavel_rtl.top import SWITCH, Top
from gavel_rtl.verilog import write_verilog

_PROBES = {
    "voq_frames": "ingress_buffer.voq_frames",
    "free_cells": "ingress_buffer.free_cells",
    "counters": "counters.values",
    "llr_rx": "llr_receiver.probe",
    "llr_tx": "llr_transmitter.probe",
    "credit_tx": "flow_control.credit_tx",
    "credit_rx": "flow_control.credit_rx",
    "vc_cells": "flow_control.cells",
    "pause": "flow_control.pause",
}
"""Where a port's probe points stand below ``port<i>``."""


class Generated(NamedTuple):
    """Text of the Verilog file, and the contents of its sidecar, fit for JSON."""

    verilog: str
    sidecar: dict[str, object]


def _header(config: SwitchConfig, options: TopOptions) -> str:
    values = asdict(config)
    for name, usual in (("queueing", "voq"), ("mac", "preamble")):
        if values[name] == usual:
            # Nothing in the text follows from it, and the text is a key of the build cache.
            del values[name]
    if not options.bare:
        values |= {f"top.{name}": value for name, value in asdict(options).items()}
    settings = (f"{name} = {value}" for name, value in values.items())
    version = ".".join(map(str, VERSION))
    lines = ("SPDX-License-Identifier: Apache-2.0",
             f"Gavel {version}: cycle-accurate AI scale-up switch. Generated; do not edit.",
             *settings)
    return "".join(f"// {line}\n" for line in lines) + "\n"


def _ports(top: Switch | Top, clocks: list[str]) -> list[dict[str, object]]:
    prefixes = ["", *(f"{clock}_" for clock in clocks)]
    ports: list[dict[str, object]] = [
        {"name": prefix + name, "direction": "input", "width": 1}
        for prefix in prefixes for name in ("clk", "rst")]
    for path, member, value in top.signature.flatten(top):
        ports.append({
            "name": "__".join(map(str, path)),
            "direction": "input" if member.flow is wiring.In else "output",
            "width": len(Value.cast(value)),
        })
    return ports


def _memories(netlist: Netlist) -> dict[str, object]:
    """Shape, number and places of each memory module."""
    places: dict[str, list[str]] = {}
    for module, name, memory in memory_places(netlist.rtlil):
        places.setdefault(memory, []).append(f"{module}.{name}")
    return {
        name: {**asdict(shape), "instances": netlist.instances[name], "places": places[name]}
        for name, shape in ((name, MemoryShape.of(name)) for name in netlist.instances) if shape}


def _probe_path(name: str) -> str:
    block, _, point = name.partition(".")
    if block == "scheduler":
        return name
    return f"port{block.removeprefix('p')}.{_PROBES[point]}"


def generate(config: SwitchConfig, options: TopOptions | None = None) -> Generated:
    """The switch, or a top level around it, as Verilog; the same input gives the same bytes.

    Returns
    -------
    The top module is ``gavel_switch``, or ``gavel_top`` if ``options`` put anything around the
    switch. The sidecar has ``config`` (its fields), ``options``, ``latency_cycles`` (of the
    switch), ``sha256`` of the Verilog, ``top``, ``ports`` ({name, direction, width}), ``probes``
    ({name: {path, width}}, path below the top), ``modules`` ({name: instances}) and ``memories``
    ({name: {kind, reads, depth, width, instances, places}}, fields of
    `gavel_rtl.memory_module.MemoryShape`, number, and the modules and names of the instances).

    Raises
    ------
    ConfigError
        If ``options`` ask for what this switch cannot have.
    RuntimeError
        If the Verilog writer is missing or fails.
    """
    options = options or TopOptions()
    config = options.switch_config(config)
    top = Switch(config) if options.bare else Top(config, options)
    below = "" if options.bare else f"{SWITCH}.{SWITCH}." if options.self_test else f"{SWITCH}."
    ports = _ports(top, options.clocks(config.ports))
    library = Library()
    netlist = library.netlist(library.add(top))
    verilog = _header(config, options) + write_verilog(netlist.rtlil)
    probes = {
        point.name: {"path": below + _probe_path(point.name), "width": point.width}
        for point in probe_points(config)
    }
    return Generated(verilog, {
        "top": next(iter(netlist.instances)),
        "config": asdict(config),
        "options": asdict(options),
        "latency_cycles": config.latency_cycles,
        "sha256": hashlib.sha256(verilog.encode()).hexdigest(),
        "ports": ports,
        "probes": probes,
        "modules": netlist.instances,
        "memories": _memories(netlist),
    })
