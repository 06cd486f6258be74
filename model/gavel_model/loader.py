# SPDX-License-Identifier: Apache-2.0
"""Makes a `SwitchConfig` from a preset name or a TOML file, and single-field overrides."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import MISSING, fields
from importlib import resources
from pathlib import Path

from gavel_model.config import NAMES, ConfigError, SwitchConfig, shortened

PRESETS = ("tiny", "fpga", "pod", "rack", "scale")
_FIELDS = tuple(item.name for item in fields(SwitchConfig))
_REQUIRED = tuple(item.name for item in fields(SwitchConfig) if item.default is MISSING)


class FieldNameError(ConfigError):
    """A field that is not known, or is not given; the message names it and the fix."""

    def __init__(self, field: str, what: str) -> None:
        ValueError.__init__(self, f"{shortened(field)}: {what}")
        self.field = field
        self.value = None
        self.allowed = what


def load_config(source: str, overrides: Sequence[str] = ()) -> SwitchConfig:
    """Reads a configuration.

    Parameters
    ----------
    source
        A preset name, or the path of a TOML file whose keys are fields of `SwitchConfig`
        and, optionally, ``base``: the preset that supplies the fields it leaves out.
    overrides
        ``name=value`` strings, applied last, before anything is checked.

    Raises
    ------
    ConfigError
        If the source is missing, is not TOML, has an unknown field, or cannot be built.
    """
    values = _preset(source) if source in PRESETS else _file(Path(source))
    for text in overrides:
        name, value = _override(text)
        values[name] = value
    missing = ", ".join(name for name in _REQUIRED if name not in values)
    if missing:
        raise FieldNameError(missing, f"missing in {source}; give it, or base = \"PRESET\"")
    return SwitchConfig(**values)  # type: ignore[arg-type]  # SwitchConfig checks each type


def _preset(name: str) -> dict[str, object]:
    text = resources.files("gavel_model").joinpath(f"presets/{name}.toml").read_text("utf-8")
    return dict(tomllib.loads(text))


def _file(path: Path) -> dict[str, object]:
    if not path.is_file():
        raise ConfigError("config", str(path), "a TOML file or one of " + ", ".join(PRESETS))
    try:
        given = tomllib.loads(path.read_text("utf-8"))
    except RecursionError:
        raise ConfigError("config", str(path), "TOML that nests less deeply") from None
    except ValueError as error:  # No TOML, no UTF-8, or a number of thousands of digits.
        raise ConfigError("config", str(path), f"TOML ({error})") from error
    base = given.pop("base", None)
    if base is not None and base not in PRESETS:
        raise ConfigError("base", base, "one of " + ", ".join(PRESETS))
    for name in given:
        _known(name)
    return {**(_preset(base) if base is not None else {}), **given}


def _override(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ConfigError("-P", text, "of the form name=value")
    _known(name)
    if name in NAMES:
        return name, value
    try:
        return name, int(value, 0)
    except ValueError:
        raise ConfigError(name, value, "a whole number") from None


def _known(name: str) -> None:
    if name not in _FIELDS:
        shown = name if name.isidentifier() else repr(name)
        raise FieldNameError(shown, "unknown field; one of " + ", ".join(_FIELDS))
