# SPDX-License-Identifier: Apache-2.0
"""Options of the random traffic that `gavel compare` and `gavel vectors` run, and the jobs they
stand for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import click

from gavel_cli.errors import InputError
from gavel_cli.options import Command
from gavel_model.config import SwitchConfig
from gavel_model.profiles import PROFILE_NAMES
from gavel_tb.llr_traffic import LlrTrafficJob
from gavel_tb.source import PATTERNS
from gavel_tb.traffic import BACKPRESSURE, TrafficJob

DEFAULTS = TrafficJob()
LINK_DEFAULTS = LlrTrafficJob()
_ALWAYS = ("cycles", "load", "size", "profile")
_PINS = ("gaps", "backpressure", "faults", "registers", "resets")
"""Options of traffic that goes straight to the pins."""

_LINKS = ("link_delay", "stalls", "slow", "slow_rate")
"""Options that need links."""

_LINK_NAMES = {"ber": "bit_errors", "link_delay": "delay", "slow": "slow_ports"}
"""Parameters of `LlrTrafficJob` that have another name than their option."""


class Planned(NamedTuple):
    """A run: kind of `gavel_tb.jobs`, and the job."""

    kind: str
    job: TrafficJob | LlrTrafficJob

    @property
    def name(self) -> str:
        """Pattern and seed, in words."""
        return f"{self.job.pattern}, seed {self.job.seed}"

    def task(self) -> dict[str, Any]:
        """The run as plain data, for `gavel_tb.simulate`."""
        return {"kind": self.kind, "parameters": self.job.parameters()}


_OPTIONS = (
    click.option("--cycles", type=click.IntRange(min=1), default=DEFAULTS.cycles,
                 show_default=True,
                 help="Cycles in which frames begin; then the switch drains."),
    click.option("--load", type=float, default=DEFAULTS.load, show_default=True,
                 help="Share of the cycles in which an input sends a word."),
    click.option("--size", default=str(DEFAULTS.size), show_default=True,
                 metavar="BYTES|min|max|mixed", help="Frame length, FCS included."),
    click.option("--gaps", type=float, default=DEFAULTS.gaps, show_default=True,
                 help="Probability of an idle cycle before each word inside a frame."),
    click.option("--backpressure", type=click.Choice(BACKPRESSURE),
                 default=DEFAULTS.backpressure, show_default=True,
                 help="When the transmit pins are not ready."),
    click.option("--faults", type=float, default=DEFAULTS.faults, show_default=True,
                 help="Share of the frames that are faulty."),
    click.option("--profile", type=click.Choice(["mixed", *PROFILE_NAMES]), metavar="NAME",
                 help=f"Header of all ports: {', '.join(PROFILE_NAMES)}, or mixed.  "
                      "[default: the configuration's]"),
    click.option("--registers", is_flag=True, help="Read and write registers meanwhile."),
    click.option("--resets", type=click.IntRange(min=0), default=DEFAULTS.resets,
                 show_default=True, help="Resets at random times."),
    click.option("--ber", type=float, metavar="RATE",
                 help="Put a link with this bit error rate and a link partner before each port, "
                      "and turn link-level retry on; 0 for links without errors.  "
                      "[default: no links]"),
    click.option("--link-delay", type=int, default=LINK_DEFAULTS.delay, show_default=True,
                 help="Cycles of each link, each way; with --ber, --credits or --pfc."),
    click.option("--stalls", is_flag=True,
                 help="Transmit pins are not ready in a quarter of the cycles; with links."),
    click.option("--credits", is_flag=True,
                 help="Credits on all links; without --ber, links without errors."),
    click.option("--pfc", is_flag=True, help="Pauses on all links."),
    click.option("--slow", default=LINK_DEFAULTS.slow_ports, metavar="PORTS",
                 help="Ports whose partners read slowly: numbers with commas, or all; with "
                      "--credits or --pfc."),
    click.option("--slow-rate", type=float, default=LINK_DEFAULTS.slow_rate, show_default=True,
                 help="Words in a cycle that a slow partner reads."),
)


def traffic_options(command: Command) -> Command:
    """Adds what traffic is made of, but for seeds and patterns; the verb gets them as keywords,
    for `plan`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def plan(
    switch: SwitchConfig, seeds: tuple[int, ...], patterns: tuple[str, ...],
    given: Mapping[str, Any],
) -> list[Planned]:
    """Every pattern with every seed.

    Parameters
    ----------
    given
        What `traffic_options` has added.

    Raises
    ------
    InputError
        If an option cannot be, or does not go with the others.
    """
    links = given["ber"] is not None or given["credits"] or given["pfc"]
    unused = _PINS if links else _LINKS
    standard = DEFAULTS if links else LINK_DEFAULTS
    for name in unused:
        if given[name] != getattr(standard, _LINK_NAMES.get(name, name)):
            raise InputError(
                f"--{name.replace('_', '-')} = {given[name]}: "
                + ("is for traffic without links; leave out --ber, --credits and --pfc"
                   if links else "is for traffic over links; add --ber 0, --credits or --pfc"))
    names = (*_ALWAYS, *(("ber", "credits", "pfc", *_LINKS) if links else _PINS))
    options = {_LINK_NAMES.get(name, name): given[name] for name in names}
    options["profile"] = given["profile"] or DEFAULTS.profile
    if links:
        options["bit_errors"] = given["ber"] or LINK_DEFAULTS.bit_errors
    made = [
        Planned("llr", LlrTrafficJob(seed=seed, pattern=pattern, **options)) if links
        else Planned("traffic", TrafficJob(seed=seed, pattern=pattern, **options))
        for pattern in (PATTERNS if "all" in patterns else patterns) for seed in seeds
    ]
    for _, job in made:
        try:
            job.check(switch)
        except ValueError as error:
            raise InputError(f"--{_by_option(str(error))}") from None
    return made


def _by_option(message: str) -> str:
    """A refusal that begins with a parameter's name, with the option's in its place."""
    name, equals, rest = message.partition(" = ")
    options = {parameter: option for option, parameter in _LINK_NAMES.items()}
    return f"{options.get(name, name).replace('_', '-')}{equals}{rest}"
