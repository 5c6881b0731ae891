"""A job turned back into the values of the Run page's form, so that it can be run again with other settings."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from videomama_client.engine_options import EngineOption
from videomama_client.messages import FOREGROUND, SubmitMatte
from videomama_client.objects import MaskObject
from videomama_client.prompts import Prompt
from videomama_client.settings import MatteSettings
from videomama_client.stages import Stage, stage_of

from videomama_server.web.run_form import FILES, OBJECTS, PROMPTS
from videomama_server.web.setting_fields import ADJUST, ENGINE, MAKER, REFINER, SHARED, SHARED_SPECS

_WINDOWS = ("window", "overlap")


@dataclass(frozen=True)
class RunValues:
    """What the fields hold.

    Attributes:
        texts: by the names of fields.
        objects: that have mask files of their own.
        left_out: what of the job the form has no field for, in words.
    """

    texts: Mapping[str, str] = field(default_factory=dict)
    objects: Sequence[MaskObject] = ()
    left_out: Sequence[str] = ()


def values_of(job: SubmitMatte, roles: Mapping[str, str]) -> RunValues:
    """Return the values of a job.

    Args:
        job: as it was submitted.
        roles: of engines, by name; those that are not there count as matting.
    """
    chain = [stage_of(job.settings), *job.then]
    texts = {
        "plate": job.plate,
        "mask": job.mask,
        "out": job.out,
        "frames": job.frame_ranges,
        "layer": job.layer,
        "dtype": job.dtype,
        "priority": job.priority,
        "label": job.label,
        "rehash": "yes" if job.rehash else "",
        "foreground": next((asked.out for asked in job.side_results if asked.kind == FOREGROUND), ""),
        "prompts": json.dumps([_as_fields(prompt) for prompt in job.prompts]),
        "mask_source": PROMPTS if job.prompts else OBJECTS if job.objects else FILES,
        **_shared(job.settings),
    }
    left_out = ["the chains of single objects"] if any(one.stages for one in job.objects) else []
    taken: set[str] = set()
    for stage in chain:
        place = _place(stage, roles)
        if place in taken:
            left_out.append(f"the stage {stage.engine}")
            continue
        taken.add(place)
        texts |= _stage(stage, place)
    named = [one for one in job.objects if one.mask]
    return RunValues({name: text for name, text in texts.items() if text}, named, left_out)


def _place(stage: Stage, roles: Mapping[str, str]) -> str:
    """Return the prefix of the fields that a stage belongs to."""
    if stage.engine == "adjust":
        return ADJUST
    return {"maker": MAKER, "refiner": REFINER}.get(roles.get(stage.engine, ""), ENGINE)


def _stage(stage: Stage, place: str) -> dict[str, str]:
    texts = {f"{place}{option.name}": _text(option) for option in stage.options}
    if place == ENGINE:
        texts |= {f"{SHARED}{name}": _shown(getattr(stage, name)) for name in _WINDOWS}
    chooser = {MAKER: "maker", ENGINE: "engine", REFINER: "refiner"}.get(place)
    return {**texts, chooser: stage.engine} if chooser else texts


def _shared(settings: MatteSettings) -> dict[str, str]:
    plain = MatteSettings()
    names = [name for name in SHARED_SPECS if name not in _WINDOWS]
    changed = [name for name in names if getattr(settings, name) != getattr(plain, name)]
    return {f"{SHARED}{name}": _shown(getattr(settings, name)) for name in changed}


def _as_fields(prompt: Prompt) -> dict[str, Any]:
    """Return a prompt as the page's scripts know it."""
    fields: dict[str, Any] = {"kind": prompt.kind, "subject": prompt.subject, "place": list(prompt.place)}
    fields |= {"frame": prompt.frame} if prompt.frame is not None else {}
    named = {"text": prompt.text, "file": prompt.file, "object": prompt.object}
    return fields | {name: value for name, value in named.items() if value}


def _text(option: EngineOption) -> str:
    return _shown(option.value)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return repr(value) if isinstance(value, float) else str(value)
