"""Refine a clip from a program of your own: submit, follow, resume. Needs only the package `videomama_client`.

python refine.py PLATE MASK OUT [SETTING=VALUE ...]
"""

from __future__ import annotations

import sys
import uuid
from pathlib import Path

from videomama_client import launch
from videomama_client.errors import VideoMaMaError
from videomama_client.messages import BATCH, FrameDone, MatteDone, SubmitMatte
from videomama_client.settings import MatteSettings


def refine(plate: str, mask: str, out: str, settings: MatteSettings) -> MatteDone:
    """Refine a clip whose files this machine's server sees, and return the result.

    Frames that were finished before come from the cache, so calling it again resumes a job.

    Args:
        plate, mask, out: absolute patterns, such as `/shots/sh010/plate.####.exr`.
        settings: what changes pixels; see docs/reference/settings.md.

    Raises:
        VideoMaMaError: `code` says of which kind, `message` what is wrong, `hint` what to do.
    """
    with launch.connect() as client:  # starts the server where none runs
        job = client.submit(SubmitMatte(uuid.uuid4().hex, plate, mask, out, settings, priority=BATCH))
        for event in client.events(job):
            if isinstance(event, FrameDone):
                print(f"{event.path} {'cached' if event.cached else 'computed'}", flush=True)
            elif isinstance(event, MatteDone):
                return event
    raise AssertionError("events end with MatteDone, or raise")


def main(words: list[str]) -> int:
    """Refine what the words name, and return the exit code."""
    plate, mask, out = (str(Path(word).absolute()) for word in words[:3])
    values = dict(word.split("=", 1) for word in words[3:])
    try:
        done = refine(plate, mask, out, MatteSettings.of(**values))
    except VideoMaMaError as error:
        print(f"{error.code}: {error.message}\n{error.hint}", file=sys.stderr)
        return 1
    print(f"{done.frame_count} frames, {done.computed} computed, by {done.engine}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
