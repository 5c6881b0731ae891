"""Links in the place of frames: those that lead nowhere, and those whose file has another ending than they have."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from videomama_client.errors import BadInput, NotPermitted, VideoMaMaError

from videomama_server.media.movie_frame import like


def dead_link(path: Path) -> str:
    """Return what is wrong with a link that leads nowhere, as the end of a sentence; empty for any other path."""
    try:
        if path.is_symlink() and not path.exists():
            return f"is a link to {path.readlink()}, which does not exist"
    except OSError:  # a link in a circle, or a folder that may not be looked at: reading it says so
        return ""
    return ""


def refuse_dead_link(path: Path) -> None:
    """Raise `BadInput` for a link that leads nowhere."""
    reason = dead_link(path)
    if reason:
        raise BadInput(f"{path} {reason}", "Restore the file, or set the link again.")


@contextmanager
def with_ending(path: Path, suffix: str) -> Iterator[Path]:
    """Yield a path to the same file that ends in `suffix`: the file itself, or a private link to it.

    Libraries know a format by the file's name, and of a file in a store without endings the link's name counts. The
    private link lies in a new folder that nobody else may write in, so that it cannot be set to another file.

    Args:
        path: links resolved; checked already.
        suffix: with its dot.

    Raises:
        NotPermitted: a link is needed, and none can be made.
    """
    if path.suffix.lower() == suffix.lower():
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="videomama-link-") as folder:
        named = Path(folder) / f"{path.name}{suffix}"
        try:
            named.symlink_to(path)
        except OSError as error:
            raise NotPermitted(
                f"{path} is read under the name of a link, and none can be made in {folder}: {error.strerror}",
                f"Give the file the ending {suffix}.",
            ) from error
        try:
            yield like(path, named)
        except VideoMaMaError as error:
            reason = error.message.replace(str(named), str(path))
            raise type(error)(reason, error.hint, role=error.role, frame=error.frame, file=str(path)) from error
