"""The option `--job` of commands that submit a job: options from a file, with those of the command line before them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

import click
from videomama_client import messages
from videomama_client.errors import BadInput
from videomama_client.job_file import MADE
from videomama_client.setting_spec import yes_or_no

from videomama_server.batch import option_file
from videomama_server.batch.shots import Where, check_key
from videomama_server.cli.prompt_options import CommandWithPrompts

NOT_IN_FILES = frozenset({"job", "json", "help", "help-all"})  # what a file cannot say
MADE_BEFORE = "videomama job file"  # of the command's `meta`: what the file says of how its alphas were made
_JOB = "job"
_PATHS = frozenset(
    (
        *("plate", "mask", "out", "project", "foreground", "trimap", "qc", "hole-masks", "clean-plate"),
        *("person-picture", "preview-movie", "connection-file", "weights"),
    )
)
_HERE = "{here}"  # in the words of a program: the folder of the file
_PROMPTS = frozenset(
    {"click", "box", "say", "key_mask", "absent", "object"}
)  # belong together: a command line replaces all
_OBJECT_KEYS = {"mask", "click", "box", "say", "key-mask", "absent", "stage"}
_FRAMED = re.compile(r"(-?\d{1,9}:)?(.+)", re.DOTALL)
_OF_THE_WAY = frozenset(
    {"priority", "notify", "transport", "rehash", "no_job_file"}
)  # that files come about, not what is in them


class CommandWithJobFile(CommandWithPrompts):
    """A command that takes options from the file that `--job` names."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words, after those that the file stands for."""
        given, _, order = self.make_parser(ctx).parse_args(args=list(args))
        if _JOB in given and not ctx.resilient_parsing:
            args = [*self._of_file(ctx, Path(given[_JOB]), {str(param.name) for param in order}), *args]
        return super().parse_args(ctx, args)

    def _of_file(self, ctx: click.Context, path: Path, given: Collection[str]) -> list[str]:
        """Return the words of a file, without options that are given beside it."""
        file = option_file.read(path)
        made = file.content.pop(MADE, None)
        ctx.meta[MADE_BEFORE] = made if isinstance(made, dict) else {}
        meant = ctx.meta[MADE_BEFORE].get("command", self.name)
        if meant != self.name:
            raise BadInput(f"{path} is a job of `videomama {meant}`", f"Run videomama {meant} --job {path}.")
        known = options_of(self)
        content = {check_key(key, known, file.where(key)): value for key, value in file.content.items()}
        replaced = {*given, *(_PROMPTS if not _PROMPTS.isdisjoint(given) else ())}
        kept = {name: value for name, value in content.items() if known[name].name not in replaced}
        return words_of(self, kept, file.where, path.parent.absolute())


def job_file_option(command: Any) -> Any:
    """Give a command the options `--job`, which `CommandWithJobFile` reads, and `--no-job-file`."""
    command = click.option(
        "--no-job-file", is_flag=True, help="Leave no job.json, which makes the same pixels again, beside the output."
    )(command)
    return click.option(
        "--job",
        _JOB,
        expose_value=False,
        type=click.Path(dir_okay=False),
        metavar="FILE",
        help="Take options from a .yaml or .json file, such as a job.json; its keys are the options' names. What the "
        "command line gives replaces them.",
    )(command)


def asked_words(flags: Mapping[str, Any], subjects: object) -> str:
    """Return a digest of all that may change what is written.

    Args:
        flags: of the command.
        subjects: prompts and objects, whose order among each other no flag tells.
    """
    asked = sorted((name, str(value)) for name, value in flags.items() if name not in _OF_THE_WAY)
    return blake2b(repr((asked, subjects)).encode(errors="surrogateescape"), digest_size=20).hexdigest()


def options_of(command: click.Command) -> dict[str, click.Option]:
    """Return the options of a command that a file can give, by name without the hyphens before it."""
    found = [param for param in command.params if isinstance(param, click.Option)]
    named = {name.lstrip("-"): param for param in found for name in param.opts if name.startswith("--")}
    return {name: param for name, param in named.items() if name not in NOT_IN_FILES}


def differing(before: Mapping[str, Any], done: messages.MatteDone) -> list[str]:
    """Return warnings where a job was not what its file tells of: other pixels were read, or another engine ran.

    Args:
        before: what the file says of how its alphas were made.
        done: what the job came to now.
    """
    effective, digests = before.get("effective"), before.get("digests")
    if not isinstance(effective, dict) or not isinstance(digests, dict):
        return []
    found = []
    if (effective.get("clip"), effective.get("frames")) == (done.clip, done.frame_ranges):
        now = {messages.PLATE: done.plate_digest, messages.MASK: done.mask_digest}
        changed = [role for role, digest in now.items() if digest != digests.get(role, digest)]
        found = [f"the {role} has changed since the job file was written" for role in changed]
    engines = {stage.get("engine"): stage.get("fingerprint") for stage in before.get("stages", ())}
    return found + [
        f"the engine {stage.engine} or its weights differ from those of the job file; pixels may differ"
        for stage in done.stages
        if stage.fingerprint != engines.get(stage.engine, stage.fingerprint)
    ]


def words_of(command: click.Command, options: Mapping[str, Any], where: Where, folder: Path) -> list[str]:
    """Return options as words of the command line.

    Args:
        command: that they are of.
        options: by name, as `option_file` reads them; those that are None are left out.
        where: returns the place of an option in the file, for errors.
        folder: that relative paths count from.

    Raises:
        BadInput: a value of the wrong kind.
    """
    known = options_of(command)
    return [
        word
        for name, value in options.items()
        if value is not None
        for word in _words(known[name], name, value, (where, folder))
    ]


def _words(option: click.Option, name: str, value: Any, place: tuple[Where, Path]) -> Iterable[str]:
    """Return the words of one option; `place` says where it stands and which folder its paths count from."""
    where, folder = place
    if name == "object":
        return _objects(value, where, folder)
    if name == "then-run":
        told = shlex.join(_texts(value, name, where)) if isinstance(value, list) else value
        value = told.replace(_HERE, str(folder)) if isinstance(told, str) else told
    if option.is_flag:
        return [f"--{name}"] if _is_yes(value, name, where) else []
    if option.multiple:
        texts = [f"{key}={inner}" for key, inner in value.items()] if isinstance(value, dict) else value
        return [f"--{name}={_placed(name, text, folder)}" for text in _texts(texts, name, where)]
    if not isinstance(value, str):
        raise BadInput(f"{where(name)}: {name} takes one text or number", "Write one value behind the key.")
    return [f"--{name}={_placed(name, value, folder)}"]


def _objects(value: Any, where: Where, folder: Path) -> Iterator[str]:
    """Yield the words of objects: a list as `--object` takes them, or a map of what each one is."""
    if not isinstance(value, dict):
        yield from (f"--object={_placed('object', text, folder)}" for text in _texts(value, "object", where))
        return
    for name, said in value.items():
        if not isinstance(said, dict):
            raise BadInput(f"{where('object')}: object {name} must be a map", "Write mask, click or box below it.")
        for key in said:
            check_key(key, _OBJECT_KEYS, f"{where('object')}, object {name}")
        own = {key.replace("_", "-"): inner for key, inner in said.items() if inner is not None}
        mask, stages = own.pop("mask", None), _texts(own.pop("stage", []), "stage", where)
        whole = f"{name}={mask}" if isinstance(mask, str) else name
        yield f"--object={_placed('object', whole, folder)}"
        if mask and own:  # its prompts come after its name alone
            yield f"--object={name}"
        for kind, prompts in own.items():
            yield from (f"--{kind}={_placed(kind, text, folder)}" for text in _texts(prompts, kind, where))
        yield from (f"--object-stage={name}={stage}" for stage in stages)


def _texts(value: Any, name: str, where: Where) -> list[str]:
    listed = value if isinstance(value, list) else [value]
    if not all(isinstance(text, str) for text in listed):
        raise BadInput(f"{where(name)}: {name} takes texts or numbers", "Write a list of texts.")
    return listed


def _is_yes(value: Any, name: str, where: Where) -> bool:
    answer = yes_or_no(value) if isinstance(value, str) else None
    if answer is None:
        raise BadInput(f"{where(name)}: {name} is yes or no", "Write yes or no.")
    return answer


def _placed(name: str, text: str, folder: Path) -> str:
    """Return a value whose relative path counts from the file's folder."""
    if not text:
        return text
    if name in _PATHS:
        return str(folder / text)
    if name == "key-mask" and (found := _FRAMED.fullmatch(text)):
        return f"{found[1] or ''}{folder / found[2]}"
    before, equals, path = text.partition("=")
    return f"{before}={folder / path}" if name == "object" and equals and path else text
