import os

import numpy as np
import pytest
from videomama_client.errors import BadInput, NotPermitted
from videomama_server.files.access import permit
from videomama_server.media.frames import write_picture
from videomama_server.media.geometry import Geometry, Rect
from videomama_server.web.clip_files import ALPHA, GROUND, MASK, PLATE, Clip, ClipFiles, Portion


@pytest.fixture
def shot(tmp_path):
    """A folder with a plate of 64x32 at frames 1 and 2, its mask and alpha at 1, and what reads them."""
    ramp = np.linspace(0, 2, 64, dtype=np.float32)
    plate = np.repeat(np.tile(ramp, (32, 1))[..., None], 3, axis=2)
    for frame in (1, 2):
        write_picture(tmp_path / f"plate.{frame:04d}.exr", plate * frame)
    write_picture(tmp_path / "mask.0001.exr", np.ones((16, 32), np.float32), ("A",))
    write_picture(tmp_path / "alpha.0001.exr", np.clip(np.tile(ramp, (32, 1)), 0, 1), ("A",))
    return tmp_path


@pytest.fixture
def files(shot):
    return ClipFiles(lambda path: permit(path, [shot]))


def clip(shot, **more):
    roles = {role: str(shot / f"{role}.####.exr") for role in (PLATE, MASK, ALPHA)}
    return Clip(**{**roles, **more})


def test_all_roles_lie_on_the_frame_of_the_plate(shot, files):
    sizes = {role: files.layer(clip(shot), role, 1).pixels.shape for role in (PLATE, MASK, ALPHA)}
    assert sizes == {PLATE: (32, 64, 3), MASK: (32, 64), ALPHA: (32, 64)}
    assert files.layer(clip(shot), PLATE, 1).space == "lin_rec709"


def test_full_pixels_are_those_of_the_file_and_a_region_is_cut_out_of_them(shot, files):
    whole = files.layer(clip(shot), PLATE, 2).pixels
    part = files.layer(clip(shot), PLATE, 2, Portion(region=Rect(60, 30, 10, 10))).pixels
    assert whole.max() == 4
    assert np.array_equal(part, whole[30:, 60:])


def test_a_picture_at_screen_size_is_averaged_and_a_pixel_of_no_number_does_not_spread(shot, files):
    plate = np.ones((32, 64, 3), np.float32)
    plate[5, 5] = np.nan
    write_picture(shot / "plate.0001.exr", plate, dtype="float")
    small = files.layer(clip(shot), PLATE, 1, Portion(longest=16)).pixels
    assert small.shape == (8, 16, 3)
    assert np.isfinite(small).all()
    assert np.count_nonzero(small != 1) == 3


def test_overscan_is_not_shown(shot, files):
    geometry = Geometry(Rect(0, 0, 64, 32), Rect(-8, -8, 80, 48))
    write_picture(shot / "plate.0001.exr", np.full((48, 80, 3), 0.5, np.float32), geometry=geometry)
    assert files.layer(clip(shot), PLATE, 1).pixels.shape == (32, 64, 3)


def test_an_alpha_of_another_size_than_the_plate_is_an_error_that_names_both(shot, files):
    write_picture(shot / "alpha.0001.exr", np.ones((16, 32), np.float32), ("A",))
    with pytest.raises(BadInput, match="alpha frame 1: it is 32x16, the plate is 64x32"):
        files.layer(clip(shot), ALPHA, 1)


def test_a_missing_frame_is_named(shot, files):
    with pytest.raises(BadInput, match="alpha frame 2: there is no such file"):
        files.layer(clip(shot), ALPHA, 2)


def test_an_alpha_is_shown_where_its_plate_is_missing_or_broken(shot, files):
    (shot / "plate.0001.exr").write_bytes(b"no picture")
    assert files.layer(clip(shot), ALPHA, 1).pixels.shape == (32, 64)
    with pytest.raises(BadInput, match="plate frame 1: cannot read"):
        files.layer(clip(shot), PLATE, 1)


def test_a_file_that_was_written_again_is_read_again(shot, files):
    assert files.layer(clip(shot), PLATE, 1).pixels.max() == 2
    write_picture(shot / "plate.0001.exr", np.full((32, 64, 3), 0.25, np.float32))
    os.utime(shot / "plate.0001.exr", ns=(1, 1))
    assert files.layer(clip(shot), PLATE, 1).pixels.max() == 0.25


def test_a_link_out_of_the_roots_is_not_followed(shot, files, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "plate.0003.exr"
    (shot / "plate.0001.exr").rename(outside)
    (shot / "plate.0003.exr").symlink_to(outside)
    with pytest.raises(NotPermitted, match="outside"):
        files.layer(clip(shot), PLATE, 3)
    with pytest.raises(NotPermitted, match="outside"):
        files.found(clip(shot, plate=str(outside.parent / "plate.####.exr")), PLATE)


def test_a_single_picture_lies_under_every_frame_cut_to_the_plates_proportions(shot, files):
    ground = np.zeros((64, 64, 3), np.float32)
    ground[16:48] = 1
    write_picture(shot / "street.png", ground, dtype="uint8")
    found = files.layer(clip(shot, ground=str(shot / "street.png")), GROUND, 1).pixels
    assert found.shape == (32, 64, 3)
    assert found.min() == 1


def test_pixels_are_kept_within_the_bound(shot):
    bound = 3 * 64 * 32 * 4
    files = ClipFiles(lambda path: path, bound)
    for frame in (1, 2):
        files.layer(clip(shot), PLATE, frame)
    files.layer(clip(shot), ALPHA, 1)
    assert 0 < files.kept_bytes <= bound


def test_stamps_say_which_files_there_are(shot, files):
    plate, mask, alpha, *others = files.stamps(clip(shot), 2)
    assert plate is not None
    assert [mask, alpha, *others] == [None] * 5


def test_a_file_with_another_padding_is_found_as_sequences_find_it(shot, files):
    (shot / "alpha.0001.exr").rename(shot / "alpha.01.exr")
    assert files.layer(clip(shot, alpha=str(shot / "alpha.#.exr")), ALPHA, 1).pixels.shape == (32, 64)


def test_frames_that_a_pattern_does_not_name_are_not_there(shot, files):
    with pytest.raises(BadInput, match="plate frame 2: there is no such file"):
        files.layer(clip(shot, plate=str(shot / "plate.1-1####.exr")), PLATE, 2)


def test_a_single_picture_is_one_frame_of_a_plate(shot, files):
    single = clip(shot, plate=str(shot / "plate.0002.exr"))
    assert files.layer(single, PLATE, 2).pixels.max() == 4
    with pytest.raises(BadInput, match="plate frame 1"):
        files.layer(single, PLATE, 1)


@pytest.mark.parametrize("linked", [False, True])
def test_frames_of_a_movie_are_its_pictures_behind_a_link_too(tmp_path, make_movie, numbered, linked):
    movie = make_movie("plate.mov", numbered(5), codec="prores_ks", layout="yuv422p10le")
    if linked:
        (tmp_path / "link.mov").symlink_to(movie)
        movie = tmp_path / "link.mov"
    reader = ClipFiles(lambda path: permit(path, [tmp_path]))
    shown = [reader.layer(Clip(plate=str(movie)), PLATE, frame).pixels.mean() for frame in range(1, 6)]
    assert np.all(np.diff(shown) > 0.05)


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(Clip) == {"premultiplied": False}
    assert numbers_left_out(Portion) == {"longest": 0}
