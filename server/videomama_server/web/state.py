"""What the page keeps between two runs, in files of mode 0600 beside the connection file: key, port, added folders."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from videomama_client import private
from videomama_client.errors import BadInput
from videomama_client.whole_files import replacing

_KEY_BYTES = 32
Kept = TypeVar("Kept", list[Any], dict[str, Any])


@dataclass(frozen=True)
class State:
    """The folder of one page; there is one page for each connection file.

    Attributes:
        folder: made with mode 0700 where it is missing.
    """

    folder: Path

    @classmethod
    def beside(cls, connection_file: Path) -> State:
        """Return the state of the page for the server of a connection file."""
        return cls(connection_file.absolute().with_name(f"web-{connection_file.stem}"))

    @property
    def lock_file(self) -> Path:
        """The file that the running page locks."""
        return self.folder / "lock"

    @property
    def entries(self) -> Path:
        """The folder of entry files; see `session`."""
        return self.folder / "entry"

    def make(self) -> None:
        """Make the folders, for this user alone; raises `OSError` where that cannot be."""
        private.make_folder(self.entries)
        private.check_folder(self.folder)

    def key(self) -> bytes:
        """Return the key that signs sessions; made at the first call, so that sessions survive a restart."""
        path = self.folder / "key"
        try:
            return bytes.fromhex(private.read_text(path).strip())
        except FileNotFoundError:
            key = secrets.token_bytes(_KEY_BYTES)
            self._write(path, key.hex())
            return key

    def forget_sessions(self) -> None:
        """Remove the key: every session ends."""
        (self.folder / "key").unlink(missing_ok=True)

    def port(self) -> int:
        """Return the port that the page listened at last; 0 where it never did."""
        try:
            return int(private.read_text(self.folder / "port"))
        except (OSError, ValueError):
            return 0

    def set_port(self, port: int) -> None:
        """Keep the port for the next run."""
        self._write(self.folder / "port", str(port))

    def added_folders(self) -> tuple[Path, ...]:
        """Return the folders that the person added; raises `BadInput` for a damaged file."""
        return tuple(Path(name) for name in self._read("folders.json", list) if isinstance(name, str))

    def set_added_folders(self, folders: Iterable[Path]) -> None:
        """Keep the folders that the person added."""
        self._write(self.folder / "folders.json", json.dumps([str(folder) for folder in folders]))

    def defaults(self) -> dict[str, str]:
        """Return what the Run page begins with, by the names of fields; raises `BadInput` for a damaged file."""
        return {str(name): str(text) for name, text in self._read("defaults.json", dict).items()}

    def set_defaults(self, values: Mapping[str, str]) -> None:
        """Keep what the Run page begins with."""
        self._write(self.folder / "defaults.json", json.dumps(dict(values)))

    def add_entry(self, name: str, text: str) -> Path:
        """Write an entry file and return its path."""
        self._write(self.entries / name, text)
        return self.entries / name

    def _read(self, name: str, kind: type[Kept]) -> Kept:
        """Return what a file holds, which is empty where there is none."""
        path = self.folder / name
        try:
            known = json.loads(private.read_text(path))
        except FileNotFoundError:
            return kind()
        except ValueError as error:
            raise BadInput(f"cannot read {path}: {error}", "Delete the file.") from error
        if not isinstance(known, kind):
            raise BadInput(f"cannot read {path}: it holds something else", "Delete the file.")
        return known

    def _write(self, path: Path, text: str) -> None:
        """Write a file that only this user can read; nobody sees half of it."""
        with replacing(path) as temporary:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            temporary.chmod(0o600)
