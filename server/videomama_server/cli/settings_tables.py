"""Writes all settings as tables in Markdown, by engine: for docs/reference/settings.md, and for studios of theirs."""

from __future__ import annotations

from collections.abc import Iterable

from videomama_client import messages
from videomama_client.engine_settings import RECORDS
from videomama_client.setting_spec import CHOICE, NUMBER, WHOLE_NUMBER, YES_NO, SettingSpec

_HEAD = "| option | values | default | what it does |\n|---|---|---|---|\n"


def tables(found: messages.EnginesReported) -> str:
    """Return a section for the settings of every engine, and one for each engine that can be used."""
    parts = [_section("Every engine", (_row(spec.option, spec) for spec in found.settings))]
    for state in found.engines:
        if not state.message:
            rows = (_row(_written(state.name, spec), spec) for spec in state.options)
            parts.append(_section(f"`{state.name}`", rows))
    return "\n".join(parts)


def _written(engine: str, spec: SettingSpec) -> str:
    """Return how a setting of an engine's own is given on the command line, without its value."""
    return spec.option if engine in RECORDS else f"--set {spec.name}="


def bounds(spec: SettingSpec) -> str:
    """Return bounds and unit of a number, such as `from 0 to 200 frames`; empty for none."""
    said = [f"{word} {bound:,}" for word, bound in (("from", spec.low), ("to", spec.high)) if bound is not None]
    return " ".join([*said, *([spec.unit] if spec.unit else [])])


def _section(heading: str, rows: Iterable[str]) -> str:
    listed = "".join(rows)
    return f"## {heading}\n\n{_HEAD + listed if listed else 'No settings of its own.' + chr(10)}"


def _row(option: str, spec: SettingSpec) -> str:
    values = " ".join(f"`{choice}`" for choice in spec.choices) if spec.kind == CHOICE else _values(spec)
    cells = (f"`{option}`", values, _default(spec), spec.help)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def _values(spec: SettingSpec) -> str:
    kind = {NUMBER: "number", WHOLE_NUMBER: "whole number", YES_NO: "given or not"}.get(spec.kind, "text")
    return " ".join(filter(None, (kind, bounds(spec))))


def _default(spec: SettingSpec) -> str:
    if spec.default is None:
        return "`auto`" if spec.kind == NUMBER else "the engine's own"
    if spec.kind == YES_NO:
        return "yes" if spec.default else "no"
    return f"`{spec.default}`" if spec.default != "" else ""
