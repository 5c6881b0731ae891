"""What the web page's pictures cost: page load, first thumbnail, scrubbing a 4K EXR clip, memory over many frames.

python bench/web.py --json

The page runs in a process of its own, and is asked over HTTP, as by a browser, one frame after the other at `--rate` a
second; a frame that comes later than the next one is due counts as late. Warm means that the pictures of these frames
were made before. `in a browser` is what Chromium (with chromedriver) shows of the same clip when it plays it.
Memory is the resident memory of the page's process, before and after `--many` frames of HD at screen size and at full
pixels; frames are hard links to eight distinct pictures, each decoded for itself.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import footage
import psutil
import uvicorn
from videomama_server.web import session
from videomama_server.web.app import create_app
from videomama_server.web.site import HOST, Site
from videomama_server.web.state import State

SCREEN = 1920
READY_S = 30.0


@dataclass(frozen=True)
class Page:
    """A page that runs: where, its process, and the cookie of a session."""

    port: int
    process: psutil.Process
    cookie: tuple[str, str]

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.port}"

    def get(self, path: str, **query: Any) -> tuple[float, bytes]:
        """Return the seconds that an answer took, and the answer."""
        began = time.perf_counter()
        connection = http.client.HTTPConnection(HOST, self.port)
        headers = {"Cookie": "=".join(self.cookie), "Host": f"{HOST}:{self.port}"}
        connection.request("GET", f"{path}?{urlencode(query)}" if query else path, headers=headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if answer.status != 200 or answer.headers.get("X-Picture-Message"):
            raise SystemExit(f"{path} answered {answer.status}: {content[:500]!r}")
        return time.perf_counter() - began, content

    @property
    def memory_mb(self) -> float:
        return self.process.memory_info().rss / 2**20


def serve(folder: Path) -> None:
    """Run the page for files in `folder`, and print its port and a cookie."""
    state = State.beside(folder / "state" / "connection.json")
    state.folder.parent.mkdir(parents=True, exist_ok=True)
    state.make()
    site = Site(folder / "state" / "connection.json", 0, state)
    server = uvicorn.Server(uvicorn.Config(create_app(site), host=HOST, port=0, log_level="error"))
    began = server.startup

    async def startup(sockets: Any = None) -> None:
        await began(sockets)
        site.port = server.servers[0].sockets[0].getsockname()[1]
        print(json.dumps([site.port, session.cookie_name(site.port), session.new_cookie(state)]), flush=True)

    server.startup = startup  # type: ignore[method-assign]
    server.run()


@contextmanager
def page(folder: Path) -> Iterator[Page]:
    """Run the page in a process of its own."""
    surroundings = {**os.environ, "HOME": str(folder), "VIDEOMAMA_CONFIG": os.devnull}
    running = subprocess.Popen(
        [sys.executable, __file__, "--serve", str(folder)], stdout=subprocess.PIPE, text=True, env=surroundings
    )
    try:
        assert running.stdout is not None
        port, name, cookie = json.loads(running.stdout.readline())
        yield Page(port, psutil.Process(running.pid), (name, cookie))
    finally:
        running.terminate()
        running.wait()


def scrub(shown: Page, clip: dict[str, str], frames: int, rate: float) -> dict[str, Any]:
    """Ask for one frame after the other at a rate; return how long after it was due each came, and how many late."""
    seconds = []
    began = time.perf_counter()
    for number in range(1, frames + 1):
        due = began + (number - 1) / rate
        time.sleep(max(0.0, due - time.perf_counter()))
        shown.get("/pictures/plate", **clip, frame=number, size=SCREEN)
        seconds.append(time.perf_counter() - due)
    took = time.perf_counter() - began
    seconds.sort()
    return {
        "frames_a_second": round(frames / took, 1),
        "median_ms": round(1e3 * statistics.median(seconds), 1),
        "p95_ms": round(1e3 * seconds[int(0.95 * (len(seconds) - 1))], 1),
        "late_frames": sum(second > 1 / rate for second in seconds),
        "frames": frames,
    }


def in_browser(shown: Page, clip: dict[str, str], rate: float) -> dict[str, Any]:
    """Return what a browser makes of it; empty where there is none."""
    if not shutil.which("chromedriver") or not shutil.which("chromium"):
        return {}
    from web_pictures import browser  # needs selenium

    address = f"{shown.address}/judge?{urlencode(clip)}#frame=1&a=plate&mode=single"
    with tempfile.TemporaryDirectory() as profile, browser(Path(profile), "1920x1080") as chrome:
        name, value = shown.cookie
        chrome.execute_cdp_cmd("Network.setCookie", {"name": name, "value": value, "url": shown.address})
        chrome.get(address)  # what is read from disk once
        painted(chrome)
        chrome.get("about:blank")
        began = time.perf_counter()
        chrome.get(address)
        painted(chrome)
        loaded = time.perf_counter() - began
        return {"page_load_s": round(loaded, 2), **played(chrome, rate)}


def painted(chrome: Any) -> None:
    end = time.perf_counter() + READY_S
    script = 'return document.getElementById("canvas")?.dataset.frame && !document.getElementById("said").textContent'
    while not chrome.execute_script(script):
        if time.perf_counter() > end:
            raise SystemExit("the browser shows no picture")
        time.sleep(0.01)


def played(chrome: Any, rate: float) -> dict[str, Any]:
    """Play the clip twice at a rate, the second time from warm caches, and return what the page says of it."""
    chrome.execute_script("document.getElementById('fps').value = arguments[0]", rate)
    count = int(chrome.find_element("id", "timeline").get_attribute("aria-valuemax"))
    chrome.find_element("id", "play").click()
    time.sleep(count / rate + (count - 2) / rate)
    said = chrome.find_element("id", "speed").text
    return {"playing": said}


def memory(shown: Page, clip: dict[str, str], many: int) -> dict[str, Any]:
    """Return the page's memory while it shows many frames: before, half-way, at the end."""
    found = {"before_mb": round(shown.memory_mb)}
    for number in range(1, many + 1):
        shown.get("/pictures/plate", **clip, frame=number, size=SCREEN)
        shown.get("/pictures/alpha", **clip, frame=number, region="0,0,512,512")
        if number in (many // 2, many):
            found[f"after_{number}_frames_mb"] = round(shown.memory_mb)
    return found


def measure(folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Return all figures."""
    width, height = map(int, asked.size.split("x"))
    plate, mask = footage.make(folder / "uhd", asked.frames, width, height)
    clip = {"plate": plate, "mask": mask, "alpha": mask}
    with page(folder) as shown:
        shown.get("/judge")  # what is imported and compiled once
        answer_s, _ = shown.get("/judge", **clip)
        thumbnail_s, _ = shown.get("/pictures/plate", plate=plate, frame=asked.frames, size=160)
        cold = scrub(shown, clip, asked.frames, asked.rate)
        warm = scrub(shown, clip, asked.frames, asked.rate)
        found = {
            "page_answer_ms": round(1e3 * answer_s, 1),
            "first_thumbnail_ms": round(1e3 * thumbnail_s),
            "scrubbing_cold": cold,
            "scrubbing_warm": warm,
            "in_a_browser": in_browser(shown, clip, asked.rate),
        }
    if asked.many:
        many_plate, many_mask = footage.make(folder / "many", asked.many, 1920, 1080)
        with page(folder) as shown:
            found["memory"] = memory(shown, {"plate": many_plate, "alpha": many_mask}, asked.many)
    return {**found, "size": asked.size, "rate": asked.rate, "load": round(os.getloadavg()[0], 1)}


def main() -> None:
    asking = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asking.add_argument("--size", default="4096x2160")
    asking.add_argument("--frames", type=int, default=48, help="of the clip that is scrubbed")
    asking.add_argument("--many", type=int, default=1000, help="frames that memory is watched over; 0 leaves it out")
    asking.add_argument("--rate", type=float, default=10.0, help="frames a second")
    asking.add_argument("--json", action="store_true", help="one line of JSON")
    asking.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    asked = asking.parse_args()
    if asked.serve:
        serve(asked.serve)
        return
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder).resolve(), asked)
    print(json.dumps(found) if asked.json else json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
