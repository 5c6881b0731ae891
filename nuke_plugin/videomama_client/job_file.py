"""Leaves `job.json` beside the alphas of a job: the options that make the same pixels again, and how they were made."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Optional

from videomama_client import __version__, messages
from videomama_client.engine_options import EngineOption, specs_known
from videomama_client.messages import MatteDone, StageDone, SubmitMatte
from videomama_client.objects import PLACE, MaskObject
from videomama_client.prompts import BOX, POINT, TEXT, Prompt
from videomama_client.setting_spec import Value, specs_of
from videomama_client.settings import MatteSettings
from videomama_client.stages import MAKER
from videomama_client.whole_files import replacing

NAME = "job.json"
MADE = "made"  # the key of what is no option: how the alphas were made
MATTE, MASKS = "matte", "masks"  # the commands that a job can be run by again
_FIRST_STAGE = ("engine", "window", "overlap")  # of the settings, those that are of one stage
_LARGEST = 64 * 1024 * 1024  # bytes of a job file that is read
Options = dict[str, Any]


@dataclass(frozen=True)
class JobFile:
    """What is known of a job when it is submitted.

    Attributes:
        request: as it was submitted.
        beside: further options by name, for what the client makes of the alphas.
        made: what else to tell of how they were made.
    """

    request: SubmitMatte
    beside: Mapping[str, Any] = field(default_factory=dict)
    made: Mapping[str, Any] = field(default_factory=dict)

    def content(self, done: MatteDone) -> Options:
        """Return what the file says: options by name, with how the alphas were made under `made`."""
        options = {**options_of(self.request, done), **self.beside}
        return {**options, MADE: {**_made(self.request, done), **self.made}}

    def leave(self, done: MatteDone, alpha: Optional[Path] = None) -> Path:
        """Write the file beside the alphas and return its path.

        Args:
            done: the result of the job.
            alpha: file of one of its alphas, where the client wrote them; None where they lie as the job says.

        Raises:
            OSError: it cannot be written.
        """
        out = self.request.out
        path = _claimed(str(alpha.with_name(Path(out).name)) if alpha and PLACE not in out else out, out)
        with replacing(path) as temporary:
            text = json.dumps(self.content(done), indent=2, ensure_ascii=True)
            temporary.write_text(text + "\n", encoding="utf-8")
        return path


def job_file_of(out: str) -> Optional[Options]:
    """Return what the job file of an output says; None where there is none.

    Args:
        out: pattern of the alphas, absolute.
    """
    for path in _places(out):
        found = _read(path)
        if found is not None and found.get("out") == out:
            return found
    return None


def options_of(request: SubmitMatte, done: MatteDone) -> Options:
    """Return the options of the command line, by name, that ask for the pixels of a finished job again.

    Args:
        request: of the job.
        done: its result.
    """
    stages, makes_masks = done.stages, command_of(request, done) == MASKS
    options: Options = {"plate": request.plate, "mask": request.mask, "out": request.out}
    options.update(clip=done.clip or request.clip, frames=done.frame_ranges or request.frame_ranges)
    options.update(layer=request.layer, dtype=request.dtype)
    options.update(_shared(request.settings, stages))
    if makes_masks:
        options.update(_maker(_settings(request, stages, 0), "set"), roi=None)
    elif not request.objects:
        options.update(_chain(request, stages))
    if request.objects:
        chains = {one.name: [] if makes_masks else one.stages for one in done.objects}
        options["object"] = {one.name: _object(request, one, chains.get(one.name, [])) for one in request.objects}
    else:
        options.update(_prompts(request.prompts))
    for side in request.side_results:
        options.update(_side(side))
    return {name: value for name, value in options.items() if _is_said(value)}


def command_of(request: SubmitMatte, done: MatteDone) -> str:
    """Return which command runs a job again: `masks` where all that it does is to make masks, else `matte`."""
    only = len(done.stages) == 1 and done.stages[0].role == MAKER
    return MASKS if only and not request.mask and not request.then else MATTE


def stage_text(engine: str, values: Mapping[str, Optional[Value]]) -> str:
    """Return a stage as `--then` takes it, such as `classic window=8`; `stage_words.words_of` reads it back.

    Example:
        >>> stage_text("classic", {"window": 8, "overlap": None})
        'classic window=8'
    """
    words = [f"{name}={_quoted(_text(value))}" for name, value in values.items() if value is not None]
    return " ".join([engine, *words])


def click_text(prompt: Prompt) -> str:
    """Return a click as `--click` takes it.

    Example:
        >>> click_text(Prompt(POINT, 1001, (640.0, 300.0)))
        '1001:640,300'
    """
    sign = "-" if not prompt.subject else "+" if prompt.place[0] < 0 else ""
    return f"{prompt.frame}:{sign}{_place(prompt)}"


def _is_said(value: Any) -> bool:
    """Whether a value says something; 0 does."""
    return value is not None and value is not False and value not in ("", [], {})


def _shared(asked: MatteSettings, stages: Sequence[StageDone]) -> Options:
    """Return the settings that all stages share, as they were decided."""
    decided = (stages[0].settings if stages else None) or asked
    values = {spec.name: getattr(decided, spec.name) for spec in specs_of(MatteSettings)}
    after = next((stage for stage in stages if stage.role != MAKER), None)
    if after and after.settings:
        values["roi"] = after.settings.roi
    return {_option(name): value for name, value in values.items() if name not in _FIRST_STAGE}


def _chain(request: SubmitMatte, stages: Sequence[StageDone]) -> Options:
    """Return the options that name the engines of a job of one mask, with their own settings."""
    decided = [_settings(request, stages, index) for index in range(1 + len(request.then))]
    options: Options = {}
    if stages and stages[0].role == MAKER and len(decided) > 1:
        maker, *decided = decided
        options.update(_maker(maker, "maker-set"))
    first, *later = decided
    options.update(engine=first.engine, window=first.window, overlap=first.overlap)
    options.update(_own(first))
    options["then"] = [_stage(settings) for settings in later]
    return options


def _maker(settings: MatteSettings, own: str) -> Options:
    """Return the options of an engine that makes the masks; `own` is that of its own settings."""
    return {"maker": settings.engine, own: _values(settings.engine_options)}


def _settings(request: SubmitMatte, stages: Sequence[StageDone], index: int) -> MatteSettings:
    """Return the settings of a stage as they were decided, else as they were asked for."""
    found = stages[index].settings if index < len(stages) else None
    if found is not None:
        return found
    if index == 0:
        return request.settings
    stage = request.then[index - 1]
    return MatteSettings(stage.engine, stage.window, stage.overlap, engine_options=stage.options)


def _own(settings: MatteSettings) -> Options:
    """Return an engine's own settings: by their options, or under `set` where only the server knows them."""
    values = _values(settings.engine_options)
    if specs_known(settings.engine) is None:
        return {"set": values}
    return {_option(name): value for name, value in values.items()}


def _stage(settings: MatteSettings) -> str:
    windows: dict[str, Optional[Value]] = {"window": settings.window, "overlap": settings.overlap}
    return stage_text(settings.engine, {**_values(settings.engine_options), **windows})


def _object(request: SubmitMatte, one: MaskObject, stages: Sequence[StageDone]) -> Options:
    """Return what a job says of one object: mask, prompts, and its whole chain as it was decided."""
    which = one.mask_channel or one.mask_colour
    mine = [prompt for prompt in request.prompts if prompt.object == one.name]
    said: Options = {"mask": f"{one.mask}:{which}" if one.mask and which else one.mask, **_prompts(mine)}
    said["stage"] = [_stage(stage.settings) for stage in stages if stage.settings]
    return {name: value for name, value in said.items() if value}


def _prompts(prompts: Iterable[Prompt]) -> Options:
    found: dict[str, list[str]] = {}
    for prompt in prompts:
        name, text = _prompt(prompt)
        found.setdefault(name, []).append(text)
    return dict(found)


def _prompt(prompt: Prompt) -> tuple[str, str]:
    """Return the option of a prompt, and its value."""
    if prompt.kind == POINT:
        return "click", click_text(prompt)
    if prompt.kind == BOX:
        return "box", f"{prompt.frame}:{_place(prompt)}"
    if prompt.kind == TEXT:
        return "say", prompt.text
    return "key-mask", f"{prompt.frame}:{prompt.file}"


def _side(side: messages.SideResult) -> Options:
    name = side.kind
    return {name: side.out, f"{name}-dtype": side.dtype, f"{name}-premultiplied": side.premultiplied}


def _made(request: SubmitMatte, done: MatteDone) -> Options:
    """Return how the alphas were made, for people and for a later comparison."""
    asked = {"clip": request.clip, "frames": request.frame_ranges, "settings": request.settings.plain()}
    objects = {one.name: {"stages": _told(one.stages), "mask_digest": one.mask_digest} for one in done.objects}
    return {
        "command": command_of(request, done),
        "client": __version__,
        "server": done.server,
        "protocol": messages.PROTOCOL_VERSION,
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "label": request.label,
        "requested": asked,
        "effective": {"clip": done.clip, "frames": done.frame_ranges, "frame_count": done.frame_count},
        "region": done.roi,
        "colorspace": done.colorspace,
        "seconds": round(done.seconds, 3),
        "stages": _told(done.stages),
        "digests": {"plate": done.plate_digest, "mask": done.mask_digest},
        "warnings": done.warnings,
        "flags": [asdict(flag) for flag in done.flags],
        **({"objects": objects} if objects else {}),
    }


def _told(stages: Iterable[StageDone]) -> list[Options]:
    told = []
    for stage in stages:
        fields = asdict(stage)
        del fields["settings"]
        told.append(fields)
    return told


def _values(options: Iterable[EngineOption]) -> dict[str, Value]:
    return {option.name: option.value for option in options}


def _option(name: str) -> str:
    return name.replace("_", "-")


def _place(prompt: Prompt) -> str:
    return ",".join(map(_text, prompt.place))


def _text(value: Optional[Value]) -> str:
    """Return a value as the command line takes it; a number so that the very same one is read back."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value)


def _quoted(text: str) -> str:
    if text and not re.search(r"[\s'\"]", text):
        return text
    return f"'{text}'" if "'" not in text else f'"{text}"'


def _claimed(beside: str, out: str) -> Path:
    """Return where the job file of an output goes: `job.json`, unless that is the one of another output.

    Args:
        beside: pattern of the alphas as they lie here.
        out: what the job called it.
    """
    usual, own = _places(beside)
    found = _read(usual)
    if found is None and not usual.exists():
        return usual
    return usual if found is not None and found.get("out") in (out, None) and MADE in found else own


def _places(out: str) -> tuple[Path, Path]:
    """Return the usual path of a job file, and the one beside that of another output in the same folder."""
    folder, name = Path(out).parent, Path(out).name
    while PLACE in str(folder):
        folder = folder.parent
    stem = re.split(r"[#@%$]", name.replace(PLACE, "object"))[0].rstrip("._-")
    return folder / NAME, folder / f"{stem or 'alpha'}.{NAME}"


def _read(path: Path) -> Optional[Options]:
    """Return what a job file says; None where there is none, or it is of something else."""
    try:
        if path.stat().st_size > _LARGEST:
            return None
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
