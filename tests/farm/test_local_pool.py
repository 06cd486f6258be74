# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from gavel_tb.farm.dispatch import run
from gavel_tb.farm.errors import FolderError
from gavel_tb.farm.unit import Unit

WORK = "work_for_tests"


def units(*numbers: int) -> list[Unit]:
    return [Unit(f"{WORK}:square", {"number": number}) for number in numbers]


def lines(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]


def wait_until(condition) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it does not come"
        time.sleep(0.01)


def test_outcomes_are_in_the_order_of_the_units_and_do_not_depend_on_the_workers(tmp_path):
    work = units(5, 3, 8, 3, 1)
    one = run(work, folder=tmp_path / "one", workers=1)
    many = run(list(reversed(work)), folder=tmp_path / "many", workers=3)
    assert [outcome.result["square"] for outcome in one] == [25, 9, 64, 9, 1]
    assert [outcome.result for outcome in one] == [outcome.result for outcome in reversed(many)]
    assert len(lines(tmp_path / "one")) == 4, "an equal unit has run twice"


def test_an_exception_is_an_outcome_of_one_line(tmp_path):
    work = [Unit(f"{WORK}:refuse", {"text": "no such port"}), Unit(f"{WORK}:no_data"),
            Unit(f"{WORK}:absent"), *units(2)]
    bad, no_data, absent, good = run(work, folder=tmp_path, workers=1)
    assert bad.error == "RuntimeError: no such port"
    assert "in refuse" in bad.detail
    assert "set is not JSON serializable" in no_data.error
    assert "no function 'work_for_tests:absent'" in absent.error
    assert good.error is None
    assert good.result == {"square": 4}


def test_what_is_finished_does_not_run_again_and_what_failed_does(tmp_path):
    mark = tmp_path / "mark"
    mark.touch()
    first = Unit(f"{WORK}:wait_for", {"mark": str(mark)})
    broken = Unit(f"{WORK}:refuse", {"text": "x"})
    before = run([first, broken], folder=tmp_path / "out", workers=1)
    seen = []
    after = run([*units(7), first, broken], folder=tmp_path / "out", workers=1,
                on_result=seen.append)
    assert after[1].resumed
    assert after[1].result == before[0].result
    assert {str(outcome.unit) for outcome in seen} == {str(units(7)[0]), str(broken)}
    assert not run([first], folder=tmp_path / "out", workers=1, stamp="other")[0].resumed


def test_a_torn_last_line_costs_only_itself(tmp_path):
    run(units(1, 2), folder=tmp_path, workers=1)
    path = tmp_path / "results.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    outcomes = run(units(1, 2), folder=tmp_path, workers=1)
    assert sorted(outcome.resumed for outcome in outcomes) == [False, True]
    assert [line["key"] for line in lines(tmp_path)] == [
        json.loads(line)["key"] for line in whole.splitlines()]


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "results.jsonl").write_text("{}\n")
    with pytest.raises(FolderError, match="line 1, is no result of a farm"):
        run(units(1), folder=tmp_path, workers=1)


def test_a_folder_in_use_is_refused(tmp_path):
    with pytest.raises(FolderError, match="in use"):
        run(units(1), folder=tmp_path, workers=1,
            on_result=lambda _: run(units(2), folder=tmp_path, workers=1))


def test_parameters_that_are_no_data_are_refused_before_anything_runs(tmp_path):
    with pytest.raises(ValueError, match=r"parameters of work_for_tests:square.*set"):
        run([Unit(f"{WORK}:square", {"number": {1}})], folder=tmp_path)
    with pytest.raises(ValueError, match="workers = 0: must be at least 1"):
        run(units(1), folder=tmp_path, workers=0)


def test_a_killed_worker_loses_nothing(tmp_path):
    mark = tmp_path / "go"
    work = [Unit(f"{WORK}:wait_for", {"mark": str(mark)}), *units(*range(6))]

    def kill() -> None:
        wait_until(lambda: list(tmp_path.glob("go.*.runs")))
        victim = int(next(tmp_path.glob("go.*.runs")).name.split(".")[1])
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: len(list(tmp_path.glob("go.*.runs"))) == 2)
        mark.touch()

    killer = threading.Thread(target=kill)
    killer.start()
    outcomes = run(work, folder=tmp_path / "out", workers=2)
    killer.join()
    assert [outcome.error for outcome in outcomes] == [None] * 7
    assert f"go.{outcomes[0].result}.runs" in {path.name for path in tmp_path.iterdir()}
    assert len(lines(tmp_path / "out")) == 7


def test_a_unit_that_kills_every_worker_fails_by_name_and_alone(tmp_path):
    work = [Unit(f"{WORK}:die_always", {"number": 4}), *units(1, 2, 3), Unit(f"{WORK}:leave")]
    outcomes = run(work, folder=tmp_path, workers=2, attempts=2)
    assert outcomes[0].error == "2 workers died of it, the last by SIGKILL"
    assert outcomes[4].error == "2 workers died of it, the last by exit code 7"
    assert [outcome.error for outcome in outcomes[1:4]] == [None] * 3
    failed = [line for line in lines(tmp_path) if line["error"]]
    assert [line["function"] for line in failed if line["parameters"]] == [f"{WORK}:die_always"]


def test_what_a_unit_prints_does_not_go_to_standard_output(tmp_path, capfd):
    run([Unit(f"{WORK}:print_and_work")], folder=tmp_path, workers=1)
    assert capfd.readouterr().out == ""


def test_an_interrupted_run_goes_on_where_it_was_and_leaves_no_process(tmp_path):
    mark = tmp_path / "go"
    text = f"""
from pathlib import Path
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from gavel_tb.farm.dispatch import run
from gavel_tb.farm.unit import Unit
work = [Unit("{WORK}:square", {{"number": 3}}), Unit("{WORK}:wait_for", {{"mark": {str(mark)!r}}})]
run(work, folder=Path({str(tmp_path / "out")!r}), workers=1)
"""
    with subprocess.Popen([sys.executable, "-c", text], stderr=subprocess.PIPE) as process:
        wait_until(lambda: list(tmp_path.glob("go.*.runs")))
        process.send_signal(signal.SIGINT)
        assert b"KeyboardInterrupt" in process.communicate(timeout=60)[1]
    worker = int(next(tmp_path.glob("go.*.runs")).name.split(".")[1])
    assert not Path(f"/proc/{worker}").exists()
    mark.touch()
    outcomes = run([*units(3), Unit(f"{WORK}:wait_for", {"mark": str(mark)})],
                   folder=tmp_path / "out", workers=1)
    assert [outcome.resumed for outcome in outcomes] == [True, False]


def test_the_key_is_that_of_the_content():
    one = Unit("a:b", {"x": 1, "y": 2})
    assert one.key == Unit("a:b", {"y": 2, "x": 1}, builds=(Path("z"),)).key
    assert len({one.key, Unit("a:c", one.parameters).key, Unit("a:b", {"x": 1}).key}) == 3
