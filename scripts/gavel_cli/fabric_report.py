# SPDX-License-Identifier: Apache-2.0
"""The page of `gavel fabric`: one self-contained HTML file, without scripts and the network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from gavel_cli.fabric_chart import link_map
from gavel_cli.report_parts import card, figure, table
from gavel_cli.report_style import STYLE
from gavel_cli.report_svg import histogram, number

_MOST_DISTANCES = 12


def _cards(result: Mapping[str, Any]) -> Iterator[str]:
    good = result["failure"] is None
    slowest, share = result["completion_cycles"], 100 * result["bus_bandwidth_share"]
    yield card("Drops", number(result["drops"]), "frames sent that did not arrive, of "
               f"{number(result['frames'] + result['drops'])}",
               "good" if good and not result["drops"] else "bad")
    yield card("Completion", number(slowest) if slowest is not None else "none",
               f"cycles, slowest rank; {number(result['completion_uncontended'])} if messages "
               "never met")
    yield card("Bus bandwidth", f"{result['bus_bandwidth_achieved']:.3g} GB/s",
               f"{share:.1f} % of the line rate of an accelerator, "
               f"{result['bus_bandwidth_ideal']:.3g} GB/s at {result['clock_mhz']:g} MHz; "
               f"{100 * result['bus_bandwidth_share_framed']:.1f} % of what headers and padding "
               "leave of it")
    latency = ["none" if result[f"latency_{name}"] is None else number(result[f"latency_{name}"])
               for name in ("p50", "p99", "max")]
    yield card("Median latency", latency[0], f"cycles; p99 {latency[1]}, max {latency[2]}")
    hot = result["hot_links"][0]
    yield card("Hottest link", f"{100 * hot['mean']:.0f} %",
               f"{hot['link']}; {hot['times_tier']:.2f} times the mean of its kind")
    yield card("Reordered", f"{100 * result['reordered_share']:.2g} %",
               f"of the frames that have several ways; at most {result['reorder_distance_max']} "
               f"places late, {result['reorder_buffer_peak']} frames in a reorder buffer")
    if result["errors_injected"] is not None:
        yield card("Link errors", number(result["errors_injected"]),
                   f"{number(result['link_replays'] + result['partner_replays'])} replays")
    yield card("Speed", number(result["simulated_cycles_per_second"]),
               f"cycles per second, {number(result['cycles'])} cycles, "
               f"{number(result['switch_steps'])} steps of switches")


def _hot(result: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><td>{escape(hot['link'])}</td><td>{100 * hot['mean']:.1f} %</td>"
        f"<td>{100 * hot['peak']:.0f} %</td><td>{hot['times_tier']:.2f}</td></tr>"
        for hot in result["hot_links"])
    tiers = "".join(
        f"<tr><td>{escape(name)}</td><td>{100 * found['mean']:.1f} %</td>"
        f"<td>{100 * found['max']:.1f} %</td><td>{found['links']:,} links</td></tr>"
        for name, found in result["tiers"].items())
    return ("<section class=scroll><h2>Hottest links</h2><table class=wide><tr><th>link</th>"
            "<th>mean</th><th>peak in a bin</th><th>times the mean of its kind</th></tr>"
            f"{rows}<tr><th>all of a kind</th><th>mean</th><th>highest mean</th><th></th></tr>"
            f"{tiers}</table></section>")


def render_fabric(result: Mapping[str, Any], plots: Mapping[str, Any], command: str) -> str:
    """The page.

    Parameters
    ----------
    result
        What `gavel fabric --json` prints.
    plots
        ``plots`` of `gavel_tb.fabric.measure`.
    command
        The command line that repeats the run.
    """
    marks = [(name, float(result[f"latency_{name}"])) for name in ("p50", "p99")
             if result[f"latency_{name}"] is not None]
    links = plots["links"]
    charts = figure(
        "Links over time",
        link_map(links["names"], links["rows"], links["means"], links["bin_cycles"]),
        f"The {len(links['names'])} links that carried most, hottest first, in bins of "
        f"{links['bin_cycles']:,} cycles.", "full")
    charts += figure(
        "Latency of frames",
        histogram(plots["latency"]["edges"], plots["latency"]["counts"], marks),
        "From a frame's last word on the pins of its source to its first word on those of its "
        "destination: all links and switches between, and all replays.")
    distances = list(result["reorder_distances"].items())
    reorder = [(f"{distance} places late" if distance else "in order", f"{count:,}")
               for distance, count in distances[:_MOST_DISTANCES]]
    if len(distances) > _MOST_DISTANCES:
        rest = sum(count for _, count in distances[_MOST_DISTANCES:])
        reorder.append((f"more, up to {distances[-1][0]}", f"{rest:,}"))
    if result["reorder_wait_max"] is None:
        reorder.append(("frames that came late", "0"))
    else:
        reorder += [("cycles in the reorder buffer, p99", result["reorder_wait_p99"]),
                    ("most", result["reorder_wait_max"])]
    run = [(name, result[name]) for name in (
        "collective", "algorithm", "size", "spray", "mtu", "window", "ber", "credits", "seed",
        "clock_mhz", "frames", "wire_bytes", "latency_min", "latency_p999")]
    what = [(name, result[name]) for name in (
        "topology", "kind", "accelerators", "switches", "links", "ways", "switch_config")]
    failure = result["failure"]
    notice = f'<p class="failure">{escape(failure)}</p>' if failure else ""
    title = f"{result['collective']} of {result['accelerators']} accelerators, {result['topology']}"
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Gavel: {escape(title)}</title><style>{STYLE}</style></head>
<body><header><p class="kicker">Gavel fabric report</p><h1>{escape(title)}</h1>
<p class="lead">{result['size']:,} bytes, {escape(result['algorithm'])}, over
{result['switches']} model switches and {result['links']:,} links, ways by
{escape(result['spray'])}</p></header>
<main>{notice}<dl class="cards">{"".join(_cards(result))}</dl>
<div class="figures">{charts}{table("Order of arrival", reorder)}</div>
{_hot(result)}<div class="tables">{table("Run", run)}{table("Topology", what)}</div>
<section><h2>Command</h2><pre>{escape(command)}</pre></section></main></body></html>
"""
