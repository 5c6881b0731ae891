"""What a shot needs, by its files: frames, size, missing frames and disk."""

import pytest
from videomama_client.errors import BadInput
from videomama_client.messages import FOREGROUND, SideResult
from videomama_client.objects import MaskObject
from videomama_client.settings import MatteSettings
from videomama_server.batch.needs import Needs, needs_of
from videomama_server.submission import Submission


@pytest.fixture
def clip(make_clip):
    return make_clip(count=4)


def order(clip, **changes):
    return Submission(
        **{"plate": clip.plate, "mask": clip.mask, "out": clip.out, "settings": MatteSettings(), **changes}
    )


def test_frames_size_and_disk_are_told(clip):
    needs = needs_of(order(clip), [1001, 1002])
    assert (list(needs.frames), needs.size, needs.missing) == ([1001, 1002], (96, 64), {})
    assert needs.disk_bytes == 2 * 96 * 64 * 4 // 5
    assert needs.free_bytes > needs.disk_bytes
    assert needs.megapixels == pytest.approx(96 * 64 / 1e6)


def test_missing_frames_are_named_by_role(clip):
    clip.file("mask", 1002).unlink()
    clip.file("mask", 1003).unlink()
    clip.file("plate", 1003).unlink()
    assert needs_of(order(clip), [1001]).missing == {"plate": "1003", "mask": "1002-1003"}
    assert not needs_of(order(clip), [1001]).lacks_wanted
    assert needs_of(order(clip), [1001, 1002]).lacks_wanted
    gone = order(clip, mask="", objects=(MaskObject("hero", clip.mask), MaskObject("dog", "/nowhere/m.####.exr")))
    assert needs_of(gone, [1001]).missing["mask of dog"] == "1001-1004"
    assert "mask" not in needs_of(order(clip, mask=""), [1001]).missing


def test_all_that_is_written_takes_space_and_what_is_there_does_not(clip):
    alone = needs_of(order(clip), list(clip.numbers)).disk_bytes
    side = SideResult(FOREGROUND, str(clip.folder / "fg.####.exr"))
    more = needs_of(order(clip, side_results=(side,)), list(clip.numbers)).disk_bytes
    holes, clean = str(clip.folder / "h.####.png"), str(clip.folder / "clean" / "plate.####.exr")
    most = needs_of(order(clip, side_results=(side,)), list(clip.numbers), holes, clean).disk_bytes
    assert alone < more < most
    (clip.folder / "out").mkdir()
    for frame in clip.numbers:
        clip.alpha_file(frame).touch()
    assert needs_of(order(clip), list(clip.numbers)).disk_bytes == 0


def test_what_cannot_be_is_raised(clip):
    with pytest.raises(BadInput, match="plate"):
        needs_of(order(clip, plate=str(clip.folder / "none.####.exr")), [1001])
    with pytest.raises(BadInput, match="cannot write"):
        needs_of(order(clip, out=str(clip.folder / "a.####.jpg")), [1001])
    clip.file("plate", 1001).write_bytes(b"not a picture")
    with pytest.raises(BadInput):
        needs_of(order(clip), [1001])


def test_a_movie_takes_about_what_its_alphas_take(clip, tmp_path):
    movie = needs_of(order(clip, out=str(tmp_path / "alpha.mov")), [1001, 1002])
    assert movie.disk_bytes == needs_of(order(clip), [1001, 1002]).disk_bytes
    assert movie.folder == tmp_path


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(Needs) == {"lacks_wanted": False}
