# SPDX-License-Identifier: Apache-2.0
"""Link-level retry on both ends of a link: timers, a partner's settings, a port's registers.

Replays have no limit, so that nothing is ever given up.
"""

from __future__ import annotations

from collections.abc import Iterable

from gavel_model.config import SwitchConfig
from gavel_model.pins import RegisterPins
from gavel_model.register_map import LLR_CONTROL_RESET, LlrControl, Port, port_address
from gavel_tb.link_errors import LinkOptions
from gavel_tb.partner.settings import PartnerSettings

NO_REPLAY_LIMIT = 255
_PARTNER_WINDOW = 4096
_SLACK_CYCLES = 64


def replay_timer(config: SwitchConfig, delay: int, longest_words: int | None = None) -> int:
    """Cycles from a frame's end to its ACK at most, with a frame and a set under way before it.

    Parameters
    ----------
    delay
        Cycles of the link, each way.
    longest_words
        Words of the longest frame that will come; None: that of the configuration.
    """
    spacing = -(-config.ctl_spacing // config.word_bytes)
    longest = longest_words or config.max_frame_words
    return 2 * delay + 2 * spacing + 3 * longest + _SLACK_CYCLES


def partner_settings(config: SwitchConfig, options: LinkOptions, timer: int) -> PartnerSettings:
    """Settings of a partner at a port of a switch."""
    return PartnerSettings(
        data_width=config.data_width, protect=options.protect, seq_bits=config.seq_bits,
        window_frames=min(_PARTNER_WINDOW, 1 << config.seq_bits - 1),
        replay_timer=timer, spacing=config.ctl_spacing, min_spacing=config.ctl_min_spacing,
    )


def retry_writes(timer: int, protect: bool) -> list[tuple[int, int]]:
    """Register offsets and values that turn link-level retry on at a port, the switch last."""
    control = LLR_CONTROL_RESET | 1 << LlrControl.LOCAL | 1 << LlrControl.REMOTE
    if not protect:
        control &= ~(1 << LlrControl.PROTECT)
    return [
        (Port.LLR_REPLAY_TIMER, timer),
        (Port.LLR_PCS_LOST, 0),
        (Port.LLR_DATA_AGE, 0),
        (Port.LLR_REPLAY_COUNT, NO_REPLAY_LIMIT),
        (Port.LLR_CONTROL, control),
    ]


def port_writes(port: int, values: Iterable[tuple[int, int]]) -> list[RegisterPins]:
    """Register accesses that write offsets of a port."""
    return [RegisterPins(port_address(port, offset), value, 1) for offset, value in values]
