"""The page as a person uses it, in a real browser, with real processes that are restarted in the middle."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from page_browser import barriers, complaints, hosts_asked, opened, until

LONG = 60.0


class Machine:
    """The page and the server of a new user, as processes."""

    def __init__(self, folder, home):
        self.file = folder / "state" / "connection.json"
        cache = {"VIDEOMAMA_CACHE_DIR": str(folder / "cache"), "VIDEOMAMA_CONFIG": os.devnull}
        self.variables = {**os.environ, **cache, "HOME": str(home)}
        self.page = None

    def start(self):
        """Start the page; return its address and its entry file."""
        words = ["web", "--no-browser", "--connection-file", str(self.file)]
        command = [sys.executable, "-m", "videomama_server", *words]
        self.page = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=self.variables)
        said = [self.page.stderr.readline().strip() for _ in range(2)]
        return said[0], said[1].rpartition(": ")[2]

    def end_page(self):
        self.page.send_signal(signal.SIGTERM)
        self.page.wait(60)
        self.page.stderr.close()

    def stop_server(self):
        words = ["stop", "--connection-file", str(self.file)]
        subprocess.run([sys.executable, "-m", "videomama_server", *words], env=self.variables, capture_output=True)


@pytest.fixture
def machine(tmp_path, home):
    running = Machine(tmp_path, home)
    yield running
    running.stop_server()
    if running.page.poll() is None:
        running.end_page()


class Person:
    """What a person does in a browser."""

    def __init__(self, chrome):
        self.chrome = chrome

    def one(self, what):
        return until(lambda: next(iter(self.chrome.find_elements("css selector", what)), None), LONG)

    def press(self, what):
        """Press what is shown; by script, as live parts are replaced between looking and pressing."""
        script = """const one = document.querySelector(arguments[0]);
        if (!one || !one.checkVisibility() || one.disabled) return false;
        one.click();
        return true"""
        until(lambda: self.chrome.execute_script(script, what), LONG)

    def sees(self, what, words, seconds=LONG):
        """Wait until words stand in a part; parts are replaced as they are looked at, so the script asks."""
        script = "return document.querySelector(arguments[0])?.textContent || ''"
        until(lambda: re.search(words, self.chrome.execute_script(script, what)), seconds)

    def choose(self, field, name):
        """Browse for a sequence in the folder `shot` of the home."""
        self.press(f"[data-browse={field}]")
        until(lambda: self.chrome.find_elements("css selector", "#browse-content .browse"), LONG)
        if not self.chrome.find_elements("css selector", f"[data-name='{name}']"):
            self.press("[data-name=shot] button")
        self.press(f"[data-name='{name}'] button")


@pytest.fixture(scope="module")
def chrome(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


def enter(chrome, machine):
    chrome.get("about:blank")
    complaints(chrome)  # what the test before left, whose page is gone
    address, entry = machine.start()
    chrome.get(Path(entry).as_uri())
    until(lambda: chrome.current_url.startswith(f"{address}/jobs"), LONG)
    return address


@pytest.mark.slow
def test_from_an_empty_state_to_a_judged_clip_over_a_restart(chrome, machine, home_clip):
    from selenium.webdriver.common.action_chains import ActionChains

    home_clip(count=5, size=(480, 270))
    person, address = Person(chrome), enter(chrome, machine)
    chrome.get(f"{address}/run")
    person.choose("plate", "plate.####.exr")
    person.sees("#found-plate", "5 frames: 1001-1005")

    person.press("[name=mask_source][value=prompts]")  # clicks in the picture become prompts
    person.press("[name=tool][value=add]")
    until(lambda: chrome.execute_script("return document.getElementById('viewer').width > 300"), LONG)
    ActionChains(chrome).move_to_element(person.one("#viewer")).click().perform()
    person.sees("#prompt-list", "subject at 2.., 1.. on frame 1001")

    person.press("[name=mask_source][value=files]")
    person.choose("mask", "mask.####.exr")
    person.sees("#found-mask", "5 frames")
    person.one("#engine").send_keys("classic")
    person.press("[hx-post='/run/check']")
    person.sees("#outcome", "Nothing was computed")
    person.press("#preview")
    until(lambda: len(chrome.find_elements("css selector", "#outcome .results img")) == 3, LONG)

    person.press("#start")
    person.sees("#outcome", "running|waiting")
    chrome.get(person.one("#outcome a").get_attribute("href"))
    machine.stop_server()
    machine.end_page()
    assert complaints_of_ours(chrome) == []
    assert machine.start()[0] == address  # the same port, and the session holds
    chrome.refresh()
    person.sees("#state .state", "interrupted|done")
    if chrome.find_elements("id", "resume"):
        person.press("#resume")
    person.sees("#state .state", "done")
    person.sees("#state", "5 of 5")

    before = chrome.current_url
    person.press("#again")
    until(lambda: chrome.current_url != before, LONG)
    person.sees("#state", "5 of 5, 0 computed")
    chrome.get(chrome.current_url.replace("/jobs/", "/judge?job="))
    until(lambda: chrome.find_elements("css selector", "canvas[data-frame]"), LONG)
    assert complaints_of_ours(chrome) == []
    assert hosts_asked(chrome) == {"127.0.0.1"}


@pytest.mark.slow
def test_a_job_is_cancelled_on_the_page(chrome, machine, home_clip):
    home_clip(count=90, size=(640, 360))
    person, address = Person(chrome), enter(chrome, machine)
    chrome.get(f"{address}/run")
    person.choose("plate", "plate.####.exr")
    person.choose("mask", "mask.####.exr")
    person.one("#engine").send_keys("classic")
    person.press("#start")
    person.press("#outcome #cancel")
    person.sees("#outcome", "cancelled")
    chrome.get(f"{address}/jobs")
    person.one("[name=search]").send_keys("cancelled")
    person.sees("#history", "cancelled")
    assert complaints_of_ours(chrome) == []


@pytest.mark.slow
def test_no_page_has_a_grave_barrier_in_light_or_dark(chrome, machine, home_clip):
    home_clip(count=3)
    person, address = Person(chrome), enter(chrome, machine)
    chrome.get(f"{address}/run")
    person.choose("plate", "plate.####.exr")
    person.choose("mask", "mask.####.exr")
    person.one("#engine").send_keys("passthrough")
    person.press("#start")
    person.sees("#outcome", "done")
    job = person.one("#outcome a").get_attribute("href").rsplit("/", 1)[1]
    for path in ("run", f"run?job={job}", "jobs", f"jobs/{job}", f"judge?job={job}", "settings"):
        chrome.get(f"{address}/{path}")
        for _ in range(2):
            person.press("#theme")
            assert barriers(chrome) == [], path


def complaints_of_ours(chrome):
    """Return what the console complained of, but for streams that ended with their page or server."""
    return [said for said in complaints(chrome) if "/live" not in said]
