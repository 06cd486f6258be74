# SPDX-License-Identifier: Apache-2.0
"""Faults planted in the generated Verilog, to prove that the checks find them.

All faults stand in one text and one build; a run chooses one by the plus-argument
``+gavel_fault=N``, N counting from 1, and none without it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from gavel_rtl.verilog import ASSERT_MACRO
from gavel_tb.build_cache import Design
from gavel_tb.errors import SimulationError

ARGUMENT = "gavel_fault"


@dataclass(frozen=True)
class Fault:
    """A wrong value for one named signal of one module.

    Attributes
    ----------
    name
        What it is, in words.
    module
        Module of the Verilog.
    signal
        A signal that a continuous assignment or a clocked one drives there.
    wrong
        Verilog expression of the wrong value; ``{}`` stands for the right one.
    blocks
        The comparison must name one of these blocks (last part of its path) ...
    signals
        ... and a signal whose name contains one of these.
    traffic
        Parameters of a `TrafficJob` that meets the fault.
    """

    name: str
    module: str
    signal: str
    wrong: str
    blocks: tuple[str, ...]
    signals: tuple[str, ...]
    traffic: tuple[tuple[str, object], ...] = ()

    @property
    def argument(self) -> str:
        """Name that is fit for a file."""
        return self.name.replace(" ", "-")


FAULTS: tuple[Fault, ...] = (
    Fault("wrong pointer update", "gavel_scheduler_output", "grant_mask", "{} >> 1",
          ("scheduler",), ("scheduler.grant",)),
    Fault("free cells off by one", "gavel_frame_writer", "free_cells",
          "{} - word__abort",
          ("ingress_buffer",), ("free_cells",), (("faults", 0.3),)),
    Fault("swapped bytes", "gavel_egress", "o_word__data",
          "{{{0}[$high(o_word__data):16], {0}[7:0], {0}[15:8]}}",
          ("link_tx",), ("tx_data",)),
    Fault("lost cell", "gavel_transfer", "free", "({}) & ~ends", ("ingress_buffer",),
          ("free_cells",)),
    Fault("wrong frame check constant", "gavel_fcs_update", "change", "({}) ^ valid",
          ("link_tx",), ("tx_data",), (("profile", "esun"),)),
    Fault("hold stuck at 0", "gavel_replay_occupancy", "hold", "1'd0",
          ("scheduler", "ingress_buffer"), ("scheduler.", "voq_frames"),
          (("backpressure", "alternate"), ("pattern", "permutation"), ("load", 1.0),
           ("size", 64))),
    Fault("wrong class", "gavel_parser", "fields__vc", "~({})", ("ingress_buffer",),
          ("voq_frames",)),
    Fault("length off by one", "gavel_link_rx", "verdict__length", "({}) + 1'd1",
          ("counters",), ("RX_BYTES",)),
    Fault("wrong cell linked", "gavel_free_list", "not_from_ring", "({}) ^ take_back",
          ("link_tx", "ingress_buffer"), ("tx_data", "free_cells"), (("faults", 0.3),)),
    Fault("head not written", "gavel_voq_lists", "becomes_head", "({}) & ~waits",
          ("link_tx", "ingress_buffer"), ("tx_data", "free_cells")),
)
"""Faults of every kind: pointers, counts, data, bookkeeping of cells, FCS, flow, fields."""


def plant(design: Design, faults: Sequence[Fault] = FAULTS) -> Design:
    """The design with all the faults in it, each asleep until it is chosen.

    Raises
    ------
    SimulationError
        If a fault's module or signal is not in the design.
    """
    # An assertion that ends the run would take the find from those whose find it is.
    text = design.verilog.replace(f"`ifdef {ASSERT_MACRO}\n", f"`ifdef {ASSERT_MACRO}_ASLEEP\n")
    touched = set()
    for number, fault in enumerate(faults, start=1):
        start, end = _module(text, fault)
        body, count = _driver(fault.signal).subn(
            partial(_choose, number, fault), text[start:end]
        )
        if count != 1:
            raise SimulationError(
                f"fault {fault.name!r}: {fault.module}.{fault.signal} is driven at {count} places"
            )
        text = text[:start] + body + text[end:]
        touched.add(fault.module)
    for module in sorted(touched):
        # After the port list.
        at = text.index(");\n", text.index(f"module {module}(")) + 3
        text = text[:at] + _SWITCH + text[at:]
    return Design(text, design.sidecar)


_SWITCH = f"""  integer {ARGUMENT};
  initial if (!$value$plusargs("{ARGUMENT}=%d", {ARGUMENT})) {ARGUMENT} = 0;
"""


def _module(text: str, fault: Fault) -> tuple[int, int]:
    start = text.find(f"module {fault.module}(")
    if start < 0:
        raise SimulationError(f"fault {fault.name!r}: the design has no module {fault.module}")
    return start, text.index("\nendmodule", start)


def _driver(signal: str) -> re.Pattern[str]:
    name = re.escape(signal)
    return re.compile(rf"(?m)^(\s*(?:assign {name} =|{name} <=)) ([^;]*);")


def _choose(number: int, fault: Fault, match: re.Match[str]) -> str:
    target, right = match.group(1), match.group(2)
    if target.endswith("<="):
        wrong = fault.wrong.format(f"({right})")
        return f"{target} {ARGUMENT} == {number} ? {wrong} : {right};"
    # Part selects need a name, so the right value gets one.
    name = f"gavel_right_{number}"
    wrong = fault.wrong.format(name)
    return (
        f"  wire [$bits({fault.signal})-1:0] {name};\n  assign {name} = {right};\n"
        f"{target} {ARGUMENT} == {number} ? {wrong} : {name};"
    )
