# SPDX-License-Identifier: Apache-2.0
"""The self-test on its own, model against RTL, with wires that lose, repeat and spoil frames."""

from __future__ import annotations

import pytest

from gavel_model.loader import load_config
from gavel_model.selftest_map import SelfTestRegister
from gavel_rtl.selftest import SelfTest
from gavel_rtl.selftest_fcs import SelfTestFcs
from gavel_tb.block_sim import Elaborated
from gavel_tb.selftest import SelfTestBench
from gavel_tb.stimulus import CheckError

COMMON = ("ports=2", "max_frame_bytes=300")
SHAPES = {
    64: ("vcs=2", "profile=ethernet"),
    128: ("vcs=1", "profile=esun"),
    256: ("vcs=4", "profile=afh6"),
    512: ("vcs=3", "profile=afh12_16"),
}
COUNTED = (SelfTestRegister.FRAMES, SelfTestRegister.BAD_FCS, SelfTestRegister.HEADER_ERRORS,
           SelfTestRegister.PAYLOAD_ERRORS, SelfTestRegister.LOST, SelfTestRegister.OUT_OF_ORDER)
LONG = pytest.mark.long


@pytest.mark.parametrize(("width", "restarts"), [
    (64, 3), (512, 2), pytest.param(128, 20, marks=LONG), pytest.param(256, 20, marks=LONG),
    pytest.param(64, 20, marks=LONG), pytest.param(512, 20, marks=LONG),
])
def test_every_pin_in_every_cycle(width: int, restarts: int, seed: int) -> None:
    config = load_config("tiny", (*COMMON, *SHAPES[width], f"data_width={width}"))
    bench = SelfTestBench(config, Elaborated(SelfTest(config)), seed)
    bench.run(250 if restarts > 3 else 120, restarts)
    if restarts > 3:
        assert len(bench.kinds) == 10
        for register in COUNTED:
            assert bench.largest[register], register.name


def test_a_wrong_tail_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    config = load_config("tiny", (*COMMON, *SHAPES[64]))
    right = SelfTestFcs._end
    monkeypatch.setattr(SelfTestFcs, "_end", lambda *arguments: right(*arguments) | 1 << 17)
    with pytest.raises(CheckError, match=r"cycle \d+ p\d .*\.data"):
        SelfTestBench(config, Elaborated(SelfTest(config)), 2).run(300, 4)
