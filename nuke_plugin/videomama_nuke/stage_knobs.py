"""The knobs of the stages after the first. Main thread only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import nuke
from videomama_client import stage_words
from videomama_client.engine_options import EngineOption, specs_known
from videomama_client.engine_settings import AdjustSettings
from videomama_client.errors import BadInput
from videomama_client.setting_spec import WHOLE_NUMBER, SettingSpec, specs_of
from videomama_client.settings import MatteSettings
from videomama_client.stages import Stage, settings_of

ADJUST = "adjust"  # the engine whose settings are the knobs of the tab Adjust; its stage is the last
PREFIX = "adjust_"  # of these knobs; the rest of the name is the setting's
_SPECS = specs_of(AdjustSettings)
NAMES = tuple(spec.name for spec in _SPECS)  # of the settings, in the order in which they apply
_THEN = "then"  # a stage a line, in the words of the command line's --then
KNOBS = frozenset((_THEN, *(f"{PREFIX}{name}" for name in NAMES)))


def stages_of(node: nuke.Node, first: MatteSettings) -> tuple[Stage, ...]:
    """Return the stages after the first that a node asks for: none where all these knobs are at their defaults.

    Options of an engine that only the server knows are text in them: see `stage_words.with_types`.

    Args:
        node: a VideoMaMa node.
        first: the settings of its first stage.

    Raises:
        BadInput: a value cannot be used; the message names the stage.
    """
    asked = [stage_words.words_of(line) for line in _lines(node)]
    stages = [_stage(first, words, number) for number, words in enumerate(asked, 2)]
    options = _adjustments(node, first, 2 + len(stages))
    return (*stages, Stage(ADJUST, options)) if options else tuple(stages)


def _lines(node: nuke.Node) -> list[str]:
    knob = node.knob(_THEN)
    text = "" if knob is None else str(knob.value() or "")  # None: a group that was made of an earlier gizmo
    return [line for line in text.splitlines() if line.strip()]


def _stage(first: MatteSettings, words: Sequence[str], number: int) -> Stage:
    with _named(number, words[0]):
        stage = stage_words.read(words, specs_known(words[0]))
        settings_of(first, stage).check()
    return stage


def _adjustments(node: nuke.Node, first: MatteSettings, number: int) -> tuple[EngineOption, ...]:
    """Return the options that the knobs of the tab Adjust are, without those at their defaults."""
    values = {spec.name: _value(node, spec) for spec in _SPECS}
    with _named(number, ADJUST):
        options = MatteSettings.of(engine=ADJUST, **values).without_defaults().engine_options
        settings_of(first, Stage(ADJUST, options)).check()
    return options


@contextmanager
def _named(number: int, engine: str) -> Iterator[None]:
    """Let an error name the stage that it is about."""
    try:
        yield
    except BadInput as error:
        raise error.within(f"stage {number}, {engine}") from error


def _value(node: nuke.Node, spec: SettingSpec) -> Any:
    """Return the value of a knob of the tab Adjust; the default in a group that was made of an earlier gizmo."""
    knob = node.knob(f"{PREFIX}{spec.name}")
    if knob is None:
        return spec.default
    return int(knob.value()) if spec.kind == WHOLE_NUMBER else float(knob.value())
