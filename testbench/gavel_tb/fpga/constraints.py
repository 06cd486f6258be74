# SPDX-License-Identifier: Apache-2.0
"""Constraint files: clocks, and paths between clocks by the names of their registers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from gavel_tb.fpga.crossings import Crossings, Fifo
from gavel_tb.synthesis.families import FAMILIES

Clocks = Mapping[str, float]
"""Frequencies in MHz by the name of the clock, that of the core first."""

Writer = Callable[[Clocks, Crossings], str]
"""Constraints from the clocks and the paths between them."""

_INSIDE = """\
The switch stands inside of a design of yours, so there are no pins here: those are of your board.
Its inputs are sampled by the clocks of their sides, and resets are synchronous."""

_NOT_BOUNDED = """\
Between these clocks there are only the paths of docs/clocks.md. nextpnr times no path from one
clock to another, and has no bound for it: look at what its log says of them ("Max delay")."""

_GOWIN = """\
Paths between these clocks are not timed. Those of pointers ought to take less than a period, and
their bits equally long: names of registers are in docs/clocks.md, and synthesis adds to them."""

_VIVADO = """\
Between these clocks: Gray-coded pointers take at most a period, and so does what is read of a
memory; synchronisers of one bit are not timed. All other paths are, so none is forgotten."""

_QUARTUS = """\
Between these clocks paths are not timed, but pointers are bounded: their bits are equally long,
and take less than a period."""


def _comment(text: str, sign: str = "#") -> list[str]:
    return [f"{sign} {line}".rstrip() for line in text.splitlines()]


def _lines(*lines: str) -> str:
    return "\n".join(["# SPDX-License-Identifier: Apache-2.0", *lines]) + "\n"


def _period(mhz: float) -> str:
    return f"{1000 / mhz:.3f}"


def _nextpnr(family: str, clocks: Clocks, between: Crossings) -> str:
    """Lines as place and route of the estimate has them."""
    tool = FAMILIES[family].place_route
    assert tool is not None
    return _lines(*_comment(_INSIDE),
                  *(tool.clock_line.format(name=name, mhz=mhz) for name, mhz in clocks.items()),
                  *(_comment(_NOT_BOUNDED) if between.fifos else ()))


def lpf(clocks: Clocks, between: Crossings) -> str:
    """For nextpnr and Diamond, ECP5."""
    return _nextpnr("ecp5", clocks, between)


def pcf(clocks: Clocks, between: Crossings) -> str:
    """For nextpnr, iCE40."""
    return _nextpnr("ice40", clocks, between)


def _clocks(clocks: Clocks) -> Iterator[str]:
    """What Vivado, Quartus and Gowin read alike."""
    for clock, mhz in clocks.items():
        yield f"create_clock -name {clock} -period {_period(mhz)} [get_ports {{{clock}}}]"


def _groups(clocks: Clocks) -> str:
    groups = " ".join(f"-group [get_clocks {{{clock}}}]" for clock in clocks)
    return f"set_clock_groups -asynchronous {groups}"


def _pointer_period(clocks: Clocks, fifo: Fifo) -> str:
    """A cycle of the faster one."""
    return _period(max(clocks[fifo.writes], clocks[fifo.reads]))


def xdc(clocks: Clocks, between: Crossings) -> str:
    """For Vivado. Clock groups would come before the bounds, so there are none."""

    def cells(path: str, more: str = "") -> str:
        name = path.replace(".", "/")
        return f"[get_cells -hierarchical -filter {{NAME =~ *{name}{more}}}]"

    def paths() -> Iterator[str]:
        for fifo in between.fifos:
            period = _pointer_period(clocks, fifo)
            for source, sink in fifo.pointers:
                ends = f"-from {cells(source, '_reg[*]')} -to {cells(sink, '_reg[*]')}"
                yield f"set_max_delay -datapath_only {ends} {period}"
                yield f"set_bus_skew {ends} {period}"
            words = cells(fifo.memory, "/array_reg*")
            read = cells(fifo.memory, "/* && REF_NAME =~ FD*")
            yield (f"set_max_delay -datapath_only -from {words} -to {read} "
                   f"{_period(clocks[fifo.reads])}")
            reset = fifo.reset.replace(".", "/")
            yield ("set_false_path -to [get_pins -hierarchical -filter "
                   f"{{NAME =~ *{reset}/stage*_reg/PRE}}]")
        for sink in between.single:
            yield f"set_false_path -to {cells(sink, '_reg*')}"

    return _lines(*_comment(_INSIDE), *_clocks(clocks),
                  *(_comment(_VIVADO) if between.fifos else ()), *paths())


def quartus_sdc(clocks: Clocks, between: Crossings) -> str:
    """For Quartus Prime Pro, as its guide has it for FIFOs with two clocks: skew and net delay
    count beside clock groups."""

    def registers(path: str) -> str:
        return f"[get_registers {{*{path.replace('.', '|')}[*]}}]"

    def paths() -> Iterator[str]:
        for fifo in between.fifos:
            period = _pointer_period(clocks, fifo)
            for source, sink in fifo.pointers:
                ends = f"-from {registers(source)} -to {registers(sink)}"
                yield f"set_max_skew {ends} {period}"
                yield f"set_net_delay {ends} -max {period}"

    groups = [*_comment(_QUARTUS), _groups(clocks)] if between.fifos else []
    return _lines(*_comment(_INSIDE), *_clocks(clocks), "derive_clock_uncertainty", *groups,
                  *paths())


def gowin_sdc(clocks: Clocks, between: Crossings) -> str:
    """For Gowin EDA."""
    groups = [*_comment(_GOWIN), _groups(clocks)] if between.fifos else []
    return _lines(*_comment(_INSIDE), *_clocks(clocks), *groups)


def cst(_clock_names: Clocks, _between: Crossings) -> str:
    """Pins for Gowin EDA, which are those of a board."""
    text = _lines(*_comment(_INSIDE), "IO_LOC and IO_PORT lines of your board go here.")
    return text.replace("# ", "// ").replace("\nIO_LOC", "\n// IO_LOC")
