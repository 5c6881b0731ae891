"""What browser tests share: a page that listens, a browser with a session of it, and what its console said."""

import json
import shutil
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import uvicorn
from videomama_server.web import session
from videomama_server.web.app import create_app

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
DRIVERS = ("chromedriver", "chromium.chromedriver")


def found(names):
    return next((path for path in map(shutil.which, names) if path), None)


@contextmanager
def listening(site):
    """Run a page on a free port of 127.0.0.1."""
    config = uvicorn.Config(create_app(site), host="127.0.0.1", port=0, log_level="error", timeout_graceful_shutdown=1)
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    try:
        until(lambda: running.started and running.servers)
        site.port = running.servers[0].sockets[0].getsockname()[1]
        yield site
    finally:
        running.should_exit = True
        thread.join(60)


@contextmanager
def opened(folder, size=(1280, 900)):
    """Yield a browser without a window; skips where there is none. Selenium Manager, which downloads, stays off."""
    selenium = pytest.importorskip("selenium.webdriver")
    browser, driver = found(BROWSERS), found(DRIVERS)
    if not browser or not driver:
        pytest.skip("no Chromium with its driver on this machine")
    options = selenium.ChromeOptions()
    options.binary_location = browser
    for said in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", f"--user-data-dir={folder}"):
        options.add_argument(said)
    options.add_argument(f"--window-size={size[0]},{size[1]}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    from selenium.webdriver.chrome.service import Service

    chrome = selenium.Chrome(options=options, service=Service(executable_path=driver))
    try:
        yield chrome
    finally:
        with suppress(Exception):
            chrome.quit()


def let_in(chrome, site):
    """Give the browser a session, as the entry file would."""
    cookie = {"name": session.cookie_name(site.port), "value": session.new_cookie(site.state)}
    chrome.execute_cdp_cmd("Network.setCookie", {**cookie, "url": site.address, "httpOnly": True, "sameSite": "Strict"})


def until(there, seconds=30.0):
    """Wait until something is true, and return it."""
    end = time.monotonic() + seconds
    while not (said := there()):
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)
    return said


def complaints(chrome):
    """Return what the console of the page said that is an error or a warning."""
    return [line["message"] for line in chrome.get_log("browser") if line["level"] in {"SEVERE", "WARNING"}]


def hosts_asked(chrome):
    """Return the hosts that requests went to since the last call, those of the browser's own pages left out."""
    found = set()
    for line in chrome.get_log("performance"):
        message = json.loads(line["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            asked = urlsplit(message["params"]["request"]["url"])
            found |= {asked.hostname} if asked.scheme in {"http", "https", "ws", "wss"} else set()
    return found


def barriers(chrome):
    """Return what axe-core calls serious or critical on the page that is open, such as text that is hard to read."""
    chrome.execute_script((Path(__file__).parent / "axe" / "axe.min.js").read_text(encoding="utf-8"))
    found = chrome.execute_async_script("axe.run(document).then(arguments[0])")
    grave = [rule for rule in found["violations"] if rule["impact"] in {"serious", "critical"}]
    return [(rule["id"], [node["html"][:160] for node in rule["nodes"]]) for rule in grave]
