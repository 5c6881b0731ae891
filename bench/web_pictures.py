"""Draws the pictures of docs/web.md: runs the page on the example shot, and photographs it in Chromium.

python bench/web_pictures.py [--size 1440x900] [--theme dark] [--out docs/images] [--all]

It needs Chromium with its driver and the extra `web`. The page has a home, a server and a cache of its own, which end.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

ROOT = Path(__file__).parents[1]
SHOT = ROOT / "docs" / "examples" / "shot"
WAIT_S = 60.0


def main() -> None:
    """Draw all pictures."""
    reading = argparse.ArgumentParser(description=__doc__)
    reading.add_argument("--size", default="1440x900", help="of the window, pixels")
    reading.add_argument("--theme", choices=["light", "dark"], default="dark")
    reading.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    reading.add_argument("--all", action="store_true", help="also the dialog that browses and the list of jobs")
    asked = reading.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="videomama-pictures-") as folder:
        home = Path(folder, "artist")
        shutil.copytree(SHOT, home / "shot")
        with page(home) as (address, entry), browser(Path(folder, "profile"), asked.size) as chrome:
            chrome.get(entry.as_uri())
            wait(chrome, "return location.pathname === '/jobs'")
            chrome.execute_script("localStorage.setItem('videomama-theme', arguments[0])", asked.theme)
            job = run(chrome, address, home / "shot", asked.out)
            pages = {"job": f"jobs/{job}", "judge": f"judge?job={job}", "settings": "settings"}
            for name, path in pages.items():
                chrome.get(f"{address}/{path}")
                save(chrome, asked.out / f"web_{name}.png")
            if asked.all:
                draw_others(chrome, address, asked.out)


def run(chrome: webdriver.Chrome, address: str, shot: Path, out: Path) -> str:
    """Fill in the Run page, make three frames, photograph it, and return the id of the job."""
    chrome.get(f"{address}/run")
    for role in ("plate", "mask"):
        fill(chrome, role, str(shot / f"{role}.####.exr"))
        wait(chrome, f"return document.getElementById('found-{role}') !== null")
    chrome.execute_script("document.getElementById('preview').click()")
    wait(chrome, "return document.querySelectorAll('#outcome .results img').length === 3")
    chrome.execute_script("document.getElementById('mask-shown').click()")
    save(chrome, out / "web_run.png")
    return str(chrome.execute_script("return document.querySelector('#outcome a').href")).rsplit("/", 1)[1]


def draw_others(chrome: webdriver.Chrome, address: str, out: Path) -> None:
    """Photograph the list of jobs with its history, and the dialog that browses."""
    chrome.get(f"{address}/jobs")
    chrome.execute_script("htmx.trigger('#search', 'submit')")
    wait(chrome, "return document.querySelector('#history table') !== null")
    save(chrome, out / "web_jobs.png")
    chrome.get(f"{address}/run")
    chrome.execute_script("document.querySelector('[data-browse=plate]').click()")
    wait(chrome, "return document.querySelector('#browse-content .entry') !== null")
    save(chrome, out / "web_browse.png")


def fill(chrome: webdriver.Chrome, name: str, text: str) -> None:
    """Type into a field, and leave it."""
    script = "const one = document.getElementById(arguments[0]); one.value = arguments[1];"
    chrome.execute_script(f"{script} one.dispatchEvent(new Event('change', {{ bubbles: true }}))", name, text)


def save(chrome: webdriver.Chrome, path: Path) -> None:
    """Photograph what is shown once its pictures are there."""
    wait(chrome, "return [...document.images].every((one) => one.complete)")
    time.sleep(1.5)  # canvases are painted after their pictures have come
    chrome.save_screenshot(str(path))
    print(path)


def wait(chrome: webdriver.Chrome, script: str) -> None:
    """Wait until a script returns true."""
    until = time.monotonic() + WAIT_S
    while not chrome.execute_script(script):
        if time.monotonic() > until:
            sys.exit(f"waited in vain until {script}")
        time.sleep(0.1)


@contextmanager
def browser(profile: Path, size: str) -> Iterator[webdriver.Chrome]:
    """Run Chromium without a window."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or "chromium"
    words = ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars")
    for word in (*words, f"--user-data-dir={profile}"):
        options.add_argument(word)
    chrome = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    width, height = map(int, size.split("x"))
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        yield chrome
    finally:
        chrome.quit()


@contextmanager
def page(home: Path) -> Iterator[tuple[str, Path]]:
    """Run the page of a new user, and yield its address and its entry file."""
    own = {"VIDEOMAMA_CONFIG": os.devnull, "VIDEOMAMA_CACHE_DIR": str(home.parent / "cache"), "HOME": str(home)}
    variables = {**os.environ, **own}
    command = [sys.executable, "-m", "videomama_server"]
    file = ["--connection-file", str(home.parent / "state" / "connection.json")]
    running = subprocess.Popen(
        [*command, "web", "--no-browser", *file], stderr=subprocess.PIPE, text=True, env=variables
    )
    assert running.stderr is not None
    said = [running.stderr.readline().strip() for _ in range(2)]
    try:
        yield said[0], Path(said[1].rpartition(": ")[2])
    finally:
        subprocess.run([*command, "stop", *file], env=variables, capture_output=True, check=False)
        running.terminate()
        running.wait()


if __name__ == "__main__":
    main()
