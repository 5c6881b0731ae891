"""The form of the Run page turned into a job: checked by the same records as the command line's options."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from videomama_client import messages, objects, prompts
from videomama_client.client import Client
from videomama_client.engine_options import EngineOption, read, settled
from videomama_client.errors import BadInput
from videomama_client.job_records import WEB
from videomama_client.messages import MASK, PLATE, SideResult
from videomama_client.objects import MaskObject
from videomama_client.prompts import Prompt
from videomama_client.setting_spec import SettingSpec, parsed
from videomama_client.settings import MatteSettings
from videomama_client.stage_words import specs_at
from videomama_client.stages import Stage, begun_with

from videomama_server.media import sequences
from videomama_server.submission import Submission
from videomama_server.web import patterns
from videomama_server.web.forms import Form
from videomama_server.web.setting_fields import ADJUST, ENGINE, MAKER, REFINER, SHARED, SHARED_SPECS
from videomama_server.web.site import Site

FILES, PROMPTS, OBJECTS = "files", "prompts", "objects"
SOURCES = (FILES, PROMPTS, OBJECTS)
"""Where masks come from: numbered files, what a person says of the subject, or files of several objects."""
_ADJUST = "adjust"
_DTYPES = ("", "half", "float", "uint16")
_PROMPT_FIELDS = {"kind": str, "frame": int, "place": list, "subject": bool, "text": str, "file": str, "object": str}


def order_of(site: Site, client: Client, form: Form) -> Submission:
    """Return the job that a form asks for.

    Args:
        site: says which folders may be used.
        client: of the server, which is asked about engines of other packages.
        form: of the Run page.

    Raises:
        BadInput: a field cannot be used; the message names it.
        NotPermitted: a path lies outside `roots`.
    """
    settings = _settings(site, client, form)
    source = _one_of(form, "mask_source", SOURCES)
    given = given_prompts(site, form) if source == PROMPTS else ()
    order = Submission(
        plate=_pattern(site, form, PLATE, settings.view),
        mask=_pattern(site, form, MASK, settings.view) if source == FILES else "",
        out=_pattern(site, form, "out", settings.view),
        settings=settings,
        frame_ranges=form.text("frames"),
        priority=_one_of(form, "priority", messages.PRIORITIES),
        layer=form.text("layer"),
        dtype=_one_of(form, "dtype", _DTYPES),
        rehash=form.text("rehash") == "yes",
        transport="path",
        then=_later_stages(site, client, form),
        side_results=_foreground(site, form, settings.view),
        prompts=given,
        objects=_objects_of_files(site, form, settings.view) if source == OBJECTS else (),
        label=form.text("label")[:200],
        program=WEB,
    )
    if source == PROMPTS:
        order = _named(order).begun_by(maker_settings(site, client, form, settings))
    order.check_objects()
    _check_plate(site, order)
    return order


def maker_settings(site: Site, client: Client, form: Form, settings: MatteSettings) -> MatteSettings:
    """Return the settings of the engine that makes the masks, with what all stages share; raises as `order_of`."""
    maker = form.text("maker")
    if not maker:
        raise BadInput(
            "no engine makes masks of the prompts", "Choose one under Masks; its weights are fetched under Settings."
        )
    return begun_with(settings, Stage(maker, _options(site, client, maker, form.below(MAKER))))


def given_prompts(site: Site, form: Form) -> tuple[Prompt, ...]:
    """Return the prompts of a form, checked.

    Raises:
        BadInput: one cannot be used.
        NotPermitted: the file of a key mask lies outside `roots`.
    """
    found = tuple(_prompt(fields) for fields in form.listed("prompts"))
    for prompt in found:
        if prompt.file:
            site.permit(prompt.file)
    if not found:
        raise BadInput("there is nothing to make masks of", "Click in the picture, or add words, a box or a key mask.")
    prompts.check(found)
    return found


def shared_settings(form: Form) -> MatteSettings:
    """Return the settings that all engines share, of a form; raises `BadInput` for one that cannot be used."""
    values = _parsed(SHARED_SPECS.values(), form.below(SHARED))
    return MatteSettings(engine=form.text("engine") or "auto", **values)


def _settings(site: Site, client: Client, form: Form) -> MatteSettings:
    settings = shared_settings(form)
    options = _options(site, client, settings.engine, form.below(ENGINE))
    settings = replace(settings, engine_options=options)
    settings.check()
    return settings.without_defaults()


def _options(site: Site, client: Client, engine: str, values: Mapping[str, str]) -> tuple[EngineOption, ...]:
    """Return the options of an engine, without those at their defaults; raises `BadInput` for ones that contradict."""
    specs = specs_at(client, engine)
    if values.get("weights"):
        site.permit(values["weights"])
    words = [f"{name}={text}" for name, text in values.items()]
    options = settled(engine, specs, read(engine, specs, words))
    MatteSettings(engine, engine_options=options).check()
    return options


def _later_stages(site: Site, client: Client, form: Form) -> tuple[Stage, ...]:
    """Return the edge refiner, where one is chosen, and the adjustments, where some are made."""
    found = []
    refiner, adjusted = form.text("refiner"), form.below(ADJUST)
    if refiner:
        found.append(Stage(refiner, _options(site, client, refiner, form.below(REFINER))))
    if adjusted:
        options = _options(site, client, _ADJUST, adjusted)
        found += [Stage(_ADJUST, options)] if options else []
    return tuple(found)


def _parsed(specs: Iterable[SettingSpec], values: Mapping[str, str]) -> dict[str, Any]:
    return {spec.name: parsed(spec, values[spec.name], spec.option) for spec in specs if spec.name in values}


def _pattern(site: Site, form: Form, name: str, view: str) -> str:
    """Return an absolute pattern of files that may be opened."""
    role = {"out": "alpha"}.get(name, name)
    return patterns.permitted(site, sequences.with_view(form.text(name), view), role).text


def _foreground(site: Site, form: Form, view: str) -> tuple[SideResult, ...]:
    if not form.text("foreground"):
        return ()
    return (SideResult(messages.FOREGROUND, _pattern(site, form, "foreground", view)),)


def _objects_of_files(site: Site, form: Form, view: str) -> tuple[MaskObject, ...]:
    """Return the objects that have mask files of their own."""
    names, masks, channels = (form.texts(f"object_{part}") for part in ("name", "mask", "channel"))
    found = []
    for name, mask, channel in zip(names, masks, channels, strict=False):
        if not name and not mask:
            continue
        pattern = patterns.permitted(site, sequences.with_view(mask, view), f"mask of {name}")
        found.append(MaskObject(name, pattern.text, channel))
    if not found:
        raise BadInput("no object has a name and a mask", "Add an object, or choose where the masks come from.")
    return tuple(found)


def _named(order: Submission) -> Submission:
    """Return a job with the objects that its prompts name; a single name makes no layer of its own."""
    names = prompts.objects_of(order.prompts)
    if len(names) < 2 and objects.PLACE not in order.out:
        return replace(order, prompts=tuple(replace(prompt, object="") for prompt in order.prompts))
    if "" in names:
        raise BadInput("some prompts have the name of an object, and some have none", "Name the object of each.")
    return replace(order, objects=tuple(MaskObject(name, "") for name in names))


def _check_plate(site: Site, order: Submission) -> None:
    """Raise `BadInput` where there is no plate, and `NotPermitted` where a file of plate or mask leads outside."""
    patterns.files(site, sequences.parse(order.plate), PLATE)
    masks: Sequence[str] = [one.mask for one in order.objects] or [order.mask]
    for mask in filter(None, masks):
        patterns.files(site, sequences.parse(mask), MASK)


def _prompt(fields: Any) -> Prompt:
    """Return a prompt that a script of the page wrote."""
    if not isinstance(fields, dict) or not fields.keys() <= _PROMPT_FIELDS.keys():
        raise BadInput("a prompt cannot be read", "Reload the page.")
    for name, value in fields.items():
        if type(value) is not _PROMPT_FIELDS[name]:
            raise BadInput(f"a prompt's {name} cannot be read", "Reload the page.")
    place = fields.get("place", [])
    if not all(type(number) in {int, float} for number in place):
        raise BadInput("a prompt's place cannot be read", "Reload the page.")
    try:
        return Prompt(**{**fields, "place": tuple(float(number) for number in place)})
    except (TypeError, OverflowError) as error:  # no kind, or a number beyond all floats
        raise BadInput("a prompt cannot be read", "Reload the page.") from error


def _one_of(form: Form, name: str, known: Sequence[str]) -> str:
    """Return a choice of the form, by default the first."""
    found = form.text(name, known[0])
    if found not in known:
        raise BadInput(f"{name} cannot be {found[:80]!r}", f"Choose one of {', '.join(filter(None, known))}.")
    return found
