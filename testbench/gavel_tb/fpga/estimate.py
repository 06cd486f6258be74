# SPDX-License-Identifier: Apache-2.0
"""Resources and timing of the delivered Verilog: what was run, what it gave, what was not done."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from gavel_tb.synthesis.area import Area
from gavel_tb.synthesis.families import Family
from gavel_tb.synthesis.lint import lint
from gavel_tb.synthesis.output_registers import TakenIn
from gavel_tb.synthesis.place_route import Placed, PlacedSeeds, check_nextpnr, place_and_route
from gavel_tb.synthesis.synthesize import Synthesis, synthesize

Progress = Callable[[float, str], None]
"""Told of the share that is done, and of what is being done."""

_SYNTHESIS_SHARE = 0.3


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What is known of a design on a family.

    Attributes
    ----------
    family
        Of the device.
    lint
        What Verilator has found; None if it was not asked.
    synthesis
        With its hierarchy, so that blocks have figures; None where Yosys does not know the family,
        or nothing was asked for.
    flattened
        The same in one module, which is smaller and is what was placed; None where nextpnr does not
        know the family, or the design is far too large.
    placed
        None where nextpnr was not run.
    mhz
        What nextpnr was asked for.
    port_clocks
        The clocks of the ports, and what it was asked for there.
    not_done
        What the figures do not say, in sentences.
    """

    family: Family
    lint: str | None
    synthesis: Synthesis | None
    flattened: Synthesis | None = None
    placed: PlacedSeeds | None
    mhz: float
    port_clocks: Mapping[str, float] = field(default_factory=dict)
    not_done: tuple[str, ...]

    @property
    def area(self) -> Area | None:
        """Resources of the whole, as small as they are known."""
        made = self.flattened or self.synthesis
        return made.area if made else None

    @property
    def taken_in(self) -> TakenIn | None:
        """Flip-flops that block RAM has taken in, of the same design as `area`."""
        made = self.flattened or self.synthesis
        return made.taken_in if made else None

    @property
    def beyond(self) -> str:
        """What does not fit into the device; "" if all does, or if nobody knows."""
        return self.area.beyond(self.family) if self.area else ""

    @property
    def verdict(self) -> str:
        """One line."""
        family, area = self.family, self.area
        if area is None:
            if self.lint is None:
                return "no estimate was asked for"
            return f"only lint was done, which {'has findings' if self.lint else 'is clean'}"
        text = (f"{area.luts:,} {family.lut_title}, {area.flip_flops:,} flip-flops, "
                f"{area.block_rams:,} {family.ram_title}")
        if self.beyond:
            return f"does not fit into {family.device}: {self.beyond}"
        text += f": fits into {family.device}"
        if self.placed is None:
            return text
        median = self.placed.median
        if median is None or not self.placed.routed:
            failed = next(run for run in self.placed.runs if run.failed)
            return f"{text}, but nextpnr gave up with seed {failed.seed}: {failed.failed}"
        return f"{text}, routes, {self._speed(self.placed.runs, median)}"

    def _speed(self, runs: Sequence[Placed], median: Placed) -> str:
        """What the median has of what was asked for, and which seed has all of it if it has not."""
        text = f"{median.fmax_mhz:.1f} of {self.mhz:g} MHz"
        other = median.slowest_other
        if other:
            text += f", ports {median.clocks[other]:.1f} of {self.port_clocks[other]:g} MHz"
        text += f" (seed {median.seed})" if len(runs) == 1 else f" (median of {len(runs)} seeds)"
        if self.reached_by(median):
            return text
        reached = next((f"seed {run.seed} reaches" for run in runs if self.reached_by(run)),
                       "no seed of these reaches" if len(runs) > 1 else "it does not reach")
        return f"{text}; {reached} what was asked for"

    def reached_by(self, run: Placed) -> bool:
        """Every clock is as fast as was asked for; false for a run without a result."""
        return bool(run.clocks) and all(
            mhz >= self.port_clocks.get(name, self.mhz) for name, mhz in run.clocks.items())

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        made, placed = self.synthesis, self.placed
        return {
            "family": self.family.name, "device": self.family.device,
            "verdict": self.verdict, "lint": self.lint,
            "fits": None if made is None else not self.beyond,
            "resources": None if self.area is None else asdict(self.area),
            "flattened": self.flattened is not None,
            "blocks": {} if made is None else {
                name: {"instances": module.instances, "own": asdict(module.own)}
                for name, module in made.modules.items()},
            "memories": {} if made is None else {
                memory.name: memory.kind for memory in made.memories},
            "output_registers": None if self.taken_in is None else {
                **asdict(self.taken_in),
                "flip_flops": sum(self.taken_in.flip_flops.values())},
            "warnings": [] if made is None else list(made.warnings),
            "yosys": None if made is None else made.version,
            "nextpnr": None if placed is None else placed.version,
            "floor_plan": None if placed is None or placed.planned is None else asdict(
                placed.planned),
            "asked_mhz": self.mhz,
            "asked_port_mhz": dict(self.port_clocks),
            "runs": [] if placed is None else [asdict(run) for run in placed.runs],
            "not_done": list(self.not_done),
        }


_LINT_ONLY = ("Only lint was done: Yosys and nextpnr do not know this family, so there are no "
              "figures.")
_NOT_ASKED = "Neither synthesis nor place and route was asked for (--no-estimate)."
_NO_TIMING = ("Place and route was not done for this family, so there is no figure for the clock: "
              "its vendor's tool has to give it.")
_NOT_PLACED = "Place and route was not tried, because the design does not fit."
_HIERARCHY = ("Synthesis kept the hierarchy, which names the blocks and is quick; a tool that "
              "flattens the design makes it smaller.")
_BLOCKS = ("Figures of blocks and memories are of a synthesis that kept the hierarchy, and larger "
           "than their share in the whole, which was flattened.")
_ALONE = ("The switch stood alone, without pads, MACs and PCS; timing is that of nextpnr's model, "
          "not the vendor's.")


def without_estimate(family: Family, mhz: float,
                     port_clocks: Mapping[str, float] | None = None) -> Estimate:
    """Nothing was run; clocks as for `estimate`."""
    return Estimate(family=family, lint=None, synthesis=None, placed=None, mhz=mhz,
                    port_clocks=port_clocks or {}, not_done=(_NOT_ASKED,))


def check_tools(family: Family) -> None:
    """Refuses an estimate for which a tool is missing.

    Raises
    ------
    SynthesisError
        With the command that installs it.
    """
    if family.place_route is not None:
        check_nextpnr(family)


def estimate(verilog: str, top: str, family: Family, seeds: Sequence[int], mhz: float,
             progress: Progress, port_clocks: Mapping[str, float] | None = None) -> Estimate:
    """Lints and synthesizes the Verilog, and places and routes it, as far as tools know the family.

    Parameters
    ----------
    mhz, port_clocks
        What nextpnr is asked for: of the switch, and of clocks of ports by their names.

    Raises
    ------
    SynthesisError
        If a tool is missing, or has refused the design.
    SimulationError
        If Verilator is missing.
    """
    made: Synthesis | None = None
    flattened: Synthesis | None = None
    placed: PlacedSeeds | None = None
    with tempfile.TemporaryDirectory(prefix="gavel-fpga-") as name:
        folder = Path(name)
        progress(0.0, "Verilator")
        findings = lint(verilog, top, folder)
        if not family.passes:
            not_done: tuple[str, ...] = (_LINT_ONLY,)
        else:
            progress(0.0, "Yosys")
            made = synthesize(verilog, top, family, folder / "blocks", flatten=False)
            if family.place_route is None:
                not_done = (_HIERARCHY, _NO_TIMING)
            elif _far_beyond(made.area, family):
                not_done = (_HIERARCHY, _NOT_PLACED)
            else:
                progress(_SYNTHESIS_SHARE / 3, "Yosys, flattened")
                flattened = synthesize(verilog, top, family, folder / "flattened")
                if flattened.area.beyond(family):
                    not_done = (_BLOCKS, _NOT_PLACED)
                else:
                    not_done = (_BLOCKS, _ALONE)
                    placed = _place(flattened, seeds, mhz, port_clocks, progress)
    return Estimate(family=family, lint=findings, synthesis=made, flattened=flattened,
                    placed=placed, mhz=mhz, port_clocks=port_clocks or {}, not_done=not_done)


def _far_beyond(area: Area, family: Family) -> bool:
    """Even half of the LUTs would not fit: flattening has never taken away that much."""
    return bool(replace(area, luts=area.luts // 2).beyond(family))


def _place(made: Synthesis, seeds: Sequence[int], mhz: float,
           port_clocks: Mapping[str, float] | None, progress: Progress) -> PlacedSeeds:
    done: list[int] = []

    def tell(_run: object) -> None:
        done.append(1)
        progress(_SYNTHESIS_SHARE + (1 - _SYNTHESIS_SHARE) * len(done) / len(seeds),
                 f"nextpnr, {len(done)} of {len(seeds)} seeds")

    progress(_SYNTHESIS_SHARE, f"nextpnr, {len(seeds)} seeds")
    return place_and_route(made, seeds, mhz=mhz, other_clocks=port_clocks, progress=tell)
