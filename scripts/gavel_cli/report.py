# SPDX-License-Identifier: Apache-2.0
"""The run report: one self-contained HTML page, without scripts and without the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from html import escape
from typing import Any

from gavel_cli import report_stalls, report_svg
from gavel_cli.report_parts import card, figure, table
from gavel_cli.report_style import STYLE
from gavel_model.config import SwitchConfig

REPORT_NAME = "report.html"


def _cards(result: Mapping[str, Any], config: SwitchConfig) -> str:
    number = report_svg.number
    mismatches = result["mismatches"]
    compared = mismatches is not None
    slowest = max((c for c in result["completion_cycles"] if c is not None), default=None)
    latency = [
        "none" if value is None else number(value)
        for value in (result[f"latency_{name}"] for name in ("p50", "p99", "max"))
    ]
    good = result["failure"] is None
    return "".join((
        card("Mismatches", number(mismatches) if compared else "not compared",
              "model against RTL, every pin and probe point, every cycle" if compared
              else "golden model alone, no simulator",
              "" if not compared else "good" if mismatches == 0 else "bad"),
        card("Drops", number(result["drops"]), "frames sent that did not arrive",
              "good" if good and result["drops"] == 0 else "bad"),
        card("Frames", number(result["frames"]),
              f"{number(result['bytes'])} message bytes, {number(result['wire_bytes'])} with "
              "headers and padding"),
        card("Completion", number(slowest) if slowest is not None else "none",
              "cycles, slowest rank"),
        card("Bus bandwidth", f"{result['bus_bandwidth_achieved']:.3g} GB/s",
              f"{100 * result['bus_bandwidth_share']:.1f} % of the line rate "
              f"{result['bus_bandwidth_ideal']:.3g} GB/s at {result['clock_mhz']:g} MHz"),
        card("Median latency", latency[0],
              f"cycles; p99 {latency[1]}, max {latency[2]}; {config.latency_cycles} "
              + ("" if result["link_delay"] is None else "in the switch ")
              + "when nothing contends"),
        card("Buffer", number(result["peak_outstanding_cells"]),
              f"cells at most outstanding at one input, of a window of {number(result['window'])}"),
        card("Speed", number(result["simulated_cycles_per_second"]),
              f"simulated cycles per second, {number(result['cycles'])} cycles"),
        *_link_cards(result),
    ))


def _link_cards(result: Mapping[str, Any]) -> list[str]:
    if result["link_delay"] is None:
        return []
    number = report_svg.number
    return [
        card("Link errors", number(result["errors_injected"]),
              f"made by the links at a bit error rate of {result['ber'] or 0:g}, each way"),
        card("Replays", number(result["link_replays"] + result["partner_replays"]),
              f"{number(result['link_replays'])} by the switch, "
              f"{number(result['partner_replays'])} by the ranks"),
    ]


def render(
    result: Mapping[str, Any], plots: Mapping[str, Any], config: SwitchConfig, command: str
) -> str:
    """The page.

    Parameters
    ----------
    result
        What `gavel run --json` prints.
    plots
        ``plots`` of `gavel_tb.workload.measure`.
    config
        The switch.
    command
        The command line that repeats the run.
    """
    marks = [
        (name, float(result[f"latency_{name}"]))
        for name in ("p50", "p99")
        if result[f"latency_{name}"] is not None
    ]
    histogram, usage, voq = plots["latency"], plots["utilisation"], plots["voq"]
    bin_note = f"Share of cycles with a word, in bins of {usage['bin_cycles']:,} cycles."
    latency_chart = figure(
        "Latency of frames",
        report_svg.histogram(histogram["edges"], histogram["counts"], marks),
        "From a frame's last word on the receive pins to its first word on the transmit pins."
        if result["link_delay"] is None else
        "From a frame's last word handed to the link by its rank to its first word handed to the "
        "other rank: both links, and all replays.",
    )
    voq_chart = "" if voq is None else figure(
        "Occupancy of the VOQs",
        report_svg.heat_map(voq["mean"], voq["peak"]),
        "Frames that wait at an input for an output, all virtual channels, averaged over the run. "
        "Point at a cell for its value and peak.",
    )
    rx_chart, tx_chart = (
        figure(title, report_svg.small_multiples(usage[key], usage["bin_cycles"], label), bin_note)
        for title, key, label in (
            ("Into the switch", "rx", "Utilisation of the receive pins"),
            ("Out of the switch", "tx", "Utilisation of the transmit pins"),
        )
    )
    completion_chart = figure(
        "Completion",
        report_svg.bars(result["completion_cycles"], "cycles"),
        "Cycle in which each rank's last operation was complete.",
    )
    left, right = (latency_chart + completion_chart, voq_chart) if voq_chart else (
        latency_chart, completion_chart)
    figures = f"<div>{left}</div><div>{right}</div>{rx_chart}{tx_chart}"
    stalls, stall_table = plots["stalls"], ""
    if stalls is not None:
        figures += figure(
            "Why outputs wait", report_stalls.chart(stalls),
            "Share of the cycles in which each virtual channel of each output sent, or had a frame "
            "and did not send, by cause. Cycles without a frame are blank. "
            f"Bins of {stalls['bin_cycles']:,} cycles.", "full")
        stall_table = report_stalls.table(stalls)
    chosen = [(item.name, getattr(config, item.name)) for item in fields(config)]
    chosen.append(("latency_cycles (K)", config.latency_cycles))
    run = [(name, result[name]) for name in (
        "trace", "ranks", "operations", "collective", "algorithm", "scale", "mtu", "window",
        "overhead", "clock_mhz", "seed", "ber", "credits", "slow", "slow_rate", "link_delay",
        "engine")]
    failure = result["failure"]
    notice = f'<p class="failure">{escape(failure)}</p>' if failure else ""
    title = f"Gavel: {result['trace_name']}"
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title><style>{STYLE}</style></head>
<body><header><p class="kicker">Gavel run report</p><h1>{escape(str(result['trace_name']))}</h1>
<p class="lead">{result['ranks']} ranks on a switch of {config.ports} ports × {config.data_width}
bits, {config.vcs} virtual channels, header profile {escape(config.profile)}</p></header>
<main>{notice}<dl class="cards">{_cards(result, config)}</dl>
<div class="figures">{figures}</div>
{stall_table}<div class="tables">{table("Run", run)}{table("Switch", chosen)}</div>
<section><h2>Command</h2><pre>{escape(command)}</pre></section></main></body></html>
"""
