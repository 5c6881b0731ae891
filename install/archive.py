"""The file of a bundle: a zip whose manifest has the size and the digest of every member.

The same content gives the same bytes: members are in a fixed order, uncompressed (wheels are compressed already), and
carry no times.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any, Optional, Union

from failure import InstallError
from targets import Target

MANIFEST = "videomama-bundle.json"
PROJECT = "project/"
WHEELS = "wheels/"
LIBRARIES = "libraries/"
WEIGHTS = "weights/"
_FORMAT = 1
_BEGINNING = (1980, 1, 1, 0, 0, 0)  # the oldest time that a zip can say
_FILE_MODE = 0o100644 << 16
_CHUNK = 1 << 20
_ZIP64_FROM = 1 << 31
_AGAIN = "Copy the file again from where it was made, or make it again there with `python install bundle`."

Content = Union[Path, bytes]


@dataclass(frozen=True)
class Share:
    """What one target takes of a bundle: names of wheels, and how many bytes they are when they are installed."""

    target: Target
    wheels: tuple[str, ...]
    installed_bytes: int


@dataclass(frozen=True)
class Manifest:
    """What a bundle says of itself.

    Attributes:
        version: of the project.
        extras: of the project that the wheels are enough for.
        shares: one for each target.
        libraries: folders of libraries for Nuke, such as "cp310-linux".
        members: size and SHA-256 of each member but the manifest itself.
    """

    version: str
    extras: tuple[str, ...]
    shares: tuple[Share, ...]
    libraries: tuple[str, ...]
    members: Mapping[str, tuple[int, str]] = field(default_factory=dict)

    def names(self, folder: str) -> list[str]:
        """The members below a folder of the zip."""
        return sorted(name for name in self.members if name.startswith(folder))

    def size(self, names: Iterable[str]) -> int:
        """How many bytes members are together."""
        return sum(self.members[name][0] for name in names)


def write(path: Path, manifest: Manifest, contents: Mapping[str, Content]) -> None:
    """Write a bundle of `contents`, by name in the zip; the file is there whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    members = {}
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
            for name in sorted(contents):
                members[name] = _add(archive, name, contents[name])
            text = json.dumps(_as_fields(manifest, members), indent=1, sort_keys=True) + "\n"
            _add(archive, MANIFEST, text.encode("utf-8"))
        partial.replace(path)
    except OSError as error:
        raise InstallError(
            f"{path} could not be written: {error}", "Free some space, or choose another --out."
        ) from error
    finally:
        if partial.exists():
            partial.unlink()


class Bundle:
    """An open bundle: its manifest, and its members, whose digests are checked whenever they are read."""

    def __init__(self, path: Path, archive: zipfile.ZipFile, manifest: Manifest) -> None:
        self.path = path
        self.manifest = manifest
        self._archive = archive

    def verify(self) -> None:
        """Read every member and compare it with the manifest; InstallError names the first that is damaged."""
        for name in sorted(self.manifest.members):
            for _ in self._chunks(name):
                pass

    def read(self, name: str) -> bytes:
        """A member's content."""
        return b"".join(self._chunks(name))

    def unpack(self, name: str, path: Path) -> None:
        """Write a member to `path`, whose folder is made."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            for chunk in self._chunks(name):
                file.write(chunk)

    def _chunks(self, name: str) -> Iterator[bytes]:
        size, digest = self.manifest.members[name]
        seen, found = hashlib.sha256(), 0
        try:
            with self._archive.open(name) as member:
                for chunk in _pieces(member):
                    seen.update(chunk)
                    found += len(chunk)
                    yield chunk
        except (KeyError, ValueError, EOFError, NotImplementedError, RuntimeError, zipfile.BadZipFile) as error:
            raise _damaged(self.path, name) from error
        if (found, seen.hexdigest()) != (size, digest):
            raise _damaged(self.path, name)


@contextmanager
def opened(path: Path) -> Iterator[Bundle]:
    """The bundle in `path`, for the length of the block; InstallError when it is none or has others than it says."""
    try:
        archive = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise InstallError(f"There is no file {path}.", "Give --from-bundle the path of a bundle.") from None
    except (zipfile.BadZipFile, ValueError, EOFError, IsADirectoryError) as error:
        raise InstallError(f"{path} is not a bundle, or only a part of one.", _AGAIN) from error
    with archive:
        yield Bundle(path, archive, _manifest(path, archive))


def _add(archive: zipfile.ZipFile, name: str, content: Content) -> tuple[int, str]:
    info = zipfile.ZipInfo(name, _BEGINNING)
    info.external_attr = _FILE_MODE
    info.create_system = 3  # whatever the system: the mode above is Unix'
    size = len(content) if isinstance(content, bytes) else content.stat().st_size
    digest, written = hashlib.sha256(), 0
    with archive.open(info, "w", force_zip64=size >= _ZIP64_FROM) as member:
        for chunk in _chunks_of(content):
            member.write(chunk)
            digest.update(chunk)
            written += len(chunk)
    return written, digest.hexdigest()


def _chunks_of(content: Content) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as file:
        yield from _pieces(file)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk


def _manifest(path: Path, archive: zipfile.ZipFile) -> Manifest:
    try:
        fields = json.loads(archive.read(MANIFEST).decode("utf-8"))
    except KeyError:
        raise InstallError(
            f"{path} is a zip, but not a bundle: it has no {MANIFEST}.",
            "Bundles are made with `python install bundle` on a machine with a network.",
        ) from None
    except (ValueError, EOFError, NotImplementedError, RuntimeError, zipfile.BadZipFile) as error:
        raise _damaged(path, MANIFEST) from error
    if not isinstance(fields, dict) or fields.get("format") != _FORMAT:
        raise InstallError(
            f"{path} is a bundle of another release.", "Use the installer that is in it, under project/install."
        )
    manifest = _from_fields(fields)
    if manifest is None:
        raise _damaged(path, MANIFEST)
    _check_members(path, archive, manifest)
    return manifest


def _check_members(path: Path, archive: zipfile.ZipFile, manifest: Manifest) -> None:
    """Refuse what the manifest does not say, and names that lead out of a folder."""
    there = [name for name in archive.namelist() if name != MANIFEST]
    stray = sorted(set(there) - set(manifest.members)) or sorted(name for name in set(there) if not _is_safe(name))
    if stray or len(set(there)) != len(there):
        raise InstallError(
            f"{path} holds what its manifest does not say: {', '.join(stray) or 'a name twice'}.", _AGAIN
        )
    gone = sorted(set(manifest.members) - set(there))
    if gone:
        raise InstallError(f"{path} lacks {gone[0]}.", _AGAIN)


def _is_safe(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return not (name.startswith("/") or "\\" in name or ":" in name or ".." in parts or "\0" in name)


def _damaged(path: Path, name: str) -> InstallError:
    return InstallError(f"{path} is damaged: {name} is not what it was when the bundle was made.", _AGAIN)


def _as_fields(manifest: Manifest, members: Mapping[str, tuple[int, str]]) -> dict[str, Any]:
    shares = [
        {
            "platform": share.target.platform,
            "python": share.target.python,
            "wheels": list(share.wheels),
            "installed_bytes": share.installed_bytes,
        }
        for share in manifest.shares
    ]
    return {
        "format": _FORMAT,
        "version": manifest.version,
        "extras": list(manifest.extras),
        "targets": shares,
        "libraries": list(manifest.libraries),
        "members": {name: {"size": size, "sha256": digest} for name, (size, digest) in members.items()},
    }


def _from_fields(fields: Mapping[str, Any]) -> Optional[Manifest]:
    try:
        shares = [
            Share(Target(str(row["platform"]), str(row["python"])), tuple(row["wheels"]), int(row["installed_bytes"]))
            for row in fields["targets"]
        ]
        members = {str(name): (int(row["size"]), str(row["sha256"])) for name, row in fields["members"].items()}
        manifest = Manifest(
            str(fields["version"]), tuple(fields["extras"]), tuple(shares), tuple(fields["libraries"]), members
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    whole = all(WHEELS + name in members for share in shares for name in share.wheels)
    return manifest if whole else None
