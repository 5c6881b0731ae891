"""What a node remembers of its last refine, as JSON in a hidden knob: it is saved with the script and read on farms."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any

import nuke
from videomama_client.engine_options import specs_known
from videomama_client.engine_settings import own_specs
from videomama_client.settings import MatteSettings
from videomama_client.stages import Stage

from videomama_nuke.upstream import Upstream, known, restored

_MOST_PARSED = 64
_parsed: dict[str, Record | None] = {}  # by text, the oldest first

VERSION = 3
"""Version 1 had one `signature` of everything upstream, which no other machine could compare. Until version 2 all
settings stood side by side; now those that only some engines have are in `engine_options`, as in `MatteSettings`."""
OPTIONS = "engine_options"
_ALWAYS_IN_KEY = (  # settings that keys have had at their defaults, too, and that folders are named by
    "canvas",
    "feedback",
    "mask_slack",
    "mask_threshold",
    "mode",
    "quality",
    "seed",
    "soft_mask",
    "trimap_dilate",
    "trimap_erode",
    "weights",
)


@dataclass(frozen=True)
class Record:
    """The last refine of a node.

    Attributes:
        key: of `result_key`.
        settings: of the knobs, without a region that was found; see `kept`.
        mask_channel: channel that was exported as mask.
        clip: the plate's range, `1001-1100`.
        engine: that computed.
        roi: the region `x,y,w,h` that was found or given; empty for none.
        out: pattern of the alphas, with %V in a project of several views.
        upstream: what plate and mask were made from; None in a record of version 1.
        version: of the record.
        gizmo: version of the gizmo that was refined.
        outline: the numbers around the mask's outline that the refine took, by setting; empty where it took none.
        then: the stages after the first; see `kept_stages`.
        subject: mask maker, prompts and objects; see `Subject.kept`. Empty where the mask input is the mask.
        first_key: the key of the same refine without the stages after the first; empty where there are none.
        later: what a later version added, by its name: kept as it is.
    """

    key: str
    settings: dict[str, Any]
    mask_channel: str
    clip: str
    engine: str
    roi: str
    out: str
    upstream: Upstream | None = None
    version: int = 1
    gizmo: int = 1
    outline: dict[str, Any] = field(default_factory=dict)
    then: list[dict[str, Any]] = field(default_factory=list)
    subject: dict[str, Any] = field(default_factory=dict)
    first_key: str = ""
    later: dict[str, Any] = field(default_factory=dict)


def result_key(
    settings: MatteSettings,
    mask_channel: str,
    clip: str,
    signature: str,
    then: Sequence[Stage] = (),
    subject: Mapping[str, Any] = MappingProxyType({}),
) -> str:
    """Return what two refines share exactly when their alphas may lie in one sequence.

    A setting at its default that is not in `_ALWAYS_IN_KEY` leaves the key as it is, and so does a job of one stage, or
    one whose mask is the mask input.
    """
    plain, specs = settings.plain(), own_specs()
    options = plain.pop(OPTIONS, {})
    flat = {**plain, **{name: specs[name].default for name in _ALWAYS_IN_KEY}, **options}
    content = [
        flat,
        mask_channel,
        clip,
        signature,
        *([kept_stages(then)] if then else []),
        *([subject] if subject else []),
    ]
    return hashlib.blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=8).hexdigest()


def read(node: nuke.Node) -> Record | None:
    """Return a node's record; None for a node that was never refined, or whose record nobody can read."""
    return parse(str(node["record"].value()))


def parse(text: str) -> Record | None:
    """Return the record that a text holds, of any version; None for none."""
    if text in _parsed:
        return _parsed[text]
    found = _parse(text)
    _remember(text, found)
    return found


def _parse(text: str) -> Record | None:
    try:
        content = json.loads(text)
        above = content.get("upstream")
        held = None if above is None else restored(above)
        ours = known(Record, {name: value for name, value in content.items() if name != "later"})
        later = {name: value for name, value in content.items() if name not in ours}
        ours["settings"] = _of_this_version(ours["settings"])
        return Record(**{**ours, "upstream": held, "later": later})
    except (ValueError, TypeError, AttributeError, KeyError):
        return None


def kept(settings: MatteSettings) -> dict[str, Any]:
    """Return settings as records have them: all values of the engine's own, too, as defaults may change."""
    specs = specs_known(settings.engine)
    options = settings.plain().get(OPTIONS, {}) if specs is None else settings.options_of(specs)
    return {**settings.plain(), OPTIONS: options}


def kept_stages(then: Sequence[Stage]) -> list[dict[str, Any]]:
    """Return stages as records and keys have them."""
    return [{**asdict(stage), "options": {option.name: option.value for option in stage.options}} for stage in then]


def _of_this_version(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a record, whose own ones of engines stood beside the others in earlier versions.

    Those stay that the engine has: the others changed nothing.
    """
    own, known = own_specs(), specs_known(settings["engine"]) or ()
    before = {spec.name: settings[spec.name] for spec in known if spec.name in settings}
    shared = {name: value for name, value in settings.items() if name not in own}
    return {**shared, OPTIONS: {**before, **settings.get(OPTIONS, {})}}


def text_of(record: Record) -> str:
    """Return a record as text; that of one stage says nothing of others, and one of a mask input nothing of prompts."""
    content = asdict(record)
    if not record.then:
        del content["then"], content["first_key"]
    if not record.subject:
        del content["subject"]
    return json.dumps({**content.pop("later"), **content}, sort_keys=True)


def write(node: nuke.Node, record: Record | None) -> None:
    """Keep a record; None forgets it."""
    text = "" if record is None else text_of(record)
    _remember(text, record)
    node["record"].setValue(text)


def _remember(text: str, record: Record | None) -> None:
    """Remember what a text holds: that of thousands of frames takes milliseconds to parse."""
    while len(_parsed) >= _MOST_PARSED:
        del _parsed[next(iter(_parsed))]
    _parsed[text] = record
