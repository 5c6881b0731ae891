"""What is said at once of the files that were named."""

from starlette.datastructures import ImmutableMultiDict
from videomama_server.web import found
from videomama_server.web.forms import Form


def look(site, role, **values):
    return found.look(site, Form(ImmutableMultiDict(values)), role)


def test_frames_size_and_colour_space_of_a_plate(site, home_clip):
    folder = home_clip(count=3)
    clip = look(site, "plate", plate=f"{folder}/plate.####.exr")
    assert list(clip.frames) == [1001, 1002, 1003]
    assert clip.facts[:2] == ["3 frames: 1001-1003", "96x64"]
    assert "colour space lin_rec709" in clip.facts
    assert clip.warnings == []
    assert clip.out == str(folder / "alpha" / "alpha.####.exr")


def test_missing_frames_are_a_warning(site, home_clip):
    folder = home_clip(count=4)
    (folder / "plate.1003.exr").unlink()
    assert look(site, "plate", plate=f"{folder}/plate.####.exr").warnings == ["1 frame missing: 1003."]


def test_a_mask_is_held_against_the_plate(site, home_clip):
    folder, other = home_clip(count=3), home_clip(count=2, size=(48, 32), folder="other")
    clip = look(site, "mask", plate=f"{folder}/plate.####.exr", mask=f"{other}/mask.####.exr")
    assert "channel A" in clip.facts
    assert clip.warnings == ["No mask for plate frames 1003.", "The mask is 48x32, and the plate is 96x64."]


def test_a_plate_that_cannot_be_read_is_no_warning_of_the_mask(site, home_clip):
    folder = home_clip(count=1)
    assert look(site, "mask", plate="/nowhere", mask=f"{folder}/mask.####.exr").warnings == []
