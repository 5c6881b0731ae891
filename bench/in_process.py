"""Jobs in this process: through the worker's own intake and pipeline, without server and worker process.

What an engine makes is what a server delivers, and the processor time of this process is that of its jobs.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from videomama_client.messages import JobEvent, MatteDone, SubmitMatte
from videomama_client.settings import MatteSettings
from videomama_client.stages import Stage
from videomama_server import pipe
from videomama_server.cache.entries import Cache
from videomama_server.cache.memo import Memo
from videomama_server.config import Config
from videomama_server.pipeline.run import Matte
from videomama_server.pipeline.services import Services
from videomama_server.worker.intake import Intake
from videomama_server.worker.reads import Reads
from videomama_server.worker.shelf import EngineShelf


@dataclass(frozen=True)
class Matting:
    """What is asked for: patterns of plate, mask and alpha, the clip's frames, settings, and stages after the first."""

    plate: str
    mask: str
    out: str
    frames: Sequence[int]
    settings: MatteSettings
    then: tuple[Stage, ...] = ()


@dataclass(frozen=True)
class Matted:
    """What became of it; `seconds` are of the processor, all threads together."""

    done: MatteDone
    seconds: float


class Pipeline:
    """Does jobs one after the other, with a cache of its own."""

    def __init__(self, config: Config, services: Services) -> None:
        self._services = services
        shelf = EngineShelf(config, config.folded_dir, lambda _: None)
        self._intake = Intake(config, services, shelf, Reads(lambda *_: None), lambda _: None)
        self._numbers = count(1)

    def run(self, asked: Matting) -> Matted:
        """Do one job; raises what was wrong with it."""
        Path(asked.out).parent.mkdir(parents=True, exist_ok=True)
        clip = f"{asked.frames[0]}-{asked.frames[-1]}"
        request = SubmitMatte("bench", asked.plate, asked.mask, asked.out, asked.settings, clip, clip, then=asked.then)
        heard: list[JobEvent] = []
        cancelled, began = threading.Event(), time.process_time()
        with self._intake.taken(pipe.RunJob(f"job{next(self._numbers)}", "", request), cancelled) as order:
            for pause in Matte(order, self._services, heard.append, cancelled).run():
                wait([pause] if pause else [])
        done = heard[-1]
        assert isinstance(done, MatteDone)
        return Matted(done, time.process_time() - began)


@contextmanager
def in_process(folder: Path) -> Iterator[Pipeline]:
    """Yield a pipeline whose cache lies in `folder`."""
    config, cache = Config(cache_dir=folder), Cache(folder)
    with ThreadPoolExecutor(config.threads) as readers, ThreadPoolExecutor(config.threads) as writers:
        yield Pipeline(config, Services(cache, Memo(cache.write_root / "memo"), readers, writers, config.threads))
    cache.close()
