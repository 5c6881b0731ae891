"""The manifest beside the weights: which commit and which digests each file came with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from videomama_client.errors import WeightsError
from videomama_client.whole_files import replacing

NAME = "videomama-weights.json"
_VERSION = 1


@dataclass(frozen=True)
class ManifestRow:
    """One file.

    Attributes:
        path: below the folder of weights, with slashes.
        source: the repository, or the path of the file that was imported.
        commit: of the repository; "" for an imported file.
        size: in bytes.
        md5, sha256: hexadecimal.
        published: whether its MD5 is the one that the published file has.
    """

    path: str
    source: str
    commit: str
    size: int
    md5: str
    sha256: str
    published: bool


@dataclass(frozen=True)
class Manifest:
    """What is known of a folder of weights: the commit that each repository is pinned to, and its files."""

    revisions: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, ManifestRow] = field(default_factory=dict)

    def pinned(self, repo: str, commit: str) -> Manifest:
        """Return this with a repository's commit."""
        return replace(self, revisions={**self.revisions, repo: commit})

    def with_row(self, row: ManifestRow) -> Manifest:
        """Return this with a file, in place of what was said of it before."""
        return replace(self, files={**self.files, row.path: row})

    def there(self, folder: Path) -> Manifest:
        """Return this without the files that are gone from `folder`."""
        return replace(self, files={path: row for path, row in self.files.items() if (folder / path).is_file()})

    @property
    def imported(self) -> list[ManifestRow]:
        """The files that did not come from the hub."""
        return [row for row in self.files.values() if not row.commit]

    def write(self, folder: Path) -> None:
        """Put it into `folder`; raises OSError."""
        content = {
            "version": _VERSION,
            "revisions": dict(sorted(self.revisions.items())),
            "files": [asdict(self.files[path]) for path in sorted(self.files)],
        }
        with replacing(folder / NAME) as temporary:
            temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def read(folder: Path) -> Manifest:
    """Return the manifest of `folder`; empty when there is none.

    Raises:
        WeightsError: it is there and cannot be understood.
    """
    path = folder / NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return _parsed(content)
    except (FileNotFoundError, NotADirectoryError):
        return Manifest()
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise WeightsError(
            f"cannot read {path} ({error})", "Delete it and run the same command again: the files are checked again."
        ) from error


def _parsed(content: dict[str, Any]) -> Manifest:
    if content["version"] != _VERSION:
        raise ValueError(f"version {content['version']}, not {_VERSION}")
    rows = [ManifestRow(**row) for row in content["files"]]
    revisions = {str(repo): str(commit) for repo, commit in content["revisions"].items()}
    return Manifest(revisions, {row.path: row for row in rows})
