from dataclasses import replace

import pytest
from videomama_client import prompts, wire
from videomama_client.errors import BadInput
from videomama_client.messages import KINDS, PlanFrames
from videomama_client.prompts import BOX, MASK, POINT, TEXT, Prompt, read_box, read_click, read_key_mask
from videomama_client.settings import MatteSettings

CLICK = Prompt(POINT, 1001, (640.0, 300.0))
WORDS = Prompt(TEXT, text="the dog")
PAINTED = Prompt(MASK, 1001, file="/shots/key.png")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1001:640,300", CLICK),
        ("1001:+640,300", CLICK),
        ("1001:-80,40", Prompt(POINT, 1001, (80.0, 40.0), subject=False)),
        ("1001:+-12,40", Prompt(POINT, 1001, (-12.0, 40.0))),
        ("1001:--12,-40.5", Prompt(POINT, 1001, (-12.0, -40.5), subject=False)),
        ("-5:1.5,2", Prompt(POINT, -5, (1.5, 2.0))),
    ],
)
def test_a_click_is_on_the_background_where_a_minus_stands_before_its_place(text, wanted):
    assert read_click(text) == wanted
    assert read_click(text, "dog") == replace(wanted, object="dog")


def test_a_box_is_a_corner_and_a_size_and_a_key_mask_has_a_frame_where_it_says_one():
    assert read_box("1001:10,10,400,500") == Prompt(BOX, 1001, (10.0, 10.0, 400.0, 500.0))
    assert read_key_mask("1001:/a/b.png") == Prompt(MASK, 1001, file="/a/b.png")
    assert read_key_mask("C:/a/b.1001.png", "dog") == Prompt(MASK, file="C:/a/b.1001.png", object="dog")


@pytest.mark.parametrize("text", ["640,300", "1001:", "1001:640", "1001:a,b", "1001:1,2,3", "1001:nan,2", "x:1,2", ""])
def test_what_is_no_click_is_refused_with_the_form(text):
    with pytest.raises(BadInput, match="--click") as refused:
        read_click(text)
    assert "FRAME:X,Y" in refused.value.hint


@pytest.mark.parametrize("text", ["1001:1,2", "1001:1,2,3,inf", "10,10,400,500"])
def test_what_is_no_box_is_refused_with_the_form(text):
    with pytest.raises(BadInput, match="--box") as refused:
        read_box(text)
    assert "WIDTH,HEIGHT" in refused.value.hint


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([Prompt("scribble", 1)], "unknown kind of prompt 'scribble'"),
        ([replace(CLICK, object="a/../b")], "'a/../b' cannot be the name of an object"),
        ([replace(CLICK, object="x" * 65)], "cannot be the name of an object"),
        ([replace(CLICK, frame=None)], "a click has no frame"),
        ([replace(CLICK, place=(1.0,))], "needs 2 numbers"),
        ([replace(CLICK, place=(float("nan"), 1.0))], "needs 2 numbers"),
        ([Prompt(BOX, 1001, (1.0, 2.0, 0.0, 4.0))], "box 1001:1,2,0,4 is empty"),
        ([replace(WORDS, text="  ")], "words of 2 characters"),
        ([replace(WORDS, text="x" * 501)], "words of 501 characters"),
        ([replace(PAINTED, file="")], "has no file"),
        ([replace(PAINTED, frame=None)], "a key mask has no frame"),
        ([PAINTED, PAINTED], "2 key masks on frame 1001"),
        ([replace(WORDS, object="dog"), Prompt(TEXT, text="cat", object="dog")], "2 words of dog"),
        ([Prompt(BOX, 1, (1.0, 2.0, 3.0, 4.0))] * 2, "2 boxes on frame 1"),
        ([replace(CLICK, subject=False)], "all clicks are on the background"),
        ([CLICK, replace(CLICK, subject=False, object="dog")], "all clicks of dog are on the background"),
        ([CLICK] * (prompts.MOST_PROMPTS + 1), "10,001 prompts"),
    ],
)
def test_prompts_that_cannot_be_have_a_sentence(given, said):
    with pytest.raises(BadInput, match=said) as refused:
        prompts.check(given)
    assert refused.value.hint


@pytest.mark.parametrize(
    "given",
    [
        [replace(WORDS, text="x" * 500)],
        [replace(WORDS, text="x")],
        [replace(CLICK, object="x" * 64)],
        [replace(CLICK, object="x")],
        [CLICK] * prompts.MOST_PROMPTS,
        [Prompt(BOX, 1001, (1.0, 2.0, 0.001, 0.001))],
    ],
    ids=["long words", "one letter", "long name", "short name", "most prompts", "small box"],
)
def test_prompts_up_to_their_limits_are_well(given):
    prompts.check(given)


def test_prompts_of_every_kind_and_of_several_objects_are_well():
    dog = [replace(one, object="dog") for one in (CLICK, WORDS, PAINTED, read_box("1001:1,2,3,4"))]
    given = [*dog, replace(CLICK, subject=False, object="dog"), CLICK, replace(PAINTED, frame=1002), PAINTED]
    prompts.check(given)
    assert prompts.objects_of(given) == ["dog", ""]
    assert prompts.of_object(given, "dog") == tuple(given[:5])
    assert prompts.frames_of(given) == (1001, 1002)
    with pytest.raises(BadInput, match="'dig'") as refused:
        prompts.of_object(given, "dig")
    assert "Did you mean dog?" in refused.value.hint


def test_an_engine_is_given_only_the_kinds_that_it_takes():
    prompts.check_kinds([CLICK], "sam", (POINT, BOX), has_mask=False)
    prompts.check_kinds([], "sam", (POINT, BOX), has_mask=True)
    prompts.check_kinds([], "person", (), has_mask=False)
    with pytest.raises(BadInput, match=r"the engine sam takes no words, and there is the words 'the dog'") as refused:
        prompts.check_kinds([CLICK, WORDS], "sam", (BOX, POINT), has_mask=False)
    assert refused.value.hint == "It takes clicks, boxes."
    with pytest.raises(BadInput, match="the engine classic takes no prompts") as refused:
        prompts.check_kinds([CLICK], "classic", (), has_mask=True)
    assert "--maker" in refused.value.hint
    with pytest.raises(BadInput, match="the engine sam makes masks from prompts") as refused:
        prompts.check_kinds([], "sam", (POINT, MASK), has_mask=False)
    assert refused.value.hint == "Give one of --click, --key-mask."


def test_a_prompt_on_a_frame_that_is_not_in_the_clip_names_the_frame():
    prompts.check_frames([CLICK, WORDS], range(1001, 1003), "1001-1002")
    with pytest.raises(BadInput, match="click 1001:640,300 is on frame 1001, and the clip is 1-9") as refused:
        prompts.check_frames([WORDS, CLICK], range(1, 10), "1-9")
    assert refused.value.frame == 1001


@pytest.mark.parametrize("place", [(0, 0), (95.5, 63), (-3, 10), (96, 10, 1, 1), (-10, 3, 8, 8), (90, 60, 400, 400)])
def test_a_prompt_on_the_plate_or_its_overscan_is_inside(place):
    kind = POINT if len(place) == 2 else BOX
    prompts.check_inside([WORDS, PAINTED, Prompt(kind, 1, place)], (-4, 0, 102, 64))


@pytest.mark.parametrize(
    "place", [(96, 10), (10, 64), (-1, 0), (0, -0.5), (96, 10, 5, 5), (-9, 3, 9, 8), (3, -9, 8, 9)]
)
def test_a_prompt_outside_of_the_plate_is_refused(place):
    kind = POINT if len(place) == 2 else BOX
    with pytest.raises(BadInput, match="lies outside the plate, which is 96x64") as refused:
        prompts.check_inside([Prompt(kind, 1, place)], (0, 0, 96, 64))
    assert "y down" in refused.value.hint


def test_prompts_travel_as_records():
    given = (CLICK, replace(CLICK, subject=False, object="dog"), WORDS, PAINTED, read_box("7:1,2,3,4"))
    asked = PlanFrames("q", MatteSettings(engine="held"), "1-9", "", prompts=given)
    assert wire.decode(wire.encode(asked), KINDS) == asked


def test_a_role_tells_the_key_masks_of_objects_apart():
    assert (PAINTED.role, replace(PAINTED, object="dog").role) == ("key mask", "key mask of dog")


@pytest.mark.parametrize(
    ("prompt", "spoken"),
    [
        (replace(CLICK, object="dog"), "click 1001:640,300 of dog"),
        (replace(CLICK, subject=False), "click 1001:-640,300"),
        (replace(WORDS, text="x" * 100), f"words '{'x' * 80}'"),
        (PAINTED, "key mask frame 1001"),
    ],
)
def test_errors_call_a_prompt_by_what_was_given(prompt, spoken):
    assert prompt.spoken == spoken


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(Prompt) == {"subject": True}
