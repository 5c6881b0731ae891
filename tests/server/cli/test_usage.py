"""What is wrong with the command line itself ends with 2, as what click finds wrong with it does."""

import json

import pytest
from videomama_client.errors import BadInput
from videomama_server.cli.usage import WrongUse, reading_words

SHOT = ("--plate", "/none/p.####.exr", "--mask", "/none/m.####.exr", "--out", "/none/a.####.exr")
CLICKED = ("--plate", "/none/p.####.exr", "--out", "/none/a.####.exr", "--click")


@pytest.mark.parametrize(
    "words",
    [
        ("matte", "--plate", "/none/p.####.exr", "--out", "/none/a.####.exr"),
        ("matte", *SHOT, "--project", "/none"),
        ("matte", *SHOT, "--foreground-dtype", "half"),
        ("matte", *SHOT, "--maker-set", "reanchor=yes"),
        ("matte", *CLICKED, "1001:1,1", "--mask", "/none/m.####.exr"),
        ("matte", *CLICKED, "1001", "--maker", "sam2"),
        ("matte", *SHOT, "--person-picture", "/none/p.png"),
        ("matte", *SHOT, "--then", "window=8"),
        ("matte", *SHOT, "--object", "hero="),
        ("matte", *SHOT, "--object", "dog"),
        ("matte", *SHOT, "--engine", "classic", "--mask-slack", "9000"),
        ("matte", *SHOT, "--engine", "classic", "--seed", "3"),
        ("masks", "--plate", "/none/p.####.exr", "--out", "/none/a.####.exr"),
        ("synthesize", "/none/clips", "--size", "large"),
        ("matte", "--no-such-option"),
    ],
    ids=lambda words: " ".join(words[-2:]),
)
def test_a_command_line_that_cannot_be_meant_ends_with_2_in_words_and_in_json(videomama, words):
    said = videomama(*words)
    assert (said.code, said.out) == (2, "")
    assert said.err
    if words[0] != "synthesize":
        assert json.loads(videomama(*words, "--json").out)["code"] == "usage"


def test_files_that_are_not_there_end_with_1(videomama, server):
    said = videomama("matte", *SHOT, "--engine", "classic", "--json", "--connection-file", server.connection_file)
    assert (said.code, json.loads(said.out)["code"]) == (1, "bad-input")


def test_an_error_of_words_keeps_message_and_hint():
    with pytest.raises(WrongUse) as refused, reading_words():
        raise BadInput("two clicks", "Give one.", frame=3)
    assert (refused.value.message, refused.value.hint, refused.value.frame) == ("two clicks", "Give one.", 3)
    assert isinstance(refused.value, BadInput)
