"""The server's config: all that does not change pixels. Flag over VIDEOMAMA_* over config.toml over default."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import platformdirs
from videomama_client import connection
from videomama_client.errors import BadInput
from videomama_client.server_config import Setting
from videomama_client.wording import choices

FOLDED = "folded"  # folder inside a cache folder
_PREFIX = "VIDEOMAMA_"


@dataclass(frozen=True)
class Config:
    """Where things are and how much of the machine may be used.

    Fields:
        cache_dir: finished alphas.
        cache_limit_gb: size the cache is pruned to after a job that computed something.
        connection_file: where the server writes its endpoint and keys.
        host, port: what the server binds; port 0 takes a free one.
        roots: folders that may be read and written; none named stands for all that the user may.
        engine_idle_s: seconds without a job after which the engine process ends and frees its memory.
        engine_hang_s: seconds after which an engine process that has a job and does nothing at all is ended and started
            again; thirty times as long for one that computes and gets nowhere; 0 for never.
        read_limit_s: seconds that reading one picture file may take before its job fails and the engine process is
            started again; 0 for no limit.
        supply_limit_s: seconds that the client of an inline job may take to send a frame that it was asked for before
            the job fails; 0 for no limit.
        server_idle_s: seconds without a client or job after which the server ends; 0 for never.
        threads: threads that read frames, and as many that write alphas.
        weights: folder of the model's weights (engine `videomama`), in any of the layouts they are published in.
        device: what the model runs on: `auto`, `cpu`, `cuda:0`, `mps`; auto takes a GPU where there is one.
        dtype: what it computes in: `auto`, `fp16`, `bf16`, `fp32`.
        max_vram_gb: memory of the device it may use; 0 for all that is free.
        give_back_memory: whether memory of the device that is not in use goes back to other programs after the last
            job: `on`, `off`. The weights stay there until the engine process ends.
        compile: whether the model is compiled for the device: `auto` (where it pays), `on`, `off`.
        delivery: how alphas leave the cache: `copy`, as files of their own; `link`, as hard links, which share their
            bytes with the cache and with every other delivery of the same pixels.
    """

    cache_dir: Path = field(default_factory=lambda: platformdirs.user_cache_path("videomama"))
    cache_limit_gb: float = 100.0
    connection_file: Path = field(default_factory=connection.default_path)
    host: str = "127.0.0.1"
    port: int = 0
    roots: tuple[Path, ...] = ()
    engine_idle_s: float = 900.0
    engine_hang_s: float = 120.0
    read_limit_s: float = 300.0
    supply_limit_s: float = 120.0
    server_idle_s: float = 0.0
    threads: int = 2
    weights: Path = field(default_factory=lambda: platformdirs.user_data_path("videomama") / "weights")
    device: str = "auto"
    dtype: str = "auto"
    max_vram_gb: float = 0.0
    give_back_memory: str = "on"
    compile: str = "auto"
    delivery: str = "copy"

    @property
    def folded_dir(self) -> Path:
        """Where weights are kept once they are made ready for use."""
        return self.cache_dir / FOLDED

    @property
    def log_file(self) -> Path:
        """Where a server in the background logs."""
        return self.connection_file.with_suffix(".log")

    @property
    def history_file(self) -> Path:
        """Where a server keeps the history of its jobs."""
        return self.connection_file.with_suffix(".history.sqlite")

    @property
    def log_location(self) -> str:
        """Where to look for the log, for messages."""
        return f"{self.log_file}, or the terminal that the server runs in"


def as_flags(config: Config) -> dict[str, Any]:
    """Return every value as `load` takes it back from another process: paths as text."""
    values = {known.name: getattr(config, known.name) for known in fields(config)}
    values["roots"] = [str(root) for root in config.roots]
    return {name: str(value) if isinstance(value, Path) else value for name, value in values.items()}


def as_texts(config: Config) -> dict[str, str]:
    """Return every value as people write it in a variable."""
    return {known.name: _text(getattr(config, known.name)) for known in fields(config)}


def from_texts(texts: Mapping[str, str]) -> Config:
    """Return the config that `as_texts` gave; keys that this version does not know are left out."""
    known = {found.name for found in fields(Config)}
    return replace(
        Config(), **{name: _parsed(name, text, "the server") for name, text in texts.items() if name in known}
    )


def load(flags: Mapping[str, Any], environment: Mapping[str, str] | None = None) -> Config:
    """Return the config. Its paths are absolute: those of `config.toml` count from its folder, others from this one.

    Args:
        flags: values given on the command line; None stands for not given.
        environment: by default the process's own.

    Raises:
        BadInput: a value that cannot be read, named with the place it came from.
    """
    found = replace(Config(), **{name: given.value for name, given in _given(flags, environment).items()})
    # Defaults too: a system's own folders may be named by a relative variable.
    return replace(found, **{known.name: _absolute(getattr(found, known.name), Path()) for known in fields(Config)})


def callers(flags: Mapping[str, Any]) -> dict[str, Setting]:
    """Return what is set here by flag, variable or `config.toml`, as text and with its source; no defaults.

    Raises:
        BadInput: as `load`.
    """
    return {name: Setting(_text(given.value), given.source) for name, given in _given(flags, None).items()}


@dataclass(frozen=True)
class _Given:
    value: Any
    source: str


def _given(flags: Mapping[str, Any], environment: Mapping[str, str] | None) -> dict[str, _Given]:
    environment = os.environ if environment is None else environment
    named = environment.get(f"{_PREFIX}CONFIG")
    path = Path(named or platformdirs.user_config_path("videomama") / "config.toml")
    found: dict[str, _Given] = {}
    for name, value in _read(path, must=bool(named)).items():
        found[name] = _Given(_parsed(name, value, str(path), path.parent), str(path))
    for known in fields(Config):
        variable = _PREFIX + known.name.upper()
        if environment.get(variable):
            found[known.name] = _Given(_parsed(known.name, environment[variable], f"${variable}"), f"${variable}")
    for name, value in flags.items():
        if value is not None:
            found[name] = _Given(_parsed(name, value, "the command line"), "the command line")
    return found


def _read(path: Path, must: bool) -> dict[str, Any]:
    if not must and not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"cannot read {path}: {error}", "Fix or delete the file.") from error


def _text(value: Any) -> str:
    return os.pathsep.join(map(str, value)) if isinstance(value, tuple) else str(value)


def _parsed(name: str, value: Any, source: str, folder: Path = Path()) -> Any:
    kinds = {known.name: known.type for known in fields(Config)}
    if name not in kinds:
        raise BadInput(f"{source} sets {name!r}, which is not a setting", choices(name, kinds))
    try:
        parsed = _absolute(_PARSERS[str(kinds[name])](value), folder)
        _check_bounds(name, parsed)
    except FileNotFoundError as error:
        reason = f"{source} sets {name} to the relative {value!r}, and the working folder is gone"
        raise BadInput(reason, "Change to a folder that exists, or give the whole path.") from error
    except (ValueError, TypeError, RuntimeError) as error:  # RuntimeError: the home of ~somebody is not known
        raise BadInput(f"{source} sets {name} to {value!r}, which is not valid", _sentence(error)) from error
    return parsed


def _sentence(error: Exception) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."


def _check_bounds(name: str, value: Any) -> None:
    low, high = _BOUNDS.get(name, (None, None))
    if low is not None and not low <= value <= high:
        raise ValueError(f"it must be {low} to {high}")
    choices = _CHOICES.get(name, (value,))
    if value not in choices:
        raise ValueError(f"it must be {' or '.join(choices)}")


def _roots(value: Any) -> tuple[Path, ...]:
    names = value.split(os.pathsep) if isinstance(value, str) else value
    return tuple(Path(name).expanduser() for name in names if str(name))


def _absolute(value: Any, folder: Path) -> Any:
    """Return paths so that they mean the same from any folder, as a server does not stay in its caller's."""
    if isinstance(value, Path):
        return (folder / value).absolute()
    return tuple((folder / place).resolve() for place in value) if isinstance(value, tuple) else value


def _not_negative(value: Any) -> float:
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):  # false for NaN
        raise ValueError("it must be a number, 0 or more")
    return number


def _whole(value: Any) -> int:
    number = _not_negative(value)
    if not number.is_integer():
        raise ValueError("it must be a whole number")
    return int(number)


_BOUNDS = {"port": (0, 65535), "threads": (1, 256)}
_CHOICES = {"delivery": ("copy", "link"), "give_back_memory": ("on", "off")}
_PARSERS: dict[str, Any] = {
    "Path": lambda value: Path(value).expanduser(),
    "float": _not_negative,
    "int": _whole,
    "str": str,
    "tuple[Path, ...]": _roots,
}
