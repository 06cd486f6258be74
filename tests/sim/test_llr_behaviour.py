# SPDX-License-Identifier: Apache-2.0
"""Link-level retry, behaviour by behaviour: RTL and model in lockstep."""

from __future__ import annotations

import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from gavel_model.llr_receiver import ReceiverState
from gavel_model.llr_timers import TransmitterState
from gavel_tb.behaviour.job import SCENARIOS, BehaviourJob, play_on_model
from gavel_tb.behaviour.switches import behaviour_config
from gavel_tb.effort import SHORT
from gavel_tb.servers import Servers
from gavel_tb.simulate import Prepared, prepare

WIDTHS = (64, 512)


@lru_cache(maxsize=8)
def switch(name: str, width: int, cache: Path) -> Prepared:
    return prepare(behaviour_config(name, width), cache=cache, effort=SHORT)


def width_in_short(name: str) -> int:
    """The wide switch, but for the few scenarios that are alone on theirs: those run on `waved`."""
    return 512 if SCENARIOS[name].SWITCH == "long" else 64


NO_WAVES = 1 << 30
"""First cycle in waves that nobody wants."""

LONGEST = "load"
"""The scenario that takes as many cycles as all others. The short run plays it on the model, with
all its checks; errors for long are in lockstep in test_soak.py and test_flow_load.py."""


def cases(long: str = "") -> list[Any]:
    """Scenarios and widths; ``long``: a scenario that is for the long run."""
    return [pytest.param(name, width, id=f"{name}-{width}",
                         marks=[] if width == width_in_short(name) and name != long
                         else [pytest.mark.long])
            for width in WIDTHS for name in SCENARIOS]



@pytest.mark.parametrize(("name", "width"), cases(long=LONGEST))
def test_behaviour(
    sim_cache: Path, servers: Servers, seed: int, waved: Prepared, name: str, width: int
) -> None:
    job = BehaviourJob(name=name, seed=seed)
    kind = SCENARIOS[name].SWITCH
    prepared = (waved if behaviour_config(kind, width) == waved.config
                else switch(kind, width, sim_cache))
    result = prepared.run({"kind": "behaviour", "parameters": job.parameters(),
                           "waves_from": NO_WAVES}, servers=servers)
    assert result["passed"], result["report"]
    if len(result["figures"]) > 1:
        # Rates and bounds, shown by pytest -rP.
        sys.stdout.write(f"{name}, W = {width}: {result['figures']}\n")


@pytest.mark.parametrize(("name", "width"), cases())
def test_state_at_the_end(seed: int, name: str, width: int) -> None:
    """The model's state is that of the RTL, as the lockstep runs show."""
    scenario = SCENARIOS[name]
    _, switch = play_on_model(behaviour_config(scenario.SWITCH, width),
                              BehaviourJob(name=name, seed=seed))
    port = switch.ports[0]
    transmitter, receiver = TransmitterState.ADVANCE, ReceiverState.SEND_ACKS
    if name == "silent-peer":
        transmitter, receiver = TransmitterState.INIT, ReceiverState.OFF
    if not scenario.REMOTE:
        transmitter = TransmitterState.OFF
    if not scenario.LOCAL:
        receiver = ReceiverState.OFF
    assert (port.llr_transmitter.state, port.llr_receiver.state) == (transmitter, receiver)
    assert port.llr_transmitter.replays == 0
    assert port.llr_transmitter.window.outstanding == 0
    assert port.llr_transmitter.buffer.used == 0
