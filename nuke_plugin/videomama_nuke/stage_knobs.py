"""The knobs of the stages after the first. Main thread only."""

from __future__ import annotations

from typing import Any

import nuke
from videomama_client.engine_settings import AdjustSettings
from videomama_client.errors import BadInput
from videomama_client.setting_spec import WHOLE_NUMBER, SettingSpec, specs_of
from videomama_client.settings import MatteSettings
from videomama_client.stages import Stage, label, settings_of

ADJUST = "adjust"  # the engine whose settings are the knobs of the tab Adjust; its stage is the last
PREFIX = "adjust_"  # of these knobs; the rest of the name is the setting's
_SPECS = specs_of(AdjustSettings)
NAMES = tuple(spec.name for spec in _SPECS)  # of the settings, in the order in which they apply
KNOBS = frozenset(f"{PREFIX}{name}" for name in NAMES)


def stages_of(node: nuke.Node, first: MatteSettings) -> tuple[Stage, ...]:
    """Return the stages after the first that a node asks for: none where all these knobs are at their defaults.

    Args:
        node: a VideoMaMa node.
        first: the settings of its first stage.

    Raises:
        BadInput: a value cannot be used; the message names the stage.
    """
    try:
        stages = _adjustments(node)
        for stage in stages:
            settings_of(first, stage).check()
    except BadInput as error:
        raise error.within(label(1, ADJUST, 2)) from error
    return stages


def _adjustments(node: nuke.Node) -> tuple[Stage, ...]:
    values = {spec.name: _value(node, spec) for spec in _SPECS}
    options = MatteSettings.of(engine=ADJUST, **values).without_defaults().engine_options
    return (Stage(ADJUST, options),) if options else ()


def _value(node: nuke.Node, spec: SettingSpec) -> Any:
    """Return the value of a knob of the tab Adjust; the default in a group that was made of an earlier gizmo."""
    knob = node.knob(f"{PREFIX}{spec.name}")
    if knob is None:
        return spec.default
    return int(knob.value()) if spec.kind == WHOLE_NUMBER else float(knob.value())
