import re
from contextlib import contextmanager
from dataclasses import replace

import pytest
from videomama_client import objects
from videomama_client.engine_options import EngineOption
from videomama_client.errors import BadInput
from videomama_client.objects import (
    MOST_OBJECTS,
    MaskObject,
    behind_maker,
    check,
    naming,
    out_of,
    read,
    settings_of,
    then_of,
)
from videomama_client.prompts import Prompt
from videomama_client.settings import MatteSettings
from videomama_client.stages import Stage


@contextmanager
def refused(said):
    """Expect a refusal that says this, and what to do."""
    with pytest.raises(BadInput, match=re.escape(said)) as raised:
        yield
    assert raised.value.hint


@pytest.mark.parametrize(
    ("words", "mask", "channel", "colour"),
    [
        ("hero=masks/hero.####.exr", "masks/hero.####.exr", "", ""),
        ("hero=roto.####.exr:hero.alpha", "roto.####.exr", "hero.alpha", ""),
        ("hero=ids.####.png:#800000", "ids.####.png", "", "#800000"),
        ("hero=C:\\shots\\hero.####.exr", "C:\\shots\\hero.####.exr", "", ""),
        ("hero=C:\\shots\\hero.####.exr:R", "C:\\shots\\hero.####.exr", "R", ""),
        ("hero=C:/shots/hero.####.exr", "C:/shots/hero.####.exr", "", ""),
        ("hero=shots/a:b/hero.####.exr", "shots/a:b/hero.####.exr", "", ""),
        ("hero=a=b.####.exr", "a=b.####.exr", "", ""),
        ("hero=hero.####.exr:", "hero.####.exr:", "", ""),
    ],
)
def test_an_object_is_read_from_words(words, mask, channel, colour):
    assert read(words) == MaskObject("hero", mask, channel, colour)


@pytest.mark.parametrize("words", ["", "hero", "hero=", "=hero.####.exr"])
def test_words_without_a_name_or_a_mask_are_refused(words):
    with refused("--object"):
        read(words)


def known(*names):
    return [MaskObject(name, "m.####.exr") for name in names]


@pytest.mark.parametrize("name", ["hero", "Hero_2", "h", "a" * 64])
def test_names_that_an_exr_layer_can_have_are_taken(name):
    check(known(name), "", "/out/a.####.exr", "")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "2nd",
        "the hero",
        "hero.left",
        "a-b",
        "héros",
        "a/b",
        "a" * 65,
        "rgba",
        "RGB",
        "alpha",
        "main",
        "crypto01",
        "_a",
    ],
)
def test_names_that_it_cannot_have_or_that_mean_something_else_are_refused(name):
    with refused(repr(name)):
        check(known(name), "", "/out/a.####.exr", "")


@pytest.mark.parametrize(
    ("job", "said"),
    [
        ((known("a", "b", "A"), "", "o", ""), "two objects are called 'a' and 'A'"),
        ((known("a"), "m", "o", ""), "both a mask and objects"),
        ((known("a"), "", "o", "matte"), "'matte'"),
        (([], "m", "{object}.exr", ""), "no objects"),
        ((known(*(f"a{index}" for index in range(MOST_OBJECTS + 1))), "", "o", ""), f"{MOST_OBJECTS + 1} objects"),
    ],
)
def test_what_cannot_be_together_is_refused(job, said):
    with refused(said):
        check(*job)


def test_a_job_of_one_mask_may_have_any_layer():
    check([], "m.####.exr", "o.####.exr", "matte")


def test_an_object_takes_the_settings_of_the_job_but_for_what_it_says_itself():
    job = MatteSettings.of(engine="classic", quality="fast", mask_channel="R", roi="off", window=8)
    plain = MaskObject("hero", "m")
    assert settings_of(job, plain) == job
    assert then_of((Stage("adjust"),), plain) == (Stage("adjust"),)
    own = MaskObject("dog", "m", "dog.A", "", (Stage("passthrough", (), 3, 1), Stage("classic")))
    taken = settings_of(job, own)
    assert (taken.engine, taken.engine_options, taken.window, taken.overlap) == ("passthrough", (), 3, 1)
    assert (taken.mask_channel, taken.roi) == ("dog.A", "off")
    assert then_of((Stage("adjust"),), own) == (Stage("classic"),)
    option = MaskObject("cat", "m", stages=(Stage("classic", (EngineOption("quality", "fast"),)),))
    assert settings_of(MatteSettings(), option).option("quality") == "fast"


def test_the_name_of_an_object_stands_where_its_files_say_so():
    assert out_of("/out/{object}/{object}.####.exr", "hero") == "/out/hero/hero.####.exr"
    assert objects.label("hero") == "object hero"
    assert objects.label("") == ""


def raised(name):
    with naming(name):
        raise BadInput("gone", "Look.").at("mask", 7, "m.exr")


def test_an_error_names_the_object_and_keeps_its_place():
    with pytest.raises(BadInput) as told:
        raised("hero")
    error = told.value.within("job")
    assert error.message == "job: object hero: mask frame 7: gone"
    assert (error.object, error.role, error.frame, error.file) == ("hero", "mask", 7, "m.exr")
    with pytest.raises(BadInput) as plain:
        raised("")
    assert (plain.value.message, plain.value.object) == ("mask frame 7: gone", "")


def test_absent_frames_of_an_object_are_a_setting_of_its_first_stage():
    job = MatteSettings("sam2")
    assert settings_of(job, MaskObject("dog", "", absent="3-4")).option("absent") == "3-4"
    own = MaskObject("dog", "", stages=(Stage("sam3"), Stage("classic")), absent="3-4")
    assert (settings_of(job, own).engine, settings_of(job, own).option("absent")) == ("sam3", "3-4")
    assert settings_of(job, MaskObject("dog", "")).option("absent") is None


def test_behind_a_maker_an_object_with_a_mask_and_without_prompts_begins_with_the_engine():
    painted, clicked, both = MaskObject("a", "/a.exr"), MaskObject("b", ""), MaskObject("c", "/c.exr")
    prompts = [Prompt("point", 1, (1.0, 1.0), object=name) for name in "bc"]
    first, then, found = behind_maker(
        Stage("sam2"), MatteSettings("classic", window=8), (Stage("adjust"),), (painted, clicked, both), prompts
    )
    assert (first.engine, first.window) == ("sam2", None)
    assert then == (Stage("classic", (), 8), Stage("adjust"))
    assert found == (replace(painted, stages=then), clicked, both)


def test_of_a_long_name_eighty_letters_are_repeated():
    with refused(f"'{'x' * 80}' is not a valid name"):
        objects.check_name("x" * 100)
    objects.check_name("x" * 64)
    with refused(f"'{'x' * 65}' is not a valid name"):
        objects.check_name("x" * 65)


def test_what_is_made_of_each_object_has_files_of_its_own():
    both = (MaskObject("hero", "h.####.exr"), MaskObject("dog", "d.####.exr"))
    objects.check_patterns(both, [("foreground", "fg_{object}.####.exr")])
    objects.check_patterns((), [("foreground", "fg.####.exr")])
    with refused("the trimap t.####.exr would be the same file for all objects"):
        objects.check_patterns(both, [("foreground", "fg_{object}.####.exr"), ("trimap", "t.####.exr")])
    with refused("the foreground fg_{object}.####.exr has {object} in it, and the job has no objects"):
        objects.check_patterns((), [("foreground", "fg_{object}.####.exr")])
    assert objects.outs_of("fg.####.exr", ["hero", "dog"]) == {"": "fg.####.exr"}
