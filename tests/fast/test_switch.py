# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np
import pytest

from gavel_fast import kernel
from gavel_fast.difference import RDATA, Difference, first_difference
from gavel_fast.pin_block import (
    PinBlock,
    get_inputs,
    get_pins,
    input_block,
    output_block,
    pin_block,
    put_inputs,
)
from gavel_fast.switch import FastSwitch
from gavel_model import load_config
from gavel_model.pins import Inputs, RegisterPins
from gavel_model.register_map import COUNTERS, Port, port_address
from gavel_model.switch import Switch
from gavel_tb.traffic import Traffic, TrafficJob

CYCLES = 400


@pytest.fixture(scope="module")
def tiny():
    return load_config("tiny")


@pytest.fixture(scope="module")
def recorded(tiny):
    """Inputs with everything in them, and the outputs of a switch that got them in one block."""
    traffic = Traffic(tiny, TrafficJob(cycles=CYCLES, resets=2, faults=0.1, registers=True))
    inputs, outputs = input_block(tiny, CYCLES), output_block(tiny, CYCLES)
    plain = Switch(tiny)
    for cycle in range(CYCLES):
        pins = traffic.step(cycle, plain.tx)
        put_inputs(inputs, cycle, pins)
        plain.step(pins)
    FastSwitch(tiny).run(inputs, outputs)
    assert outputs.tx.flags.any()
    assert outputs.rdata.any()
    return inputs, outputs


def part(block, rows):
    return type(block)(*(part(item, rows) if isinstance(item, tuple) else item[rows]
                         for item in block))


@pytest.mark.parametrize("length", [1, 7, 399])
def test_where_blocks_end_changes_nothing(length, tiny, recorded):
    inputs, expected = recorded
    switch, outputs = FastSwitch(tiny), output_block(tiny, CYCLES)
    for first in range(0, CYCLES, length):
        rows = slice(first, first + length)
        switch.run(part(inputs, rows), part(outputs, rows))
    assert first_difference(expected, outputs) is None
    assert switch.cycle == CYCLES


def test_two_switches_share_nothing(tiny, recorded):
    inputs, expected = recorded
    one, other = FastSwitch(tiny), FastSwitch(tiny)
    outputs, others = output_block(tiny, CYCLES), output_block(tiny, CYCLES)
    other.run(input_block(tiny, 50), output_block(tiny, 50))
    one.run(inputs, outputs)
    other.run(inputs, others)
    assert first_difference(expected, outputs) is None
    assert first_difference(expected, others) is None


def test_reset_is_that_of_a_new_switch(tiny, recorded):
    inputs, expected = recorded
    switch, outputs = FastSwitch(tiny), output_block(tiny, CYCLES)
    switch.run(inputs, outputs)
    assert switch.counters().any()
    switch.reset()
    assert switch.probe_values() == FastSwitch(tiny).probe_values()
    assert switch.cycle == CYCLES
    switch.run(inputs, outputs)
    assert first_difference(expected, outputs) is None


def test_an_empty_block_is_no_cycle(tiny):
    switch = FastSwitch(tiny)
    before = switch.probe_values()
    switch.run(input_block(tiny, 0), output_block(tiny, 0))
    assert (switch.cycle, switch.probe_values()) == (0, before)


def test_counters_are_a_copy(tiny, recorded):
    switch = FastSwitch(tiny)
    switch.run(recorded[0], output_block(tiny, CYCLES))
    counters = switch.counters()
    assert counters.shape == (tiny.ports, COUNTERS)
    counters[:] = 0
    assert switch.counters().any()


def test_inputs_that_are_not_contiguous_or_not_writable_are_taken(tiny, recorded):
    inputs, expected = recorded
    wide = np.zeros((CYCLES, 2 * tiny.ports), np.uint16)
    wide[:, ::2] = inputs.rx.flags
    ready = inputs.ready.copy()
    ready.setflags(write=False)
    changed = inputs._replace(rx=inputs.rx._replace(flags=wide[:, ::2]), ready=ready)
    outputs = output_block(tiny, CYCLES)
    FastSwitch(tiny).run(changed, outputs)
    assert first_difference(expected, outputs) is None


@pytest.mark.parametrize(("member", "array", "message"), [
    ("ready", np.zeros(4, np.uint64), r"inputs\.ready: uint64 \(4,\): must be uint64 \(5,\)"),
    ("ready", np.zeros(5, np.int64), r"inputs\.ready: int64"),
    ("register", np.zeros((5, 2), np.uint64), r"inputs\.register"),
])
def test_wrong_inputs_are_refused(member, array, message, tiny):
    inputs = input_block(tiny, 5)._replace(**{member: array})
    with pytest.raises(ValueError, match=message):
        FastSwitch(tiny).run(inputs, output_block(tiny, 5))


def test_wrong_outputs_are_refused(tiny):
    switch, inputs = FastSwitch(tiny), input_block(tiny, 5)
    with pytest.raises(ValueError, match=r"outputs\.flags: uint16"):
        switch.run(inputs, output_block(load_config("pod"), 5))
    outputs = output_block(tiny, 5)
    with pytest.raises(ValueError, match=r"outputs\.rdata: must be contiguous"):
        switch.run(inputs, outputs._replace(rdata=np.zeros(10, np.uint32)[::2]))
    assert switch.cycle == 0


def test_inputs_of_a_block_are_those_put_into_it(tiny, recorded):
    inputs, _ = recorded
    again = input_block(tiny, CYCLES)
    for cycle in range(CYCLES):
        put_inputs(again, cycle, get_inputs(inputs, cycle))
    for one, other in zip((*inputs.rx, *inputs[1:]), (*again.rx, *again[1:]), strict=True):
        assert np.array_equal(one, other)


def test_the_first_difference_is_named(tiny, recorded):
    _, outputs = recorded
    assert first_difference(outputs, outputs) is None
    tx = PinBlock(*(array.copy() for array in outputs.tx))
    changed = outputs._replace(tx=tx, rdata=outputs.rdata.copy())
    changed.rdata[20] ^= 5
    found = first_difference(outputs, changed)
    right = int(outputs.rdata[20])
    assert found == Difference(20, None, RDATA, right, right ^ 5)
    tx.seq[20, 1] ^= 3
    tx.data[20, 1, 0] ^= np.uint64(1 << 63)
    found = first_difference(outputs, changed)
    seq = get_pins(outputs.tx, 20, 1)["seq"]
    assert found == Difference(20, 1, "seq", seq, seq ^ 3)
    assert str(found) == f"cycle 20, port 1: seq is 0x{seq ^ 3:x}, expected 0x{seq:x}"
    tx.flags[7, 0] ^= 64
    assert first_difference(outputs, changed)[:3] == (7, 0, "up")
    with pytest.raises(ValueError, match="shape"):
        first_difference(outputs, output_block(tiny, 3))


def test_sixty_four_ports_are_a_set_of_64_bits():
    config = load_config("scale")
    both = Switch(config), FastSwitch(config)
    rx = tuple(Switch(config).tx)
    pins = Inputs(rx, 1 << 63, RegisterPins(port_address(63, Port.VC_MAP), 0, 0, 1))
    inputs, outputs = input_block(config, 4), output_block(config, 4)
    for cycle in range(4):
        put_inputs(inputs, cycle, pins)
        both[0].step(pins)
    both[1].run(inputs, outputs)
    assert outputs.rdata[3] == both[0].rdata != 0
    assert both[0].probe_values() == both[1].probe_values()


def test_pins_are_silent_at_first(tiny):
    assert not any(array.any() for array in pin_block(tiny, 3))


def test_the_stamp_follows_the_sources(tmp_path):
    (tmp_path / "block.py").write_text("A = 1\n")
    first = kernel.source_stamp((tmp_path,))
    assert kernel.source_stamp((tmp_path,)) == first
    (tmp_path / "block.py").write_text("A = 2\n")
    second = kernel.source_stamp((tmp_path,))
    (tmp_path / "block.py").rename(tmp_path / "other.py")
    assert len({first, second, kernel.source_stamp((tmp_path,))}) == 3


def test_without_a_folder_for_it_the_code_is_not_kept(monkeypatch):
    def njit(*, cache=False, **options):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: function

    monkeypatch.setattr(kernel.numba, "njit", njit)
    for part_of_cycle in ("show", "step", "look"):
        monkeypatch.setattr(kernel.cycle, part_of_cycle, lambda *_: None)
    inputs = input_block(load_config("tiny"), 7)
    assert kernel.kernel.__wrapped__()(None, inputs, None, 0) == 7
