# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
from pathlib import Path

import pytest

import gavel_tb
from gavel_tb.behaviour.flow.catalogue import FLOW_SCENARIOS
from gavel_tb.behaviour.job import SCENARIOS
from gavel_tb.coverage.bins import BINS
from gavel_tb.regress.errors import PlanError
from gavel_tb.regress.plan import STAGES, load_plan
from gavel_tb.regress.replay import plan_of, repeat_lines

GOOD = """
[switches]
tiny = { base = "tiny" }
[[item]]
name = "a"
text = "A thing."
spec = "docs/spec.md"
stage = "V1"
cover = ["length.*"]
[[item.test]]
kind = "traffic"
switches = ["tiny"]
parameters = { cycles = 100 }
"""


@pytest.fixture(scope="module")
def plan():
    return load_plan()


def read(folder: Path, text: str):
    path = folder / "plan.toml"
    path.write_text(text)
    return load_plan(path)


def test_the_plan_of_the_kit_is_broad(plan):
    assert len(plan.items) >= 25
    assert {item.stage for item in plan.items} == set(STAGES)
    switches = {run.switch for item in plan.items for run in item.runs}
    assert {"tiny", "pod", "3x128", "5x256", "4x512"} <= switches
    assert {run.kind for item in plan.items for run in item.runs} == {
        "traffic", "latency", "llr", "behaviour", "block"}


def test_every_chapter_that_the_plan_names_is_there(plan):
    for item in plan.items:
        page = ""
        for place in item.spec.split("; "):
            name, _, chapter = place.rpartition(", ")
            if place.startswith("docs/") and not name:
                name, chapter = place, ""
            if name.startswith("docs/"):
                page = (Path(__file__).resolve().parents[2] / name).read_text("utf-8")
            assert page, item.name
            if chapter:
                assert re.search(rf"^#+ [\d.]+ {re.escape(chapter)}\b", page, re.MULTILINE), (
                    item.name, chapter)


def test_every_coverage_bin_is_asked_for_by_an_item(plan):
    wanted = {name for item in plan.items for name in item.cover}
    assert [name for name in BINS if name not in wanted] == []


def test_no_scenario_and_no_bench_is_forgotten(plan):
    runs = [run for item in plan.items for run in item.runs]
    played = {run.parameters["name"] for run in runs if run.kind == "behaviour"}
    assert {*SCENARIOS, *FLOW_SCENARIOS} == played
    checked = {run.parameters["block"] for run in runs if run.kind == "block"}
    benches = {path.stem for path in Path(gavel_tb.__path__[0]).glob("*.py")
               if "\ndef check(config: SwitchConfig, seed: int" in path.read_text("utf-8")}
    assert benches == checked


def test_items_and_stages_are_chosen(plan):
    assert [item.name for item in plan.select(["latency"], None).items] == ["latency"]
    assert {item.stage for item in plan.select([], "V2").items} == {"V1", "V2"}
    with pytest.raises(PlanError, match="item 'nothing': must be one of frames"):
        plan.select(["nothing"], None)
    with pytest.raises(PlanError, match="no item of the plan is of stage V1"):
        plan.select(["resets"], "V1")
    with pytest.raises(PlanError, match="no run has the label 'nothing'"):
        plan.with_runs(["nothing"])
    one = plan.select(["frames"], None).with_runs(["longest tiny"])
    assert [run.label for item in one.items for run in item.runs] == ["longest tiny"]


def test_a_test_stands_for_every_combination_of_some_parameters(tmp_path):
    more = 'each = { size = ["min", 100], load = [0.5, 1.0] }\nkind = "traffic"'
    item, = read(tmp_path, GOOD.replace('kind = "traffic"', more)).items
    assert [run.label for run in item.runs] == [
        "min 0.5 tiny", "min 1.0 tiny", "100 0.5 tiny", "100 1.0 tiny"]
    assert item.runs[2].parameters == {"cycles": 100, "size": 100, "load": 0.5}
    item, = read(tmp_path, GOOD.replace('kind = "traffic"', more + '\nlabel = "a"')).items
    assert item.runs[0].label == "a min 0.5 tiny"


def test_the_bench_of_a_block_gets_its_parameters(tmp_path):
    block = """kind = "block"
switches = ["tiny"]
blocks = ["axi_stream_tx"]
"""
    test = GOOD.partition('kind = "traffic"')[0] + block
    with pytest.raises(PlanError, match=r"item 'a': missing a required .*argument: 'strip'"):
        read(tmp_path, test)
    item, = read(tmp_path, test + "each = { strip = [false, true] }").items
    assert [run.label for run in item.runs] == ["axi_stream_tx False tiny",
                                                "axi_stream_tx True tiny"]
    run = item.runs[1]
    again = read(tmp_path, plan_of(run, "a reason")).items[0].runs[0]
    assert again.job_parameters(3) == run.job_parameters(3) == {
        "block": "axi_stream_tx", "strip": True, "seed": 3}


@pytest.mark.parametrize(("old", "new", "message"), [
    ('kind = "traffic"', 'kind = "traffic"\neach = { size = [] }', "item 'a': each must be"),
    ('kind = "traffic"', 'kind = "traffic"\neach = "size"', "item 'a': each must be a table of"),
    ('kind = "traffic"', 'kind = "traffic"\neach = { size = [1] }', "item 'a': size = 1: must be"),
    ('stage = "V1"', 'stage = "V4"', r"item 'a': stage = 'V4': must be one of V1, V2, V3"),
    ('kind = "traffic"', 'kind = "trafic"', "item 'a': kind = 'trafic': must be one of traffic"),
    ('switches = ["tiny"]', 'switches = ["huge"]', "item 'a': switch 'huge': must be one of tiny"),
    ('switches = ["tiny"]', "", "item 'a': a test of kind traffic needs switches"),
    ("cycles = 100", "cycles = 0", "item 'a': cycles = 0: must be at least 1"),
    ("cycles = 100", "cyles = 100", "item 'a': .*unexpected keyword argument 'cyles'"),
    ("length.*", "lenght.*", r"item 'a': cover = 'lenght\.\*': no bin has this name; groups: len"),
    ('base = "tiny"', 'base = "tinny"', "switch 'tiny': base must be one of tiny, fpga"),
    ('base = "tiny"', 'base = "tiny", ports = 1', r"switch 'tiny': ports = 1: must be in 2\.\."),
    ('spec = "docs/spec.md"', "", "item 'a': spec must be a text"),
    ('spec = "docs/spec.md"', 'spec = "x"\nwhy = "y"', "item 'a': item: no key 'why'"),
    ('name = "a"', 'name = "a/b"', "item 'a/b': name must be a text without /"),
    ('kind = "traffic"', 'kind = "llr"\nmix = "hail"', "item 'a': mix = 'hail': must be one of b"),
    ('kind = "traffic"', 'kind = "traffic"\nfault = "f"', "item 'a': fault = 'f': must be one of"),
    ('kind = "traffic"', 'kind = "traffic"\nmix = "bits"', "of kind traffic has no key 'mix'"),
    ('kind = "traffic"\nswitches = ["tiny"]\nparameters = { cycles = 100 }',
     'kind = "behaviour"\nscenarios = ["no-*"]', r"item 'a': scenario 'no-\*': no scenario has"),
    ('kind = "traffic"\nswitches = ["tiny"]\nparameters = { cycles = 100 }',
     'kind = "block"\nswitches = ["tiny"]\nblocks = ["errors"]', "block 'errors' has no bench"),
    ("[[item]]", "[[item", "no TOML"),
])
def test_what_cannot_be_run_is_refused_by_name(tmp_path, old, new, message):
    assert old in GOOD
    with pytest.raises(PlanError, match=message) as caught:
        read(tmp_path, GOOD.replace(old, new))
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "plan.toml"))


def test_a_plan_without_items_and_a_missing_one_are_refused(tmp_path):
    with pytest.raises(PlanError, match=r"no \[\[item\]\]"):
        read(tmp_path, "[switches]\n")
    with pytest.raises(PlanError, match="No such file"):
        load_plan(tmp_path / "none.toml")
    with pytest.raises(PlanError, match="item 'a' stands there twice"):
        read(tmp_path, GOOD + GOOD.partition("[[item]]")[1] + GOOD.partition("[[item]]")[2])


def test_each_run_can_be_written_as_a_plan_of_its_own(plan, tmp_path):
    for kind in ("traffic", "latency", "llr", "behaviour", "block"):
        run = next(run for item in plan.items for run in item.runs if run.kind == kind)
        again = read(tmp_path, plan_of(run, "a reason\nof two lines")).items[0].runs[0]
        assert (again.config, again.kind, again.fault) == (run.config, run.kind, run.fault)
        assert again.job_parameters(3) == run.job_parameters(3)


def test_traffic_is_repeated_by_compare_and_everything_by_its_plan(plan):
    traffic = next(run for item in plan.items for run in item.runs if run.label == "longest 3x128")
    alone, by_plan = repeat_lines(traffic, 7)
    assert alone.startswith("gavel compare --config tiny -P ports=3")
    assert "--size max" in alone
    assert by_plan == ("gavel regress --item frames --run 'longest 3x128' --first-seed 7 "
                       "--no-shrink -o build/repeat")
    scenario = next(run for item in plan.items for run in item.runs if run.kind == "behaviour")
    line, = repeat_lines(scenario, 1, Path("p.toml"), "model")
    assert "--plan p.toml" in line
    assert line.endswith("--engine model")
