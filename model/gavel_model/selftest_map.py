# SPDX-License-Identifier: Apache-2.0
"""The self-test's registers (docs/selftest.md, Registers).

The names and the table are made from ``rdl/gavel_selftest.rdl``; here is what follows from them.
"""

from __future__ import annotations

from gavel_model.address_map import AddressMap
from gavel_model.selftest_names import (
    GLOBAL_BASE,
    PORT_BASE,
    PORT_STRIDE,
    SelfTestControl,
    SelfTestFault,
    SelfTestFinding,
    SelfTestFirstError,
    SelfTestGlobal,
    SelfTestInject,
    SelfTestLength,
    SelfTestMode,
    SelfTestPayload,
    SelfTestRegister,
)
from gavel_model.selftest_table import GLOBALS, PORT_REGISTERS

__all__ = [
    "GLOBAL_BASE", "PORT_BASE", "PORT_STRIDE", "SelfTestControl", "SelfTestFault",
    "SelfTestFinding", "SelfTestFirstError", "SelfTestGlobal", "SelfTestInject", "SelfTestLength",
    "SelfTestMode", "SelfTestPayload", "SelfTestRegister",
]

SELF_TEST_MAP = AddressMap(base=GLOBAL_BASE, globals=GLOBALS, port_base=PORT_BASE,
                           port_stride=PORT_STRIDE, port=PORT_REGISTERS)

PORT_OF = {SelfTestRegister[register.name]: register for register in PORT_REGISTERS}
"""Each register of a port."""

SELF_TEST_VALUE = next(register for register in GLOBALS
                       if register.name == SelfTestGlobal.SELF_TEST.name).reset({})
"""ASCII "ST" and the version."""

HIGH_OF = {SelfTestRegister[register.name.removesuffix("_HI")]: SelfTestRegister[register.name]
           for register in PORT_REGISTERS
           if register.name.endswith("_HI") and not register.writable}
"""Counts of 64 bits: the register of the upper half of each."""

WRITABLE = tuple(name for name, register in PORT_OF.items() if register.writable)
_ERRORS = (SelfTestRegister.BAD_FCS, SelfTestRegister.HEADER_ERRORS,
           SelfTestRegister.PAYLOAD_ERRORS, SelfTestRegister.LOST, SelfTestRegister.OUT_OF_ORDER)
COUNTS = (*HIGH_OF, *_ERRORS)
"""Counts, of 64 bits and of 32; no two have the same low four bits of their offsets."""

RESULTS = (*COUNTS, SelfTestRegister.LATENCY_MIN, SelfTestRegister.LATENCY_MAX,
           SelfTestRegister.FIRST_ERROR, SelfTestRegister.FIRST_ERROR_CYCLE)
"""What has been found, without the upper halves."""
