import click
import pytest
from click.testing import CliRunner
from videomama_client.errors import BadInput
from videomama_client.objects import MaskObject
from videomama_client.prompts import BOX, MASK, POINT, TEXT, Prompt
from videomama_server.cli.prompt_options import (
    CommandWithPrompts,
    prompt_options,
    take_absent,
    take_objects,
    take_prompts,
    with_files,
)


@pytest.fixture
def given():
    """Return the prompts of a command line, in order."""

    def read(*words):
        found = []

        @click.command(cls=CommandWithPrompts)
        @prompt_options
        @click.pass_context
        def command(ctx, **flags):
            found.extend(take_prompts(ctx, flags))
            assert flags == {"maker": "sam"}

        ran = CliRunner().invoke(command, ["--maker", "sam", *words], standalone_mode=False)
        if ran.exception:
            raise ran.exception
        return found

    return read


def test_prompts_keep_their_order_whatever_their_kind(given):
    words = ["--click", "1001:640,300", "--box=1001:1,2,3,4", "--click", "1001:-80,40", "--say", "the dog"]
    assert given(*words, "--key-mask", "1002:a.png") == [
        Prompt(POINT, 1001, (640.0, 300.0)),
        Prompt(BOX, 1001, (1.0, 2.0, 3.0, 4.0)),
        Prompt(POINT, 1001, (80.0, 40.0), subject=False),
        Prompt(TEXT, text="the dog"),
        Prompt(MASK, 1002, file="a.png"),
    ]
    assert given() == []


def test_the_name_of_an_object_is_of_the_prompts_after_it(given):
    words = ["--click", "1:1,1", "--object", "dog", "--click", "1:2,2", "--say", "x", "--object", "cat"]
    assert [prompt.object for prompt in given(*words, "--box", "1:1,1,1,1")] == ["", "dog", "dog", "cat"]


def test_an_object_without_prompts_is_refused(given):
    for words in (["--object", "dog"], ["--object", "dog", "--object", "cat", "--click", "1:1,1"]):
        with pytest.raises(BadInput, match="no prompt comes after --object dog"):
            given(*words)


@pytest.fixture
def named():
    """Return the objects of a command line, and the prompts of each."""

    def read(*words, needed=False):
        found = []

        @click.command(cls=CommandWithPrompts)
        @prompt_options
        @click.pass_context
        def command(ctx, **flags):
            found.extend((take_objects(ctx, needed), [prompt.object for prompt in take_prompts(ctx, flags)]))

        ran = CliRunner().invoke(command, words, standalone_mode=False)
        if ran.exception:
            raise ran.exception
        return found

    return read


HERO, DOG = ("--object", "hero=roto.####.exr:hero.alpha"), ("--object", "dog")
CLICK = ("--click", "1:2,3")


def test_several_names_are_objects_with_masks_or_prompts_of_their_own(named):
    hero = MaskObject("hero", "roto.####.exr", mask_channel="hero.alpha")
    assert named(*HERO, *DOG, *CLICK, *CLICK) == [(hero, MaskObject("dog", "")), ["dog", "dog"]]
    assert named(*HERO, *CLICK) == [(hero,), ["hero"]]
    assert named(*DOG, *CLICK, "--object", "hero", *CLICK, *DOG, *CLICK)[0] == (
        MaskObject("dog", ""),
        MaskObject("hero", ""),
    )


def test_the_only_subject_of_prompts_is_an_object_where_its_name_is_needed(named):
    assert named(*DOG, *CLICK) == [(), ["dog"]]
    assert named(*DOG, *CLICK, needed=True) == [(MaskObject("dog", ""),), ["dog"]]
    assert named(needed=True) == [(), []]


def test_what_is_no_prompt_is_refused(given):
    with pytest.raises(BadInput, match="--click '7'"):
        given("--click", "7")


def test_a_key_mask_takes_its_frame_from_the_prompt_the_name_or_the_clip(tmp_path, monkeypatch):
    for name in ("key.1003.png", "key.1001.png", "roto.png"):
        (tmp_path / name).write_bytes(b"x")
    monkeypatch.chdir(tmp_path)

    def frames(*prompts):
        return [(one.frame, one.file) for one in with_files(prompts, lambda: [1000, 1001])]

    assert frames(Prompt(MASK, file="key.1003.png")) == [(1003, str(tmp_path / "key.1003.png"))]
    assert frames(Prompt(MASK, 7, file="key.1003.png")) == [(7, str(tmp_path / "key.1003.png"))]
    assert frames(Prompt(MASK, file="roto.png")) == [(1000, str(tmp_path / "roto.png"))]
    assert [frame for frame, _ in frames(Prompt(MASK, file="key.####.png"))] == [1001, 1003]
    assert with_files([Prompt(TEXT, text="x")], list) == (Prompt(TEXT, text="x"),)
    with pytest.raises(BadInput, match="has several files"):
        frames(Prompt(MASK, 7, file="key.####.png"))
    with pytest.raises(BadInput, match="key mask"):
        frames(Prompt(MASK, file="none.png"))


@pytest.mark.parametrize(
    ("words", "of_objects", "of_the_maker"),
    [
        (["--absent", "3-4", "--click", "1:1,1", "--absent", "8"], {}, ("absent=3-4,8",)),
        (["--object", "dog", "--click", "1:1,1", "--absent", "3"], {}, ("absent=3",)),
        (
            ["--object", "dog", "--click", "1:1,1", "--absent", "3", "--object", "cat", "--click", "1:2,2"],
            {"dog": "3", "cat": ""},
            (),
        ),
        (
            ["--absent", "9", "--object", "a=/a.exr", "--object", "b", "--click", "1:1,1"],
            {"a": "", "b": ""},
            ("absent=9",),
        ),
    ],
)
def test_absent_frames_are_of_the_object_before_them_or_of_the_maker(words, of_objects, of_the_maker):
    found = []

    @click.command(cls=CommandWithPrompts)
    @prompt_options
    @click.pass_context
    def command(ctx, **flags):
        found.append(take_absent(ctx, take_objects(ctx, needed=False)))

    ran = CliRunner().invoke(command, words, standalone_mode=False)
    assert ran.exception is None
    named, left = found[0]
    assert ({one.name: one.absent for one in named}, left) == (of_objects, of_the_maker)
