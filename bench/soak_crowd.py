"""The clients of the soak: some that come and go at random, in a process of their own, and fifty that compete.

python bench/soak_crowd.py CONNECTION_FILE FOLDER SECONDS SEED
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import fault_rig
import numpy as np
from fault_rig import Bridge, Case
from videomama_client import connection, messages
from videomama_client.client import Client
from videomama_client.errors import VideoMaMaError
from videomama_client.messages import FrameDone, MatteDone
from videomama_server.submission import submit

AT_ONCE = 6
CLIENTS, JOBS = 50, 500
GREEDY = 100  # of the jobs are one client's


def fresh(case: Case, rng: np.random.Generator) -> Case:
    """Return the job with a setting that makes every alpha a new one to the cache."""
    settings = replace(case.order.settings, exposure=float(rng.uniform(-4, 4)))
    return replace(case, order=replace(case.order, settings=settings))


def crowd(connection_file: Path, folder: Path, seconds: float, seed: int) -> Counter[str]:
    """Have clients come, ask and go until the time is up; return how often what happened."""
    counts: Counter[str] = Counter()
    until = time.monotonic() + seconds

    def come_and_go(number: int) -> None:
        rng = np.random.default_rng([seed, number])
        case = fault_rig.make_case(folder / f"crowd{number}", rng, size=(320, 192), count=6, engines=["passthrough"])
        while time.monotonic() < until:
            counts["clients"] += 1
            try:
                with Client(connection.read(connection_file)) as client:
                    counts[_visit(client, fresh(case, rng), rng)] += 1
            except VideoMaMaError as error:
                counts[f"error {error.code}"] += 1

    threads = [threading.Thread(target=come_and_go, args=(number,)) for number in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return counts


def _visit(client: Client, case: Case, rng: np.random.Generator) -> str:
    """Submit one job and follow it, or cancel it, or leave."""
    chance = rng.random()
    priority = messages.INTERACTIVE if rng.random() < 0.1 else messages.BATCH
    order = replace(case.order, priority=priority, transport="inline" if rng.random() < 0.15 else "path")
    sent = submit(client, order)
    for event in sent.events():
        if isinstance(event, FrameDone) and chance < 0.15:
            client.cancel(sent.job)
            return "cancelled"
        if isinstance(event, FrameDone) and chance < 0.3:
            return "left in the middle"
        if isinstance(event, MatteDone):
            return "done"
    raise AssertionError("events end with MatteDone or an error")


def compete(bridge: Bridge, folder: Path, rng: np.random.Generator) -> dict[str, object]:
    """Have fifty clients submit 500 small jobs at once, a hundred of them one client's, and see who waits for whom.

    The greedy client submits all its jobs before anybody else comes.
    """
    case = fault_rig.make_case(folder / "contest", rng, size=(64, 64), count=1, engines=["passthrough"])
    share = (JOBS - GREEDY) // (CLIENTS - 1)
    counts = [GREEDY] + [share + (index < (JOBS - GREEDY) % (CLIENTS - 1)) for index in range(CLIENTS - 1)]
    began: list[float] = []
    gate = threading.Barrier(CLIENTS, action=lambda: began.append(time.monotonic()))
    ends: dict[int, list[float]] = {}

    def take_part(number: int) -> None:
        own = np.random.default_rng([number, int(rng.integers(2**31))])
        with Client(connection.read(bridge.connection_file)) as client:
            client.hello(60.0)
            jobs = _submit_all(client, case, counts[number], own) if number == 0 else []
            gate.wait()
            jobs = jobs or _submit_all(client, case, counts[number], own)
            ends[number] = [_end(client, job) for job in jobs]

    threads = [threading.Thread(target=take_part, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times = [[at - began[0] for at in ends[number]] for number in range(CLIENTS)]
    seconds = max(max(one) for one in times)
    greedy, others = times[0], times[1:]
    return {
        "clients": CLIENTS,
        "jobs": sum(counts),
        "seconds": round(seconds, 2),
        "jobs_per_second": round(sum(counts) / seconds, 1),
        "first_job_of_others_done_at": _spread([min(one) for one in others], seconds),
        "last_job_of_others_done_at": _spread([max(one) for one in others], seconds),
        "greedy_clients_jobs_done_when_others_were": sum(at <= max(map(max, others)) for at in greedy),
        "fairness_jain_among_others": round(_jain([len(one) / max(one) for one in others]), 3),
    }


def _submit_all(client: Client, case: Case, count: int, rng: np.random.Generator) -> list[str]:
    jobs = []
    for _ in range(count):
        order = fresh(case, rng).order
        request = messages.SubmitMatte(fault_rig.new_name(), order.plate, order.mask, order.out, order.settings)
        jobs.append(client.submit(replace(request, priority=messages.BATCH)))
    return jobs


def _end(client: Client, job: str) -> float:
    """Return when a job was done, as its client hears of it."""
    for _ in client.events(job):
        continue
    return time.monotonic()


def _spread(times: list[float], whole: float) -> dict[str, float]:
    """Return the earliest, middle and latest, as shares of the whole time."""
    return {
        name: round(float(np.percentile(times, at)) / whole, 3) for name, at in (("p5", 5), ("p50", 50), ("p95", 95))
    }


def _jain(rates: list[float]) -> float:
    """Return Jain's index: one when all are served alike, 1/n when one gets everything."""
    return sum(rates) ** 2 / (len(rates) * sum(rate**2 for rate in rates))


if __name__ == "__main__":
    fault_rig.impatient()
    print(json.dumps(crowd(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))))
