# SPDX-License-Identifier: Apache-2.0
"""One port's pins in one cycle as consecutive bytes: the elements of `gavel_fast.pin_block`, one
after the other, flags in the low bits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gavel_fast import pin_block
from gavel_fast.pin_block import EMPTY_SHIFT, LANE_BITS
from gavel_model.config import SwitchConfig

_FLAGS_BITS, _SEQ_BITS, _CTL_BITS = 16, 32, 64
_SEQ = _FLAGS_BITS
_CTL = _SEQ + _SEQ_BITS
_DATA = _CTL + _CTL_BITS


def _flag(name: str) -> int:
    return int(getattr(pin_block, name.upper())).bit_length() - 1


OFFSETS: Mapping[str, int] = {
    **{name: _flag(name) for name in ("valid", "sop", "eop", "err")},
    "empty": EMPTY_SHIFT, "llr": _flag("llr"), "seq": _SEQ, "ctl_valid": _flag("ctl_valid"),
    "ctl": _CTL, "up": _flag("up"), "data": _DATA,
}
"""First bit of each pin, in the order of `gavel_model.pins.RxPins`."""


def record_bytes(config: SwitchConfig) -> int:
    """Bytes of a record."""
    return (_DATA + config.data_width) // 8


def record_type(config: SwitchConfig) -> np.dtype[Any]:
    """A record with its least significant byte first."""
    lanes = config.data_width // LANE_BITS
    return np.dtype([("flags", "<u2"), ("seq", "<u4"), ("ctl", "<u8"), ("data", "<u8", (lanes,))])
