# SPDX-License-Identifier: Apache-2.0
"""Every block's RTL on its own bench."""

from __future__ import annotations

import importlib

import pytest

from gavel_model.loader import load_config

BLOCKS = ("link_rx", "llr_receiver", "parser", "lookup", "ingress_buffer", "scheduler", "crossbar",
          "egress", "llr_transmitter", "control_transmitter", "link_tx", "registers",
          "credit_sender", "credit_receiver", "pause_sender", "pause_receiver",
          "mac_control_transmitter", "mac_control_receiver", "head_order")
SHAPES = {
    "2x64": (),
    "3x512": ("ports=3", "data_width=512", "vcs=3"),
    "5x128": ("ports=5", "data_width=128", "vcs=1", "islip_iterations=3"),
}
OF_EACH_VC = ("parser", "ingress_buffer", "scheduler", "registers", "credit_sender",
              "credit_receiver", "pause_sender", "pause_receiver", "mac_control_receiver")
"""Blocks that do something for each virtual channel."""

MANY_VCS = ("data_width=256", "vcs=8")
ONE_QUEUE = ("ports=3", "data_width=512", "vcs=3", "buffer_cells=21", "queueing=fifo")


OF_ONE_PORT = ("llr_transmitter", "llr_receiver", "control_transmitter")
"""Blocks with the longest benches, to which the number of ports is nothing."""

REPEATS = {("scheduler", "5x128"), ("registers", "3x512"),
           *((block, shape) for block in OF_ONE_PORT for shape in ("5x128", "3x512")),
           *((block, "3x512") for block in ("credit_sender", "mac_control_transmitter",
                                            "ingress_buffer", "scheduler"))}
"""With 512 bits they run behind a register of the scheduler or of their choice, or with registers
around the cell memory, and without one in the lockstep of wide switches; the scheduler runs in
tests/rtl/test_scheduler.py, also with eight ports and with one VC. The registers of three ports run
with a register for each port. The benches without one have 64 bits, and most have 128."""


@pytest.mark.parametrize(("block", "shape"), [
    pytest.param(block, shape, id=f"{block}-{shape}",
                 marks=[pytest.mark.long] if (block, shape) in REPEATS else [])
    for shape in SHAPES for block in BLOCKS])
def test_block(block: str, shape: str, seed: int) -> None:
    _check(block, SHAPES[shape], seed)


@pytest.mark.parametrize("block", [
    # tests/rtl/test_scheduler.py has one with eight VCs.
    pytest.param(block, marks=[pytest.mark.long] if block == "scheduler" else [])
    for block in OF_EACH_VC])
def test_block_with_many_vcs(block: str, seed: int) -> None:
    _check(block, MANY_VCS, seed)


@pytest.mark.parametrize(("block", "shape", "stages"), [
    ("scheduler", "2x64", ()), ("credit_sender", "3x512", ()),
    # The sender has a bench without the register at this width, and the transmitter one with 512
    # bits and a register before the pins.
    pytest.param("credit_sender", "2x64", (), marks=pytest.mark.long),
    pytest.param("llr_transmitter", "3x512", ("receive_stages=1",), marks=pytest.mark.long),
    # The shortest frame is two words: the first of the next one may have been fetched in vain.
    ("llr_transmitter", "2x64", ("data_width=256", "receive_stages=1"))])
def test_block_behind_a_register_of_the_scheduler(
    block: str, shape: str, stages: tuple[str, ...], seed: int
) -> None:
    _check(block, (*SHAPES[shape], "gate_stages=1", *stages), seed)


@pytest.mark.parametrize("block", ["parser", "lookup"])
def test_block_with_registers_behind_it(block: str, seed: int) -> None:
    _check(block, ("receive_stages=1", "ingress_stages=2"), seed)


@pytest.mark.parametrize(("block", "shape"), [
    ("control_transmitter", "3x512"), ("llr_receiver", "3x512"),
    pytest.param("control_transmitter", "2x64", marks=pytest.mark.long)])
def test_ordered_sets_with_a_register_behind_their_choice(
    block: str, shape: str, seed: int
) -> None:
    _check(block, (*SHAPES[shape], "control_stages=1"), seed)


@pytest.mark.parametrize(("block", "shape", "stages"), [
    ("ingress_buffer", "2x64", 1), ("ingress_buffer", "3x512", 2), ("credit_sender", "3x512", 2),
    ("mac_control_transmitter", "3x512", 2)])
def test_block_with_registers_around_the_cell_memory(
    block: str, shape: str, stages: int, seed: int
) -> None:
    _check(block, (*SHAPES[shape], f"read_stages={stages}"), seed)


@pytest.mark.parametrize("shape", [
    # With the one register or the other alone it runs with 256 and with 512 bits.
    pytest.param(("gate_stages=1",), marks=pytest.mark.long),
    ("data_width=512", "vcs=3", "receive_stages=1"),
    # What has yet to enter the sums counts in no bench of a whole switch that is short.
    ("data_width=128", "gate_stages=2")])
def test_transmitter_with_a_register_before_the_pins(shape: tuple[str, ...], seed: int) -> None:
    _check("llr_transmitter", (*shape, "launch_stages=1"), seed)


@pytest.mark.parametrize(("block", "shape"), [
    ("credit_sender", ("data_width=128", "vcs=3", "read_stages=2")), ("credit_sender", ()),
    ("credit_receiver", ()),
    ("credit_receiver", ("data_width=128", "vcs=3")), ("pause_sender", ()),
    pytest.param("llr_transmitter", ("data_width=128",), marks=pytest.mark.long)])
def test_block_that_takes_two_cycles_to_hold_back(
    block: str, shape: tuple[str, ...], seed: int
) -> None:
    _check(block, (*shape, "gate_stages=2"), seed)


@pytest.mark.parametrize(("shape", "stages"), [("2x64", ()), ("5x128", ("gate_stages=2",))])
def test_scheduler_by_requests_of_the_cycle_before(
    shape: str, stages: tuple[str, ...], seed: int
) -> None:
    _check("scheduler", (*SHAPES[shape], *stages, "match_stages=1"), seed)


@pytest.mark.parametrize("block", ["ingress_buffer", "head_order"])
def test_block_of_one_queue_per_input(block: str, seed: int) -> None:
    _check(block, ONE_QUEUE, seed)


@pytest.mark.parametrize("shape", ["3x512", pytest.param("2x64", marks=pytest.mark.long)])
def test_registers_with_a_register_for_each_port(shape: str, seed: int) -> None:
    _check("registers", (*SHAPES[shape], "register_stages=1"), seed)


def test_registers_where_macs_show_frames_alone(seed: int) -> None:
    _check("registers", (*MANY_VCS, "mac=frames"), seed)


def _check(block: str, shape: tuple[str, ...], seed: int) -> None:
    importlib.import_module(f"gavel_tb.{block}").check(load_config("tiny", shape), seed)
