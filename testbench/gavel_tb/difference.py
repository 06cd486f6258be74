# SPDX-License-Identifier: Apache-2.0
"""Names what differs between RTL and model, and tells the cycles before it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gavel_model.config import SwitchConfig
from gavel_model.pins import Inputs, RxPins, TxPins
from gavel_model.register_map import Counter
from gavel_tb.harness import HarnessLayout

_SINGLE = ("free_cells", "llr_rx", "llr_tx")
SHOWN = 8
"""Differences of one cycle that a report lists."""


@dataclass(frozen=True)
class Difference:
    """One signal with two values.

    Attributes
    ----------
    cycle
        Counted from the first one after the reset that begins a run.
    block
        Path of the RTL block that drives the signal. For a pin that says little: whatever differs
        inside, but at no probe point, is seen there first.
    signal
        Name of the pin or the element of the probe point.
    rtl, model
        The values.
    port
        Port whose transmit pins differ; None for a probe point or a register.
    """

    cycle: int
    block: str
    signal: str
    rtl: int
    model: int
    port: int | None = None

    @property
    def place(self) -> str:
        """Where the difference is: a block, or the pins at which it was seen."""
        return self.block if self.port is None else f"pins of port {self.port} (LinkTx)"

    def line(self) -> str:
        """The difference in one line."""
        return f"{self.place}: {self.signal}: RTL 0x{self.rtl:x}, model 0x{self.model:x}"

    def as_dict(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


def probe_differences(
    config: SwitchConfig, layout: HarnessLayout, paths: Mapping[str, str], cycle: int,
    rtl: bytes, model: bytes,
) -> list[Difference]:
    """Differing elements of the probe vector."""
    found = []
    start = 0
    for point, size in zip(layout.probes, layout.probe_bytes, strict=True):
        ours = int.from_bytes(rtl[start : start + size], "little")
        theirs = int.from_bytes(model[start : start + size], "little")
        start += size
        if ours == theirs:
            continue
        block = paths.get(point.name, point.name).rpartition(".")[0] or point.name
        mask = (1 << point.element_bits) - 1
        for element in range(point.elements):
            shift = element * point.element_bits
            left, right = ours >> shift & mask, theirs >> shift & mask
            if left != right:
                signal = _element_name(config, point.name, element)
                found.append(Difference(cycle, block, signal, left, right))
    return found


def _element_name(config: SwitchConfig, point: str, element: int) -> str:
    kind = point.rpartition(".")[2]
    if kind == "voq_frames":
        output, vc = divmod(element, config.vcs)
        return f"{point}[output {output}, vc {vc}]"
    if kind == "counters":
        return f"{point}[{Counter(element).name}]"
    if kind in _SINGLE:
        return point
    return f"{point}[{'input' if kind == 'accept' else 'output'} {element}]"


def register_difference(cycle: int, rtl: int, model: int) -> Difference:
    """Differing read data of the register port."""
    return Difference(cycle, "registers", "reg_rdata", rtl, model)


def pin_differences(
    config: SwitchConfig, layout: HarnessLayout, cycle: int, rtl: bytes, model: bytes
) -> list[Difference]:
    """Differing transmit pins."""
    found = []
    size = layout.port_bytes
    for port in range(config.ports):
        ours = int.from_bytes(rtl[port * size : (port + 1) * size], "little")
        theirs = int.from_bytes(model[port * size : (port + 1) * size], "little")
        if ours != theirs:
            right = layout.pins.unpack(theirs)
            for name, value in layout.pins.unpack(ours).items():
                if value != right[name]:
                    found.append(
                        Difference(cycle, f"port{port}.link_tx", f"p{port}_tx_{name}", value,
                                   right[name], port)
                    )
    return found


def _pins_text(name: str, pins: RxPins | TxPins) -> str:
    marks = "".join(
        mark for mark, value in (("S", pins.sop), ("E", pins.eop), ("!", pins.err)) if value
    )
    text = f"{name}{' ' + marks if marks else ''} {pins.data:x}"
    return text + (f" empty {pins.empty}" if pins.eop and pins.empty else "")


def cycle_text(cycle: int, inputs: Inputs, tx: Sequence[TxPins]) -> str:
    """Pins of one cycle in one line; idle ports are left out."""
    parts = []
    if inputs.reset:
        parts.append("reset")
    for port, pins in enumerate(inputs.rx):
        if pins.valid:
            parts.append(_pins_text(f"rx{port}", pins))
        if not pins.up:
            parts.append(f"rx{port} down")
        if pins.ctl_valid:
            parts.append(f"rx{port} ctl")
    access = inputs.register
    if access.we:
        parts.append(f"write {access.addr:#06x} = {access.wdata:#x}")
    if access.re:
        parts.append(f"read {access.addr:#06x}")
    for port, sent in enumerate(tx):
        if sent.valid:
            text = _pins_text(f"tx{port}", sent)
            parts.append(text + ("" if inputs.ready >> port & 1 else " (not ready)"))
    return f"{cycle:>8}  " + ("; ".join(parts) or "idle")


def report(
    differences: Sequence[Difference], history: Iterable[tuple[int, Inputs, tuple[TxPins, ...]]],
    *, seed: int | None, repeat: str | None,
) -> str:
    """The text that a person gets. The first difference stands out: probe points come before the
    registers' output and the pins, since they tell where inside it began."""
    first = differences[0]
    lines = [
        f"RTL and model differ in cycle {first.cycle}",
        f"  {'block  ' if first.port is None else 'seen at'} {first.place}",
        f"  signal  {first.signal}",
        f"  RTL     0x{first.rtl:x}",
        f"  model   0x{first.model:x}",
    ]
    rest = differences[1:]
    if rest:
        lines.append(f"In the same cycle {len(rest)} more:")
        lines += [f"  {item.line()}" for item in rest[:SHOWN]]
        if len(rest) > SHOWN:
            lines.append(f"  and {len(rest) - SHOWN} more")
    lines.append("Cycles before (pins of the model; S first word, E last word):")
    lines += [cycle_text(*entry) for entry in history]
    if seed is not None:
        lines.append(f"Seed: {seed}")
    if repeat is not None:
        lines.append(f"Repeat with waves: {repeat}")
    return "\n".join(lines)
