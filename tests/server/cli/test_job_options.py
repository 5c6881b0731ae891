"""Options that all commands share which submit a job: the same names, defaults and order."""

import os
from dataclasses import replace

import click
import pytest
from click.testing import CliRunner
from videomama_client.errors import BadInput
from videomama_client.settings import MatteSettings
from videomama_server.cache.layout import MEMO
from videomama_server.cli.job_options import frames_options, job_options, numbered_from, previewed
from videomama_server.cli.masks import masks
from videomama_server.cli.matte import matte
from videomama_server.submission import Submission


def test_they_are_read_with_their_defaults():
    found = {}

    @click.command()
    @frames_options
    @job_options
    def tried(**flags):
        found.update(flags)

    assert CliRunner().invoke(tried, ["--frames", "1-3", "--json"]).exit_code == 0
    assert found == {
        "clip": "",
        "frame_ranges": "1-3",
        "layer": "",
        "dtype": None,
        "priority": "interactive",
        "transport": "auto",
        "rehash": False,
        "notify": False,
        "no_start": False,
        "connection_file": None,
        "as_json": True,
    }


@pytest.mark.parametrize("command", [matte, masks])
def test_every_command_that_submits_has_them(command):
    named = {option for param in command.params for option in param.opts}
    assert {"--clip", "--frames", "--preview", "--layer", "--priority", "--transport", "--no-start", "--json"} <= named


def test_a_preview_is_of_some_of_the_wanted_frames(make_clip):
    clip = make_clip(count=6)
    order = Submission(plate=clip.plate, mask="", out=clip.out, settings=MatteSettings())
    assert previewed(order, None) == order
    assert previewed(order, 3).frame_ranges == "1001,1003,1006"
    assert previewed(replace(order, frame_ranges="1002-1004"), 2).frame_ranges == "1002,1004"
    assert previewed(order, 9).frame_ranges == "1001,1002,1003,1004,1005,1006"


def test_the_first_frame_is_a_movies_and_pictures_have_numbers_of_their_own():
    assert numbered_from(["plate.####.exr", ""], None) == ["plate.####.exr", ""]
    assert numbered_from(["a.mov", "mask.####.exr", ""], 1001) == ["a.mov@1001", "mask.####.exr", ""]
    assert numbered_from(["a.mov@7"], None) == ["a.mov@7"]
    with pytest.raises(BadInput, match="--first-frame is given without a movie"):
        numbered_from(["plate.####.exr"], 1001)


@pytest.mark.parametrize(("pattern", "known"), [("a.mov", True), ("plate.####.exr", False)])
def test_movies_are_read_by_the_indices_that_the_server_keeps(monkeypatch, tmp_path, pattern, known):
    kept = []
    monkeypatch.setattr("videomama_server.media.movies.index_store.keep_in", kept.append)
    monkeypatch.setenv("VIDEOMAMA_CONFIG", os.devnull)
    monkeypatch.setenv("VIDEOMAMA_CACHE_DIR", str(tmp_path))
    numbered_from([pattern], None)
    assert kept == ([None] if known else [])
    (tmp_path / MEMO).mkdir()
    numbered_from([pattern], None)
    assert kept == ([None, tmp_path / MEMO] if known else [])
