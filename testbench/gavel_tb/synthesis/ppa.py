# SPDX-License-Identifier: Apache-2.0
"""Performance and area of a switch and of each of its blocks."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from amaranth.hdl import Elaboratable
from amaranth.lib import wiring

from gavel_model.config import SwitchConfig
from gavel_rtl.netlist import PREFIX, Library, module_name
from gavel_rtl.switch import Switch
from gavel_tb.synthesis.area import Area
from gavel_tb.synthesis.bare_fabric import BareFabric
from gavel_tb.synthesis.components import Rtlil, block_rtlil
from gavel_tb.synthesis.families import FAMILIES, Family
from gavel_tb.synthesis.output_registers import TakenIn
from gavel_tb.synthesis.place_route import PlacedSeeds, check_nextpnr, place_and_route
from gavel_tb.synthesis.synthesize import synthesize

WHOLE = "switch"
"""Name of the row of the whole design."""

BARE = "bare_fabric"
"""Name of the row of what can be compared with a switch of FIFOs; it is no part of a switch."""

_AROUND = re.compile(r"^block(?:\.|__)|_register$")
"""What the registers around a block add to the names in it."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """One row of the table.

    Attributes
    ----------
    block
        Name of the module without its prefix; `WHOLE` for the whole switch, `BARE` for the bare
        fabric.
    instances
        How often it stands in the switch; 0 for the bare fabric.
    area
        Of one, with all that is inside, synthesized by itself and flattened.
    too_large
        What does not fit into the device, or "".
    placed
        None without place and route.
    taken_in
        As of `gavel_tb.synthesis.synthesize.Synthesis`; not in ``area``.
    """

    block: str
    instances: int
    area: Area
    too_large: str
    placed: PlacedSeeds | None
    taken_in: TakenIn | None = None

    @property
    def path(self) -> str:
        """The critical path of the median seed, "source -> sink, levels", or ""."""
        median = self.placed and self.placed.median
        if not median or not median.path:
            return ""
        ends = (_AROUND.sub("", name) for name in (median.path.source, median.path.sink))
        return " -> ".join(ends) + f", {median.path.levels} levels"


class _Recorder(Library):
    """Keeps a component of each class."""

    def __init__(self) -> None:
        super().__init__()
        self.components: dict[str, wiring.Component] = {}

    def instance(self, component: wiring.Component, name: str | None) -> Elaboratable:
        self.components.setdefault(module_name(component), component)
        return super().instance(component, name)


class Blocks:
    """The components of a switch by the names of their modules, without prefix.

    Parameters
    ----------
    config
        What they are made for.
    telemetry
        The switch is watched, and its blocks are those that can be.

    Attributes
    ----------
    instances
        How often each stands in the switch; the switch itself is one of them, and `BARE` has 0.
    """

    def __init__(self, config: SwitchConfig, *, telemetry: bool = False) -> None:
        recorder = _Recorder()
        switch = Switch(config, telemetry=telemetry)
        netlist = recorder.netlist(recorder.add(switch))
        self._config = config
        self._components = {**recorder.components, PREFIX + WHOLE: switch}
        self._whole = Rtlil(netlist.rtlil, PREFIX + WHOLE)
        self.instances = {name.removeprefix(PREFIX): number
                          for name, number in netlist.instances.items()
                          if name in self._components}
        self.instances[BARE] = 0

    def rtlil(self, block: str, *, registered: bool) -> Rtlil:
        """The design of one block; the switch never has registers around it."""
        if block == WHOLE:
            return self._whole
        component = (BareFabric(self._config) if block == BARE
                     else self._components[PREFIX + block])
        return block_rtlil(component, registered=registered)


def measure(blocks: Blocks, block: str, folder: Path, seeds: Sequence[int] = (), *,
            family: Family = FAMILIES["ecp5"], flatten: bool = True,
            progress: Callable[[str], None] = lambda _text: None) -> Figures:
    """The figures of one block.

    Area is that of the block by itself. For the clock there is a register at each of its pins.

    Parameters
    ----------
    blocks, block
        The switch, and the name of one of its blocks.
    folder
        Gets netlists, reports and logs.
    seeds
        Of the placer; without any nothing is placed.
    flatten
        As for `gavel_tb.synthesis.synthesize.synthesize`. With the hierarchy each module is
        synthesized once, however many instances it has.
    progress
        Told what is begun.

    Raises
    ------
    SynthesisError
        If a tool is missing, or refuses the design.
    """
    if seeds:
        check_nextpnr(family)
    progress(f"{block}: synthesis")
    text, top = blocks.rtlil(block, registered=False)
    made = synthesize(text, top, family, folder / block, language="rtlil", flatten=flatten)
    area, too_large, taken_in = made.area, made.area.beyond(family), made.taken_in
    placed = None
    if seeds and not too_large:
        if block != WHOLE:
            text, top = blocks.rtlil(block, registered=True)
            made = synthesize(text, top, family, folder / f"{block}-registered", language="rtlil",
                              flatten=flatten)
        progress(f"{block}: place and route, {len(seeds)} seeds")
        placed = place_and_route(made, seeds)
    return Figures(block=block, instances=blocks.instances[block], area=area,
                   too_large=too_large, placed=placed, taken_in=taken_in)
