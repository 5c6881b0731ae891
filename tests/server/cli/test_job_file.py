"""`--job`: options from a file, as the command line would give them, with the command line's before them."""

import json
import shlex

import pytest
from videomama_client.errors import BadInput
from videomama_client.messages import MatteDone, StageDone
from videomama_server.cli.job_file import asked_words, differing, options_of, words_of
from videomama_server.cli.masks import masks
from videomama_server.cli.matte import matte


@pytest.fixture
def flags(tmp_path):
    """Return the flags of `matte --job FILE` with more words."""

    def parse(content, *more, suffix=".json", command=matte):
        path = tmp_path / f"job{suffix}"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return command.make_context(command.name, ["--job", str(path), *more]).params

    return parse


def test_options_of_a_file_are_those_of_the_command_line(flags, tmp_path):
    content = (
        "plate: p/plate.####.exr\nmask: /abs/mask.####.exr\nout: alpha.####.exr\n"
        "mask_quality: good\nmask-grow: -3\nwindow: 12\nrehash: yes\nforeground-premultiplied: no\n"
        "then: [adjust feather=1.5, 'adjust grow=2']\nset: {a: 0.5, b: x=y}\nframes: 1001-1004\n"
    )
    found = flags(content, suffix=".yaml")
    assert found["plate"] == str(tmp_path / "p/plate.####.exr")
    assert found["mask"] == "/abs/mask.####.exr"
    assert (found["mask_quality"], found["mask_grow"], found["window"]) == ("good", -3.0, 12)
    assert (found["rehash"], found["foreground_premultiplied"]) == (True, False)
    assert found["then"] == ("adjust feather=1.5", "adjust grow=2")
    assert found["own_options"] == ("a=0.5", "b=x=y")
    assert found["frame_ranges"] == "1001-1004"


def test_what_the_command_line_gives_replaces_what_the_file_says(flags):
    content = {"plate": "p", "engine": "classic", "then": ["adjust feather=1"], "click": ["1:2,3"], "say": "dog"}
    found = flags(content, "--engine", "auto", "--then", "adjust grow=1", "--box", "1:0,0,5,5")
    assert (found["engine"], found["then"]) == ("auto", ("adjust grow=1",))
    assert (found["click"], found["say"], found["box"]) == ((), (), ("1:0,0,5,5",))
    assert flags(content)["click"] == ("1:2,3",)


def test_paths_count_from_the_folder_of_the_file(flags, tmp_path):
    found = flags(
        {
            "key-mask": ["1001:k.png", "k.####.exr", "-5:/abs/k.exr"],
            "object": ["hero=h.####.exr:hero.alpha", "dog"],
            "weights": "w",
            "hole-masks": "h.####.png",
            "clean-plate": "clean",
            "then-run": ["{python}", "{here}/x y.py", "{plate}"],
        }
    )
    assert found["key_mask"] == (f"1001:{tmp_path}/k.png", f"{tmp_path}/k.####.exr", "-5:/abs/k.exr")
    assert found["object"] == (f"hero={tmp_path}/h.####.exr:hero.alpha", "dog")
    assert (found["weights"], found["hole_masks"]) == (str(tmp_path / "w"), str(tmp_path / "h.####.png"))
    assert found["clean_plate"] == tmp_path / "clean"
    assert shlex.split(found["then_run"]) == ["{python}", f"{tmp_path}/x y.py", "{plate}"]


def test_objects_of_a_map_have_their_prompts_after_their_names(tmp_path):
    said = {
        "hero": {"mask": "h.####.exr", "stage": ["classic window=8", "adjust grow=1"]},
        "dog": {"click": ["1001:5,5"], "key_mask": "1002:k.png"},
        "cat": {"mask": "c.exr", "box": "1001:1,1,2,2"},
    }
    found = words_of(matte, {"object": said}, lambda key: key, tmp_path)
    assert found == [
        f"--object=hero={tmp_path}/h.####.exr",
        "--object-stage=hero=classic window=8",
        "--object-stage=hero=adjust grow=1",
        "--object=dog",
        "--click=1001:5,5",
        f"--key-mask=1002:{tmp_path}/k.png",
        f"--object=cat={tmp_path}/c.exr",
        "--object=cat",
        "--box=1001:1,1,2,2",
    ]


@pytest.mark.parametrize(
    ("content", "said", "hint"),
    [
        ({"plat": "x"}, "unknown key 'plat'", "Did you mean plate?"),
        ({"json": True}, "unknown key 'json'", ""),
        ({"job": "x"}, "unknown key 'job'", ""),
        ({"plate": ["a", "b"]}, "plate takes one text or number", ""),
        ({"plate": {"a": "b"}}, "plate takes one text or number", ""),
        ({"rehash": "maybe"}, "rehash is yes or no", ""),
        ({"rehash": ["yes"]}, "rehash is yes or no", ""),
        ({"then": [["a"]]}, "then takes texts or numbers", ""),
        ({"then": [None]}, "then takes texts or numbers", ""),
        ({"object": {"hero": "x"}}, "object hero must be a map", ""),
        ({"object": {"hero": {"clik": "x"}}}, "object hero: unknown key 'clik'", "click"),
    ],
)
def test_a_key_or_value_that_cannot_be_is_named(flags, content, said, hint):
    with pytest.raises(BadInput) as refused:
        flags(content)
    assert said in refused.value.message
    assert "job.json" in refused.value.message
    assert hint in refused.value.hint


def test_every_option_but_those_of_the_terminal_can_stand_in_a_file():
    names = {option.lstrip("-") for param in matte.params for option in param.opts}
    assert names - options_of(matte).keys() == {"job", "json", "help-all"}
    assert {"plate", "maker", "set", "click"} <= options_of(masks).keys()


def test_the_job_of_another_command_is_refused(flags):
    content = {"plate": "p", "out": "o", "maker": "held", "made": {"command": "masks"}}
    with pytest.raises(BadInput, match="is a job of `videomama masks`"):
        flags(content)
    assert flags(content, command=masks)["maker"] == "held"


BEFORE = {
    "effective": {"clip": "1-9", "frames": "1-3"},
    "digests": {"plate": "pp", "mask": "mm"},
    "stages": [{"engine": "classic", "fingerprint": "classic-9"}],
}


def now(**changes):
    fields = {"clip": "1-9", "frame_ranges": "1-3", "plate_digest": "pp", "mask_digest": "mm", **changes}
    fingerprint = fields.pop("fingerprint", "classic-9")
    return MatteDone(
        "j", 3, 3, 0, 1.0, "classic", [], stages=[StageDone("classic", 3, 0, fingerprint=fingerprint)], **fields
    )


def test_what_differs_from_the_file_is_said():
    assert differing(BEFORE, now()) == []
    assert differing({}, now(mask_digest="xx")) == []
    assert differing(BEFORE, now(mask_digest="xx")) == ["the mask has changed since the job file was written"]
    assert differing(BEFORE, now(mask_digest="xx", frame_ranges="1-2")) == []
    (engine,) = differing(BEFORE, now(fingerprint="classic-10"))
    assert "engine classic" in engine


def test_the_digest_of_a_wish_leaves_out_what_changes_no_file():
    base = {"plate": "p", "priority": "batch", "transport": "auto", "rehash": False, "no_job_file": False}
    digest = asked_words(base, ())
    assert asked_words({**base, "priority": "interactive", "rehash": True}, ()) == digest
    assert asked_words({**base, "plate": "q"}, ()) != digest
    assert asked_words(base, ("a prompt",)) != digest
