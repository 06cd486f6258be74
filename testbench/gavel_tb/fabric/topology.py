# SPDX-License-Identifier: Apache-2.0
"""What a topology file says: which switches there are, and how accelerators are joined by them."""

from __future__ import annotations

import tomllib
from dataclasses import MISSING, dataclass, fields
from importlib import resources
from pathlib import Path

from gavel_model.config import MAX_PORTS, ConfigError, SwitchConfig, shortened
from gavel_model.loader import PRESETS, load_config
from gavel_tb.workload.errors import WorkloadError
from gavel_tb.workload.generate import MAX_RANKS

SHIPPED = ("plane", "planes", "leaf-spine", "leaf-spine-1024")
"""Topologies that come with the package, by the name that the command line uses."""

KINDS = ("plane", "planes", "leaf-spine")
PLACEMENTS = ("packed", "scattered")
MAX_DELAY = 100_000
MOST_IDS = 1 << 16
_ONLY = {"planes": ("planes",), "leaves": ("leaf-spine",), "spines": ("leaf-spine",),
         "uplinks": ("leaf-spine",), "placement": ("leaf-spine",), "spine_delay": ("leaf-spine",)}
"""Kinds that a key belongs to; the other keys are for all."""

_DERIVED = ("ports", "id_entries")


class TopologyError(WorkloadError):
    """A topology that cannot be built; the message is one line that names file, key and fix."""


@dataclass(frozen=True, kw_only=True)
class Topology:
    """A topology.

    Attributes
    ----------
    kind
        ``plane``: all accelerators on one switch. ``planes``: each accelerator has a port on each
        of several switches. ``leaf-spine``: accelerators on leaves, every leaf joined with every
        spine.
    accelerators
        Number of them, N.
    planes
        Switches of ``planes``.
    leaves, spines, uplinks
        Switches of the two tiers, and links between a leaf and a spine.
    placement
        ``packed``: the ranks of a leaf follow each other; ``scattered``: rank r is on leaf r mod
        leaves.
    delay, spine_delay
        Cycles of a link of an accelerator, and of one between switches, each way.
    base, changes
        Preset of the switches, and ``name=value`` that change fields of it.

    Raises
    ------
    TopologyError
        Names the key, its value, and what it may be.
    """

    kind: str
    accelerators: int
    planes: int = 1
    leaves: int = 0
    spines: int = 0
    uplinks: int = 1
    placement: str = "packed"
    delay: int = 20
    spine_delay: int = 20
    base: str = "pod"
    changes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self._one_of("kind", KINDS)
        self._in_range("accelerators", 2, MAX_RANKS)
        self._in_range("delay", 1, MAX_DELAY)
        self._in_range("spine_delay", 1, MAX_DELAY)
        self._one_of("placement", PLACEMENTS)
        if self.kind == "planes":
            self._in_range("planes", 1, MAX_PORTS)
        if self.kind == "leaf-spine":
            self._in_range("leaves", 2, MAX_PORTS)
            self._in_range("spines", 1, MAX_PORTS)
            self._in_range("uplinks", 1, MAX_PORTS)
            most = MOST_IDS // self.accelerators
            if self.ways > most:
                raise TopologyError(
                    f"spines = {self.spines}, uplinks = {self.uplinks}: {self.ways} ways to each "
                    f"of {self.accelerators} accelerators; an ID has 16 bits, so at most {most}")
            if (self.leaves - 1) * self.per_leaf >= self.accelerators:
                raise TopologyError(
                    f"leaves = {self.leaves}: {self.accelerators} accelerators, {self.per_leaf} on "
                    "a leaf, leave a leaf without any; choose fewer leaves")
        for name, ports in self.ports.items():
            if ports > MAX_PORTS:
                raise TopologyError(f"{name} of {ports} ports: a switch has at most {MAX_PORTS}")

    def _in_range(self, key: str, low: int, high: int) -> None:
        value = getattr(self, key)
        if not low <= value <= high:
            raise TopologyError(f"{key} = {value}: must be in {low}...{high}")

    def _one_of(self, key: str, allowed: tuple[str, ...]) -> None:
        value = getattr(self, key)
        if value not in allowed:
            raise TopologyError(f"{key} = {shortened(repr(value))}: must be one of "
                                + ", ".join(allowed))

    @property
    def per_leaf(self) -> int:
        """Accelerators on a leaf, at most."""
        return -(-self.accelerators // self.leaves)

    @property
    def ways(self) -> int:
        """Paths between two accelerators that are not on one leaf."""
        return self.planes if self.kind == "planes" else self.spines * self.uplinks or 1

    @property
    def ports(self) -> dict[str, int]:
        """Ports that each kind of switch needs, by its name."""
        if self.kind == "leaf-spine":
            return {"leaf": self.per_leaf + self.ways, "spine": self.leaves * self.uplinks}
        return {"switch": self.accelerators}

    def config(self, name: str) -> SwitchConfig:
        """Configuration of one kind of switch; ``name`` as in `ports`.

        Raises
        ------
        ConfigError
            Names the field.
        """
        ports = self.ports[name]
        ids = self.accelerators * (self.ways if self.kind == "leaf-spine" else 1)
        entries = max(16, 1 << (max(ids, ports) - 1).bit_length())
        return load_config(self.base, [*self.changes, f"ports={ports}", f"id_entries={entries}"])


def shipped_text(name: str) -> str:
    """The file of a topology of `SHIPPED`."""
    return resources.files("gavel_tb.fabric").joinpath(f"topologies/{name}.toml").read_text("utf-8")


def load_topology(source: str) -> Topology:
    """Reads a topology: one of `SHIPPED`, or a TOML file.

    Raises
    ------
    TopologyError
        One line that names file, key and fix.
    """
    if source in SHIPPED:
        return _parse(shipped_text(source), source)
    path = Path(source)
    if not path.is_file():
        raise TopologyError(f"topology {shortened(source)}: no such file; give a TOML file or one "
                            "of " + ", ".join(SHIPPED))
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        raise TopologyError(f"{source}: is not UTF-8 text") from None
    return _parse(text, source)


def _parse(text: str, source: str) -> Topology:
    try:
        given = tomllib.loads(text)
        return _topology(given)
    except RecursionError:
        raise TopologyError(f"{source}: nests too deeply") from None
    except TopologyError as error:
        raise TopologyError(f"{source}: {error}") from None
    except ConfigError as error:
        raise TopologyError(f"{source}, switch: {error}") from None
    except ValueError as error:  # No TOML, or a number of thousands of digits.
        raise TopologyError(f"{source}: is not TOML ({error})") from None


def _topology(given: dict[str, object]) -> Topology:
    switch = given.pop("switch", {})
    if not isinstance(switch, dict):
        raise TopologyError("switch: must be a table, [switch]")
    known = {item.name: item for item in fields(Topology)
             if item.name not in ("base", "changes")}
    for key, value in given.items():
        if key not in known:
            raise TopologyError(f"{shortened(repr(key))}: unknown key; one of "
                                + ", ".join([*known, "switch"]))
        wanted = str if known[key].type == "str" else int
        if type(value) is not wanted:
            raise TopologyError(f"{key} = {shortened(repr(value))}: must be "
                                + ("a string" if wanted is str else "a whole number"))
    needed = [name for name, item in known.items() if item.default is MISSING]
    kind = given.get("kind")
    needed += [key for key in ("planes", "leaves", "spines") if kind in _ONLY[key]]
    for key in needed:
        if key not in given:
            raise TopologyError(f"{key}: missing")
    for key in given:
        if kind in KINDS and key in _ONLY and kind not in _ONLY[key]:
            raise TopologyError(f"{key}: a {kind} has none; leave it out")
    base = switch.pop("base", "pod")
    if base not in PRESETS:
        raise TopologyError(f"base = {shortened(repr(base))}: must be one of " + ", ".join(PRESETS))
    for name in _DERIVED:
        if name in switch:
            raise TopologyError(f"{name}: follows from the topology; leave it out")
    changes = tuple(f"{name}={value}" for name, value in switch.items())
    made = Topology(**given, base=base, changes=changes)  # type: ignore[arg-type]  # checked above
    for name in made.ports:
        made.config(name)
    return made
