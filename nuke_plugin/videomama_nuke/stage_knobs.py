"""The knobs of the stages after the first. Main thread only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import nuke
from videomama_client import stage_words
from videomama_client.engine_options import EngineOption, specs_known
from videomama_client.engine_settings import AdjustSettings, EdgeSettings, engines_with
from videomama_client.errors import naming
from videomama_client.setting_spec import CHOICE, WHOLE_NUMBER, SettingSpec, specs_of
from videomama_client.settings import MatteSettings
from videomama_client.stages import Stage, settings_of

ADJUST = "adjust"  # the engine whose settings are the knobs of the tab Adjust; its stage is the last
PREFIX = "adjust_"  # of these knobs; the rest of the name is the setting's
_SPECS = specs_of(AdjustSettings)
NAMES = tuple(spec.name for spec in _SPECS)  # of the settings, in the order in which they apply
_THEN = "then"  # a stage a line, in the words of the command line's --then
EDGE_ENGINE = "edge_engine"  # the menu of the edge refiner; its stage comes before the adjustments
EDGE_ENGINES = engines_with("show")
_EDGE_PREFIX = "edge_"
_EDGE_SPECS = specs_of(EdgeSettings)
_EDGE_KNOBS = tuple(f"{_EDGE_PREFIX}{spec.name}" for spec in _EDGE_SPECS)
_NO_EDGE = "none"
KNOBS = frozenset((_THEN, EDGE_ENGINE, *_EDGE_KNOBS, *(f"{PREFIX}{name}" for name in NAMES)))


def stages_of(node: nuke.Node, first: MatteSettings, number: int = 2) -> tuple[Stage, ...]:
    """Return the stages after the engine's that a node asks for: none where all these knobs are at their defaults.

    Options of an engine that only the server knows are text in them: see `stage_words.with_types`.

    Args:
        node: a VideoMaMa node.
        first: the settings of the engine's stage.
        number: of the stage after it, counted from 1.

    Raises:
        BadInput: a value cannot be used; the message names the stage.
    """
    asked = [stage_words.words_of(line) for line in _lines(node)]
    stages = [_stage(first, words, place) for place, words in enumerate(asked, number)]
    edge = _edge(node)
    if edge != _NO_EDGE:
        stages.append(Stage(edge, _options(node, edge, _EDGE_PREFIX, _EDGE_SPECS, (first, number + len(stages)))))
    options = _options(node, ADJUST, PREFIX, _SPECS, (first, number + len(stages)))
    return (*stages, Stage(ADJUST, options)) if options else tuple(stages)


def show_used(node: nuke.Node) -> None:
    """Show the knobs of the edge refiner where one is chosen, and hide them where none is."""
    for name in _EDGE_KNOBS if node.knob(EDGE_ENGINE) is not None else ():
        node[name].setVisible(_edge(node) != _NO_EDGE)


def _edge(node: nuke.Node) -> str:
    knob = node.knob(EDGE_ENGINE)
    return _NO_EDGE if knob is None else str(knob.value())  # None: a group that was made of an earlier gizmo


def _lines(node: nuke.Node) -> list[str]:
    knob = node.knob(_THEN)
    text = "" if knob is None else str(knob.value() or "")  # None: a group that was made of an earlier gizmo
    return [line for line in text.splitlines() if line.strip()]


def _stage(first: MatteSettings, words: Sequence[str], number: int) -> Stage:
    with naming(f"stage {number}, {words[0]}"):
        stage = stage_words.read(words, specs_known(words[0]))
        settings_of(first, stage).check()
    return stage


def _options(
    node: nuke.Node, engine: str, prefix: str, specs: Sequence[SettingSpec], where: tuple[MatteSettings, int]
) -> tuple[EngineOption, ...]:
    """Return the options that knobs of one stage are, without those at their defaults.

    Args:
        node: a VideoMaMa node.
        engine: of the stage.
        prefix: of the knobs.
        specs: of the settings that have a knob.
        where: the settings of the engine before it, and the stage's number.
    """
    values = {spec.name: _value(node, f"{prefix}{spec.name}", spec) for spec in specs}
    with naming(f"stage {where[1]}, {engine}"):
        options = MatteSettings.of(engine=engine, **values).without_defaults().engine_options
        settings_of(where[0], Stage(engine, options)).check()
    return options


def _value(node: nuke.Node, name: str, spec: SettingSpec) -> Any:
    """Return the value of a knob; the default in a group that was made of an earlier gizmo.

    A number below 0 stands for None where that is the default.
    """
    knob = node.knob(name)
    if knob is None:
        return spec.default
    if spec.kind == CHOICE:
        return str(knob.value())
    value = int(knob.value()) if spec.kind == WHOLE_NUMBER else float(knob.value())
    return None if spec.default is None and value < 0 else value
