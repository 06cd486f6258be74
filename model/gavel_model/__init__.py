# SPDX-License-Identifier: Apache-2.0
"""Gavel's golden model: the switch specification in executable form."""

from gavel_model.config import ConfigError, SwitchConfig
from gavel_model.loader import load_config

__all__ = ["ConfigError", "SwitchConfig", "load_config"]
