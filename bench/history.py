"""Measures the history of jobs: listing and searching 100,000 jobs, its size, and kills while it is written.

python bench/history.py --json

Listing is measured in the history itself, and as a client of a real server sees it. Then as many jobs again are
entered, to see that the file does not grow with them, and a writer is killed `--kills` times, in both journals.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from private_server import private_server
from videomama_client.job_records import JobState, LogLine, Submitter
from videomama_client.messages import MatteDone, SubmitMatte
from videomama_client.settings import MatteSettings
from videomama_server.serving.history import file
from videomama_server.serving.history.rows import Rows

AT_ONCE = 500  # jobs of one transaction
REPEATS = 21
WRITER = """
import sys, uuid
from pathlib import Path
sys.path.insert(0, sys.argv[3])
import history
from videomama_server.serving.history import file
from videomama_server.serving.history.keeper import Keeper
if sys.argv[2] == "delete":
    file.is_local = lambda _: False
keeper = Keeper(Path(sys.argv[1]))
for number in range(int(sys.argv[4]), 10**9):
    state, request, result = history.job(number)
    keeper.put(state, request, result)
    keeper.note(state.job, history.line("done"))
    if number % 20 == 0:
        keeper.ask(lambda rows: 0, 0).result()
        print(number, flush=True)
"""


def job(number: int) -> tuple[JobState, SubmitMatte, MatteDone]:
    """Return the job of a number, as long as those of a studio are."""
    known, shot = uuid.uuid5(uuid.NAMESPACE_OID, str(number)).hex, f"sq{number % 90:03d}/sh{number % 997:04d}"
    plate, mask, out = (f"/shows/northern/{shot}/{kind}/v003/{kind}.####.exr" for kind in ("plate", "roto", "alpha"))
    submitter = Submitter(f"artist{number % 40}", f"ws{number % 60:02d}", "nuke", "/shows/northern")
    failed = number % 20 == 0
    state = JobState(
        known, f"{shot}_comp_v012.nk VideoMaMa1", plate, "batch", "failed" if failed else "done", "classic", 100, 100,
        80, 123.4, f"mask frame {number} is missing" if failed else "", mask=mask, out=out, submitter=submitter,
        submitted_at=1.7e9 + number, begun_at=1.7e9 + number + 3, ended_at=1.7e9 + number + 120, frame_rate=0.8,
        flags="flicker on 1007-1009", warnings=["the mask is empty on frames 1001-1004; alpha is 0 there"],
    )  # fmt: skip
    request = SubmitMatte("", plate, mask, out, MatteSettings(), label=state.label, submitter=submitter)
    return state, request, MatteDone(known, 100, 80, 20, 123.4, "classic", [0, 0, 1920, 1080], state.warnings)


def line(text: str) -> LogLine:
    """Return a line of a log."""
    return LogLine(1.7e9, f"{text}: 100 frames (80 computed, 20 cached) in 123.4 s by classic")


def fill(rows: Rows, connection: sqlite3.Connection, numbers: range) -> None:
    """Enter jobs, with five lines each, pruning as a server does."""
    for start in range(numbers.start, numbers.stop, AT_ONCE):
        connection.execute("BEGIN IMMEDIATE")
        for number in range(start, min(start + AT_ONCE, numbers.stop)):
            state, request, result = job(number)
            rows.put(state, request, result)
            for text in ("submitted", "begun", "planned", "a warning", "done"):
                rows.note(state.job, line(text))
        rows.prune()
        connection.execute("COMMIT")


def milliseconds(call: Callable[[], object]) -> dict[str, float]:
    """Return the median and the worst time of a call."""
    taken = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        call()
        taken.append(1000 * (time.perf_counter() - begun))
    return {"median_ms": round(statistics.median(taken), 2), "worst_ms": round(max(taken), 2)}


def listing(rows: Rows, count: int) -> dict[str, Any]:
    """Return what it takes to list and search."""
    middle = job(count // 2)[0].job
    return {
        "newest 50": milliseconds(lambda: rows.page("", [], None, 50)),
        "50 in the middle": milliseconds(lambda: rows.page("", [], count // 2, 50)),
        "50 that failed": milliseconds(lambda: rows.page("", ["failed"], None, 50)),
        "search, 50 found": milliseconds(lambda: rows.page("artist7 sh0", [], None, 50)),
        "search, the oldest alone": milliseconds(lambda: rows.page(job(1)[0].job, [], None, 50)),
        "search, nothing found": milliseconds(lambda: rows.page("nobody", [], None, 50)),
        "one job by its id": milliseconds(lambda: rows.details(middle[:10])),
    }


def served(path: Path) -> dict[str, float]:
    """Return what it takes a client to list the newest jobs of a real server with that history."""
    with private_server() as (client, folder):
        shutil.copy(path, folder / "connection.history.sqlite")
        client.history()  # opens the file
        return milliseconds(lambda: client.history(limit=50))


def kills(folder: Path, journal: str, count: int) -> dict[str, int]:
    """Kill a writer again and again; return how often the history was whole, and what was lost of the answered."""
    path, whole, lost = folder / f"{journal}.sqlite", 0, 0
    for number in range(count):
        words = [sys.executable, "-c", WRITER, str(path), journal, str(Path(__file__).parent), str(1000 * number)]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            answered = int(writer.stdout.readline())
            time.sleep(0.01 * (number % 10))
            writer.send_signal(signal.SIGKILL)
        connection = sqlite3.connect(path)
        whole += connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        known = Rows(connection).details(job(answered)[0].job)
        lost += known is None
        connection.close()
    return {
        "kills": count,
        "whole": whole,
        "lost": lost,
        "moved aside": int(path.with_name(f"{path.name}.damaged").exists()),
    }


def main() -> None:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="videomama-bench-") as name:
        folder = Path(name)
        path = folder / "history.sqlite"
        connection = file.opened(path)
        rows = Rows(connection)
        fill(rows, connection, range(asked.jobs))
        found: dict[str, Any] = {"jobs": asked.jobs, "listing": listing(rows, asked.jobs)}
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        found["megabytes"] = round(path.stat().st_size / 1e6, 1)
        found["as a client"] = served(path)
        fill(rows, connection, range(asked.jobs, 2 * asked.jobs))
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        found["megabytes after as many again"] = round(path.stat().st_size / 1e6, 1)
        connection.close()
        found["killed"] = {journal: kills(folder, journal, asked.kills) for journal in ("wal", "delete")}
    print(json.dumps(found) if asked.json else json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
