"""Prompts as lines of text in the pixels that Nuke shows."""

import pytest
from videomama_client.errors import BadInput
from videomama_client.prompts import BOX, MASK, POINT, TEXT, Prompt
from videomama_nuke import prompt_lines


@pytest.mark.parametrize(
    ("line", "prompt"),
    [
        ("add 1001:640.5,300.5", Prompt(POINT, 1001, (640.0, 419.0))),
        ("  subtract 7:0.5,719.5 ", Prompt(POINT, 7, (0.0, 0.0), subject=False)),
        ("add -3:-12,10", Prompt(POINT, -3, (-12.5, 709.5))),
        ("box 1001:10,20,410,520", Prompt(BOX, 1001, (10.0, 200.0, 400.0, 500.0))),
        ("say the dog: left of 2", Prompt(TEXT, text="the dog: left of 2")),
        ("painted 1004", Prompt(MASK, 1004)),
        ("dog: add 1:1,1", Prompt(POINT, 1, (0.5, 718.5), object="dog")),
        ("dog: say the dog", Prompt(TEXT, text="the dog", object="dog")),
    ],
)
def test_a_line_is_a_prompt_in_pixels_from_the_upper_left_corner(line, prompt):
    assert prompt_lines.read(line, 720) == (prompt,)


def test_empty_lines_count_for_nothing():
    assert prompt_lines.read("\n  \nadd 1:1.5,1.5\n\n", 10) == (Prompt(POINT, 1, (1.0, 8.0)),)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("click 1001:1,1", "'click 1001:1,1' cannot be read"),
        ("add", "'add' cannot be read"),
        ("add 1,1", "'add 1,1' cannot be read"),
        ("add 1001:1", "'add 1001:1' cannot be read"),
        ("add 1001:1,nan", "cannot be read"),
        ("box 1001:1,1,5", "cannot be read"),
        ("box 1001:9,1,5,5", "the box of the prompt .* is empty"),
        ("painted 1001:mask.exr", "cannot be read"),
    ],
)
def test_a_line_that_is_no_prompt_is_named(line, message):
    with pytest.raises(BadInput, match=message):
        prompt_lines.read(f"add 1:1,1\n{line}", 720)


@pytest.mark.parametrize("line", ["dog: add 1001:640.5,300.5", "say the dog", "painted 1004", "box 1:1,1,2,2"])
def test_a_line_that_a_button_writes_is_read_again(line):
    name, word, frame, value = {
        "dog: add 1001:640.5,300.5": ("dog", "add", 1001, "640.5,300.5"),
        "say the dog": ("", "say", None, "the dog"),
        "painted 1004": ("", "painted", 1004, ""),
        "box 1:1,1,2,2": ("", "box", 1, "1,1,2,2"),
    }[line]
    assert prompt_lines.line_of(word, value, frame, name) == line
    assert prompt_lines.read(line, 720)


def test_absent_frames_are_of_the_object_in_front_of_them():
    text = "dog: add 1:1,1\ndog: absent 1010-1020\nabsent 3\ndog: absent 1030"
    assert prompt_lines.absent(text) == {"dog": "1010-1020,1030", "": "3"}
    assert len(prompt_lines.read(text, 10)) == 1
