"""Whether anybody gets in who should not: hundreds of attempts on a real server, with and without its keys.

python bench/intruder.py --json
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import insiders
import psutil
import strangers
from grounds import Grounds, Peer, lay_out
from private_server import private_server
from videomama_client import connection

_ENTRY = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (server|worker) [A-Z]+ (?!forged$)|    ")
_END_S = 15.0


class NoProof(Exception):
    """Honest clients are not served, so that attempts which fail say nothing."""


@dataclass
class Tally:
    """Attempts by kind, and what was got by those that got something."""

    by_kind: Counter[str] = field(default_factory=Counter)
    admitted: list[str] = field(default_factory=list)

    def add(self, kind: str, got: str) -> None:
        """Count one attempt."""
        self.by_kind[kind] += 1
        if got:
            self.admitted.append(f"{kind}: {got}")

    def add_all(self, attempts: Iterable[strangers.Attempt]) -> None:
        """Count attempts as they are made."""
        for kind, got in attempts:
            self.add(kind, got)

    def report(self) -> dict[str, object]:
        """Return what is printed."""
        return {"attempts": self.by_kind.total(), "admissions": len(self.admitted), "by_kind": dict(self.by_kind)}


def attack(seed: int, rounds: int) -> Tally:
    """Run a server, try everything `rounds` times, end it and see that nothing of it is left.

    Raises:
        NoProof: an honest client is not served, before or after.
    """
    tally, rng = Tally(), random.Random(seed)  # noqa: S311  (attempts that can be made again)
    with tempfile.TemporaryDirectory(prefix="videomama-intruder-") as name:
        root, secret = lay_out(Path(name))
        cache = root / "cache"  # under the root, so that nothing but its own rules keeps anybody out of it
        with private_server(["--roots", str(root), "--cache-dir", str(cache), "--threads", "1"]) as (client, folder):
            processes = _family(client.status().pid)
            known = connection.read(folder / "connection.json")
            with closing(Peer(known)) as peer:
                tally.add_all(_everything(Grounds(root, secret, cache, known, peer, rng), rounds))
            processes += _family(client.status().pid)
            tally.add("log entries forged", _forged(folder / "connection.log"))
            tally.add("keys in the log", _shown(folder / "connection.log", known))
        _, left = psutil.wait_procs(processes, _END_S)
        tally.add("processes left", str(left) if left else "")
    return tally


def _everything(grounds: Grounds, rounds: int) -> Iterator[strangers.Attempt]:
    _must_serve(grounds)
    yield from strangers.attempts(grounds.known, grounds.rng, rounds)
    yield from insiders.attempts(grounds, rounds)
    _must_serve(grounds)


def _must_serve(grounds: Grounds) -> None:
    if not strangers.is_let_in(grounds.known):
        raise NoProof("the right key is not let in")
    if not insiders.is_served(grounds):
        raise NoProof("an honest job is not done")


def _family(pid: int) -> list[psutil.Process]:
    server = psutil.Process(pid)
    return [server, *server.children(recursive=True)]


def _forged(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    strange = [line for line in lines if line and not _ENTRY.match(line)]
    return f"{strange[:3]}" if strange else ""


def _shown(log: Path, known: connection.Connection) -> str:
    content = log.read_text(encoding="utf-8", errors="replace")
    return "a key" if known.client_secret in content or known.client_public in content else ""


def main() -> int:
    """Attack and print; 1 when anybody got in."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--rounds", type=int, default=15, help="attempts of each kind")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    tally = attack(asked.seed, asked.rounds)
    print(json.dumps(tally.report()) if asked.json else json.dumps(tally.report(), indent=1))
    for line in tally.admitted:
        print(line, file=sys.stderr)
    return 1 if tally.admitted else 0


if __name__ == "__main__":
    sys.exit(main())
