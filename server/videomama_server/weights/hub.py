"""The hub, through huggingface_hub: what a published file is, and its bytes, taken up where an earlier run ended.

The library's own download begins from zero in every process, so that a killed one would have to fetch all again; here
what arrived stays in one file, and the rest is asked for.
"""

from __future__ import annotations

import errno
import io
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, get_hf_file_metadata, hf_hub_url
from huggingface_hub.errors import (
    FileMetadataError,
    GatedRepoError,
    HfHubHTTPError,
    OfflineModeIsEnabled,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.file_download import http_get
from videomama_client.errors import NotPermitted, VideoMaMaError, WeightsError

_TIMEOUT_S = 30.0
_PAUSE_S = 1.0
_COMMIT = re.compile(r"[0-9a-f]{40}")
_AGAIN = "Run the same command again: it continues where it stopped."
_ELSEWHERE = "Or fetch the files on another machine and import them: python install weights --from DIR."
# What requests raise, of the HTTP library that this version of huggingface_hub is built on.
_HttpError: type[Exception] = import_module("huggingface_hub.errors").HTTPError
_library: Any = import_module("huggingface_hub.utils")


@dataclass(frozen=True)
class Remote:
    """One file at one commit: its size in bytes, and the digest that the hub states (SHA-256, or git's SHA-1)."""

    repo: str
    commit: str
    file: str
    url: str
    size: int
    etag: str


class Hub:
    """The hub at `endpoint`; None is huggingface.co, or what HF_ENDPOINT says. HF_TOKEN and proxies count as usual."""

    def __init__(self, endpoint: str | None = None) -> None:
        self._endpoint = (endpoint or os.environ.get("HF_ENDPOINT") or "").rstrip("/") or None
        # Progress and errors are told by the caller, once.
        _library.disable_progress_bars()
        _library.logging.set_verbosity_error()

    def commit(self, repo: str, revision: str) -> str:
        """Return the commit that a branch is at."""
        with self._told(repo):
            commit = HfApi(endpoint=self._endpoint).model_info(repo, revision=revision, timeout=_TIMEOUT_S).sha
        if not commit or not _COMMIT.fullmatch(commit):
            raise WeightsError(f"the hub names no commit of {repo}", self._place())
        return commit

    def describe(self, repo: str, commit: str, file: str) -> Remote:
        """Return what the hub says of a file, without its bytes."""
        url = hf_hub_url(repo, file, revision=commit, endpoint=self._endpoint)
        with self._told(repo):
            said = get_hf_file_metadata(url, timeout=_TIMEOUT_S, endpoint=self._endpoint)
        if said.size is None or not said.etag:
            raise WeightsError(f"the hub does not say how large {file} of {repo} is", self._place())
        return Remote(repo, commit, file, url, said.size, said.etag)

    def fetch(self, remote: Remote, part: Path, arrived: Callable[[int], None]) -> None:
        """Fetch what `part` lacks of a file.

        Args:
            remote: the file.
            part: holds its beginning, or is not there; all of it when this returns, at an error what arrived.
            arrived: is told the bytes that are there, in all.

        Raises:
            WeightsError: the transfer failed.
            NotPermitted: `part` cannot be written, or the disk is full.
        """
        if part.exists() and part.stat().st_size > remote.size:
            part.unlink()
        before = -1
        # The library tries again what it knows to be passing; this is for all other ways that a line can break.
        while broken := self._tried(remote, part, arrived):
            there = part.stat().st_size
            if there <= before or there == remote.size:
                raise broken
            before = there
            time.sleep(_PAUSE_S)

    def _tried(self, remote: Remote, part: Path, arrived: Callable[[int], None]) -> WeightsError | None:
        """Fetch on; return what broke it off, if anything did that may pass."""
        try:
            with self._told(remote.repo), _Part(part, arrived) as file:
                self._get(remote, file)
        except _Broken as error:
            return error
        return None

    def _get(self, remote: Remote, file: _Part) -> None:
        # The hub's address, not that of the storage behind it, which is signed for an hour only.
        headers = {**_library.build_hf_headers(), "accept-encoding": "identity"}
        http_get(remote.url, file, resume_size=file.tell(), headers=headers, expected_size=remote.size)
        file.flush()
        os.fsync(file.fileno())

    def _place(self) -> str:
        where = f"HF_ENDPOINT is {self._endpoint}: check that it is a hub. " if self._endpoint else ""
        return f"{where}{_AGAIN} {_ELSEWHERE}"

    @contextmanager
    def _told(self, repo: str) -> Iterator[None]:
        """Turn what the library and the disk raise into errors for people."""
        try:
            yield
        except VideoMaMaError:
            raise
        except HfHubHTTPError as error:
            raise self._refused(repo, error) from error
        except OfflineModeIsEnabled as error:
            raise WeightsError(
                "weights cannot be downloaded: HF_HUB_OFFLINE is set", f"Unset it for this command. {_ELSEWHERE}"
            ) from error
        except FileMetadataError as error:
            raise WeightsError(f"what answers for {repo} is not a hub ({error})", self._place()) from error
        except _HttpError as error:
            raise _Broken(
                f"the connection for {repo} broke off: {_reason(error)}", f"{_network_hint(self._endpoint)} {_AGAIN}"
            ) from error
        except OSError as error:
            raise _disk_error(repo, error) from error
        except (ValueError, KeyError, TypeError) as error:  # an answer, or an address, that makes no sense
            raise WeightsError(f"what answers for {repo} is not a hub ({_reason(error)})", self._place()) from error

    def _refused(self, repo: str, error: HfHubHTTPError) -> WeightsError:
        status = error.response.status_code
        if isinstance(error, GatedRepoError) or status in (401, 403):
            return WeightsError(
                f"the hub does not give {repo} to everybody (HTTP {status})",
                f"Log in at https://huggingface.co/{repo}, accept the terms there, make a token that may read, and set "
                f"HF_TOKEN to it. {_ELSEWHERE}",
            )
        if isinstance(error, (RepositoryNotFoundError, RevisionNotFoundError, RemoteEntryNotFoundError)):
            return WeightsError(
                f"the hub has no such file, commit or repository: {repo} (HTTP {status})",
                "If it was moved there, delete videomama-weights.json beside the weights to pin its newest commit. "
                + self._place(),
            )
        return WeightsError(f"the hub answered for {repo} with HTTP {status}", f"Try later. {_AGAIN}")


class _Broken(WeightsError):
    """A transfer that may go on if it is tried again."""


class _Part(io.FileIO):
    """A file that is written at its end, and tells how long it is."""

    def __init__(self, path: Path, arrived: Callable[[int], None]) -> None:
        super().__init__(path, "ab")
        self._arrived = arrived

    def write(self, content: Any) -> int:
        """Write all of it, which a plain FileIO need not."""
        view = memoryview(content)
        done = 0
        while done < len(view):
            done += super().write(view[done:])
        self._arrived(self.tell())
        return done


def _disk_error(repo: str, error: OSError) -> VideoMaMaError:
    if error.errno is None:  # the library's own: the file ended early
        return _Broken(f"the transfer of {repo} broke off: {_reason(error)}", _AGAIN)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NotPermitted("the disk is full", f"Free some space. {_AGAIN}")
    return NotPermitted(
        f"cannot write {error.filename or 'the weights'}: {error.strerror}",
        "Check the folder's permissions, or name another with --to DIR.",
    )


def _network_hint(endpoint: str | None) -> str:
    proxies = [name for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy") if os.environ.get(name)]
    said = f"{endpoint or 'https://huggingface.co'} could not be reached, or not for long"
    said += f", through the proxy in {' and '.join(proxies)}" if proxies else ""
    return f"{said}: check the network; behind a proxy set HTTPS_PROXY, for a mirror HF_ENDPOINT. {_ELSEWHERE}"


def _reason(error: Exception) -> str:
    return " ".join((str(error) or type(error).__name__).split())[:200]
