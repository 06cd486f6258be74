# SPDX-License-Identifier: Apache-2.0
"""The address maps that there are in SystemRDL, and what the names made of them begin with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MapSource:
    """An address map.

    Attributes
    ----------
    name
        Of the ``addrmap``, and of its ``.rdl`` file.
    module
        The model has it in ``<module>_names.py`` and ``<module>_table.py``.
    prefix
        Of all enumerations in the first of the two.
    port
        The enumeration of the registers of a port, behind the prefix.
    document
        Page of the documents that says what the registers do.
    """

    name: str
    module: str
    prefix: str
    port: str
    document: str


SWITCH = MapSource("gavel", "register", "", "Port", "spec.md")
SELF_TEST = MapSource("gavel_selftest", "selftest", "SelfTest", "Register", "selftest.md")

TELEMETRY = MapSource("gavel_telemetry", "telemetry", "Telemetry", "Register", "telemetry.md")

FURTHER = (SELF_TEST, TELEMETRY)
"""Those that stand beside the map of the switch, where a block has one."""

MAPS = (SWITCH, *FURTHER)
