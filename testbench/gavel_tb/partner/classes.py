# SPDX-License-Identifier: Apache-2.0
"""The VC of a frame by its header, as both ends of a link read it."""

from __future__ import annotations

from gavel_model.frame import read_field
from gavel_model.profiles import PROFILE_NAMES, PROFILES, Profile
from gavel_tb.partner.flow_settings import FlowSettings, VcOf

_ETHERNET = PROFILES[PROFILE_NAMES.index("ethernet")]


def vc_by_class(flow: FlowSettings, profile: Profile = _ETHERNET) -> VcOf:
    """The VC by the class field of a profile; class 0 where the frame has no such field."""
    condition, field = profile.class_when, profile.traffic_class

    def vc_of(data: bytes) -> int:
        if condition is not None and read_field(data, condition.field) != condition.value:
            return flow.vc_of_class(0)
        return flow.vc_of_class(read_field(data, field))

    return vc_of
