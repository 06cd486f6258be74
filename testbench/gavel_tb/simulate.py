# SPDX-License-Identifier: Apache-2.0
"""Host side: builds what is needed, runs one job in a simulation process, gives its result."""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gavel_model.config import SwitchConfig
from gavel_tb.build_cache import DEFAULT_CACHE, BuildCache, Design
from gavel_tb.effort import SHORT, Effort
from gavel_tb.errors import SimulationError
from gavel_tb.harness import harness_verilog
from gavel_tb.job_file import JOB_VARIABLE
from gavel_tb.process import orderly_termination
from gavel_tb.repeat import repeat_command
from gavel_tb.runner import WAVE_NOTE, Binary, build, run, tail, wave_file, wave_format
from gavel_tb.servers import Servers

POLL_SECONDS = 0.2

ProgressCallback = Callable[[int, float], None]
"""Called with cycles done and the share of the work done, 0...1, from another thread."""


@dataclass(frozen=True)
class Prepared:
    """A switch that is built and can be run any number of times.

    Attributes
    ----------
    binary
        The simulation, if it stands already; else it is built when it is first run.
    """

    config: SwitchConfig
    design: Design
    cache: BuildCache
    effort: Effort
    waves: bool
    debug: bool = False
    coverage: bool = False
    binary: Binary | None = None

    def build(self) -> Binary:
        """The simulation, built unless it stands.

        Raises
        ------
        SimulationError
            If the build fails.
        """
        if self.binary is not None:
            return self.binary
        harness = harness_verilog(
            self.config, self.design.probe_paths, waves=wave_format() if self.waves else None)
        return build(
            self.cache, self.design, harness, effort=self.effort, waves=self.waves,
            debug=self.debug, coverage=self.coverage,
        )

    def run(
        self,
        job: Mapping[str, Any],
        *,
        progress: ProgressCallback | None = None,
        folder: Path | None = None,
        servers: Servers | None = None,
    ) -> dict[str, Any]:
        """Runs one job. See `simulate`.

        ``servers`` run it in a copy of a process that has already started, unless it records
        waves.
        """
        with orderly_termination():
            return self._build_and_run(job, progress, folder, servers)

    def _build_and_run(
        self, job: Mapping[str, Any], progress: ProgressCallback | None, folder: Path | None,
        servers: Servers | None,
    ) -> dict[str, Any]:
        binary = self.build()
        given = folder is not None
        # Waves outlive the run; anything else is read before the folder goes.
        keep = folder is not None or self.waves
        if folder is None:
            root = self.cache.root.parent / "runs" if keep else None
            try:
                if root is not None:
                    root.mkdir(parents=True, exist_ok=True)
                folder = Path(tempfile.mkdtemp(prefix="run-", dir=root))
            except OSError as error:
                where = root or tempfile.gettempdir()
                raise SimulationError(f"{where} cannot be written: {error.strerror}") from error
        folder = folder.absolute()
        try:
            result = self._run(binary, job, folder, progress, servers)
        except Exception:
            # The folder stays: the message names the log in it.
            raise
        except BaseException:
            if not given:
                shutil.rmtree(folder, ignore_errors=True)
            raise
        if not keep:
            shutil.rmtree(folder)
        waves = wave_file(binary, folder)
        result["waves"] = None if waves is None else str(waves)
        result["waves_note"] = WAVE_NOTE if binary.waves == "vcd" else None
        return result

    def _run(
        self, binary: Binary, job: Mapping[str, Any], folder: Path,
        progress: ProgressCallback | None, servers: Servers | None,
    ) -> dict[str, Any]:
        folder.mkdir(parents=True, exist_ok=True)
        seed = job.get("seed", job.get("parameters", {}).get("seed"))
        task = {
            "config": asdict(self.config),
            "kind": job["kind"],
            "parameters": dict(job.get("parameters", {})),
            "max_cycles": job.get("max_cycles"),
            "model": job.get("model", True),
            "read_out": job.get("read_out", False),
            "arguments": list(job.get("arguments", ())),
            "coverage": job.get("coverage", False),
            "seed": seed,
            "repeat": job.get("repeat") or repeat_command(self.config, job),
            "probe_paths": self.design.probe_paths,
            "result": str(folder / "result.json"),
            "progress": str(folder / "progress"),
        }
        path = folder / "job.json"
        path.write_text(json.dumps(task), "utf-8")
        watcher = _Watcher(folder / "progress", progress)
        with watcher:
            if servers is not None and binary.waves is None:
                servers.run(binary, path)
            else:
                run(binary, "gavel_tb.cocotb_main", folder,
                    environment={JOB_VARIABLE: str(path)}, arguments=task["arguments"],
                    waves_from=job.get("waves_from", 0))
        result_path = folder / "result.json"
        if not result_path.is_file():
            raise SimulationError(f"simulation left no result{tail(folder / 'sim.log')}")
        result: dict[str, Any] = json.loads(result_path.read_text("utf-8"))
        if "error" in result:
            raise SimulationError(f"{result['error']}\n{result['trace']}")
        return result


def prepare(
    config: SwitchConfig,
    *,
    cache: Path = DEFAULT_CACHE,
    design: Design | None = None,
    effort: Effort = SHORT,
    waves: bool = False,
    debug: bool = False,
    coverage: bool = False,
) -> Prepared:
    """Generates the Verilog of a switch, unless ``design`` is given.

    Raises
    ------
    SimulationError
        If a tool is missing.
    """
    store = BuildCache(cache)
    with orderly_termination():
        design = design or store.design(config)
    return Prepared(config, design, store, effort, waves, debug, coverage)


def simulate(
    config: SwitchConfig,
    job: Mapping[str, Any],
    *,
    waves: bool = False,
    progress: ProgressCallback | None = None,
    cache: Path = DEFAULT_CACHE,
    design: Design | None = None,
    effort: Effort = SHORT,
    folder: Path | None = None,
) -> dict[str, Any]:
    """Runs one job through the Verilated switch.

    Parameters
    ----------
    job
        ``kind`` and ``parameters`` as in `gavel_tb.jobs`; optional ``max_cycles``, ``seed`` and
        ``repeat`` (printed with a difference), ``model`` (False: RTL alone, nothing compared),
        ``coverage`` (True: the result has functional coverage, hits by name of the bin),
        ``arguments`` (plus-arguments of the simulation), ``read_out`` (every register is read at
        the end), ``waves_from`` (first cycle in the waves).
    waves
        Record waves; ``result["waves"]`` is their path.
    folder
        Where the run's files are kept; by default they are removed, but for waves.
    design
        Verilog to use instead of that of ``config``.

    Returns
    -------
    `LockstepResult.as_dict`, and ``figures`` of the job, ``waves``, ``waves_note``.

    Raises
    ------
    SimulationError
        If a tool is missing, the build fails, or the simulator stops without a result.
    """
    prepared = prepare(config, cache=cache, design=design, effort=effort, waves=waves)
    return prepared.run(job, progress=progress, folder=folder)


class _Watcher:
    """Calls back with the last line of the progress file, while the simulation runs."""

    def __init__(self, path: Path, callback: ProgressCallback | None) -> None:
        self._path = path
        self._callback = callback
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> None:
        if self._callback is not None:
            self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._callback is not None:
            self._thread.join()

    def _watch(self) -> None:
        assert self._callback is not None
        position = 0
        while not self._stop.wait(POLL_SECONDS):
            if not self._path.is_file():
                continue
            with self._path.open(encoding="utf-8") as lines:
                lines.seek(position)
                text = lines.read()
            whole = text.rpartition("\n")[0]
            if whole:
                position += len(whole) + 1
                cycle, share = whole.rpartition("\n")[2].split()
                self._callback(int(cycle), float(share))

