"""The shots of a file: shared defaults, each shot's own options, and tokens such as `{shot}` filled in."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from videomama_client.errors import BadInput
from videomama_client.objects import PLACE
from videomama_client.wording import choices, counted, guess

from videomama_server.batch.option_file import SHOTS, OptionFile

DEFAULTS, SHOT, VERSION, TOKENS = "defaults", "shot", "version", "tokens"
LATER = ("then-run",)  # options with tokens of their own, which are known only once the job is done
_TOP = (DEFAULTS, SHOTS)
_OWN = (SHOT, VERSION, TOKENS)  # keys of a shot that are no options
_TOKEN = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_MOST_SHOTS = 10_000
Options = dict[str, Any]
Where = Callable[[str], str]  # the place of a key, for errors


@dataclass(frozen=True)
class Shot:
    """One job of many.

    Attributes:
        name: of the shot.
        options: of `matte`, by name without the hyphens before it: a text, a list, a map, or None for not given.
        where: returns the place of an option in the file, for errors.
        folder: that relative paths among the options count from.
    """

    name: str
    options: Mapping[str, Any]
    where: Where
    folder: Path


def read_shots(file: OptionFile, known: Collection[str]) -> list[Shot]:
    """Return the shots of a file.

    Args:
        file: with `shots`, a map by name or a list, and perhaps `defaults`.
        known: the names of options.

    Raises:
        BadInput: an unknown key, a shot without a name or with that of another, or a token that nobody fills in.
    """
    _check_top(file)
    defaults = _options(file, (DEFAULTS,), file.content.get(DEFAULTS), known)
    if SHOT in defaults:
        raise BadInput(f"{file.where(DEFAULTS, SHOT)}: {SHOT} is the name of one shot", "Leave it out of defaults.")
    listed = _listed(file, known)
    if len(listed) > _MOST_SHOTS:
        raise BadInput(f"{file.path} has {counted(len(listed), 'shot')}", f"Use {_MOST_SHOTS:,} or fewer.")
    names: dict[str, tuple[str, ...]] = {}
    found = []
    for keys, own in listed:
        name = own[SHOT]
        if name in names:
            raise BadInput(
                f"{file.where(*keys)}: the shot {name!r} is there twice", f"The other is at {file.where(*names[name])}."
            )
        names[name] = keys
        found.append(shot_of(file, defaults, own, keys))
    return found


def read_defaults(file: OptionFile, known: Collection[str]) -> Options:
    """Return the defaults of a file whose shots come from elsewhere; raises `BadInput` for an unknown key."""
    _check_top(file, (DEFAULTS,))
    return _options(file, (DEFAULTS,), file.content.get(DEFAULTS), known)


def shot_of(file: OptionFile, defaults: Options, own: Options, keys: tuple[str, ...] = ()) -> Shot:
    """Return a shot with its tokens filled in.

    Args:
        file: that it is of.
        defaults: that it shares with others.
        own: its options, with `shot`, its name.
        keys: on the way to it in the file.

    Raises:
        BadInput: a token that nobody fills in.
    """
    mine = _merged(defaults, own)

    def where(name: str) -> str:
        place = (*keys, name) if name in own else (DEFAULTS, name)
        return f"{file.where(*place)}, shot {own[SHOT]}"

    tokens = _tokens(mine, where)
    options = {name: _filled(value, name, tokens, where) for name, value in mine.items() if name not in _OWN}
    return Shot(own[SHOT], options, where, file.path.parent.absolute())


def with_rotos(shot: Shot, names: Callable[[str], Sequence[str]]) -> list[Shot]:
    """Return a shot for each of several masks of a project; the shot itself where it names no project.

    Args:
        shot: with `project`, and perhaps `roto`: one name, or a list of them.
        names: returns the names of all masks of a project.
    """
    project, roto = shot.options.get("project"), shot.options.get("roto")
    if not isinstance(project, str) or isinstance(roto, str):
        return [shot]
    wanted = roto if isinstance(roto, list) else names(str(shot.folder / project))
    if len(wanted) == 1:
        return [replace(shot, options={**shot.options, "roto": wanted[0]})]
    return [replace(shot, name=f"{shot.name} {one}", options={**shot.options, "roto": one}) for one in wanted]


def check_key(key: str, known: Collection[str], where: str) -> str:
    """Return a key as options are called, with hyphens; raises `BadInput` for one that there is not."""
    name = key.replace("_", "-")
    if name in known:
        return name
    hint = guess(name, known) or "`videomama matte --help-all` lists the options; a key is one without its hyphens."
    raise BadInput(f"{where}: unknown key {key!r}", hint)


def _check_top(file: OptionFile, needed: Sequence[str] = (SHOTS,)) -> None:
    for key in file.content:
        if key not in _TOP:
            raise BadInput(f"{file.where(key)}: unknown key {key!r}", choices(key, _TOP))
    missing = [key for key in needed if not file.content.get(key)]
    if missing:
        raise BadInput(f"{file.path} has no {missing[0]}", f"Write them below the key {missing[0]}.")


def _listed(file: OptionFile, known: Collection[str]) -> list[tuple[tuple[str, ...], Options]]:
    """Return the options of each shot as they stand in the file, with its name, and the keys on the way to it."""
    shots = file.content[SHOTS]
    if isinstance(shots, dict):
        found: list[tuple[tuple[str, ...], Options]] = []
        for name, value in shots.items():
            own = _options(file, (SHOTS, name), value, known)
            if own.setdefault(SHOT, name) != name:
                raise BadInput(f"{file.where(SHOTS, name, SHOT)}: the shot has two names", f"Leave out {SHOT}.")
            found.append(((SHOTS, name), own))
        return found
    if not isinstance(shots, list):
        raise BadInput(f"{file.where(SHOTS)}: {SHOTS} must be a map or a list", "Write a shot below it, such as sh010:")
    return [_of_list(file, place, value, known) for place, value in enumerate(shots)]


def _of_list(file: OptionFile, place: int, value: Any, known: Collection[str]) -> tuple[tuple[str, ...], Options]:
    keys = (SHOTS, str(place))
    own = _options(file, keys, {SHOT: value} if isinstance(value, str) else value, known)
    if not isinstance(own.get(SHOT), str) or not own[SHOT]:
        raise BadInput(f"{file.where(*keys)}: shot {place + 1} has no name", f"Give it the key {SHOT}.")
    return keys, own


def _options(file: OptionFile, keys: tuple[str, ...], value: Any, known: Collection[str]) -> Options:
    """Return options by name; raises `BadInput` where they are no map, or one is unknown."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadInput(f"{file.where(*keys)}: {keys[-1]} must be a map of options", "Write one key a line below it.")
    found: Options = {}
    for key, inner in value.items():
        shot = f", shot {value.get(SHOT, keys[-1])}" if keys[0] == SHOTS else ""
        name = check_key(key, {*known, *_OWN}, f"{file.where(*keys, key)}{shot}")
        if name in found:
            raise BadInput(f"{file.where(*keys, key)}{shot}: {name} is there twice", "Leave one of them.")
        found[name] = inner
    return found


def _merged(defaults: Options, own: Options) -> Options:
    merged = {**defaults, **own}
    if isinstance(defaults.get(TOKENS), dict) and isinstance(own.get(TOKENS), dict):
        merged[TOKENS] = {**defaults[TOKENS], **own[TOKENS]}
    return merged


def _tokens(options: Options, where: Where) -> dict[str, str]:
    named = options.get(TOKENS) or {}
    if not isinstance(named, dict):
        raise BadInput(f"{where(TOKENS)}: {TOKENS} must be a map", "Write names and texts below it.")
    found = {SHOT: options[SHOT], VERSION: options.get(VERSION), **named}
    for name, value in found.items():
        if value is not None and not isinstance(value, str):
            raise BadInput(f"{where(name)}: the token {name} must be one text", "Give it a text such as v003.")
    return {name: value for name, value in found.items() if value is not None}


def _filled(value: Any, name: str, tokens: Mapping[str, str], where: Where) -> Any:
    """Return a value with its tokens filled in, also those inside lists and maps."""
    if isinstance(value, dict):
        return {key: _filled(inner, name, tokens, where) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, name, tokens, where) for inner in value]
    if not isinstance(value, str):
        return value

    def fill(found: re.Match[str]) -> str:
        if found[1] in tokens:
            return tokens[found[1]]
        if found[0] == PLACE or name in LATER:
            return found[0]
        raise BadInput(f"{where(name)}: unknown token {found[0]} in {name}", choices(found[1], tokens))

    return _TOKEN.sub(fill, value)
