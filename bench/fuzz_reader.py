"""The process that fuzz_pictures.py reads damaged files in: a path a line in, what came of it a line out."""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

from videomama_client.errors import VideoMaMaError
from videomama_server.media import frames

MEMORY = 12 << 30  # of address space: what a worker on a small machine has
TAKEN_MB = 512  # that reading a file which is then refused may take


def _memory_mb(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) // 1024
    return 0


def _outcome(path: Path) -> str:
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before = _memory_mb("VmRSS")
    try:
        frames.read_plate(path)
        frames.read_mask(path)
        said = "pixels\t"
    except VideoMaMaError as error:
        said = f"refused\t{error.message}" if str(path) in error.message else f"untyped\tnames no file: {error.message}"
    except Exception as error:  # noqa: BLE001  (any kind that gets here is a finding)
        said = f"untyped\t{type(error).__name__}: {error}"
    taken = _memory_mb("VmHWM") - before
    if said.startswith("refused") and taken > TAKEN_MB:
        return f"memory\t{taken} MB for a file that is refused: {said[8:]}"
    return said


def main() -> None:
    """Read files until there are no more names."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # decoders print
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    frames.use_threads(1)
    for line in sys.stdin:
        print(_outcome(Path(line.rstrip("\n"))).replace("\n", " "), file=answers, flush=True)


if __name__ == "__main__":
    main()
