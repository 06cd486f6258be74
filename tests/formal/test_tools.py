# SPDX-License-Identifier: Apache-2.0
"""The harness and the tools on a counter: what holds, what fails, what is missing."""

import pytest
from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gavel_model import load_config
from gavel_tb.formal import tools
from gavel_tb.formal.design import Design
from gavel_tb.formal.errors import SolverError
from gavel_tb.formal.harness import Harness
from gavel_tb.formal.tools import ask, solver_path, write_problem

LAST = 5


class Counter(wiring.Component):
    step: In(1)
    value: Out(4)

    def elaborate(self, platform):
        m = Module()
        m.submodules.noted = memory = Memory(shape=4, depth=2, init=[])
        write = memory.write_port()
        m.d.comb += [write.addr.eq(0), write.data.eq(self.value), write.en.eq(1)]
        following = Signal(4)
        m.d.comb += following.eq(Mux(self.value == LAST, 0, self.value + 1))
        with m.If(self.step):
            m.d.sync += self.value.eq(following)
        return m


class CounterHarness(Harness):
    claims = "value <= 5"
    reaches_to = LAST

    def build(self):
        self.dut = Counter()
        design = Design(self.dut, self.fault)
        self.m.submodules.dut = design.fragment
        self.m.d.comb += self.dut.step.eq(self.anything(1, "step"))
        before = Signal(4)
        self.m.d.sync += before.eq(self.dut.value)
        self.claim("no more than five", self.dut.value <= LAST)
        self.claim("the value before is noted",
                   ~self.after(1) | (design.word("noted", 0) == before))
        self.reach("the last", self.dut.value == self.reaches_to)


def goes_too_far(design):
    design.break_it("comb", design.signal("following").eq(design.member("value") + 1))


@pytest.fixture
def problem(tmp_path):
    def make(fault=None, **attributes):
        harness = CounterHarness(load_config("tiny"), fault)
        for name, value in attributes.items():
            setattr(harness, name, value)
        write_problem(harness, tmp_path)
        return tmp_path

    return make


def test_what_holds(problem):
    folder = problem()
    assert ask(folder, "bmc", 8, 60).holds is True
    assert ask(folder, "cover", 8, 60).holds is True


def test_a_fault_fails_with_the_name_of_its_claim_and_a_trace(problem):
    folder = problem(goes_too_far)
    assert ask(folder, "bmc", 6, 60).holds is True
    answer = ask(folder, "bmc", 8, 60)
    assert answer.holds is False and answer.failed == "no more than five"
    assert (folder / "trace.vcd").stat().st_size > 0


def test_what_is_never_reached_is_named(problem):
    answer = ask(problem(reaches_to=LAST + 1), "cover", 8, 60)
    assert answer.holds is False and answer.failed == "the last"


def test_no_answer_in_time_is_no_proof(problem, monkeypatch):
    folder = problem()
    monkeypatch.setattr(tools, "_run", lambda *_arguments: None)
    assert ask(folder, "bmc", 8, 1).holds is None


@pytest.mark.parametrize("signal", ["nothing", "step"])
def test_a_signal_that_is_not_there_is_named(signal):
    with pytest.raises(NameError, match=f"Counter: 0 signals are called '{signal}'"):
        Design(Counter()).signal(signal)


def test_a_missing_solver_is_named_with_the_fix(monkeypatch, tmp_path):
    monkeypatch.setattr(tools.sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SolverError, match=r"yices-smt2 is missing.*make distclean setup"):
        solver_path()


def test_a_missing_package_is_named_with_the_fix(monkeypatch):
    monkeypatch.setattr(tools.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(SolverError, match=r"pyosys is missing.*make distclean setup"):
        solver_path()
