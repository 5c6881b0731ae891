"""`videomama cache`: what each verb prints and does, and which folders it leaves alone."""

import json
import os
import sys
from dataclasses import fields

import pytest
from videomama_client.server_config import Difference, Setting
from videomama_server import config, running
from videomama_server.cache.entries import Cache, CacheReport
from videomama_server.cli import cache as cache_command


@pytest.mark.parametrize("verb", ["stat", "verify", "prune", "clear"])
def test_cache_verbs_as_json_and_text(videomama, tmp_path, verb):
    Cache(tmp_path / "cache").close()
    words = ["cache", "--cache-dir", tmp_path / "cache"]
    more = ["--yes"] if verb == "clear" else []
    report = json.loads(videomama(*words, "--json", verb, *more).out)
    assert report.keys() == {field.name for field in fields(CacheReport)}
    assert (report["entries"], report["bytes"]) == (0, 0)
    said = videomama(*words, verb, *more)
    assert said.code == 0
    assert said.out == f"{tmp_path / 'cache'}: 0 entries, 0.0 MB\n"


def test_cache_counts_verifies_prunes_and_clears_what_a_server_made(videomama, start_server, make_clip):
    server, clip = start_server(), make_clip(count=3)
    server.refine(clip)
    server.entries()[0].write_bytes(b"garbage")

    def report(*words):
        return json.loads(videomama("cache", "--json", "--cache-dir", server.cache_dir, *words).out)

    assert report("stat")["entries"] == 3
    assert (report("verify")["removed"], report("stat")["entries"]) == (1, 2)
    assert report("prune", "--limit-gb", "100")["entries"] == 2
    assert report("prune", "--limit-gb", "0")["removed"] == 2
    server.refine(clip)
    assert report("clear", "--yes")["removed"] == 3
    assert server.refine(clip).done.computed == 3


def test_cache_clear_asks_first_and_takes_no_for_an_answer(videomama, tmp_path, monkeypatch):
    Cache(tmp_path).close()
    monkeypatch.setattr(sys, "stdin", open(os.devnull))  # noqa: PTH123, SIM115
    with sys.stdin:
        said = videomama("cache", "--cache-dir", tmp_path, "clear")
    assert said.code == 0
    assert "Remove all alphas in" in said.err
    assert said.err.endswith("\nNothing was removed.\n")
    assert said.out == ""


@pytest.mark.parametrize(
    ("limit", "named"), [("-1", "-1"), ("nan", "nan"), ("inf", "inf"), ("1e400", "inf"), ("much", "much")]
)
def test_cache_prune_refuses_a_limit_that_makes_no_sense(videomama, tmp_path, limit, named):
    Cache(tmp_path).close()
    (tmp_path / "entries" / "ab").mkdir(parents=True)
    (tmp_path / "entries" / "ab" / "abc.exr").write_bytes(b"an entry")
    said = videomama("cache", "--cache-dir", tmp_path, "prune", "--limit-gb", limit)
    assert said.code in (1, 2)
    assert named in said.err
    assert (tmp_path / "entries" / "ab" / "abc.exr").exists()


@pytest.mark.parametrize("verb", [["stat"], ["verify"], ["prune"], ["clear", "--yes"]])
def test_cache_verbs_leave_a_folder_that_is_no_cache_alone(videomama, tmp_path, verb):
    (tmp_path / "entries").mkdir()
    said = videomama("cache", "--cache-dir", tmp_path, *verb)
    assert said.code == 1
    assert said.err.startswith("Error: ")
    assert "Traceback" not in said.err
    assert [path.name for path in tmp_path.iterdir()] == ["entries"]


@pytest.mark.parametrize(
    ("older", "removed", "lines"),
    [
        (0, 0, []),
        (1, 0, ["of these, 1 entry of older versions, 2.5 MB; they are pruned first"]),
        (2, 1, ["of these, 2 entries of older versions, 2.5 MB; they are pruned first", "removed 1, 1.5 MB"]),
    ],
)
def test_older_versions_and_what_was_removed_are_said_where_there_are_any(capsys, older, removed, lines):
    report = CacheReport("/c", 3, 7_500_000, removed, 1_500_000, older, 2_500_000)
    cache_command._show(report, as_json=False)
    assert capsys.readouterr().out.splitlines() == ["/c: 3 entries, 7.5 MB", *lines]


@pytest.mark.parametrize(("verb", "refused"), [("clear", True), ("prune", True), ("stat", False)])
def test_nothing_is_removed_from_the_cache_of_a_server_that_has_another_than_the_one_asked_for(
    videomama, monkeypatch, tmp_path, verb, refused
):
    Cache(tmp_path / "cache").close()
    other = Difference("cache_dir", str(tmp_path / "cache"), Setting("/elsewhere", "$VIDEOMAMA_CACHE_DIR"))
    own = running.Settled(config.load({"cache_dir": tmp_path / "cache"}), [other])
    monkeypatch.setattr(running, "settle", lambda asked: own)
    said = videomama("cache", verb, *(["--yes"] if verb == "clear" else []))
    assert said.code == (1 if refused else 0)
    assert ("Name the folder that you mean" in said.err) == refused
