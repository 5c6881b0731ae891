"""Servers of two versions on one folder: each finds its own entries, and neither harms the other."""

import json
import subprocess
import sys

import numpy as np
import pytest
from cache_cases import FULL, KEY, OTHER, THIRD, alpha, files_in, use
from videomama_client.errors import NotPermitted
from videomama_server.cache import layout
from videomama_server.cache.entries import Cache
from videomama_server.media import frames

OLD, NEW = 1, 2
JOB = """
import sys
from pathlib import Path
import numpy as np
from videomama_server.cache.entries import Cache
from videomama_server.media.geometry import Geometry, Rect
cache, full = Cache(Path(sys.argv[1]), version=int(sys.argv[2])), Geometry(Rect(0, 0, 64, 48), Rect(0, 0, 64, 48))
with cache.hold("other job"):
    for key in sys.argv[3:]:
        cache.lookup(key) or cache.publish(key, np.full((48, 64), 0.5, np.float32), full)
    print("held", flush=True)
    sys.stdin.readline()
    missing = [key for key in sys.argv[3:] if cache.lookup(key) is None]
    print("missing:", *missing, flush=True)
"""


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def old(folder):
    return Cache(folder, version=OLD)


@pytest.fixture
def new(folder):
    return Cache(folder, version=NEW)


@pytest.fixture
def job_of():
    """Start a process of a version with a job that uses some keys: `job_of(cache, version, *keys)`."""
    running = []

    def start(folder, version, *keys):
        command = [sys.executable, "-c", JOB, str(folder), str(version), *keys]
        job = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        running.append(job)
        assert job.stdout.readline() == "held\n"
        return job

    yield start
    for job in running:
        job.kill()
        job.communicate()


def missing_of(job):
    """End a job and return the keys that it does not find any more."""
    said, _ = job.communicate("\n", timeout=120)
    assert job.returncode == 0
    return said.removeprefix("missing:").split()


def test_each_version_finds_its_own_entries_of_one_key(old, new):
    old.publish(KEY, alpha(1), FULL)
    assert new.lookup(KEY) is None
    new.publish(KEY, alpha(2), FULL)
    for cache, seed in ((old, 1), (new, 2)):
        np.testing.assert_array_equal(frames.read_mask(cache.lookup(KEY)).pixels[..., 0], alpha(seed))


def test_notes_are_kept_apart_too(old, new):
    for cache, text in ((old, "old"), (new, "new")):
        cache.keep_note(cache.publish(KEY, alpha(), FULL), text)
    assert (old.note(old.lookup(KEY)), new.note(new.lookup(KEY))) == ("old", "new")
    assert new.verify().removed == old.verify().removed == 0
    assert (old.note(old.lookup(KEY)), new.note(new.lookup(KEY))) == ("old", "new")


def test_entries_of_older_versions_are_counted_apart_and_those_of_newer_ones_are_not(old, new):
    size = old.publish(KEY, alpha(), FULL).stat().st_size
    new.publish(OTHER, alpha(), FULL)
    new.publish(THIRD, alpha(), FULL)
    seen = new.stat()
    assert (seen.entries, seen.older_entries, seen.older_bytes) == (3, 1, size)
    assert seen.bytes > 2 * size
    assert (old.stat().entries, old.stat().older_entries, old.stat().older_bytes) == (3, 0, 0)


def test_entries_of_older_versions_are_pruned_first_however_lately_they_were_used(old, new):
    mine, other = new.publish(KEY, alpha(), FULL), new.publish(OTHER, alpha(), FULL)
    theirs = old.publish(THIRD, alpha(), FULL)
    for path, age in ((mine, 90), (other, 60), (theirs, 10)):
        use(path, age)
    left = new.prune(new.stat().bytes - 1)
    assert (left.removed, left.older_entries, theirs.exists()) == (1, 0, False)
    assert new.prune(left.bytes - 1).removed == 1
    assert [path.exists() for path in (mine, other)] == [False, True]


def test_an_older_version_prunes_by_use_alone(old, new):
    newer, older = new.publish(KEY, alpha(), FULL), old.publish(OTHER, alpha(), FULL)
    use(newer, 10)
    use(older, 90)
    assert old.prune(old.stat().bytes - 1).removed == 1
    assert [path.exists() for path in (newer, older)] == [True, False]


@pytest.mark.parametrize(("mine", "other"), [(OLD, NEW), (NEW, OLD)])
def test_what_a_job_of_another_version_uses_in_its_process_stays(folder, mine, other, job_of):
    cache = Cache(folder, version=mine)
    unused = [Cache(folder, version=version).publish(THIRD, alpha(), FULL) for version in (OLD, NEW)]
    for path in unused:
        use(path, 100)
    job = job_of(folder, other, KEY, OTHER)
    assert cache.prune(0).removed == len(unused)
    assert cache.verify().removed == 0
    assert not any(path.exists() for path in unused)
    assert missing_of(job) == []
    assert cache.prune(0).removed == 2  # the job is over


def test_a_new_cache_says_its_format_and_one_of_before_learns_to(folder, old):
    assert (folder / "format.txt").read_text() == f"{layout.FORMAT}\n"
    (folder / "format.txt").unlink()
    path = old.publish(KEY, alpha(), FULL)
    assert Cache(folder, version=OLD).lookup(KEY) == path
    assert (folder / "format.txt").read_text() == f"{layout.FORMAT}\n"


class TestNewerFormat:
    """A folder that a newer server has laid out in another way."""

    @pytest.fixture
    def newer(self, folder, old):
        old.publish(KEY, alpha(), FULL)
        (folder / "format.txt").write_text("7\n")
        return folder

    @pytest.fixture
    def opened(self, newer, caplog):
        cache = Cache(newer)
        assert "has format 7, and this version of VideoMaMa knows format 1; new alphas are kept while" in caplog.text
        yield cache
        cache.close()

    def test_nothing_is_read_from_it_and_what_is_new_is_kept_beside(self, newer, opened):
        before = files_in(newer)
        assert opened.lookup(KEY) is None
        path = opened.publish(OTHER, alpha(), FULL)
        assert opened.lookup(OTHER) == path
        assert newer not in path.parents
        with opened.hold("job"):
            opened.keep_note(path, "text")
        opened.keep_within(0)
        assert files_in(newer) == before
        assert "format 7" in opened.trouble

    @pytest.mark.parametrize("work", [Cache.stat, Cache.verify, Cache.clear, lambda cache: cache.prune(0)])
    def test_it_is_neither_counted_nor_checked_nor_emptied(self, newer, opened, work, raises_with_hint):
        before = files_in(newer)
        with raises_with_hint(NotPermitted, "has format 7", "knows format 1"):
            work(opened)
        assert files_in(newer) == before

    def test_a_server_that_runs_when_a_newer_one_takes_the_folder_over_prunes_no_more(
        self, folder, old, newer, raises_with_hint, caplog
    ):
        before = files_in(folder)
        for work in (old.verify, old.clear, lambda: old.prune(0)):
            with raises_with_hint(NotPermitted, "has format 7"):
                work()
        old.keep_within(0)
        assert "it is not pruned" in caplog.text
        assert files_in(folder) == before

    def test_the_command_line_says_so(self, videomama, newer):
        for words in (["stat"], ["prune"], ["verify"], ["clear", "--yes"]):
            said = videomama("cache", "--cache-dir", newer, *words)
            assert said.code == 1
            assert said.err.startswith(f"Error: the cache {newer} has format 7, and this version of VideoMaMa knows")
            assert "Update VideoMaMa, or name another folder with --cache-dir." in said.err


def test_the_command_line_counts_older_entries_apart(videomama, old, folder, monkeypatch):
    old.publish(KEY, alpha(), FULL)
    path = layout.entry(folder, OTHER, 0)  # of a version before this one
    path.parent.mkdir(parents=True)
    layout.entry(folder, KEY, OLD).rename(path)
    said = videomama("cache", "--cache-dir", folder, "stat").out
    assert "1 entry, 0.0 MB\nof these, 1 entry of older versions, 0.0 MB; they are pruned first\n" in said
    report = json.loads(videomama("cache", "--cache-dir", folder, "--json", "stat").out)
    assert (report["entries"], report["older_entries"]) == (1, 1)
    assert report["older_bytes"] == report["bytes"] == path.stat().st_size
