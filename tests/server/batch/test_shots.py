"""Shots of a file: defaults, tokens, and an unknown key with its file, line, shot and the nearest known one."""

import json

import pytest
from videomama_client.errors import BadInput
from videomama_server.batch import option_file
from videomama_server.batch.shots import check_key, read_defaults, read_shots, with_rotos

KNOWN = ("plate", "mask", "out", "engine", "mask-quality", "then", "then-run", "object", "project", "roto", "set")


@pytest.fixture
def shots(tmp_path):
    """Read the shots of a file: `shots("shots: {a: }")`."""

    def call(text, name="shots.yaml"):
        path = tmp_path / name
        path.write_text(text)
        return read_shots(option_file.read(path), KNOWN)

    return call


def test_a_shot_has_the_defaults_its_own_options_and_its_tokens(shots, tmp_path):
    first, second = shots(
        "defaults:\n"
        "  plate: '{shot}/{version}/{show}.####.exr'\n"
        "  version: v001\n"
        "  tokens: {show: abc}\n"
        "  engine: classic\n"
        "  then: ['adjust feather=1']\n"
        "shots:\n"
        "  sh010:\n"
        "  sh020: {version: v002, mask_quality: good, then: , tokens: {show: xyz}, out: '{shot}/{object}.####.exr'}\n"
    )
    assert (first.name, second.name) == ("sh010", "sh020")
    assert first.options == {"plate": "sh010/v001/abc.####.exr", "engine": "classic", "then": ["adjust feather=1"]}
    assert second.options == {
        "plate": "sh020/v002/xyz.####.exr",
        "engine": "classic",
        "then": None,
        "mask-quality": "good",
        "out": "sh020/{object}.####.exr",
    }
    assert first.folder == tmp_path


def test_shots_as_a_map_a_list_and_a_table_are_the_same(shots):
    as_map = shots("shots:\n  a: {plate: x}\n  b: {plate: '{shot}'}\n")
    as_list = shots("shots:\n- {shot: a, plate: x}\n- {shot: b, plate: '{shot}'}\n")
    as_table = shots("shot,plate\na,x\nb,{shot}\n", "shots.csv")
    names = [(one.name, one.options) for one in as_map]
    assert [(one.name, one.options) for one in as_list] == names
    assert [(one.name, one.options) for one in as_table] == names
    assert [one.name for one in shots("shots: [a, b]")] == ["a", "b"]


def test_tokens_are_filled_in_inside_lists_and_maps_and_those_of_a_program_are_left(shots):
    text = "shots:\n  a:\n    then-run: [x, '{shot}', '{plate}']\n    object: {hero: {mask: '{shot}.exr'}}\n"
    (one,) = shots(text)
    assert one.options == {"then-run": ["x", "a", "{plate}"], "object": {"hero": {"mask": "a.exr"}}}


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("shots:\n  a:\n    mask_qualty: x\n", "line 3, shot a: unknown key 'mask_qualty'", "mask-quality"),
        ("defaults:\n  plat: x\nshots: [a]\n", "line 2: unknown key 'plat'", "plate"),
        ("shots:\n- shot: a\n  engin: x\n", "line 3, shot a: unknown key 'engin'", "engine"),
        ("shotz: [a]\nshots: [a]\n", "line 1: unknown key 'shotz'", "shots"),
        ("shots:\n  a: {plate: '{shit}'}\n", "shot a: unknown token {shit} in plate", "shot"),
        ("shots:\n  a: {qqqqq: 1}\n", "unknown key 'qqqqq'", "--help-all"),
        ("shots:\n- {plate: x}\n", "shot 1 has no name", "shot"),
        ("shots:\n- [x]\n", "must be a map", "key"),
        ("shots: word\n", "must be a map or a list", "shot"),
        ("shots: [a, a]\n", "the shot 'a' is there twice", "line 1"),
        ("shots:\n  a: {shot: b}\n", "the shot has two names", "shot"),
        ("shots:\n  a: x\n", "a must be a map of options", "key"),
        ("shots:\n  a: {mask-quality: x, mask_quality: y}\n", "mask-quality is there twice", "Leave"),
        ("defaults: {shot: a}\nshots: [a]\n", "shot is the name of one shot", "defaults"),
        ("defaults: [a]\nshots: [a]\n", "defaults must be a map", "key"),
        ("defaults: {plate: x}\n", "has no shots", "shots"),
        ("shots:\n  a: {tokens: [x]}\n", "tokens must be a map", "below"),
        ("shots:\n  a: {version: [x]}\n", "the token version must be one text", "text"),
    ],
)
def test_what_is_wrong_names_the_file_the_line_and_the_nearest_key(shots, text, said, hint):
    with pytest.raises(BadInput) as refused:
        shots(text)
    assert "shots.yaml" in refused.value.message
    assert said in refused.value.message
    assert hint in refused.value.hint


def test_each_roto_of_a_project_is_a_shot_of_its_own(shots):
    named, listed, every, plain = shots(
        "shots:\n"
        "  a: {project: p, roto: hero}\n"
        "  b: {project: p, roto: [hero, dog]}\n"
        "  c: {project: p}\n"
        "  d: {plate: x}\n"
    )

    def rotos(shot):
        return [(one.name, one.options.get("roto")) for one in with_rotos(shot, lambda project: ["cat", project[-1]])]

    assert rotos(named) == [("a", "hero")]
    assert rotos(listed) == [("b hero", "hero"), ("b dog", "dog")]
    assert rotos(every) == [("c cat", "cat"), ("c p", "p")]
    assert rotos(plain) == [("d", None)]


def test_the_defaults_of_a_file_without_shots_are_read(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"defaults": {"mask_quality": "good"}}))
    assert read_defaults(option_file.read(path), KNOWN) == {"mask-quality": "good"}


def test_a_key_is_an_option_with_hyphens_or_underscores():
    assert check_key("mask_quality", KNOWN, "here") == check_key("mask-quality", KNOWN, "here") == "mask-quality"
